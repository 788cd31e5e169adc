"""Our nouns in the trading API's spelling: most numbers are strings, every time RFC 3339, absence is null.

Source: answers of Alpaca's paper service as captured in 2026. Only words that alpaca-py 0.44 knows are used.
"""

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from liu_tui.localmarket.rfc3339 import rfc3339
from liu_tui.market.calendar import first_session, session_of, to_datetime
from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import Asset
from liu_tui.model.orders import (
    BrokerOrder,
    Execution,
    OrderClass,
    OrderState,
    OrderType,
    OrderUpdate,
)
from liu_tui.trading.matching.margin import fraction

Words = dict[str, Any]
_NAMESPACE = uuid.UUID("6d1f0c1e-4d0e-5a52-9d3a-6c69752d7475")
_DEAR = 10.0
"""What a share whose price is not known is taken for, dollars."""
_EXCHANGES = frozenset({"AMEX", "ARCA", "BATS", "NYSE", "NASDAQ", "NYSEARCA", "OTC"})


def number(value: float | None) -> str | None:
    """A number without exponent and idle zeros; None stays None."""
    if value is None:
        return None
    text = f"{Decimal(repr(float(value))):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _time(t_ns: int) -> str | None:
    return rfc3339(t_ns) if t_ns else None


def asset_id(symbol: str) -> str:
    """The same id for a symbol on every day."""
    return str(uuid.uuid5(_NAMESPACE, symbol))


def order(o: BrokerOrder, *, nested: bool = True) -> Words:
    """One order. nested: its legs stand inside it, where it has any."""
    at = _time(o.updated_ns)
    return {
        "id": o.id,
        "client_order_id": o.client_order_id,
        "created_at": rfc3339(o.submitted_ns),
        "updated_at": rfc3339(o.updated_ns or o.submitted_ns),
        "submitted_at": rfc3339(o.submitted_ns),
        "filled_at": at if o.status is OrderState.FILLED else None,
        "expired_at": at if o.status is OrderState.EXPIRED else None,
        "canceled_at": at if o.status is OrderState.CANCELED else None,
        "failed_at": at if o.status is OrderState.REJECTED else None,
        "replaced_at": at if o.status is OrderState.REPLACED else None,
        "replaced_by": o.replaced_by or None,
        "replaces": o.replaces or None,
        "asset_id": asset_id(o.symbol),
        "symbol": o.symbol,
        "asset_class": "us_equity",
        "notional": number(o.notional),
        "qty": number(o.qty) if o.notional is None else None,
        "filled_qty": number(o.filled_qty),
        "filled_avg_price": number(o.filled_avg_price) if o.filled_qty else None,
        "order_class": "" if o.order_class is OrderClass.SIMPLE else o.order_class.value,
        "order_type": o.order_type.value,
        "type": o.order_type.value,
        "side": o.side.value,
        "position_intent": None,
        "time_in_force": o.tif.value,
        "limit_price": number(o.limit_price),
        "stop_price": number(o.stop_price),
        "status": o.status.value,
        "extended_hours": o.extended_hours,
        "legs": [order(leg) for leg in o.legs] if nested and o.legs else None,
        "trail_percent": number(o.trail_percent),
        "trail_price": number(o.trail_price),
        "hwm": number(o.hwm) if o.hwm else None,
        "subtag": None,
        "source": None,
        "expires_at": rfc3339(expires_ns(o)),
    } | _group(o)


def _group(o: BrokerOrder) -> Words:
    """What ties the legs of a bracket together, also where `legs` is null."""
    if o.order_class is OrderClass.SIMPLE:
        return {}
    if o.parent_id:
        role = "take_profit" if o.order_type is OrderType.LIMIT else "stop_loss"
    else:
        role = "take_profit" if o.order_class is OrderClass.OCO else "entry"
    return {"group_id": o.parent_id or o.id, "group_role": role}


