"""Which consumer serves a symbol: a pure function, the same every day."""

import os
from zlib import crc32

NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYMBOLS_PER_CONSUMER = 50


def shard_of(name: str, consumers: int) -> int:
    """The place (0 ..) of the consumer that owns a symbol, or that is the home of a run_all strategy."""
    return crc32(name.encode()) % consumers


def producer_names(wanted: int) -> tuple[str, ...]:
    """Names of the producers: "producer" if there is but one, else with their numbers."""
    return ("producer",) if wanted == 1 else tuple(f"producer {n}" for n in range(1, wanted + 1))


def consumer_names(wanted: int, max_symbols: int) -> tuple[str, ...]:
    """Names of the consumers: `wanted` of them, or by CPUs and symbols if that is 0."""
    if not wanted:
        by_symbols = -(-max_symbols // SYMBOLS_PER_CONSUMER)
        wanted = max(1, min(os.cpu_count() or 1, by_symbols, len(NAMES)))
    return tuple(NAMES[:wanted])
