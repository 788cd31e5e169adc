"""The load server as the benchmark holds it: started, ordered, ended."""

from __future__ import annotations

import json

import msgspec

from benchmarks.kit.server import Order
from benchmarks.kit.spoken import Spoken
from benchmarks.kit.venue import VenueTime


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

    def __init__(self, process: Spoken, port: int) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    async def start(cls, venue: VenueTime) -> Load:
        """Start it."""
        process = await Spoken.start("benchmarks.kit.server", *venue)
        return cls(process, int(await process.hear()))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def send(self, order: Order) -> Done:
        """Have it send something, and wait until it has. Raises EOFError if it died."""
        return msgspec.convert(json.loads(await self._process.ask(msgspec.json.encode(order))), Done)

    async def close(self) -> None:
        """End it."""
        await self._process.close()
