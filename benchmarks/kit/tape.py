"""The tape of a benchmark: websocket frames that are written once, and stamped anew each time they are sent.

A Slab is what leaves in one write: some frames of some messages each. Only the bytes of times and trade ids
change, so a sender of half a million events a second costs a tenth of a core.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import count

import msgspec
import numpy as np
from msgspec.msgpack import Ext

SECOND_NS = 1_000_000_000
FIRST_ID = 2**40  # an id that takes eight bytes, so that its place never changes
TICK_S = 0.001
"""Events leave about a thousand times a second, as a vendor's bursts come; more seldom if a frame is larger
than that."""

_STAMP = b"\xfa\x5e\x9c\x11\xd3\x7b\xe2\x44"
_ID = 0x7A5E9C11D37BE244
_MIXED = ("q", "q", "t")  # two thirds are quotes, as on a real day


def names(count: int) -> tuple[str, ...]:
    """So many symbols, all spelled with as many letters."""
    return tuple(f"S{n:04d}" for n in range(count))


def price_of(symbol: str) -> float:
    """What a symbol costs, about: 20 to 320 dollars."""
    return 20.0 + int(symbol[1:]) % 300


def trade(symbol: str, cents: int) -> dict[str, object]:
    """Make a trade in the vendor's spelling."""
    price = round(price_of(symbol) + cents / 100, 2)
    text = {"x": "V", "c": ["@"], "z": "C"}
    return {"T": "t", "S": symbol, "i": _ID, "p": price, "s": 100, "t": Ext(-1, _STAMP)} | text


def quote(symbol: str, cents: int) -> dict[str, object]:
    """Make a quote in the vendor's spelling, a cent wide at least."""
    bid = round(price_of(symbol) + cents / 100, 2)
    sides = {"bx": "V", "bp": bid, "bs": 2, "ax": "Q", "ap": round(bid + 0.02, 2), "as": 3}
    return {"T": "q", "S": symbol, "c": ["R"], "t": Ext(-1, _STAMP), "z": "C"} | sides


def bar(symbol: str, t_ns: int) -> dict[str, object]:
    """Make a minute's bar that starts at t_ns."""
    p = price_of(symbol)
    prices = {"o": p, "h": p + 0.1, "l": p - 0.1, "c": p + 0.05, "vw": p}
    return {"T": "b", "S": symbol, "v": 1000, "n": 9, "t": Ext(-1, _stamp_of(t_ns))} | prices


def websocket_frame(body: bytes) -> bytes:
    """Put a server's header before one binary message."""
    size = len(body)
    if size < 126:
        return bytes((0x82, size)) + body
    if size < 65536:
        return b"\x82\x7e" + size.to_bytes(2, "big") + body
    return b"\x82\x7f" + size.to_bytes(8, "big") + body


class Slab:
    """Frames that leave together. events: how many messages they hold; trades: how many are trades."""

    def __init__(self, frames: Sequence[Sequence[dict[str, object]]]) -> None:
        raw = bytearray(b"".join(websocket_frame(msgspec.msgpack.encode(frame)) for frame in frames))
        self._bytes = np.frombuffer(raw, np.uint8)
        self._stamps = _places(raw, _STAMP)
        self._ids = _places(raw, _ID.to_bytes(8, "big"))
        self._steps = np.arange(len(self._stamps))
        self.events, self.trades = len(self._stamps), len(self._ids)

    def stamped(self, t_ns: int, first_id: int) -> memoryview:
        """Return its bytes with these times, a nanosecond apart, and these ids, one apart."""
        seconds, nanoseconds = np.divmod(t_ns + self._steps, SECOND_NS)
        self._bytes[self._stamps] = _eight(nanoseconds << 34 | seconds)
        if len(self._ids):
            self._bytes[self._ids] = _eight(first_id + self._steps[: len(self._ids)])
        return self._bytes.data


def slabs(symbols: Sequence[str], *, frame: int, frames: int, quotes: bool, seed: int = 1) -> list[Slab]:
    """Write as many slabs as name every symbol in a mixed order, each with every kind that there is.

    frame: messages of one frame; frames: of one slab
    """
    kinds = _MIXED if quotes else ("t",)
    messages = _messages(symbols, random.Random(seed), kinds)
    needed = -(-len(symbols) * len(kinds) // (frame * frames)) + 3
    return [Slab([[next(messages) for _ in range(frame)] for _ in range(frames)]) for _ in range(needed)]


def _messages(
    symbols: Sequence[str], chosen: random.Random, kinds: Sequence[str]
) -> Iterator[dict[str, object]]:
    order = chosen.sample(symbols, len(symbols))
    for turn in count():
        for place, symbol in enumerate(order):
            make = quote if kinds[(turn + place) % len(kinds)] == "q" else trade
            yield make(symbol, chosen.randrange(-5, 6))


def _places(raw: bytearray, mark: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    starts, at = [], raw.find(mark)
    while at >= 0:
        starts.append(at)
        at = raw.find(mark, at + 1)
    return np.array(starts, np.int64).reshape(-1, 1) + np.arange(8)


def _eight(
    values: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)


def _stamp_of(t_ns: int) -> bytes:
    seconds, nanoseconds = divmod(t_ns, SECOND_NS)
    return (nanoseconds << 34 | seconds).to_bytes(8, "big")
