"""Batches and runs: begun, resumed, ended."""

from __future__ import annotations

import pytest

from liu_tui.errors import StoreError
from liu_tui.store.store import Store
from tests.kit.store import BATCH, T0, a_batch


async def test_a_batch_comes_back_as_it_began(store: Store) -> None:
    assert await store.batches.get(BATCH) == a_batch()
    assert await store.batches.get("nobody") is None


async def test_a_resumed_batch_keeps_its_start_and_its_state(store: Store) -> None:
    await store.batches.set_state(BATCH, "HALTED", "console", "kill key", T0 + 7)
    await store.batches.end(BATCH, T0 + 9, "crash")
    await store.batches.begin(a_batch(start_ns=T0 + 100))
    batch = await store.batches.get(BATCH)
    assert batch is not None
    assert (batch.start_ns, batch.end_ns, batch.end_reason) == (T0, None, "")
    assert (batch.state, batch.state_by, batch.state_reason, batch.state_ns) == (
        "HALTED", "console", "kill key", T0 + 7,
    )  # fmt: skip


async def test_an_ended_batch_says_when_and_why(store: Store) -> None:
    await store.batches.end(BATCH, T0 + 9, "market close")
    batch = await store.batches.get(BATCH)
    assert batch is not None
    assert (batch.end_ns, batch.end_reason) == (T0 + 9, "market close")


async def test_the_latest_session_of_a_plan_is_no_backtest(store: Store) -> None:
    await store.batches.begin(a_batch("b-2", start_ns=T0 + 1))
    await store.batches.begin(a_batch("b-3", start_ns=T0 + 2, environment="BACKTEST"))
    await store.batches.begin(a_batch("b-4", start_ns=T0 + 3, plan="plans/other.toml"))
    latest = await store.batches.latest("plans/today.toml")
    assert latest is not None
    assert latest.batch_id == "b-2"
    assert await store.batches.latest("plans/none.toml") is None


async def test_batches_are_listed_newest_first(store: Store) -> None:
    await store.batches.begin(a_batch("b-2", start_ns=T0 + 1))
    assert [b.batch_id for b in await store.batches.list()] == ["b-2", BATCH]
    assert [b.batch_id for b in await store.batches.list(1)] == ["b-2"]


async def test_ending_a_batch_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="no batch 'nobody'"):
        await store.batches.end("nobody", T0, "close")


async def test_the_account_can_be_told_later(store: Store) -> None:
    await store.batches.set_account(BATCH, "PA123")
    batch = await store.batches.get(BATCH)
    assert batch is not None
    assert batch.account_id == "PA123"


async def test_a_run_begun_twice_is_one_run(store: Store) -> None:
    first = await store.algo_run.begin(BATCH, "alpha", "A", "PAPER", T0)
    assert await store.algo_run.begin(BATCH, "alpha", "A", "PAPER", T0) == first
    assert await store.algo_run.begin(BATCH, "alpha", "A", "PAPER", T0 + 1) != first
    assert len(await store.algo_run.load(BATCH)) == 2


async def test_the_end_of_a_session_ends_only_runs_that_are_open(store: Store) -> None:
    crashed = await store.algo_run.begin(BATCH, "alpha", "A", "PAPER", T0, parameters='{"risk_pct": 0.5}')
    await store.algo_run.begin(BATCH, "alpha", "B", "PAPER", T0)
    await store.algo_run.end(crashed, T0 + 3, "crash")
    assert await store.algo_run.end_all(BATCH, T0 + 9, "market close") == 1
    assert [(r.consumer, r.end_ns, r.end_reason) for r in await store.algo_run.load(BATCH)] == [
        ("A", T0 + 3, "crash"),
        ("B", T0 + 9, "market close"),
    ]


async def test_the_runs_of_one_consumer_can_be_ended_alone(store: Store) -> None:
    await store.algo_run.begin(BATCH, "alpha", "A", "PAPER", T0)
    await store.algo_run.begin(BATCH, "alpha", "B", "PAPER", T0)
    assert await store.algo_run.end_all(BATCH, T0 + 1, "crash", consumer="B") == 1
    assert [r.end_ns for r in await store.algo_run.load(BATCH)] == [None, T0 + 1]
