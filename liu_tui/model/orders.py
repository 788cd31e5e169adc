"""Orders: what a strategy intends, what a broker is asked, what it answers, what we book.

    Intent ──desk──▶ OrderRequest ──Trader──▶ BrokerOrder
                                     broker ──▶ OrderUpdate ──desk──▶ Fill

Quantities in `qty` are positive where a side stands beside them, and signed where none does.
"""

from enum import StrEnum

import msgspec


class Side(StrEnum):
    """The two directions an exchange knows."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Operation(StrEnum):
    """What a fill meant for the strategy's position; the words of `new_trades.operation`."""

    BUY = "buy"
    SELL = "sell"
    SHORT = "sell_short"
    COVER = "buy_cover"

    @property
    def side(self) -> Side:
        """What the exchange is told."""
        return Side.BUY if self in (Operation.BUY, Operation.COVER) else Side.SELL

    @property
    def enters(self) -> bool:
        """Whether it opens or enlarges a position."""
        return self in (Operation.BUY, Operation.SHORT)


class OrderType(StrEnum):
    """How an order is priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order may live."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"


class OrderClass(StrEnum):
    """Whether an order brings others with it."""

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


class OrderState(StrEnum):
    """Where an order stands. The first five are ours, the rest are the broker's own words."""

    REFUSED = "refused"  # a limit or guard said no: never journalled as sent
    INTENT = "intent"  # journalled; not yet on the wire
    UNKNOWN = "unknown"  # sent, the answer was lost; the broker is being asked
    FAILED = "failed"  # a definite no from the broker at submission
    SUBMITTED = "submitted"  # on the wire; no answer yet

    PENDING_NEW = "pending_new"
    NEW = "new"
    ACCEPTED = "accepted"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    DONE_FOR_DAY = "done_for_day"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    REJECTED = "rejected"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    CALCULATED = "calculated"

    @property
    def final(self) -> bool:
        """Nothing more can happen to the order."""
        return self in _FINAL


_FINAL = frozenset(
    {
        OrderState.REFUSED,
        OrderState.FAILED,
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.EXPIRED,
        OrderState.REPLACED,
        OrderState.REJECTED,
    }
)


class AskKind(StrEnum):
    """What an intent asks the desk to do."""

    ORDER = "order"  # send an order
    CANCEL = "cancel"  # withdraw the strategy's working entries in the symbol
    REPLACE = "replace"  # give its working entry in the symbol other terms
    PROTECT = "protect"  # move the stop or the target of what it holds


class Intent(msgspec.Struct, frozen=True, array_like=True, tag="intent", kw_only=True):
    """What a strategy asked for, on its way to the desk.

    id:        deterministic: batch, strategy, symbol, event time, ordinal. Sending it again changes nothing
    qty:       shares, positive; 0 in an exit means all that is held, in an entry that `notional` says it,
               in a replacement that it stays as it is
    event_ns:  time of the event that the strategy answered
    ordinal:   0, 1, ... among the intents of one call
    price:     dollars; the last price the strategy saw: what a market order is valued at by the limits
    limit, trigger, trail, trail_percent: how the order is priced; dollars, and percent of the price
    stop, target: dollars; the protection of an entry, or the new one of a PROTECT
    stop_limit: dollars; the limit of the protective stop, None for a stop that sells at the market
    notional:  dollars to buy for, in place of a quantity
    new_tif:   of a replacement; None leaves it as it is
    """

    id: str
    strategy: str
    symbol: str
    operation: Operation
    qty: float
    event_ns: int
    ordinal: int
    price: float
    limit: float | None = None
    trigger: float | None = None
    stop: float | None = None
    target: float | None = None
    tif: TimeInForce = TimeInForce.DAY
    reason: str = ""
    indicators: str = "{}"  # a JSON object: what is stored with the fill
    kind: AskKind = AskKind.ORDER
    notional: float | None = None
    trail: float | None = None
    trail_percent: float | None = None
    stop_limit: float | None = None
    extended_hours: bool = False
    new_tif: TimeInForce | None = None


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker is asked, in words that any broker knows.

    qty:      shares, positive; 0 where `notional` says dollars instead
    trail_price, trail_percent: of a trailing stop, one of the two; dollars, or percent of the best price
    take_profit, stop_loss: dollars; the legs of a bracket, OCO or OTO
    stop_loss_limit: dollars; makes the stop leg a stop-limit
    """

    client_order_id: str
    symbol: str
    side: Side
    qty: float
    order_type: OrderType
    tif: TimeInForce = TimeInForce.DAY
    limit_price: float | None = None
    stop_price: float | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: float | None = None
    stop_loss: float | None = None
    extended_hours: bool = False
    notional: float | None = None
    trail_price: float | None = None
    trail_percent: float | None = None
    stop_loss_limit: float | None = None


class ReplaceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Other terms for a working order: the broker makes a new order in its place, chained to the old one.

    order_id:        the broker's id of the old order
    client_order_id: ours, of the new one
    qty:             shares in all, those filled already included. None leaves a term as it is
    trail:           dollars or percent, whichever the old order has
    """

    order_id: str
    client_order_id: str
    symbol: str
    qty: float | None = None
    limit_price: float | None = None
    stop_price: float | None = None
    trail: float | None = None
    tif: TimeInForce | None = None


class BrokerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the broker describes it. Money in dollars, times in UTC nanoseconds, 0 where unset.

    qty:  shares; 0 for an order in dollars that has not filled yet
    hwm:  dollars; the best price that a trailing stop has seen, 0 if none
    """

    id: str
    client_order_id: str
    symbol: str
    side: Side
    qty: float
    filled_qty: float = 0.0
    filled_avg_price: float = 0.0
    order_type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.DAY
    limit_price: float | None = None
    stop_price: float | None = None
    status: OrderState = OrderState.NEW
    order_class: OrderClass = OrderClass.SIMPLE
    legs: tuple["BrokerOrder", ...] = ()
    parent_id: str = ""  # of a leg: the order it came with, where the broker says so
    submitted_ns: int = 0
    updated_ns: int = 0
    replaces: str = ""
    replaced_by: str = ""
    extended_hours: bool = False
    notional: float | None = None
    trail_price: float | None = None
    trail_percent: float | None = None
    hwm: float = 0.0
    expires_ns: int = 0


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the broker's trade-updates stream.

    event:        the broker's word: new, fill, partial_fill, canceled, expired, rejected, replaced, ...
    execution_id: of a fill; the key by which it is booked once
    price, qty:   of this execution, not of the order; qty positive
    position_qty: the account's signed shares after it, None where not said
    corrects:     of trade_bust and trade_correct: the execution that did not happen, or not so
    """

    event: str
    order: BrokerOrder
    t_ns: int
    execution_id: str = ""
    price: float = 0.0
    qty: float = 0.0
    position_qty: float | None = None
    corrects: str = ""

    @property
    def fills(self) -> bool:
        """Whether shares changed hands."""
        return self.event in ("fill", "partial_fill")

    @property
    def amends(self) -> bool:
        """Whether it takes an execution back (qty 0) or puts another in its place."""
        return self.event in ("trade_bust", "trade_correct")


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One fill as the broker's account history lists it: how a fill missed by the stream is found.

    corrects: the execution that this one takes the place of, "" if it stands for itself; a bust has qty 0
    fee:      dollars that the venue took with it, 0 where it does not say
    """

    execution_id: str
    order_id: str
    symbol: str
    side: Side
    qty: float
    price: float
    t_ns: int
    corrects: str = ""
    fee: float = 0.0


class Fill(msgspec.Struct, frozen=True, array_like=True, tag="fill", kw_only=True):
    """Shares of ours that changed hands, booked under a strategy.

    qty:      signed: + bought, - sold
    position: the strategy's signed shares in the symbol afterwards
    realized: dollars won (+) or lost (-) by this fill against the average entry, fees not in
    fee:      dollars that it cost beside its price
    amends:   the execution that this row takes back (then qty is the other way round), "" for a fill
    """

    execution_id: str
    client_order_id: str
    order_id: str
    intent_id: str
    strategy: str
    symbol: str
    operation: Operation
    qty: float
    price: float
    t_ns: int
    position: float
    avg_price: float
    realized: float
    stop: float | None = None
    target: float | None = None
    reason: str = ""
    indicators: str = "{}"
    fee: float = 0.0
    amends: str = ""


class OrderNews(msgspec.Struct, frozen=True, array_like=True, tag="order", kw_only=True):
    """What the desk tells a strategy and the screen of one order, each time it changes.

    role: "entry", "exit", "stop", "target" or "liquidation"
    code: of a refusal, from liu_tui.trading.codes; "" otherwise
    replaces: client_order_id of the order whose place it took, "" if none
    """

    client_order_id: str
    order_id: str
    intent_id: str
    strategy: str
    symbol: str
    operation: Operation
    role: str
    order_type: OrderType
    qty: float
    filled_qty: float
    avg_price: float
    state: OrderState
    t_ns: int
    created_ns: int
    limit_price: float | None = None
    stop_price: float | None = None
    code: str = ""
    words: str = ""
    tif: TimeInForce = TimeInForce.DAY
    trail_price: float | None = None
    trail_percent: float | None = None
    extended_hours: bool = False
    notional: float | None = None
    replaces: str = ""
