"""`liu-tui PLAN`: start a plan's session, in this process or behind the console."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from liu_tui.cli.output import emit, say
from liu_tui.cli.session import digest, open_console
from liu_tui.errors import Exit, LiuError, RefusedError, UsageError

START_S = 60.0
_SAID = {int(Exit.USAGE): UsageError, int(Exit.REFUSED): RefusedError}
"""Exit codes that a background start hands on."""
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Read a span of time: "90s", "10m", "1.5h", "90". Raises UsageError."""
    match = _SPAN.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise UsageError(
            f"{text!r} is no span of time", where="--for", mend='Write it as "90s", "10m" or "1h"'
        )
    return float(match[1]) * _SECONDS[match[2]]


@click.command("PLAN")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--headless", is_flag=True, help="No console: log to the terminal, print the summary at the end."
)
@click.option(
    "--for", "for_", metavar="SPAN", default="", help="End after so much wall time from ready: 90s, 10m."
)
@click.option(
    "--speed", default="", help="Session seconds a second, or max for lock-step (local market only)."
)
@click.option("--source", default="", help="Recorded data in place of the plan's source (local market only).")
@click.option("--date", default="", help="The recorded day to play, as 2019-02-12 (local market only).")
@click.option("--seed", type=int, default=None, help="Of the simulation (local market only).")
@click.option(
    "--live", metavar="ACCOUNT", default="", help="Trade this account's real money (environment PROD only)."
)
@click.option("--silent", is_flag=True, help="No bell.")
@click.option(
    "--mouse", is_flag=True, help="Let the mouse click; the terminal's own selection then needs Shift."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.option("--background", is_flag=True, hidden=True, help="Headless, logging to the session's file only.")
def start(
    plan: Path,
    headless: bool,
    for_: str,
    speed: str,
    source: str,
    date: str,
    seed: int | None,
    live: str,
    silent: bool,
    mouse: bool,
    as_json: bool,
    background: bool,
) -> Exit:
    """Run the day of PLAN: start its session in the background and open the console on it."""
    from liu_tui.engine.session import Options

    span_s = seconds_of(for_) if for_ else 0.0
    options = Options(for_s=span_s, speed=speed, source=source, date=date, seed=seed, live=live)
    if headless or background:
        number = _earned(plan, live, may_ask=not background)
        options = msgspec.structs.replace(options, live=number)
        return run_headless(plan, options, as_json=as_json, background=background)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "there is no terminal for the console", mend="Use --headless, or run it in a terminal"
        )
    return _console(plan, sys.argv[1:], live=live, silent=silent, mouse=mouse)


def _earned(plan: Path, said: str, *, may_ask: bool) -> str:
    """Return the account whose real money may be traded; what --live said, if the plan trades none."""
    from liu_tui.cli import live
    from liu_tui.plan.load import load_plan
    from liu_tui.plan.schema import Environment
    from liu_tui.settings import Workspace

    # The source matters on the local market only, where the session looks for it itself.
    loaded = load_plan(plan, base=Workspace.of(plan).root, source_needed=False)
    if loaded.environment is not Environment.PROD:
        return said
    return live.earn(plan, said, live.somebody() if may_ask else None)


def run_headless(plan: Path, options: Any, *, as_json: bool, background: bool = False) -> Exit:
    """Run a session to its end in this process, and print its summary. background: print nothing."""
    from liu_tui import logs
    from liu_tui.engine.session import run_session
    from liu_tui.settings import Settings, Workspace

    workspace = Workspace.of(plan)
    logs.setup(
        "supervisor",
        workspace.logs_dir / "supervisor.log",
        stderr=not background,
        secrets=Settings.read().keys().known(),
    )
    code, summary = asyncio.run(run_session(plan.expanduser().resolve(), options))
    if as_json:
        emit(summary)
    elif not background:
        say(digest(summary))
    return code


def _console(plan: Path, words: list[str], *, live: str, silent: bool, mouse: bool) -> Exit:
    from liu_tui.plan.load import load_plan
    from liu_tui.settings import Workspace

    plan = plan.expanduser().resolve()
    record = _session_of(plan)
    if record is None:
        # Faults of the plan are told here, on the person's terminal, and not in a background log.
        load_plan(plan, base=Workspace.of(plan).root, source_needed="--source" not in " ".join(words))
        number = _earned(plan, live, may_ask=True)
        # Behind the console nobody can be asked: what was typed here goes with it, and is checked there too.
        record = _start_behind(plan, words if number == live else [*words, "--live", number])
    return open_console(record, silent=silent, mouse=mouse)


def _start_behind(plan: Path, words: list[str]) -> Any:
    from liu_tui.settings import Workspace

    log = Workspace.of(plan).logs_dir / "start.log"
    with log.open("wb") as out:
        # A session of its own: the terminal's hang-up and its Ctrl-C do not reach it.
        process = subprocess.Popen(  # noqa: S603 - this program, with the words it was given
            [sys.executable, "-m", "liu_tui", *words, "--background"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        record = _session_of(plan)
        if record is not None and Path(record.socket).exists():
            return record
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip()
            raise _SAID.get(process.returncode, LiuError)(
                f"the session did not start:\n{said}" if said else "the session did not start"
            )
        time.sleep(0.05)
    raise LiuError("the session does not answer", where=str(log), mend="Look into the log; try --headless")


def _session_of(plan: Path) -> Any:
    from liu_tui.engine.registry import Registry
    from liu_tui.settings import Workspace

    records = [r for r in Registry(Workspace.of(plan)).running() if r.plan == str(plan)]
    return records[-1] if records else None
