"""The journal: orders, their events and their fills, all or nothing, once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from liu_tui.errors import StoreError
from liu_tui.model.orders import OrderState
from liu_tui.store.store import Store
from tests.kit.store import BATCH, T0, a_fill, an_order


async def test_an_order_comes_back_as_it_was_written(store: Store) -> None:
    order = an_order(all_held=True, words='it\'s £5; "quoted"')
    await store.journal.write(BATCH, [(order, "intent", T0, "")])
    assert await store.journal.load(BATCH) == [order]


async def test_an_order_keeps_its_newest_state_and_all_its_events(store: Store) -> None:
    first, second = an_order(), an_order(state=OrderState.NEW)
    await store.journal.write(BATCH, [(first, "intent", T0, "")])
    await store.journal.write(BATCH, [(second, "new", T0 + 5, "the broker has it")])
    assert await store.journal.load(BATCH) == [second]
    events = await store.journal.events(BATCH)
    assert [(e.event, e.state, e.t_ns, e.words) for e in events] == [
        ("intent", OrderState.INTENT, T0, ""),
        ("new", OrderState.NEW, T0 + 5, "the broker has it"),
    ]


async def test_several_changes_of_one_order_in_one_write_leave_the_last(store: Store) -> None:
    done = an_order(state=OrderState.FILLED, filled_qty=10, avg_price=100)
    part = an_order(state=OrderState.PARTIALLY_FILLED, filled_qty=4, avg_price=100)
    await store.journal.write(
        BATCH, [(an_order(), "intent", T0, ""), (part, "fill", T0, ""), (done, "fill", T0, "")]
    )
    assert await store.journal.load(BATCH) == [done]
    assert [e.filled_qty for e in await store.journal.events(BATCH)] == [0, 4, 10]


async def test_writing_again_changes_nothing(store: Store) -> None:
    done = an_order(state=OrderState.FILLED, filled_qty=10, avg_price=100)
    entries = [(an_order(), "intent", T0, ""), (done, "fill", T0 + 1, "")]
    assert await store.journal.write(BATCH, entries, fills=[a_fill()]) == 1
    before = await store.journal.events(BATCH)
    assert await store.journal.write(BATCH, entries, fills=[a_fill()]) == 0
    assert await store.journal.load(BATCH) == [done]
    assert await store.journal.events(BATCH) == before
    assert await store.new_trades.load(BATCH) == [a_fill()]


async def test_orders_come_back_in_the_order_of_their_first_writing(store: Store) -> None:
    for name in ("c-2", "c-1", "c-3"):
        await store.journal.write(BATCH, [(an_order(name), "intent", T0, "")])
    await store.journal.write(BATCH, [(an_order("c-2", state=OrderState.NEW), "new", T0, "")])
    assert [o.client_order_id for o in await store.journal.load(BATCH)] == ["c-2", "c-1", "c-3"]


async def test_the_events_of_one_order_can_be_asked_for(store: Store) -> None:
    await store.journal.write(BATCH, [(an_order(n), "intent", T0, "") for n in ("c-1", "c-2")])
    assert [e.client_order_id for e in await store.journal.events(BATCH, "c-2")] == ["c-2"]


async def test_a_fault_in_the_middle_leaves_nothing_of_the_write(store: Store) -> None:
    fills = [a_fill("x-1"), msgspec.structs.replace(a_fill("x-2"), price=float("nan"))]
    with pytest.raises(StoreError, match="NOT NULL"):
        await store.journal.write(BATCH, [(an_order(), "intent", T0, "")], fills=fills)
    assert await store.journal.load(BATCH) == []
    assert await store.journal.events(BATCH) == []
    assert await store.new_trades.load(BATCH) == []
    assert await store.journal.write(BATCH, [(an_order(), "intent", T0, "")]) == 0


async def test_an_order_of_a_batch_that_never_began_is_refused_with_the_mend(store: Store) -> None:
    with pytest.raises(StoreError, match="Begin the batch"):
        await store.journal.write("nobody", [(an_order(), "intent", T0, "")])


async def test_batches_do_not_see_each_others_orders(store: Store) -> None:
    await store.journal.write(BATCH, [(an_order(), "intent", T0, "")])
    assert await store.journal.load("b-2") == []
    assert await store.journal.events("b-2") == []


async def test_an_empty_write_is_no_fault(store: Store) -> None:
    assert await store.journal.write(BATCH, []) == 0


async def test_a_committed_write_is_there_for_a_reader_at_once(store: Store, path: Path) -> None:
    await store.journal.write(BATCH, [(an_order(), "intent", T0, "")])
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        assert reader.execute("SELECT client_order_id, state FROM orders").fetchall() == [("c-1", "intent")]
    finally:
        reader.close()
