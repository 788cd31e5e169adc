"""One of two consumers stops for some seconds, and then goes on: what that costs, and what is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable
from time import monotonic

import msgspec
import numpy as np

from benchmarks.kit import procs
from benchmarks.kit.load import Done
from benchmarks.kit.probe_file import Words
from benchmarks.kit.rig import Rig, rig
from benchmarks.kit.server import Order
from benchmarks.kit.tape import names
from liu_tui.engine.shards import shard_of
from liu_tui.model.clock import monotonic_ns

RATE, FRAME, SYMBOLS, SPEED = 30_000.0, 30, 300, 60.0
"""At sixty times the clock each symbol has a bar every second of the wall: they must never be lost."""
BEFORE_S, AFTER_S = 10.0, 4.0  # before: until what the producer remembers of each symbol is full
FRESH_MS = 100.0
PATIENCE_S = 10.0


class Stall(msgspec.Struct, kw_only=True):
    """What came of it.

    merged:     trades and quotes that the producer folded into newer ones
    discarded:  trades and quotes that were too late when their consumer came to them
    unseen:     of these two together, by kind: what was sent and no strategy was called for
    grown:      bytes by which the producer grew at most
    neighbour_ms: the longest lag of an event of the other consumer meanwhile: an upper bound of how long the
                producer was ever blocked
    current_ms: after waking, until the newest quote of each symbol was at most FRESH_MS old
    """

    seconds: float
    sent: int
    merged: int
    discarded: int
    unseen: dict[str, int]
    bars_lost: int
    grown: int
    neighbour_ms: float
    current_ms: float


async def stall(seconds: float) -> Stall:
    """Stop consumer A for so long."""
    async with rig(SYMBOLS, "trade", "quote", "minute", strategy="Fresh", speed=SPEED) as table:
        order = Order(SYMBOLS, FRAME, RATE, BEFORE_S + seconds + AFTER_S, quotes=True, bars=True)
        sending = asyncio.create_task(table.load.send(order))
        try:
            return await _stop_and_go(table, seconds, sending)
        finally:
            sending.cancel()


async def _stop_and_go(table: Rig, seconds: float, sending: asyncio.Task[Done]) -> Stall:
    house, (ours, neighbour) = table.house, table.house.words()
    await asyncio.sleep(BEFORE_S)
    pid, base = house.consumers[0].pid, procs.resident_bytes(house.producer.pid)
    neighbour.forget()
    os.kill(pid, signal.SIGSTOP)
    try:
        grown = await _watch(table, base, asyncio.sleep(seconds))
    finally:
        os.kill(pid, signal.SIGCONT)
    current_ms = await _until_current(table, ours)
    grown = max(grown, await _watch(table, base, asyncio.shield(sending)))
    done = await sending
    await table.settle()
    quotes, trades, _shares, bars = (ours.seen() + neighbour.seen()).tolist()
    return Stall(
        seconds=seconds,
        sent=done.sent + done.bars,
        merged=house.producer.alive.merged,
        discarded=house.count("discarded"),
        unseen={"trades": done.trades - trades, "quotes": done.sent - done.trades - quotes},
        bars_lost=done.bars - bars,
        grown=grown,
        neighbour_ms=float(neighbour.lags_ns().max()) / 1e6,
        current_ms=current_ms,
    )


async def _watch(table: Rig, base: int, until: Awaitable[object]) -> int:
    """Return by how much the producer grew over its size before, until something happens."""
    end = asyncio.ensure_future(until)
    grown = 0
    while not end.done():
        await asyncio.wait((end,), timeout=0.1)
        grown = max(grown, procs.resident_bytes(table.house.producer.pid) - base)
    return grown


async def _until_current(table: Rig, words: Words) -> float:
    """Milliseconds from now until each symbol of consumer A has a new quote; infinite if it never has."""
    woke_ns, end = monotonic_ns(), monotonic() + PATIENCE_S
    fresh_ns = table.time.at(woke_ns - int(FRESH_MS * 1e6))
    mine = [n for n, symbol in enumerate(names(SYMBOLS)) if shard_of(symbol, 2) == 0]
    while monotonic() < end:
        if np.all(words.quotes()[mine] >= fresh_ns):
            return (monotonic_ns() - woke_ns) / 1e6
        await asyncio.sleep(0.001)
    return float("inf")
