"""What a broker refuses that can be known before anything is sent; and what an exit is changed to instead.

The rules are data of the venue: `BrokerRules` with Alpaca's as its defaults, so that another broker is
another instance. `cannot` answers for entries, in words. An exit is never refused here: `adapted` gives it
the nearest form that is possible, and says what it changed.

Source of Alpaca's rules: its pages on orders, fractions, short sales and extended hours, as of 2026-10.
"""

from collections.abc import Callable

import msgspec

from liu_tui.model.account import Account
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, Asset
from liu_tui.model.orders import OrderClass, OrderRequest, OrderState, OrderType, Side, TimeInForce
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.orders import OrderRecord, class_of
from liu_tui.trading.prices import limit_price, trigger_price

_LASTING = frozenset({TimeInForce.DAY, TimeInForce.GTC})
_AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_LIMITS = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
# Half a ten-thousandth of a dollar: 10.01 - 10.0 is not a cent in floats.
_SLACK = 0.00005
S = OrderState


class BrokerRules(msgspec.Struct, frozen=True, kw_only=True):
    """What one broker takes. The defaults are Alpaca's.

    group_tifs, trailing_tifs, extended_tifs: how long a bracket, OCO or OTO, a trailing stop, and an order
                      for extended hours may live
    extended_types, auction_types: the kinds of order for extended hours, and for opg and cls
    fraction_types:   the kinds for fractions of shares and dollars: day orders without others beside them
    opg_until_min, cls_until_min: minutes before the open and the close after which no opg and cls orders are
                      taken; reopen_min: minutes before the end of the after-hours session from which they are
    least_notional:   dollars
    short_fractions, short_hard_to_borrow: whether those may be sold short
    short_multiplier: an account that may invest its equity less often is a cash account: no short sales
    leg_gap:          dollars that a stop or target must lie off the price of its entry
    not_replaceable:  states in which an order cannot be given other terms
    replace_group_qty: whether the quantity of a bracket's entry can be changed
    through_frac:     extended hours know no market orders: how far through the last price the limit goes of
                      an exit that would have been one, as a fraction
    """

    name: str = "Alpaca"
    group_tifs: frozenset[TimeInForce] = _LASTING
    trailing_tifs: frozenset[TimeInForce] = _LASTING
    extended_tifs: frozenset[TimeInForce] = _LASTING
    extended_types: frozenset[OrderType] = frozenset({OrderType.LIMIT})
    auction_types: frozenset[OrderType] = frozenset({OrderType.MARKET, OrderType.LIMIT})
    fraction_types: frozenset[OrderType] = frozenset(OrderType) - {OrderType.TRAILING_STOP}
    opg_until_min: float = 2.0
    cls_until_min: float = 10.0
    reopen_min: float = 60.0
    least_notional: float = 1.0
    short_fractions: bool = False
    short_hard_to_borrow: bool = False
    short_multiplier: float = 2.0
    leg_gap: float = 0.01
    not_replaceable: frozenset[OrderState] = frozenset(
        {S.ACCEPTED, S.PENDING_NEW, S.PENDING_CANCEL, S.PENDING_REPLACE}
    )
    replace_group_qty: bool = False
    through_frac: float = 0.01


