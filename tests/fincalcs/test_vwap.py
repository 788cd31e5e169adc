"""VWAP: of a session, from an anchor, with its deviation; never a look ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.fincalcs.vwap import anchored_vwap, session_vwap, typical_price, vwap_deviation

prices = st.floats(1, 1000, allow_nan=False)
volumes = st.floats(0, 1e6).map(round)
bars = st.lists(st.tuples(prices, volumes), min_size=1, max_size=40)


def test_it_weighs_prices_by_volume() -> None:
    assert session_vwap([10, 20], [1, 3]).tolist() == [10.0, 17.5]


def test_it_starts_anew_with_a_session() -> None:
    assert session_vwap([10, 20, 30], [1, 1, 1], [1, 1, 2]).tolist() == [10.0, 15.0, 30.0]


def test_it_is_unknown_until_a_share_trades() -> None:
    assert np.isnan(session_vwap([10, 20], [0, 1])).tolist() == [True, False]


def test_an_anchor_hides_what_came_before() -> None:
    out = anchored_vwap([10, 20, 30], [1, 1, 1], -2)
    assert np.isnan(out[0])
    assert out[1:].tolist() == [20.0, 25.0]
    with pytest.raises(IndexError):
        anchored_vwap([10], [1], 1)


def test_lengths_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match="price has 2 bars, volume 1"):
        session_vwap([1, 2], [1])
    with pytest.raises(ValueError, match="price has 1 bars, session 2"):
        session_vwap([1], [1], [1, 2])


def test_the_typical_price_is_the_mean_of_three() -> None:
    assert typical_price([12], [9], [9]).tolist() == [10.0]


@given(bars)
def test_it_lies_between_the_lowest_and_the_highest_price(rows: list[tuple[float, int]]) -> None:
    price, volume = np.array(rows, float).T
    out = session_vwap(price, volume)
    known = ~np.isnan(out)
    assert (out[known] >= price.min() * (1 - 1e-9)).all()
    assert (out[known] <= price.max() * (1 + 1e-9)).all()


@given(bars, st.integers(0, 39))
def test_a_later_bar_changes_no_earlier_value(rows: list[tuple[float, int]], cut: int) -> None:
    price, volume = np.array(rows, float).T
    session = np.arange(len(rows)) // 7
    for calculate in (session_vwap, vwap_deviation):
        whole = calculate(price, volume, session)
        np.testing.assert_array_equal(whole[:cut], calculate(price[:cut], volume[:cut], session[:cut]))


@given(bars)
def test_the_deviation_is_that_of_the_definition(rows: list[tuple[float, int]]) -> None:
    price, volume = np.array(rows, float).T
    if volume.sum() > 0:
        mean = np.average(price, weights=volume)
        expected = np.sqrt(np.average((price - mean) ** 2, weights=volume))
        assert vwap_deviation(price, volume)[-1] == pytest.approx(expected, abs=1e-3)
