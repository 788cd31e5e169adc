"""Alpaca's JSON of orders, fills, positions and the account -> ours. No I/O.

Numbers come as strings, times as RFC 3339, absence as null. A word that we do not know never costs an order:
it is kept, and its state becomes UNKNOWN, for the broker to be asked. What has no id or no side is refused.
"""

from math import isfinite
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from liu_tui.adapters.alpaca.times import read_time_or_zero
from liu_tui.errors import TraderError
from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.market import Asset
from liu_tui.model.orders import (
    BrokerOrder,
    Execution,
    OrderClass,
    OrderState,
    OrderType,
    OrderUpdate,
    Side,
    TimeInForce,
)

T = TypeVar("T")

_Id = Annotated[str, Meta(min_length=1)]
_Number = Annotated[float, Meta(gt=-1e15, lt=1e15)]  # refuses NaN too
_Positive = Annotated[float, Meta(gt=0, lt=1e15)]
_Shares = Annotated[float, Meta(ge=0, lt=1e15)]

_OURS = {OrderState.REFUSED, OrderState.INTENT, OrderState.UNKNOWN, OrderState.FAILED, OrderState.SUBMITTED}
_STATES = {state.value: state for state in OrderState if state not in _OURS} | {
    "accepted_for_bidding": OrderState.ACCEPTED,
    "pending_review": OrderState.PENDING_NEW,
}
_TYPES = {kind.value: kind for kind in OrderType}
_TIFS = {tif.value: tif for tif in TimeInForce}
_CLASSES = {kind.value: kind for kind in OrderClass}
_EXITS = ("take_profit", "stop_loss")
_FILLS = ("fill", "partial_fill")
_BUST, _CORRECT = "trade_bust", "trade_correct"


class _RawOrder(Struct, frozen=True):
    id: _Id
    symbol: _Id
    side: _Id
    client_order_id: str | None = ""
    qty: _Number | None = None
    filled_qty: _Number | None = None
    filled_avg_price: _Number | None = None
    type: str | None = None
    order_type: str | None = None
    time_in_force: str | None = None
    limit_price: _Number | None = None
    stop_price: _Number | None = None
    status: str | None = None
    order_class: str | None = None
    legs: list["_RawOrder"] | None = None
    group_id: str | None = None
    group_role: str | None = None
    created_at: str | None = None
    submitted_at: str | None = None
    updated_at: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    extended_hours: bool | None = False
    notional: _Number | None = None
    trail_price: _Number | None = None
    trail_percent: _Number | None = None
    hwm: float | str | None = None  # only shown: whatever stands there costs no order
    expires_at: str | None = None


class _RawUpdate(Struct, frozen=True):
    event: _Id
    order: _RawOrder
    timestamp: str | None = None
    at: str | None = None
    execution_id: str | None = None
    price: _Number | None = None
    qty: _Number | None = None
    position_qty: _Number | None = None
    previous_execution_id: str | None = None


class _RawFill(Struct, frozen=True):
    """A row of /v2/account/activities/FILL; id is "20261008111018097::uuid"."""

    id: _Id
    order_id: _Id
    symbol: _Id
    side: _Id
    qty: _Shares  # 0 where it takes an execution back
    price: _Positive
    transaction_time: str
    cum_qty: _Number | None = None
    type: str | None = None
    previous_execution_id: str | None = None

    def order(self) -> tuple[int, str, float]:
        # Fills of one millisecond may be listed in any order; what its order had filled puts them right.
        return read_time_or_zero(self.transaction_time), self.order_id, self.cum_qty or 0.0


class _RawPosition(Struct, frozen=True):
    symbol: _Id
    qty: _Number
    side: str | None = ""
    avg_entry_price: _Number | None = 0.0
    current_price: _Number | None = 0.0
    unrealized_pl: _Number | None = 0.0


