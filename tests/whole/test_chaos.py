"""Chaos in its short form: some kills and faults in a session that trades, and then everything agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.chaos import DEEDS, Chaos

pytestmark = pytest.mark.timeout(240)

WANTED = (
    *("lost answers", "updates lost", "500", "kill desk", "504", "updates twice", "kill consumer", "bust"),
    *("updates late", "updates disordered", "updates cut", "kill market", "kill desk"),
)


async def test_nothing_is_lost_doubled_or_forgotten_whatever_dies_or_lies(tmp_path: Path) -> None:
    chaos = Chaos(tmp_path, seed=11, speed=30.0)
    try:
        await chaos.begin()
        for name in WANTED:
            await DEEDS[name](chaos)
        assert await chaos.end() == []
    finally:
        await chaos.leave()
        chaos.house.close()
    assert chaos.kills == {"desk": 2, "consumer": 1, "market": 1}
    assert {"updates_cut", "bust"} <= set(chaos.faults)
    assert chaos.orders > 50
