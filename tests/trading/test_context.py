"""The context: sizes, time, what is shared and what is not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.trading.context import CallContext, House
from tests.kit.session import DAY, at


def a_context(value: float = 100_000.0, risk: float = 0.001) -> CallContext:
    return CallContext(House(DAY, value, risk), "mine", "AAPL", {}, {})


def test_the_risk_buys_whole_shares_down_to_the_stop() -> None:
    assert a_context().shares_for_risk(50.0, 49.7) == 333
    assert a_context().shares_for_risk(49.7, 50.0) == 333
    assert a_context().shares_for_risk(50.0, 49.0, risk_pct=1.0) == 1000


@pytest.mark.parametrize("stop", [50.0, math.nan, math.inf])
def test_no_distance_buys_nothing(stop: float) -> None:
    assert a_context().shares_for_risk(50.0, stop) == 0


@pytest.mark.parametrize(
    ("price", "dollars", "shares"), [(30.0, 100.0, 3), (0.0, 100.0, 0), (math.nan, 100.0, 0), (30.0, -1.0, 0)]
)
def test_dollars_buy_whole_shares(price: float, dollars: float, shares: int) -> None:
    assert a_context().shares_for_value(price, dollars) == shares


@given(st.floats(1, 1e6), st.floats(0.0001, 1), st.floats(1, 1000), st.floats(0.01, 100))
def test_a_stop_never_costs_more_than_the_risk(value: float, risk: float, price: float, gap: float) -> None:
    stop = price + gap
    shares = a_context(value, risk).shares_for_risk(price, stop)
    assert shares * abs(price - stop) <= value * risk * (1 + 1e-9)


def test_a_call_has_its_time() -> None:
    context = a_context().at(at(10), None)
    assert (context.minutes_since_open, context.minutes_to_close, context.now_ns) == (10, 380, at(10))


def test_a_state_that_nobody_touched_has_not_changed() -> None:
    context = a_context()
    context.state["n"] = 1
    assert context.changed_state() is None
    context.at(at(0), None)
    assert context.changed_state() == {"n": 1}


def test_a_changed_state_is_a_copy() -> None:
    context = a_context().at(at(0), None)
    context.state["list"] = []
    copy = context.changed_state()
    context.state["list"].append(1)
    assert copy == {"list": []}


def test_a_state_that_is_no_dict_any_more_is_refused() -> None:
    context = a_context().at(at(0), None)
    context.state = [1]  # type: ignore[assignment] # the fault under test
    with pytest.raises(TypeError, match="it must stay a dict"):
        context.changed_state()
    assert context.state == {}


def a_share(worth: float, free: float) -> CallContext:
    house = House(DAY, 100_000.0, 0.001)
    house.shares["mine"] = worth, free
    return CallContext(house, "mine", "AAPL", {}, {})


def test_a_portfolio_is_what_its_strategy_reckons_with() -> None:
    assert a_share(20_000.0, 5_000.0).portfolio_value == 20_000
    assert a_context().portfolio_value == 100_000


def test_free_money_buys_whole_shares_fees_on_top() -> None:
    context = a_share(20_000.0, 5_000.0)
    assert context.calc_qty(100.0) == 50
    assert context.calc_qty(100.0, fraction=0.5) == 25
    assert context.calc_qty(100.0, fee_percent=1.0) == 49
    assert context.calc_qty(0.0) == 0
    assert a_share(20_000.0, 0.0).calc_qty(1.0) == 0


def test_without_a_portfolio_nobody_counts_what_is_at_work() -> None:
    assert a_context().calc_qty(100.0) == 1_000
    assert a_context().shares_for_risk(1_000.0, 999.5) == 200  # whatever it costs: limits bound it


def test_the_risk_never_buys_more_than_is_free() -> None:
    assert a_share(20_000.0, 5_000.0).shares_for_risk(100.0, 99.0) == 20
    assert a_share(20_000.0, 1_000.0).shares_for_risk(100.0, 99.9) == 10
    assert a_share(-5_000.0, 0.0).shares_for_risk(100.0, 99.0) == 0


@given(
    st.floats(-1e6, 1e7), st.floats(0, 1e7), st.floats(0.01, 1e4), st.floats(0.001, 100), st.floats(0, 100)
)
def test_no_size_costs_more_than_what_is_free(
    worth: float, free: float, price: float, gap: float, fee: float
) -> None:
    context = a_share(worth, free)
    assert context.shares_for_risk(price, price - gap) * price <= free * (1 + 1e-9)
    assert context.calc_qty(price, fee_percent=fee) * price * (1 + fee / 100) <= free * (1 + 1e-9)
