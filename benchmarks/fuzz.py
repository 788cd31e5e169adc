"""Any bytes give events, a counted refusal, or nothing: a fuzz run over the parsers of the vendors' streams.

Run `python benchmarks/fuzz.py --inputs 1000000 [--seed N] [--reader alpaca|polygon|all]`. It prints a table
for each reader, and ends with 1 if an input broke the promise: that is printed too, and its seed and number
make it again.

An input is a frame of a vendor with one to three things done to it: bits flipped, cut off, bytes put in,
taken out or doubled, two frames joined, a value of another type or a wild number in a field, broken UTF-8,
deep nesting, keys twice or missing; or it is random bytes. The promise: nothing is raised; only StreamItems
come out; each has a symbol, finite prices above 0, times that an int64 holds; and what was refused is counted
once in the reader and once in the Unreadables that stand in its place.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.kit.frames import LANGUAGES, Fuzzer, Language
from liu_tui.market.streaming import SessionEnd, StreamItem, Unreadable
from liu_tui.model.clock import Anchor
from liu_tui.model.market import (
    Bar,
    Halt,
    PriceBand,
    Quote,
    Step,
    Trade,
    TradeCancel,
    TradeCorrection,
)

MAX_NS = 2**63 - 1


class Reader(Protocol):
    """What both vendors' parsers are."""

    refused: int
    ignored: int

    def read(self, frame: bytes) -> tuple[list[StreamItem], list[Any]]:
        """Turn one frame into items and answers."""


class Broken(AssertionError):
    """The promise was not kept."""


def _price(*prices: float) -> bool:
    return all(type(p) is float and math.isfinite(p) and p > 0 for p in prices)


def _size(*sizes: float) -> bool:
    return all(type(s) is float and math.isfinite(s) and s >= 0 for s in sizes)


def _number(*numbers: int) -> bool:
    return all(type(n) is int and 0 <= n <= MAX_NS for n in numbers)


def _bar(b: Bar) -> bool:
    ordered = b.low <= b.open <= b.high and b.low <= b.close <= b.high
    priced = _price(b.open, b.high, b.low, b.close) and _size(b.volume, b.vwap)
    return ordered and priced and _number(b.t_ns, b.count, b.span_ns)


_HOLDS: dict[type, Callable[[Any], bool]] = {
    Trade: lambda t: (
        _price(t.price) and _size(t.size) and _number(t.t_ns, t.id) and type(t.conditions) is tuple
    ),
    Quote: lambda q: _size(q.bid, q.bid_size, q.ask, q.ask_size) and _number(q.t_ns),  # 0: that side is empty
    Bar: _bar,
    Halt: lambda h: _number(h.t_ns) and type(h.halted) is bool,
    PriceBand: lambda p: _price(p.lower, p.upper) and p.lower <= p.upper and _number(p.t_ns),
    TradeCorrection: lambda c: (
        _price(c.price, c.new_price) and _size(c.size, c.new_size) and _number(c.t_ns, c.id, c.new_id)
    ),
    TradeCancel: lambda c: _price(c.price) and _size(c.size) and _number(c.t_ns, c.id),
    Step: lambda s: _number(s.n, s.t_ns),
    Anchor: lambda a: _number(a.venue_ns, a.monotonic_ns) and _size(a.speed),
    SessionEnd: lambda e: _number(e.t_ns),
    Unreadable: lambda u: u.count > 0,
}


def check(items: list[StreamItem], refused: int) -> None:
    """Hold the items of one frame to the promise. refused: by the reader's count. Raises Broken."""
    for item in items:
        holds = _HOLDS.get(type(item))
        if holds is None or not holds(item) or getattr(item, "symbol", "-") == "":
            raise Broken(f"{item!r} is no item that a strategy could take")
    told = sum(item.count for item in items if type(item) is Unreadable)
    if told != refused:
        raise Broken(f"{refused} refused, {told} told")
    msgspec.msgpack.encode(items)  # what the producer does next: raises for a text that is none


class Tally(msgspec.Struct):
    """What a run saw. said: answers about the connection; whole: inputs of which nothing was refused."""

    inputs: int = 0
    whole: int = 0
    items: Counter[str] = msgspec.field(default_factory=Counter)
    said: int = 0
    refused: int = 0
    ignored: int = 0
    seconds: float = 0.0


def reader_of(name: str) -> Reader:
    """Make a vendor's parser; it is loaded only now."""
    made: Reader = import_module(f"liu_tui.adapters.{name}.parse").FrameReader()
    return made


def run(reader: Reader, language: Language, inputs: int, seed: int) -> Tally:
    """Read so many inputs. Raises Broken with the input, whatever the reader raised."""
    fuzzer, tally, before = Fuzzer(language, seed), Tally(inputs=inputs), 0
    start = time.perf_counter()
    for number in range(inputs):
        frame = fuzzer.input()
        try:
            items, control = reader.read(frame)
            check(items, reader.refused - before)
        except Exception as e:
            raise Broken(f"input {number} of seed {seed}: {type(e).__name__}: {e}\n{frame[:400]!r}") from e
        tally.items.update([type(item).__name__ for item in items])
        tally.said += len(control)
        tally.whole += reader.refused == before
        before = reader.refused
    tally.seconds = time.perf_counter() - start
    tally.refused, tally.ignored = reader.refused, reader.ignored
    return tally


def table(name: str, tally: Tally) -> str:
    """Write a run's figures."""
    read = sum(count for kind, count in tally.items.items() if kind != "Unreadable")
    rows = [
        ("inputs", tally.inputs),
        ("of them without a refusal", tally.whole),
        ("items read", read),
        *((f"  {kind}", count) for kind, count in sorted(tally.items.items()) if kind != "Unreadable"),
        ("answers about the connection", tally.said),
        ("messages refused", tally.refused),
        ("  told by Unreadables", tally.items["Unreadable"]),
        ("messages ignored", tally.ignored),
        ("inputs a second, made and read", round(tally.inputs / max(tally.seconds, 1e-9))),
    ]
    return "\n".join([name, *(f"  {what:<32}{count:>14,}" for what, count in rows)])


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the parsers of the vendors' streams.")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", choices=[*LANGUAGES, "all"], default="all")
    asked = parser.parse_args()
    logging.disable()  # the readers say now and then how much they refused
    broken = 0
    for name in LANGUAGES if asked.reader == "all" else [asked.reader]:
        try:
            print(table(name, run(reader_of(name), LANGUAGES[name](), asked.inputs, asked.seed)))
        except Broken as e:
            print(f"{name}: BROKEN by {e}")
            broken = 1
    return broken


if __name__ == "__main__":
    sys.exit(main())
