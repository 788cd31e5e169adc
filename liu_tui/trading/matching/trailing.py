"""Trailing stops: the stop follows the best price seen, and never goes back.

The best price is of prints and of the side that the order would trade at, in regular hours only, from the
moment the order is on the book. A price that wakes the stop does not move it.
Source: Alpaca's order pages, 2026.
"""

from liu_tui.model.orders import Side
from liu_tui.trading.matching.order import Order
from liu_tui.trading.prices import trigger_price


def follow(order: Order, price: float) -> bool:
    """Let the order see a price (dollars, 0 unknown); says whether its stop has moved."""
    if price <= 0 or (order.hwm > 0 and (price - order.hwm) * order.side.sign >= 0):
        return False
    order.hwm = price
    order.stop_price = stop_of(order)
    return True


def stop_of(order: Order) -> float | None:
    """Return where the stop lies under the best price; None while there is none. Rounded outward."""
    if order.hwm <= 0:
        return None
    trail = order.trail_price
    if trail is None:
        trail = order.hwm * (order.trail_percent or 0.0) / 100
    stop = order.hwm - trail if order.side is Side.SELL else order.hwm + trail
    # A stop at nothing can never be reached: the trail was wider than the price.
    return trigger_price(stop, order.side) if stop > 0 else None
