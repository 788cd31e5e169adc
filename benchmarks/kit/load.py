"""The load server as the benchmark holds it: started, ordered, ended."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec

from benchmarks.kit.server import Order
from benchmarks.kit.venue import VenueTime

ROOT = Path(__file__).resolve().parents[2]


class Done(msgspec.Struct):
    """What the server did: trades and quotes, trades among them, bars, seconds; how late it was itself."""

    sent: int
    trades: int
    bars: int
    seconds: float
    late_p50_ms: float
    late_p99_ms: float
    behind_ms: float


class Load:
    """One load server's process. url: http://127.0.0.1:PORT, its address."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.url = ""

    @classmethod
    async def start(cls, venue: VenueTime) -> Load:
        """Start it; it ends when we do, for its standard input ends then."""
        words = [sys.executable, "-m", "benchmarks.kit.server", *(str(value) for value in venue)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, stdin=pipe, stdout=pipe, start_new_session=True, env=dict(os.environ)
        )
        load = cls(process)
        load.url = f"http://127.0.0.1:{int(await load._said())}"
        return load

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def send(self, order: Order) -> Done:
        """Have it send something, and wait until it has. Raises EOFError if it died."""
        if self._process.stdin is not None:
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        return msgspec.convert(json.loads(await self._said()), Done)

    async def _said(self) -> bytes:
        said = await self._process.stdout.readline() if self._process.stdout is not None else b""
        if not said:
            raise EOFError("the load server died")
        return said

    async def close(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
