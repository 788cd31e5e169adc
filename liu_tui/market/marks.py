"""Marks: what the market says of a symbol's price now. The live producer and the backtest fold them alike.

A print that by its sale conditions may not set a last price is no mark: an average price or a derivatively
priced block far from the market would make a loss that nobody has, and trip a limit.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from liu_tui.market.conditions import ALL, effect
from liu_tui.model.market import MINUTE_NS, Bar, Quote, TapeEvent, Trade


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest word on one symbol. The desk values what it holds by it, and measures orders against it.

    price:    dollars, the last; 0 where nothing traded since the mark before
    bid, ask: dollars, 0 for a side that is empty; both 0 where nothing was quoted since the mark before
    t_ns:     when the newest of it happened
    """

    symbol: str
    price: float
    bid: float = 0.0
    ask: float = 0.0
    t_ns: int = 0

    def after(self, older: "Mark") -> "Mark":
        """Join two marks of the symbol: of each kind of word the newest."""
        quote = self if self.bid or self.ask else older
        t_ns = max(self.t_ns, older.t_ns)
        return Mark(self.symbol, self.price or older.price, quote.bid, quote.ask, t_ns)


@lru_cache(maxsize=4096)
def sets_price(conditions: tuple[str, ...], tape: str) -> bool:
    """Say whether such a print may set the last price. In extended hours theirs are the market's."""
    return effect(conditions, tape, False) == ALL


class Marker:
    """Folds the events of one moment into marks.

    ticks: of each kind, symbol -> its last; the producer, for whom every nanosecond counts, sets it itself
    """

    def __init__(self) -> None:
        self._trades: dict[str, Trade] = {}
        self._quotes: dict[str, Quote] = {}
        self._closes: dict[str, Bar] = {}
        self.ticks: dict[type, dict[str, Any]] = {Trade: self._trades, Quote: self._quotes}

    def note(self, event: TapeEvent) -> None:
        """Take what an event says of its symbol's price. A vendor's later word on a minute is of the past."""
        if isinstance(event, Quote):
            self._quotes[event.symbol] = event
        elif isinstance(event, Trade):
            if sets_price(event.conditions, event.tape):
                self._trades[event.symbol] = event
        elif isinstance(event, Bar) and event.span_ns == MINUTE_NS and not event.revised:
            older = self._closes.get(event.symbol)
            if older is None or older.t_ns < event.t_ns:
                self._closes[event.symbol] = event

    def take(self) -> tuple[Mark, ...]:
        """Return the marks of what was noted since the last time; without a trade it is the bar's close."""
        trades, quotes, closes = self._trades, self._quotes, self._closes
        if not (trades or quotes or closes):
            return ()
        marks = {symbol: Mark(symbol, bar.close, t_ns=bar.end_ns) for symbol, bar in closes.items()}
        for symbol, trade in trades.items():
            marks[symbol] = Mark(symbol, trade.price, t_ns=trade.t_ns)
        for symbol, quote in quotes.items():
            mark = Mark(symbol, 0.0, quote.bid, quote.ask, quote.t_ns)
            marks[symbol] = mark.after(marks[symbol]) if symbol in marks else mark
        trades.clear()
        quotes.clear()
        closes.clear()
        return tuple(marks.values())


def joined(older: Iterable[Mark], newer: Iterable[Mark]) -> tuple[Mark, ...]:
    """Join marks of two moments: one for each symbol."""
    marks = {mark.symbol: mark for mark in older}
    for mark in newer:
        before = marks.get(mark.symbol)
        marks[mark.symbol] = mark if before is None else mark.after(before)
    return tuple(marks.values())
