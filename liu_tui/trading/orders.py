"""One order of ours: what the store keeps of it, how its state may move, and how it is put to a broker.

The record is replaced on every change, never edited; how its state may move says `lifecycle`.
"""

import msgspec

from liu_tui.model.orders import (
    BrokerOrder,
    Operation,
    OrderClass,
    OrderNews,
    OrderRequest,
    OrderState,
    OrderType,
    TimeInForce,
)
from liu_tui.trading.lifecycle import next_state

S = OrderState

ENTRY, EXIT, STOP, TARGET, LIQUIDATION = "entry", "exit", "stop", "target", "liquidation"
PROTECTIVE = frozenset({STOP, TARGET})
CLOSING = frozenset({EXIT, LIQUIDATION})


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the store keeps of one order.

    client_order_id: ours; of a leg that the broker named, the broker's
    role:            entry, exit, stop, target or liquidation
    qty:             shares, positive; 0 of an order in dollars, until the broker says how many they are
    stop, target:    dollars; of an entry or a resting exit, the protection that goes with it; of a protective
                     order that the desk placed or moved, what the position is to be protected by
    filled_qty, avg_price: of the fills that are booked
    broker_filled:   shares filled as the broker counts; more than filled_qty while a fill is missing
    price:           dollars; what the limits valued a share at
    parent:          client_order_id of the order that a leg came with
    sent_ns:         when it was handed to the wire; 0 for an exit that waits for others to be withdrawn
    all_held:        an exit for all that is held at the moment it is sent
    code:            of a refusal, from liu_tui.trading.codes
    numbers:         of a refusal: the rule's numbers, a JSON object
    notional:        dollars to buy for, where no quantity was said
    trail_price, trail_percent: how far a trailing stop follows the price; dollars, or percent
    stop_limit:      dollars; the limit of the protective stop
    replaces:        client_order_id of the order whose place it took or shall take
    """

    client_order_id: str
    intent_id: str
    strategy: str
    symbol: str
    operation: Operation
    role: str
    order_type: OrderType
    qty: float
    state: OrderState
    created_ns: int
    updated_ns: int
    order_id: str = ""
    limit_price: float | None = None
    stop_price: float | None = None
    stop: float | None = None
    target: float | None = None
    tif: TimeInForce = TimeInForce.DAY
    filled_qty: float = 0.0
    avg_price: float = 0.0
    broker_filled: float = 0.0
    price: float = 0.0
    reason: str = ""
    indicators: str = "{}"
    parent: str = ""
    sent_ns: int = 0
    all_held: bool = False
    code: str = ""
    words: str = ""
    numbers: str = "{}"
    notional: float | None = None
    trail_price: float | None = None
    trail_percent: float | None = None
    stop_limit: float | None = None
    extended_hours: bool = False
    replaces: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(strategy, symbol): whose position it changes."""
        return self.strategy, self.symbol

    @property
    def live(self) -> bool:
        """Something may still happen to it."""
        return not self.state.final

    @property
    def waiting(self) -> bool:
        """An exit that is written down and not sent: protective orders are being withdrawn first."""
        return self.state is S.INTENT and not self.sent_ns

    @property
    def shares(self) -> float:
        """Shares that it asks for; of a live order in dollars what they buy at the price it is valued at."""
        if self.qty or self.notional is None:
            return self.qty
        if not self.live:
            return self.filled_qty
        return max(self.notional / self.price if self.price > 0 else 0.0, self.filled_qty)

    @property
    def remaining(self) -> float:
        """Shares not yet filled."""
        return max(self.shares - max(self.filled_qty, self.broker_filled), 0.0)

    @property
    def rests(self) -> bool:
        """Whether it may stay at the broker unfilled."""
        if self.order_type is OrderType.MARKET:
            return self.tif in (TimeInForce.OPG, TimeInForce.CLS)
        return self.tif not in (TimeInForce.IOC, TimeInForce.FOK)

    @property
    def protected(self) -> bool:
        """Whether it brings a stop or a target with it."""
        return self.stop is not None or self.target is not None

    @property
    def group(self) -> str:
        """Orders of one group stand and fall together at the broker."""
        return self.parent or self.client_order_id


def heard(record: OrderRecord, order: BrokerOrder, *, asked: bool = False) -> OrderRecord:
    """Say what the record becomes when the broker describes the order so. Its fills are booked elsewhere."""
    return msgspec.structs.replace(
        record,
        order_id=order.id or record.order_id,
        state=next_state(record.state, order.status, asked=asked),
        qty=order.qty or record.qty,  # a stop shrinks when the target beside it fills in part
        broker_filled=max(record.broker_filled, order.filled_qty),
        limit_price=order.limit_price if order.limit_price is not None else record.limit_price,
        stop_price=order.stop_price if order.stop_price is not None else record.stop_price,
        trail_price=order.trail_price if order.trail_price is not None else record.trail_price,
        trail_percent=order.trail_percent if order.trail_percent is not None else record.trail_percent,
    )


