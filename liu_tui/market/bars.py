"""Trades into bars: second bars as trades come in, minute bars of a recording that has none.

Both follow the sale conditions (see conditions): an odd lot counts for volume, not for price. An interval in
which no trade may set a price has no bar, as with the vendors.
"""

from collections.abc import Iterable
from math import inf

from liu_tui.market.calendar import is_regular
from liu_tui.market.conditions import ALL, HIGH_LOW, OPEN_CLOSE, VOLUME, effect
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, Trade


class Forming:
    """One interval of one symbol being added up. t_ns: its start."""

    __slots__ = ("_close", "_count", "_high", "_low", "_notional", "_open", "_regular", "_volume", "t_ns")

    def __init__(self, t_ns: int) -> None:
        self.t_ns = t_ns
        self._regular = is_regular(t_ns)
        self._open = self._close = 0.0
        self._high, self._low = -inf, inf
        self._volume = self._notional = 0.0
        self._count = 0

    def add(self, trade: Trade) -> None:
        """Count a trade of this interval."""
        may = effect(trade.conditions, trade.tape, self._regular) if trade.conditions else ALL
        price = trade.price
        if may & VOLUME:
            self._count += 1
            self._volume += trade.size
            self._notional += trade.size * price
        if may & HIGH_LOW:
            self._high = max(self._high, price)
            self._low = min(self._low, price)
        if may & OPEN_CLOSE:
            self._open = self._open or price
            self._close = price

    def bar(self, symbol: str, span_ns: int) -> Bar | None:
        """Return what the trades add up to; None if none of them may set a price."""
        if not self._open:
            return None
        vwap = self._notional / self._volume if self._volume else 0.0
        prices = (self._open, self._high, self._low, self._close)
        return Bar(symbol, self.t_ns, *prices, self._volume, vwap, self._count, span_ns)


class SecondBars:
    """The trades of many symbols as second bars. late: trades left out, for their second was closed."""

    def __init__(self) -> None:
        self._forming: dict[str, Forming] = {}
        self.late = 0

    def add(self, trade: Trade) -> Bar | None:
        """Count a trade; return the symbol's second that it closes, if it closes one."""
        second = trade.t_ns - trade.t_ns % SECOND_NS
        forming = self._forming.get(trade.symbol)
        closed = None
        if forming is None or second > forming.t_ns:
            closed = forming.bar(trade.symbol, SECOND_NS) if forming is not None else None
            forming = self._forming[trade.symbol] = Forming(second)
        elif second < forming.t_ns:
            self.late += 1
            return None
        forming.add(trade)
        return closed

    def flush(self, now_ns: int) -> list[Bar]:
        """Close the seconds that have ended by now; return their bars, sorted by symbol."""
        over = sorted(s for s, forming in self._forming.items() if forming.t_ns + SECOND_NS <= now_ns)
        # What stays keeps a symbol's closed second closed: an empty one begins right after it.
        bars = [self._forming[symbol].bar(symbol, SECOND_NS) for symbol in over]
        for symbol in over:
            self._forming[symbol] = Forming(self._forming[symbol].t_ns + SECOND_NS)
        return [bar for bar in bars if bar is not None]


def minute_bars(symbol: str, trades: Iterable[Trade]) -> list[Bar]:
    """Return the minute bars of one symbol's trades, which must be in time order."""
    bars: list[Bar] = []
    forming: Forming | None = None
    for trade in trades:
        start = trade.t_ns - trade.t_ns % MINUTE_NS
        if forming is None or start != forming.t_ns:
            if forming is not None and (bar := forming.bar(symbol, MINUTE_NS)) is not None:
                bars.append(bar)
            forming = Forming(start)
        forming.add(trade)
    if forming is not None and (bar := forming.bar(symbol, MINUTE_NS)) is not None:
        bars.append(bar)
    return bars
