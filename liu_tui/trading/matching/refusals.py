"""The exchange's noes: status, broker code and text as Alpaca words them.

One code has many causes, and only the text tells them apart; so the texts are exact.
"""

from decimal import Decimal

from liu_tui.errors import LiuError

UNPROCESSABLE = 42210000
FORBIDDEN = 40310000
NOT_UNIQUE = 40010001
NOT_FOUND = 40410000


class ExchangeRefusal(LiuError):
    """A definite no: nothing has changed. `what` is the broker's text.

    http:        status of the answer
    broker_code: `code` of the body
    context:     further keys of the body, as strings
    """

    def __init__(self, http: int, broker_code: int, what: str, **context: str) -> None:
        super().__init__(what)
        self.http, self.broker_code, self.context = http, broker_code, context


def unprocessable(what: str, **context: str) -> ExchangeRefusal:
    """Refuse a request that can never be taken as it stands (422)."""
    return ExchangeRefusal(422, UNPROCESSABLE, what, **context)


def forbidden(what: str, **context: str) -> ExchangeRefusal:
    """Refuse a request that the account may not make now (403)."""
    return ExchangeRefusal(403, FORBIDDEN, what, **context)


def not_found(order_id: str) -> ExchangeRefusal:
    """Refuse an order that never was (404)."""
    return ExchangeRefusal(404, NOT_FOUND, f"order not found for {order_id}")


def not_unique() -> ExchangeRefusal:
    """Refuse a client order id that was used before, by a finished order too (422)."""
    return ExchangeRefusal(422, NOT_UNIQUE, "client_order_id must be unique")


def not_shortable(symbol: str) -> ExchangeRefusal:
    """Refuse a short sale of what is not lent (422): not by its listing, or not now."""
    return unprocessable(f'asset "{symbol}" cannot be sold short')


def insufficient_qty(
    symbol: str, requested: Decimal, existing: Decimal, available: Decimal
) -> ExchangeRefusal:
    """More shares than may still be closed: they are not held, or open orders have reserved them.

    existing: shares held, positive for a short too
    """
    asked, free, held = plain(requested), plain(available), plain(existing)
    return forbidden(
        f"insufficient qty available for order (requested: {asked}, available: {free})",
        symbol=symbol,
        available=free,
        existing_qty=held,
        held_for_orders=plain(existing - available),
    )


def insufficient_buying_power(buying_power: Decimal, cost_basis: Decimal) -> ExchangeRefusal:
    """Refuse an order that would cost more than is left, both in dollars."""
    return forbidden(
        "insufficient buying power", buying_power=f"{buying_power:.2f}", cost_basis=f"{cost_basis:.2f}"
    )


def wash_trade(kind: str, existing_order_id: str) -> ExchangeRefusal:
    """Refuse an order that could trade with our own. kind: "market/stop" or "limit"."""
    return forbidden(
        "potential wash trade detected. use complex orders",
        reject_reason=f"opposite side {kind} order exists",
        existing_order_id=existing_order_id,
    )


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
