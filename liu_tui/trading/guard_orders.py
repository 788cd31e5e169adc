"""Guards that look at the order itself: its size and prices, what works beside it, the market it meets."""

import math

from liu_tui.model.orders import Operation, TimeInForce
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.prices import is_price
from liu_tui.trading.risk import Ask, Facts, entries_only


@entries_only
def quantity(ask: Ask, facts: Facts) -> Refusal | None:
    """The quantity is one that a broker takes."""
    if not math.isfinite(ask.qty) or ask.qty <= 0:
        return refusal("BAD_QUANTITY", qty=ask.qty, why="it must be positive")
    # Source: Alpaca takes fractions in simple long day orders only.
    protected = ask.stop is not None or ask.target is not None
    if ask.qty % 1 and (protected or ask.operation is Operation.SHORT):
        return refusal("BAD_QUANTITY", qty=ask.qty, why="a short or a protected entry needs whole shares")
    return None


@entries_only
def possible(ask: Ask, facts: Facts) -> Refusal | None:
    """The order is one that a broker takes."""
    protected = ask.stop is not None or ask.target is not None
    if protected and ask.tif not in (TimeInForce.DAY, TimeInForce.GTC):
        return refusal(
            "NOT_POSSIBLE", why=f"an entry with a stop or a target must be day or gtc, not {ask.tif}"
        )
    return None


@entries_only
def prices(ask: Ask, facts: Facts) -> Refusal | None:
    """Each price is one, and the protection lies on its side of the order."""
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


@entries_only
def pending(ask: Ask, facts: Facts) -> Refusal | None:
    """Nothing of the strategy's own is on its way in the symbol."""
    if facts.exiting:
        return refusal("EXIT_PENDING", symbol=ask.symbol)
    if facts.entry_qty:
        return refusal("ENTRY_PENDING", qty=facts.entry_qty, symbol=ask.symbol, state=facts.entry_state)
    return None


@entries_only
def opposite(ask: Ask, facts: Facts) -> Refusal | None:
    """Nobody is in the symbol the other way."""
    if facts.position * ask.signed < 0:
        return refusal("OPPOSITE_POSITION", holder=ask.strategy, held=facts.position, symbol=ask.symbol)
    if facts.others * ask.signed < 0:
        return refusal("OPPOSITE_POSITION", holder=facts.holder, held=facts.others, symbol=ask.symbol)
    return None


@entries_only
def duplicate(ask: Ask, facts: Facts) -> Refusal | None:
    """The strategy has not sent the same order a moment ago."""
    window, age = facts.limits.duplicate_window_s, facts.same_age_s
    if window is None or age is None or age >= window:
        return None
    return refusal("DUPLICATE_ORDER", symbol=ask.symbol, seconds=age, limit=window)


@entries_only
def stale(ask: Ask, facts: Facts) -> Refusal | None:
    """The market has said something of the symbol not too long ago."""
    limit, age = facts.limits.max_price_age_s, facts.price_age_s
    if limit is None or age <= limit:
        return None
    return refusal("PRICE_STALE", symbol=ask.symbol, seconds=age, limit=limit)


@entries_only
def collar(ask: Ask, facts: Facts) -> Refusal | None:
    """The order does not pay far more than the market asks: what it pays, against what it should.

    A limit is measured against the quote, or else the last price; one that waits for a trigger, against the
    trigger. An order at the market pays what is quoted: that is measured against what it was valued at, so
    that the limits in dollars have looked at what will be paid. A plain stop has nothing to measure.
    """
    percent = facts.limits.price_collar_percent
    if percent is None:
        return None
    if ask.limit is not None:
        pays, market = ask.limit, ask.trigger or facts.offered or facts.last
    else:
        pays, market = facts.offered, 0.0 if ask.trigger else ask.price
    if not pays or not market:
        return None
    over = 100 * (pays - market) / market * ask.operation.side.sign
    if over <= percent:
        return None
    return refusal("PRICE_COLLAR", symbol=ask.symbol, price=pays, market=market, percent=over, limit=percent)
