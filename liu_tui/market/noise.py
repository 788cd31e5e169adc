"""Chance that can be looked up: the same number for the same place, whatever was asked for before.

A simulated day is drawn minute by minute and symbol by symbol in any order (a restart begins in the middle, a
chart wants one name's whole morning), so its ticks cannot come from a generator that has to run up to them.
Source: the finaliser of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
"""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


def key(*parts: int | str) -> int:
    """Return 64 bits that stand for these parts, the same on every machine."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def words(keys: Words, place: Ints) -> Words:
    """Return 64 random bits for each (key, place) pair. place: any integers, e.g. 0, 1, 2 ..."""
    x = keys + (place.astype(np.uint64) + np.uint64(1)) * _GOLDEN
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)  # type: ignore[no-any-return]  # numpy types the shift as Any


def bits(source: Words, first: int, count: int) -> Ints:
    """Return `count` of the 64 bits, from bit `first`, as a number: one word serves several small draws."""
    return ((source >> np.uint64(first)) & np.uint64((1 << count) - 1)).astype(np.int64)
