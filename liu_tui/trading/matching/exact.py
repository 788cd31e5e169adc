"""Exact numbers: dollars and shares as decimals, so that no sum of fills is ever off by a cent."""

from decimal import Decimal

_TICK = Decimal("0.0001")
SHARE = Decimal("0.000000001")
"""The finest part of a share."""
ZERO = Decimal(0)


def money(price: float) -> Decimal:
    """Round a price to the ten-thousandth of a dollar: the finest step an exchange quotes in."""
    return Decimal(repr(price)).quantize(_TICK)


def shares(qty: float) -> Decimal:
    """Round a quantity to nine decimals: the finest fraction the broker keeps."""
    exact = Decimal(repr(qty))
    return Decimal(int(exact)) if exact == int(exact) else exact.quantize(SHARE)
