"""Prices that an exchange accepts: whole ticks."""

import math
from enum import Enum
from typing import TypeGuard

from liu_tui.model.orders import Side

# US equities: from a dollar in cents, below in hundredths of a cent (SEC Rule 612; brokers refuse the rest).
_DECIMALS_FROM_A_DOLLAR = 2
_DECIMALS_BELOW = 4
# Far below a tick, far above what floating point loses: 10.15 / 0.01 must not be rounded down to 10.14.
_SLACK = 1e-6


class Toward(Enum):
    """Which way a price is rounded."""

    DOWN = -1
    UP = 1


def to_tick(price: float, toward: Toward) -> float:
    """Round dollars to the tick of their band."""
    decimals = _DECIMALS_FROM_A_DOLLAR if price >= 1 else _DECIMALS_BELOW
    ticks = price * 10**decimals
    whole = math.floor(ticks + _SLACK) if toward is Toward.DOWN else math.ceil(ticks - _SLACK)
    return float(round(whole / 10**decimals, decimals))


def limit_price(price: float, side: Side) -> float:
    """Never pay more and never take less than was asked for."""
    return to_tick(price, Toward.DOWN if side is Side.BUY else Toward.UP)


def trigger_price(price: float, side: Side) -> float:
    """Never wake an order earlier than was asked for: a buy stop rounds up, a sell stop down.

    So a protective stop moves outward, away from the market, by less than a tick.
    """
    return to_tick(price, Toward.UP if side is Side.BUY else Toward.DOWN)


def target_price(price: float, exit_side: Side) -> float:
    """Move a profit target inward, to the side that fills: a selling target down, a buying one up."""
    return to_tick(price, Toward.DOWN if exit_side is Side.SELL else Toward.UP)


def trail_amount(dollars: float, price: float) -> float:
    """Round the distance of a trailing stop up, to ticks of the band of `price`: it never wakes earlier.

    price: dollars a share now, 0 if unknown (then cents)
    """
    decimals = _DECIMALS_BELOW if 0 < price < 1 else _DECIMALS_FROM_A_DOLLAR
    return float(round(math.ceil(dollars * 10**decimals - _SLACK) / 10**decimals, decimals))


def stop_limit_price(limit: float, stop: float, exit_side: Side) -> float:
    """Never take less than was asked for, but never ask for more than the stop: that would not sell.

    stop: dollars, on the tick
    """
    rounded = limit_price(limit, exit_side)
    return min(rounded, stop) if exit_side is Side.SELL else max(rounded, stop)


def moved_stop_limit(stop: float, old_stop: float, old_limit: float, exit_side: Side) -> float:
    """Move the limit of a protective stop with it, at the same distance."""
    limit = stop + (old_limit - old_stop)
    return stop_limit_price(limit if limit > 0 else stop, stop, exit_side)


def is_price(price: float | None) -> TypeGuard[float]:
    """Whether it is a number of dollars that can be asked for."""
    return price is not None and math.isfinite(price) and price > 0
