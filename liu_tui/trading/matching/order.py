"""One order as the exchange keeps it, and as the world sees it."""

from decimal import Decimal

import msgspec

from liu_tui.model.market import DAY_NS
from liu_tui.model.orders import BrokerOrder, OrderClass, OrderState, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exact import ZERO

STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK, *AUCTIONS)
EXIT_PAIRS = (OrderClass.BRACKET, OrderClass.OCO)
GTC_NS = 90 * DAY_NS
"""How long a GTC order lives. Source: Alpaca's order pages, 2026."""
_DEAR = 50.0
_ASKED = {"cancel": OrderState.PENDING_CANCEL, "replace": OrderState.PENDING_REPLACE}


class Order(msgspec.Struct, kw_only=True):
    """An order's whole state; only the exchange changes it. Quantities are positive shares, prices dollars.

    paid:      sum of price x qty of its fills
    busted:    shares that filled and were taken back: they are not sold or bought again
    opens:     it opens or enlarges a position: it reserves buying power, else shares of the position
    reserve:   dollars a share that an opening order holds of the buying power
    triggered: a stop whose price has been reached
    sliced:    whether it was drawn already if its first fill is a partial one
    leg_ids:   of the parent: all legs it ever had, replaced ones included
    notional:  dollars asked for in place of shares; `qty` is an estimate until its first fill
    hwm:       best price seen by a trailing stop, 0 if none; its stop_price follows
    asked:     "cancel" or "replace" while such a request is on its way to the book
    stands_in: of a replacement on its way: the group of the order whose place it is to take
    base:      of a replacement on its way: what the other had done of its shares when it was asked for
    rested:    it has met the market and could not have all: what it takes from now on, it waited for
    ahead:     shares that stand before it at its price, None while not known
    """

    id: str
    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    order_type: OrderType
    tif: TimeInForce
    status: OrderState
    limit_price: float | None = None
    stop_price: float | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    extended_hours: bool = False
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    busted: Decimal = ZERO
    opens: bool = False
    reserve: Decimal = ZERO
    triggered: bool = False
    sliced: bool = False
    parent_id: str = ""
    leg_ids: list[str] = []
    submitted_ns: int = 0
    updated_ns: int = 0
    replaces: str = ""
    replaced_by: str = ""
    notional: Decimal | None = None
    trail_price: float | None = None
    trail_percent: float | None = None
    hwm: float = 0.0
    asked: str = ""
    stands_in: str = ""
    base: Decimal = ZERO
    rested: bool = False
    ahead: Decimal | None = None

    @property
    def done(self) -> Decimal:
        """Shares that it has traded, whether they stand or not."""
        return self.filled + self.busted

    @property
    def leaves(self) -> Decimal:
        """Shares still to do."""
        return self.qty - self.filled - self.busted

    @property
    def content(self) -> str:
        """What it asks for and when, without its ids: the same in a replay, which numbers its orders anew."""
        what = f"{self.symbol}:{self.side}:{self.order_type}:{self.qty.normalize():f}"
        return f"{what}:{self.limit_price}:{self.stop_price}:{self.submitted_ns}"

    @property
    def open(self) -> bool:
        """Something may still happen to it."""
        return not self.status.final

    @property
    def live(self) -> bool:
        """It is on the book: the market may fill it."""
        return self.status is OrderState.NEW or self.status is OrderState.PARTIALLY_FILLED

    @property
    def trails(self) -> bool:
        """Its stop follows the market."""
        return self.order_type is OrderType.TRAILING_STOP

    @property
    def sleeping(self) -> bool:
        """A stop that waits for its price."""
        return not self.triggered and (self.order_type in STOPS or self.trails)

    @property
    def enters(self) -> bool:
        """The entry that its legs wait for."""
        return bool(self.leg_ids) and self.order_class is not OrderClass.OCO

    @property
    def group_id(self) -> str:
        """The same for all members of a bracket, OCO or OTO."""
        return self.parent_id or self.id

    @property
    def reserve_id(self) -> str:
        """The same for all orders of which only one can trade the same shares."""
        return self.stands_in or self.group_id

    @property
    def bound(self) -> float | None:
        """The worst price that it may trade at; None if it takes any.

        A simple stop buy is sent on as a stop-limit: 4% above its stop, or 2.5% from 50 dollars up.
        Source: Alpaca's order pages, 2023.
        """
        if self.order_type is OrderType.MARKET:
            return None
        stop = self.stop_price
        simple = self.order_type is OrderType.STOP and self.order_class is OrderClass.SIMPLE
        if simple and self.side is Side.BUY and stop is not None:
            return round(stop * (1.04 if stop < _DEAR else 1.025), 4)
        return self.limit_price

    @property
    def expires_ns(self) -> int:
        """When a GTC order ends by itself; 0 for the others, which end with their day."""
        return self.submitted_ns + GTC_NS if self.tif is TimeInForce.GTC else 0

    def view(self, legs: tuple[BrokerOrder, ...] = ()) -> BrokerOrder:
        """Say what the broker would say of it now."""
        status = _ASKED.get(self.asked, self.status) if self.open else self.status
        unsized = self.notional is not None and not self.done
        return BrokerOrder(
            id=self.id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            side=self.side,
            qty=0.0 if unsized else float(self.qty),
            filled_qty=float(self.filled),
            filled_avg_price=float(self.paid / self.filled) if self.filled else 0.0,
            order_type=self.order_type,
            tif=self.tif,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            status=status,
            order_class=self.order_class,
            legs=legs,
            parent_id=self.parent_id,
            submitted_ns=self.submitted_ns,
            updated_ns=self.updated_ns,
            replaces=self.replaces,
            replaced_by=self.replaced_by,
            extended_hours=self.extended_hours,
            notional=None if self.notional is None else float(self.notional),
            trail_price=self.trail_price,
            trail_percent=self.trail_percent,
            hwm=self.hwm,
            expires_ns=self.expires_ns,
        )
