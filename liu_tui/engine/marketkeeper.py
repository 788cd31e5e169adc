"""The local market of a session: started by its command line, kept alive, paused, and ended last.

It outlives a supervisor as a broker would: the next start finds it by its record and goes on with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from liu_tui.engine.registry import is_alive
from liu_tui.errors import LiuError
from liu_tui.plan.schema import ExchangeTable, FeesTable, MarketTable
from liu_tui.settings import Workspace

READY_S = 60.0
ADMIN_S = 3.0
ORPHAN_S = 900
"""A market that nobody has talked to for so long ends by itself."""

_NO_FEES = FeesTable()


class ReadyLine(msgspec.Struct, frozen=True):
    """What the local market prints when it listens."""

    url: str
    port: int


class MarketKeeper:
    """One local market process. fees: what it takes; ledger: its file; url: where it listens when started."""

    def __init__(
        self, table: MarketTable, workspace: Workspace, batch_id: str, fees: FeesTable = _NO_FEES
    ) -> None:
        self._fees = fees
        self._table, self._workspace = table, workspace
        self.ledger = workspace.market_dir / f"{batch_id}.db"
        self._log = workspace.logs_dir / f"{batch_id}.log"
        self.url = ""
        self.port = table.port
        self.pid = 0
        self.restarts = 0
        self._process: asyncio.subprocess.Process | None = None

    async def adopt(self, pid: int, url: str, port: int) -> bool:
        """Go on with a market that an earlier supervisor started; says whether it still answers."""
        self.port = port
        if not is_alive(pid):
            return False
        self.url, self.pid = url, pid
        try:
            await self.admin("status", post=False)
        except LiuError:
            self.url, self.pid = "", 0
            return False
        return True

    async def start(self) -> None:
        """Start the process and wait for its ready line.

        Raises LiuError with its last words if it ends instead.
        """
        table = self._table
        words = [
            sys.executable,
            "-m",
            "liu_tui",
            "market",
            "--source",
            self._source(),
            "--port",
            str(self.port),
            "--seed",
            str(table.seed),
            "--speed",
            str(table.speed),
            "--symbols",
            str(table.symbols),
            "--cash",
            str(table.cash),
            "--partial-fills",
            str(table.partial_fills),
            "--ledger",
            str(self.ledger),
            "--idle-exit",
            str(ORPHAN_S),
        ]
        for option, value in (("--date", table.date), ("--start", table.start)):
            if value:
                words += [option, value]
        if table.symbol_limit is not None:
            words += ["--symbol-limit", str(table.symbol_limit)]
        if table.exchange != ExchangeTable():
            words += ["--exchange", msgspec.json.encode(table.exchange).decode()]
        if self._fees != _NO_FEES:
            words += ["--fees", msgspec.json.encode(self._fees).decode()]
        for fault in table.faults:
            words += ["--fault", msgspec.json.encode(fault).decode()]
        with self._log.open("ab") as err:
            self._process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=err,
                start_new_session=True,
            )
        self.pid = self._process.pid
        try:
            ready = await self._ready_line()
        except LiuError:
            # It ends by itself when it cannot begin; one that only said nothing must not stay behind.
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            raise
        self.url, self.port = ready.url, ready.port

    async def restart(self) -> None:
        """Start it again on the same port with the same ledger."""
        self.restarts += 1
        await self.start()

    def is_dead(self) -> bool:
        """Its process has ended."""
        if self._process is not None:
            return self._process.returncode is not None
        return bool(self.pid) and not is_alive(self.pid)

    async def admin(self, verb: str, *, post: bool = True) -> dict[str, object]:
        """Call /admin/VERB. Raises LiuError if it does not answer."""
        return await asyncio.to_thread(self._call, verb, post)

    async def stop(self) -> None:
        """End the process in order, or else at once."""
        if not self.pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        for _ in range(50):
            if self.is_dead():
                return
            await asyncio.sleep(0.1)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _source(self) -> str:
        source = self._table.source
        if source == "simulated" or Path(source).is_absolute():
            return source
        return str((self._workspace.root / source).resolve())

    async def _ready_line(self) -> ReadyLine:
        line = b""
        out = self._process.stdout if self._process is not None else None
        if out is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(READY_S):
                    line = await out.readline()
        try:
            return msgspec.json.decode(line, type=ReadyLine)
        except msgspec.MsgspecError as e:
            words = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            raise LiuError(
                f"the local market did not start: {words[0] if words else 'it said nothing'}",
                where=str(self._log),
            ) from e

    def _call(self, verb: str, post: bool) -> dict[str, object]:
        request = urllib.request.Request(  # noqa: S310 - http on loopback, our own child
            f"{self.url}/admin/{verb}",
            data=b"{}" if post else None,
            headers={
                "APCA-API-KEY-ID": "local",
                "APCA-API-SECRET-KEY": "local",
                "Content-Type": "application/json",
            },
        )
        # No proxy is asked for an address on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=ADMIN_S) as answer:
                return msgspec.json.decode(answer.read() or b"{}", type=dict[str, object])
        except (OSError, urllib.error.URLError, msgspec.MsgspecError) as e:
            raise LiuError(f"the local market does not answer /admin/{verb}: {e}", where=self.url) from e