def with_fill(record: OrderRecord, qty: float, price: float) -> OrderRecord:
    """Add one execution (qty positive). A full order is filled, whatever was said before.

    How many shares an order in dollars comes to only the broker knows, so only its word makes it filled.
    """
    filled = round(record.filled_qty + qty, 9)
    average = (record.filled_qty * record.avg_price + qty * price) / filled
    full = record.qty > 0 and filled >= round(record.qty, 9)
    return msgspec.structs.replace(
        record,
        filled_qty=filled,
        avg_price=average,
        broker_filled=max(record.broker_filled, filled),
        state=next_state(record.state, S.FILLED if full else S.PARTIALLY_FILLED),
    )


def order_type(limit: float | None, trigger: float | None, trail: float | None = None) -> OrderType:
    """Say what kind of order these prices make. trail: dollars or percent."""
    if trail is not None:
        return OrderType.TRAILING_STOP
    if trigger is None:
        return OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderType.STOP if limit is None else OrderType.STOP_LIMIT


def leg_of(parent: OrderRecord, order: BrokerOrder, now_ns: int) -> OrderRecord:
    """Begin the record of a protective order that came with `parent`."""
    role = TARGET if order.order_type is OrderType.LIMIT else STOP
    operation = parent.operation
    if operation.enters:
        operation = Operation.SELL if operation is Operation.BUY else Operation.COVER
    return OrderRecord(
        client_order_id=order.client_order_id or order.id,
        intent_id=parent.intent_id,
        strategy=parent.strategy,
        symbol=parent.symbol,
        operation=operation,
        role=role,
        order_type=order.order_type,
        qty=order.qty,
        state=S.SUBMITTED,
        created_ns=now_ns,
        updated_ns=now_ns,
        tif=order.tif,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        price=order.limit_price or order.stop_price or parent.price,
        reason=role,
        parent=parent.client_order_id,
        sent_ns=now_ns,
    )


def request(record: OrderRecord) -> OrderRequest:
    """Put the order in a broker's words.

    An entry brings its protection, and so does a limit that closes what is held: with its stop it is an OCO.
    """
    group = class_of(record)
    alone, oco = group is OrderClass.SIMPLE, group is OrderClass.OCO
    stops = not alone and record.stop is not None
    return OrderRequest(
        client_order_id=record.client_order_id,
        symbol=record.symbol,
        side=record.operation.side,
        qty=record.qty,
        order_type=record.order_type,
        tif=record.tif,
        limit_price=record.limit_price,
        stop_price=record.stop_price,
        order_class=group,
        take_profit=None if alone else record.limit_price if oco else record.target,
        stop_loss=record.stop if stops else None,
        extended_hours=record.extended_hours,
        notional=None if record.qty else record.notional,
        trail_price=record.trail_price,
        trail_percent=record.trail_percent,
        stop_loss_limit=record.stop_limit if stops else None,
    )


def class_of(record: OrderRecord) -> OrderClass:
    """Say whether the order brings others with it."""
    if record.role == ENTRY and record.protected:
        both = record.stop is not None and record.target is not None
        return OrderClass.BRACKET if both else OrderClass.OTO
    if record.role in (TARGET, EXIT) and record.order_type is OrderType.LIMIT and record.stop is not None:
        return OrderClass.OCO
    return OrderClass.SIMPLE


def news(record: OrderRecord) -> OrderNews:
    """Tell of the order as strategies and screens hear of it."""
    return OrderNews(
        client_order_id=record.client_order_id,
        order_id=record.order_id,
        intent_id=record.intent_id,
        strategy=record.strategy,
        symbol=record.symbol,
        operation=record.operation,
        role=record.role,
        order_type=record.order_type,
        qty=record.shares,
        filled_qty=record.filled_qty,
        avg_price=record.avg_price,
        state=record.state,
        t_ns=record.updated_ns,
        created_ns=record.created_ns,
        limit_price=record.limit_price,
        stop_price=record.stop_price,
        code=record.code,
        words=record.words,
        tif=record.tif,
        trail_price=record.trail_price,
        trail_percent=record.trail_percent,
        extended_hours=record.extended_hours,
        notional=record.notional,
        replaces=record.replaces,
    )
