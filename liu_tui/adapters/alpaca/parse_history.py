"""JSON of the market data endpoints -> bars, prints, quotes, snapshots. No I/O.

Prints bear a word `u` if they were amended later. The rule: a print that is `canceled` (it did not happen)
or `incorrect` (another one stands for it) is left out; the one that stands for it, `corrected`, is kept. So
what is told of the past is what the tape said in the end.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from liu_tui.adapters.alpaca.reading import in_range, read_json, unreadable
from liu_tui.adapters.alpaca.times import read_time
from liu_tui.adapters.foreign import UNREADABLE, Count, Price, Side, Size
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Bar, Quote, Snapshot, Trade

R = TypeVar("R")
S = TypeVar("S")
Page = tuple[dict[str, list[R]], str]
"""Rows by symbol as one answer holds them, and how the next one is asked for; "" at the end."""

LOT = 100.0
SHARES_SINCE_NS = read_time("2025-11-03T05:00:00Z")
"""Sizes of quotes are round lots before this day, shares from it on. Source: Market Data API 1.1, `as`."""
_TAKEN_BACK = frozenset({"canceled", "incorrect"})
_Aware = Annotated[datetime, Meta(tz=True)]

log = logging.getLogger(__name__)


class _RawBar(Struct, frozen=True, gc=False):
    """`t` is its start, a whole second."""

    t: _Aware
    o: Price
    h: Price
    l: Price  # noqa: E741 - the vendor's letter
    c: Price
    v: Size
    vw: Side | None = 0.0
    n: Count | None = 0


class _RawTrade(Struct, frozen=True, gc=False):
    t: str
    p: Price
    s: Size
    i: Count = 0
    x: str = ""
    c: tuple[str, ...] | None = ()
    z: str = ""
    u: str | None = ""


class _RawQuote(Struct, frozen=True, gc=False, rename={"ask_size": "as", "bid_size": "bs"}):
    t: str
    bp: Side
    bid_size: Size
    ap: Side
    ask_size: Size


class _BarPage(Struct, frozen=True):
    bars: dict[str, list[_RawBar]] | None = None
    next_page_token: str | None = None


class _TradePage(Struct, frozen=True):
    trades: dict[str, list[_RawTrade]] | None = None
    next_page_token: str | None = None


class _QuotePage(Struct, frozen=True):
    quotes: dict[str, list[_RawQuote]] | None = None
    next_page_token: str | None = None


class _LatestTrades(Struct, frozen=True):
    trades: dict[str, Raw] | None = None


class _LatestQuotes(Struct, frozen=True):
    quotes: dict[str, Raw] | None = None


class _RawSnapshot(Struct, frozen=True, rename="camel"):
    latest_trade: _RawTrade | None = None
    latest_quote: _RawQuote | None = None
    minute_bar: _RawBar | None = None
    daily_bar: _RawBar | None = None
    prev_daily_bar: _RawBar | None = None


class HistoryReader:
    """Reads the answers of one data host; every method raises FeedError for one that cannot be read.

    lots: sizes of quotes are round lots where they are old enough, as Alpaca's; the local market has shares
    """

    def __init__(self, *, lots: bool = True) -> None:
        self._shares_since_ns = SHARES_SINCE_NS if lots else 0

    def bars(self, body: bytes, span_ns: int, *, where: str) -> Page[Bar]:
        """Read a page of bars of this length."""
        said = read_json(body, _BarPage, where)
        return _page(said.bars, said.next_page_token, lambda s, raw: _bar(s, raw, span_ns), where)

    def trades(self, body: bytes, *, where: str) -> Page[Trade]:
        """Read a page of prints; those that were taken back are left out."""
        said = read_json(body, _TradePage, where)
        return _page(said.trades, said.next_page_token, _trade, where)

    def quotes(self, body: bytes, *, where: str) -> Page[Quote]:
        """Read a page of quotes."""
        said = read_json(body, _QuotePage, where)
        return _page(said.quotes, said.next_page_token, self._quote, where)

    def latest_trades(self, body: bytes, *, where: str) -> dict[str, Trade]:
        """Read the latest prints. A symbol whose print cannot be read is left out, with a warning."""
        rows = read_json(body, _LatestTrades, where).trades or {}
        return _each(rows, _RawTrade, _trade, where)

    def latest_quotes(self, body: bytes, *, where: str) -> dict[str, Quote]:
        """Read the quotes as they stand. A symbol whose quote cannot be read is left out, with a warning."""
        rows = read_json(body, _LatestQuotes, where).quotes or {}
        return _each(rows, _RawQuote, self._quote, where)

    def snapshots(self, body: bytes, *, where: str) -> dict[str, Snapshot]:
        """Read the snapshots. A symbol that cannot be read is left out, with a warning."""
        return _each(read_json(body, dict[str, Raw], where), _RawSnapshot, self._snapshot, where)

    def _quote(self, symbol: str, raw: _RawQuote) -> Quote:
        t_ns = in_range(read_time(raw.t))
        unit = 1.0 if t_ns >= self._shares_since_ns else LOT
        return Quote(symbol, t_ns, raw.bp, raw.bid_size * unit, raw.ap, raw.ask_size * unit)

    def _snapshot(self, symbol: str, said: _RawSnapshot) -> Snapshot:
        minute, daily, before = said.minute_bar, said.daily_bar, said.prev_daily_bar
        return Snapshot(
            symbol=symbol,
            latest_trade=_trade(symbol, said.latest_trade) if said.latest_trade is not None else None,
            latest_quote=self._quote(symbol, said.latest_quote) if said.latest_quote is not None else None,
            minute_bar=_bar(symbol, minute, MINUTE_NS) if minute is not None else None,
            daily_bar=_bar(symbol, daily, DAY_NS) if daily is not None else None,
            previous_daily_bar=_bar(symbol, before, DAY_NS) if before is not None else None,
        )


def _page(
    said: dict[str, list[S]] | None, token: str | None, ours: Callable[[str, S], R | None], where: str
) -> Page[R]:
    """Make our rows of theirs. A row that cannot be read costs the page: history has no silent holes."""
    try:
        rows = {
            symbol: [row for raw in some if (row := ours(symbol, raw)) is not None]
            for symbol, some in (said or {}).items()
        }
    except UNREADABLE as e:
        raise unreadable(e, where) from e
    return rows, token or ""


def _each(
    rows: dict[str, Raw], kind: type[S], ours: Callable[[str, S], R | None], where: str
) -> dict[str, R]:
    """Read what stands for each symbol by itself: one that cannot be read must not cost the others."""
    found: dict[str, R] = {}
    for symbol, raw in rows.items():
        try:
            said = msgspec.json.decode(raw, type=kind | None)
            made = ours(symbol, said) if said is not None else None
        except UNREADABLE as e:
            log.warning("%s: left out %s, which cannot be read: %s", where, symbol, e)
            continue
        if made is not None:
            found[symbol] = made
    return found


def _bar(symbol: str, raw: _RawBar, span_ns: int) -> Bar:
    t_ns = in_range(int(raw.t.timestamp()) * SECOND_NS)
    return Bar(symbol, t_ns, raw.o, raw.h, raw.l, raw.c, raw.v, raw.vw or 0.0, raw.n or 0, span_ns)


def _trade(symbol: str, raw: _RawTrade) -> Trade | None:
    if raw.u in _TAKEN_BACK:
        return None
    return Trade(symbol, in_range(read_time(raw.t)), raw.p, raw.s, raw.i, raw.x, raw.c or (), raw.z)
