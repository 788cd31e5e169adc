"""What an order becomes when it is replaced."""

import math

import msgspec

from liu_tui.model.orders import OrderClass, OrderState, TimeInForce
from liu_tui.trading.matching.exact import ZERO, shares
from liu_tui.trading.matching.form import check_stop, check_tick, check_trail
from liu_tui.trading.matching.order import AT_ONCE, Order
from liu_tui.trading.matching.refusals import unprocessable
from liu_tui.trading.matching.trailing import stop_of

_REPLACEABLE = (OrderState.NEW, OrderState.PARTIALLY_FILLED, OrderState.HELD)


def amended(
    old: Order,
    qty: float | None,
    limit_price: float | None,
    stop_price: float | None,
    trail: float | None,
    tif: TimeInForce | None,
    price: float,
) -> Order:
    """Make a fresh order like `old` with these terms, without ids and group. Raises ExchangeRefusal.

    qty:   whole shares in all; what `old` has filled is taken off
    trail: dollars or percent, whichever `old` has; the best price that it has seen stays
    price: dollars, what a share is worth now; 0 unknown
    """
    if old.asked or old.status not in _REPLACEABLE or (old.triggered and old.limit_price is None):
        raise unprocessable("unable to replace order in current state")
    _check_terms(old, qty, limit_price, stop_price, trail, tif)
    check_trail("trail", trail, percent=old.trail_price is None)
    if stop_price is not None and not old.triggered and old.status is not OrderState.HELD:
        check_stop(old.side, stop_price, price)
    left = (old.qty if qty is None else shares(qty)) - old.done
    if left <= 0:
        raise unprocessable("qty must be > filled_qty")
    new = msgspec.structs.replace(
        old,
        id="",
        qty=left,
        filled=ZERO,
        paid=ZERO,
        busted=ZERO,
        sliced=False,
        rested=False,
        ahead=None,
        limit_price=old.limit_price if limit_price is None else round(limit_price, 4),
        stop_price=old.stop_price if stop_price is None else round(stop_price, 4),
        tif=old.tif if tif is None else tif,
        leg_ids=[],
        replaced_by="",
    )
    if trail is not None:
        name = "trail_percent" if old.trail_price is None else "trail_price"
        new = msgspec.structs.replace(new, **{name: trail})
        new.stop_price = stop_of(new)
    return new


def _check_terms(
    old: Order,
    qty: float | None,
    limit_price: float | None,
    stop_price: float | None,
    trail: float | None,
    tif: TimeInForce | None,
) -> None:
    check_tick("limit_price", limit_price)
    check_tick("stop_price", stop_price)
    if old.notional is not None:
        raise unprocessable("notional orders cannot be replaced")
    if limit_price is not None and old.limit_price is None:
        raise unprocessable(f"{old.order_type.value} orders must not have a limit price")
    if stop_price is not None and (old.stop_price is None or old.trails):
        raise unprocessable(f"{old.order_type.value} orders must not have a stop price")
    if trail is not None and not old.trails:
        raise unprocessable(f"{old.order_type.value} orders must not have a trail")
    if tif is not None and tif in AT_ONCE:
        raise unprocessable("time_in_force can only be replaced with DAY or GTC")
    if qty is None:
        return
    if old.order_class is not OrderClass.SIMPLE:
        raise unprocessable("qty of bracket, oco and oto orders cannot be replaced")
    if not math.isfinite(qty) or qty <= 0 or not float(qty).is_integer():
        raise unprocessable("qty must be whole shares")
