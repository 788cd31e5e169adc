"""The commands for a session that runs: attach, sessions, stop, ctl. It is started in `start`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from liu_tui.cli.output import emit, say
from liu_tui.errors import Exit, LiuError, NothingToAttach, RefusedError, UsageError


@click.command("attach")
@click.argument("batch", default="")
@click.option("--silent", is_flag=True, help="No bell.")
@click.option("--mouse", is_flag=True, help="Let the mouse click.")
def attach(batch: str, silent: bool, mouse: bool) -> Exit:
    """Open the console on a running session."""
    record = _running(batch)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("there is no terminal for the console", mend="Use 'liu-tui ctl status' without one")
    return open_console(record, silent=silent, mouse=mouse)


@click.command("sessions")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def sessions(as_json: bool) -> Exit:
    """List the sessions that run in this workspace."""
    records = _registry().running()
    if as_json:
        rows = [
            {
                "batch_id": r.batch_id,
                "plan": r.plan,
                "pid": r.pid,
                "socket": r.socket,
                "environment": r.environment,
            }
            for r in records
        ]
        emit({"sessions": rows})
    elif not records:
        say("no session runs in this workspace")
    for record in () if as_json else records:
        say(f"{record.batch_id}  {record.environment:5}  pid {record.pid}  {record.plan}")
    return Exit.DONE


@click.command("stop")
@click.argument("batch", default="")
@click.option("--flatten", is_flag=True, help="Close every position first, and wait until flat.")
@click.option("--json", "as_json", is_flag=True, help="Print the session's summary as one JSON object.")
def stop(batch: str, flatten: bool, as_json: bool) -> Exit:
    """End a session in order.

    No more entries, entry orders canceled, protective orders and positions kept.
    """
    summary = asyncio.run(_stop(Path(_running(batch).socket), flatten=flatten))
    if as_json:
        emit(summary)
    else:
        say(digest(summary))
    return Exit.DONE


@click.command("ctl")
@click.argument("verb")
@click.argument("symbol", default="")
@click.option("--batch", default="", help="Which session, where several run.")
@click.option("--strategy", default="", help="Reject or allow for this strategy only.")
@click.option("--order", default="", help="cancel: this order, by its client order id.")
@click.option("--until", default="", help='reject: "day" (if unsaid), "good", "30m", or "14:30" in New York.')
@click.option(
    "--then",
    default="",
    help="reject, unsubscribe: what becomes of a position and working orders: keep, cancel, flatten.",
)
@click.option("--choice", default="", help="resolve: adopt, flatten or ignore.")
@click.option("--reason", default="", help="Stored with what you do.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def ctl(
    verb: str,
    symbol: str,
    batch: str,
    strategy: str,
    order: str,
    until: str,
    then: str,
    choice: str,
    reason: str,
    as_json: bool,
) -> Exit:
    """Do what the console's keys do.

    Pause, resume, reject, allow, subscribe, unsubscribe, cancel, flatten, release, resolve, kill, reconnect,
    status, stop.
    """
    from liu_tui.engine.client import VERBS

    if verb not in VERBS:
        raise UsageError(f"no verb {verb!r}", where="ctl", mend=f"There are {', '.join(VERBS)}")
    words = {"symbol": symbol, "strategy": strategy, "order": order, "reason": reason, "by": "ctl"}
    words |= {"until": until, "choice": choice or then}
    ok, said, data = asyncio.run(_ask(Path(_running(batch).socket), verb, words))
    if as_json:
        emit({**data, "ok": ok, "words": said})
    elif verb == "status":
        say(status_words(data))
    else:
        say(said)
    return Exit.DONE if ok else Exit.REFUSED


# ── reaching one ──


def open_console(record: Any, *, silent: bool, mouse: bool) -> Exit:
    """Open the console on the session of this record, until its user leaves it."""
    from liu_tui.tui.app import run

    return run(Path(record.socket), batch_id=record.batch_id, plan=record.plan, silent=silent, mouse=mouse)


def _registry() -> Any:
    from liu_tui.engine.registry import Registry
    from liu_tui.settings import Workspace

    return Registry(Workspace.nearest())


def _running(batch: str) -> Any:
    """Find the session meant.

    Raises NothingToAttach if none runs, UsageError if several do and none is named.
    """
    records = _registry().running()
    if batch:
        records = [record for record in records if record.batch_id.startswith(batch)]
    if not records:
        raise NothingToAttach(
            f"no session {batch} runs" if batch else "no session runs", mend="Start one with 'liu-tui PLAN'"
        )
    if len(records) > 1:
        names = ", ".join(record.batch_id for record in records)
        raise UsageError(f"several sessions run: {names}", mend="Name one of them")
    return records[0]


async def _ask(socket: Path, verb: str, words: dict[str, str]) -> tuple[bool, str, dict[str, Any]]:
    from liu_tui.engine.client import Client, Reply

    client = await Client.connect(socket)
    try:
        command_id = client.send(verb, **words)
        async with asyncio.timeout(30):
            async for message in client.messages():
                if isinstance(message, Reply) and message.id == command_id:
                    return message.ok, message.words, json.loads(message.data)
    finally:
        await client.close()
    raise LiuError("the session ended before it answered")


async def _stop(socket: Path, *, flatten: bool) -> dict[str, Any]:
    from liu_tui.engine.client import Client, Farewell, Reply

    client = await Client.connect(socket)
    try:
        client.send("stop", by="ctl", flatten=flatten)
        async for message in client.messages():
            if isinstance(message, Reply) and not message.ok:
                raise RefusedError(message.words)
            if isinstance(message, Farewell):
                return dict(json.loads(message.summary))
    finally:
        await client.close()
    raise LiuError("the session ended without a farewell", mend="See its log")


# ── words ──


_EVENT_WORDS = {
    "received": "received",
    "dispatched": "dispatched",
    "discarded_late": "late",
    "merged": "merged",
}


def digest(summary: dict[str, Any]) -> str:
    """A summary for a person's eyes."""
    events, orders = summary["events"], summary["orders"]
    lines = [
        f"batch       {summary['batch_id']} ({summary['environment']})",
        f"ended       {summary['end_reason'] or 'not yet'}",
        f"events      {', '.join(f'{events[name]:,} {word}' for name, word in _EVENT_WORDS.items())}",
        f"symbols     {len(summary['symbols'])} watched, {summary['scanner_hits']} scanner hits",
        f"orders      {', '.join(f'{count} {state}' for state, count in orders.items()) or 'none'}",
        f"fills       {summary['fills']}",
        f"P&L         {summary['realized_pnl']:+,.2f} realised, {summary['unrealized_pnl']:+,.2f} open"
        + (f", {summary['fees']:,.2f} fees" if summary["fees"] else ""),
    ]
    if summary["positions"]:
        held = ", ".join(f"{qty:g} {symbol}" for symbol, qty in summary["positions"].items())
        lines.append(f"positions   {held}")
    if summary["restarts"]:
        lines.append(f"restarts    {summary['restarts']}")
    if kept := summary.get("recording"):
        lost = f", {kept['dropped']:,} left out" if kept["dropped"] else ""
        lines.append(f"recording   {kept['path']}: {kept['events']:,} events, {kept['bytes']:,} bytes{lost}")
    return "\n".join(lines)


def status_words(status: dict[str, Any]) -> str:
    """A status for a person's eyes."""
    state = status["state"]
    if status["state_reason"]:
        state += f" by {status['state_by']}: {status['state_reason']}"
    lines = [f"{status['phase']}, {state}", digest(status)]
    lines += [
        f"{row['role']:11} {row['name']:11} pid {row['pid']:<8} {row['state']}" for row in status["processes"]
    ]
    lines += [f"rejected    {row['symbol']} {row['strategy']} {row['reason']}" for row in status["vetoes"]]
    lines += [f"flatten     {_flatten_words(row)}" for row in status["flattens"]]
    return "\n".join(lines)


def _flatten_words(row: dict[str, Any]) -> str:
    done = f"{row['begun'] - row['left']} of {row['begun']} closed, {row['working']} working orders"
    stuck = "".join(f"; {it['symbol']} {it['qty']:+g} {it['why']}" for it in row["stuck"])
    return f"{row['symbol'] or 'everything'} by {row['by']}: {done}{stuck}"