class _RawListing(Struct, frozen=True):
    symbol: _Id
    name: str | None = ""
    exchange: str | None = ""
    tradable: bool = True
    shortable: bool = False
    marginable: bool = False
    fractionable: bool = False
    easy_to_borrow: bool | None = None  # Alpaca is taking it away: absent says nothing


class _RawAccount(Struct, frozen=True):
    id: _Id
    account_number: str | None = ""
    cash: _Number | None = 0.0
    equity: _Number | None = 0.0
    buying_power: _Number | None = 0.0
    multiplier: _Number | None = 1.0
    shorting_enabled: bool = False
    trading_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False
    non_marginable_buying_power: _Number | None = 0.0
    initial_margin: _Number | None = 0.0
    maintenance_margin: _Number | None = 0.0
    last_equity: _Number | None = 0.0
    accrued_fees: _Number | None = 0.0


def read_order(raw: Any) -> BrokerOrder:
    """Read one order with its legs. Raises TraderError if it has no id, symbol or side, or a wrong number."""
    return _order(_convert(raw, _RawOrder))


def read_orders(raw: Any) -> list[BrokerOrder]:
    """Read a list of orders, in its order. Raises TraderError."""
    return [_order(one) for one in _convert(raw, list[_RawOrder])]


def read_update(raw: Any) -> OrderUpdate:
    """Read the data of one trade update.

    Raises TraderError, also for a fill without price or quantity, and for a correction that does not say of
    what: it must be looked up before anything is booked.
    """
    said = _convert(raw, _RawUpdate)
    _check_update(said)
    order = _order(said.order)
    fill = said.event in _FILLS
    return OrderUpdate(
        event=said.event,
        order=order,
        t_ns=read_time_or_zero(said.timestamp) or read_time_or_zero(said.at) or order.updated_ns,
        # Without an id of its own a fill is known by how much of its order it completes.
        execution_id=said.execution_id or (f"{order.id}/{order.filled_qty:g}" if fill else ""),
        price=said.price or 0.0,
        qty=0.0 if said.event == _BUST else abs(said.qty or 0.0),
        position_qty=said.position_qty,
        corrects=said.previous_execution_id or "" if said.event in (_BUST, _CORRECT) else "",
    )


def _check_update(said: _RawUpdate) -> None:
    where, amends = "alpaca updates", said.event in (_BUST, _CORRECT)
    if (said.event in _FILLS or said.event == _CORRECT) and not (said.price and said.qty):
        words = f"a {said.event} of {said.order.id} without price or quantity"
        raise TraderError(words, where=where)
    # Alpaca documents these events, and not how they name the execution: what is not found is looked up.
    if amends and not (said.previous_execution_id and said.execution_id):
        words = f"a {said.event} of {said.order.id} that names no earlier execution"
        raise TraderError(words, where=where)


def read_executions(raw: Any) -> list[Execution]:
    """Read fills of the account's history, oldest first. Raises TraderError.

    The execution's id is what stands behind the "::" (the part before it is a local time).
    """
    return [
        Execution(
            execution_id=row.id.rpartition("::")[2],
            order_id=row.order_id,
            symbol=row.symbol,
            side=_side(row.side),
            qty=0.0 if row.type == _BUST else row.qty,
            price=row.price,
            t_ns=read_time_or_zero(row.transaction_time),
            corrects=row.previous_execution_id or "",
        )
        for row in sorted(_convert(raw, list[_RawFill]), key=_RawFill.order)
    ]


def read_positions(raw: Any) -> list[BrokerPosition]:
    """Read what is held; the sign comes from `side`, whatever that of `qty`. Raises TraderError."""
    return [
        BrokerPosition(
            symbol=row.symbol,
            qty=-abs(row.qty) if row.side == "short" else row.qty,
            avg_price=row.avg_entry_price or 0.0,
            price=row.current_price or 0.0,
            unrealized=row.unrealized_pl or 0.0,
        )
        for row in _convert(raw, list[_RawPosition])
    ]


