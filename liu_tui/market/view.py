"""The market as a scanner sees it: a DataAPI at the venue's present moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from liu_tui.market.calendar import to_datetime
from liu_tui.market.history import DataAPI
from liu_tui.market.lookback import daily_start
from liu_tui.model.clock import Clock, SessionHours
from liu_tui.model.market import DAY_NS, MINUTE_NS, Asset, Bar, Snapshot


class VenueView:
    """Satisfies `liu_tui.scanner.MarketView`. The list of assets is asked for once."""

    def __init__(self, data: DataAPI, clock: Clock, hours: SessionHours) -> None:
        self._data, self._clock, self._hours = data, clock, hours
        self._assets: list[Asset] | None = None

    @property
    def now(self) -> datetime:
        """The venue's time, in New York."""
        return to_datetime(self._clock.now_ns())

    @property
    def minutes_since_open(self) -> float:
        """Negative before the open."""
        return (self._clock.now_ns() - self._hours.open_ns) / MINUTE_NS

    async def snapshots(self, symbols: Iterable[str] | None = None) -> Mapping[str, Snapshot]:
        """The latest of each symbol; of every tradable symbol if none are named."""
        names = [asset.symbol for asset in await self.assets()] if symbols is None else list(symbols)
        return await self._data.snapshots(names)

    async def assets(self) -> list[Asset]:
        """Every tradable name, sorted."""
        if self._assets is None:
            self._assets = [asset for asset in await self._data.assets() if asset.tradable]
        return self._assets

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """(symbol, shares traded today), most first."""
        return await self._data.most_active(top)

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """(symbol, percent against yesterday's close): gainers, then losers."""
        return await self._data.movers(top)

    async def daily_bars(self, symbols: Iterable[str], days: int) -> Mapping[str, list[Bar]]:
        """The last `days` finished daily bars, oldest first."""
        now = self._clock.now_ns()
        bars = await self._data.bars(symbols, daily_start(now, days), now, span_ns=DAY_NS)
        return {symbol: rows[-days:] if days else [] for symbol, rows in bars.items()}
