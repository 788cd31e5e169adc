"""JSON of Polygon's reference endpoints -> the clock, holidays, assets, corporate actions. No I/O."""

from datetime import date
from itertools import pairwise

from msgspec import Struct

from liu_tui.adapters.foreign import UNREADABLE, Count, Price, Side, Speed
from liu_tui.adapters.polygon.answers import read, result, results, unreadable
from liu_tui.adapters.polygon.spelling import our_symbol, read_time
from liu_tui.model.clock import Anchor
from liu_tui.model.market import SECOND_NS, Asset, CorporateAction

_MARKETS = {"XNYS": "NYSE", "XNAS": "NASDAQ", "ARCX": "ARCA", "XASE": "AMEX", "BATS": "BATS"}
"""Market code of the primary exchange -> the broker's word for it."""


class _Clock(Struct, frozen=True):
    """The local market's own part of its market status."""

    t: Count
    speed: Speed = 1.0
    paused: bool = False
    lockstep: bool = False


class _Status(Struct, frozen=True, rename="camel"):
    server_time: str
    clock: _Clock | None = None


class _RawHoliday(Struct, frozen=True):
    date: date
    exchange: str = ""
    status: str = ""
    open: str | None = None
    close: str | None = None


class _RawTickerRow(Struct, frozen=True):
    ticker: str
    name: str | None = ""
    primary_exchange: str | None = ""
    active: bool | None = True


class _RawSplit(Struct, frozen=True):
    ticker: str
    execution_date: date
    split_from: Price
    split_to: Price


class _RawDividend(Struct, frozen=True):
    ticker: str
    ex_dividend_date: date
    cash_amount: Side


class _TickerChange(Struct, frozen=True):
    ticker: str


class _RawEvent(Struct, frozen=True):
    date: date
    type: str = ""
    ticker_change: _TickerChange | None = None


class _Events(Struct, frozen=True):
    events: list[_RawEvent] | None = None


def read_clock(body: bytes, asked_ns: int, wall_ns: int, *, where: str) -> Anchor:
    """Read the market status' time. Raises FeedError.

    asked_ns, wall_ns: this machine's monotonic clock and wall clock at the middle of the question. Polygon
        tells whole seconds; where the wall clock agrees with them, it knows the rest.
    """
    status = read(body, _Status, where)
    if (clock := status.clock) is not None:
        return Anchor(clock.t, asked_ns, clock.speed, clock.paused, clock.lockstep)
    try:
        server_ns = read_time(status.server_time)
    except UNREADABLE as e:
        raise unreadable(e, where) from e
    agrees = server_ns - SECOND_NS <= wall_ns <= server_ns + 2 * SECOND_NS
    return Anchor(wall_ns if agrees else server_ns + SECOND_NS // 2, asked_ns)


def read_holidays(body: bytes, *, where: str) -> dict[str, int | None]:
    """Read the coming exceptions of the stock exchanges: ISO day -> its early close in ns, None if shut.

    Raises FeedError.
    """
    try:
        return {
            row.date.isoformat(): read_time(row.close) if row.close else None
            for row in read(body, list[_RawHoliday], where)
            if row.exchange in ("NYSE", "NASDAQ")
        }
    except UNREADABLE as e:
        raise unreadable(e, where) from e


def read_assets(body: bytes, *, where: str) -> list[Asset]:
    """Read one page of tickers. What can be sold short the broker knows, not Polygon. Raises FeedError."""
    return [
        Asset(
            symbol=our_symbol(row.ticker),
            name=row.name or "",
            exchange=_MARKETS.get(row.primary_exchange or "", row.primary_exchange or ""),
        )
        for row in results(body, _RawTickerRow, where)
        if row.active is not False
    ]


def read_splits(body: bytes, *, where: str) -> list[CorporateAction]:
    """Read one page of splits. Raises FeedError."""
    return [
        CorporateAction(
            kind="split",
            symbol=our_symbol(row.ticker),
            day=row.execution_date.isoformat(),
            ratio=row.split_to / row.split_from,
        )
        for row in results(body, _RawSplit, where)
    ]


def read_dividends(body: bytes, *, where: str) -> list[CorporateAction]:
    """Read one page of cash dividends. Raises FeedError."""
    return [
        CorporateAction(
            kind="dividend",
            symbol=our_symbol(row.ticker),
            day=row.ex_dividend_date.isoformat(),
            cash=row.cash_amount,
        )
        for row in results(body, _RawDividend, where)
    ]


def read_renames(body: bytes, *, where: str) -> list[CorporateAction]:
    """Read the renames of one company: from each ticker it had to the next, by day. Raises FeedError."""
    events = sorted(result(body, _Events, where).events or (), key=lambda event: event.date)
    names = [(event.date, our_symbol(event.ticker_change.ticker)) for event in events if event.ticker_change]
    return [
        CorporateAction(kind="rename", symbol=old, day=day.isoformat(), new_symbol=new)
        for (_, old), (day, new) in pairwise(names)
        if old != new
    ]
