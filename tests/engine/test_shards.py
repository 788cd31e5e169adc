"""Shards: which consumer serves a symbol never changes from one day, one machine or one build to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.shards import NAMES, SYMBOLS_PER_CONSUMER, consumer_names, shard_of


@pytest.mark.parametrize(
    ("name", "of_two", "of_three", "of_eight"),
    [("AAPL", 0, 0, 4), ("TSLA", 1, 0, 7), ("F", 0, 2, 0), ("BRK.B", 0, 0, 4), ("momentum", 0, 0, 4)],
)
def test_a_symbol_has_the_place_it_has_always_had(
    name: str, of_two: int, of_three: int, of_eight: int
) -> None:
    assert [shard_of(name, n) for n in (2, 3, 8)] == [of_two, of_three, of_eight]


@given(st.text(max_size=12), st.integers(1, 26))
def test_every_name_has_a_place_among_the_consumers(name: str, consumers: int) -> None:
    assert 0 <= shard_of(name, consumers) < consumers


def test_two_consumers_share_a_day_about_evenly() -> None:
    names = [f"{a}{b}{c}" for a in NAMES for b in NAMES[:5] for c in NAMES[:5]]
    first = sum(shard_of(name, 2) == 0 for name in names)
    assert 0.4 < first / len(names) < 0.6


def test_the_plan_may_say_how_many_consumers_there_are() -> None:
    assert consumer_names(3, 10) == ("A", "B", "C")
    assert len(consumer_names(26, 10)) == 26


@pytest.mark.parametrize(
    ("cpus", "symbols", "count"),
    [
        (2, 100, 2),
        (8, 100, 2),
        (8, SYMBOLS_PER_CONSUMER, 1),
        (8, SYMBOLS_PER_CONSUMER + 1, 2),
        (2, 2000, 2),
        (1, 9, 1),
    ],
)
def test_else_cpus_and_symbols_decide(
    monkeypatch: pytest.MonkeyPatch, cpus: int, symbols: int, count: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cpus)
    assert len(consumer_names(0, symbols)) == count


def test_a_machine_that_hides_its_cpus_gets_one_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert consumer_names(0, 500) == ("A",)
