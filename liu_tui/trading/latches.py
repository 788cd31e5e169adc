"""Flattens that are not done: each stays, and its symbols are pressed, until all of it is flat."""

import msgspec

from liu_tui.trading.book import Book


class Latch(msgspec.Struct, frozen=True):
    """A flatten that goes on until all of it is flat, or a person releases it."""

    by: str
    reason: str
    since_ns: int

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
        return self.all.setdefault(symbol, Latch(by, reason, now_ns))

    def on(self, symbol: str) -> Latch | None:
        """Find the flatten that the symbol is in."""
        return self.all.get("") or self.all.get(symbol)

    def release_done(self) -> None:
        """Let the flattens go that are done."""
        for symbol, latch in list(self.all.items()):
            if not self._book.active(symbol):
                del self.all[symbol]
                self._book.notice("good", f"{symbol or 'everything'} is flat ({latch.words})", symbol=symbol)
