"""Support and resistance: turning points, reported when they are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.fincalcs.support_resistance import cluster, nearest_resistance, nearest_support, peaks, troughs

series = st.lists(st.integers(90, 110).map(float), max_size=40)


def known(values: np.typing.NDArray[np.float64]) -> dict[int, float]:
    return {at: value for at, value in enumerate(values.tolist()) if not np.isnan(value)}


def test_a_peak_is_reported_by_the_bar_that_confirms_it() -> None:
    assert known(peaks([1, 3, 2, 2, 5, 4])) == {2: 3.0, 5: 5.0}
    assert known(peaks([1, 2, 5, 4, 3, 9], span=2)) == {4: 5.0}


def test_a_trough_is_a_peak_upside_down() -> None:
    assert known(troughs([3, 1, 2])) == {2: 1.0}


def test_a_flat_top_is_one_peak() -> None:
    assert known(peaks([1, 3, 3, 1])) == {2: 3.0}


def test_the_nearest_levels_lie_around_the_close() -> None:
    high = [1, 9, 2, 7, 3, 4, 3]
    assert nearest_resistance(high, [3.5] * 7, span=1)[-1] == 4
    assert nearest_resistance(high, [5.0] * 7, span=1)[-1] == 7
    assert nearest_resistance(high, [5.0] * 7, span=1, window=2)[-1:].tolist() != [7.0]
    assert np.isnan(nearest_resistance(high, [10.0] * 7, span=1)).all()
    low = [-price for price in high]
    assert nearest_support(low, [-3.5] * 7, span=1)[-1] == -4


def test_levels_close_together_become_one() -> None:
    assert cluster([100, 101, np.nan, 110]).tolist() == [100.5, 110.0]
    assert cluster([]).tolist() == []


def test_a_span_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="span was 0"):
        peaks([1, 2, 3], span=0)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="3 bars of extremes, 2 of closes"):
        nearest_support([1, 2, 3], [1, 2])


@given(series, st.integers(0, 40), st.integers(1, 4))
def test_a_later_bar_changes_no_earlier_value(values: list[float], cut: int, span: int) -> None:
    for calculate in (peaks, troughs):
        np.testing.assert_array_equal(calculate(values, span)[:cut], calculate(values[:cut], span))
    for nearest in (nearest_resistance, nearest_support):
        whole = nearest(values, values, span=span, window=10)
        np.testing.assert_array_equal(whole[:cut], nearest(values[:cut], values[:cut], span=span, window=10))
