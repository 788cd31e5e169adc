"""The whole path, set up: load server, producer, two consumers; and one shot through it, measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import numpy as np

from benchmarks.kit import procs
from benchmarks.kit.house import House
from benchmarks.kit.load import Load
from benchmarks.kit.server import Order
from benchmarks.kit.tape import names
from benchmarks.kit.venue import VenueTime, ten_minutes_in

DRAIN_S = 8.0
HEARTBEATS_S = 0.6  # two of them: the counts are final


class Shot(msgspec.Struct, kw_only=True):
    """What came of so many events offered at a rate.

    lags_ms:  from the moment at which an event was due on the wire to the strategy's call: p50, p99, p99.9
    cpu_us:   microseconds an event: producer, both consumers, load server
    late_ms:  how late the load server was itself: p50, p99
    lost:     events that no strategy saw and nobody counted
    """

    rate: float
    frame: int
    symbols: int
    sent: int
    sending_s: float
    seconds: float
    lags_ms: tuple[float, float, float]
    cpu_us: tuple[float, float, float]
    late_ms: tuple[float, float]
    merged: int
    discarded: int
    lost: int

    @property
    def house_us(self) -> float:
        """CPU of producer and consumers in microseconds an event."""
        return self.cpu_us[0] + self.cpu_us[1]

    @property
    def sustained(self) -> bool:
        """Everything arrived, by itself, in time: half of it within 50 ms."""
        whole = not (self.merged or self.discarded or self.lost)
        return whole and self.lags_ms[0] < 50 and self.sending_s < 1.05 * self.sent / self.rate + 0.02


class Rig:
    """One load server and one house at it."""

    def __init__(self, load: Load, house: House, time: VenueTime) -> None:
        self.load, self.house, self.time = load, house, time

    async def shoot(self, order: Order) -> Shot:
        """Send, wait until all is through, measure."""
        house, words = self.house, self.house.words()
        pids = [*(kid.pid for kid in house.kids), self.load.pid]
        before, counts = procs.all_cpu_s(pids), self._counts()
        for file in words:
            file.forget()
        began = asyncio.get_running_loop().time()
        done = await self.load.send(order)
        await self.settle()
        seconds = asyncio.get_running_loop().time() - began
        spent = [after - then for after, then in zip(procs.all_cpu_s(pids), before, strict=True)]
        _received, dispatched, merged, discarded = (
            now - then for now, then in zip(self._counts(), counts, strict=True)
        )
        lags = np.concatenate([file.lags_ns() for file in words]) / 1e6
        p50, p99, p999 = np.percentile(lags, (50, 99, 99.9)) if len(lags) else (float("inf"),) * 3
        each = 1e6 / done.sent
        return Shot(
            rate=order.rate,
            frame=order.frame,
            symbols=order.symbols,
            sent=done.sent,
            sending_s=done.seconds,
            seconds=seconds,
            lags_ms=(p50, p99, p999),
            cpu_us=(spent[0] * each, sum(spent[1:-1]) * each, spent[-1] * each),
            late_ms=(done.late_p50_ms, done.late_p99_ms),
            merged=merged,
            discarded=discarded,
            lost=done.sent + done.bars - dispatched - merged - discarded,
        )

    def _counts(self) -> tuple[int, int, int, int]:
        house = self.house
        merged = house.producer.alive.merged
        return house.producer.alive.received, house.count("dispatched"), merged, house.count("discarded")

    async def settle(self) -> None:
        """Wait until the heartbeats have stopped counting: all that was sent has come to its end."""
        end = asyncio.get_running_loop().time() + DRAIN_S
        last, still = self._counts(), 0
        while asyncio.get_running_loop().time() < end and still < 2:
            await asyncio.sleep(HEARTBEATS_S / 2)
            now = self._counts()
            still = still + 1 if now == last else 0
            last = now


@asynccontextmanager
async def rig(symbols: int, *events: str, strategy: str = "Vwap", speed: float = 1.0) -> AsyncIterator[Rig]:
    """Set everything up for so many symbols; whatever happens, nothing stays behind."""
    time = ten_minutes_in(speed)
    load = await Load.start(time)
    house = House(load.url, time, strategy)
    try:
        await house.start()
        await house.serve(names(symbols), *events)
        await house.live()
        yield Rig(load, house, time)
    finally:
        await house.close()
        await load.close()
