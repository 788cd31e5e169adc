"""How many events a second go through, and what each costs: by frame size and number of symbols."""

from __future__ import annotations

from typing import Protocol

from benchmarks.kit.rig import Shot, rig
from benchmarks.kit.server import Order

STEP = 1.3
FINEST = 1.05
TRIES = 2
FIRST_RATE = {1: 15_000.0, 10: 40_000.0, 100: 100_000.0}


class Path(Protocol):
    """Anything that events can be shot through."""

    async def shoot(self, order: Order) -> Shot:
        """Send, wait until all is through, measure."""


async def most(path: Path, order: Order) -> Shot | None:
    """Find the highest rate that is sustained: from the order's up a ladder, then by half steps.

    A rung that failed is tried once more: the machine may have had other things to do. None if not even a
    hundredth of the first rate is sustained.
    """
    rate, step, best = order.rate, STEP, None
    while step > FINEST and rate > order.rate / 100:
        shot = await _try(path, Order(order.symbols, order.frame, rate, order.seconds, order.quotes))
        if shot.sustained:
            best, rate = shot, rate * step
        elif best is None:
            rate /= 2
        else:
            step = step**0.5
            rate = best.rate * step
    return best


async def _try(path: Path, order: Order) -> Shot:
    for _ in range(TRIES - 1):
        shot = await path.shoot(order)
        if shot.sustained:
            return shot
    return await path.shoot(order)


async def grid(frames: tuple[int, ...], counts: tuple[int, ...], seconds: float) -> list[Shot]:
    """Measure every frame size with every number of symbols; trades only."""
    found = []
    for symbols in counts:
        async with rig(symbols, "trade") as table:
            for frame in frames:
                shot = await most(table, Order(symbols, frame, FIRST_RATE[frame], seconds))
                if shot is not None:
                    found.append(shot)
    return found


async def with_quotes(symbols: int, seconds: float) -> Shot | None:
    """Do so for a tape of which two thirds are quotes, in large frames."""
    async with rig(symbols, "trade", "quote") as table:
        return await most(table, Order(symbols, 100, FIRST_RATE[100], seconds, quotes=True))


async def at_rate(rate: float, seconds: float, rounds: int) -> Shot:
    """Offer one rate in large frames of 300 symbols' trades; returns the cheapest round."""
    async with rig(300, "trade") as table:
        shots = [await table.shoot(Order(300, 100, rate, seconds)) for _ in range(rounds)]
    return min(shots, key=lambda shot: shot.house_us)