def read_listing(raw: Any) -> list[Asset]:
    """Read what the broker lists. Raises TraderError."""
    return [
        Asset(
            symbol=row.symbol,
            name=row.name or "",
            exchange=row.exchange or "",
            tradable=row.tradable,
            shortable=row.shortable,
            marginable=row.marginable,
            fractionable=row.fractionable,
            easy_to_borrow=row.easy_to_borrow is not False,
        )
        for row in _convert(raw, list[_RawListing])
    ]


def read_account(raw: Any) -> Account:
    """Read the account. Raises TraderError."""
    said = _convert(raw, _RawAccount)
    return Account(
        id=said.account_number or said.id,
        cash=said.cash or 0.0,
        equity=said.equity or 0.0,
        buying_power=said.buying_power or 0.0,
        multiplier=said.multiplier or 1.0,
        shorting_enabled=said.shorting_enabled,
        trading_blocked=said.trading_blocked or said.account_blocked,
        suspended=said.trade_suspended_by_user,
        cash_only=said.non_marginable_buying_power or 0.0,
        initial_margin=said.initial_margin or 0.0,
        maintenance_margin=said.maintenance_margin or 0.0,
        last_equity=said.last_equity or 0.0,
        accrued_fees=said.accrued_fees or 0.0,
    )


def _order(raw: _RawOrder, parent_id: str = "") -> BrokerOrder:
    if not parent_id and raw.group_role in _EXITS and raw.group_id != raw.id:
        parent_id = raw.group_id or ""
    return BrokerOrder(
        id=raw.id,
        client_order_id=raw.client_order_id or "",
        symbol=raw.symbol,
        side=_side(raw.side),
        qty=raw.qty or raw.filled_qty or 0.0,
        filled_qty=raw.filled_qty or 0.0,
        filled_avg_price=raw.filled_avg_price or 0.0,
        order_type=_type(raw),
        tif=_TIFS.get(raw.time_in_force or "", TimeInForce.DAY),
        limit_price=raw.limit_price,
        stop_price=raw.stop_price,
        status=_STATES.get(raw.status or "", OrderState.UNKNOWN),
        order_class=_CLASSES.get(raw.order_class or "", OrderClass.SIMPLE),
        legs=tuple(_order(leg, raw.id) for leg in raw.legs or ()),
        parent_id=parent_id,
        submitted_ns=read_time_or_zero(raw.submitted_at) or read_time_or_zero(raw.created_at),
        updated_ns=read_time_or_zero(raw.updated_at),
        replaces=raw.replaces or "",
        replaced_by=raw.replaced_by or "",
        extended_hours=raw.extended_hours or False,
        notional=raw.notional,
        trail_price=raw.trail_price,
        trail_percent=raw.trail_percent,
        hwm=_shown(raw.hwm),
        expires_ns=read_time_or_zero(raw.expires_at),
    )


def _shown(number: float | str | None) -> float:
    try:
        shown = float(number or 0.0)
    except ValueError:
        return 0.0
    return shown if isfinite(shown) else 0.0


def _type(raw: _RawOrder) -> OrderType:
    """Take the type by its word, or else by the prices that are there."""
    known = _TYPES.get(raw.type or raw.order_type or "")
    if known is not None:
        return known
    if raw.limit_price is None:
        return OrderType.MARKET if raw.stop_price is None else OrderType.STOP
    return OrderType.LIMIT if raw.stop_price is None else OrderType.STOP_LIMIT


def _side(word: str) -> Side:
    # "sell_short" appears in old answers and in activities.
    if word.startswith("sell"):
        return Side.SELL
    if word.startswith("buy"):
        return Side.BUY
    raise TraderError(f"a side {word!r}", where="alpaca orders", mend="Alpaca may have changed its answers.")


def _convert(raw: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(raw, kind, strict=False)
    except (msgspec.MsgspecError, RecursionError) as e:
        raise TraderError(
            f"an answer that cannot be read: {e}",
            where="alpaca orders",
            mend="Alpaca may have changed its answers.",
        ) from e
