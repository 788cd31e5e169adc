"""How far from the last price a price may be before it needs a second word.

The steps are those of the limit-up-limit-down plan for liquid names (Plan to Address Extraordinary Market
Volatility, section V and appendix A): what the exchanges themselves let a price move in five minutes without
a halt is wide enough for one print. The hour makes no difference, for a true level is soon confirmed.
"""

from typing import Final

FULL_FROM: Final = 3.0
LOW_FROM: Final = 0.75
"""Dollars: where the steps begin."""

FULL_FRAC: Final = 0.05
LOW_FRAC: Final = 0.20
CENTS: Final = 0.15
CENTS_FRAC: Final = 0.75
"""From 3 dollars on 5 %, from 75 cents on 20 %, below 15 cents but no more than 75 %."""


def width(price: float) -> float:
    """Return by how many dollars another price may differ from this one by its step."""
    if price >= FULL_FROM:
        return price * FULL_FRAC
    return price * LOW_FRAC if price >= LOW_FROM else min(CENTS, price * CENTS_FRAC)


def near(price: float, other: float) -> bool:
    """Say whether two prices lie within the limit of each other: that of the one with the wider limit.

    It is the same from either side: what may fall so far may come back.
    """
    return abs(price - other) <= max(width(price), width(other))
