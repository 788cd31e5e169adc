"""JSON of Polygon's aggregates, trades and quotes -> our bars, trades and quotes. No I/O."""

import msgspec
from msgspec import Struct

from liu_tui.adapters.foreign import Count, Price, Side, Size
from liu_tui.adapters.polygon.answers import result, results, some
from liu_tui.adapters.polygon.codes import letters_of, tape_of
from liu_tui.adapters.polygon.spelling import from_ms, id_of, our_symbol, shares
from liu_tui.market.calendar import day_of, midnight_ns
from liu_tui.model.market import DAY_NS, Bar, Quote, Trade

_Id = str | Count
_Codes = tuple[Count, ...] | None


class _RawBar(Struct, frozen=True, gc=False):
    t: Count
    o: Price
    h: Price
    l: Price  # noqa: E741 - the vendor's letter
    c: Price
    v: Size
    vw: Side | None = 0.0
    n: Count | None = 0
    T: str = ""

    def ours(self, symbol: str, span_ns: int) -> Bar:
        """Our bar of it. A day begins at New York's midnight, whether it was stamped then or at its close."""
        t_ns = from_ms(self.t)
        if span_ns == DAY_NS:
            t_ns = midnight_ns(day_of(t_ns))
        prices = (self.o, self.h, self.l, self.c)
        return Bar(symbol, t_ns, *prices, self.v, self.vw or 0.0, self.n or 0, span_ns)


class _RawTrade(Struct, frozen=True, gc=False):
    """A row of /v3/trades."""

    sip_timestamp: Count
    price: Price
    size: Size = 0.0
    decimal_size: Size | None = 0.0
    id: _Id = 0
    exchange: Count = 0
    conditions: _Codes = ()
    tape: Count = 0

    def ours(self, symbol: str) -> Trade:
        exact = (self.decimal_size or self.size, self.id, self.exchange, self.conditions, self.tape)
        return _trade(symbol, self.sip_timestamp, self.price, *exact)


class _RawQuote(Struct, frozen=True, gc=False):
    """A row of /v3/quotes."""

    sip_timestamp: Count
    bid_price: Side | None = 0.0
    bid_size: Size | None = 0.0
    ask_price: Side | None = 0.0
    ask_size: Size | None = 0.0

    def ours(self, symbol: str) -> Quote:
        return _quote(
            symbol, self.sip_timestamp, self.bid_price, self.bid_size, self.ask_price, self.ask_size
        )


class LastTrade(Struct, frozen=True, rename={"exact_size": "ds"}):
    """The last print as /v2/last and the snapshots spell it."""

    p: Price
    t: Count
    s: Size = 0.0
    exact_size: Size | None = 0.0
    i: _Id = 0
    x: Count = 0
    c: _Codes = ()
    z: Count = 0

    def ours(self, symbol: str) -> Trade:
        """Our trade of it."""
        return _trade(symbol, self.t, self.p, self.exact_size or self.s, self.i, self.x, self.c, self.z)


class LastQuote(Struct, frozen=True, rename={"ask": "P", "ask_size": "S", "bid": "p", "bid_size": "s"}):
    """The quote as it stands, as /v2/last and the snapshots spell it."""

    t: Count
    ask: Side | None = 0.0
    ask_size: Size | None = 0.0
    bid: Side | None = 0.0
    bid_size: Size | None = 0.0

    def ours(self, symbol: str) -> Quote:
        """Our quote of it."""
        return _quote(symbol, self.t, self.bid, self.bid_size, self.ask, self.ask_size)


def read_bars(body: bytes, symbol: str, span_ns: int, *, where: str) -> list[Bar]:
    """Read one page of one symbol's bars, in the page's order. Raises FeedError."""
    return [row.ours(symbol, span_ns) for row in results(body, _RawBar, where)]


def read_grouped(body: bytes, *, where: str) -> dict[str, Bar]:
    """Read the whole market's daily bars. A row that cannot be read is left out. Raises FeedError."""
    rows = some(results(body, msgspec.Raw, where), _RawBar, where)
    return {symbol: row.ours(symbol, DAY_NS) for row in rows if (symbol := our_symbol(row.T))}


def read_trades(body: bytes, symbol: str, *, where: str) -> list[Trade]:
    """Read one page of one symbol's prints. Raises FeedError."""
    return [row.ours(symbol) for row in results(body, _RawTrade, where)]


def read_quotes(body: bytes, symbol: str, *, where: str) -> list[Quote]:
    """Read one page of one symbol's quotes. Raises FeedError."""
    return [row.ours(symbol) for row in results(body, _RawQuote, where)]


def read_last_trade(body: bytes, symbol: str, *, where: str) -> Trade:
    """Read the last print. Raises FeedError."""
    return result(body, LastTrade, where).ours(symbol)


def read_last_quote(body: bytes, symbol: str, *, where: str) -> Quote:
    """Read the quote as it stands. Raises FeedError."""
    return result(body, LastQuote, where).ours(symbol)


def _trade(
    symbol: str, t_ns: int, price: float, size: float, id_: str | int, exchange: int, codes: _Codes, tape: int
) -> Trade:
    letter = tape_of(tape)
    what = letters_of(codes, letter) if codes else ()
    return Trade(symbol, t_ns, price, size, id_of(id_), str(exchange) if exchange else "", what, letter)


def _quote(
    symbol: str,
    t_ns: int,
    bid: float | None,
    bid_size: float | None,
    ask: float | None,
    ask_size: float | None,
) -> Quote:
    sizes = shares(bid_size or 0.0, t_ns), shares(ask_size or 0.0, t_ns)
    return Quote(symbol, t_ns, bid or 0.0, sizes[0], ask or 0.0, sizes[1])
