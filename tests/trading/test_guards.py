"""Every guard: what it refuses, with which code and numbers, and what just passes. None refuses an exit."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.orders import Operation, TimeInForce
from liu_tui.plan.schema import Limits
from liu_tui.trading import guard_money, guard_orders, guard_states
from liu_tui.trading.codes import CODES
from liu_tui.trading.guards import GUARDS, refuse
from liu_tui.trading.risk import Ask, Facts, Guard, increases_exposure


def an_ask(operation: Operation = Operation.BUY, qty: float = 100.0, **words: Any) -> Ask:
    said = {"strategy": "s", "symbol": "TSLA", "operation": operation, "qty": qty, "price": 10.0, **words}
    return Ask(**said)


def facts(limits: dict[str, float] | None = None, **words: Any) -> Facts:
    return Facts(limits=Limits(**(limits or {})), **words)  # type: ignore[arg-type] # built from words


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that one guard refuses, with these numbers; inside: the facts under which it just passes."""

    guard: str
    code: str
    over: Facts
    numbers: dict[str, Any]
    inside: Facts
    ask: Ask = an_ask()
    ask_inside: Ask | None = None


SHORT = an_ask(Operation.SHORT)
BY_ANN = {"by": "ann", "reason": "tea"}

CASES = [
    Case(
        guard="unreconciled", code="UNRECONCILED", over=facts(unreconciled="10 and 0"), inside=facts(),
        numbers={"symbol": "TSLA", "difference": "10 and 0"},
    ),
    Case(guard="ready", code="NOT_READY", over=facts(ready=False), inside=facts(), numbers={}),
    Case(
        guard="daily_loss", code="DAILY_LOSS_REACHED", over=facts({"max_daily_loss": 50.0}, result=-50.0),
        inside=facts({"max_daily_loss": 50.0}, result=-49.99), numbers={"loss": 50.0, "limit": 50.0},
    ),
    Case(
        guard="drawdown", code="DRAWDOWN_REACHED", over=facts({"max_drawdown": 50.0}, result=30.0, peak=80.0),
        inside=facts({"max_drawdown": 50.0}, result=30.01, peak=80.0),
        numbers={"fall": 50.0, "peak": 80.0, "limit": 50.0},
    ),
    Case(
        guard="state", code="PAUSED", over=facts(state="REDUCING", state_by="ann", state_reason="tea"),
        inside=facts(), numbers=BY_ANN,
    ),
    Case(
        guard="state", code="HALTED", over=facts(state="HALTED", state_by="ann", state_reason="tea"),
        inside=facts(), numbers=BY_ANN,
    ),
    Case(
        guard="vetoed", code="VETOED", over=facts(veto=("ann", "tea")), inside=facts(),
        numbers={"symbol": "TSLA", **BY_ANN},
    ),
    Case(
        guard="closing_soon", code="CLOSING_SOON", over=facts(closing_soon=True, liquidate_min=15.0),
        inside=facts(liquidate_min=15.0), numbers={"minutes": 15.0},
    ),
    Case(
        guard="flattening", code="FLATTENING", over=facts(closing="flatten by ann"), inside=facts(),
        numbers={"symbol": "TSLA", "reason": "flatten by ann"},
    ),
    Case(
        guard="symbol_resting", code="SYMBOL_COOLDOWN",
        over=facts({"symbol_cooldown_min": 10.0}, symbol_rest_min=0.5, symbol_loss=12.0),
        inside=facts({"symbol_cooldown_min": 10.0}, symbol_rest_min=0.0, symbol_loss=12.0),
        numbers={"symbol": "TSLA", "loss": 12.0, "minutes": 0.5, "limit": 10.0},
    ),
    Case(
        guard="strategy_resting", code="STRATEGY_COOLDOWN",
        over=facts({"max_losses_in_row": 3}, strategy_rest_min=0.5, losses_in_row=3),
        inside=facts({"max_losses_in_row": 3}, strategy_rest_min=0.0, losses_in_row=3),
        numbers={"strategy": "s", "count": 3, "limit": 3, "minutes": 0.5},
    ),
    Case(
        guard="quantity", code="BAD_QUANTITY", ask=an_ask(qty=0.0), over=facts(), inside=facts(),
        ask_inside=an_ask(qty=0.5), numbers={"qty": 0.0, "why": "it must be positive"},
    ),
    Case(
        guard="possible", code="NOT_POSSIBLE", ask=an_ask(stop=9.0, tif=TimeInForce.IOC), over=facts(),
        inside=facts(), ask_inside=an_ask(stop=9.0, tif=TimeInForce.GTC),
        numbers={"why": "an entry with a stop or a target must be day or gtc, not ioc"},
    ),
    Case(
        guard="prices", code="BAD_PRICES", ask=an_ask(stop=10.0), over=facts(), inside=facts(),
        ask_inside=an_ask(stop=9.99), numbers={"why": "the stop 10 must be below the price 10"},
    ),
    Case(
        guard="pending", code="EXIT_PENDING", over=facts(exiting=True), inside=facts(),
        numbers={"symbol": "TSLA"},
    ),
    Case(
        guard="pending", code="ENTRY_PENDING", over=facts(entry_qty=5.0, entry_state="new"), inside=facts(),
        numbers={"qty": 5.0, "symbol": "TSLA", "state": "new"},
    ),
    Case(
        guard="opposite", code="OPPOSITE_POSITION", over=facts(others=-5.0, holder="fade"),
        inside=facts(others=5.0, holder="fade"), numbers={"holder": "fade", "held": -5.0, "symbol": "TSLA"},
    ),
    Case(
        guard="duplicate", code="DUPLICATE_ORDER", over=facts({"duplicate_window_s": 10.0}, same_age_s=9.0),
        inside=facts({"duplicate_window_s": 10.0}, same_age_s=10.0),
        numbers={"symbol": "TSLA", "seconds": 9.0, "limit": 10.0},
    ),
    Case(
        guard="stale", code="PRICE_STALE", over=facts({"max_price_age_s": 60.0}, price_age_s=61.0),
        inside=facts({"max_price_age_s": 60.0}, price_age_s=60.0),
        numbers={"symbol": "TSLA", "seconds": 61.0, "limit": 60.0},
    ),
    Case(
        guard="collar", code="PRICE_COLLAR", ask=an_ask(limit=12.0, price=12.0),
        over=facts({"price_collar_percent": 10.0}, offered=10.0, last=12.0),
        inside=facts({"price_collar_percent": 20.0}, offered=10.0, last=12.0),
        numbers={"symbol": "TSLA", "price": 12.0, "market": 10.0, "percent": 20.0, "limit": 10.0},
    ),
    Case(
        guard="order_value", code="MAX_ORDER_VALUE", over=facts({"max_order_value": 999.0}),
        inside=facts({"max_order_value": 1_000.0}), numbers={"value": 1_000.0, "limit": 999.0},
    ),
    Case(
        guard="position_value", code="MAX_POSITION_VALUE",
        over=facts({"max_position_value": 1_500.0}, symbol_value=501.0),
        inside=facts({"max_position_value": 1_500.0}, symbol_value=500.0),
        numbers={"symbol": "TSLA", "value": 1_501.0, "limit": 1_500.0},
    ),
    Case(
        guard="gross_value", code="MAX_GROSS_VALUE",
        over=facts({"max_gross_value": 1_500.0}, gross_value=501.0),
        inside=facts({"max_gross_value": 1_500.0}, gross_value=500.0),
        numbers={"value": 1_501.0, "limit": 1_500.0},
    ),
    Case(
        guard="open_positions", code="MAX_OPEN_POSITIONS",
        over=facts({"max_open_positions": 3}, open_positions=3),
        inside=facts({"max_open_positions": 3}, open_positions=2), numbers={"count": 3, "limit": 3},
    ),
    Case(
        guard="order_rate", code="ORDER_RATE", over=facts({"max_orders_per_minute": 2}, sent_last_minute=2),
        inside=facts({"max_orders_per_minute": 2}, sent_last_minute=1), numbers={"count": 2, "limit": 2},
    ),
    Case(
        guard="day_orders", code="MAX_ORDERS_PER_DAY", over=facts({"max_orders_per_day": 9}, sent_today=9),
        inside=facts({"max_orders_per_day": 9}, sent_today=8), numbers={"count": 9, "limit": 9},
    ),
    Case(
        guard="buying_power", code="BUYING_POWER_USED", over=facts(buying_power=999.0),
        inside=facts(buying_power=1_000.0), numbers={"value": 1_000.0, "left": 999.0},
    ),
    Case(
        guard="allocation", code="ALLOCATION_USED", over=facts(allocation=1_500.0, allocated=501.0),
        inside=facts(allocation=1_500.0, allocated=500.0),
        numbers={"strategy": "s", "value": 1_501.0, "limit": 1_500.0},
    ),
]  # fmt: skip

