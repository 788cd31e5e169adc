"""What the desk wants done, in order. Whoever turns the desk carries it out: a process, a replay, a backtest.

The order is the promise: a Journal stands before the Send that it covers, a Booked before the News of its
order.
"""

import msgspec

from liu_tui.model.orders import Fill, OrderNews, OrderRequest, ReplaceRequest
from liu_tui.trading.dayrisk import DayRisk
from liu_tui.trading.orders import OrderRecord


class Journal(msgspec.Struct, frozen=True):
    """Store the order as it is now, and what happened to it; commit before the next Send.

    event: the broker's word, or ours: intent, released, refused, unknown, failed, leg, external, ...
    """

    order: OrderRecord
    event: str
    t_ns: int
    words: str = ""


class Send(msgspec.Struct, frozen=True):
    """Submit it, then call on_accepted, or on_failed."""

    request: OrderRequest


class ReplaceAtBroker(msgspec.Struct, frozen=True):
    """Put other terms in a working order's place, then call on_accepted or on_failed with the new id."""

    request: ReplaceRequest


class CancelAtBroker(msgspec.Struct, frozen=True):
    """Ask for a cancel; call on_cancel_failed if that raises anything. The update tells how it ended."""

    order_id: str
    client_order_id: str


class AskBroker(msgspec.Struct, frozen=True):
    """Look the order up, then call on_broker_order, or on_failed(unknown=True) if the look-up fails."""

    client_order_id: str


class Booked(msgspec.Struct, frozen=True):
    """Store the fill (idempotent by execution_id), then tell the strategy."""

    fill: Fill


class Moved(msgspec.Struct, frozen=True):
    """A fill moved money of a portfolio: store it in the same transaction. It stands right behind its Booked.

    portfolio: its id in the books
    qty:       signed shares; amount: dollars, + came in, - went out, the fee in
    """

    portfolio: str
    execution_id: str
    strategy: str
    symbol: str
    qty: float
    price: float
    amount: float
    t_ns: int


class News(msgspec.Struct, frozen=True):
    """Tell the strategy and the screen of an order."""

    news: OrderNews


class Notice(msgspec.Struct, frozen=True):
    """A line for the log.

    level: info, good, warn, error; kind: what a bell may ring for, "fill", "refusal" or ""
    """

    level: str
    words: str
    kind: str = ""
    symbol: str = ""


class Changed(msgspec.Struct, frozen=True):
    """The desk's state is now ACTIVE, REDUCING or HALTED: store it and show it."""

    state: str
    by: str
    reason: str


class Latched(msgspec.Struct, frozen=True):
    """A flatten began or ended: store it before anything of it is sent, so that a restart goes on with it.

    symbol:   "" for everything; begun: positions that it had to close
    ended_ns: 0 while it is not done; outcome: "flat", or who released it
    """

    symbol: str
    since_ns: int
    by: str
    reason: str
    begun: int
    ended_ns: int = 0
    outcome: str = ""


class Differs(msgspec.Struct, frozen=True, kw_only=True):
    """Books and broker do not agree on a symbol, or somebody decided, or it is over: store and show it.

    ours, theirs: signed shares; by the words of an order whose fill is missing: its filled shares
    choice:   adopt, flatten or ignore; "" while nobody has decided. by: who did
    ended_ns: 0 while it stands
    """

    symbol: str
    since_ns: int
    ours: float
    theirs: float
    words: str
    choice: str = ""
    by: str = ""
    ended_ns: int = 0


class DayKept(msgspec.Struct, frozen=True):
    """The account's day has come further, or a limit of it has tripped: store it."""

    day: DayRisk


class Suspend(msgspec.Struct, frozen=True):
    """Set (or lift) the broker's own lock on new orders; a second lock, so its failure is only told."""

    on: bool
    why: str


Effect = (
    Journal
    | Send
    | ReplaceAtBroker
    | CancelAtBroker
    | AskBroker
    | Booked
    | News
    | Notice
    | Changed
    | DayKept
    | Differs
    | Latched
    | Moved
    | Suspend
)
