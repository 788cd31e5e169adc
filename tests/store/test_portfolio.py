"""Portfolios in the books: what they began with, what their fills moved, and nothing twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.errors import StoreError
from liu_tui.plan.schema import PortfolioTable, StrategyTable, TradePlan
from liu_tui.store.portfolio import Held, Portfolio, transaction_of
from liu_tui.store.pots import open_pots
from liu_tui.store.store import Store
from liu_tui.trading.effects import Moved
from tests.kit.store import BATCH, T0, a_batch, a_fill

ID = "swing@PA1"
PLAN = TradePlan(
    portfolios={"swing": PortfolioTable(size=20_000.0, credit=1_000.0), "idle": PortfolioTable(size=5.0)},
    strategies={
        "A": StrategyTable(filename="a.py", portfolio_id="swing"),
        "B": StrategyTable(filename="b.py", portfolio_id="swing"),
        "C": StrategyTable(filename="c.py"),
    },
)


def moved(x: str, qty: float, price: float = 100.0, *, symbol: str = "AAPL", fee: float = 1.0) -> Moved:
    return Moved(ID, x, "A", symbol, qty, price, -qty * price - fee, T0)


async def opened(store: Store, size: float = 20_000.0, *, credit: float = 0.0, batch_id: str = BATCH) -> None:
    await store.portfolio.open(
        Portfolio(portfolio_id=ID, size=size, created_ns=T0), credit=credit, batch_id=batch_id
    )


async def test_a_portfolio_begins_with_its_size_and_keeps_it(store: Store) -> None:
    await opened(store)
    await opened(store, 50_000.0, credit=2_000.0)
    stands = await store.portfolio.standing(ID)
    assert stands is not None
    assert (stands.size, stands.balance, stands.worth, stands.held) == (20_000, 20_000, 20_000, ())
    account = await store.accounts.get(ID)
    assert account is not None
    assert account.credit_line == 2_000
    assert await store.portfolio.batch_ids(ID) == [BATCH]


async def test_what_a_fill_moves_is_stored_with_it_and_once(store: Store) -> None:
    await opened(store)
    fill = a_fill()
    for _ in range(2):
        await store.journal.write(BATCH, [], fills=[fill], moves=[moved(fill.execution_id, 10)])
    assert await store.new_trades.load(BATCH) == [fill]
    stands = await store.portfolio.standing(ID)
    assert stands is not None
    assert stands.balance == 18_999
    assert stands.held == (Held(symbol="AAPL", qty=10, price=100),)
    assert stands.worth == 19_999


async def test_a_fill_whose_money_cannot_be_stored_is_not_stored_either(store: Store) -> None:
    fill = a_fill()
    with pytest.raises(StoreError):
        await store.journal.write(BATCH, [], fills=[fill], moves=[moved(fill.execution_id, 10)])
    assert await store.new_trades.load(BATCH) == []


async def test_a_fill_passes_the_credit_line_since_it_has_happened(store: Store) -> None:
    await opened(store, 100.0)
    assert await store.portfolio.book(BATCH, [moved("x1", 10)]) == 1
    assert await store.accounts.balance(ID) == -901


async def test_one_batchs_doings_can_be_left_out(store: Store) -> None:
    await store.batches.begin(a_batch("b-2"))
    await opened(store)
    await opened(store, batch_id="b-2")
    await store.portfolio.book(BATCH, [moved("x1", 10), moved("x2", -4, 110.0)])
    await store.portfolio.book("b-2", [moved("x1", -6, 120.0)])
    before = await store.portfolio.standing(ID, without="b-2")
    assert before is not None
    assert before.held == (Held(symbol="AAPL", qty=6, price=110),)
    assert before.balance == 20_000 - 1_001 + 439
    after = await store.portfolio.standing(ID)
    assert after is not None
    assert (after.held, after.balance) == ((), before.balance + 719)


async def test_there_is_nothing_to_say_of_a_portfolio_that_is_not_there(store: Store) -> None:
    assert await store.portfolio.standing("nobody") is None
    assert await store.portfolio.of_batch(BATCH) == []


async def test_a_plans_portfolios_are_opened_as_they_stood_before_the_batch(store: Store) -> None:
    await store.batches.begin(a_batch("b-2"))
    (first,) = await open_pots(store, PLAN, BATCH, "PA1")
    assert (first.id, first.cash, first.credit, set(first.members)) == (ID, 20_000, 1_000, {"A", "B"})
    await store.portfolio.book(BATCH, [moved("x1", 10)])
    (again,) = await open_pots(store, PLAN, BATCH, "PA1")
    assert (again.cash, again.carried) == (20_000, {})  # the desk counts the batch's own fills itself
    (next_,) = await open_pots(store, PLAN, "b-2", "PA1")
    assert (next_.cash, next_.carried) == (18_999, {"AAPL": (10, 100)})
    (other,) = await open_pots(store, PLAN, "b-2", "PA2")
    assert (other.id, other.cash) == ("swing@PA2", 20_000)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(-50, 50), st.integers(1, 99)), max_size=12))
def test_the_shares_are_the_sums_of_what_moved(rows: list[tuple[str, int, int]]) -> None:
    kept = [transaction_of(BATCH, moved(str(n), q, p, symbol=s)) for n, (s, q, p) in enumerate(rows)]
    totals = {symbol: sum(q for s, q, _ in rows if s == symbol) for symbol in "AB"}
    told: dict[str, float] = {}
    for row in kept:
        why = msgspec.json.decode(row.details)
        told[why["symbol"]] = told.get(why["symbol"], 0) + why["qty"]
    assert {symbol: qty for symbol, qty in told.items() if qty} == {s: q for s, q in totals.items() if q}
    assert sum(row.amount for row in kept) == pytest.approx(-sum(q * p for _, q, p in rows) - len(rows))


async def test_two_executions_of_one_name_in_two_batches_are_two(store: Store, path: Path) -> None:
    await store.batches.begin(a_batch("b-2"))
    await opened(store)
    for batch_id in (BATCH, "b-2", BATCH):
        await store.portfolio.book(batch_id, [moved("x1", 1)])
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT transaction_id FROM account_transactions ORDER BY rowid").fetchall()
    assert [row[0] for row in rows] == ["opening", "b-1/x1", "b-2/x1"]
