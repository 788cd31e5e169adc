"""How much is asked for: shares, fractions of them, or dollars. What may not be raises ExchangeRefusal."""

import math
from decimal import ROUND_DOWN, Decimal

from liu_tui.model.orders import OrderClass, OrderRequest, OrderType, TimeInForce
from liu_tui.trading.matching.exact import SHARE, ZERO, money, shares
from liu_tui.trading.matching.refusals import unprocessable

_CENTS = 2
_FOR_DOLLARS = (OrderType.MARKET, OrderType.LIMIT)


def check_amount(request: OrderRequest) -> None:
    """Refuse an amount that no order can have, and a fraction where none may be."""
    if request.notional is not None:
        _check_notional(request, request.notional)
        return
    if not math.isfinite(request.qty) or request.qty <= 0 or not shares(request.qty):
        raise unprocessable("qty must be > 0")
    if not float(request.qty).is_integer():
        _check_fraction(request)


def estimated(notional: Decimal, price: float) -> Decimal:
    """Return the shares that so many dollars are at a price; 0 while that is unknown."""
    return (notional / money(price)).quantize(SHARE, ROUND_DOWN) if price > 0 else ZERO


def _check_notional(request: OrderRequest, notional: float) -> None:
    if request.qty:
        raise unprocessable("only one of qty or notional is accepted")
    if not math.isfinite(notional) or notional <= 0:
        raise unprocessable("notional must be > 0")
    if round(notional, _CENTS) != round(notional, 9):
        raise unprocessable("notional amount must be limited to 2 decimal places")
    if request.order_type not in _FOR_DOLLARS:
        raise unprocessable("notional orders must be market or limit orders")
    _check_fraction(request)


def _check_fraction(request: OrderRequest) -> None:
    if request.tif is not TimeInForce.DAY:
        raise unprocessable("fractional orders must be DAY orders")
    if request.order_class is not OrderClass.SIMPLE:
        raise unprocessable("fractional orders must be simple orders")
    if request.order_type is OrderType.TRAILING_STOP:
        raise unprocessable("fractional orders must be market, limit, stop or stop_limit orders")
    if request.extended_hours:
        raise unprocessable("fractional orders must be for regular hours")
