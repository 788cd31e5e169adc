"""Builders of what the books keep."""

from __future__ import annotations

from liu_tui.model.books import Batch
from liu_tui.model.orders import Fill, Operation, OrderState, OrderType
from liu_tui.trading.orders import OrderRecord

T0 = 1_700_000_000_000_000_000
BATCH = "b-1"


def a_batch(
    batch_id: str = BATCH, *, plan: str = "plans/today.toml", environment: str = "PAPER", start_ns: int = T0
) -> Batch:
    """Make a batch that has just begun."""
    return Batch(
        batch_id=batch_id,
        plan=plan,
        plan_text="risk = 0.001\n",
        environment=environment,
        venue="local market",
        account_id="LOCAL",
        code_version="0.1.0",
        day="2026-01-05",
        start_ns=start_ns,
    )


def an_order(
    client_order_id: str = "c-1",
    *,
    state: OrderState = OrderState.INTENT,
    filled_qty: float = 0.0,
    avg_price: float = 0.0,
    stop: float | None = 99.0,
    all_held: bool = False,
    words: str = "",
) -> OrderRecord:
    """Make an order to buy 10 AAPL for the strategy `alpha`."""
    return OrderRecord(
        client_order_id=client_order_id,
        intent_id=f"i-{client_order_id}",
        strategy="alpha",
        symbol="AAPL",
        operation=Operation.BUY,
        role="entry",
        order_type=OrderType.LIMIT,
        qty=10.0,
        state=state,
        created_ns=T0,
        updated_ns=T0,
        limit_price=101.0,
        stop=stop,
        filled_qty=filled_qty,
        avg_price=avg_price,
        price=100.0,
        indicators='{"rvol": 3.1}',
        all_held=all_held,
        words=words,
    )


def a_fill(
    execution_id: str = "x-1",
    qty: float = 10.0,
    price: float = 100.0,
    *,
    strategy: str = "alpha",
    symbol: str = "AAPL",
    operation: Operation = Operation.BUY,
    t_ns: int = T0,
    position: float = 10.0,
    avg_price: float = 100.0,
    realized: float = 0.0,
    stop: float | None = None,
    target: float | None = None,
    reason: str = "",
    fee: float = 0.0,
) -> Fill:
    """Make one fill."""
    return Fill(
        execution_id=execution_id,
        client_order_id="c-1",
        order_id="o-1",
        intent_id="i-1",
        strategy=strategy,
        symbol=symbol,
        operation=operation,
        qty=qty,
        price=price,
        t_ns=t_ns,
        position=position,
        avg_price=avg_price,
        realized=realized,
        stop=stop,
        target=target,
        reason=reason,
        fee=fee,
    )
