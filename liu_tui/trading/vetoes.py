"""Vetoes: symbols in which entries are refused, for one strategy or for all."""

import msgspec

from liu_tui.trading.book import Book

FOR_GOOD = 0
"""until_ns of a veto that stands until a person takes it back."""


class Veto(msgspec.Struct, frozen=True):
    """Entries in a symbol are refused. until_ns: session time at which it ends, or FOR_GOOD."""

    by: str
    reason: str
    until_ns: int = FOR_GOOD


class Vetoes:
    """Those in force. all: (symbol, strategy), strategy "" for every one of them -> the veto."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.all: dict[tuple[str, str], Veto] = {}

    def set(self, symbol: str, strategy: str, veto: Veto) -> None:
        """Refuse entries in the symbol."""
        self.all[symbol, strategy] = veto
        said = f": {veto.reason}" if veto.reason else ""
        whom = strategy or "all strategies"
        self._book.notice("info", f"{symbol} rejected for {whom} by {veto.by}{said}", symbol=symbol)

    def clear(self, symbol: str, strategy: str) -> None:
        """Take a veto back."""
        if self.all.pop((symbol, strategy), None) is not None:
            whom = strategy or "all strategies"
            self._book.notice("info", f"{symbol} allowed again for {whom}", symbol=symbol)

    def on(self, symbol: str, strategy: str) -> Veto | None:
        """Find the veto that keeps the strategy from opening the symbol; None if it may."""
        return self.all.get((symbol, "")) or self.all.get((symbol, strategy))

    def open_day(self) -> None:
        """Begin another day of a backtest: what strategies rejected was of the day before."""
        self.all.clear()
