"""From what a strategy asks to the order that will be sent: prices on the tick, exits cut to what is held."""

import math
from collections.abc import Mapping

import msgspec

from liu_tui.model.account import Position
from liu_tui.model.orders import Intent, OrderState, OrderType, Side, TimeInForce
from liu_tui.trading.closing import closing_operation
from liu_tui.trading.orders import ENTRY, EXIT, OrderRecord, order_type
from liu_tui.trading.prices import (
    is_price,
    limit_price,
    stop_limit_price,
    target_price,
    trail_amount,
    trigger_price,
)
from liu_tui.trading.risk import Ask

_LASTING = (TimeInForce.DAY, TimeInForce.GTC)
_CENTS = 100


def ask_of(intent: Intent, prices: Mapping[str, float]) -> Ask:
    """Read an intent with its prices on the tick. What is no price stays as it is, for the guards to name.

    A share is valued at the limit, else the trigger, else the price that the strategy saw, else the last one;
    an order in dollars is for as many shares as they buy at that.
    """
    side = intent.operation.side
    limit = limit_price(intent.limit, side) if is_price(intent.limit) else intent.limit
    trigger = trigger_price(intent.trigger, side) if is_price(intent.trigger) else intent.trigger
    stop, target = protection_prices(intent.stop, intent.target, side.opposite)
    values = (limit, trigger, intent.price, prices.get(intent.symbol, 0.0))
    price = next((value for value in values if is_price(value)), 0.0)
    dollars = intent.notional
    return Ask(
        strategy=intent.strategy,
        symbol=intent.symbol,
        operation=intent.operation,
        qty=dollars / price if dollars is not None and price else intent.qty,
        price=price,
        limit=limit,
        trigger=trigger,
        stop=stop,
        target=target,
        tif=intent.tif,
        event_ns=intent.event_ns,
    )


def protection_prices(
    stop: float | None, target: float | None, exit_side: Side
) -> tuple[float | None, float | None]:
    """Put a stop and a target on the tick; what is no price stays as it is."""
    return (
        trigger_price(stop, exit_side) if is_price(stop) else stop,
        target_price(target, exit_side) if is_price(target) else target,
    )


def record_of(intent: Intent, ask: Ask, client_order_id: str, now_ns: int) -> OrderRecord:
    """Begin the record of what was asked."""
    trail = None if intent.trail is None else trail_amount(intent.trail, ask.price)
    dollars = None if intent.notional is None else math.floor(intent.notional * _CENTS) / _CENTS
    return OrderRecord(
        client_order_id=client_order_id,
        intent_id=intent.id,
        strategy=intent.strategy,
        symbol=intent.symbol,
        operation=intent.operation,
        role=ENTRY if intent.operation.enters else EXIT,
        order_type=order_type(ask.limit, ask.trigger, trail or intent.trail_percent),
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
        notional=dollars,
        trail_price=trail,
        trail_percent=intent.trail_percent,
        stop_limit=_stop_limit(intent, ask),
        extended_hours=intent.extended_hours,
    )


def exit_of(record: OrderRecord, held: Position, last: float) -> OrderRecord:
    """Cut an exit down to what is held. A wrong price does not hold it up: it goes to the market.

    A limit that may rest keeps the position's stop beside it, as an OCO; a stop or a trailing stop that rests
    is a protection itself. last: dollars, the last price, 0 if unknown
    """
    limit = record.limit_price if is_price(record.limit_price) else None
    trigger = record.stop_price if is_price(record.stop_price) else None
    every = not math.isfinite(record.qty) or record.qty <= 0 or record.qty >= abs(held.qty)
    cut = msgspec.structs.replace(
        record,
        operation=closing_operation(held.qty),
        role=EXIT,
        qty=abs(held.qty) if every else record.qty,
        all_held=every,
        order_type=order_type(limit, trigger, record.trail_price or record.trail_percent),
        limit_price=limit,
        stop_price=trigger,
        stop=None,
        target=None,
        stop_limit=None,
    )
    return msgspec.structs.replace(cut, stop=_stop_beside(cut, held, last))


def _stop_limit(intent: Intent, ask: Ask) -> float | None:
    if not is_price(intent.stop_limit) or not is_price(ask.stop):
        return None
    return stop_limit_price(intent.stop_limit, ask.stop, intent.operation.side.opposite)


def _stop_beside(record: OrderRecord, held: Position, last: float) -> float | None:
    # Where the limit lies behind the stop, or the price does, there is nothing left for a stop to do.
    sign, limit, stop = (1 if held.qty > 0 else -1), record.limit_price, held.stop
    plain = record.order_type is OrderType.LIMIT and record.tif in _LASTING and not record.extended_hours
    if not plain or limit is None or stop is None or record.qty % 1:
        return None
    stop, _ = protection_prices(stop, None, record.operation.side)
    behind = stop is None or (limit - stop) * sign <= 0 or (last > 0 and (last - stop) * sign <= 0)
    return None if behind else stop