EXITS = [
    (Operation.SELL, 100.0, 100.0), (Operation.SELL, 40.0, 100.0), (Operation.COVER, 100.0, -100.0),
    (Operation.BUY, 40.0, -100.0), (Operation.SHORT, 40.0, 100.0), (Operation.SELL, 0.0, 100.0),
    (Operation.SELL, float("nan"), 100.0), (Operation.COVER, 0.0, -100.0),
]  # fmt: skip


def named(case: Case) -> str:
    return f"{case.guard}-{case.code}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_an_entry_over_the_limit_is_refused_with_its_code_and_numbers(case: Case) -> None:
    no = refuse(case.ask, case.over)
    assert no is not None
    assert no.code == case.code
    assert json.loads(no.numbers) == pytest.approx(case.numbers)
    assert no.words
    assert "{" not in no.words
    (guard,) = [guard for guard in GUARDS if guard.__name__ == case.guard]
    assert guard(case.ask, case.over) == no


@pytest.mark.parametrize("case", CASES, ids=named)
def test_an_entry_just_inside_the_limit_passes(case: Case) -> None:
    assert refuse(case.ask_inside or case.ask, case.inside) is None


@pytest.mark.parametrize("case", CASES, ids=named)
@pytest.mark.parametrize(("operation", "qty", "held"), EXITS)
def test_what_refuses_an_entry_lets_every_exit_pass(
    case: Case, operation: Operation, qty: float, held: float
) -> None:
    ask = msgspec.structs.replace(case.ask, operation=operation, qty=qty)
    assert refuse(ask, msgspec.structs.replace(case.over, position=held)) is None


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_every_guard_has_a_case(guard: Guard) -> None:
    assert guard.__name__ in {case.guard for case in CASES}


