"""Limits and guards: each refuses in words, none refuses an exit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.orders import Operation, TimeInForce
from liu_tui.plan.schema import Limits
from liu_tui.trading.guards import GUARDS, refuse
from liu_tui.trading.risk import Ask, Facts, Guard, increases_exposure

TIGHT = Limits(
    max_open_positions=1, max_order_value=1.0, max_position_value=1.0, max_daily_loss=1.0,
    max_orders_per_minute=1,
)  # fmt: skip


def an_ask(operation: Operation = Operation.BUY, qty: float = 100.0, **words: object) -> Ask:
    said = {"strategy": "s", "symbol": "TSLA", "operation": operation, "qty": qty, "price": 10.0, **words}
    return Ask(**said)  # type: ignore[arg-type] # built from words


def everything_wrong(position: float) -> Facts:
    return Facts(
        limits=TIGHT, state="HALTED", ready=False, position=position, others=-position, holder="other",
        entry_qty=100.0, entry_state="new", exiting=True, closing="flatten", closing_soon=True,
        veto=("a person", "news"), symbol_value=1e9, open_positions=99, opens=True, sent_last_minute=99,
        result=-1e9,
    )  # fmt: skip


EXITS = [
    (Operation.SELL, 100.0, 100.0), (Operation.SELL, 40.0, 100.0), (Operation.COVER, 100.0, -100.0),
    (Operation.BUY, 40.0, -100.0), (Operation.SHORT, 40.0, 100.0), (Operation.SELL, 0.0, 100.0),
]  # fmt: skip


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
@pytest.mark.parametrize(("operation", "qty", "held"), EXITS)
def test_no_guard_refuses_an_exit(guard: Guard, operation: Operation, qty: float, held: float) -> None:
    wrong = an_ask(operation, qty, price=0.0, limit=-1.0, stop=-1.0, target=-1.0, tif=TimeInForce.IOC)
    assert guard(wrong, everything_wrong(held)) is None


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_every_guard_can_refuse_an_entry(guard: Guard) -> None:
    wrong = [
        an_ask(stop=11.0), an_ask(qty=0.5, stop=9.0), an_ask(stop=9.0, tif=TimeInForce.IOC),
        an_ask(Operation.SHORT, price=0.0),
    ]  # fmt: skip
    facts = [everything_wrong(100.0), everything_wrong(-10.0)]
    said = [no for ask in wrong for fact in facts if (no := guard(ask, fact))]
    assert said
    assert all(no.words and "{" not in no.words for no in said)


@given(st.floats(0.001, 1000), st.floats(-1000, 1000))
def test_a_sell_or_a_cover_never_increases_exposure(qty: float, held: float) -> None:
    assert not increases_exposure(Operation.SELL, qty, held)
    assert not increases_exposure(Operation.COVER, qty, held)


@given(st.integers(1, 1000), st.integers(-1000, 1000))
def test_a_buy_increases_exposure_unless_it_only_takes_from_a_short(qty: int, held: int) -> None:
    assert increases_exposure(Operation.BUY, qty, held) is not (held < 0 and qty <= -held)
    assert increases_exposure(Operation.SHORT, qty, held) is not (held > 0 and qty <= held)


@pytest.mark.parametrize("qty", [0.0, -5.0, float("nan"), float("inf")])
def test_a_malformed_entry_does_not_pass_for_an_exit(qty: float) -> None:
    no = refuse(an_ask(qty=qty), Facts(limits=Limits(), position=100.0))
    assert no is not None
    assert no.code == "BAD_QUANTITY"


def test_without_limits_a_plain_entry_passes() -> None:
    assert refuse(an_ask(stop=9.0, target=12.0), Facts(limits=Limits())) is None
    assert refuse(an_ask(Operation.SHORT, stop=11.0, target=8.0), Facts(limits=Limits())) is None


@pytest.mark.parametrize(
    ("ask", "limits", "facts", "code", "words"),
    [
        (an_ask(), {"max_order_value": 999.0}, {}, "MAX_ORDER_VALUE", "1,000.00 dollars"),
        (an_ask(), {"max_position_value": 1500.0}, {"symbol_value": 600.0}, "MAX_POSITION_VALUE", "1,600.00"),
        (an_ask(), {"max_open_positions": 3}, {"open_positions": 3}, "MAX_OPEN_POSITIONS", "is 3"),
        (an_ask(), {"max_daily_loss": 50.0}, {"result": -50.0}, "DAILY_LOSS_REACHED", "50.00"),
        (an_ask(), {"max_orders_per_minute": 2}, {"sent_last_minute": 2}, "ORDER_RATE", "2 orders"),
        (an_ask(), {}, {"others": -5.0, "holder": "fade"}, "OPPOSITE_POSITION", "fade holds -5 TSLA"),
        (an_ask(qty=200), {}, {"position": -5.0}, "OPPOSITE_POSITION", "s holds -5"),
        (an_ask(stop=10.0), {}, {}, "BAD_PRICES", "the stop 10 must be below the price 10"),
        (an_ask(Operation.SHORT, target=10.5), {}, {}, "BAD_PRICES", "must be below"),
        (an_ask(limit=float("nan")), {}, {}, "BAD_PRICES", "limit was nan"),
        (an_ask(price=0.0), {}, {}, "BAD_PRICES", "no price of TSLA"),
        (an_ask(), {}, {"state": "REDUCING", "state_by": "ann", "state_reason": "tea"}, "PAUSED", "ann: tea"),
    ],
)  # fmt: skip
def test_a_refusal_has_its_code_and_the_rules_numbers(
    ask: Ask, limits: dict[str, Any], facts: dict[str, Any], code: str, words: str
) -> None:
    no = refuse(ask, Facts(limits=Limits(**limits), **facts))
    assert no is not None
    assert no.code == code
    assert words in no.words


def test_enlarging_an_open_position_is_no_new_one() -> None:
    facts = Facts(limits=Limits(max_open_positions=3), open_positions=3, opens=False)
    assert refuse(an_ask(), facts) is None
