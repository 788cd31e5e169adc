"""The ancestor's design under the same load, measured by the same means."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.kit import procs
from benchmarks.kit.load import Load
from benchmarks.kit.probe_file import Words
from benchmarks.kit.rig import Shot
from benchmarks.kit.server import Order
from benchmarks.kit.spoken import ROOT
from benchmarks.kit.venue import ten_minutes_in

DRAIN_S = 6.0
START_S = 60.0


class Elder:
    """The ancestor's processes at a load server."""

    def __init__(self, load: Load, pids: list[int], words: list[Words]) -> None:
        self.load, self._pids, self._words = load, pids, words

    async def shoot(self, order: Order) -> Shot:
        """Send, wait until all is through, measure."""
        pids, words = [*self._pids, self.load.pid], self._words
        before, seen = procs.all_cpu_s(pids), self._seen()
        for file in words:
            file.forget()
        done = await self.load.send(order)
        loop = asyncio.get_running_loop()
        end = loop.time() + DRAIN_S
        while self._seen() - seen < done.sent and loop.time() < end:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.05)
        spent = [after - then for after, then in zip(procs.all_cpu_s(pids), before, strict=True)]
        lags = np.concatenate([file.lags_ns() for file in words]) / 1e6
        p50, p99, p999 = np.percentile(lags, (50, 99, 99.9)) if len(lags) else (float("inf"),) * 3
        each = 1e6 / done.sent
        return Shot(
            rate=order.rate,
            frame=order.frame,
            symbols=order.symbols,
            sent=done.sent,
            sending_s=done.seconds,
            seconds=done.seconds,
            lags_ms=(p50, p99, p999),
            cpu_us=(spent[0] * each, sum(spent[1:-1]) * each, spent[-1] * each),
            late_ms=(done.late_p50_ms, done.late_p99_ms),
            merged=0,
            discarded=0,
            lost=done.sent - (self._seen() - seen),
        )

    def _seen(self) -> int:
        return sum(file.calls for file in self._words)


@asynccontextmanager
async def elder(symbols: int) -> AsyncIterator[Elder]:
    """Start it; whatever happens, nothing stays behind."""
    time = ten_minutes_in()
    load = await Load.start(time)
    url = "ws" + load.url.removeprefix("http") + "/v2/sip"
    with TemporaryDirectory(prefix="liu-benchmark-") as folder:
        words = [sys.executable, "-m", "benchmarks.kit.ancestor", url, folder, str(symbols)]
        words += [str(time.venue_ns), str(time.at_ns)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, stdin=pipe, stdout=pipe, start_new_session=True
        )
        try:
            pids = await _ready(process, Path(folder))
            yield Elder(load, pids, [Words(Path(folder) / f"{n}.words") for n in range(len(pids) - 1)])
        finally:
            if process.stdin is not None:
                process.stdin.close()  # it ends its children and itself
            await process.wait()
            await load.close()


async def _ready(process: asyncio.subprocess.Process, folder: Path) -> list[int]:
    async with asyncio.timeout(START_S):
        said = await process.stdout.readline() if process.stdout is not None else b""
        pids: list[int] = json.loads(said)
        files = [folder / f"{n}.words" for n in range(len(pids) - 1)]
        while not all(file.exists() and file.stat().st_size for file in files):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.05)
    return pids
