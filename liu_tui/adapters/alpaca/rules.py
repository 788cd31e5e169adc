"""What Alpaca does not take, said before it is sent. No I/O.

Source: "Placing orders" and "Fractional trading" of Alpaca's trading documentation. Rules that need the
market or the account (buying power, shortability, opening hours) are the desk's, and the broker's own answer.
"""

from collections.abc import Callable

from liu_tui.model.orders import OrderClass, OrderRequest, OrderType, TimeInForce

ID_LENGTH = 128
LEAST_NOTIONAL = 1.0
_DAY_GTC = (TimeInForce.DAY, TimeInForce.GTC)
_PRICES = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("limit_price", "stop_price"),
    OrderType.TRAILING_STOP: (),
}


def refusal(request: OrderRequest) -> str:
    """Say what is wrong with a request; "" if nothing is."""
    for rule in _RULES:
        if words := rule(request):
            return words
    return ""


def _id(request: OrderRequest) -> str:
    if 0 < len(request.client_order_id) <= ID_LENGTH:
        return ""
    return f"a client order id has 1 to {ID_LENGTH} characters"


def _amount(request: OrderRequest) -> str:
    if request.notional is None:
        return ""
    if request.qty:
        return "an order is for a quantity or for dollars, not for both"
    if request.notional < LEAST_NOTIONAL:
        return f"an order in dollars is for {LEAST_NOTIONAL:g} at least"
    return ""


def _prices(request: OrderRequest) -> str:
    kind = request.order_type
    for name in ("limit_price", "stop_price"):
        said, needed = getattr(request, name) is not None, name in _PRICES[kind]
        # The prices of an OCO stand in its legs: its own limit is the target's.
        if needed and not said and request.order_class is not OrderClass.OCO:
            return f"a {kind.value} order needs a {name}"
        if said and not needed:
            return f"a {kind.value} order has no {name}"
    trails = (request.trail_price is not None) + (request.trail_percent is not None)
    if trails != (kind is OrderType.TRAILING_STOP):
        return "a trailing stop, and no other order, has a trail_price or a trail_percent"
    return ""


def _time_in_force(request: OrderRequest) -> str:
    kind, tif = request.order_type, request.tif
    if tif in (TimeInForce.OPG, TimeInForce.CLS) and kind not in (OrderType.MARKET, OrderType.LIMIT):
        return f"at the open and the close there are market and limit orders only, not {kind.value}"
    if kind in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP) and tif not in _DAY_GTC:
        return f"a {kind.value} order is day or gtc, not {tif.value}"
    return ""


def _fraction(request: OrderRequest) -> str:
    if request.notional is None and request.qty == int(request.qty):
        return ""
    if request.tif is not TimeInForce.DAY:
        return "fractional orders must be DAY orders"
    if request.order_class is not OrderClass.SIMPLE:
        return "fractional orders must be simple orders"
    if request.order_type is OrderType.TRAILING_STOP:
        return "a trailing stop is for whole shares"
    return ""


def _legs(request: OrderRequest) -> str:
    kind, target, stop = request.order_class, request.take_profit is not None, request.stop_loss is not None
    if kind is OrderClass.SIMPLE:
        return "a simple order has no legs" if target or stop else ""
    if request.order_type is OrderType.TRAILING_STOP:
        return "a trailing stop stands alone"
    if kind is OrderClass.OTO:
        return "" if target != stop else "an oto order has one leg"
    if not (target and stop):
        return f"a {kind.value} order has both a take_profit and a stop_loss"
    if kind is OrderClass.OCO and request.order_type is not OrderType.LIMIT:
        return "an oco order is of type limit"
    return ""


def _hours(request: OrderRequest) -> str:
    if request.order_class is not OrderClass.SIMPLE and request.tif not in _DAY_GTC:
        return f"a {request.order_class.value} order is day or gtc, not {request.tif.value}"
    if not request.extended_hours:
        return ""
    if request.order_type is not OrderType.LIMIT or request.tif not in _DAY_GTC:
        return "extended hours take limit orders only, day or gtc"
    return "" if request.order_class is OrderClass.SIMPLE else "extended hours take simple orders only"


_RULES: tuple[Callable[[OrderRequest], str], ...] = (
    _id,
    _amount,
    _prices,
    _time_in_force,
    _fraction,
    _legs,
    _hours,
)
