"""What a request must look like, whatever the account holds. What is not so raises ExchangeRefusal."""

import math
from decimal import Decimal

from liu_tui.model.orders import OrderClass, OrderRequest, OrderType, Side, TimeInForce
from liu_tui.trading.matching.amount import check_amount
from liu_tui.trading.matching.order import AUCTIONS, STOPS
from liu_tui.trading.matching.refusals import plain, unprocessable

_LASTING = (TimeInForce.DAY, TimeInForce.GTC)
_LONGEST_ID = 128
_CENT = 0.01
_ALL = 100.0


def check_form(request: OrderRequest) -> None:
    """Refuse what can never be an order: quantity, prices, time in force, class."""
    check_amount(request)
    if len(request.client_order_id) > _LONGEST_ID:
        raise unprocessable(f"client_order_id must be no more than {_LONGEST_ID} characters")
    _check_prices(request)
    _check_time(request)
    _check_class(request)


def check_levels(request: OrderRequest, price: float) -> None:
    """Refuse stops and targets on the wrong side. price: dollars, what a share is worth now; 0 unknown."""
    if request.stop_price is not None:
        check_stop(request.side, request.stop_price, price)
    if request.order_class is OrderClass.OCO:
        check_pair(request.side, exit_limit(request), request.stop_loss)
        return
    exit_side = request.side.opposite
    check_pair(exit_side, request.take_profit, request.stop_loss)
    base = request.limit_price or request.stop_price or price
    if base > 0:
        _check_base(exit_side, request.take_profit, request.stop_loss, base)


def check_stop(side: Side, stop: float, price: float) -> None:
    """Refuse a stop that the market has passed already. price: dollars, 0 unknown."""
    if price <= 0 or (stop > price if side is Side.BUY else stop < price):
        return
    words = "greater" if side is Side.BUY else "less"
    raise unprocessable(
        f"stop price must be {words} than current price", market_price=f"{price:g}", stop_price=f"{stop:g}"
    )


def check_tick(name: str, price: float | None) -> None:
    """Refuse a price that no exchange quotes: below a cent, or below 0.0001 under one dollar."""
    if price is None:
        return
    if not math.isfinite(price) or price <= 0:
        raise unprocessable(f"invalid {name} {price}. must be > 0")
    # Nine decimals: what is beyond them is the noise of a float, not the caller's price.
    exact = Decimal(repr(round(price, 9)))
    if exact != round(exact, 2 if exact >= 1 else 4):
        raise unprocessable(
            f"invalid {name} {plain(exact)}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def exit_limit(request: OrderRequest) -> float | None:
    """Return the limit of an OCO's take-profit, which is its parent."""
    return request.take_profit if request.take_profit is not None else request.limit_price


def check_trail(name: str, trail: float | None, *, percent: bool) -> None:
    """Refuse what is no distance: nothing, or all of the price."""
    if trail is None:
        return
    if not math.isfinite(trail) or trail <= 0 or (percent and trail >= _ALL):
        raise unprocessable(f"invalid {name} {trail}. must be > 0" + (" and < 100" if percent else ""))


def _check_prices(request: OrderRequest) -> None:
    kind = request.order_type
    _check_trailing(request)
    wants_limit = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    limit = exit_limit(request) if request.order_class is OrderClass.OCO else request.limit_price
    if wants_limit and limit is None:
        raise unprocessable(f"{kind.value} orders require a limit price")
    if not wants_limit and limit is not None:
        raise unprocessable(f"{kind.value} orders must not have a limit price")
    if (kind in STOPS) is not (request.stop_price is not None):
        need = "require a stop price" if kind in STOPS else "must not have a stop price"
        raise unprocessable(f"{kind.value} orders {need}")
    check_tick("limit_price", request.limit_price)
    check_tick("stop_price", request.stop_price)
    check_tick("take_profit.limit_price", request.take_profit)
    check_tick("stop_loss.stop_price", request.stop_loss)
    check_tick("stop_loss.limit_price", request.stop_loss_limit)


def _check_trailing(request: OrderRequest) -> None:
    price, percent = request.trail_price, request.trail_percent
    if request.order_type is not OrderType.TRAILING_STOP:
        if price is not None or percent is not None:
            raise unprocessable(f"{request.order_type.value} orders must not have a trail")
        return
    if (price is None) is (percent is None):
        raise unprocessable("trailing_stop orders require either trail_price or trail_percent")
    check_trail("trail_price", price, percent=False)
    check_trail("trail_percent", percent, percent=True)
    if request.tif not in _LASTING or request.order_class is not OrderClass.SIMPLE:
        raise unprocessable("trailing_stop orders must be simple DAY or GTC orders")


def _check_time(request: OrderRequest) -> None:
    if request.extended_hours and (request.order_type is not OrderType.LIMIT or request.tif not in _LASTING):
        raise unprocessable("extended hours order must be DAY or GTC limit orders")
    if request.tif in AUCTIONS and request.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        raise unprocessable(f"{request.tif.value} orders must be market or limit orders")


def _check_class(request: OrderRequest) -> None:
    kind, profit, loss = request.order_class, request.take_profit, request.stop_loss
    if kind is OrderClass.SIMPLE:
        if profit is not None or loss is not None or request.stop_loss_limit is not None:
            raise unprocessable("simple orders must not have take_profit or stop_loss")
        return
    if request.stop_loss_limit is not None and loss is None:
        raise unprocessable("stop_loss.stop_price is required")
    if request.tif not in _LASTING or request.extended_hours:
        raise unprocessable(f"{kind.value} orders must be DAY or GTC, without extended hours")
    if kind is OrderClass.BRACKET and (profit is None or loss is None):
        raise unprocessable("bracket orders require take_profit.limit_price and stop_loss.stop_price")
    if kind is OrderClass.OTO and (profit is None) is (loss is None):
        raise unprocessable("oto orders require either take_profit or stop_loss")
    if kind is OrderClass.OCO and (loss is None or request.order_type is not OrderType.LIMIT):
        raise unprocessable("oco orders require a take-profit limit and stop_loss.stop_price")


def check_pair(exit_side: Side, profit: float | None, loss: float | None) -> None:
    """Refuse a target that lies behind the stop."""
    if profit is None or loss is None or (profit - loss) * -exit_side.sign > 0:
        return
    relation = ">" if exit_side is Side.SELL else "<"
    raise unprocessable(f"take_profit.limit_price must be {relation} stop_loss.stop_price")


def _check_base(exit_side: Side, profit: float | None, loss: float | None, base: float) -> None:
    # Half a ten-thousandth of slack: 10.01 - 10.0 is not a cent in floats.
    least, sign = _CENT - 0.00005, -exit_side.sign
    above, below = (">=", "+"), ("<=", "-")
    if profit is not None and (profit - base) * sign < least:
        relation, step = above if sign > 0 else below
        text = f"take_profit.limit_price must be {relation} base_price {step} 0.01"
        raise unprocessable(text, base_price=f"{base:g}")
    if loss is not None and (base - loss) * sign < least:
        relation, step = below if sign > 0 else above
        text = f"stop_loss.stop_price must be {relation} base_price {step} 0.01"
        raise unprocessable(text, base_price=f"{base:g}")
