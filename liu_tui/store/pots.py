"""The portfolios of a plan, set up in the books and read back as the desk takes them."""

from __future__ import annotations

from liu_tui.model.clock import wall_ns
from liu_tui.plan.schema import PortfolioTable, TradePlan
from liu_tui.store.portfolio import Portfolio
from liu_tui.store.store import Store
from liu_tui.trading.allocation import Pot


async def open_pots(store: Store, plan: TradePlan, batch_id: str, scope: str) -> list[Pot]:
    """Open what the plan's strategies trade from; returns it as it stood before this batch.

    scope: whose money it is: the broker's account, or the batch where its money is the batch's own too. A
        portfolio of one name is another one in each scope, so that play money never meets real money
    """
    used = {table.portfolio_id for table in plan.strategies.values()}
    named = [(name, table) for name, table in plan.portfolios.items() if name in used]
    return [await _open(store, plan, batch_id, f"{name}@{scope}", name, table) for name, table in named]


async def _open(
    store: Store, plan: TradePlan, batch_id: str, portfolio_id: str, name: str, table: PortfolioTable
) -> Pot:
    first = Portfolio(portfolio_id=portfolio_id, size=table.size, created_ns=wall_ns())
    await store.portfolio.open(first, credit=table.credit, batch_id=batch_id)
    members = (strategy for strategy, row in plan.strategies.items() if row.portfolio_id == name)
    stood = await store.portfolio.standing(portfolio_id, without=batch_id)
    return Pot(
        portfolio_id,
        cash=stood.balance if stood is not None else table.size,
        credit=table.credit,
        members=members,
        carried={held.symbol: (held.qty, held.price) for held in stood.held} if stood is not None else None,
    )
