"""Our OrderRequest -> the body of POST /v2/orders. Prices and quantities as strings, prices on the tick."""

from decimal import ROUND_HALF_EVEN, Decimal

from liu_tui.errors import OrderRefused
from liu_tui.model.market import normal_symbol
from liu_tui.model.orders import OrderClass, OrderRequest, ReplaceRequest

_CENT = Decimal("0.01")
_HUNDREDTH_CENT = Decimal("0.0001")
_NANO_SHARE = Decimal("0.000000001")
MOST = Decimal(10**9)


def order_form(request: OrderRequest) -> dict[str, object]:
    """Write the body. Raises OrderRefused, naming the field, for a number that is none; nothing is sent."""
    form: dict[str, object] = {
        "symbol": normal_symbol(request.symbol),
        "qty": _qty(request.qty),
        "side": request.side.value,
        "type": request.order_type.value,
        "time_in_force": request.tif.value,
        "client_order_id": request.client_order_id,
    }
    if request.limit_price is not None:
        form["limit_price"] = price("limit_price", request.limit_price)
    if request.stop_price is not None:
        form["stop_price"] = price("stop_price", request.stop_price)
    if request.order_class is not OrderClass.SIMPLE:
        form["order_class"] = request.order_class.value
    if request.take_profit is not None:
        form["take_profit"] = {"limit_price": price("take_profit", request.take_profit)}
    if request.stop_loss is not None:
        form["stop_loss"] = {"stop_price": price("stop_loss", request.stop_loss)}
    if request.extended_hours:
        form["extended_hours"] = True
    return form


def replace_form(request: ReplaceRequest) -> dict[str, object]:
    """Write the body of PATCH /v2/orders/{id}: the terms that change.

    Raises OrderRefused, naming the field.
    """
    form: dict[str, object] = {"client_order_id": request.client_order_id}
    if request.qty is not None:
        form["qty"] = _qty(request.qty)
    if request.limit_price is not None:
        form["limit_price"] = price("limit_price", request.limit_price)
    if request.stop_price is not None:
        form["stop_price"] = price("stop_price", request.stop_price)
    if request.trail is not None:
        form["trail"] = f"{_decimal('trail', request.trail)}"
    if request.tif is not None:
        form["time_in_force"] = request.tif.value
    return form


def price(name: str, dollars: float) -> str:
    """Spell a price on the tick nearest to it: cents from one dollar up, hundredths of a cent below.

    Source: Alpaca's minimum pricing criteria (42210000). Raises OrderRefused.
    """
    value = _decimal(name, dollars)
    # What rounds up to a dollar is quoted in cents.
    tick = _CENT if value.quantize(_HUNDREDTH_CENT) >= 1 else _HUNDREDTH_CENT
    return f"{value.quantize(tick, ROUND_HALF_EVEN):f}"


def _qty(shares: float) -> str:
    text = f"{_decimal('qty', shares).quantize(_NANO_SHARE):f}"
    return text.rstrip("0").rstrip(".")


def _decimal(name: str, number: float) -> Decimal:
    # Through its shortest spelling: 0.1 + 0.2 has digits that nobody meant.
    value = Decimal(repr(float(number)))
    if not value.is_finite() or not 0 < value < MOST:
        raise OrderRefused(f"{name} {number!r} is no positive number", where="alpaca orders")
    return value
