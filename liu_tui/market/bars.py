"""Trades into bars: second bars as trades come in, minute bars of a recording that has none.

Both follow the sale conditions (see conditions): an odd lot counts for volume, not for price. An interval in
which no trade may set a price has no bar, as with the vendors.
"""

from collections.abc import Iterable
from typing import Final

from liu_tui.market.calendar import to_datetime
from liu_tui.market.forming import Forming
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, Trade

CENT: Final = 0.0101  # a cent, whatever binary fractions make of it
PRICE_FRAC: Final = 0.0005
VOLUME_FRAC: Final = 0.01


class SecondBars:
    """The trades of many symbols as second bars. late: trades left out, for their second was closed."""

    def __init__(self) -> None:
        self._forming: dict[str, Forming] = {}
        self.late = 0

    def add(self, trade: Trade) -> Bar | None:
        """Count a trade; return the symbol's second that it closes, if it closes one."""
        forming = self._forming.get(trade.symbol)
        closed = None
        if forming is None:
            forming = self._forming[trade.symbol] = Forming(trade.symbol)
        if trade.t_ns < forming.start_ns:
            self.late += 1
            return None
        if trade.t_ns >= forming.end_ns:
            closed = forming.bar()
            second = trade.t_ns - trade.t_ns % SECOND_NS
            forming.begin(second, second + SECOND_NS)
        forming.add(trade)
        return closed

    def flush(self, now_ns: int) -> list[Bar]:
        """Close the seconds that have ended by now; return their bars, sorted by symbol."""
        over = sorted(s for s, f in self._forming.items() if f.start_ns < f.end_ns <= now_ns)
        bars = [self._forming[symbol].bar() for symbol in over]
        for symbol in over:
            # Empty, and right after: what comes late for the closed second is before it.
            self._forming[symbol].begin(self._forming[symbol].end_ns, self._forming[symbol].end_ns)
        return [bar for bar in bars if bar is not None]


def minute_bars(symbol: str, trades: Iterable[Trade]) -> list[Bar]:
    """Return the minute bars of one symbol's trades, which must be in time order."""
    bars: list[Bar] = []
    forming = Forming(symbol)
    for trade in trades:
        if trade.t_ns >= forming.end_ns:
            if (bar := forming.bar()) is not None:
                bars.append(bar)
            start_ns = trade.t_ns - trade.t_ns % MINUTE_NS
            forming.begin(start_ns, start_ns + MINUTE_NS)
        forming.add(trade)
    if (bar := forming.bar()) is not None:
        bars.append(bar)
    return bars


def difference(own: Bar, vendor: Bar) -> str:
    """Say in words where a minute made of trades differs from the vendor's materially; "" if it does not.

    Material are a price by more than a cent and more than 0.05 %, and a volume by more than 1 %: the vendor
    may have counted a late print more.
    """
    found = [
        f"{name} {getattr(own, name):,.2f}, the vendor says {getattr(vendor, name):,.2f}"
        for name in ("open", "high", "low", "close")
        if abs(getattr(own, name) - getattr(vendor, name)) > max(CENT, PRICE_FRAC * getattr(vendor, name))
    ]
    if abs(own.volume - vendor.volume) > VOLUME_FRAC * vendor.volume:
        found.append(f"volume {own.volume:,.0f}, the vendor says {vendor.volume:,.0f}")
    return f"{own.symbol} {to_datetime(own.t_ns):%H:%M}: {'; '.join(found)}" if found else ""
