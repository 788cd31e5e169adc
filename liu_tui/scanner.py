"""The class a scanner file extends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from liu_tui.errors import UserFileError
from liu_tui.model.market import Event, is_symbol, normal_symbol

if TYPE_CHECKING:
    from liu_tui.model.market import Asset, Bar, Snapshot


class Hit(msgspec.Struct, frozen=True):
    """A symbol that a scanner picked, and the values that made it a hit (shown on the console, stored)."""

    symbol: str
    values: dict[str, float] = {}


class MarketView(Protocol):
    """The whole market as a scanner sees it: at `now`, and never later."""

    @property
    def now(self) -> datetime:
        """The venue's time, in New York."""

    @property
    def minutes_since_open(self) -> float:
        """Session minutes since the open; negative before it."""

    async def snapshots(self, symbols: Iterable[str] | None = None) -> Mapping[str, Snapshot]:
        """The latest of each symbol; of every tradable symbol if none are named."""

    async def assets(self) -> list[Asset]:
        """Every tradable name, sorted."""

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """(symbol, shares traded today), most first."""

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """(symbol, percent against yesterday's close): gainers, then losers."""

    async def daily_bars(self, symbols: Iterable[str], days: int) -> Mapping[str, list[Bar]]:
        """The last `days` finished daily bars, oldest first."""


class Scanner:
    """Look through the market now and then, and name the symbols worth trading.

    Annotated class attributes with a default are parameters, as in Strategy. A scanner that raises is named
    on the console and called again at its next turn.
    """

    recurrence: ClassVar[float | None] = None
    """Minutes of session time between two runs; None runs once. The plan's key overrides it."""
    events: ClassVar[Set[str]] = frozenset()
    """Data that the picks need beside what strategies declare: any of trade, quote, second, minute."""
    from_market_open: float = 0.0
    """Minutes after the open of the first run; 0 runs as soon as the session starts. A plan may set it."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self, market: MarketView) -> Iterable[str | Hit]:
        """Return the picks, best first. A symbol may be picked again; nothing is subscribed twice."""
        raise NotImplementedError(f"{type(self).__name__} must define run()")


def hits_of(picks: Iterable[str | Hit], most: int | None) -> list[Hit]:
    """What a scanner returned, checked: symbols in the house's spelling, none twice, at most `most` of them.

    Raises UserFileError if something else was returned.
    """
    hits: dict[str, Hit] = {}
    for pick in picks:
        hit = Hit(pick) if isinstance(pick, str) else pick
        if not isinstance(hit, Hit) or not is_symbol(symbol := normal_symbol(hit.symbol)):
            raise UserFileError(
                f"run() returned {pick!r} among its picks",
                mend="Return symbols, or Hit(symbol, {name: value})",
            )
        hits.setdefault(symbol, Hit(symbol, hit.values))
    return list(hits.values())[:most]


def check_events(scanner: Scanner) -> None:
    """Check the data that a scanner's class names. Raises UserFileError for what is no stream."""
    unknown = sorted(set(scanner.events) - {event.value for event in Event})
    if unknown:
        raise UserFileError(
            f"{type(scanner).__name__}.events names {', '.join(map(repr, unknown))}",
            mend=f"There are {', '.join(event.value for event in Event)}",
        )
