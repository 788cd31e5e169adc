"""What the desk refuses, and in which words.

One predicate, `increases_exposure`, stands before every guard, so that no guard can ever refuse an exit. A
guard is a plain function of the order and the facts; `GUARDS` is their order, and the first that refuses is
the answer.
"""

import math
from collections.abc import Callable

import msgspec

from liu_tui.model.orders import Operation, TimeInForce
from liu_tui.plan.schema import Limits
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.prices import is_price


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """The order that is asked for, prices rounded. price: dollars, what a share of it is valued at.

    replaces: client order id of the working entry whose place it shall take: that one is not counted beside it
    """

    strategy: str
    symbol: str
    operation: Operation
    qty: float
    price: float
    limit: float | None = None
    trigger: float | None = None
    stop: float | None = None
    target: float | None = None
    tif: TimeInForce = TimeInForce.DAY
    replaces: str = ""

    @property
    def signed(self) -> float:
        """Shares with the sign of the side."""
        return self.qty * self.operation.side.sign


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the guards look at.

    position:      signed shares of the strategy that asks
    others:        signed shares that others hold or are opening in the symbol; holder: one of them
    symbol_value:  dollars held or being opened in the symbol already
    open_positions: how many are open or being opened; opens: this order would add one
    closing:       why the symbol is being closed, "" if it is not
    entry_qty:     shares that this strategy has working entries for; entry_state: of the first of them
    exiting:       an exit of this strategy is on its way
    closing_soon:  day trades are being liquidated; liquidate_min: minutes before the close
    result:        dollars, realised and open, of the batch
    veto:          (by, reason) or None
    """

    limits: Limits
    state: str = "ACTIVE"
    state_by: str = ""
    state_reason: str = ""
    ready: bool = True
    position: float = 0.0
    others: float = 0.0
    holder: str = ""
    entry_qty: float = 0.0
    entry_state: str = ""
    exiting: bool = False
    closing: str = ""
    closing_soon: bool = False
    liquidate_min: float = 0.0
    veto: tuple[str, str] | None = None
    symbol_value: float = 0.0
    open_positions: int = 0
    opens: bool = True
    sent_last_minute: int = 0
    result: float = 0.0


def increases_exposure(operation: Operation, qty: float, position: float) -> bool:
    """Say whether an order opens, enlarges or turns round the strategy's position.

    qty: positive shares; position: signed. A Sell or a Cover is cut to what is held before it is sent, so
    neither ever does. Buying back part of a short does not; buying more than the short does.
    """
    if not operation.enters:
        return False
    if not qty > 0:
        return True  # malformed: the guards see it, and refuse it
    after = position + operation.side.sign * qty
    return not (abs(after) < abs(position) and after * position >= 0)


Guard = Callable[[Ask, Facts], Refusal | None]


def _entries_only(guard: Guard) -> Guard:
    """Show the guard only orders that increase exposure."""

    def asked(ask: Ask, facts: Facts) -> Refusal | None:
        if not increases_exposure(ask.operation, ask.qty, facts.position):
            return None
        return guard(ask, facts)

    asked.__name__ = guard.__name__
    return asked


def refuse(ask: Ask, facts: Facts) -> Refusal | None:
    """Walk the guards; the first no is the answer, None lets the order pass."""
    for guard in GUARDS:
        if said := guard(ask, facts):
            return said
    return None


@_entries_only
def _ready(ask: Ask, facts: Facts) -> Refusal | None:
    return None if facts.ready else refusal("NOT_READY")


@_entries_only
def _daily_loss(ask: Ask, facts: Facts) -> Refusal | None:
    limit = facts.limits.max_daily_loss
    if limit is None or facts.result > -limit:
        return None
    return refusal("DAILY_LOSS_REACHED", loss=-facts.result, limit=limit)


@_entries_only
def _state(ask: Ask, facts: Facts) -> Refusal | None:
    if facts.state == "ACTIVE":
        return None
    code = "HALTED" if facts.state == "HALTED" else "PAUSED"
    return refusal(code, by=facts.state_by or "the desk", reason=facts.state_reason or "no reason given")


@_entries_only
def _vetoed(ask: Ask, facts: Facts) -> Refusal | None:
    if facts.veto is None:
        return None
    by, reason = facts.veto
    return refusal("VETOED", symbol=ask.symbol, by=by, reason=reason or "no reason given")


@_entries_only
def _closing_soon(ask: Ask, facts: Facts) -> Refusal | None:
    return refusal("CLOSING_SOON", minutes=facts.liquidate_min) if facts.closing_soon else None


@_entries_only
def _flattening(ask: Ask, facts: Facts) -> Refusal | None:
    return refusal("FLATTENING", symbol=ask.symbol, reason=facts.closing) if facts.closing else None


@_entries_only
def _quantity(ask: Ask, facts: Facts) -> Refusal | None:
    if not math.isfinite(ask.qty) or ask.qty <= 0:
        return refusal("BAD_QUANTITY", qty=ask.qty, why="it must be positive")
    # Source: Alpaca takes fractions in simple long day orders only.
    protected = ask.stop is not None or ask.target is not None
    if ask.qty % 1 and (protected or ask.operation is Operation.SHORT):
        return refusal("BAD_QUANTITY", qty=ask.qty, why="a short or a protected entry needs whole shares")
    return None


@_entries_only
def _possible(ask: Ask, facts: Facts) -> Refusal | None:
    protected = ask.stop is not None or ask.target is not None
    if protected and ask.tif not in (TimeInForce.DAY, TimeInForce.GTC):
        return refusal(
            "NOT_POSSIBLE", why=f"an entry with a stop or a target must be day or gtc, not {ask.tif}"
        )
    return None


@_entries_only
def _prices(ask: Ask, facts: Facts) -> Refusal | None:
    if not is_price(ask.price):
        return refusal("BAD_PRICES", why=f"no price of {ask.symbol} is known to value the order at")
    for name in ("limit", "trigger", "stop", "target"):
        price = getattr(ask, name)
        if price is not None and not is_price(price):
            return refusal(
                "BAD_PRICES", why=f"{name} was {price!r}; a price must be a positive number of dollars"
            )
    side, above, below = ask.operation.side.sign, "above", "below"
    where_stop, where_target = (below, above) if side > 0 else (above, below)
    if ask.stop is not None and (ask.price - ask.stop) * side <= 0:
        return refusal(
            "BAD_PRICES", why=f"the stop {ask.stop:g} must be {where_stop} the price {ask.price:g}"
        )
    if ask.target is not None and (ask.target - ask.price) * side <= 0:
        return refusal(
            "BAD_PRICES", why=f"the target {ask.target:g} must be {where_target} the price {ask.price:g}"
        )
    return None


@_entries_only
def _pending(ask: Ask, facts: Facts) -> Refusal | None:
    if facts.exiting:
        return refusal("EXIT_PENDING", symbol=ask.symbol)
    if facts.entry_qty:
        return refusal("ENTRY_PENDING", qty=facts.entry_qty, symbol=ask.symbol, state=facts.entry_state)
    return None


@_entries_only
def _opposite(ask: Ask, facts: Facts) -> Refusal | None:
    if facts.position * ask.signed < 0:
        return refusal("OPPOSITE_POSITION", holder=ask.strategy, held=facts.position, symbol=ask.symbol)
    if facts.others * ask.signed < 0:
        return refusal("OPPOSITE_POSITION", holder=facts.holder, held=facts.others, symbol=ask.symbol)
    return None


@_entries_only
def _order_value(ask: Ask, facts: Facts) -> Refusal | None:
    limit, value = facts.limits.max_order_value, ask.qty * ask.price
    return (
        refusal("MAX_ORDER_VALUE", value=value, limit=limit) if limit is not None and value > limit else None
    )


@_entries_only
def _position_value(ask: Ask, facts: Facts) -> Refusal | None:
    limit, value = facts.limits.max_position_value, facts.symbol_value + ask.qty * ask.price
    if limit is None or value <= limit:
        return None
    return refusal("MAX_POSITION_VALUE", symbol=ask.symbol, value=value, limit=limit)


@_entries_only
def _open_positions(ask: Ask, facts: Facts) -> Refusal | None:
    limit = facts.limits.max_open_positions
    if limit is None or not facts.opens or facts.open_positions < limit:
        return None
    return refusal("MAX_OPEN_POSITIONS", count=facts.open_positions, limit=limit)


@_entries_only
def _order_rate(ask: Ask, facts: Facts) -> Refusal | None:
    limit = facts.limits.max_orders_per_minute
    if limit is None or facts.sent_last_minute < limit:
        return None
    return refusal("ORDER_RATE", count=facts.sent_last_minute, limit=limit)


GUARDS: tuple[Guard, ...] = (
    _ready, _daily_loss, _state, _vetoed, _closing_soon, _flattening, _quantity, _possible, _prices, _pending,
    _opposite, _order_value, _position_value, _open_positions, _order_rate,
)  # fmt: skip
