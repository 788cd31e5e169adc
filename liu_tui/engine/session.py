"""A session from the outside.

Its start (the same after a crash as on a fresh day), its run, its end in the books.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
from pathlib import Path
from typing import Any

import msgspec

from liu_tui import __version__
from liu_tui.analysis.books import consolidate
from liu_tui.engine.lock import FileLock
from liu_tui.engine.registry import Registry, SessionRecord
from liu_tui.engine.shards import consumer_names
from liu_tui.engine.supervisor import Supervisor
from liu_tui.errors import Exit, LiuError, RefusedError, UsageError
from liu_tui.model.books import Batch, batch_id_at
from liu_tui.model.clock import wall_ns
from liu_tui.plan.live import refuse_unearned
from liu_tui.plan.load import load_plan, plan_text
from liu_tui.plan.schema import Environment, TradePlan
from liu_tui.settings import Workspace
from liu_tui.store.store import Store
from liu_tui.wiring.venue import Venue, keys_for, venue_of


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line may say beside the plan. Empty strings leave the plan's word.

    record: the file that all market data are recorded to, absolute; then nothing is traded
    live:   the number of the account whose real money a person has allowed
    """

    for_s: float = 0.0
    speed: str = ""
    source: str = ""
    date: str = ""
    seed: int | None = None
    record: str = ""
    live: str = ""


def with_options(plan: TradePlan, options: Options) -> TradePlan:
    """Lay the command line's words over the plan and its [market].

    Raises RefusedError if it has no such table, UsageError if a word makes no sense.
    """
    if options.record:
        plan = _recorded(plan)
    changes: dict[str, Any] = {}
    if options.speed:
        changes["speed"] = _speed(options.speed)
    if options.source:
        changes["source"] = _source(options.source)
    if options.date:
        changes["date"] = options.date
    if options.seed is not None:
        changes["seed"] = options.seed
    if not changes:
        return plan
    if plan.market is None:
        raise RefusedError(
            f"{', '.join(changes)} need the local market", mend="Give the plan a [market] table"
        )
    return msgspec.structs.replace(plan, market=msgspec.structs.replace(plan.market, **changes))


def _recorded(plan: TradePlan) -> TradePlan:
    if plan.producers != 1:
        raise UsageError(
            f"the plan has producers = {plan.producers}, and a recording is of one connection",
            where="producers",
            mend="Record with producers = 1.",
        )
    return msgspec.structs.replace(plan, test_scanners=True)


def _speed(text: str) -> float | str:
    if text == "max":
        return text
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < math.inf:
        raise UsageError(f"was {text!r}", where="--speed", mend='Give a number above 0, or "max"')
    return speed


def _source(text: str) -> str:
    """Unlike the plan's own, a path on the command line begins where the command was given."""
    if text == "simulated":
        return text
    path = Path(text).expanduser().resolve()
    if not path.exists():
        raise UsageError(f"there is no file or folder {text!r}", where="--source", mend="Check the path")
    return str(path)


async def run_session(
    plan_file: Path, options: Options, *, venue: Venue | None = None
) -> tuple[Exit, dict[str, Any]]:
    """Run a plan's session to its end in this process; returns how it went and its summary.

    plan_file: absolute
    venue:     a stand-in for the plan's own: how real money is rehearsed. Nothing outside Python can name it

    Raises PlanError, RefusedError (the plan's session runs already, its account is traded by another, real
    money that nobody has allowed), or another LiuError if it cannot start.
    """
    workspace = Workspace.of(plan_file)
    plan = with_options(load_plan(plan_file, base=workspace.root, source_needed=not options.source), options)
    _check_live(plan, options.live)
    if plan.market is None:
        keys_for(venue or venue_of(plan))  # said here, and not by each child in turn
    registry = Registry(workspace)
    lock = _enter(registry, plan_file)
    try:
        async with await Store.open(workspace.db) as store:
            return await _run(plan, plan_file, options, workspace, registry, store, venue)
    finally:
        lock.release()


