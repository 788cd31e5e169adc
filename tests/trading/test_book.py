"""The books keep together whatever comes, in whichever order, and after a restart at any point."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.model.orders import Operation, OrderState, OrderUpdate
from liu_tui.trading.book import Book
from liu_tui.trading.desk import Desk
from liu_tui.trading.positions import EXTERNAL
from tests.kit.desk import NO_LIMITS, NOON_NS, Rig, an_answer, an_intent, an_update, fills, sends

S = OrderState
SYMBOLS = ("TSLA", "F")
STRATEGIES = ("momentum", "gap")
ASKS = st.lists(
    st.tuples(
        st.sampled_from([Operation.BUY, Operation.SELL]),
        st.sampled_from(SYMBOLS),
        st.sampled_from(STRATEGIES),
        st.integers(1, 60),
        st.booleans(),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(ASKS, st.sets(st.integers(0, 13)), st.integers(0, 3))
def test_positions_are_the_sums_of_their_fills_after_a_restart_at_any_point(
    asked: list[tuple[Operation, str, str, int, bool]], restarts: set[int], seed: int
) -> None:
    rig = Rig(partial_fills=0.3, seed=seed)
    for symbol in SYMBOLS:
        rig.quote(100.0, symbol)
    for n, (operation, symbol, strategy, qty, protected) in enumerate(asked):
        stop = 95.0 if protected and operation is Operation.BUY else None
        rig.ask(an_intent(operation, qty, symbol, n=n, strategy=strategy, stop=stop))
        rig.quote((99.0, 101.0, 94.0, 100.0)[n % 4], symbol)
        if n in restarts:
            before = {key: p for key, p in rig.desk.positions.items() if p.qty or p.realized}
            assert rig.restart()[0]
            assert {key: p for key, p in rig.desk.positions.items() if p.qty or p.realized} == before
    rig.wait(2)
    assert rig.reconcile()[0]
    rig.assert_agrees()
    assert_indexes(rig.desk._book)


def assert_indexes(book: Book) -> None:
    """What the indexes say is what a walk over everything finds."""
    live = {cid for cid, record in book.orders.items() if record.live}
    assert {record.client_order_id for record in book.all_live()} == live
    held = {key for key, position in book.positions.items() if position.qty}
    active = held | {record.key for record in book.orders.values() if record.live}
    assert set(book.active()) == active
    for symbol in SYMBOLS:
        assert set(book.active(symbol)) == {key for key in active if key[1] == symbol}
        assert set(book.holders(symbol)) == {key for key in held if key[1] == symbol}
        mine = [r for r in book.orders.values() if r.symbol == symbol]
        assert book.touched(symbol) == any(r.sent_ns and r.strategy != EXTERNAL for r in mine)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.lists(st.integers(0, 5), max_size=20),
    st.randoms(use_true_random=False),
)
def test_updates_in_any_order_and_any_number_of_times_give_the_same_position(
    parts: list[int], again: list[int], order: object
) -> None:
    desk = Desk(batch_id="b1", limits=NO_LIMITS)
    (request,) = sends(desk.on_intent(an_intent(qty=sum(parts)), NOON_NS))
    told = _fills_of(an_answer(request), parts)
    deliveries = [*told, *(told[n % len(told)] for n in again)]
    order.shuffle(deliveries)  # type: ignore[attr-defined] # hypothesis's Random
    booked = [fill for update in deliveries for fill in fills(desk.on_update(update, NOON_NS))]
    assert len(booked) == len(parts)
    assert desk.positions["momentum", "TSLA"].qty == sum(parts)
    assert desk.orders[request.client_order_id].state is S.FILLED


def _fills_of(answer: object, parts: list[int]) -> list[OrderUpdate]:
    told, done = [], 0
    for n, part in enumerate(parts):
        done += part
        event = "fill" if done == sum(parts) else "partial_fill"
        told.append(
            an_update(event, answer, qty=part, price=100.0 + n, x=f"x{n}", filled_qty=float(done))  # type: ignore[arg-type] # an answer is a BrokerOrder
        )
    return told


def test_thousands_of_orders_that_have_ended_are_not_walked() -> None:
    rig = Rig()
    for n in range(300):
        rig.desk.on_intent(an_intent(qty=10, n=n, symbol=f"S{n % 7}", limit=90.0), rig.now_ns)
        cid = rig.last().client_order_id
        rig.desk.on_failed(cid, "no", unknown=False, now_ns=rig.now_ns)
    book = rig.desk._book
    assert list(book.all_live()) == []
    assert book.active() == []
    assert book.legless("S1") == []
