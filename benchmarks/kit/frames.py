"""Frames of the vendors' streams, valid ones and every kind of broken ones, made from a seed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

import msgspec
from msgspec.msgpack import Ext

DEEP = 20_000
"""So far are values nested at most: deeper than any decoder goes, and longer than any other value."""
Fields = list[tuple[bytes, bytes]]
"""A message, each key and value as its bytes."""


class Language(Protocol):
    """How a vendor spells: messages to begin with, values to put into them, and how to join them."""

    name: str
    messages: list[Fields]
    odd: list[bytes]

    def message(self, fields: Fields) -> bytes:
        """Join the fields of one message."""

    def frame(self, messages: list[bytes]) -> bytes:
        """Join messages."""


WILD_NUMBERS = [
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    -(2**63),
    1e9,
    1e15,
    1e308,
    5e-324,
    -0.0,
]
WILD_VALUES = [
    None,
    True,
    "",
    "AAPL",
    "x" * 300,
    "1",
    "NaN",
    [],
    ["@"],
    [1, None],
    {},
    {"a": [1]},
    ["@"] * 40,
]


class Msgpack:
    """Alpaca's frames."""

    name = "alpaca"

    def __init__(self) -> None:
        at, pack = _stamp(1_572_881_400, 123_456_789), msgspec.msgpack.encode
        bar = {"S": "SPY", "o": 10.5, "h": 11, "l": 10.0, "c": 10.25, "v": 1200, "n": 9, "vw": 10.4, "t": at}
        said: list[dict[str, Any]] = [
            {
                "T": "t",
                "S": "AAPL",
                "i": 7,
                "x": "V",
                "p": 100.25,
                "s": 100,
                "c": ["@", "I"],
                "t": at,
                "z": "C",
            },
            {"T": "q", "S": "BRK.B", "bx": "V", "bp": 9.5, "bs": 2, "ax": "Q", "ap": 9.75, "as": 3, "t": at},
            *({"T": kind} | bar for kind in "bud"),
            {"T": "s", "S": "AAPL", "sc": "H", "sm": "Halt", "rc": "T12", "rm": "News", "t": at, "z": "C"},
            {"T": "l", "S": "AAPL", "u": 105.0, "d": 95.5, "i": "B", "t": at, "z": "C"},
            {"T": "c", "S": "AAPL", "x": "M", "oi": 1, "op": 9.5, "os": 4, "oc": ["@"], "t": at, "z": "B"}
            | {"ci": 2, "cp": 9.75, "cs": 5, "cc": ["@", "7"]},
            {"T": "x", "S": "AAPL", "i": 465, "x": "D", "p": 105.25, "s": 300, "a": "C", "t": at, "z": "C"},
            {"T": "clock", "t": at, "speed": 60.0, "paused": False, "lockstep": True},
            {"T": "step", "n": 3, "t": at},
            {"T": "end", "t": at},
            {"T": "success", "msg": "connected"},
            {"T": "error", "code": 406, "msg": "connection limit exceeded"},
            {"T": "subscription", "trades": ["AAPL"], "quotes": [], "bars": ["SPY", "QQQ"]},
        ]
        self.messages = [[(pack(key), pack(value)) for key, value in message.items()] for message in said]
        times = [_stamp(0, 0), _stamp(2**34 - 1, 2**30 - 1), _stamp(9_223_372_036, 854_775_807)]
        exts = [Ext(-1, b"\0" * size) for size in (0, 3, 4, 12)] + [
            Ext(-1, b"\xff" * 12),
            Ext(7, b"12345678"),
        ]
        self.odd = [pack(value) for value in [*WILD_NUMBERS, *WILD_VALUES, b"bin", *times, *exts]]
        self.odd += [pack(float("nan")), pack(float("inf")), pack(-float("inf"))]
        self.odd += [b"\xa2\xff\xfe", b"\xa3\xed\xa0\x80", b"\xc1", b"\xd9\xff", b"\xdb\xff\xff\xff\xff"]
        self.odd += [b"\xdd\xff\xff\xff\xff", b"\xdf\x7f\xff\xff\xff", b"\x91" * DEEP, b"\x81\xa1a" * DEEP]

    def message(self, fields: Fields) -> bytes:
        """Join the fields of one message."""
        return b"\xde" + struct.pack(">H", len(fields)) + b"".join(map(b"".join, fields))

    def frame(self, messages: list[bytes]) -> bytes:
        """Join messages."""
        return b"\xdc" + struct.pack(">H", len(messages)) + b"".join(messages)


