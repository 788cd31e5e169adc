"""A child from inside without a process: its orders, its clock, a feed that says what a test has it say."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Set
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from liu_tui.engine.child import Child
from liu_tui.engine.links import Link, pair
from liu_tui.engine.messages import Boot, OnMarketLink, Said, TakeLink, ToChild
from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.market.streaming import FeedState, FeedStatus, StreamingAPI, StreamItem
from liu_tui.model.clock import Anchor, SessionClock
from liu_tui.model.market import MINUTE_NS, Bar, Event
from tests.kit.engine import a_boot, eventually, market_decoder
from tests.kit.session import a_bar, at

T = TypeVar("T")


class HandClock(SessionClock):
    """Session time that only a test moves; speed and lock-step are the anchor's."""

    def now_ns(self) -> int:
        """The time last set."""
        return self.anchor.venue_ns

    def turn_to(self, t_ns: int) -> None:
        """Make it this time."""
        self.anchor = msgspec.structs.replace(self.anchor, venue_ns=t_ns)


class Insider:
    """A child as those who live in it know it: what it is ordered, and what it tells, are a test's."""

    def __init__(self, boot: Boot) -> None:
        self.boot = boot
        self.clock = self.anchor = HandClock(boot.anchor)
        self.wake = asyncio.Event()
        self.told: list[Any] = []
        self.stopping = ""
        self.orphaned = False
        self._orders: list[tuple[ToChild, socket.socket | None]] = []

    @property
    def inside(self) -> Child:
        """It, as the engine's types have it."""
        return cast(Child, self)

    @property
    def words(self) -> list[str]:
        """What it put into the session's log."""
        return [message.words for message in self.told if isinstance(message, Said)]

    def heard(self, kind: type[T]) -> list[T]:
        """What it told the supervisor, of one kind."""
        return [message for message in self.told if isinstance(message, kind)]

    def order(self, message: ToChild, sock: socket.socket | None = None) -> None:
        """Have the supervisor say something."""
        self._orders.append((message, sock))
        self.wake.set()

    def stop(self) -> None:
        """Have the supervisor end it."""
        self.stopping = "the test is over"
        self.wake.set()

    # what the engine asks of a child

    def orders(self) -> list[tuple[ToChild, socket.socket | None]]:
        """What the supervisor said since the last call."""
        orders, self._orders = self._orders, []
        return orders

    def tell(self, *messages: object) -> None:
        """Keep what goes to the supervisor."""
        self.told.extend(messages)

    def say(self, level: str, words: str, *, source: str = "", kind: str = "") -> None:
        """Keep a line of the log."""
        t_ns = self.clock.now_ns()
        self.tell(Said(level=level, source=source or self.boot.name, words=words, t_ns=t_ns, kind=kind))

    def wake_in(self, _seconds: float) -> None:
        """No timer: a test says when."""

    def ready(self) -> None:
        """Nobody waits for it."""

    async def beat(self, stats: Callable[[], object]) -> None:
        """Remember who can tell its numbers."""
        self.stats = stats


class Reader:
    """The far end of a market link: what a consumer, or the desk, is sent."""

    def __init__(self, theirs: socket.socket) -> None:
        self._link = Link(theirs, market_decoder(), lambda: None)

    async def took(self, count: int) -> list[OnMarketLink]:
        """Wait for so many, and take all there is."""
        await eventually(lambda: len(self._link.inbox) >= count)
        return self._link.take()

    @property
    def waiting(self) -> int:
        """How many came that nobody took."""
        return len(self._link.inbox)

    def close(self) -> None:
        """Hang up."""
        self._link.close()


def link_to(child: Insider, peer: str, kind: str = "market") -> Reader:
    """Give a producer a link to a reader."""
    ours, theirs = pair()
    child.order(TakeLink(kind=kind, peer=peer), ours)
    return Reader(theirs)


class ScriptedFeed(StreamingAPI):
    """A vendor's stream that says what a test has it say.

    wanted: the subscriptions as they stand; cuts: the words it was cut with; steps: that were acknowledged
    """

    def __init__(self) -> None:
        self.wanted: dict[Event, set[str]] = {}
        self.cuts: list[str] = []
        self.steps: list[int] = []
        self.refuses = ""
        self.closed = False
        self._coming: asyncio.Queue[list[StreamItem] | FeedError | None] = asyncio.Queue()

    def say(self, *items: StreamItem) -> None:
        """Send one frame."""
        self._coming.put_nowait([*items])

    def go_live(self) -> None:
        """Connect."""
        self.say(FeedStatus(FeedState.LIVE))

    def refuse(self, words: str) -> None:
        """Refuse for good, as an adapter tells it."""
        self.say(FeedStatus(FeedState.REFUSED, words))
        self._coming.put_nowait(FeedError(words))

    async def batches(self) -> AsyncIterator[list[StreamItem]]:
        """Say what comes."""
        while (batch := await self._coming.get()) is not None:
            if isinstance(batch, FeedError):
                raise batch
            yield batch

    async def subscribe(self, wanted: Mapping[Event, Set[str]]) -> frozenset[str]:
        """Take the set, or refuse it in words."""
        if self.refuses:
            raise FeedError(self.refuses)
        self.wanted = {event: set(symbols) for event, symbols in wanted.items() if symbols}
        return frozenset()

    def reconnect(self, words: str) -> None:
        """Be cut: the line is lost, and comes back when the test says."""
        self.cuts.append(words)
        self.say(FeedStatus(FeedState.LOST, words))

    async def acknowledge(self, n: int) -> None:
        """Remember it."""
        self.steps.append(n)

    async def close(self) -> None:
        """End."""
        self.closed = True
        self._coming.put_nowait(None)


class Archive:
    """A vendor's history: a bar of 100 dollars each minute of the session. asked: (symbols, from)."""

    def __init__(self, child: Insider) -> None:
        self._child = child
        self.asked: list[tuple[list[str], int]] = []
        self.slow: dict[str, asyncio.Event] = {}

    async def bars(
        self, symbols: Iterable[str], start_ns: int, end_ns: int, *, span_ns: int = MINUTE_NS
    ) -> dict[str, list[Bar]]:
        """Answer at once, but for symbols that a test holds up."""
        names = list(symbols)
        self.asked.append((names, start_ns))
        for name in names:
            if name in self.slow:
                await self.slow[name].wait()
        starts = range(max(start_ns, at(0)), end_ns - span_ns + 1, span_ns)
        return {name: [a_bar(symbol=name, t_ns=t_ns, span_ns=span_ns) for t_ns in starts] for name in names}

    async def close(self) -> None:
        """Nothing to let go."""

    @property
    def api(self) -> DataAPI:
        """It, as the engine's types have it."""
        return cast(DataAPI, self)


def an_insider(role: str, root: Path, *, now_ns: int = 0, lockstep: bool = False, **boot: Any) -> Insider:
    """Make a child of a role. boot: fields of its Boot that are not the usual ones."""
    usual = a_boot(role, root)
    venue = msgspec.structs.replace(boot.pop("venue", usual.venue), lockstep=lockstep)
    child = Insider(msgspec.structs.replace(usual, venue=venue, **boot))
    child.anchor.set(Anchor(now_ns or at(10), 0, lockstep=lockstep))
    return child
