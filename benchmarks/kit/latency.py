"""How long an event takes from the wire to the strategy's call, at rates offered."""

from __future__ import annotations

from statistics import median

import msgspec

from benchmarks.kit.rig import Shot, rig
from benchmarks.kit.server import Order

OFFERED = ((2_000.0, 2), (10_000.0, 10), (50_000.0, 50), (200_000.0, 100))
"""Events a second, and messages a frame: at least a thousand frames a second, as from a live feed."""
SYMBOLS = 300


async def latencies(seconds: float, rounds: int) -> list[Shot]:
    """Offer each rate several times, in turn; returns the median of each figure."""
    taken: dict[float, list[Shot]] = {rate: [] for rate, _frame in OFFERED}
    async with rig(SYMBOLS, "trade") as table:
        for _ in range(rounds):
            for rate, frame in OFFERED:
                taken[rate].append(await table.shoot(Order(SYMBOLS, frame, rate, seconds)))
    return [_middle(shots) for shots in taken.values()]


def _middle(shots: list[Shot]) -> Shot:
    """The shots' medians; what was merged, discarded or lost is the worst of them."""
    return msgspec.structs.replace(
        shots[0],
        lags_ms=tuple(median(shot.lags_ms[n] for shot in shots) for n in range(3)),
        cpu_us=tuple(median(shot.cpu_us[n] for shot in shots) for n in range(3)),
        late_ms=tuple(median(shot.late_ms[n] for shot in shots) for n in range(2)),
        merged=max(shot.merged for shot in shots),
        discarded=max(shot.discarded for shot in shots),
        lost=max(shot.lost for shot in shots),
    )