def test_every_code_that_a_guard_may_give_has_a_case() -> None:
    rooms = (guard_states, guard_orders, guard_money)
    given_codes = {
        code for room in rooms for code in re.findall(r'"([A-Z][A-Z_]+)"', inspect.getsource(room))
    }
    assert given_codes & CODES.keys() == {case.code for case in CASES}


# anything at all

TIGHT = Limits(
    max_open_positions=1, max_order_value=0.01, max_position_value=0.01, max_gross_value=0.01,
    max_daily_loss=0.01, max_drawdown=0.01, max_orders_per_minute=1, max_orders_per_day=1,
    price_collar_percent=0.01, duplicate_window_s=1e9, max_price_age_s=0.01, symbol_cooldown_min=1e9,
    max_losses_in_row=1, strategy_cooldown_min=1e9,
)  # fmt: skip

_BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 10_000),
    float: st.floats(),
    float | None: st.none() | st.floats(),
    str: st.sampled_from(["", "ACTIVE", "REDUCING", "HALTED", "flatten"]),
    tuple[str, str] | None: st.none() | st.just(("ann", "tea")),
}
ANY_FACTS = st.fixed_dictionaries(
    {field.name: _BY_TYPE[field.type] for field in msgspec.structs.fields(Facts) if field.name != "limits"}
).map(lambda words: Facts(limits=TIGHT, **words))
ANY_ASK = st.builds(
    an_ask, st.sampled_from(Operation), st.floats(), price=st.floats(), limit=st.none() | st.floats(),
    trigger=st.none() | st.floats(), stop=st.none() | st.floats(), target=st.none() | st.floats(),
    tif=st.sampled_from(TimeInForce),
)  # fmt: skip


@given(ANY_ASK, ANY_FACTS)
def test_whatever_the_facts_are_an_order_that_does_not_increase_exposure_is_never_refused(
    ask: Ask, known: Facts
) -> None:
    no = refuse(ask, known)
    if not increases_exposure(ask.operation, ask.qty, known.position):
        assert no is None
    elif no is not None:
        assert no.code in CODES
        assert isinstance(json.loads(no.numbers), dict)


# the collar


@pytest.mark.parametrize(
    ("ask", "known", "percent"),
    [
        (an_ask(limit=10.6), {"offered": 10.0}, 6.0),  # dearer than the ask
        (an_ask(limit=9.0), {"offered": 10.0}, None),  # cheaper is never refused
        (an_ask(limit=10.6), {"last": 10.0}, 6.0),  # without a quote the last price is the market
        (an_ask(limit=10.6), {}, None),  # without any price there is nothing to measure
        (an_ask(Operation.SHORT, limit=9.4), {"offered": 10.0}, 6.0),  # a short sale far under the bid
        (an_ask(Operation.SHORT, limit=11.0), {"offered": 10.0}, None),
        (an_ask(), {"offered": 10.6}, 6.0),  # at the market: what is quoted, against what it was valued at
        (an_ask(), {"offered": 9.0}, None),
        (an_ask(Operation.SHORT), {"offered": 9.4}, 6.0),
        (an_ask(trigger=12.0, price=12.0), {"offered": 10.0}, None),  # a stop waits for its price
        (an_ask(trigger=12.0, limit=12.1, price=12.1), {"offered": 10.0}, None),
        (an_ask(trigger=10.0, limit=10.6, price=10.6), {"offered": 10.0}, 6.0),
    ],
)
def test_the_collar_measures_what_an_order_pays(
    ask: Ask, known: dict[str, float], percent: float | None
) -> None:
    no = refuse(ask, facts({"price_collar_percent": 5.0}, **known))
    assert (no and (no.code, json.loads(no.numbers)["percent"])) == (
        percent and ("PRICE_COLLAR", pytest.approx(percent))
    )
