"""The miners' runner: off-market jobs that gather what a trading day will need."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from time import perf_counter

import msgspec

from liu_tui import userfiles
from liu_tui.backtest.history import open_history
from liu_tui.errors import FeedError, LiuError, UsageError
from liu_tui.market.calendar import hours, midnight_ns
from liu_tui.market.history import DataAPI
from liu_tui.market.tape import Tape
from liu_tui.market.tapedata import TapeData
from liu_tui.miner import Miner
from liu_tui.model.clock import Clock, ManualClock, SessionClock
from liu_tui.model.market import DAY_NS, Bar
from liu_tui.plan.load import load_plan
from liu_tui.plan.schema import TradePlan
from liu_tui.settings import Workspace
from liu_tui.store.store import Store
from liu_tui.wiring.venue import keys_for, open_cached_data, venue_of

_log = logging.getLogger(__name__)


class Dug(msgspec.Struct, frozen=True):
    """What one miner came to. records: stored; fault: why it failed, "" if it did not."""

    name: str
    records: int
    wall_s: float
    fault: str = ""


class Site:
    """Satisfies `liu_tui.miner.MineSite`: where a miner asks, and where its finds are kept."""

    def __init__(self, name: str, data: DataAPI, clock: Clock, store: Store) -> None:
        self.data, self.clock = data, clock
        self._name, self._store = name, store

    async def save_daily(self, bars: Iterable[Bar]) -> int:
        """Keep daily bars in stock_ohlc; returns how many."""
        return await self._store.stock_ohlc.save(bars)

    async def save_ticker(self, symbol: str, **facts: str | float) -> None:
        """Keep what is known of a symbol in ticker_data."""
        await self._store.ticker_data.save(symbol, facts)

    def log(self, words: str) -> None:
        """Say something."""
        _log.info("%s: %s", self._name, words)


async def run_miners(plan_file: Path, names: Sequence[str], data: Path | None) -> list[Dug]:
    """Run the plan's miners in its order, or those named; one that fails does not keep the others from it.

    Raises PlanError for the plan, UsageError for a name that is not there or a plan without miners,
    FeedError or StoreError if data or books cannot be opened.
    """
    workspace = Workspace.of(plan_file)
    # A plan whose source is not there may still have miners that --data serves.
    plan = load_plan(plan_file, base=workspace.root, source_needed=data is None)
    chosen = _chosen(plan, names)
    async with (
        await Store.open(workspace.db) as store,
        _site_data(plan, workspace, data) as (api, clock),
    ):
        return [await _run(plan, name, workspace.root, Site(name, api, clock, store)) for name in chosen]


async def _run(plan: TradePlan, name: str, root: Path, site: Site) -> Dug:
    began, records, fault = perf_counter(), 0, ""
    table = plan.miners[name]
    try:
        cls = userfiles.load(root / table.filename, name, Miner)
        records = await userfiles.build(cls, name, table.params).run(site)
    except Exception as e:  # noqa: BLE001 - user code may raise anything
        fault = str(e) if isinstance(e, LiuError) else traceback.format_exception_only(e)[-1].strip()
        _log.warning("miner %s failed\n%s", name, traceback.format_exc())
    return Dug(name, records, round(perf_counter() - began, 3), fault)


def _chosen(plan: TradePlan, names: Sequence[str]) -> list[str]:
    if not plan.miners:
        raise UsageError("the plan has no miners", where="[miners.NAME]", mend="Name one, with its filename.")
    for name in names:
        if name not in plan.miners:
            near = get_close_matches(name, plan.miners, n=1)
            mend = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(plan.miners)}."
            raise UsageError(f"no miner {name!r}", where="[miners.NAME]", mend=mend)
    return [name for name in plan.miners if not names or name in names]


@asynccontextmanager
async def _site_data(
    plan: TradePlan, workspace: Workspace, data: Path | None
) -> AsyncIterator[tuple[DataAPI, Clock]]:
    """Where miners ask: recorded or simulated days as they stand when the last is over, else the vendor."""
    if data is None and plan.market is None:
        venue = venue_of(plan)
        api = open_cached_data(venue, keys_for(venue), workspace)
        try:
            yield api, SessionClock(await api.anchor())
        finally:
            await api.close()
        return
    source = open_history(plan, workspace.root, data)
    last = date.fromisoformat(source.days()[-1])
    session, over_ns = hours(last), midnight_ns(last) + DAY_NS  # a daily bar ends at midnight
    if session is None:
        raise FeedError(f"no session on {last}", where="the data", mend="Weekends and holidays have none.")
    tape = Tape(source, session.day, session, over_ns)
    yield TapeData(tape), ManualClock(over_ns)
