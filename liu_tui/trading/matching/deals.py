"""What the market offers an order: a price, and how many shares at it.

As it stands the exchange gives all that is asked for at the other side of the quote. Its manners
(`ExchangeOptions`) make it stricter:

    displayed  no more than the size that the quote shows; what one order takes is gone for the next, until
               the next quote. Without a quote nothing is shown, and nothing bounds
    slippage   who takes pays more: the price moves against him, never through his limit
    queue      an order that rests fills at its own limit, when
                 - the other side's quote comes to its price (what was before it must be gone), or
                 - a print goes through its price (with `displayed` for no more than its size), or
                 - prints at its price have used up what stood before it; they fill it with what is left over

What stands before an order at its price is what the quote shows on its own side when that price is the best,
nothing when its price is better than the best, and not known as long as it is worse. When the quote shows
less than was thought to stand before it, so much less it is: somebody went away.
"""

from decimal import Decimal
from math import inf

import msgspec

from liu_tui.model.market import Bar, Quote, Trade
from liu_tui.model.orders import Side
from liu_tui.trading.matching.exact import ZERO, money, shares
from liu_tui.trading.matching.mark import Mark
from liu_tui.trading.matching.options import ExchangeOptions
from liu_tui.trading.matching.order import AUCTIONS, Order

Event = Trade | Quote | Bar | None


class Deal(msgspec.Struct, frozen=True):
    """An offer. price: dollars; most: shares; printed: they are of a print, and not of the quote."""

    price: Decimal
    most: float = inf
    printed: bool = False

    def cut(self, qty: Decimal) -> Decimal:
        """Return how many of `qty` shares can be had; whole ones if whole ones are asked for."""
        if self.most >= qty:
            return qty
        return Decimal(int(self.most)) if qty == int(qty) else shares(max(0.0, self.most))


def find(order: Order, mark: Mark, event: Event, options: ExchangeOptions) -> Deal | None:
    """Say what the order can have now; None if nothing. Never worse than its limit."""
    if options.queue and order.rested and order.limit_price is not None:
        return _waited(order, order.limit_price, mark, event, options)
    price = mark.fill_price(order)
    if price is None:
        return None
    shown = _shown(order, mark, options)
    return Deal(_slipped(order, price, options.slippage), shown) if shown > 0 else None


def stand(order: Order, mark: Mark) -> None:
    """Learn from the quote what stands before an order that rests."""
    limit = order.limit_price
    best, size = (mark.bid, mark.bid_size) if order.side is Side.BUY else (mark.ask, mark.ask_size)
    if limit is None or not mark.quoted or not (mark.bid or mark.ask):
        return
    better = not best or (limit - best) * order.side.sign > 0
    if better:
        order.ahead = ZERO
    elif best == limit:
        there = shares(size)
        order.ahead = there if order.ahead is None else min(order.ahead, there)


def _waited(order: Order, limit: float, mark: Mark, event: Event, options: ExchangeOptions) -> Deal | None:
    if isinstance(event, Trade):
        return _by_print(order, limit, mark, event, options)
    stand(order, mark)
    if mark.fill_price(order) is None:
        return None
    shown = _shown(order, mark, options)
    return Deal(money(limit), shown) if shown > 0 else None


def _by_print(order: Order, limit: float, mark: Mark, event: Trade, options: ExchangeOptions) -> Deal | None:
    beyond = (limit - event.price) * order.side.sign
    if beyond > 0:
        most = event.size - mark.printed if options.displayed else inf
        return Deal(money(limit), most, printed=True) if most > 0 else None
    if beyond < 0 or (order.ahead is None and mark.quoted):
        return None
    printed = shares(event.size)
    before = min(order.ahead or ZERO, printed)
    order.ahead = (order.ahead or ZERO) - before
    left = float(printed - before) - mark.printed
    return Deal(money(limit), left, printed=True) if left > 0 else None


def _shown(order: Order, mark: Mark, options: ExchangeOptions) -> float:
    if not options.displayed or not mark.quoted or order.tif in AUCTIONS:
        return inf
    return mark.shown(order.side)


def _slipped(order: Order, price: float, slippage: float) -> Decimal:
    if not slippage or order.rested:
        return money(price)
    slipped, bound = money(price * (1 + slippage * order.side.sign)), order.bound
    if bound is None:
        return slipped
    return min(slipped, money(bound)) if order.side is Side.BUY else max(slipped, money(bound))
