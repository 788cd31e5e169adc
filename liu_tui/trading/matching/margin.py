"""What open positions bind: initial and maintenance margin.

Nobody is sold out here: an account that falls below its maintenance margin is told so (`Account` and
`maintenance_deficit` in the words of the trading API), and goes on as it can.
Source: Alpaca's margin page, 2026-09.
"""

from collections.abc import Iterable
from decimal import Decimal

from liu_tui.trading.matching.exact import ZERO

INITIAL = Decimal("0.5")
"""Initial margin, as a fraction of market value. Source: Regulation T."""
_LONG = ((Decimal("2.5"), Decimal(1)), (Decimal(6), Decimal("0.5")))
_LONG_DEAR = Decimal("0.3")
_SHORT_CHEAP, _SHORT_DEAR = Decimal(5), Decimal("0.3")
_LEAST_CHEAP, _LEAST_DEAR = Decimal("2.5"), Decimal(5)


def initial(worth: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Dollars that the positions bind when opened. worth: (signed shares, price) of each."""
    return sum((abs(qty * price) * INITIAL for qty, price in worth), ZERO)


def maintenance(worth: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Dollars of equity that the positions need. worth: (signed shares, price) of each."""
    return sum((_needed(qty, price) for qty, price in worth), ZERO)


def fraction(price: Decimal) -> Decimal:
    """Return which part of a long position's value its owner must hold."""
    return next((part for below, part in _LONG if price <= below), _LONG_DEAR)


def _needed(qty: Decimal, price: Decimal) -> Decimal:
    if qty > 0:
        return qty * price * fraction(price)
    if price < _SHORT_CHEAP:
        return -qty * max(_LEAST_CHEAP, price)
    return -qty * max(_LEAST_DEAR, price * _SHORT_DEAR)