class Json:
    """Polygon's frames."""

    name = "polygon"

    def __init__(self) -> None:
        at, pack = 1_572_881_400_123, msgspec.json.encode
        bar = {
            "sym": "SPY",
            "v": 1200,
            "vw": 10.4,
            "o": 10.5,
            "c": 10.25,
            "h": 11,
            "l": 10.0,
            "s": at,
            "e": at,
        }
        said: list[dict[str, Any]] = [
            {"ev": "T", "sym": "AAPL", "x": 4, "i": "52983525033527", "z": 3, "p": 100.25, "s": 100}
            | {"c": [12, 37], "t": at, "q": 3681, "ds": "100.5"},
            {
                "ev": "Q",
                "sym": "BRK.B",
                "bx": 4,
                "bp": 9.5,
                "bs": 2,
                "ax": 7,
                "ap": 9.75,
                "as": 3,
                "c": 0,
                "t": at,
            },
            {"ev": "A"} | bar,
            {"ev": "AM"} | bar | {"dv": "1200.5"},
            {"ev": "LULD", "T": "AAPL", "h": 105.0, "l": 95.5, "i": [21], "z": 3, "t": at, "q": 1},
            {"ev": "status", "status": "auth_success", "message": "authenticated"},
            {"ev": "clock", "t": at * 1_000_000, "speed": 60.0, "paused": False, "lockstep": True},
            {"ev": "end", "t": at * 1_000_000},
            {"ev": "FMV", "fmv": 9.5, "sym": "AAPL", "t": at},
        ]
        self.messages = [[(pack(key), pack(value)) for key, value in message.items()] for message in said]
        self.odd = [pack(value) for value in [*WILD_NUMBERS, *WILD_VALUES, "-5", "1e400", "9" * 30]]
        self.odd += [
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"1e400",
            b"9" * 400,
            b"-",
            b"1.",
            b"nul",
            b'"',
            b'"\\',
        ]
        self.odd += [
            b'"\xff\xfe"',
            b'"\xed\xa0\x80"',
            b'"\\ud800"',
            b'"\\u0000"',
            b"[" * DEEP,
            b'{"a":' * DEEP,
        ]

    def message(self, fields: Fields) -> bytes:
        """Join the fields of one message."""
        return b"{" + b",".join(map(b":".join, fields)) + b"}"

    def frame(self, messages: list[bytes]) -> bytes:
        """Join messages."""
        return b"[" + b",".join(messages) + b"]"


LANGUAGES: dict[str, Callable[[], Language]] = {"alpaca": Msgpack, "polygon": Json}


def _stamp(seconds: int, nanoseconds: int) -> Ext:
    return Ext(-1, (nanoseconds << 34 | seconds).to_bytes(8, "big"))


class Fuzzer:
    """Makes inputs, the same ones for the same seed."""

    def __init__(self, language: Language, seed: int) -> None:
        self._language, self._random = language, Random(seed)
        self._byte_deeds = (self._flip, self._cut, self._put_in, self._take_out, self._double, self._join)

    def input(self) -> bytes:
        """Make the next one."""
        chance = self._random.random()
        if chance < 0.05:
            return self._random.randbytes(self._random.randrange(200))
        if chance < 0.6:
            return self._odd_frame()
        frame = self._valid() if chance < 0.95 else self._odd_frame()
        for _ in range(self._random.randrange(1, 4)):
            frame = self._random.choice(self._byte_deeds)(frame)
        return frame

    def _valid(self) -> bytes:
        of = self._random.choices(self._language.messages, k=self._random.randrange(1, 6))
        return self._language.frame([self._language.message(fields) for fields in of])

    def _odd_frame(self) -> bytes:
        random, language = self._random, self._language
        messages = random.choices(language.messages, k=random.randrange(1, 6))
        bad = random.randrange(len(messages))
        parts = [language.message(self._spoil(f) if n == bad else f) for n, f in enumerate(messages)]
        return language.frame(parts)

    def _spoil(self, fields: Fields) -> Fields:
        random, fields = self._random, list(fields)
        n = random.randrange(len(fields))
        key, value = fields[n]
        match random.randrange(10):
            case 0:
                del fields[n]
            case 1:
                fields.insert(random.randrange(len(fields) + 1), (key, self._odd_value()))
            case 2:
                fields.append((key, value))
            case 3:
                fields[n] = (random.choice(random.choice(self._language.messages))[0], value)
            case 4:
                fields[n] = (self._odd_value(), value)
            case 5:
                fields[n] = (key, random.choice(random.choice(self._language.messages))[1])
            case _:
                fields[n] = (key, self._odd_value())
        return fields

    def _odd_value(self) -> bytes:
        value = self._random.choice(self._language.odd)
        # Deep ones are long: few of them show as much as many.
        return value if len(value) < DEEP or self._random.random() < 0.02 else self._language.odd[0]

    def _flip(self, frame: bytes) -> bytes:
        changed = bytearray(frame)
        for _ in range(self._random.randrange(1, 4) if changed else 0):
            changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    def _cut(self, frame: bytes) -> bytes:
        return frame[: self._random.randrange(len(frame) + 1)]

    def _put_in(self, frame: bytes) -> bytes:
        at = self._random.randrange(len(frame) + 1)
        return frame[:at] + self._random.randbytes(self._random.randrange(1, 9)) + frame[at:]

    def _take_out(self, frame: bytes) -> bytes:
        at = self._random.randrange(len(frame) + 1)
        return frame[:at] + frame[at + self._random.randrange(1, 9) :]

    def _double(self, frame: bytes) -> bytes:
        at, long = self._random.randrange(len(frame) + 1), self._random.randrange(1, 40)
        return frame[: at + long] + frame[at:]

    def _join(self, frame: bytes) -> bytes:
        other = self._valid()
        return frame[: self._random.randrange(len(frame) + 1)] + other[self._random.randrange(len(other)) :]
