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
