"""How many events a second go through, and what each costs: by frame size and number of symbols."""

from __future__ import annotations

from benchmarks.kit.rig import Rig, Shot, rig
from benchmarks.kit.server import Order

LADDER = 1.3
FIRST_RATE = {1: 15_000.0, 10: 40_000.0, 100: 60_000.0}
TRIES = 2


async def most(table: Rig, frame: int, symbols: int, seconds: float, *, quotes: bool = False) -> Shot | None:
    """Find the highest rate that is sustained: up a ladder, then half a step; a rung may be tried twice."""
    rate, best = FIRST_RATE[frame], None
    step = LADDER
    while step > 1.05:
        shot = await _try(table, Order(symbols, frame, rate, seconds, quotes))
        if shot.sustained:
            best, rate = shot, rate * step
            continue
        step = step**0.5
        rate = best.rate * step if best is not None else rate / LADDER
        if best is None and rate < 500:
            return None
    return best


async def _try(table: Rig, order: Order) -> Shot:
    for _ in range(TRIES - 1):
        shot = await table.shoot(order)
        if shot.sustained:
            return shot
    return await table.shoot(order)


async def grid(frames: tuple[int, ...], counts: tuple[int, ...], seconds: float) -> list[Shot]:
    """Measure every frame size with every number of symbols; trades only."""
    found = []
    for symbols in counts:
        async with rig(symbols, "trade") as table:
            for frame in frames:
                shot = await most(table, frame, symbols, seconds)
                if shot is not None:
                    found.append(shot)
    return found


async def with_quotes(seconds: float) -> Shot | None:
    """Do so for a tape of which two thirds are quotes."""
    async with rig(300, "trade", "quote") as table:
        return await most(table, 100, 300, seconds, quotes=True)
