"""When a scanner is due, in session time. Live and backtest keep the same timetable."""

from __future__ import annotations

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS


class Timetable:
    """One scanner's turns: first `from_market_open` minutes after the open, then every `recurrence` ones."""

    def __init__(self, hours: SessionHours, *, recurrence: float | None, from_market_open: float) -> None:
        self._first_ns = hours.open_ns + int(from_market_open * MINUTE_NS) if from_market_open else 0
        self._every_ns = int(recurrence * MINUTE_NS) if recurrence else 0
        self._close_ns = hours.close_ns
        self.next_ns = self._first_ns
        self.over = False

    def due(self, now_ns: int) -> bool:
        """Whether it is time for a turn. Nothing is due after the close."""
        return not self.over and self.next_ns <= now_ns < self._close_ns

    def ran(self, now_ns: int) -> None:
        """A turn was taken: set the next one. Turns that were missed are not made up for."""
        if not self._every_ns:
            self.over = True
            self.next_ns = 0
            return
        if self.next_ns <= 0:
            self.next_ns = now_ns
        while self.next_ns <= now_ns:
            self.next_ns += self._every_ns
