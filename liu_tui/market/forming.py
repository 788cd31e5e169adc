"""One interval of one symbol being added up from its prints, by the sale conditions (see conditions)."""

from math import inf
from typing import Final

from liu_tui.market.conditions import ALL, HIGH_LOW, VOLUME, effect, regular_until
from liu_tui.model.market import Bar, Trade, TradeCancel, TradeCorrection

PRINTS_MOST: Final = 20_000
"""Prints that are kept of an interval. One with more cannot be amended, only fetched again."""


class Forming:
    """The interval that is being made. Hours, effects and storage are kept from one to the next.

    start_ns, end_ns: which interval; both 0 before the first begin()
    open:   dollars, of the earliest print that may set it; 0 while there is none. close: of the latest
    volume, notional, count: of all prints that count for volume
    regular: whether it lies in regular trading hours
    """

    __slots__ = (
        "_close_ns",
        "_effects",
        "_hours_end",
        "_open_ns",
        "_prints",
        "close",
        "count",
        "end_ns",
        "high",
        "low",
        "notional",
        "open",
        "regular",
        "start_ns",
        "symbol",
        "volume",
    )

    count: int
    volume: float
    notional: float
    high: float
    low: float
    open: float
    close: float
    _open_ns: int
    _close_ns: int

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.regular = False
        self._hours_end = 0
        self._effects: dict[tuple[str, ...], int] = {}  # of sale conditions, in these hours on its one tape
        self._prints: list[Trade] = []
        self.begin(0, 0)

    def begin(self, start_ns: int, end_ns: int) -> None:
        """Begin an interval, empty."""
        self.start_ns, self.end_ns = start_ns, end_ns
        self._clear()
        if start_ns >= self._hours_end:
            self.regular, self._hours_end = regular_until(start_ns)
            self._effects = {}

    def add(self, trade: Trade) -> bool:
        """Count a print of this interval; say whether it is the one that sets the last price now."""
        if len(self._prints) < PRINTS_MOST:
            self._prints.append(trade)
        conditions, price = trade.conditions, trade.price
        may = self._effects.get(conditions) if conditions else ALL
        if may is None:
            may = self._effects[conditions] = effect(conditions, trade.tape, self.regular)
        if may != ALL:
            self._add_some(trade, may)
            return False
        size, t_ns = trade.size, trade.t_ns
        self.count += 1
        self.volume += size
        self.notional += size * price
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        if t_ns >= self._close_ns and self.open:
            self.close, self._close_ns = price, t_ns
            return True
        return self._set(t_ns, price)

    def amend(self, note: TradeCorrection | TradeCancel) -> Trade | None:
        """Put a print right, or take it out, and add up anew; return the print as it was.

        None if it is not among the prints that are kept: nothing has changed then.
        """
        prints = self._prints
        at = next((n for n, t in enumerate(prints) if t.id == note.id and t.exchange == note.exchange), -1)
        if at < 0 or not note.id or len(prints) >= PRINTS_MOST:
            return None
        was = prints[at]
        prints[at : at + 1] = [_corrected(was, note)] if isinstance(note, TradeCorrection) else []
        self._clear()
        for trade in prints:
            self.add(trade)
        return was

    @property
    def newest(self) -> Trade | None:
        """The newest print that is kept."""
        return max(self._prints, key=lambda trade: trade.t_ns, default=None)

    def bar(self) -> Bar | None:
        """Return what the prints add up to so far; None if none of them may set a price."""
        if not self.open:
            return None
        vwap = self.notional / self.volume if self.volume else 0.0
        prices = (self.open, self.high, self.low, self.close)
        span_ns = self.end_ns - self.start_ns
        return Bar(self.symbol, self.start_ns, *prices, self.volume, vwap, self.count, span_ns)

    def _clear(self) -> None:
        self._prints = []
        self.open = self.close = 0.0
        self.high, self.low = -inf, inf
        self.volume = self.notional = 0.0
        self.count = 0
        self._open_ns = self._close_ns = 0

    def _add_some(self, trade: Trade, may: int) -> None:
        """Count a print that may not set everything: none of these sets the last price."""
        if may & VOLUME:
            self.count += 1
            self.volume += trade.size
            self.notional += trade.size * trade.price
        if may & HIGH_LOW:
            self.high, self.low = max(self.high, trade.price), min(self.low, trade.price)

    def _set(self, t_ns: int, price: float) -> bool:
        if t_ns >= self._close_ns:
            self.close = price
            self._close_ns = t_ns
            if not self.open:
                self.open, self._open_ns = price, t_ns
            return True
        if t_ns < self._open_ns:  # a late print: of its moment, not of now
            self.open, self._open_ns = price, t_ns
        return False


def _corrected(was: Trade, note: TradeCorrection) -> Trade:
    tape = note.tape or was.tape
    new = (note.new_price, note.new_size, note.new_id, was.exchange, note.new_conditions, tape)
    return Trade(was.symbol, was.t_ns, *new)
