"""Prices on the tick."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.orders import Side
from liu_tui.trading.prices import Toward, is_price, limit_price, target_price, to_tick, trigger_price


def test_a_limit_never_pays_more_and_never_takes_less() -> None:
    assert limit_price(10.156, Side.BUY) == 10.15
    assert limit_price(10.151, Side.SELL) == 10.16


def test_a_stop_moves_outward_and_a_target_inward() -> None:
    assert trigger_price(9.876, Side.SELL) == 9.87
    assert trigger_price(9.871, Side.BUY) == 9.88
    assert target_price(11.119, Side.SELL) == 11.11
    assert target_price(8.881, Side.BUY) == 8.89


def test_below_a_dollar_four_decimals_count() -> None:
    assert limit_price(0.12345, Side.BUY) == 0.1234


@given(st.integers(100, 10_000_000))
def test_a_price_on_the_tick_stays_where_it_is(cents: int) -> None:
    price = cents / 100
    assert to_tick(price, Toward.DOWN) == to_tick(price, Toward.UP) == price


@pytest.mark.parametrize("wrong", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_price_is_none(wrong: float | None) -> None:
    assert not is_price(wrong)
