"""Guards that look at sums: dollars at work, positions, orders sent, and what the account has left."""

from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.risk import Ask, Facts, entries_only


@entries_only
def order_value(ask: Ask, facts: Facts) -> Refusal | None:
    """Dollars of one order."""
    limit = facts.limits.max_order_value
    if limit is None or ask.value <= limit:
        return None
    return refusal("MAX_ORDER_VALUE", value=ask.value, limit=limit)


@entries_only
def position_value(ask: Ask, facts: Facts) -> Refusal | None:
    """Dollars in one symbol, of all strategies and of strangers."""
    limit, value = facts.limits.max_position_value, facts.symbol_value + ask.value
    if limit is None or value <= limit:
        return None
    return refusal("MAX_POSITION_VALUE", symbol=ask.symbol, value=value, limit=limit)


@entries_only
def gross_value(ask: Ask, facts: Facts) -> Refusal | None:
    """Dollars in all symbols, long and short added up."""
    limit, value = facts.limits.max_gross_value, facts.gross_value + ask.value
    if limit is None or value <= limit:
        return None
    return refusal("MAX_GROSS_VALUE", value=value, limit=limit)


@entries_only
def open_positions(ask: Ask, facts: Facts) -> Refusal | None:
    """Positions open or being opened."""
    limit = facts.limits.max_open_positions
    if limit is None or not facts.opens or facts.open_positions < limit:
        return None
    return refusal("MAX_OPEN_POSITIONS", count=facts.open_positions, limit=limit)


@entries_only
def order_rate(ask: Ask, facts: Facts) -> Refusal | None:
    """Orders of the last minute."""
    limit = facts.limits.max_orders_per_minute
    if limit is None or facts.sent_last_minute < limit:
        return None
    return refusal("ORDER_RATE", count=facts.sent_last_minute, limit=limit)


@entries_only
def day_orders(ask: Ask, facts: Facts) -> Refusal | None:
    """Orders of the account's day."""
    limit = facts.limits.max_orders_per_day
    if limit is None or facts.sent_today < limit:
        return None
    return refusal("MAX_ORDERS_PER_DAY", count=facts.sent_today, limit=limit)


@entries_only
def buying_power(ask: Ask, facts: Facts) -> Refusal | None:
    """What the broker lets the account spend yet."""
    left = facts.buying_power
    if left is None or ask.value <= left:
        return None
    return refusal("BUYING_POWER_USED", value=ask.value, left=left)


@entries_only
def allocation(ask: Ask, facts: Facts) -> Refusal | None:
    """What the strategy's portfolio lets it have at work."""
    limit, value = facts.allocation, facts.allocated + ask.value
    if limit is None or value <= limit:
        return None
    return refusal("ALLOCATION_USED", strategy=ask.strategy, value=value, limit=limit)
