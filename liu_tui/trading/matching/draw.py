"""Draws that depend on what is asked alone, never on ids or on who came first."""

from decimal import Decimal
from hashlib import blake2b


def first_slice(seed: int, content: str, qty: Decimal, fraction: float) -> Decimal:
    """Draw the shares of the first fill: all of `qty`, or for `fraction` (0-1) of the orders a random part.

    Source: Alpaca's paper trading gives 10% of eligible orders a partial fill of random size.
    """
    digest = _digest(seed, content)
    whole = int(qty)
    if whole < 2 or _chance(digest) >= fraction:
        return qty
    return Decimal(1 + int.from_bytes(digest[8:], "big") % (whole - 1))


def hard_to_borrow(seed: int, symbol: str, fraction: float) -> bool:
    """Draw whether a symbol is one of the `fraction` (0-1) that cannot be sold short; all day, every day."""
    return fraction > 0 and _chance(_digest(seed, f"borrow:{symbol}")) < fraction


def _digest(seed: int, content: str) -> bytes:
    return blake2b(f"{seed}:{content}".encode(), digest_size=16).digest()


def _chance(digest: bytes) -> float:
    return int.from_bytes(digest[:8], "big") / 2**64
