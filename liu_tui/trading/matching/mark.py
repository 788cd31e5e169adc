"""What the exchange knows of one symbol's market, and at which price an order would trade in it."""

import msgspec

from liu_tui.model.market import DAY_NS, Bar, Quote, Trade
from liu_tui.model.orders import Side
from liu_tui.trading.matching.order import Order


class Mark(msgspec.Struct):
    """The best bid and ask, and the last trade. Dollars; 0 where unknown or empty.

    quoted: a quote was seen; until then the last trade stands for both sides
    bid_size, ask_size: shares that the quote shows; 0 where nobody asks for sizes (`see_sizes`)
    bid_taken, ask_taken: what our own orders have taken of them; printed: and of the last print
    """

    bid: float = 0.0
    ask: float = 0.0
    last: float = 0.0
    quoted: bool = False
    bid_size: float = 0.0
    ask_size: float = 0.0
    bid_taken: float = 0.0
    ask_taken: float = 0.0
    printed: float = 0.0

    def see(self, event: Trade | Quote | Bar) -> None:
        """Remember a market event; a bar that says nothing of now is passed over."""
        if isinstance(event, Quote):
            self.bid, self.ask, self.quoted = event.bid, event.ask, True
        elif isinstance(event, Trade):
            self.last = event.price
        elif is_present(event):
            self.last = event.close

    def see_sizes(self, event: Trade | Quote | Bar) -> None:
        """Remember sizes too: nothing of them is taken yet."""
        if isinstance(event, Quote):
            self.bid_size, self.ask_size = event.bid_size, event.ask_size
            self.bid_taken = self.ask_taken = 0.0
        elif isinstance(event, Trade):
            self.printed = 0.0

    def shown(self, side: Side) -> float:
        """Return the shares that an order may still take from the quote."""
        return self.ask_size - self.ask_taken if side is Side.BUY else self.bid_size - self.bid_taken

    def take(self, side: Side, qty: float, *, printed: bool) -> None:
        """Note that our order has taken shares: of the last print, or of the quote's other side."""
        if printed:
            self.printed += qty
        elif side is Side.BUY:
            self.ask_taken += qty
        else:
            self.bid_taken += qty

    @property
    def known(self) -> bool:
        """Whether anything was seen that an order could trade against."""
        return self.quoted or self.last > 0

    @property
    def price(self) -> float:
        """What a share is worth: the last trade, else the middle of the quote, else 0."""
        return self.last or Quote("", 0, self.bid, 0, self.ask, 0).mid

    def against(self, side: Side) -> float:
        """Return what an order can have at once: a buyer the ask, a seller the bid; 0 if there is none."""
        if not self.quoted:
            return self.last
        return self.ask if side is Side.BUY else self.bid

    def fill_price(self, order: Order) -> float | None:
        """Where the order would trade now; None if it is not marketable. Never worse than its limit."""
        price, bound = self.against(order.side), order.bound
        if price <= 0:
            return None
        if bound is None:
            return price
        within = price <= bound if order.side is Side.BUY else price >= bound
        return price if within else None

    def watched(self, event: Trade | Quote | Bar | None, side: Side) -> float:
        """Return the price by which a stop wakes: the print, or the side it would trade at."""
        if isinstance(event, Trade):
            return event.price
        if isinstance(event, Bar):
            return event.close
        return self.against(side)


def is_present(bar: Bar) -> bool:
    """Whether a bar says where the market is: not one fetched after a gap, one revised, or the day so far."""
    return not (bar.backfilled or bar.revised or bar.span_ns >= DAY_NS)


def reached(order: Order, price: float) -> bool:
    """Whether `price` (dollars, 0 unknown) wakes this stop."""
    stop = order.stop_price
    if stop is None or price <= 0:
        return False
    return price >= stop if order.side is Side.BUY else price <= stop
