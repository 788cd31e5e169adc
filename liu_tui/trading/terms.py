"""REPLACE: the terms that a strategy wants for its working entry, and whether that order can have them."""

import msgspec

from liu_tui.model.orders import Intent, OrderClass, OrderType, TimeInForce
from liu_tui.trading.brokerrules import BrokerRules, cannot_replace
from liu_tui.trading.orders import OrderRecord, class_of
from liu_tui.trading.prices import limit_price, trail_amount, trigger_price
from liu_tui.trading.risk import Ask

_LASTING = (TimeInForce.DAY, TimeInForce.GTC)


def with_terms(old: OrderRecord, intent: Intent, last: float) -> OrderRecord:
    """Say what the order would be: prices on the tick, qty the shares that are left to fill.

    last: dollars, the last price, 0 if unknown: what an order without a price of its own is valued at
    """
    side = old.operation.side
    limit = old.limit_price if intent.limit is None else limit_price(intent.limit, side)
    trigger = old.stop_price if intent.trigger is None else trigger_price(intent.trigger, side)
    dollars, percent = old.trail_price, old.trail_percent
    if intent.trail is not None and percent is not None:
        percent = intent.trail
    elif intent.trail is not None:
        dollars = trail_amount(intent.trail, last or old.price)
    own = None if old.order_type is OrderType.TRAILING_STOP else trigger
    return msgspec.structs.replace(
        old,
        intent_id=intent.id,
        qty=intent.qty - _filled(old) if intent.qty else old.remaining,
        limit_price=limit,
        stop_price=trigger,
        trail_price=dollars,
        trail_percent=percent,
        tif=intent.new_tif or old.tif,
        price=limit or own or last or old.price,
        reason=intent.reason or old.reason,
    )


def why_no_other_terms(old: OrderRecord, intent: Intent, rules: BrokerRules) -> str:
    """Say why this order cannot have these terms; "" if it can."""
    kind = old.order_type.value.replace("_", " ")
    trailing = old.order_type is OrderType.TRAILING_STOP
    if why := cannot_replace(old, rules):
        return why
    if intent.limit is not None and old.limit_price is None:
        return f"it is a {kind} order, without a limit"
    if intent.trigger is not None and (old.stop_price is None or trailing):
        return f"it is a {kind} order, without a trigger"
    if intent.trail is not None and not trailing:
        return f"it is a {kind} order, which does not trail"
    if (intent.trail or 0.0) >= 100 and old.trail_percent is not None:
        return f"a trail of {intent.trail:g} percent is no price"
    if intent.new_tif is not None and intent.new_tif not in _LASTING:
        return f"its time in force can become day or gtc, not {intent.new_tif}"
    return _why_not_so_many(old, intent.qty, rules)


def grows(old: OrderRecord, new: OrderRecord) -> bool:
    """Whether the new terms may open more than the old ones: more shares, or more dollars."""
    return new.qty > old.remaining or new.qty * new.price > old.remaining * old.price


def ask_for(new: OrderRecord, old: OrderRecord) -> Ask:
    """Show the guards the new order in the place of the old one."""
    return Ask(
        strategy=new.strategy,
        symbol=new.symbol,
        operation=new.operation,
        qty=new.qty,
        price=new.price,
        limit=new.limit_price,
        trigger=new.stop_price,
        stop=new.stop,
        target=new.target,
        tif=new.tif,
        replaces=old.client_order_id,
    )


def _why_not_so_many(old: OrderRecord, qty: float, rules: BrokerRules) -> str:
    if not qty:
        return ""
    if class_of(old) is not OrderClass.SIMPLE and not rules.replace_group_qty:
        return "the quantity of an entry that brings a stop or a target stays as it is"
    if qty % 1:
        return f"a replacement is for whole shares, not {qty:g}"
    if qty <= _filled(old):
        return f"{_filled(old):g} shares of it are filled already"
    return ""


def _filled(record: OrderRecord) -> float:
    return max(record.filled_qty, record.broker_filled)
