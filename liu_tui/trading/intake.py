"""From what a strategy asks to the order that will be sent: prices on the tick, exits cut to what is held."""

import math
from collections.abc import Mapping

import msgspec

from liu_tui.model.orders import Intent, OrderState
from liu_tui.trading.closing import closing_operation
from liu_tui.trading.orders import ENTRY, EXIT, OrderRecord, order_type
from liu_tui.trading.prices import is_price, limit_price, target_price, trigger_price
from liu_tui.trading.risk import Ask


def ask_of(intent: Intent, prices: Mapping[str, float]) -> Ask:
    """Read an intent with its prices on the tick. What is no price stays as it is, for the guards to name.

    A share is valued at the limit, else the trigger, else the price that the strategy saw, else the last one.
    """
    side = intent.operation.side
    limit = limit_price(intent.limit, side) if is_price(intent.limit) else intent.limit
    trigger = trigger_price(intent.trigger, side) if is_price(intent.trigger) else intent.trigger
    stop = trigger_price(intent.stop, side.opposite) if is_price(intent.stop) else intent.stop
    target = target_price(intent.target, side.opposite) if is_price(intent.target) else intent.target
    values = (limit, trigger, intent.price, prices.get(intent.symbol, 0.0))
    return Ask(
        strategy=intent.strategy,
        symbol=intent.symbol,
        operation=intent.operation,
        qty=intent.qty,
        price=next((value for value in values if is_price(value)), 0.0),
        limit=limit,
        trigger=trigger,
        stop=stop,
        target=target,
        tif=intent.tif,
    )


def record_of(intent: Intent, ask: Ask, client_order_id: str, now_ns: int) -> OrderRecord:
    """Begin the record of what was asked."""
    return OrderRecord(
        client_order_id=client_order_id,
        intent_id=intent.id,
        strategy=intent.strategy,
        symbol=intent.symbol,
        operation=intent.operation,
        role=ENTRY if intent.operation.enters else EXIT,
        order_type=order_type(ask.limit, ask.trigger),
        qty=intent.qty,
        state=OrderState.INTENT,
        created_ns=now_ns,
        updated_ns=now_ns,
        limit_price=ask.limit,
        stop_price=ask.trigger,
        stop=ask.stop,
        target=ask.target,
        tif=intent.tif,
        price=ask.price,
        reason=intent.reason,
        indicators=intent.indicators,
    )


def exit_of(record: OrderRecord, held: float) -> OrderRecord:
    """Cut an exit down to what is held. A wrong price does not hold it up: it goes to the market."""
    limit = record.limit_price if is_price(record.limit_price) else None
    trigger = record.stop_price if is_price(record.stop_price) else None
    every = not math.isfinite(record.qty) or record.qty <= 0 or record.qty >= abs(held)
    return msgspec.structs.replace(
        record,
        operation=closing_operation(held),
        role=EXIT,
        qty=abs(held) if every else record.qty,
        all_held=every,
        order_type=order_type(limit, trigger),
        limit_price=limit,
        stop_price=trigger,
        stop=None,
        target=None,
    )
