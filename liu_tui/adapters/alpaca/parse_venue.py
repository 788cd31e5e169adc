"""JSON of the clock, the calendar, the assets and the screeners -> what our own words say of them. No I/O."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from liu_tui.adapters.alpaca.reading import in_range, read_json, unreadable
from liu_tui.adapters.alpaca.times import new_york_ns, read_time
from liu_tui.adapters.foreign import UNREADABLE, Side, Size, Speed
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import Asset

_Percent = Annotated[float, Meta(gt=-1e9, lt=1e9)]


class RawClock(Struct, frozen=True):
    """GET /v2/clock; the last three are our local market's."""

    timestamp: str
    speed: Speed = 1.0
    paused: bool = False
    lockstep: bool = False


class _RawDay(Struct, frozen=True):
    """A row of GET /v2/calendar, in New York times."""

    date: date
    open: str = "09:30"
    close: str = "16:00"
    session_open: str = "0400"
    session_close: str = "2000"

    def ours(self) -> SessionHours:
        """Our hours of it. Raises ValueError if a time cannot be read, or the day runs backwards."""
        clocks = (self.session_open, self.open, self.close, self.session_close)
        hours = [in_range(new_york_ns(self.date, clock)) for clock in clocks]
        if hours != sorted(hours):
            raise ValueError(f"the session of {self.date} runs backwards")
        return SessionHours(self.date.isoformat(), *hours)


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
    volume: Size = 0.0


class _RawActives(Struct, frozen=True):
    most_actives: list[_RawActive] | None = None


class _RawMover(Struct, frozen=True):
    symbol: str
    percent_change: _Percent
    price: Side = 0.0


class _RawMovers(Struct, frozen=True):
    gainers: list[_RawMover] | None = None
    losers: list[_RawMover] | None = None


def read_clock(body: bytes, *, where: str) -> tuple[int, RawClock]:
    """Read the clock: its time in nanoseconds, and the rest. Raises FeedError."""
    clock = read_json(body, RawClock, where)
    try:
        return in_range(read_time(clock.timestamp)), clock
    except UNREADABLE as e:
        raise unreadable(e, where) from e


def read_calendar(body: bytes, *, where: str) -> list[SessionHours]:
    """Read the trading days, oldest first. Raises FeedError."""
    try:
        return sorted(
            (day.ours() for day in read_json(body, list[_RawDay], where)), key=lambda hours: hours.day
        )
    except UNREADABLE as e:
        raise unreadable(e, where) from e


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
        for raw in read_json(body, list[_RawAsset], where)
        if raw.tradable
    )
    return sorted(assets, key=lambda asset: asset.symbol)


def read_most_active(body: bytes, *, where: str) -> list[tuple[str, float]]:
    """Read (symbol, shares), in the vendor's order: most first. Raises FeedError."""
    return [(row.symbol, row.volume) for row in read_json(body, _RawActives, where).most_actives or ()]


def read_movers(body: bytes, *, where: str) -> list[tuple[str, float]]:
    """Read (symbol, percent): gainers, then losers. Raises FeedError."""
    said = read_json(body, _RawMovers, where)
    rows: Iterable[_RawMover] = (*(said.gainers or ()), *(said.losers or ()))
    return [(row.symbol, row.percent_change) for row in rows]
