"""Moments: Python's slice rules for positions, New York's time for the rest, in any mixture."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.calendar import to_datetime
from liu_tui.market.moments import day_named, day_slice, moment_ns, positions, standing
from liu_tui.model.market import MINUTE_NS
from tests.kit.market import at

STARTS = [at("09:30") + n * MINUTE_NS for n in (0, 1, 2, 5, 9, 10)]
ROWS = np.array(STARTS, np.int64)

POSITIONS = st.none() | st.integers(-9, 9)
MOMENTS = st.integers(-3, 14).map(lambda n: at("09:30") + n * MINUTE_NS).map(to_datetime)
STEPS = st.none() | st.integers(-4, 4).filter(bool)


@given(POSITIONS, POSITIONS, STEPS)
def test_positions_are_cut_as_python_cuts(start: int | None, stop: int | None, step: int | None) -> None:
    key = slice(start, stop, step)
    assert ROWS[positions(ROWS, key)].tolist() == STARTS[key]


@given(MOMENTS, MOMENTS, st.none() | st.integers(1, 4))
def test_forward_a_slice_of_moments_holds_the_start_and_not_the_stop(
    start: datetime, stop: datetime, step: int | None
) -> None:
    inside = [t for t in STARTS if moment_ns(start) <= t < moment_ns(stop)]
    assert ROWS[positions(ROWS, slice(start, stop, step))].tolist() == inside[::step]


@given(MOMENTS, MOMENTS, st.integers(-4, -1))
def test_backward_a_slice_of_moments_holds_the_start_and_not_the_stop(
    start: datetime, stop: datetime, step: int
) -> None:
    inside = [t for t in reversed(STARTS) if moment_ns(start) >= t > moment_ns(stop)]
    assert ROWS[positions(ROWS, slice(start, stop, step))].tolist() == inside[::-step]


@given(POSITIONS | MOMENTS, POSITIONS | MOMENTS, STEPS)
def test_ends_may_be_of_different_kinds(start: Any, stop: Any, step: int | None) -> None:
    """A moment is where it would stand among the rows; past that the rules are Python's."""
    forward = step is None or step > 0
    found = ROWS[positions(ROWS, slice(start, stop, step))].tolist()
    kept = STARTS[:: 1 if forward else -1]
    whole = [
        t
        for t in kept
        if _within(t, start, stop, forward=forward) and t in STARTS[_ints(start, stop, forward=forward)]
    ]
    assert found == whole[:: abs(step or 1)]


def _ints(start: Any, stop: Any, *, forward: bool) -> slice:
    first = start if isinstance(start, int) else None
    last = stop if isinstance(stop, int) else None
    return slice(first, last, 1 if forward else -1)


def _within(t_ns: int, start: Any, stop: Any, *, forward: bool) -> bool:
    after = not isinstance(start, datetime) or (
        t_ns >= moment_ns(start) if forward else t_ns <= moment_ns(start)
    )
    before = not isinstance(stop, datetime) or (t_ns < moment_ns(stop) if forward else t_ns > moment_ns(stop))
    return after and before


def test_numpys_integers_are_positions() -> None:
    assert ROWS[positions(ROWS, slice(np.int64(1), np.int32(-1)))].tolist() == STARTS[1:-1]


def test_what_is_no_position_and_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="step cannot be zero"):
        positions(ROWS, slice(None, None, 0))
    with pytest.raises(TypeError):
        positions(ROWS, slice(1.5, None))
    with pytest.raises(TypeError, match=r"1\.5 is no position and no moment"):
        moment_ns(1.5)  # type: ignore[arg-type] # on purpose
    with pytest.raises(ValueError, match="'yesterday' is no time: write it as '2026-01-05'"):
        moment_ns("yesterday")


@pytest.mark.parametrize(
    "moment",
    [
        "2024-08-26 09:30", "2024-08-26T09:30:00", "2024-08-26 13:30+00:00",
        datetime(2024, 8, 26, 9, 30),  # noqa: DTZ001 - naive is New York's
        datetime(2024, 8, 26, 13, 30, tzinfo=UTC), pd.Timestamp("2024-08-26 09:30", tz="America/New_York"),
    ],
)  # fmt: skip
def test_a_moment_is_new_yorks_unless_it_says_otherwise(moment: str | datetime) -> None:
    assert moment_ns(moment) == at("09:30")
    assert day_named(moment) is None


@pytest.mark.parametrize("moment", ["2024-08-26", " 2024-08-26 ", date(2024, 8, 26)])
def test_a_day_is_its_midnight(moment: str | date) -> None:
    assert moment_ns(moment) == at("2024-08-26 00:00")
    assert day_named(moment) == date(2024, 8, 26)


def test_a_days_rows_are_those_between_its_midnights() -> None:
    rows = np.array([at("2024-08-25 23:59"), *STARTS, at("2024-08-27 00:00")], np.int64)
    assert rows[day_slice(rows, date(2024, 8, 26))].tolist() == STARTS


def test_a_moment_stands_at_the_row_that_started_last() -> None:
    assert standing(ROWS, "2024-08-26 09:34:59") == 2
    assert standing(ROWS, "2030-01-01") == 5
    with pytest.raises(KeyError, match="lies before the first bar"):
        standing(ROWS, "2024-08-26 09:29")


def test_without_rows_every_slice_is_empty() -> None:
    none = np.zeros(0, np.int64)
    for key in (slice(None), slice("2024-08-26", None), slice(None, None, -1), slice("2024-08-26", None, -1)):
        assert none[positions(none, key)].size == 0