def expires_ns(o: BrokerOrder) -> int:
    """When the order ends by itself: a day order at its session's close, GTC after 90 days."""
    if o.expires_ns:
        return o.expires_ns
    session = session_of(o.submitted_ns)
    end_ns = session.post_ns if o.extended_hours else session.close_ns
    if o.submitted_ns < end_ns:
        return end_ns
    later = first_session(date.fromisoformat(session.day) + timedelta(days=1))
    return later.post_ns if o.extended_hours else later.close_ns


def update(u: OrderUpdate) -> Words:
    """The data of one trade update. Legs stand alone here, as `group_id` says."""
    words: Words = {
        "event": u.event,
        "event_id": str(uuid.uuid5(_NAMESPACE, f"{u.order.id}:{u.event}:{u.execution_id}:{u.t_ns}")),
        "timestamp": rfc3339(u.t_ns),
        "at": rfc3339(u.t_ns),
        "order": order(u.order, nested=False),
    }
    if u.position_qty is not None:
        words["position_qty"] = number(u.position_qty)
    if u.fills or u.amends:
        words |= {"execution_id": u.execution_id, "price": number(u.price), "qty": number(u.qty)}
    if u.amends:
        words["previous_execution_id"] = u.corrects
    return words


def position(p: BrokerPosition, a: Asset, *, available: float, last_close: float) -> Words:
    """One holding. available: shares not reserved by open orders; last_close: yesterday's, 0 if unknown."""
    value, cost = p.qty * p.price, p.qty * p.avg_price
    gain = value - cost
    share = gain / abs(cost) if cost else 0.0
    return {
        "asset_id": asset_id(p.symbol),
        "symbol": p.symbol,
        "exchange": exchange(a),
        "asset_class": "us_equity",
        "asset_marginable": a.marginable,
        "qty": number(p.qty),
        "qty_available": number(available + 0.0),  # never minus zero
        "avg_entry_price": number(p.avg_price),
        "side": "long" if p.qty > 0 else "short",
        "market_value": number(_cents(value)),
        "cost_basis": number(_cents(cost)),
        "unrealized_pl": number(_cents(gain)),
        "unrealized_plpc": number(round(share, 10)),
        "unrealized_intraday_pl": number(_cents(gain)),
        "unrealized_intraday_plpc": number(round(share, 10)),
        "current_price": number(p.price),
        "lastday_price": number(last_close) if last_close else None,
        "change_today": number(round(p.price / last_close - 1, 10)) if last_close else None,
    }


def account(
    a: Account,
    held: Iterable[BrokerPosition],
    *,
    account_id: str,
    created_ns: int,
    suspended: bool,
    shorting: bool,
) -> Words:
    """The account. suspended, shorting: as its owner configured it.

    maintenance_deficit is ours: dollars of equity that the maintenance margin asks for and that are not there
    """
    values = [p.qty * p.price for p in held]
    long, short = sum(v for v in values if v > 0), sum(v for v in values if v < 0)
    gross = long - short
    return {
        "id": account_id,
        "account_number": a.id,
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "admin_configurations": {},
        "user_configurations": None,
        "cash": number(a.cash),
        "equity": number(a.equity),
        "portfolio_value": number(a.equity),
        "last_equity": number(a.last_equity),
        "buying_power": number(a.buying_power),
        "effective_buying_power": number(a.buying_power),
        "regt_buying_power": number(min(a.buying_power, max(0.0, _cents(2 * (a.equity - a.initial_margin))))),
        "non_marginable_buying_power": number(a.cash_only),
        "options_buying_power": "0",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "multiplier": number(a.multiplier),
        "shorting_enabled": a.shorting_enabled and shorting,
        "trading_blocked": a.trading_blocked,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": suspended,
        "created_at": rfc3339(created_ns),
        "long_market_value": number(_cents(long)),
        "short_market_value": number(_cents(short)),
        "position_market_value": number(_cents(gross)),
        "initial_margin": number(_cents(a.initial_margin)),
        "maintenance_margin": number(_cents(a.maintenance_margin)),
        "maintenance_deficit": number(max(0.0, _cents(a.maintenance_margin - a.equity))),
        "last_maintenance_margin": "0",
        "sma": "0",
        "accrued_fees": "0",
        "intraday_adjustments": "0",
        "pending_reg_taf_fees": "0",
    }


