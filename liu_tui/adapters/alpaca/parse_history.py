"""JSON of the data and clock endpoints -> bars, snapshots, assets, hours. No I/O."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from liu_tui.adapters.alpaca.times import new_york_ns, read_time
from liu_tui.errors import FeedError
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Asset, Bar, Quote, Snapshot, Trade

T = TypeVar("T")

_Price = Annotated[float, Meta(gt=0, lt=1e9)]
_Side = Annotated[float, Meta(ge=0, lt=1e9)]
_Size = Annotated[float, Meta(ge=0, lt=1e15)]
_Aware = Annotated[datetime, Meta(tz=True)]
_UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class RawBar(Struct, frozen=True, gc=False):
    """A bar as the data API spells it; `t` is its start, a whole second."""

    t: _Aware
    o: _Price
    h: _Price
    l: _Price  # noqa: E741 - the vendor's letter
    c: _Price
    v: _Size
    vw: _Side | None = 0.0
    n: int | None = 0

    def ours(self, symbol: str, span_ns: int) -> Bar:
        """Our bar of it."""
        t_ns = int(self.t.timestamp()) * SECOND_NS
        return Bar(symbol, t_ns, self.o, self.h, self.l, self.c, self.v, self.vw or 0.0, self.n or 0, span_ns)


class BarPage(Struct, frozen=True):
    """One page of bars. `bars` is null where there are none."""

    bars: dict[str, list[RawBar]] | None = None
    next_page_token: str | None = None


class _RawTrade(Struct, frozen=True):
    t: str
    p: _Price
    s: _Size
    i: int = 0
    x: str = ""
    c: tuple[str, ...] | None = ()
    z: str = ""


class _RawQuote(Struct, frozen=True, rename={"ask_size": "as", "bid_size": "bs"}):
    t: str
    bp: _Side
    bid_size: _Size
    ap: _Side
    ask_size: _Size


class _RawSnapshot(Struct, frozen=True, rename="camel"):
    latest_trade: _RawTrade | None = None
    latest_quote: _RawQuote | None = None
    minute_bar: RawBar | None = None
    daily_bar: RawBar | None = None
    prev_daily_bar: RawBar | None = None


class RawClock(Struct, frozen=True):
    """GET /v2/clock; the last three are our local market's."""

    timestamp: str
    speed: Annotated[float, Meta(ge=0, lt=1e9)] = 1.0
    paused: bool = False
    lockstep: bool = False


class RawDay(Struct, frozen=True):
    """A row of GET /v2/calendar, in New York times."""

    date: date
    open: str = "09:30"
    close: str = "16:00"
    session_open: str = "0400"
    session_close: str = "2000"

    def ours(self) -> SessionHours:
        """Our hours of it. Raises ValueError if a time cannot be read."""
        return SessionHours(
            self.date.isoformat(),
            new_york_ns(self.date, self.session_open),
            new_york_ns(self.date, self.open),
            new_york_ns(self.date, self.close),
            new_york_ns(self.date, self.session_close),
        )


class _RawAsset(Struct, frozen=True):
    symbol: str
    name: str | None = ""
    exchange: str | None = ""
    tradable: bool = True
    shortable: bool = False
    marginable: bool = False
    fractionable: bool = False
    easy_to_borrow: bool = True  # Alpaca is taking it away: absent says nothing


class _RawActive(Struct, frozen=True):
    symbol: str
    volume: float = 0.0


class _RawActives(Struct, frozen=True):
    most_actives: list[_RawActive] | None = None


class _RawMover(Struct, frozen=True):
    symbol: str
    percent_change: float = 0.0


class _RawMovers(Struct, frozen=True):
    gainers: list[_RawMover] | None = None
    losers: list[_RawMover] | None = None


def read_bars(body: bytes, *, where: str) -> BarPage:
    """Read one page. Raises FeedError."""
    return _read(body, BarPage, where)


