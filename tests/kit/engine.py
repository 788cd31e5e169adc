"""Builders for the engine's tests: links, events, profiles, any message at all, and waiting for a fact."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import date
from enum import EnumMeta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from liu_tui.engine.links import Link, pair
from liu_tui.engine.messages import Boot, OnMarketLink, StrategyProfile
from liu_tui.market.calendar import first_session
from liu_tui.model.clock import Anchor, monotonic_ns
from liu_tui.model.market import Bar, Quote, Trade
from liu_tui.plan.schema import StrategyTable, TradePlan
from liu_tui.wiring.venue import local_venue

PATIENCE_S = 20.0
T0 = 1_700_000_000_000_000_000


async def eventually(holds: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    """Let the loop run until something holds. Raises TimeoutError if it never does."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - nobody tells a test when a fact becomes true
            await asyncio.sleep(0.002)


def open_files() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd"))


def nothing() -> None:
    """Wake nobody."""


def any_decoder() -> msgspec.msgpack.Decoder[list[object]]:
    """Read messages as plain values."""
    return msgspec.msgpack.Decoder(list[object])


def market_decoder() -> msgspec.msgpack.Decoder[list[OnMarketLink]]:
    """Read what crosses a market link."""
    return msgspec.msgpack.Decoder(list[OnMarketLink])


@asynccontextmanager
async def two_ends() -> AsyncIterator[tuple[Link[object], Link[object]]]:
    """Give both ends of a link of plain values."""
    ours, theirs = pair()
    ends = Link(ours, any_decoder(), nothing), Link(theirs, any_decoder(), nothing)
    try:
        yield ends
    finally:
        for end in ends:
            end.close()


@asynccontextmanager
async def one_end() -> AsyncIterator[tuple[Link[object], socket.socket]]:
    """Give one end of a link, and the bare socket of the other."""
    ours, theirs = pair()
    link = Link(ours, any_decoder(), nothing)
    try:
        yield link, theirs
    finally:
        link.close()
        theirs.close()


def a_trade(symbol: str = "TSLA", n: int = 0, size: float = 100.0, *conditions: str) -> Trade:
    """Make trade n of a symbol, n microseconds after T0."""
    return Trade(symbol, T0 + n * 1000, 100.0 + n % 50, size, n, conditions=conditions)


def a_quote(symbol: str = "TSLA", n: int = 0) -> Quote:
    """Make quote n of a symbol."""
    return Quote(symbol, T0 + n * 1000, 99.0 + n % 50, 100.0, 101.0 + n % 50, 100.0)


def a_bar(symbol: str = "TSLA", n: int = 0) -> Bar:
    """Make bar n of a symbol."""
    return Bar(symbol, T0 + n * 1000, 100.0, 101.0, 99.0, 100.5, 1_000.0 + n)


def a_plan(*strategies: str, **keys: Any) -> TradePlan:
    """Make a plan with these strategies."""
    tables = {name: StrategyTable(filename=f"strategies/{name}.py") for name in strategies}
    return TradePlan(strategies=tables, **keys)


def a_profile(name: str, *, run_all: bool = False, **words: Any) -> StrategyProfile:
    """Make what a strategy declares."""
    return StrategyProfile(name=name, filename=f"strategies/{name}.py", run_all=run_all, **words)


def example(of: Any) -> Any:
    """Make a value of any type that may stand in a message: every field filled, no two numbers alike."""
    return _example(msgspec.inspect.type_info(of), count(1))


def _example(info: msgspec.inspect.Type, numbers: Iterator[int]) -> Any:
    kinds = msgspec.inspect
    match info:
        case kinds.StructType(cls=cls, fields=fields):
            return cls(**{field.name: _example(field.type, numbers) for field in fields})
        case kinds.UnionType(types=types):
            return _example(next(t for t in types if not isinstance(t, kinds.NoneType)), numbers)
        case kinds.TupleType(item_types=items):
            return tuple(_example(item, numbers) for item in items)
        case kinds.VarTupleType(item_type=item):
            return (_example(item, numbers), _example(item, numbers))
        case kinds.DictType(key_type=key, value_type=value):
            return {_example(key, numbers): _example(value, numbers)}
        case kinds.EnumType(cls=enum):
            assert isinstance(enum, EnumMeta)
            return list(enum)[-1]
        case kinds.LiteralType(values=values):
            return values[-1]
    return _plain(info, next(numbers))


def _plain(info: msgspec.inspect.Type, n: int) -> Any:
    kinds = msgspec.inspect
    match info:
        case kinds.BoolType():
            return True
        case kinds.IntType(le=most):
            return n if most is None else min(n, most)
        case kinds.FloatType(le=most):
            return n + 0.25 if most is None else min(n + 0.25, most)
        case kinds.StrType() | kinds.AnyType():
            return f"word {n}"
    raise AssertionError(f"a message holds a {info}: say here how to make one")


def a_boot(role: str, root: Path, plan: TradePlan | None = None) -> Boot:
    """Make the first message of a child that has nothing to do: no scanner, no strategy, no market yet."""
    day = first_session(date(2024, 3, 5))
    return Boot(
        role=role,
        name=role,
        build="test",
        batch_id="b-1",
        plan=plan or TradePlan(),
        plan_file=str(root / "plans" / "today.toml"),
        venue=local_venue("http://127.0.0.1:9"),
        hours=day,
        anchor=Anchor(day.open_ns, monotonic_ns()),
        consumers=("A",),
        index=0,
        workspace=str(root),
        home=str(root / ".liu"),
    )
