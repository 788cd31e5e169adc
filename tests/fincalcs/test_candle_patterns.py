"""Candle patterns: each on a bar that shows it, none looks ahead."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.fincalcs import candle_patterns as cp

PATTERNS: list[Callable[..., cp.Flags]] = [
    cp.doji,
    cp.four_price_doji,
    cp.gravestone,
    cp.dragonfly,
    cp.spinning_top,
    cp.bullish,
    cp.bearish,
    cp.bullish_engulfing,
    cp.bearish_engulfing,
]


@pytest.mark.parametrize(
    ("pattern", "bar"),
    [
        (cp.doji, (10.1, 10.2, 10.0, 10.1)),
        (cp.four_price_doji, (10.1, 10.1, 10.1, 10.1)),
        (cp.gravestone, (10.0, 10.5, 10.0, 10.01)),
        (cp.dragonfly, (10.5, 10.51, 10.0, 10.5)),
        (cp.spinning_top, (10.0, 10.1, 9.91, 10.02)),
        (cp.bullish, (10.0, 10.31, 9.99, 10.3)),
        (cp.bearish, (10.3, 10.31, 9.99, 10.0)),
    ],
)
def test_a_bar_shows_its_pattern(pattern: Callable[..., cp.Flags], bar: tuple[float, ...]) -> None:
    assert pattern(*([price] for price in bar)).tolist() == [True]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_ordinary_bar_shows_none(pattern: Callable[..., cp.Flags]) -> None:
    assert pattern([10.0], [10.3], [9.95], [10.1]).tolist() == [False]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_bars_show_nothing(pattern: Callable[..., cp.Flags]) -> None:
    assert pattern([], [], [], []).tolist() == []


def test_engulfing_is_marked_on_the_second_bar() -> None:
    first, second = (10.2, 10.25, 10.05, 10.1), (10.05, 10.35, 10.0, 10.3)
    columns = list(zip(first, second, strict=True))
    assert cp.bullish_engulfing(*columns).tolist() == [False, True]
    mirrored = [tuple(20 - price for price in column) for column in columns]
    mirrored[1], mirrored[2] = mirrored[2], mirrored[1]
    assert cp.bearish_engulfing(*mirrored).tolist() == [False, True]


def test_prices_are_compared_in_cents() -> None:
    assert cp.four_price_doji([0.1 + 0.2], [0.3], [0.3], [0.3]).tolist() == [True]


cents = st.integers(900, 1100)


@given(st.lists(st.tuples(cents, cents, cents, cents), min_size=1, max_size=30), st.integers(0, 30))
def test_a_later_bar_changes_no_earlier_value(rows: list[tuple[int, int, int, int]], cut: int) -> None:
    ordered = np.sort(np.array(rows) / 100, axis=1)
    columns = [ordered[:, 1], ordered[:, 3], ordered[:, 0], ordered[:, 2]]
    for pattern in PATTERNS:
        whole = pattern(*columns)
        assert whole[:cut].tolist() == pattern(*(column[:cut] for column in columns)).tolist()
