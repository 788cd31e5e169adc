"""What a session's VWAP is made of: its bars, and the minutes whose bar has not come yet."""

from datetime import timedelta

from liu_tui.market.calendar import day_of, hours, midnight_ns
from liu_tui.model.market import Bar


class Totals:
    """Shares and dollars of one session of one symbol.

    Before the open it counts since midnight, and then restarts; after the close it stands still.

    open_ns, close_ns:  regular hours of the present day; the whole day if it has none
    start_ns, end_ns:   what is counted
    until_ns:           a moment from which on turn() must be called: another phase or day
    volume, notional:   of the bars; held_volume, held_notional: of the minutes whose bar has not come
    """

    __slots__ = (
        "_held",
        "close_ns",
        "end_ns",
        "held_notional",
        "held_volume",
        "notional",
        "open_ns",
        "start_ns",
        "until_ns",
        "volume",
    )

    held_volume: float
    held_notional: float

    def __init__(self) -> None:
        self.open_ns = self.close_ns = 0
        self.start_ns = self.end_ns = self.until_ns = 0
        self._empty()

    def turn(self, t_ns: int) -> None:
        """Begin the phase of this moment, empty."""
        day = day_of(t_ns)
        midnight, tomorrow = midnight_ns(day), midnight_ns(day + timedelta(days=1))
        session = hours(day)
        regular = (session.open_ns, session.close_ns) if session is not None else (midnight, tomorrow)
        self.open_ns, self.close_ns = regular
        early = t_ns < self.open_ns
        self.start_ns, self.end_ns = (midnight, self.open_ns) if early else regular
        self.until_ns = self.open_ns if early else tomorrow
        self._empty()

    def counts(self, t_ns: int) -> bool:
        """Say whether a minute that starts then belongs to what is counted."""
        return self.start_ns <= t_ns < self.end_ns

    def add(self, bar: Bar) -> None:
        """Count a bar. One without a vwap counts with (high + low + close) / 3."""
        if self.start_ns <= bar.t_ns < self.end_ns:
            self.volume += bar.volume
            self.notional += bar.volume * (bar.vwap or (bar.high + bar.low + bar.close) / 3)

    def hold(self, start_ns: int, volume: float, notional: float) -> None:
        """Count a minute by its prints until its bar comes."""
        self._held[start_ns] = (volume, notional)
        self.held_volume += volume
        self.held_notional += notional

    def release(self, start_ns: int) -> None:
        """Count a minute no more by its prints, if it was: its bar is here."""
        if (held := self._held.pop(start_ns, None)) is not None:
            self.held_volume -= held[0]
            self.held_notional -= held[1]
            if not self._held:  # what rounding left behind
                self.held_volume = self.held_notional = 0.0

    def _empty(self) -> None:
        self.volume = self.notional = 0.0
        self._held: dict[int, tuple[float, float]] = {}
        self.held_volume = self.held_notional = 0.0
