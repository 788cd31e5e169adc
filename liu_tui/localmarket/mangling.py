"""Frames that are broken on their way out: bytes no reader can make sense of, or fields of other types.

A broken frame is always unreadable as a whole. A flip that left it readable would be a wrong price that no
client can tell from a right one; the transport's own checksums rule that out, and so does this.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.hub import Client, Hub
from liu_tui.plan.schema import FaultKind

KINDS = (FaultKind.CORRUPT, FaultKind.WRONG_TYPES)
_SYMBOL_KEYS = ("S", "sym")
_MOST_FLIPS = 8
_NO_ARRAY = 0x20
"""The bit of a first byte that makes it begin no array, in either codec and for any length of the array."""


class Mangling:
    """The faults of frames of one market. hubs: all its data endpoints, as the market holds them."""

    def __init__(self, hubs: Sequence[Hub]) -> None:
        self._hubs = hubs
        self._active: list[Fault] = []

    def begin(self, fault: Fault, _: int) -> None:
        """Break frames from now on."""
        self._active.append(fault)
        self._switch()

    def end(self, fault: Fault, _: int) -> None:
        """Break no more of them."""
        self._active.remove(fault)
        self._switch()

    def _switch(self) -> None:
        for hub in self._hubs:
            hub.mangle = self._mangle if self._active else None

    def _mangle(self, client: Client) -> None:
        """Break what waits for a client; what is left whole is left to its own flush."""
        if not client.parts:
            return
        for fault in self._active:
            if fault.table.kind is FaultKind.WRONG_TYPES:
                client.parts[:] = _mistyped(client.parts, client.codec.binary, fault)
        breaking = [fault for fault in self._active if fault.table.kind is FaultKind.CORRUPT]
        if breaking:
            for frame in client.codec.frames(client.parts):
                struck = next((fault for fault in breaking if fault.hit()), None)
                client.outbox.put(frame if struck is None else broken(frame, struck.random))
            client.parts.clear()


def broken(frame: bytes, random: Random) -> bytes:
    """A frame cut short, or with some bits the other way, its first byte among them.

    ASCII stays ASCII, so that a text frame is still one that a websocket lets through.
    """
    if random.random() < 0.5:
        return frame[: random.randrange(1, len(frame))]
    flipped = bytearray(frame)
    for place in random.sample(range(1, len(frame)), min(_MOST_FLIPS, len(frame)) - 1):
        flipped[place] ^= 1 << random.randrange(7)
    flipped[0] ^= _NO_ARRAY
    return bytes(flipped)


def mistyped(part: bytes, binary: bool, random: Random) -> bytes:
    """One event with one of its fields in another type; `part` is an element of a frame."""
    encode, message = _codec(binary)[1], _read(part, binary)
    # The first field says what the message is: with that in another type it would be ignored, not refused.
    field = random.choice(list(message)[1:])
    message[field] = _other_type(message[field])
    return encode(message)


def _mistyped(parts: list[bytes], binary: bool, fault: Fault) -> list[bytes]:
    made = []
    for part in parts:
        if fault.symbols and _symbol_of(_read(part, binary)) not in fault.symbols:
            made.append(part)
        else:
            made.append(mistyped(part, binary, fault.random) if fault.hit() else part)
    return made


def _other_type(value: Any) -> Any:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value) if isinstance(value, int | float) else 0


def _read(part: bytes, binary: bool) -> dict[str, Any]:
    read: dict[str, Any] = _codec(binary)[0](part)
    return read


def _codec(binary: bool) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    return (
        (msgspec.msgpack.decode, msgspec.msgpack.encode)
        if binary
        else (msgspec.json.decode, msgspec.json.encode)
    )


def _symbol_of(message: dict[str, Any]) -> Any:
    return next((message[key] for key in _SYMBOL_KEYS if key in message), None)
