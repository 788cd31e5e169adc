"""The desk's portfolios at its start: from the books, for the right account, and once after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from liu_tui.engine.allocating import Allocating
from liu_tui.engine.desklinks import Consumers
from liu_tui.model.orders import Fill
from liu_tui.plan.schema import Limits, MarketTable, PortfolioTable, StrategyTable, TradePlan
from liu_tui.store.store import Store
from liu_tui.trading.allocation import Share
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Moved
from tests.kit.engine import a_boot, nothing
from tests.kit.store import BATCH, a_batch, a_fill

PLAN = TradePlan(
    portfolios={"swing": PortfolioTable(size=20_000.0)},
    strategies={"alpha": StrategyTable(filename="a.py", portfolio_id="swing")},
)
FILLS = [a_fill("x-1", 10, 100.0, fee=1.0), a_fill("x-2", -4, 110.0, fee=1.0)]
CASH = 20_000 - 1_001 + 439


class Start:
    """One start of a desk with these books. fills: of the batch, as its journal has them."""

    def __init__(self, root: Path, store: Store, fills: list[Fill], plan: TradePlan = PLAN) -> None:
        boot = msgspec.structs.replace(a_boot("desk", root, plan), batch_id=BATCH)
        self.desk = Desk(batch_id=BATCH, limits=Limits())
        self.desk.restore([], fills, "ACTIVE")
        consumers = Consumers(("A",), self.desk, nothing)
        consumers.fills = list(fills)
        self._allocating, self._store = Allocating(boot, self.desk, store, consumers), store

    async def open(self, account_id: str = "PA1") -> int:
        """Open the portfolios and store what comes of it; returns how many rows were new."""
        effects = await self._allocating.open(account_id)
        moves = [effect for effect in effects if isinstance(effect, Moved)]
        assert len(moves) == len(effects)
        return await self._store.portfolio.book(BATCH, moves)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "liu.db") as store:
        await store.batches.begin(a_batch())
        yield store


async def test_a_restart_knows_the_cash_again_and_books_nothing_twice(tmp_path: Path, store: Store) -> None:
    assert await Start(tmp_path, store, FILLS).open() == 2  # it died before their money was stored
    again = Start(tmp_path, store, FILLS)
    assert await again.open() == 0
    assert await store.accounts.balance("swing@PA1") == CASH
    (share,) = again.desk.allocations.shares()
    assert share.worth == pytest.approx(CASH + 6 * 100.0)  # no price yet: at what they cost


async def test_each_account_has_portfolios_of_its_own(tmp_path: Path, store: Store) -> None:
    await Start(tmp_path, store, FILLS).open("PA1")
    other = Start(tmp_path, store, [])
    await other.open("LIVE7")
    assert other.desk.allocations.shares() == [Share("alpha", 20_000.0, 20_000.0)]


async def test_at_the_local_market_they_begin_anew_with_each_batch(tmp_path: Path, store: Store) -> None:
    plan = msgspec.structs.replace(PLAN, market=MarketTable())
    await Start(tmp_path, store, [], plan).open("LOCAL0001")
    assert await store.portfolio.batch_ids(f"swing@{BATCH}") == [BATCH]


async def test_a_plan_without_portfolios_binds_nobody(tmp_path: Path, store: Store) -> None:
    start = Start(tmp_path, store, FILLS, TradePlan())
    assert await start.open() == 0
    assert start.desk.allocations.shares() == []
