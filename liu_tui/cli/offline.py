"""`liu-tui backtest` and `liu-tui mine`: what needs no session, no console and no open market."""

from __future__ import annotations

import asyncio
import sys
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from liu_tui.cli import output
from liu_tui.errors import Exit, UsageError

if TYPE_CHECKING:
    from liu_tui.backtest.outcome import Outcome
    from liu_tui.market.source import Source
    from liu_tui.plan.schema import TradePlan

_PLAN = click.argument("plan", type=click.Path(path_type=Path))
_DATA = click.option("--data", type=click.Path(path_type=Path), help="Recorded data: a file or a folder.")


@click.command()
@_PLAN
@click.option("--from", "first", default="", metavar="DAY", help="The first day, as 2019-02-11.")
@click.option("--to", "last", default="", metavar="DAY", help="The last day, included.")
@_DATA
@click.option("--scale", type=click.Choice(["minute"]), default="minute", help="What the data's bars are.")
@output.json_option
def backtest(plan: Path, first: str, last: str, data: Path | None, scale: str, as_json: bool) -> int:
    """Run PLAN over history: the same rules as a live day, on recorded or simulated time.

    Without --data it runs over the plan's own [market] source. The batch is in the books like any other:
    see 'liu-tui report'.
    """
    span = _day(first, "--from"), _day(last, "--to")
    if span[0] and span[1] and span[0] > span[1]:
        raise UsageError(f"--from {first} lies after --to {last}", mend="Exchange them.")
    with redirect_stdout(sys.stderr):  # what a user's strategy prints is not part of our answer
        done = asyncio.run(_backtest(plan.expanduser().resolve(), data, span))
    output.emit(done.in_json()) if as_json else _print(done)
    return int(Exit.DONE)


@click.command()
@_PLAN
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_DATA
@output.json_option
def mine(plan: Path, names: tuple[str, ...], data: Path | None, as_json: bool) -> int:
    """Run PLAN's miners, or only those that are named.

    They ask --data if it is given, else the plan's own [market] source, else Alpaca with your keys.
    """
    from liu_tui.backtest.mining import run_miners

    with redirect_stdout(sys.stderr):
        dug = asyncio.run(run_miners(plan.expanduser().resolve(), names, data))
    if as_json:
        output.emit({"plan": str(plan), "miners": dug})
    else:
        output.table(
            ["miner", "records", "seconds", "fault"],
            [[row.name, row.records, row.wall_s, row.fault or "-"] for row in dug],
        )
    return int(Exit.FAILED if any(row.fault for row in dug) else Exit.DONE)


async def _backtest(plan_file: Path, data: Path | None, span: tuple[str, str]) -> Outcome:
    from liu_tui.backtest.run import run_backtest
    from liu_tui.model.books import batch_id_at
    from liu_tui.model.clock import wall_ns
    from liu_tui.plan.load import load_plan
    from liu_tui.settings import Workspace
    from liu_tui.store.store import Store

    workspace = Workspace.of(plan_file)
    plan = load_plan(plan_file, base=workspace.root, source_needed=data is None)
    source, days = _source(plan, workspace.root, data, span)
    async with await Store.open(workspace.db) as store:
        return await run_backtest(
            plan,
            plan_file,
            workspace=workspace.root,
            source=source,
            days=days,
            store=store,
            batch_id=batch_id_at(wall_ns()),
            on_day=_say_day,
        )


def _source(
    plan: TradePlan, root: Path, data: Path | None, span: tuple[str, str]
) -> tuple[Source, list[str]]:
    """Open what is played, and choose its days: the span's, else the plan's own date, else all there are."""
    from liu_tui.backtest.history import open_history

    source = open_history(plan, root, data, span[0] or span[1])
    days = source.days()
    own = plan.market.date if plan.market is not None and data is None else ""
    if not any(span) and own:
        span = own, own
    chosen = [day for day in days if (span[0] or day) <= day <= (span[1] or day)]
    if not chosen:
        mend = f"It has {days[0]} to {days[-1]}."
        raise UsageError(
            f"no day from {span[0] or days[0]} to {span[1] or days[-1]}", where="the data", mend=mend
        )
    return source, chosen


def _day(text: str, where: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError as e:
        raise UsageError(f"{text!r} is no date", where=where, mend="Write it as 2019-02-11.") from e


def _say_day(day: str, fills: int, realized: float) -> None:
    sys.stderr.write(f"{day}  {fills} fills so far, {realized:+,.2f} dollars realised\n")


def _print(done: Outcome) -> None:
    days = (
        done.days[0] if len(done.days) == 1 else f"{len(done.days)} days, {done.days[0]} to {done.days[-1]}"
    )
    orders = ", ".join(f"{count} {state}" for state, count in done.orders.items()) or "none"
    won = "-" if done.win_rate is None else f"{100 * done.win_rate:.1f} %"
    held = ", ".join(f"{qty:+g} {symbol}" for symbol, qty in done.positions.items())
    lines = [
        ("batch", f"{done.batch_id} ({done.environment})"),
        ("days", days),
        ("data", f"{done.bars:,} minute bars, {done.events:,} events to strategies"),
        ("symbols", f"{len(done.symbols)} watched, {done.scanner_hits} scanner hits"),
        ("orders", orders),
        ("fills", f"{len(done.fills)} of {len(done.intents)} intents"),
        (
            "P&L",
            f"{done.realized_pnl:+,.2f} realised, {done.unrealized_pnl:+,.2f} open"
            + (f", {done.fees:,.2f} fees" if done.fees else ""),
        ),
        ("trips", f"{done.trips}, {won} won"),
        ("positions", held),
        ("took", f"{done.wall_s:.1f} s"),
    ]
    for name, words in lines:
        if words:
            output.say(f"{name:<11}{words}")
    for fault in done.faults:
        output.say(f"{'fault':<11}{fault}")
    output.say(f"\nSee 'liu-tui report {done.batch_id}'.")
