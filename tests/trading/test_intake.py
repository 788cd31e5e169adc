"""From what is asked to the order that is sent: prices on the tick, exits cut to what is held."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from liu_tui.model.account import Position
from liu_tui.model.orders import Operation, OrderClass, OrderType, TimeInForce
from liu_tui.trading.intake import ask_of, exit_of, record_of
from liu_tui.trading.orders import OrderRecord, request
from liu_tui.trading.prices import moved_stop_limit, stop_limit_price, trail_amount
from tests.kit.desk import an_intent

LONG = Position(strategy="momentum", symbol="TSLA", qty=100.0, avg_price=100.0, stop=95.0, target=110.0)
BARE = replace(LONG, stop=None, target=None)
SHORT = replace(LONG, qty=-100.0, stop=105.0, target=90.0)
T = TimeInForce


def a_record(operation: Operation = Operation.BUY, qty: float = 100, **words: Any) -> OrderRecord:
    intent = an_intent(operation, qty, **words)
    return record_of(intent, ask_of(intent, {}), "c", 5)


def test_prices_are_put_on_the_tick_to_the_safe_side() -> None:
    record = a_record(limit=100.009, trigger=100.001, stop=95.009, target=110.009, stop_limit=94.001)
    assert (record.limit_price, record.stop_price) == (100.0, 100.01)
    assert (record.stop, record.target, record.stop_limit) == (95.0, 110.0, 94.01)
    cheap = a_record(price=0.5, limit=0.50009, stop=0.45009)
    assert (cheap.limit_price, cheap.stop) == (0.5, 0.45)


def test_a_trail_is_rounded_outward_in_the_band_of_the_price() -> None:
    assert a_record(trail=0.501).trail_price == 0.51
    assert a_record(price=0.5, trail=0.05001).trail_price == 0.0501
    assert a_record(trail_percent=1.25).trail_percent == 1.25
    assert a_record(trail=0.5).order_type is OrderType.TRAILING_STOP


@given(st.floats(0.0001, 50), st.floats(0.01, 500))
def test_a_trail_never_shrinks_and_never_is_nothing(dollars: float, price: float) -> None:
    rounded = trail_amount(dollars, price)
    assert rounded >= dollars - 1e-6
    assert rounded > 0


def test_the_limit_of_a_stop_never_lies_beyond_it() -> None:
    assert a_record(stop=95.004, stop_limit=95.002).stop_limit == 95.0
    short = a_record(Operation.SHORT, stop=105.001, stop_limit=105.005)
    assert (short.stop, short.stop_limit) == (105.01, 105.01)


@given(st.floats(2, 200), st.floats(0, 1), st.floats(2, 200))
def test_moved_with_its_stop_it_stays_behind_it(stop: float, gap: float, other: float) -> None:
    side = Operation.SELL.side
    old = round(stop, 2)
    limit = stop_limit_price(max(old - gap, 0.01), old, side)
    assert 0 < moved_stop_limit(round(other, 2), old, limit, side) <= round(other, 2)


def test_an_order_in_dollars_is_valued_at_what_they_buy() -> None:
    intent = an_intent(qty=0, notional=250.509, limit=50.0)
    ask = ask_of(intent, {})
    record = record_of(intent, ask, "c", 5)
    assert ask.qty * ask.price == pytest.approx(250.509)
    assert (record.qty, record.notional, record.shares) == (0.0, 250.5, 5.01)
    sent = request(record)
    assert (sent.qty, sent.notional) == (0.0, 250.5)


def an_exit(position: Position = LONG, *, last: float = 100.0, **words: Any) -> OrderRecord:
    operation = Operation.SELL if position.qty > 0 else Operation.COVER
    return exit_of(a_record(operation, words.pop("qty", 0), **words), position, last)


def test_an_exit_without_a_quantity_is_for_all_and_never_for_more() -> None:
    assert (an_exit().qty, an_exit().all_held) == (100.0, True)
    assert (an_exit(qty=30).qty, an_exit(qty=30).all_held) == (30.0, False)
    assert (an_exit(qty=300).qty, an_exit(qty=300).all_held) == (100.0, True)
    assert an_exit(SHORT).operation is Operation.COVER


def test_a_limit_that_rests_keeps_the_stop_beside_it() -> None:
    sent = request(an_exit(limit=103.0))
    assert (sent.order_class, sent.limit_price, sent.take_profit) == (OrderClass.OCO, 103.0, 103.0)
    assert sent.stop_loss == 95.0
    cover = request(an_exit(SHORT, limit=97.0))
    assert (cover.order_class, cover.stop_loss) == (OrderClass.OCO, 105.0)


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (BARE, {"limit": 103.0}), (LONG, {"limit": 94.0}), (LONG, {"limit": 103.0, "last": 94.0}),
        (LONG, {"limit": 103.0, "tif": T.IOC}), (LONG, {"limit": 103.0, "extended_hours": True}),
        (LONG, {"limit": 103.0, "qty": 0.5}), (LONG, {}), (LONG, {"trail": 1.0}), (LONG, {"trigger": 98.0}),
    ],
)  # fmt: skip
def test_where_nothing_can_stand_beside_it_it_stands_alone(position: Position, words: dict[str, Any]) -> None:
    assert request(an_exit(position, **words)).order_class is OrderClass.SIMPLE


def test_a_trailing_exit_is_one() -> None:
    sent = request(an_exit(trail_percent=2.0))
    assert (sent.order_type, sent.trail_percent, sent.qty) == (OrderType.TRAILING_STOP, 2.0, 100.0)
