"""When a strategy may open positions: its schedule laid on one day's session."""

from collections.abc import Sequence

from liu_tui.market.calendar import to_datetime
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from liu_tui.model.window import Window


class Windows:
    """One strategy's windows on one day, cut to regular hours. No schedule at all is the whole session.

    always: schedule and hours do not matter (the plan's bypass_market_schedule)
    from_ns, until_ns: the span that open_at found last; the next moment is mostly in it too
    """

    def __init__(self, windows: Sequence[Window], hours: SessionHours, *, always: bool = False) -> None:
        self._always = always
        spans = [
            (
                hours.open_ns + round(window.start * MINUTE_NS),
                min(hours.open_ns + round((window.start + window.duration) * MINUTE_NS), hours.close_ns),
            )
            for window in windows
        ]
        self._spans = tuple(sorted(spans)) if windows else ((hours.open_ns, hours.close_ns),)
        self.from_ns = self.until_ns = 0

    def open_at(self, now_ns: int) -> bool:
        """Say whether positions may be opened at this moment: closed left, open right."""
        if self.from_ns <= now_ns < self.until_ns or self._always:
            return True
        for start, end in self._spans:
            if start <= now_ns < end:
                self.from_ns, self.until_ns = start, end
                return True
        return False

    def words(self, now_ns: int) -> str:
        """Say in New York time when the next window opens."""
        for start, end in self._spans:
            if now_ns < start < end:
                return f"the next window opens at {to_datetime(start):%H:%M}"
        return "no window is left today"
