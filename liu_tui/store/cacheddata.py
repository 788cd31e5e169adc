"""CachedData: a vendor's history behind a cache. All but bars passes through.

The way of a question for bars:
  1. how late is it at the venue (nothing later is ever served), and which corporate actions are known
  2. each symbol's span is cut where its name changed (`market.names`)
  3. raw daily bars come from SQLite (`cacheddays`), raw minutes from files (`cachedminutes`), and the rest
     from the vendor, who is asked for many symbols at once
  4. splits and dividends are computed into them (`market.adjust`)

What is stored is raw, under the name of its day: a split or a rename never needs a second download, and never
mixes two scales. What the cache cannot do it leaves to the vendor; its own faults are told once, in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from liu_tui.errors import FeedError, StoreError
from liu_tui.market.calendar import day_of
from liu_tui.market.history import DataAPI
from liu_tui.model.clock import Anchor, SessionClock, SessionHours, monotonic_ns
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Adjustment,
    Asset,
    Bar,
    CorporateAction,
    Quote,
    Snapshot,
    Trade,
    normal_symbols,
)
from liu_tui.store.actionbook import ActionBook
from liu_tui.store.barcache import BarCache
from liu_tui.store.cacheddays import CachedDays
from liu_tui.store.cachedminutes import CachedMinutes
from liu_tui.store.minutefiles import MinuteFiles
from liu_tui.store.question import Actions, Question

_log = logging.getLogger(__name__)

_KEEPS_NS: Final = 600 * SECOND_NS
"""For how long the venue's clock is believed, and a vendor who told no corporate actions is not asked."""


class CachedData(DataAPI):
    """Bars of one vendor's feed, kept on disk.

    inner:      whom to ask for what is not there; closed with this
    database:   the cache's own file, never the books; made if it is not there
    folder:     of the minute files
    feed:       what the bars are kept under, "alpaca-sip"; feeds never mix
    delay_ns:   how far the feed is behind the market
    maps_names: the vendor itself finds the past of a renamed symbol, under its present name (Alpaca does)
    """

    def __init__(
        self,
        inner: DataAPI,
        *,
        database: Path,
        folder: Path,
        feed: str,
        delay_ns: int = 0,
        maps_names: bool = False,
    ) -> None:
        self._inner, self._database, self._feed = inner, database, feed
        self._delay_ns, self._maps_names = delay_ns, maps_names
        self._minutes = CachedMinutes(inner, MinuteFiles(folder / feed), delay_ns=delay_ns)
        self._clock: SessionClock | None = None
        self._ask_actions_ns = 0
        self._broken = False

    async def bars(
        self,
        symbols: Iterable[str],
        start_ns: int,
        end_ns: int,
        *,
        span_ns: int = MINUTE_NS,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> dict[str, list[Bar]]:
        """Return bars; see DataAPI.bars. Minutes and days are kept, other spans are the vendor's to tell."""
        names = normal_symbols(symbols)
        if span_ns in (MINUTE_NS, DAY_NS) and not self._broken:
            try:
                found = await self._cached(names, start_ns, end_ns, span_ns, adjustment)
            except StoreError as e:
                self._broken = True
                _log.warning("bars are fetched without the cache: %s", e)
            else:
                if found is not None:
                    return found
        return await self._inner.bars(names, start_ns, end_ns, span_ns=span_ns, adjustment=adjustment)

    async def trades(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Trade]]:
        """Ask the vendor."""
        return await self._inner.trades(symbols, start_ns, end_ns)

    async def quotes(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Quote]]:
        """Ask the vendor."""
        return await self._inner.quotes(symbols, start_ns, end_ns)

    async def latest_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Ask the vendor."""
        return await self._inner.latest_trades(symbols)

    async def latest_quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Ask the vendor."""
        return await self._inner.latest_quotes(symbols)

    async def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> list[CorporateAction]:
        """Ask the vendor."""
        return await self._inner.corporate_actions(symbols, start, end)

    async def sessions(self, start: date, end: date) -> list[SessionHours]:
        """Ask the vendor."""
        return await self._inner.sessions(start, end)

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        """Ask the vendor."""
        return await self._inner.snapshots(symbols)

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """Ask the vendor."""
        return await self._inner.most_active(top)

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """Ask the vendor."""
        return await self._inner.movers(top)

    async def assets(self) -> list[Asset]:
        """Ask the vendor."""
        return await self._inner.assets()

    async def hours(self) -> SessionHours:
        """Ask the vendor."""
        return await self._inner.hours()

    async def anchor(self) -> Anchor:
        """Ask the vendor."""
        return await self._inner.anchor()

    async def close(self) -> None:
        """Let the vendor's connections go. May be called twice."""
        await self._inner.close()

    async def _cached(
        self, names: list[str], start_ns: int, end_ns: int, span_ns: int, adjustment: Adjustment
    ) -> dict[str, list[Bar]] | None:
        """Return bars by the cache's help, or None if only the vendor can tell."""
        now_ns = await self._now_ns()
        end_ns = min(end_ns, now_ns)
        if end_ns - span_ns < start_ns:
            return {name: [] for name in names}
        async with BarCache.opened(self._database, self._feed) as cache:
            actions = await self._actions(cache, names, day_of(start_ns), day_of(now_ns))
            if actions is None and adjustment is not Adjustment.RAW:
                return None
            days = CachedDays(self._inner, cache, delay_ns=self._delay_ns)
            question = Question(days, self._minutes, actions or {}, now_ns, maps_names=self._maps_names)
            raw = await question.raw(names, start_ns, end_ns, span_ns)
            if adjustment is Adjustment.RAW:
                return raw
            try:
                return await question.adjusted(raw, adjustment)
            except FeedError as e:
                _log.warning("the vendor is asked for adjusted bars: %s", e)
                return None

    async def _actions(self, cache: BarCache, names: list[str], since: date, today: date) -> Actions | None:
        """Return the corporate actions, or None if the vendor does not tell them."""
        has_none = type(self._inner).corporate_actions is DataAPI.corporate_actions
        if has_none or monotonic_ns() < self._ask_actions_ns:
            return None
        try:
            return await ActionBook(self._inner, cache).of(names, since, today)
        except FeedError as e:
            self._ask_actions_ns = monotonic_ns() + _KEEPS_NS
            _log.warning("no corporate actions, so renamed symbols have no past: %s", e)
            return None

    async def _now_ns(self) -> int:
        clock = self._clock
        if clock is None or monotonic_ns() - clock.anchor.monotonic_ns > _KEEPS_NS:
            self._clock = clock = SessionClock(await self._inner.anchor())
        return clock.now_ns()