def read_clock(body: bytes, *, where: str) -> tuple[int, RawClock]:
    """Read the clock: its time in nanoseconds, and the rest. Raises FeedError."""
    clock = _read(body, RawClock, where)
    try:
        return read_time(clock.timestamp), clock
    except _UNREADABLE as e:
        raise _unreadable(e, where) from e


def read_calendar(body: bytes, *, where: str) -> list[SessionHours]:
    """Read the trading days, oldest first. Raises FeedError."""
    try:
        return sorted((day.ours() for day in _read(body, list[RawDay], where)), key=lambda hours: hours.day)
    except _UNREADABLE as e:
        raise _unreadable(e, where) from e


def read_snapshots(body: bytes, *, where: str) -> dict[str, Snapshot]:
    """Read the snapshots. A symbol that cannot be read is left out: it must not cost the others.

    Raises FeedError.
    """
    found: dict[str, Snapshot] = {}
    for symbol, raw in _read(body, dict[str, Raw], where).items():
        try:
            said = msgspec.json.decode(raw, type=_RawSnapshot | None)
            if said is not None:
                found[symbol] = _snapshot(symbol, said)
        except _UNREADABLE:
            continue
    return found


def read_assets(body: bytes, *, where: str) -> list[Asset]:
    """Read the tradable assets, by symbol. Shortable means that shares are easy to borrow too.

    Raises FeedError.
    """
    assets = (
        Asset(
            symbol=raw.symbol,
            name=raw.name or "",
            exchange=raw.exchange or "",
            shortable=raw.shortable and raw.easy_to_borrow,
            marginable=raw.marginable,
            fractionable=raw.fractionable,
        )
        for raw in _read(body, list[_RawAsset], where)
        if raw.tradable
    )
    return sorted(assets, key=lambda asset: asset.symbol)


def read_most_active(body: bytes, *, where: str) -> list[tuple[str, float]]:
    """Read (symbol, shares), in the vendor's order: most first. Raises FeedError."""
    return [(row.symbol, row.volume) for row in _read(body, _RawActives, where).most_actives or ()]


def read_movers(body: bytes, *, where: str) -> list[tuple[str, float]]:
    """Read (symbol, percent): gainers, then losers. Raises FeedError."""
    said = _read(body, _RawMovers, where)
    rows: Iterable[_RawMover] = (*(said.gainers or ()), *(said.losers or ()))
    return [(row.symbol, row.percent_change) for row in rows]


def _snapshot(symbol: str, said: _RawSnapshot) -> Snapshot:
    return Snapshot(
        symbol=symbol,
        latest_trade=_trade(symbol, said.latest_trade),
        latest_quote=_quote(symbol, said.latest_quote),
        minute_bar=_bar(symbol, said.minute_bar, MINUTE_NS),
        daily_bar=_bar(symbol, said.daily_bar, DAY_NS),
        previous_daily_bar=_bar(symbol, said.prev_daily_bar, DAY_NS),
    )


def _trade(symbol: str, raw: _RawTrade | None) -> Trade | None:
    if raw is None:
        return None
    return Trade(symbol, read_time(raw.t), raw.p, raw.s, raw.i, raw.x, raw.c or (), raw.z)


def _quote(symbol: str, raw: _RawQuote | None) -> Quote | None:
    if raw is None:
        return None
    return Quote(symbol, read_time(raw.t), raw.bp, raw.bid_size, raw.ap, raw.ask_size)


def _bar(symbol: str, raw: RawBar | None, span_ns: int) -> Bar | None:
    return None if raw is None else raw.ours(symbol, span_ns)


def _read(body: bytes, kind: type[T], where: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except _UNREADABLE as e:
        raise _unreadable(e, where) from e


def _unreadable(e: Exception, where: str) -> FeedError:
    return FeedError(f"an answer that cannot be read: {e}", where=where, mend="Alpaca may have changed it.")
