"""Fills that the broker takes back or puts right: rows of the books, and positions reckoned again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.model.orders import BrokerOrder, Operation, OrderState, OrderUpdate
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Booked, Effect, Journal
from liu_tui.trading.orders import OrderRecord
from tests.kit.desk import NO_LIMITS, NOON_NS, an_answer, an_intent, an_update, fills, sends
from tests.kit.reconcile import an_execution

S = OrderState


class Bench:
    """A desk whose broker is played by hand, and what the store has of it."""

    def __init__(self) -> None:
        self.desk = Desk(batch_id="b1", limits=NO_LIMITS)
        self.orders: dict[str, Any] = {}
        self.fills: dict[str, Any] = {}
        self.said: list[Effect] = []

    def do(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, Journal):
                self.orders[effect.order.client_order_id] = effect.order
            elif isinstance(effect, Booked):
                assert effect.fill.execution_id not in self.fills, "booked twice"
                self.fills[effect.fill.execution_id] = effect.fill
        self.said += effects
        return effects

    def order(self, operation: Operation = Operation.BUY, qty: float = 100, n: int = 0) -> BrokerOrder:
        """Ask for an order, and have it accepted."""
        (request,) = sends(self.do(self.desk.on_intent(an_intent(operation, qty, n=n), NOON_NS)))
        answer = an_answer(request)
        self.do(self.desk.on_accepted(request.client_order_id, answer, NOON_NS))
        return answer

    def hear(self, update: OrderUpdate) -> list[Effect]:
        """Take one update."""
        return self.do(self.desk.on_update(update, NOON_NS))

    def again(self) -> Desk:
        """Start another desk from what the store has."""
        desk = Desk(batch_id="b1", limits=NO_LIMITS)
        desk.restore([*self.orders.values()], [*self.fills.values()])
        return desk

    def assert_kept(self) -> None:
        """Positions are the sums of their rows, and a restart gives the same books."""
        for (strategy, symbol), position in self.desk.positions.items():
            rows = [f for f in self.fills.values() if (f.strategy, f.symbol) == (strategy, symbol)]
            assert position.qty == pytest.approx(sum(f.qty for f in rows))
            assert position.realized == pytest.approx(sum(f.realized for f in rows))
        desk = self.again()
        assert desk.positions == self.desk.positions
        kept = {cid: record_of(record) for cid, record in desk.orders.items()}
        assert kept == {cid: record_of(record) for cid, record in self.desk.orders.items()}


def record_of(record: OrderRecord) -> tuple[Any, ...]:
    """What of an order must be the same after a restart."""
    return record.state, record.filled_qty, record.avg_price, record.broker_filled


def filled(order: BrokerOrder, qty: float, price: float, x: str, total: float = 0.0) -> OrderUpdate:
    """Tell of one fill; total: shares filled by then."""
    done = total or qty
    event = "fill" if done >= order.qty else "partial_fill"
    return an_update(event, order, qty=qty, price=price, x=x, filled_qty=done)


def taken_back(order: BrokerOrder, x: str, left: float = 0.0, **words: Any) -> OrderUpdate:
    """Tell that an execution did not happen."""
    status = S.PARTIALLY_FILLED if left else S.CANCELED
    update = an_update("fill", order, x=f"bust-{x}", filled_qty=left)
    told = BrokerOrder(
        **{f: getattr(update.order, f) for f in update.order.__struct_fields__} | {"status": status}
    )
    return OrderUpdate(
        event="trade_bust", order=told, t_ns=NOON_NS, execution_id=f"bust-{x}", corrects=x, **words
    )


def put_right(
    order: BrokerOrder, x: str, heir: str, qty: float, price: float, total: float = 0.0
) -> OrderUpdate:
    """Tell that an execution was another."""
    update = filled(order, qty, price, heir, total)
    return OrderUpdate(
        event="trade_correct", order=update.order, t_ns=NOON_NS, execution_id=heir, price=price, qty=qty,
        corrects=x,
    )  # fmt: skip


def test_a_bust_is_a_row_of_its_own_and_the_order_has_filled_less() -> None:
    bench = Bench()
    order = bench.order()
    bench.hear(filled(order, 60, 100.0, "x1"))
    bench.hear(filled(order, 40, 101.0, "x2", 100))
    (row,) = fills(bench.hear(taken_back(order, "x2", 60.0)))
    assert (row.execution_id, row.amends, row.qty, row.position) == ("x2:bust", "x2", -40, 60)
    record = bench.desk.orders[order.client_order_id]
    assert (record.filled_qty, record.avg_price, record.state) == (60, 100.0, S.PARTIALLY_FILLED)
    assert bench.desk.positions["momentum", "TSLA"].avg_price == 100.0
    bench.assert_kept()


def test_what_was_won_since_is_reckoned_again_on_the_row() -> None:
    bench = Bench()
    bench.hear(filled(bench.order(), 100, 100.0, "x1"))
    sold = bench.order(Operation.SELL, 100, n=1)
    bench.hear(filled(sold, 100, 103.0, "x2"))
    (row,) = fills(bench.hear(taken_back(sold, "x2")))
    assert (row.realized, row.position) == (-300.0, 100)
    bench.assert_kept()


def test_a_correction_stands_where_the_wrong_fill_stood() -> None:
    bench = Bench()
    first = bench.order()
    bench.hear(filled(first, 100, 10.0, "x1"))
    bench.hear(filled(bench.order(n=1), 100, 20.0, "x2"))
    bench.hear(filled(bench.order(Operation.SELL, 100, n=2), 100, 30.0, "x3"))
    rows = fills(bench.hear(put_right(first, "x1", "x4", 100, 12.0)))
    assert [(r.execution_id, r.amends, r.qty) for r in rows] == [("x1:now:x4", "x1", -100), ("x4", "", 100)]
    position = bench.desk.positions["momentum", "TSLA"]
    assert (position.qty, position.avg_price, position.realized) == (100, 16.0, 1400.0)
    assert bench.desk.orders[first.client_order_id].avg_price == 12.0
    bench.assert_kept()


def test_it_is_told_twice_and_booked_once() -> None:
    bench = Bench()
    order = bench.order()
    bench.hear(filled(order, 100, 100.0, "x1"))
    correction = put_right(order, "x1", "x2", 90, 100.0)
    bench.hear(correction)
    for update in (correction, filled(order, 100, 100.0, "x1"), taken_back(order, "x1")):
        assert not fills(bench.hear(update))
    assert bench.desk.positions["momentum", "TSLA"].qty == 90


def test_a_bust_before_its_fill_is_remembered_even_over_a_restart() -> None:
    bench = Bench()
    order = bench.order()
    assert not fills(bench.hear(taken_back(order, "x1"))), "there is nothing to take back"
    assert not fills(bench.hear(filled(order, 100, 100.0, "x1")))
    again = bench.again()
    told = [
        an_execution("x1", order_id=order.id, symbol="TSLA"),
        an_execution("h7", order_id=order.id, symbol="TSLA", qty=0.0, corrects="x1"),
    ]
    again.check_positions(told, [], NOON_NS)
    for desk in (bench.desk, again):
        assert not any(position.qty for position in desk.positions.values())


def test_a_correction_before_its_fill_stands_alone_even_over_a_restart() -> None:
    bench = Bench()
    order = bench.order()
    (row,) = fills(bench.hear(put_right(order, "x1", "x2", 100, 12.0)))
    assert (row.execution_id, row.qty) == ("x2", 100)
    again = bench.again()
    told = [
        an_execution("x1", order_id=order.id, symbol="TSLA"),
        an_execution("x2", order_id=order.id, symbol="TSLA", corrects="x1"),
    ]
    assert not fills(again.check_positions(told, [], NOON_NS))
    assert again.positions["momentum", "TSLA"].qty == 100


def test_a_bust_is_found_in_the_brokers_history_too() -> None:
    bench = Bench()
    order = bench.order()
    bench.hear(filled(order, 100, 100.0, "x1"))
    bust = an_execution("h7", order_id=order.id, symbol="TSLA", qty=0.0, corrects="x1")
    bench.do(bench.desk.check_positions([bust, bust], [], NOON_NS))
    assert bench.desk.positions["momentum", "TSLA"].qty == 0
    assert not fills(bench.hear(taken_back(order, "x1")))
    bench.assert_kept()


Move = tuple[str, int, int]
MOVES = st.lists(
    st.tuples(st.sampled_from(["fill", "bust", "correct", "again"]), st.integers(0, 9), st.integers(1, 50)),
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(MOVES)
def test_whatever_is_taken_back_the_position_is_the_sum_and_a_restart_gives_the_same(
    moves: list[Move],
) -> None:
    bench = Bench()
    orders = [bench.order(qty=1000)]
    told: list[OrderUpdate] = []
    total = 0.0
    for n, (what, which, qty) in enumerate(moves):
        order = orders[0]
        if what == "fill":
            total += qty
            told.append(filled(order, qty, 100.0 + which, f"x{n}", total))
        elif what == "bust":
            told.append(taken_back(order, f"x{which}", left=total))
        elif what == "correct":
            told.append(put_right(order, f"x{which}", f"y{n}", qty, 90.0 + which, total))
        elif told:
            bench.hear(told[which % len(told)])
            continue
        if told:
            bench.hear(told[-1])
    back = {f.amends for f in bench.fills.values() if f.amends}
    standing = sum(f.qty for f in bench.fills.values() if not f.amends and f.execution_id not in back)
    position = bench.desk.positions.get(("momentum", "TSLA"))
    assert (position.qty if position else 0.0) == pytest.approx(standing)
    again = bench.again()
    assert again.positions == bench.desk.positions
    assert {c: r.filled_qty for c, r in again.orders.items()} == pytest.approx(
        {c: r.filled_qty for c, r in bench.desk.orders.items()}
    )
