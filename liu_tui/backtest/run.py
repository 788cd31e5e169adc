"""A plan over recorded days: from the first row of its batch in the books to the analysis of its trips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from time import perf_counter

import msgspec

from liu_tui import __version__
from liu_tui.analysis.books import consolidate
from liu_tui.analysis.stats import stats
from liu_tui.analysis.trips import RoundTrips
from liu_tui.backtest.crew import load_crew
from liu_tui.backtest.day import Day
from liu_tui.backtest.house import ACCOUNT, House
from liu_tui.backtest.outcome import Outcome, outcome_of
from liu_tui.errors import UsageError
from liu_tui.market import calendar
from liu_tui.market.source import Source
from liu_tui.market.tape import Tape
from liu_tui.model.books import Batch
from liu_tui.model.clock import SessionHours, wall_ns
from liu_tui.model.market import MINUTE_NS
from liu_tui.plan.load import plan_text
from liu_tui.plan.schema import TradePlan
from liu_tui.store.pots import open_pots
from liu_tui.store.store import Store

CONSUMER = "A"
"""All strategies live in one; symbols are dealt out among several only to use several cores."""

OnDay = Callable[[str, int, float], None]
"""Told after each day: the day, fills so far, realised dollars so far."""


async def run_backtest(
    plan: TradePlan,
    plan_file: Path,
    *,
    workspace: Path,
    source: Source,
    days: Sequence[str],
    store: Store,
    batch_id: str,
    on_day: OnDay | None = None,
) -> Outcome:
    """Run the plan over these days of a source, in one batch of the books.

    workspace: what the plan's file names are relative to
    days:      ISO dates in order, each with a session
    on_day:    told how far it has come

    The same plan, source and days give the same intents and fills, whatever the batch is called.

    Raises UserFileError for a scanner or strategy that cannot be loaded, UsageError for a day without a
    session, FeedError for the source, StoreError for the books.
    """
    sessions = [_hours(day) for day in days]
    crew = load_crew(plan, workspace)
    cash = plan.market.cash if plan.market is not None else plan.portfolio_value
    house = House(plan, workspace, source, crew, batch_id=batch_id, cash=cash)
    await _begin(store, house, plan_file, days)
    reason, began = "failed", perf_counter()
    try:
        for hours in sessions:
            await _play(house, hours)
            await house.record.flush(store)
            if on_day is not None:
                on_day(hours.day, len(house.record.fills), house.desk.money().realized)
        reason = "done"
    finally:
        await _end(store, batch_id, reason)
    trips = await _analyse(store, house, sessions)
    return outcome_of(house, tuple(days), stats(trips.closed), perf_counter() - began)


async def _play(house: House, hours: SessionHours) -> None:
    start_ns = _start(house.plan, hours)
    # Each day has strategies of its own, as each live session has: only what they declared is carried on.
    crew = load_crew(house.plan, house.root)
    watched: set[str] = set()
    tape = Tape(house.source, hours.day, hours, start_ns, watched)
    await Day(house, crew, tape, watched, start_ns).play()


async def _begin(store: Store, house: House, plan_file: Path, days: Sequence[str]) -> None:
    now = wall_ns()
    await store.batches.begin(
        Batch(
            batch_id=house.batch_id,
            plan=str(plan_file),
            plan_text=plan_text(plan_file),
            environment="BACKTEST",
            venue="recorded time",
            account_id=ACCOUNT,
            code_version=__version__,
            day=days[0] if len(days) == 1 else "",
            start_ns=now,
        )
    )
    for name, table in house.plan.strategies.items():
        parameters = msgspec.json.encode(table.params).decode()
        await store.algo_run.begin(
            house.batch_id,
            name,
            CONSUMER,
            "BACKTEST",
            now,
            code_version=__version__,
            parameters=parameters,
        )
    house.desk.open_portfolios(await open_pots(store, house.plan, house.batch_id, house.batch_id), ())


async def _end(store: Store, batch_id: str, reason: str) -> None:
    now = wall_ns()
    await store.algo_run.end_all(batch_id, now, reason)
    await store.batches.end(batch_id, now, reason)


async def _analyse(store: Store, house: House, sessions: Sequence[SessionHours]) -> RoundTrips:
    start_ns, end_ns = sessions[0].pre_ns, sessions[-1].post_ns
    traded = {fill.symbol for fill in house.record.fills}
    bars = {symbol: house.source.bars(symbol, MINUTE_NS, start_ns, end_ns) for symbol in traded}
    return await consolidate(store, house.batch_id, bars)


def _hours(day: str) -> SessionHours:
    hours = calendar.hours(date.fromisoformat(day))
    if hours is None:
        raise UsageError(f"no session on {day}", where="backtest", mend="Weekends and holidays have none.")
    return hours


def _start(plan: TradePlan, hours: SessionHours) -> int:
    """When the day's clock starts: as the plan's [market] says, else at the open."""
    if plan.market is None or not plan.market.start:
        return hours.open_ns
    at = datetime.combine(date.fromisoformat(hours.day), time.fromisoformat(plan.market.start))
    return max(calendar.to_ns(at), hours.pre_ns)
