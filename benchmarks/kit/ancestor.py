"""The ancestor's design, written anew from its source so that it can be measured beside ours in the same run.

A frame becomes dictionaries with a time-zone-aware pandas Timestamp each, one by one through an unbounded
multiprocessing.Queue to the consumer of the symbol, whose loop blocks in get(); there a task an event reads
and writes the minute's row of the symbol's DataFrame by `.loc`, and six nested awaits later the strategy is
shown the frame and takes the VWAP over it. Flattered where there was a choice: every trade counts (the
original drops those of the same second), the VWAP is taken from numpy columns, nothing is logged, no broker
is asked and no database written.

Run `python -m benchmarks.kit.ancestor URL FOLDER SYMBOLS VENUE_NS AT_NS`; it prints its process ids when it
is subscribed, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
from collections.abc import Coroutine
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any
from zlib import crc32

from benchmarks.kit import tape
from benchmarks.kit.probe import EVERY, HEAD, RING, open_words

CONSUMERS = 2
NEW_YORK = "America/New_York"
_COLUMNS = ("open", "high", "low", "close", "volume", "vwap", "average", "count")
Event = dict[str, Any]


class Entity:
    """A message as the vendor's own client hands it over: a dictionary with attributes."""

    def __init__(self, raw: Event) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return self._raw[name]


def event_of(entity: Entity) -> Event:
    """Make what crosses the queue: fifteen keys."""
    import pandas as pd

    nan = float("nan")
    stamp = pd.Timestamp(entity.t.to_unix_nano(), tz="UTC").tz_convert(NEW_YORK)
    prices = {"open": entity.p, "high": entity.p, "low": entity.p, "close": entity.p, "price": entity.p}
    rest = {"vwap": nan, "average": nan, "totalvolume": nan, "count": 1, "exchange": entity.x}
    what = {"symbol": entity.S, "volume": entity.s, "timestamp": stamp, "EV": "T", "conditions": entity.c}
    return what | prices | rest


# ── a consumer ──


class Consumer:
    """One consumer process: its frames, and its strategy's VWAP."""

    def __init__(self, queue: Queue[Event], path: str, venue_ns: int, at_ns: int) -> None:
        import pandas as pd

        self._pd, self._queue = pd, queue
        self._frames: dict[str, Any] = {}
        self._words = open_words(Path(path))
        self._venue_ns, self._at_ns = venue_ns, at_ns
        self._calls = self._timed = 0
        self.vwap = 0.0

    async def run(self) -> None:
        """Take events for ever: get() blocks the loop, as it does in the original."""
        while True:
            try:
                event = self._queue.get(timeout=2)
            except Empty:
                continue
            await asyncio.create_task(self._handle(event))

    async def _handle(self, event: Event) -> None:
        await self._aggregate(event)

    async def _aggregate(self, event: Event) -> None:
        symbol, minute = event["symbol"], event["timestamp"].floor("min")
        frame = self._frames.get(symbol)
        if frame is None:
            frame = self._frames[symbol] = self._pd.DataFrame(columns=list(_COLUMNS), dtype="float64")
        price, size = event["price"], event["volume"]
        try:
            row = frame.loc[minute]
            volume = row["volume"] + size
            vwap = (row["vwap"] * row["volume"] + price * size) / volume
            high, low = max(row["high"], price), min(row["low"], price)
            frame.loc[minute] = [row["open"], high, low, price, volume, vwap, vwap, row["count"] + 1]
        except KeyError:
            frame.loc[minute] = [price, price, price, price, size, price, price, 1]
        await self._strategies(event, frame)

    async def _strategies(self, event: Event, frame: Any) -> None:
        await self._each(event, frame)

    async def _each(self, event: Event, frame: Any) -> None:
        await self._strategy(event, frame)

    async def _strategy(self, event: Event, frame: Any) -> None:
        await self._run(event, frame)

    async def _run(self, event: Event, frame: Any) -> None:
        volume, vwap = frame["volume"].to_numpy(), frame["vwap"].to_numpy()
        self.vwap = float((volume * vwap).sum() / volume.sum())
        self._calls += 1
        self._words[4] = self._calls
        if not self._calls % EVERY:
            due_ns = self._at_ns + event["timestamp"].value - self._venue_ns
            self._words[HEAD + self._timed % RING] = monotonic_ns() - due_ns
            self._timed += 1
            self._words[0] = self._timed


def consume(queue: Queue[Event], path: str, venue_ns: int, at_ns: int) -> None:
    """Be a consumer process."""
    asyncio.run(Consumer(queue, path, venue_ns, at_ns).run())


# ── the producer ──


async def produce(url: str, symbols: int, queues: list[Queue[Event]], pids: list[int]) -> None:
    """Be the producer: read frames, queue events."""
    import msgpack  # type: ignore[import-untyped] # it has no types
    from websockets.asyncio.client import connect

    owners = {symbol: queues[crc32(symbol.encode()) % len(queues)] for symbol in tape.names(symbols)}
    async with connect(url, max_size=None, compression=None, proxy=None, max_queue=64) as socket:
        await socket.recv()
        await socket.send(msgpack.packb({"action": "auth", "key": "k", "secret": "s"}))
        await socket.recv()
        await socket.send(msgpack.packb({"action": "subscribe", "trades": sorted(owners)}))
        await socket.recv()
        print(json.dumps(pids), flush=True)
        async for data in socket:
            for raw in msgpack.unpackb(data):
                await _dispatch(owners, Entity(raw))


async def _dispatch(owners: dict[str, Queue[Event]], entity: Entity) -> None:
    if entity.T == "t":
        owners[entity.S].put(event_of(entity), block=False)


async def _until_input_ends(work: Coroutine[Any, Any, None]) -> None:
    working = asyncio.ensure_future(work)
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.wait((working, ended), return_when=asyncio.FIRST_COMPLETED)
    working.cancel()


def main(arguments: list[str]) -> None:
    """Start the consumers, then produce."""
    url, folder, symbols, venue_ns, at_ns = arguments
    spawn = multiprocessing.get_context("spawn")
    queues: list[Queue[Event]] = [spawn.Queue() for _ in range(CONSUMERS)]
    words = (int(venue_ns), int(at_ns))
    children = [
        spawn.Process(target=consume, args=(queue, f"{folder}/{n}.words", *words), daemon=True)
        for n, queue in enumerate(queues)
    ]
    for child in children:
        child.start()
    pids = [os.getpid(), *(child.pid for child in children if child.pid is not None)]
    try:
        asyncio.run(_until_input_ends(produce(url, int(symbols), queues, pids)))
    finally:
        for child in children:
            child.kill()
            child.join()
        for queue in queues:
            queue.cancel_join_thread()
            queue.close()


if __name__ == "__main__":
    main(sys.argv[1:])