ALPACA = BrokerRules()


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around a request when it is judged. What is unknown speaks against nothing.

    asset, account: as the venue told them
    hours:   the trading day; None where the market is always open
    price:   dollars, the last one; 0 unknown
    held:    signed shares of the account in the symbol
    working: what works in the symbol on the account
    """

    now_ns: int = 0
    asset: Asset | None = None
    account: Account | None = None
    hours: SessionHours | None = None
    price: float = 0.0
    held: float = 0.0
    working: tuple[OrderRecord, ...] = ()

    @property
    def regular(self) -> bool:
        """Whether the regular session is on."""
        return self.hours is None or self.hours.phase(self.now_ns) == "open"


Rule = Callable[[OrderRequest, Moment, BrokerRules], Refusal | None]


def cannot(request: OrderRequest, moment: Moment, rules: BrokerRules = ALPACA) -> Refusal | None:
    """Say why the broker will not take this order; None if nothing that is known speaks against it."""
    for rule in _RULES:
        if said := rule(request, moment, rules):
            return said
    return None


def cannot_replace(record: OrderRecord, rules: BrokerRules = ALPACA) -> str:
    """Say why a working order cannot be given other terms now; "" if it can."""
    if record.notional is not None:
        return "an order in dollars cannot be replaced"
    if not record.order_id:
        return "the broker has not named it yet"
    if not record.live or record.state in rules.not_replaceable | {S.INTENT, S.SUBMITTED, S.UNKNOWN}:
        return f"it is {record.state}"
    return ""


def adapted(
    record: OrderRecord, moment: Moment, rules: BrokerRules = ALPACA
) -> tuple[OrderRecord, list[str]]:
    """Give an exit a form that the broker takes; returns it with words for each thing that was changed."""
    changes: list[str] = []
    for adapt in _ADAPTS:
        record, words = adapt(record, moment, rules)
        if words:
            changes.append(words)
    return record, changes


# ---- entries


def _listing(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    if moment.asset is not None and not moment.asset.tradable:
        return refusal("NOT_TRADABLE", symbol=request.symbol, broker=rules.name)
    if moment.account is not None and moment.account.trading_blocked:
        return refusal("ACCOUNT_BLOCKED", broker=rules.name)
    return None


def _short(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    if request.side is Side.BUY or moment.held > 0:
        return None
    account, asset = moment.account, moment.asset
    if account is not None and not account.shorting_enabled:
        return refusal("SHORTING_DISABLED", why="the account is not allowed to")
    if account is not None and account.multiplier < rules.short_multiplier:
        return refusal(
            "SHORTING_DISABLED", why=f"an account with multiplier {account.multiplier:g} has no margin"
        )
    if asset is not None and not asset.shortable:
        return refusal("NOT_SHORTABLE", symbol=request.symbol)
    if asset is not None and not asset.easy_to_borrow and not rules.short_hard_to_borrow:
        return refusal("HARD_TO_BORROW", symbol=request.symbol)
    if (request.notional is not None or request.qty % 1) and not rules.short_fractions:
        return refusal("NOT_FRACTIONABLE", symbol=request.symbol, why="short sales are of whole shares")
    return None


def _fraction(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    if request.notional is None and not request.qty % 1:
        return None
    if moment.asset is not None and not moment.asset.fractionable:
        return refusal("NOT_FRACTIONABLE", symbol=request.symbol, why="it is traded in whole shares")
    why = ""
    if request.order_class is not OrderClass.SIMPLE:
        why = "without a stop or a target beside it"
    elif request.tif is not TimeInForce.DAY:
        why = f"a day order, not {request.tif}"
    elif request.order_type not in rules.fraction_types:
        why = f"no {_said(request.order_type)}"
    if why:
        return refusal("FRACTION_FORM", why=why)
    if request.notional is not None and request.notional < rules.least_notional:
        return refusal("NOTIONAL_TOO_SMALL", dollars=request.notional, least=rules.least_notional)
    return None


def _extended(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    if not request.extended_hours:
        return None
    why = ""
    if request.order_type not in rules.extended_types:
        why = f"it was a {_said(request.order_type)} order"
    elif request.tif not in rules.extended_tifs:
        why = f"it was {request.tif}"
    elif request.order_class is not OrderClass.SIMPLE:
        why = "it had a stop or a target beside it"
    return refusal("EXTENDED_HOURS_LIMIT_ONLY", why=why) if why else None


def _auction(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    if request.tif not in _AUCTIONS:
        return None
    if request.order_type not in rules.auction_types:
        return refusal("AUCTION_FORM", tif=request.tif.value, kind=_said(request.order_type))
    if _auction_over(request.tif, moment, rules):
        return refusal("AUCTION_OVER", tif=request.tif.value)
    return None


def _group(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    trailing = request.order_type is OrderType.TRAILING_STOP
    if trailing and request.tif not in rules.trailing_tifs:
        return refusal("NOT_POSSIBLE", why=f"a trailing stop must be day or gtc, not {request.tif}")
    if request.order_class is OrderClass.SIMPLE:
        return None
    if trailing:
        return refusal("NOT_POSSIBLE", why="a trailing stop cannot bring a stop or a target with it")
    if request.tif not in rules.group_tifs:
        return refusal(
            "NOT_POSSIBLE", why=f"an entry with a stop or a target must be day or gtc, not {request.tif}"
        )
    return None


def _levels(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    sign, price = request.side.sign, moment.price
    trigger = request.stop_price
    if request.order_type in _STOPS and trigger is not None and price > 0 and (trigger - price) * sign <= 0:
        return refusal("TRIGGER_PASSED", trigger=trigger, price=price)
    base = request.limit_price or trigger or price
    if request.order_class is OrderClass.SIMPLE or not base:
        return None
    for name, leg, away in (("stop", request.stop_loss, -sign), ("target", request.take_profit, sign)):
        if leg is not None and (leg - base) * away < rules.leg_gap - _SLACK:
            why = f"the {name} {leg:g} must be at least {rules.leg_gap:g} dollars from the price {base:g}"
            return refusal("BAD_PRICES", why=why)
    return None


def _wash(request: OrderRequest, moment: Moment, rules: BrokerRules) -> Refusal | None:
    # Orders that bring others, and trailing stops, are exempt on either side.
    if request.order_class is not OrderClass.SIMPLE or request.order_type is OrderType.TRAILING_STOP:
        return None
    for other in moment.working:
        if other.operation.side is not request.side and _may_meet(request, other):
            return refusal("WASH_TRADE", symbol=request.symbol, other=f"{other.role} of {other.strategy}")
    return None


def _may_meet(request: OrderRequest, other: OrderRecord) -> bool:
    complex_ = other.parent or class_of(other) is not OrderClass.SIMPLE
    if complex_ or other.order_type is OrderType.TRAILING_STOP:
        return False
    if request.order_type not in _LIMITS or other.order_type not in _LIMITS:
        return True
    mine, theirs = request.limit_price or 0.0, other.limit_price or 0.0
    return mine >= theirs if request.side is Side.BUY else theirs >= mine


_RULES: tuple[Rule, ...] = (_listing, _short, _extended, _auction, _group, _fraction, _levels, _wash)


def _auction_over(tif: TimeInForce, moment: Moment, rules: BrokerRules) -> bool:
    hours, now_ns = moment.hours, moment.now_ns
    if hours is None:
        return False
    end_ns, minutes = (
        (hours.open_ns, rules.opg_until_min)
        if tif is TimeInForce.OPG
        else (hours.close_ns, rules.cls_until_min)
    )
    again_ns = hours.post_ns - round(rules.reopen_min * MINUTE_NS)
    return end_ns - round(minutes * MINUTE_NS) <= now_ns < again_ns


def _said(kind: OrderType) -> str:
    return kind.value.replace("_", " ")


# ---- exits

Adapted = tuple[OrderRecord, str]


def _adapt_extended(record: OrderRecord, moment: Moment, rules: BrokerRules) -> Adapted:
    if not record.extended_hours or record.order_type in rules.extended_types:
        return record, ""
    change = msgspec.structs.replace
    if moment.regular or record.order_type is not OrderType.MARKET or moment.price <= 0:
        words = (
            f"a {_said(record.order_type)} order does not trade in extended hours: it is for regular hours"
        )
        return change(record, extended_hours=False), words
    sign = record.operation.side.sign
    limit = limit_price(moment.price * (1 + sign * rules.through_frac), record.operation.side)
    words = f"extended hours know no market orders: it is a limit of {limit:g} at a price of {moment.price:g}"
    return change(record, order_type=OrderType.LIMIT, limit_price=limit), words


def _adapt_time(record: OrderRecord, moment: Moment, rules: BrokerRules) -> Adapted:
    tif, why = record.tif, ""
    if tif in _AUCTIONS and record.order_type not in rules.auction_types:
        why = f"a {_said(record.order_type)} order cannot be {tif}"
    elif tif in _AUCTIONS and _auction_over(tif, moment, rules):
        why = f"{tif} orders are not taken any more"
    elif record.order_type is OrderType.TRAILING_STOP and tif not in rules.trailing_tifs:
        why = f"a trailing stop cannot be {tif}"
    elif record.extended_hours and tif not in rules.extended_tifs:
        why = f"an order for extended hours cannot be {tif}"
    elif record.qty % 1 and tif is not TimeInForce.DAY:
        why = f"an order for a fraction of a share cannot be {tif}"
    if not why:
        return record, ""
    return msgspec.structs.replace(record, tif=TimeInForce.DAY), f"{why}: it is a day order"


def _adapt_trailing(record: OrderRecord, moment: Moment, rules: BrokerRules) -> Adapted:
    trailing = record.order_type is OrderType.TRAILING_STOP
    if not trailing or not record.qty % 1 or OrderType.TRAILING_STOP in rules.fraction_types:
        return record, ""
    side, price = record.operation.side, moment.price or record.price
    away = record.trail_price or price * (record.trail_percent or 0.0) / 100
    stop = trigger_price(price + side.sign * away, side) if price else 0.0
    plain = msgspec.structs.replace(record, trail_price=None, trail_percent=None)
    if stop <= 0:
        words = "a trailing stop is for whole shares, and no price is known: it goes to the market"
        return msgspec.structs.replace(plain, order_type=OrderType.MARKET), words
    words = f"a trailing stop is for whole shares: it is a stop at {stop:g} that stays there"
    return msgspec.structs.replace(plain, order_type=OrderType.STOP, stop_price=stop), words


def _adapt_trigger(record: OrderRecord, moment: Moment, rules: BrokerRules) -> Adapted:
    stop, price, sign = record.stop_price, moment.price, record.operation.side.sign
    if record.order_type not in _STOPS or stop is None or price <= 0 or (stop - price) * sign > 0:
        return record, ""
    kind = OrderType.MARKET if record.limit_price is None else OrderType.LIMIT
    words = f"the price {price:g} is past the trigger {stop:g}: it is a {_said(kind)} order"
    return msgspec.structs.replace(record, order_type=kind, stop_price=None), words


_ADAPTS = (_adapt_extended, _adapt_trigger, _adapt_trailing, _adapt_time)