def _check_live(plan: TradePlan, account: str) -> None:
    refuse_unearned(plan, account)
    if account and plan.environment is not Environment.PROD:
        raise UsageError(
            f"the plan is {plan.environment.value}, which trades no real money",
            where="--live",
            mend='Leave it away, or write environment = "PROD".',
        )


def _enter(registry: Registry, plan_file: Path) -> FileLock:
    try:
        return registry.lock(str(plan_file), f"session {plan_file}")
    except RefusedError as e:
        raise RefusedError(
            "this plan's session runs already",
            where=str(plan_file),
            mend="Use 'liu-tui attach' or 'liu-tui stop'",
        ) from e


async def _run(
    plan: TradePlan,
    plan_file: Path,
    options: Options,
    workspace: Workspace,
    registry: Registry,
    store: Store,
    venue: Venue | None,
) -> tuple[Exit, dict[str, Any]]:
    left = registry.unfinished(str(plan_file))
    batch_id = left.batch_id if left else batch_id_at(wall_ns())
    fresh = SessionRecord(
        batch_id=batch_id,
        plan=str(plan_file),
        pid=os.getpid(),
        socket=str(workspace.socket_path(batch_id)),
        started_ns=left.started_ns if left else wall_ns(),
        environment=plan.environment.value,
    )
    record = msgspec.structs.replace(left, pid=fresh.pid, socket=fresh.socket) if left else fresh
    await _begin_books(store, plan, plan_file, record)
    registry.save(record)
    supervisor = Supervisor(
        plan=plan,
        plan_file=str(plan_file),
        record=record,
        workspace=workspace,
        registry=registry,
        store=store,
        build=__version__,
        recording=options.record,
        live=options.live,
        venue=venue,
    )
    interrupted = _obey_signals(supervisor)
    ended = False
    try:
        summary = await supervisor.run(options.for_s)
        ended = True
    except RefusedError:
        if left is None:  # it has done nothing that a later start would go on with
            registry.close(supervisor.record)
        raise
    finally:
        reason = summary["end_reason"] if ended else "failed"
        await _end_books(store, batch_id, reason)
        if ended:
            registry.close(supervisor.record)
    registry.summary_path(batch_id).write_bytes(msgspec.json.encode(summary))
    return (Exit.INTERRUPTED if interrupted else Exit.DONE), summary


async def _begin_books(store: Store, plan: TradePlan, plan_file: Path, record: SessionRecord) -> None:
    await store.batches.begin(
        Batch(
            batch_id=record.batch_id,
            plan=str(plan_file),
            plan_text=plan_text(plan_file),
            environment=plan.environment.value,
            venue="local market" if plan.market is not None else "alpaca",
            account_id="",
            code_version=__version__,
            day="",
            start_ns=record.started_ns,
        )
    )
    for name, table in plan.strategies.items():
        parameters = msgspec.json.encode(table.params).decode()
        for consumer in consumer_names(plan.consumers, plan.max_symbols):
            await store.algo_run.begin(
                record.batch_id,
                name,
                consumer,
                plan.environment.value,
                record.started_ns,
                code_version=__version__,
                parameters=parameters,
            )


async def _end_books(store: Store, batch_id: str, reason: str) -> None:
    """The last rows: why it ended, and the analysis of every trade."""
    now = wall_ns()
    await store.algo_run.end_all(batch_id, now, reason)
    await store.batches.end(batch_id, now, reason)
    with contextlib.suppress(LiuError):
        await consolidate(store, batch_id)


def _obey_signals(supervisor: Supervisor) -> list[int]:
    """Ctrl-C and SIGTERM end the session in order; the hang-up of a terminal does not end it."""
    loop = asyncio.get_running_loop()
    seen: list[int] = []

    def interrupted() -> None:
        seen.append(signal.SIGINT)
        supervisor.ask_stop("interrupted")

    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGTERM, supervisor.ask_stop, "terminated")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return seen
