"""Builders for the engine's tests: links, events, profiles, any message at all, and waiting for a fact."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import date
from enum import EnumMeta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from liu_tui.engine.child import Child
from liu_tui.engine.kids import Kid
from liu_tui.engine.links import Link, pair
from liu_tui.engine.messages import Boot, DeskFacts, FromChild, OnMarketLink, Said, StrategyProfile
from liu_tui.engine.records import Records
from liu_tui.engine.registry import Registry, SessionRecord
from liu_tui.engine.supervisor import Supervisor
from liu_tui.market.calendar import first_session
from liu_tui.model.clock import Anchor, ManualClock, monotonic_ns
from liu_tui.model.market import Bar, Quote, Trade
from liu_tui.plan.schema import StrategyTable, TradePlan
from liu_tui.settings import Workspace
from liu_tui.store.store import Store
from liu_tui.wiring.venue import local_venue
from tests.kit.store import a_batch

T = TypeVar("T")

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


class QuietChild:
    """A child's inside without a process: its clock is turned by hand, and what it tells is kept."""

    def __init__(self, boot: Boot) -> None:
        self.boot = boot
        self.clock = ManualClock(boot.anchor.venue_ns)
        self.wake = asyncio.Event()
        self.told: list[Any] = []

    @property
    def inside(self) -> Child:
        """It, as those who live in it know it."""
        return cast(Child, self)

    @property
    def words(self) -> list[str]:
        """What it put into the session's log."""
        return [message.words for message in self.told if isinstance(message, Said)]

    def tell(self, *messages: object) -> None:
        """Keep what goes to the supervisor."""
        self.told.extend(messages)

    def say(self, level: str, words: str, *, source: str = "", kind: str = "") -> None:
        """Keep a line of the log."""
        self.tell(
            Said(
                level=level,
                source=source or self.boot.name,
                words=words,
                t_ns=self.clock.now_ns(),
                kind=kind,
            )
        )


class StillKid(Kid):
    """A supervisor's child without a process: it keeps what it is told and says what a test has it say.

    answer:     what it says to a message
    last_words: what it says as it ends in order
    past:       what was done to it and its siblings, in order
    """

    def __init__(self, role: str, name: str, past: list[str]) -> None:
        super().__init__(role, name, nothing)
        self.past = past
        self.told: list[Any] = []
        self.saying: list[FromChild] = []
        self.answer: Callable[[object], Iterable[FromChild]] = lambda _message: ()
        self.last_words: tuple[FromChild, ...] = ()
        self.dead = False
        self.silence_s = 0.0
        self.state = "running"

    def tell(self, *messages: object) -> None:
        """Keep it, and think of an answer."""
        for message in messages:
            self.told.append(message)
            self.saying.extend(self.answer(message))

    def heard(self, kind: type[T]) -> list[T]:
        """What it was told of a kind."""
        return [message for message in self.told if isinstance(message, kind)]

    def hear(self) -> list[FromChild]:
        """Say what it has to say."""
        said, self.saying = self.saying, []
        return said

    async def start(self, log: Path) -> None:
        """Live again."""
        self.past.append(f"start {self.name}")
        self.state, self.dead, self.silence_s = "starting", False, 0.0

    def is_dead(self) -> bool:
        """Tell whether it has ended and nobody has noticed yet."""
        return self.dead and self.state not in ("off", "dead")

    def silent_s(self) -> float:
        """As long as the test says."""
        return self.silence_s

    def kill(self) -> None:
        """Die."""
        self.past.append(f"kill {self.name}")
        self.dead = True

    async def stop(self, reason: str) -> None:
        """End in order."""
        self.past.append(f"stop {self.name}")
        self.saying.extend(self.last_words)
        self.state = "off"


class House:
    """A real supervisor with still children. past: what was done to them, in order."""

    def __init__(self, root: Path, plan: TradePlan, store: Store) -> None:
        plan_file = str(root / "plans" / "today.toml")
        workspace = Workspace(root, root / ".liu")
        record = SessionRecord(
            batch_id="b-1", plan=plan_file, pid=0, socket="", started_ns=T0, environment="PAPER"
        )
        self.root, self.store = root, store
        self.supervisor = Supervisor(
            plan=plan,
            plan_file=plan_file,
            record=record,
            workspace=workspace,
            registry=Registry(workspace),
            store=store,
            build="test",
        )
        self.past: list[str] = []
        self.producer = StillKid("producer", "producer", self.past)
        self.desk = StillKid("desk", "desk", self.past)
        staff = self.supervisor.staff
        self.consumers = [StillKid("consumer", kid.name, self.past) for kid in staff.consumers]
        self.scanners = StillKid("scanners", "scanners", self.past)
        staff.producers, staff.desk, staff.consumers = [self.producer], self.desk, [*self.consumers]
        staff.scanners = self.scanners if plan.scanners else None

    @property
    def said(self) -> list[str]:
        """What stands in the session's log."""
        return [line.words for line in self.supervisor.log.after(0)]

    async def restore(self) -> Records:
        """Have the supervisor remember what an earlier life of the batch left."""
        records = self.supervisor.records = Records(self.store, self.fail)
        await self.supervisor._restore(records)
        return records

    @staticmethod
    def fail(words: str) -> None:
        """Let no fault of the books pass."""
        raise AssertionError(words)


@asynccontextmanager
async def a_house(root: Path, plan: TradePlan | None = None) -> AsyncIterator[House]:
    """Give a supervisor of batch b-1 in a workspace, with real books; given again, it is its next life."""
    async with await Store.open(root / ".liu" / "liu.db") as store:
        await store.batches.begin(a_batch())
        house = House(root, plan or a_plan("momentum"), store)
        try:
            yield house
        finally:
            if house.supervisor.records is not None:
                await house.supervisor.records.close()


def desk_facts(**words: Any) -> DeskFacts:
    """Make what the desk says of an account with nothing in it, but for these."""
    said: dict[str, Any] = {
        "state": "ACTIVE", "by": "", "reason": "", "broker": "ready", "broker_words": "", "account": None,
        "realized": 0.0, "unrealized": 0.0, "exposure": 0.0, "positions": (), "prices": (),
    }  # fmt: skip
    return DeskFacts(**{**said, **words})


STRATEGY = """
from liu_tui import Strategy

class {name}(Strategy):
    lookback = {lookback}
    initial_state = {{"seen": 0}}
    size: int = 10

    async def run(self, symbol, now, bars, position, ctx):
        ctx.state["seen"] += 1
        ctx.log("{words}")
"""


def write_strategy(root: Path, name: str, *, words: str = "first", lookback: int = 0) -> Path:
    """Save a strategy that says its words at every minute bar."""
    path = root / "strategies" / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(STRATEGY.format(name=name, words=words, lookback=lookback))
    return path
