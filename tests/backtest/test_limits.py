"""The guards of a session bind a backtest too: the same codes, the same numbers, and exits go on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from liu_tui.model.orders import OrderState
from liu_tui.store.store import Store
from liu_tui.trading.orders import OrderRecord
from tests.kit.backtest import BATCH, PLAN, a_backtest, a_workspace, write_days

LIMITS = """
max_open_positions = 6
max_order_value = 15_000
"""


RESTS = """
max_gross_value = 12_000
symbol_cooldown_min = 60
max_losses_in_row = 1
strategy_cooldown_min = 60
"""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "books.db") as books:
        yield books


async def refused(tmp_path: Path, store: Store, limits: str) -> list[OrderRecord]:
    """Run the made day under these limits; returns the orders that the desk refused."""
    plan = a_workspace(tmp_path, PLAN.replace(LIMITS, f"\n{limits}\n"))
    done = await a_backtest(plan, write_days(tmp_path / "data"), store=store)
    assert done.fills
    assert done.positions == {}
    return [order for order in await store.journal.load(BATCH) if order.state is OrderState.REFUSED]


@pytest.mark.parametrize(
    ("limits", "codes"),
    [
        (RESTS, {"MAX_GROSS_VALUE", "SYMBOL_COOLDOWN", "STRATEGY_COOLDOWN"}),
        ("max_drawdown = 10", {"DRAWDOWN_REACHED"}),
    ],
)
async def test_a_backtest_refuses_with_the_codes_of_a_session(
    tmp_path: Path, store: Store, limits: str, codes: set[str]
) -> None:
    orders = [order for order in await refused(tmp_path, store, limits) if order.code in codes]
    assert {order.code for order in orders} == codes
    assert all(order.operation.enters for order in orders)
    assert all(json.loads(order.numbers)["limit"] for order in orders)
