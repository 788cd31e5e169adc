"""`liu-tui report` and `liu-tui batches`: what the books say of sessions and backtests. Reads only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from liu_tui.analysis.books import load_report
from liu_tui.analysis.page import page
from liu_tui.analysis.render import text, trips_csv
from liu_tui.analysis.report import Report
from liu_tui.cli import output
from liu_tui.errors import Exit, LiuError, NothingToAttach, UsageError
from liu_tui.market.calendar import to_datetime
from liu_tui.model.books import Batch
from liu_tui.settings import Workspace
from liu_tui.store.store import Store

_FILE = click.Path(path_type=Path, dir_okay=False)
_MOST = 10_000
"""Batches looked through for the beginning of an id."""


@click.command()
@click.argument("batch", default="")
@click.option("--html", type=_FILE, help="Write one page with everything; it can be mailed.")
@click.option("--csv", "csv_", type=_FILE, help="Write the trips, one row each.")
@output.json_option
def report(batch: str, html: Path | None, csv_: Path | None, as_json: bool) -> int:
    """Analyse a session or a backtest: BATCH, the beginning of its id, or the latest of this workspace."""
    found = asyncio.run(_report(batch))
    written = [
        _write(path, words(found)) for path, words in ((html, page), (csv_, trips_csv)) if path is not None
    ]
    if as_json:
        output.emit(found)
    elif not written:
        output.say(text(found).rstrip("\n"))
    else:
        for path in written:
            output.say(f"{found.batch.batch_id}: {len(found.trips)} trips written to {path}")
    return int(Exit.DONE)


@click.command()
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@output.json_option
def batches(limit: int, as_json: bool) -> int:
    """List the sessions and backtests in the books, newest first."""
    found = asyncio.run(_batches(limit))
    if as_json:
        output.emit({"batches": found})
    elif not found:
        output.say("the books of this workspace are empty")
    else:
        heads = ["batch", "started", "environment", "day", "ended", "plan"]
        output.table(heads, [_row(batch) for batch in found])
    return int(Exit.DONE)


def _row(batch: Batch) -> list[object]:
    started = f"{to_datetime(batch.start_ns):%Y-%m-%d %H:%M}"
    ended = batch.end_reason if batch.end_ns is not None else "still running"
    return [batch.batch_id, started, batch.environment, batch.day or "several", ended, batch.plan]


async def _report(batch: str) -> Report:
    path = Workspace.nearest().db
    if not path.is_file():
        raise _nothing(path)
    async with await Store.open(path, read_only=True) as store:
        return await load_report(store, await _find(store, batch, path))


async def _find(store: Store, batch: str, path: Path) -> str:
    """The id meant: itself, the only one that begins so, or the newest."""
    if batch and await store.batches.get(batch) is not None:
        return batch
    known = [row.batch_id for row in await store.batches.list(_MOST if batch else 1)]
    fitting = [batch_id for batch_id in known if batch_id.startswith(batch)]
    if not known:
        raise _nothing(path)
    if not fitting:
        raise UsageError(f"no batch {batch!r}", where="the books", mend="See 'liu-tui batches'.")
    if batch and len(fitting) > 1:
        raise UsageError(f"{batch!r} may be any of {', '.join(fitting[:5])}", mend="Name one of them.")
    return fitting[0]


async def _batches(limit: int) -> list[Batch]:
    path = Workspace.nearest().db
    if not path.is_file():
        return []
    async with await Store.open(path, read_only=True) as store:
        return await store.batches.list(limit)


def _nothing(path: Path) -> NothingToAttach:
    mend = "Run a plan, or 'liu-tui backtest PLAN', in this workspace first."
    return NothingToAttach("the books have no batch", where=str(path), mend=mend)


def _write(path: Path, words: str) -> Path:
    try:
        path.write_text(words, encoding="utf-8")
    except OSError as e:
        raise LiuError(f"cannot be written: {e.strerror}", where=str(path), mend="Name another file.") from e
    return path
