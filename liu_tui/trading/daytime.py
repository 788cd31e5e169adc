"""When a day trade's day is over, and when the market takes orders."""

from collections.abc import Callable

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from liu_tui.trading.book import Book, Key
from liu_tui.trading.positions import EXTERNAL


class Daytime:
    """One trading day. Without hours the market is always open and no day ends.

    liquidate_min: minutes before the close at which day trades are liquidated; 0 for not at all
    """

    def __init__(self, hours: SessionHours | None, swing: frozenset[str], liquidate_min: float) -> None:
        self.hours, self.swing, self.liquidate_min = hours, swing, liquidate_min
        self._said: set[Key] = set()
        self._begun_ns = 0  # the close before which it was said that day trades are closed

    def open(self, now_ns: int) -> bool:
        """Say whether an order sent now would trade now."""
        return self.hours is None or self.hours.phase(now_ns) == "open"

    def over(self, key: Key, now_ns: int) -> bool:
        """Say whether this strategy opens nothing any more today."""
        if self.hours is None or key[0] in self.swing or key[0] == EXTERNAL:
            return False
        return now_ns >= self.hours.close_ns - int(self.liquidate_min * MINUTE_NS)

    def liquidates(self, key: Key, now_ns: int) -> bool:
        """Say whether this strategy's positions are to be closed now: after the close it is too late."""
        return self.hours is not None and self.over(key, now_ns) and now_ns < self.hours.close_ns

    def say_begun(self, book: Book, now_ns: int) -> None:
        """Say once a day that day trades are closed now, and how many there are."""
        if self.hours is None or self._begun_ns == self.hours.close_ns or now_ns >= self.hours.close_ns:
            return
        due = [key for key in book.active() if self.over(key, now_ns)]
        if not due:
            return
        self._begun_ns = self.hours.close_ns
        held = sum(1 for key in due if book.held(key))
        words = f"{self.liquidate_min:g} minutes before the close: {held} positions of day trades are closed"
        book.notice("info", words)

    def say_kept(self, book: Book, now_ns: int, why: Callable[[Key], str]) -> None:
        """Say once which day trades could not be closed in time, and why."""
        if self.hours is None or now_ns < self.hours.close_ns or not self.liquidate_min:
            return
        for key in book.active():
            held = book.held(key)
            if held and key not in self._said and self.over(key, now_ns):
                self._said.add(key)
                words = f"{key[0]} {key[1]}: {held:+g} shares could not be closed before the market did"
                reason = why(key)
                book.notice("error", f"{words}: {reason}" if reason else words, symbol=key[1])
