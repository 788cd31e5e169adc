"""A whole session as its user runs it: the command line, real processes, a workspace of its own.

Waiting is always for a condition with a deadline. Every process that a House started is gone when it is
closed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from liu_tui.engine.registry import is_ours

REPO = Path(__file__).parents[2]
SHARED = REPO.parent / "shared" / "data" / "bars"
DEADLINE_S = 45.0

LIMITS = """
[limits]
max_open_positions = 10
max_order_value = 20_000
max_position_value = 20_000
max_daily_loss = 5_000
max_orders_per_minute = 120
"""

TRADERS = """
[strategies.MomentumBreakout]
filename = "strategies/momentum_breakout.py"

[strategies.VwapReversion]
filename = "strategies/vwap_reversion.py"

[strategies.RelativeStrength]
filename = "strategies/relative_strength.py"
"""

LIVE = (
    """
portfolio_value = 100_000
risk = 0.002
max_symbols = 30
consumers = 2
events = ["quote"]

[market]
source = "simulated"
symbols = 40
start = "09:30"
speed = 30
seed = 7

[scanners.MostActive]
filename = "scanners/most_active.py"
recurrence = 5
top = 20
"""
    + LIMITS
    + TRADERS
)
"""A simulated day at thirty times the real speed."""


class House:
    """A workspace with one plan, and its session."""

    def __init__(self, root: Path, plan: str) -> None:
        self.root = root
        for folder in ("strategies", "scanners"):
            shutil.copytree(REPO / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.plan = root / "plans" / "day.toml"
        self.plan.parent.mkdir()
        self.plan.write_text(plan)
        self._runtime = root / "run"
        self._runtime.mkdir(mode=0o700)
        self.env = {
            **os.environ,
            "LIU_HOME": str(root / ".liu"),
            "XDG_RUNTIME_DIR": str(self._runtime),
            "NO_PROXY": "*",
        }
        self.session: subprocess.Popen[str] | None = None
        self._pids: set[int] = set()

    # ── the command line ──

    def run(self, *words: str, timeout: float = 90.0) -> subprocess.CompletedProcess[str]:
        """Run a command of liu-tui to its end."""
        return subprocess.run(
            [sys.executable, "-m", "liu_tui", *words],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        """Run a command with --json and read its answer; {} if it failed."""
        done = self.run(*words, "--json")
        return dict(json.loads(done.stdout)) if done.returncode in (0, 3) and done.stdout else {}

    def start(self, *words: str) -> None:
        """Start the plan's session headless, and wait until it trades."""
        out = (self.root / "session.out").open("w")
        err = (self.root / "session.err").open("a")
        self.session = subprocess.Popen(
            [sys.executable, "-m", "liu_tui", str(self.plan), "--headless", "--json", *words],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )
        out.close()
        err.close()
        self.wait("the session trades", lambda: self.status().get("phase") == "trading")

    def status(self) -> dict[str, Any]:
        """What `ctl status --json` says; {} if nobody answers."""
        status = self.ask("ctl", "status")
        self._pids |= {row["pid"] for row in status.get("processes", ())}
        return status

    def stop(self, *words: str) -> dict[str, Any]:
        """Stop the session in order; returns its summary."""
        summary = self.ask("stop", *words)
        assert self.session is not None
        self.session.wait(30)
        return summary

    def finish(self) -> dict[str, Any]:
        """Wait for the session's own end; returns the summary that it printed."""
        assert self.session is not None
        code = self.session.wait(120)
        assert code == 0, (self.root / "session.err").read_text()[-3000:]
        return dict(json.loads((self.root / "session.out").read_text()))

    # ── looking ──

    def wait(self, what: str, true: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
        """Wait for a condition; fails with the session's log at the deadline."""
        deadline = time.monotonic() + deadline_s
        while not true():
            if time.monotonic() > deadline:
                log = (self.root / "session.err").read_text()[-4000:]
                raise AssertionError(f"it did not come about that {what}\n{log}")
            time.sleep(0.05)

    def pid_of(self, role: str, name: str = "") -> int:
        """The process id of a role, 0 if it does not run."""
        for row in self.status().get("processes", ()):
            if row["role"] == role and name in ("", row["name"]) and row["state"] == "running":
                return int(row["pid"])
        return 0

    def kill(self, role: str, name: str = "") -> None:
        """Kill a process of the session, and wait until another one runs in its place."""
        pid = self.pid_of(role, name)
        assert pid, f"no {role} runs"
        os.kill(pid, signal.SIGKILL)
        self.wait(f"the {role} runs again", lambda: self.pid_of(role, name) not in (0, pid))

    def books(self, sql: str, *words: object) -> list[tuple[Any, ...]]:
        """Ask the books."""
        return _rows(self.root / ".liu" / "liu.db", sql, *words)

    def ledger(self, batch_id: str, sql: str) -> list[tuple[Any, ...]]:
        """Ask the local market's ledger of a batch."""
        return _rows(self.root / ".liu" / "market" / f"{batch_id}.db", sql)

    # ── the end ──

    def close(self) -> None:
        """End every process that was started here."""
        if self.session is not None and self.session.poll() is None:
            self.status()
            self.session.kill()
            self.session.wait()
        for pid in self._pids | self._market_pids():
            if is_ours(pid):
                os.kill(pid, signal.SIGKILL)

    def _market_pids(self) -> set[int]:
        files = (self.root / ".liu" / "sessions").glob("*.session.json")
        records = [json.loads(file.read_text()) for file in files]
        return {record[key] for record in records for key in ("market_pid", "desk_pid") if record[key]}


def assert_books_equal_the_ledger(house: House, batch_id: str) -> None:
    """Every fill of the ledger is in the books once, and positions and orders agree."""
    ledger = house.ledger(
        batch_id,
        "SELECT execution_id, symbol, CASE side WHEN 'buy' THEN qty ELSE -qty END, price FROM executions",
    )
    books = house.books(
        "SELECT execution_id, symbol, qty, price FROM new_trades WHERE batch_id = ?", batch_id
    )
    assert sorted(books) == sorted(ledger)
    held = house.books(
        "SELECT symbol, round(sum(qty), 9) FROM new_trades WHERE batch_id = ? GROUP BY symbol", batch_id
    )
    assert {row for row in held if row[1]} == set(house.ledger(batch_id, "SELECT symbol, qty FROM positions"))
    theirs = dict(house.ledger(batch_id, "SELECT client_order_id, status FROM orders"))
    ours = dict(
        house.books(
            "SELECT client_order_id, state FROM orders "
            "WHERE batch_id = ? AND state NOT IN ('refused', 'failed')",
            batch_id,
        )
    )
    assert ours == theirs


def _rows(path: Path, sql: str, *words: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(sql, words).fetchall()
    finally:
        connection.close()
