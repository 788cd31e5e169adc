"""Fills are booked once and come back as they were."""

from __future__ import annotations

import msgspec
import pytest

from liu_tui.errors import StoreError
from liu_tui.store.store import Store
from tests.kit.store import BATCH, a_batch, a_fill


async def test_a_fill_that_arrives_again_is_not_booked_again(store: Store) -> None:
    assert await store.new_trades.add(BATCH, [a_fill("x-1"), a_fill("x-2")]) == 2
    assert await store.new_trades.add(BATCH, [a_fill("x-2"), a_fill("x-3")]) == 1
    assert [f.execution_id for f in await store.new_trades.load(BATCH)] == ["x-1", "x-2", "x-3"]


async def test_a_booked_fill_never_changes(store: Store) -> None:
    await store.new_trades.add(BATCH, [a_fill(price=100.0)])
    assert await store.new_trades.add(BATCH, [a_fill(price=999.0)]) == 0
    assert await store.new_trades.load(BATCH) == [a_fill(price=100.0)]


async def test_a_fill_comes_back_with_every_field(store: Store) -> None:
    fill = a_fill(stop=98.5, target=104.123456, reason="range break", fee=0.02, realized=-3.25)
    await store.new_trades.add(BATCH, [fill])
    assert await store.new_trades.load(BATCH) == [fill]


async def test_two_batches_may_have_the_same_execution_id(store: Store) -> None:
    await store.batches.begin(a_batch("b-2", environment="BACKTEST"))
    assert await store.new_trades.add(BATCH, [a_fill()]) == 1
    assert await store.new_trades.add("b-2", [a_fill()]) == 1


async def test_a_fill_without_an_execution_id_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="execution_id"):
        await store.new_trades.add(BATCH, [a_fill("")])


async def test_a_fill_of_no_price_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match=r"new_trades\.price"):
        await store.new_trades.add(BATCH, [msgspec.structs.replace(a_fill(), price=float("nan"))])
