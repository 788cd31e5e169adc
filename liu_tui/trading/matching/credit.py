"""What the account can carry: shares that are free to close, and buying power to open.

An open order reserves one or the other: an exit the shares it would close, an entry dollars of buying power.
Exits free no buying power until they fill. Market orders are valued at the market, without a collar.
"""

from collections import defaultdict
from decimal import Decimal

from liu_tui.model.orders import OrderClass, OrderState, Side
from liu_tui.trading.matching.book import Book
from liu_tui.trading.matching.exact import ZERO, money
from liu_tui.trading.matching.funds import Funds
from liu_tui.trading.matching.mark import Mark
from liu_tui.trading.matching.order import EXIT_PAIRS, Order
from liu_tui.trading.matching.refusals import (
    forbidden,
    insufficient_buying_power,
    insufficient_qty,
    unprocessable,
    wash_trade,
)

MULTIPLIER = 4
MARGIN_EQUITY = Decimal(2_000)
LEAST = Decimal(1)
SHORT_MARKUP = Decimal("1.03")
"""Source: Alpaca's margin and fractional trading rules of 2026. Below MARGIN_EQUITY dollars of equity there
is no margin; LEAST dollars is the smallest fractional buy."""


def equity(book: Book, funds: Funds) -> Decimal:
    """Cash and what the holdings are worth, dollars."""
    return funds.cash + sum((qty * price for qty, price in worth_of(book, funds)), ZERO)


def multiplier(worth: Decimal) -> int:
    """How often an equity of `worth` dollars may be invested during the day."""
    return MULTIPLIER if worth >= MARGIN_EQUITY else 1


def buying_power(book: Book, funds: Funds, *, without: Order | None = None) -> Decimal:
    """Dollars that may still be opened, never negative. without: an order that is about to be replaced."""
    worth = equity(book, funds)
    invested = sum((abs(qty * price) for qty, price in worth_of(book, funds)), ZERO)
    return max(ZERO, worth * multiplier(worth) - invested - _reserved(book, without))


def available(book: Book, funds: Funds, symbol: str, side: Side, *, without: Order | None = None) -> Decimal:
    """Shares that an order on `side` may still close, positive; 0 if nothing is held the other way.

    A pair of exits counts once; legs that wait for their entry hold nothing yet.
    without: an order that is about to be replaced, with its group
    """
    held = funds.qty(symbol)
    if held * side.sign >= 0:
        return ZERO
    reserved: dict[str, Decimal] = defaultdict(Decimal)
    for order in book.slot(symbol).open.values():
        closes = order.side is side and not order.opens and order.status is not OrderState.HELD
        if closes and (without is None or order.reserve_id != without.group_id):
            reserved[order.reserve_id] = max(reserved[order.reserve_id], order.leaves)
    return max(ZERO, abs(held) - sum(reserved.values(), ZERO))


def admit(order: Order, book: Book, funds: Funds, *, without: Order | None = None) -> None:
    """Decide whether the order opens or closes, and reserve for it. Raises ExchangeRefusal.

    One order cannot do both: more shares than are free to close are refused, not turned into the other
    direction.
    """
    _check_wash(order, book, without)
    held = funds.qty(order.symbol)
    if held * order.side.sign < 0 or order.order_class is OrderClass.OCO:
        free = available(book, funds, order.symbol, order.side, without=without)
        if order.qty > free:
            raise insufficient_qty(order.symbol, order.qty, abs(held), free)
        order.opens, order.reserve = False, ZERO
        return
    if order.side is Side.SELL:
        _check_short(order, equity(book, funds))
    order.opens, order.reserve = True, _cost(order, book.slot(order.symbol).mark)
    power = buying_power(book, funds, without=without)
    cost = order.reserve * order.qty if order.notional is None else order.notional
    fraction = order.notional is not None or order.qty != int(order.qty)
    if order.side is Side.BUY and fraction and 0 < cost < LEAST:
        raise forbidden("cost basis must be >= minimal amount of order 1")
    if cost > power:
        raise insufficient_buying_power(power, cost)


def worth_of(book: Book, funds: Funds) -> list[tuple[Decimal, Decimal]]:
    """Return signed shares and price of each holding: at its mark, or what it cost where there is none."""
    return [
        (held.qty, money(book.slot(symbol).mark.price) or held.avg_price)
        for symbol, held in funds.holdings.items()
    ]


def _reserved(book: Book, without: Order | None) -> Decimal:
    """Dollars that open entries hold. A replacement on its way and the old one hold the dearer of the two."""
    held: dict[str, Decimal] = {}
    for order in book.open.values():
        if order.opens and order is not without:
            in_dollars = order.notional is not None and not order.done
            dollars = (order.notional or ZERO) if in_dollars else order.leaves * order.reserve
            key = order.stands_in or order.id
            held[key] = max(held.get(key, ZERO), dollars)
    return sum(held.values(), ZERO)


def _cost(order: Order, mark: Mark) -> Decimal:
    # With nothing known of the market the cost is unknown too: such an order waits for the first event.
    market = money(mark.against(Side.BUY) or mark.price)
    asked = order.limit_price if order.limit_price is not None else order.stop_price
    if order.side is Side.SELL:
        return max(money(asked or 0.0), market * SHORT_MARKUP)
    return money(asked) if asked is not None else market


def _check_short(order: Order, worth: Decimal) -> None:
    if order.qty != int(order.qty):
        raise unprocessable("fractional orders cannot be sold short")
    if worth < MARGIN_EQUITY:
        raise forbidden("account is not allowed to short")


def _check_wash(order: Order, book: Book, without: Order | None) -> None:
    # Ours and those we might meet are free of this rule alike. OTO is not (Alpaca's table).
    if _exempt(order):
        return
    for other in book.slot(order.symbol).open.values():
        exempt = _exempt(other) or other.status is OrderState.HELD or other is without
        if other.side is not order.side and not exempt and _could_meet(order, other):
            raise wash_trade("limit" if _bounded(other) else "market/stop", other.id)


def _exempt(order: Order) -> bool:
    return order.order_class in EXIT_PAIRS or order.trails


def _could_meet(order: Order, other: Order) -> bool:
    if not (_bounded(order) and _bounded(other)):
        return True
    buy, sell = (order, other) if order.side is Side.BUY else (other, order)
    return (buy.limit_price or 0.0) >= (sell.limit_price or 0.0)


def _bounded(order: Order) -> bool:
    return order.limit_price is not None
