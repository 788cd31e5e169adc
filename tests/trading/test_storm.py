"""Storms: whatever fails, and whenever the desk is killed, no order is lost, doubled or forgotten."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kit import stormdeeds
from tests.kit.storm import Storm
from tests.kit.stormchecks import survived


@pytest.mark.parametrize("first", range(1, 151, 25))
def test_after_a_storm_books_exchange_and_strategies_agree_and_a_flatten_ends_flat(first: int) -> None:
    kills: Counter[str] = Counter()
    for seed in range(first, first + 25):
        storm, found = survived(seed, 50)
        assert not found, f"seed {seed}: {found[:5]}"
        kills += storm.kills
    assert kills.total() > 50
    assert {"before the commit", "after the commit"} <= kills.keys()


def test_the_same_seed_makes_the_same_storm() -> None:
    storms = [Storm(7), Storm(7)]
    for storm in storms:
        stormdeeds.run(storm, 50)
    assert storms[0].log == storms[1].log
    assert storms[0].rows.events == storms[1].rows.events
    assert storms[0].rows.fills == storms[1].rows.fills
    assert storms[0].door.seen == storms[1].door.seen
