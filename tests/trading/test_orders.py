"""Orders: one state machine, and how an order is put to a broker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.orders import BrokerOrder, Operation, OrderClass, OrderState, OrderType, Side
from liu_tui.trading.lifecycle import ASKED, TRANSITIONS, next_state
from liu_tui.trading.orders import (
    OrderRecord,
    heard,
    leg_of,
    order_type,
    request,
    with_fill,
)

S = OrderState
STATES = st.sampled_from(OrderState)


def a_record(**words: object) -> OrderRecord:
    said: dict[str, object] = {
        "client_order_id": "c1", "intent_id": "i1", "strategy": "s", "symbol": "TSLA",
        "operation": Operation.BUY, "role": "entry", "order_type": OrderType.MARKET, "qty": 100.0,
        "state": S.NEW, "created_ns": 1, "updated_ns": 1, **words,
    }  # fmt: skip
    return OrderRecord(**said)  # type: ignore[arg-type] # built from words, checked by the struct's users


def an_order(**words: object) -> BrokerOrder:
    said = {"id": "o1", "client_order_id": "c1", "symbol": "TSLA", "side": Side.BUY, "qty": 100.0, **words}
    return BrokerOrder(**said)  # type: ignore[arg-type] # as above


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(OrderState) == set(ASKED)


@given(st.lists(STATES, max_size=30))
def test_no_sequence_of_updates_brings_an_ended_order_back_to_work(states: list[OrderState]) -> None:
    state, ended = S.SUBMITTED, False
    for said in states:
        state = next_state(state, said)
        ended = ended or (state.final and state is not S.FAILED)
        assert not ended or state.final


@given(STATES, STATES)
def test_a_repeated_update_changes_nothing(old: OrderState, new: OrderState) -> None:
    once = next_state(old, new)
    assert next_state(once, new) is once or {old, new} <= {
        S.DONE_FOR_DAY,
        S.SUSPENDED,
        S.NEW,
        S.PARTIALLY_FILLED,
    }


@pytest.mark.parametrize("late", [S.PENDING_NEW, S.NEW, S.ACCEPTED, S.HELD])
def test_a_late_update_does_not_take_a_fill_back(late: OrderState) -> None:
    assert next_state(S.PARTIALLY_FILLED, late) is S.PARTIALLY_FILLED


def test_a_cancel_that_crosses_a_fill_ends_filled() -> None:
    canceled = a_record(state=S.CANCELED)
    assert with_fill(canceled, 100, 10.0).state is S.FILLED
    assert with_fill(canceled, 60, 10.0).state is S.CANCELED


def test_only_an_answer_to_our_question_says_that_a_cancel_came_to_nothing() -> None:
    pending = a_record(state=S.PENDING_CANCEL)
    assert heard(pending, an_order(status=S.NEW)).state is S.PENDING_CANCEL
    assert heard(pending, an_order(status=S.NEW), asked=True).state is S.NEW


def test_an_order_that_turns_up_after_all_is_believed() -> None:
    assert heard(a_record(state=S.FAILED), an_order(status=S.NEW)).state is S.NEW


def test_fills_average_and_a_stale_count_takes_none_back() -> None:
    record = with_fill(with_fill(a_record(), 40, 10.0), 60, 11.0)
    assert (record.filled_qty, record.state) == (100.0, S.FILLED)
    assert record.avg_price == pytest.approx(10.6)
    assert heard(record, an_order(filled_qty=40.0, status=S.PARTIALLY_FILLED)) == heard(record, an_order())


@pytest.mark.parametrize(
    ("stop", "target", "said"),
    [
        (9.0, 12.0, OrderClass.BRACKET), (9.0, None, OrderClass.OTO),
        (None, 12.0, OrderClass.OTO), (None, None, OrderClass.SIMPLE),
    ],
)  # fmt: skip
def test_an_entry_brings_its_protection_with_it(
    stop: float | None, target: float | None, said: OrderClass
) -> None:
    sent = request(a_record(stop=stop, target=target))
    assert (sent.order_class, sent.stop_loss, sent.take_profit) == (said, stop, target)


def test_a_standalone_target_with_a_stop_is_an_oco() -> None:
    exits: dict[str, object] = {"role": "target", "operation": Operation.SELL, "order_type": OrderType.LIMIT}
    sent = request(a_record(**exits, limit_price=12.0, stop=9.0, target=12.0))
    assert (sent.order_class, sent.side, sent.stop_loss) == (OrderClass.OCO, Side.SELL, 9.0)


def test_a_leg_is_an_exit_of_the_strategy_that_entered() -> None:
    short = a_record(operation=Operation.SHORT, stop=11.0)
    leg = leg_of(short, an_order(id="o2", client_order_id="x", order_type=OrderType.STOP, stop_price=11.0), 5)
    assert (leg.operation, leg.role, leg.parent, leg.key) == (Operation.COVER, "stop", "c1", ("s", "TSLA"))


def test_prices_say_what_kind_of_order_it_is() -> None:
    kinds = [order_type(*prices) for prices in ((None, None), (1.0, None), (None, 1.0), (1.0, 1.0))]
    assert kinds == [OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT]
