"""What the account was worth earlier in this session, reckoned back from its fills and the minute bars."""

from bisect import bisect_right
from collections.abc import Sequence

from liu_tui.localmarket.venue import Venue
from liu_tui.model.market import MINUTE_NS, Bar


class EquityCurve:
    """The account at any moment between the session's start and now.

    The past is what is held now, with the fills since then undone; a share is worth its last minute's close,
    or yesterday's before its first minute.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._fills = [fill for fill in venue.exchange.standing() if fill.t_ns > venue.hours.pre_ns]
        self._cash = venue.exchange.cash
        self._qty = {p.symbol: p.qty for p in venue.exchange.positions()}
        symbols = {*self._qty, *(fill.symbol for fill in self._fills)}
        self._before = {symbol: venue.last_close(symbol) for symbol in symbols}
        self._bars: dict[str, Sequence[Bar]] = {
            symbol: venue.tape.bars(symbol, MINUTE_NS, venue.hours.pre_ns, venue.now_ns) for symbol in symbols
        }

    def at(self, t_ns: int) -> float:
        """Dollars at a moment."""
        cash, qty = self._cash, dict(self._qty)
        for fill in self._fills:
            if fill.t_ns > t_ns:
                signed = fill.side.sign * fill.qty
                cash += signed * fill.price + fill.fee
                qty[fill.symbol] = qty.get(fill.symbol, 0.0) - signed
        return round(cash + sum(shares * self._price(symbol, t_ns) for symbol, shares in qty.items()), 2)

    def _price(self, symbol: str, t_ns: int) -> float:
        if t_ns >= self._venue.now_ns:
            return self._venue.exchange.price(symbol)
        bars = self._bars[symbol]
        known = bisect_right(bars, t_ns, key=lambda bar: bar.end_ns)
        if known:
            return bars[known - 1].close
        return self._before[symbol] or (bars[0].open if bars else 0.0)
