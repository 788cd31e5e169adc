"""The state machine over arbitrary sequences: no state but by the tables, and the same end in any order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from liu_tui.model.orders import BrokerOrder, OrderState, OrderUpdate
from liu_tui.trading.book import Book, execution_of
from liu_tui.trading.lifecycle import AMENDED, ASKED, TRANSITIONS, next_state
from liu_tui.trading.orders import OrderRecord
from tests.trading.test_orders import a_record, an_order

S = OrderState
STATES = st.sampled_from(OrderState)
WORDS = st.lists(st.tuples(STATES, st.booleans(), st.booleans()), max_size=30)
# What may still become of an order that has ended: fills that cover it whole, and one thought never sent.
CROSSINGS = {(end, S.FILLED) for end in (S.CANCELED, S.EXPIRED, S.REPLACED, S.REJECTED)}
T_NS = 10


def allowed(old: OrderState, *, asked: bool, amended: bool) -> frozenset[OrderState]:
    return (AMENDED if amended else ASKED if asked else TRANSITIONS)[old]


@pytest.mark.parametrize("table", [TRANSITIONS, ASKED, AMENDED])
def test_each_table_knows_every_state_and_nothing_leads_back_into_ours(table: Any) -> None:
    assert set(table) == set(OrderState)
    reached = {new for old, news in table.items() for new in news}
    assert not reached & {S.REFUSED, S.INTENT}
    assert not any(old in news for old, news in table.items()), "a move to itself is no move"


@given(WORDS)
def test_no_state_but_by_the_tables(words: list[tuple[OrderState, bool, bool]]) -> None:
    state = S.SUBMITTED
    for said, asked, amended in words:
        new = next_state(state, said, asked=asked, amended=amended)
        assert new is state or (new is said and new in allowed(state, asked=asked, amended=amended))
        state = new


@given(WORDS)
def test_final_stays_final_but_for_the_crossings_that_have_names(
    words: list[tuple[OrderState, bool, bool]],
) -> None:
    state = S.SUBMITTED
    for said, asked, _ in words:
        new = next_state(state, said, asked=asked)
        if state.final and new is not state:
            assert (state, new) in CROSSINGS or state is S.FAILED
        state = new


@given(STATES)
def test_filled_stays_filled_unless_a_fill_is_taken_back(said: OrderState) -> None:
    assert next_state(S.FILLED, said) is S.FILLED
    assert next_state(S.FILLED, said, asked=True) is S.FILLED
    after = next_state(S.FILLED, said, amended=True)
    assert after in {S.FILLED, *AMENDED[S.FILLED]}


@given(STATES, STATES, st.booleans())
def test_a_repeat_changes_nothing(old: OrderState, new: OrderState, asked: bool) -> None:
    once = next_state(old, new, asked=asked)
    assert next_state(once, once, asked=asked) is once
    if once is new:
        assert next_state(once, new, asked=asked) is once


def test_only_an_answer_of_ours_ends_a_pending_cancel_without_an_end() -> None:
    for pending in (S.PENDING_CANCEL, S.PENDING_REPLACE):
        assert next_state(pending, S.NEW) is pending
        assert next_state(pending, S.NEW, asked=True) is S.NEW


# true stories: what a broker really does, heard in any order and any number of times


@st.composite
def stories(draw: st.DrawFn) -> list[OrderUpdate]:
    """Draw the true updates of one order of 100 shares, in their order; the last describes how it stands."""
    order: BrokerOrder = an_order(status=S.PENDING_NEW)
    told: list[OrderUpdate] = []

    def tell(event: str, state: OrderState, **words: Any) -> None:
        nonlocal order
        fill = {key: words.pop(key) for key in ("execution_id", "price", "qty") if key in words}
        order = replace(order, status=state, **words)
        told.append(OrderUpdate(event=event, order=order, t_ns=T_NS, **fill))

    for early in draw(st.sampled_from([(), (S.NEW,), (S.ACCEPTED, S.NEW), (S.PENDING_NEW, S.NEW)])):
        tell(early.value, early)
    end = draw(st.sampled_from([S.FILLED, S.CANCELED, S.EXPIRED, S.REPLACED, S.PARTIALLY_FILLED]))
    filled = 0.0
    for n, share in enumerate(draw(st.lists(st.integers(1, 24), max_size=4))):
        filled += share
        tell(
            "partial_fill",
            S.PARTIALLY_FILLED,
            filled_qty=filled,
            execution_id=f"x{n}",
            price=10.0 + n,
            qty=share,
        )
    if end is S.FILLED:
        rest = 100.0 - filled
        tell("fill", S.FILLED, filled_qty=100.0, execution_id="last", price=9.0, qty=rest)
    elif end.final:
        if draw(st.booleans()):
            tell("pending_cancel", S.PENDING_CANCEL)
        tell(end.value, end)
    return told or [OrderUpdate(event="new", order=replace(order, status=S.NEW), t_ns=T_NS)]


def heard(updates: list[OrderUpdate], final: BrokerOrder) -> tuple[OrderRecord, list[float]]:
    """Let a book hear updates and at last the answer to a question; also how its filled shares went."""
    book = Book()
    book.keep(a_record(state=S.SUBMITTED))
    went = []
    for update in updates:
        record = book.orders["c1"]
        book.hear(record, update.order, update.event, T_NS, execution=execution_of(update))
        went.append(book.orders["c1"].filled_qty)
    return book.hear(book.orders["c1"], final, "answer", T_NS, asked=True), went


def compared(record: OrderRecord) -> dict[str, Any]:
    said = asdict(record)
    said["avg_price"] = round(record.avg_price, 6)  # a sum of floats depends on its order
    del said["words"]
    return said


@given(stories(), st.data())
def test_in_any_order_and_any_number_of_times_the_end_is_the_same(
    told: list[OrderUpdate], data: st.DataObject
) -> None:
    final = told[-1].order
    twice = data.draw(st.lists(st.sampled_from(told), max_size=6))
    shuffled = data.draw(st.permutations([*told, *twice]))
    straight, _ = heard(told, final)
    storm, went = heard(shuffled, final)
    assert compared(storm) == compared(straight)
    assert went == sorted(went), "filled shares never fall"
    assert straight.filled_qty == final.filled_qty
    assert straight.state is final.status


@given(stories())
def test_the_whole_story_once_more_changes_nothing(told: list[OrderUpdate]) -> None:
    final = told[-1].order
    once, _ = heard(told, final)
    again, _ = heard([*told, *told], final)
    assert compared(again) == compared(once)


def test_a_bust_takes_shares_back_and_the_order_works_on() -> None:
    book = Book()
    book.keep(a_record(state=S.SUBMITTED))
    full = an_order(status=S.FILLED, filled_qty=100.0)
    fill = OrderUpdate(event="fill", order=full, t_ns=T_NS, execution_id="x", price=10.0, qty=100.0)
    book.hear(book.orders["c1"], full, "fill", T_NS, execution=execution_of(fill))
    back = an_order(status=S.NEW, filled_qty=0.0)
    bust = OrderUpdate(event="trade_bust", order=back, t_ns=T_NS, execution_id="y", corrects="x", price=10.0)
    book.hear(book.orders["c1"], back, "trade_bust", T_NS, execution=execution_of(bust))
    record = book.orders["c1"]
    assert (record.state, record.filled_qty, book.held(record.key)) == (S.NEW, 0.0, 0.0)
