"""One order as the exchange keeps it, and as the world sees it."""

from decimal import Decimal

import msgspec

from liu_tui.model.orders import BrokerOrder, OrderClass, OrderState, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exact import ZERO

STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS)
EXIT_PAIRS = (OrderClass.BRACKET, OrderClass.OCO)


class Order(msgspec.Struct, kw_only=True):
    """An order's whole state; only the exchange changes it. Quantities are positive shares, prices dollars.

    paid:      sum of price x qty of its fills
    busted:    shares that filled and were taken back: they are not sold or bought again
    opens:     it opens or enlarges a position: it reserves buying power, else shares of the position
    reserve:   dollars a share that an opening order holds of the buying power
    triggered: a stop whose price has been reached
    sliced:    whether it was drawn already if its first fill is a partial one
    leg_ids:   of the parent: all legs it ever had, replaced ones included
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
    def sleeping(self) -> bool:
        """A stop that waits for its price."""
        return self.order_type in STOPS and not self.triggered

    @property
    def enters(self) -> bool:
        """The entry that its legs wait for."""
        return bool(self.leg_ids) and self.order_class is not OrderClass.OCO

    @property
    def group_id(self) -> str:
        """The same for all members of a bracket, OCO or OTO."""
        return self.parent_id or self.id

    def view(self, legs: tuple[BrokerOrder, ...] = ()) -> BrokerOrder:
        """Say what the broker would say of it now."""
        return BrokerOrder(
            id=self.id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            side=self.side,
            qty=float(self.qty),
            filled_qty=float(self.filled),
            filled_avg_price=float(self.paid / self.filled) if self.filled else 0.0,
            order_type=self.order_type,
            tif=self.tif,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            status=self.status,
            order_class=self.order_class,
            legs=legs,
            parent_id=self.parent_id,
            submitted_ns=self.submitted_ns,
            updated_ns=self.updated_ns,
            replaces=self.replaces,
            replaced_by=self.replaced_by,
            extended_hours=self.extended_hours,
        )
