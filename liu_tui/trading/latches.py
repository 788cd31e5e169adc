"""Flattens that are not done: each stays, and its symbols are pressed, until it is flat or released.

Each is stored as it begins and as it ends, so that a restart goes on with those that are not done, and only
with those.
"""

from collections.abc import Iterable

import msgspec

from liu_tui.trading.book import Book
from liu_tui.trading.effects import Latched


class Latch(msgspec.Struct, frozen=True):
    """A flatten that goes on until all of it is flat, or a person releases it.

    begun: positions that it had to close
    """

    by: str
    reason: str
    since_ns: int
    begun: int = 0

    @property
    def words(self) -> str:
        """Why orders in its scope are sent or refused."""
        return f"flatten by {self.by}: {self.reason}" if self.reason else f"flatten by {self.by}"


class Latches:
    """The flattens in force. all: symbol, "" for everything -> its latch."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.all: dict[str, Latch] = {}

    def set(self, symbol: str, by: str, reason: str, now_ns: int) -> Latch:
        """Begin a flatten; the one that is in force for the same scope stays as it is."""
        known = self.all.get(symbol)
        if known is not None:
            return known
        begun = sum(1 for key in self._book.active(symbol) if self._book.held(key))
        latch = self.all[symbol] = Latch(by, reason, now_ns, begun)
        self._book.emit(Latched(symbol, now_ns, by, reason, begun))
        return latch

    def end(self, symbol: str, outcome: str, now_ns: int) -> None:
        """Let a flatten go. outcome: "flat", or who released it."""
        latch = self.all.pop(symbol)
        self._book.emit(Latched(symbol, latch.since_ns, latch.by, latch.reason, latch.begun, now_ns, outcome))

    def on(self, symbol: str) -> Latch | None:
        """Find the flatten that the symbol is in."""
        return self.all.get("") or self.all.get(symbol)

    def restore(self, flattens: Iterable[Latched]) -> None:
        """After a restart: go on with what had begun and is not done."""
        self.all = {f.symbol: Latch(f.by, f.reason, f.since_ns, f.begun) for f in flattens if not f.ended_ns}
