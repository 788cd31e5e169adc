"""What a client wrote to order, read once: Alpaca's fields in, our OrderRequest out.

Numbers may come as numbers or as strings. What this market cannot do is refused in words, never ignored.
"""

import uuid
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from liu_tui.model.market import normal_symbol
from liu_tui.model.orders import OrderClass, OrderRequest, OrderType, Side, TimeInForce
from liu_tui.trading.matching.refusals import unprocessable

Body = Mapping[str, Any]
_Word = TypeVar("_Word", bound=StrEnum)
_INTENTS = {
    Side.BUY: ("buy_to_open", "buy_to_close"),
    Side.SELL: ("sell_to_open", "sell_to_close"),
}
CLIENT_ID_LENGTH = 128


def read_order(body: Body) -> OrderRequest:
    """Read the body of `POST /v2/orders`. Raises ExchangeRefusal (422) naming the first fault."""
    for key in ("legs", "advanced_instructions"):
        if body.get(key) is not None:
            raise unprocessable(f"{key} is not supported by the local market")
    qty, notional = optional(body, "qty"), optional(body, "notional")
    if qty is None and notional is None:
        raise unprocessable("qty or notional is required")
    if qty is not None and notional is not None:
        raise unprocessable("only one of qty or notional is accepted")
    return OrderRequest(
        client_order_id=client_id(body) or new_client_id(),
        symbol=_symbol(body),
        side=word(Side, "side", body),
        qty=qty or 0.0,
        order_type=word(OrderType, "type", body),
        tif=word(TimeInForce, "time_in_force", body),
        limit_price=optional(body, "limit_price"),
        stop_price=optional(body, "stop_price"),
        order_class=word(OrderClass, "order_class", body) if body.get("order_class") else OrderClass.SIMPLE,
        take_profit=_leg(body, "take_profit", "limit_price"),
        stop_loss=_leg(body, "stop_loss", "stop_price"),
        extended_hours=body.get("extended_hours") is True,
        notional=notional,
        trail_price=optional(body, "trail_price"),
        trail_percent=optional(body, "trail_percent"),
        stop_loss_limit=_leg(body, "stop_loss", "limit_price", must=False),
    )


def check_intent(body: Body, side: Side, held: float) -> None:
    """Refuse a `position_intent` that is not what the order does. held: signed shares of the symbol.

    Raises ExchangeRefusal (422).
    """
    said = body.get("position_intent")
    if said is None:
        return
    if said not in _INTENTS[side]:
        raise unprocessable(f"invalid position_intent {said!r}: one of {', '.join(_INTENTS[side])}")
    meant = _INTENTS[side][held * side.sign < 0]
    if said != meant:
        raise unprocessable(f"position intent mismatch, inferred: {meant}, specified: {said}")


def client_id(body: Body) -> str:
    """The client's own id of the order; "" if it leaves the choice to us. Raises ExchangeRefusal (422)."""
    said = body.get("client_order_id")
    if said is None or said == "":
        return ""
    if not isinstance(said, str) or len(said) > CLIENT_ID_LENGTH:
        raise unprocessable(f"client_order_id must be a string of at most {CLIENT_ID_LENGTH} characters")
    return said


def new_client_id() -> str:
    """An id for a client that left the choice to us."""
    return str(uuid.uuid4())


def optional(body: Body, key: str) -> float | None:
    """A positive number, or None if it was not said. Raises ExchangeRefusal (422)."""
    return None if body.get(key) is None else positive(body, key)


def positive(body: Body, key: str) -> float:
    """A number > 0, written as a number or a string. Raises ExchangeRefusal (422)."""
    said = body.get(key)
    if said is None:
        raise unprocessable(f"{key} is required")
    try:
        value = Decimal(str(said)) if not isinstance(said, bool) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        raise unprocessable(f"{key} must be a number > 0, was {said!r}")
    return float(value)


def word(words: type[_Word], key: str, body: Body) -> _Word:
    """One of a set of words. Raises ExchangeRefusal (422) naming them all."""
    said = body.get(key)
    try:
        return words(str(said))
    except ValueError as e:
        raise unprocessable(f"invalid {key} {said!r}: one of {', '.join(words)}") from e


def _symbol(body: Body) -> str:
    said = body.get("symbol")
    if not isinstance(said, str) or not said:
        raise unprocessable("symbol is required")
    return normal_symbol(said)


def _leg(body: Body, name: str, key: str, *, must: bool = True) -> float | None:
    said = body.get(name)
    if said is None:
        return None
    if not isinstance(said, Mapping):
        raise unprocessable(f"{name} must be an object with {key}")
    return positive(said, key) if must else optional(said, key)