def asset(a: Asset, *, price: float, borrowable: bool) -> Words:
    """One tradable name. price: dollars, 0 unknown; borrowable: its shares can be borrowed now."""
    easy = a.shortable and a.easy_to_borrow and borrowable
    margin = number(float(fraction(Decimal(repr(price or _DEAR))) * 100)) or ""
    status = "easy_to_borrow" if easy else "hard_to_borrow"
    return {
        "id": asset_id(a.symbol),
        "class": "us_equity",
        "exchange": exchange(a),
        "symbol": a.symbol,
        "name": a.name or a.symbol,
        "status": "active" if a.tradable else "inactive",
        "tradable": a.tradable,
        "marginable": a.marginable,
        "shortable": a.shortable,
        # Both, old and new: alpaca-py 0.44 requires the first, Alpaca is taking it away.
        "easy_to_borrow": easy,
        "borrow_status": status if a.shortable else "not_shortable",
        "fractionable": a.fractionable,
        "maintenance_margin_requirement": float(margin),
        "margin_requirement_long": margin,
        "margin_requirement_short": "30",
        "attributes": [],
    }


def exchange(a: Asset) -> str:
    """Where it is listed, in a word that alpaca-py knows."""
    return a.exchange if a.exchange in _EXCHANGES else "NASDAQ"


def activity(e: Execution, o: BrokerOrder, *, cumulative: float) -> Words:
    """One fill of the account's history. cumulative: shares of its order filled up to and including it."""
    leaves = max(0.0, o.qty - cumulative)
    return {
        "id": f"{to_datetime(e.t_ns):%Y%m%d%H%M%S}{e.t_ns // 1_000_000 % 1000:03d}::{e.execution_id}",
        "activity_type": "FILL",
        "type": _activity_type(e, leaves),
        "transaction_time": rfc3339(e.t_ns),
        "order_id": e.order_id,
        "symbol": e.symbol,
        "side": e.side.value,
        "qty": number(e.qty),
        "cum_qty": number(cumulative),
        "leaves_qty": number(leaves),
        "price": number(e.price),
        "order_status": "partially_filled" if leaves else "filled",
    } | ({"previous_execution_id": e.corrects} if e.corrects else {})


def _activity_type(e: Execution, leaves: float) -> str:
    if e.corrects:
        return "trade_correct" if e.qty else "trade_bust"
    return "partial_fill" if leaves else "fill"


def fee(e: Execution, dollars: float) -> Words:
    """What one fill cost beside its price, or gave back when it was corrected, as a row of the history."""
    return {
        "id": f"{to_datetime(e.t_ns):%Y%m%d}000000000::{uuid.uuid5(_NAMESPACE, f'fee:{e.execution_id}')}",
        "activity_type": "FEE",
        "date": f"{to_datetime(e.t_ns):%Y-%m-%d}",
        "net_amount": number(_cents(-dollars)),
        "description": f"Fees for {e.side.value} of {number(e.qty)} shares",
        "symbol": e.symbol,
        "qty": number(e.qty),
        "per_share_amount": number(round(-dollars / e.qty, 6)) if e.qty else None,
        "status": "executed",
    }


def day(session: SessionHours) -> Words:
    """One day of the calendar."""

    def clock(t_ns: int) -> str:
        return f"{to_datetime(t_ns):%H:%M}"

    return {
        "date": session.day,
        "open": clock(session.open_ns),
        "close": clock(session.close_ns),
        "session_open": clock(session.pre_ns).replace(":", ""),
        "session_close": clock(session.post_ns).replace(":", ""),
        "settlement_date": first_session(date.fromisoformat(session.day) + timedelta(days=1)).day,
    }


def _cents(dollars: float) -> float:
    return round(dollars, 2)
