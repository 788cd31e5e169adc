"""Our OrderRequest -> the body of POST /v2/orders. Prices and quantities as strings, prices on the tick."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from liu_tui.adapters.alpaca.rules import refusal
from liu_tui.errors import OrderRefused
from liu_tui.model.market import normal_symbol
from liu_tui.model.orders import OrderClass, OrderRequest, ReplaceRequest

_CENT = Decimal("0.01")
_HUNDREDTH_CENT = Decimal("0.0001")
_NANO_SHARE = Decimal("0.000000001")
MOST = Decimal(10**9)
_WHERE = "alpaca orders"


def order_form(request: OrderRequest) -> dict[str, object]:
    """Write the body.

    Raises OrderRefused, and nothing is sent: for a number that is none, and for what Alpaca does not take.
    """
    form: dict[str, object] = {
        "symbol": normal_symbol(request.symbol),
        "side": request.side.value,
        "type": request.order_type.value,
        "time_in_force": request.tif.value,
        "client_order_id": request.client_order_id,
    }
    if request.notional is None:
        form["qty"] = _qty(request.qty)
    else:
        form["notional"] = f"{_decimal('notional', request.notional).quantize(_CENT, ROUND_DOWN):f}"
    form |= _prices(request)
    if request.order_class is not OrderClass.SIMPLE:
        form["order_class"] = request.order_class.value
    if request.take_profit is not None:
        form["take_profit"] = {"limit_price": price("take_profit", request.take_profit)}
    if request.stop_loss is not None:
        form["stop_loss"] = _stop_loss(request.stop_loss, request.stop_loss_limit)
    if request.extended_hours:
        form["extended_hours"] = True
    if words := refusal(request):  # after the numbers: its rules compare them
        raise OrderRefused(words, where=_WHERE)
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
        form["trail"] = _trail("trail", request.trail)
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


def _prices(request: OrderRequest) -> dict[str, object]:
    form: dict[str, object] = {}
    if request.limit_price is not None:
        form["limit_price"] = price("limit_price", request.limit_price)
    if request.stop_price is not None:
        form["stop_price"] = price("stop_price", request.stop_price)
    if request.trail_price is not None:
        form["trail_price"] = _trail("trail_price", request.trail_price)
    if request.trail_percent is not None:
        form["trail_percent"] = _trail("trail_percent", request.trail_percent)
    return form


def _stop_loss(stop: float, limit: float | None) -> dict[str, str]:
    leg = {"stop_price": price("stop_loss", stop)}
    return leg if limit is None else leg | {"limit_price": price("stop_loss_limit", limit)}


def _trail(name: str, distance: float) -> str:
    # A distance or a percentage is no price: it has cents, unless it is smaller than one.
    value = _decimal(name, distance)
    tick = _CENT if value >= _CENT else _HUNDREDTH_CENT
    return f"{value.quantize(tick, ROUND_HALF_EVEN):f}"


def _qty(shares: float) -> str:
    text = f"{_decimal('qty', shares).quantize(_NANO_SHARE):f}"
    return text.rstrip("0").rstrip(".")


def _decimal(name: str, number: float) -> Decimal:
    # Through its shortest spelling: 0.1 + 0.2 has digits that nobody meant.
    value = Decimal(repr(float(number)))
    if not value.is_finite() or not 0 < value < MOST:
        raise OrderRefused(f"{name} {number!r} is no positive number", where=_WHERE)
    return value
