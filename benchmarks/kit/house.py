"""The real producer and two real consumers, introduced to each other by the benchmark itself.

Started, booted and linked as the house's supervisor does it (engine.kids, engine.messages): the same
processes run here as on a trading day, less the scanners and the console, and without a desk unless a broker
is named.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import msgspec

from benchmarks.kit.probe_file import PROBE, Words
from benchmarks.kit.venue import VenueTime, hours
from liu_tui.engine.kids import Kid
from liu_tui.engine.links import pair
from liu_tui.engine.messages import (
    Assign,
    Assigned,
    Boot,
    DeskReady,
    FeedSaid,
    FromChild,
    Ready,
    Route,
    Routed,
    Routes,
    Said,
    SymbolTask,
)
from liu_tui.engine.shards import shard_of
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState
from liu_tui.model.books import Batch
from liu_tui.model.clock import Anchor
from liu_tui.plan.schema import StrategyTable, TradePlan
from liu_tui.store.store import Store
from liu_tui.wiring.venue import Venue, local_venue

M = TypeVar("M")
NAMES = ("A", "B")
PATIENCE_S = 30.0


class House:
    """Producer and consumers at one venue, with one strategy of a probe file.

    broker: http://127.0.0.1:PORT; with it a desk runs too, and keeps its books in the house's own folder
    """

    def __init__(
        self,
        url: str,
        venue_time: VenueTime,
        strategy: str,
        *,
        probe: Path = PROBE,
        broker: str = "",
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self._root = Path(mkdtemp(prefix="liu-benchmark-"))
        for folder in ("strategies", ".liu/sessions", ".liu/logs", "words"):
            (self._root / folder).mkdir(parents=True)
        shutil.copy(probe, self._root / "strategies" / "probe.py")
        self._venue: Venue = local_venue(url)
        updates = f"ws{broker.removeprefix('http')}/stream"
        self._broker = msgspec.structs.replace(self._venue, rest_url=broker, updates_url=updates)
        self._time = venue_time
        self._plan = self._make_plan(strategy, params or {})
        self._wake = asyncio.Event()
        self.producer = Kid("producer", "producer", self._wake.set)
        self.consumers = [Kid("consumer", name, self._wake.set) for name in NAMES]
        self.desk = Kid("desk", "desk", self._wake.set) if broker else None
        self._listener: asyncio.Task[None] | None = None
        self._heard: list[FromChild] = []
        self._n = 0
        self.symbols: tuple[str, ...] = ()

    @property
    def kids(self) -> list[Kid]:
        """All children, the producer first, the desk last."""
        return [self.producer, *self.consumers, *([self.desk] if self.desk is not None else [])]

    def words(self) -> list[Words]:
        """What the strategy of each consumer measures."""
        return [Words(self._root / "words" / f"{kid.pid}.words") for kid in self.consumers]

    def lines(self) -> list[str]:
        """What the strategies of an order benchmark wrote, all consumers together."""
        files = sorted((self._root / "words").glob("*.orders"))
        return [line for file in files for line in file.read_text().splitlines()]

    async def start(self) -> None:
        """Start everybody and link them."""
        for kid in self.kids:
            await kid.start(self._root / "out.log")
        self._listener = asyncio.create_task(self._listen())
        if self.desk is not None:
            await self._begin_books()
        for place, kid in enumerate(self.kids):
            kid.tell(self._boot(kid, max(place - 1, 0) % len(NAMES)))
        for _kid in self.kids:
            await self._said(Ready)
        if self.desk is not None:
            self._introduce_desk(self.desk)
            await self._said(DeskReady)
        for kid in self.consumers:
            ours, theirs = pair()
            self.producer.give_link("market", kid.name, ours)
            kid.give_link("market", "producer", theirs)

    async def _begin_books(self) -> None:
        store = await Store.open(self._root / ".liu" / "liu.db", durable=True)
        batch = Batch(
            batch_id="b-1", plan="plan.toml", plan_text="", environment="PAPER", venue="benchmark",
            account_id="", code_version="benchmark", day=hours().day, start_ns=0,
        )  # fmt: skip
        await store.batches.begin(batch)
        await store.close()

    def _introduce_desk(self, desk: Kid) -> None:
        for kind, other in (("market", self.producer), *(("orders", kid) for kid in self.consumers)):
            ours, theirs = pair()
            desk.give_link(kind, other.name, ours)
            other.give_link(kind, desk.name, theirs)

    async def serve(self, symbols: tuple[str, ...], *events: str) -> None:
        """Assign the symbols by their shards, and subscribe them."""
        self._n += 1
        self.symbols = symbols
        places = {symbol: shard_of(symbol, len(NAMES)) for symbol in symbols}
        for place, kid in enumerate(self.consumers):
            tasks = tuple(SymbolTask(symbol=symbol) for symbol in symbols if places[symbol] == place)
            kid.tell(Assign(n=self._n, tasks=tasks))
        for _kid in self.consumers:
            await self._said(Assigned)
        routes = tuple(
            Route(symbol=symbol, events=events, consumers=(place,)) for symbol, place in places.items()
        )
        self.producer.tell(Routes(n=self._n, routes=routes))
        routed = await self._said(Routed)
        if routed.words:
            raise FeedError(routed.words, where="load server")

    async def live(self) -> None:
        """Wait until the feed is."""
        while (await self._said(FeedSaid)).status.state is not FeedState.LIVE:
            pass

    def count(self, field: str) -> int:
        """Sum up a number of the last heartbeats, of all that have it."""
        return sum(int(getattr(kid.alive, field)) for kid in self.kids)

    def complaints(self) -> list[str]:
        """What was said for the log, warnings and errors."""
        return [m.words for m in self._heard if isinstance(m, Said) and m.level in ("warn", "error")]

    async def close(self) -> None:
        """End everybody: asked, then not asked."""
        if self._listener is not None:
            self._listener.cancel()
        await asyncio.gather(*(kid.stop("the benchmark is over") for kid in self.kids))
        for kid in self.kids:
            kid.close()
        shutil.rmtree(self._root, ignore_errors=True)

    def log(self) -> str:
        """What the children wrote."""
        return "".join(path.read_text(errors="replace") for path in self._root.rglob("*.log"))

    async def _listen(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            for kid in self.kids:
                self._heard += kid.hear()
            del self._heard[:-10_000]

    async def _said(self, kind: type[M]) -> M:
        """Wait for a message of a kind, and take it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in self._heard:
                    if isinstance(message, kind):
                        self._heard.remove(message)
                        return message
                await asyncio.sleep(0.005)

    def _make_plan(self, strategy: str, params: Mapping[str, Any]) -> TradePlan:
        own = {"folder": str(self._root / "words"), **self._time._asdict(), **params}
        table = StrategyTable(filename="strategies/probe.py", params=own)
        return TradePlan(strategies={strategy: table}, consumers=len(NAMES), max_symbols=10_000)

    def _boot(self, kid: Kid, index: int) -> Boot:
        time = self._time
        return Boot(
            role=kid.role,
            name=kid.name,
            build="benchmark",
            batch_id="b-1",
            plan=self._plan,
            plan_file=str(self._root / "plan.toml"),
            venue=self._broker if kid is self.desk else self._venue,
            hours=hours(),
            anchor=Anchor(time.venue_ns, time.at_ns, time.speed),
            consumers=NAMES,
            index=index,
            workspace=str(self._root),
            home=str(self._root / ".liu"),
        )
