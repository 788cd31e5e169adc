"""The producer: one inbound market data connection, and the routing of its events to consumers.

Per frame: read once, put each event into the outlets of its symbol, flush each outlet once. Knows no
strategy and no pandas; never waits for a reader.
"""

from __future__ import annotations

import asyncio
import socket

import msgspec

from liu_tui.engine.child import Child
from liu_tui.engine.links import Link
from liu_tui.engine.messages import (
    Alive,
    FeedSaid,
    GapBegin,
    Marks,
    Routed,
    Routes,
    SessionOver,
    SetAnchor,
    StepAck,
    StepBegin,
    TakeLink,
    VenueSaid,
)
from liu_tui.engine.outlet import Outlet
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState, FeedStatus, SessionEnd, StreamItem
from liu_tui.model.clock import Anchor, monotonic_ns
from liu_tui.model.market import (
    Bar,
    Event,
    Halt,
    PriceBand,
    Quote,
    Step,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from liu_tui.wiring.venue import keys_for, open_data, open_feed

MARKS_S = 0.2
GAP_S = 3.0
DESK = "desk"
_NOTES = frozenset({Halt, PriceBand, TradeCorrection, TradeCancel})
_silent: msgspec.msgpack.Decoder[list[object]] = msgspec.msgpack.Decoder(list[object])
"""Readers never answer on a market link; whatever came would be ignored."""


class Producer:
    """Routes events. outlets: by consumer's name; the desk's gets bars, marks and steps."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._feed = open_feed(child.boot.venue, keys_for(child.boot.venue))
        self._outlets: dict[str, Outlet] = {}
        self._routes: dict[str, tuple[Outlet, ...]] = {}
        self._table = Routes(n=0, routes=())
        self._marks: dict[str, float] = {}
        self._received = 0
        self._last_event_ns = monotonic_ns()
        self._lost_ns = child.boot.lost_ns
        self._gap: GapBegin | None = None
        self._merged_before: dict[str, int] = {}  # by readers that were started again
        self._lockstep = child.boot.venue.lockstep

    async def run(self) -> None:
        """Serve until the supervisor says stop or is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self._read()),
                    tasks.create_task(self._child.beat(self._stats)),
                ]
                if not self._lockstep:
                    background.append(tasks.create_task(self._mark()))
                await self._obey()
                for task in background:
                    task.cancel()
        finally:
            await self._feed.close()
            for outlet in self._outlets.values():
                outlet.close()

    async def _obey(self) -> None:
        child = self._child
        while not child.stopping and not child.orphaned:
            await child.wake.wait()
            child.wake.clear()
            for message, sock in child.orders():
                match message:
                    case TakeLink(peer=peer) if sock is not None:
                        self._take_link(peer, sock)
                    case Routes():
                        await self._route(message)
                    case StepAck(n=n):
                        await self._feed.acknowledge(n)

    def _take_link(self, peer: str, sock: socket.socket) -> None:
        if old := self._outlets.pop(peer, None):
            self._merged_before[peer] = self._merged_before.get(peer, 0) + old.merged
            old.close()
        link = Link(sock, _silent, self._child.wake.set)
        # A replay must not depend on who was slow: in lock-step everything is kept.
        outlet = self._outlets[peer] = Outlet(link, merging=not self._lockstep)
        if self._gap is not None and peer != DESK:
            outlet.put(self._gap)
            outlet.flush()
        self._apply_routes()

    async def _route(self, table: Routes) -> None:
        self._table = table
        self._apply_routes()
        wanted: dict[Event, set[str]] = {event: set() for event in Event}
        for route in table.routes:
            for event in route.events:
                wanted[Event(event)].add(route.symbol)
        words = ""
        try:
            await self._feed.subscribe(wanted)
        except FeedError as e:
            words = str(e)
        self._child.tell(Routed(n=table.n, words=words))

    def _apply_routes(self) -> None:
        names = self._child.boot.consumers
        self._routes = {
            route.symbol: tuple(
                self._outlets[names[place]] for place in route.consumers if names[place] in self._outlets
            )
            for route in self._table.routes
        }

    async def _read(self) -> None:
        try:
            async for batch in self._feed.batches():
                self._take(batch)
        except FeedError as e:
            # Refused for good: stay, so that the console can show why; a new start asks again.
            self._child.tell(FeedSaid(status=FeedStatus(FeedState.REFUSED, str(e))))

    def _take(self, batch: list[StreamItem]) -> None:
        routes = self._routes
        marks = self._marks
        for item in batch:
            kind = type(item)
            if kind is Trade:
                marks[item.symbol] = item.price  # type: ignore[union-attr] # `kind` narrows for us, not for mypy
            elif kind is Bar:
                marks.setdefault(item.symbol, item.close)  # type: ignore[union-attr]
            elif kind is not Quote and kind not in _NOTES:
                self._special(item)
                continue
            for outlet in routes.get(item.symbol, ()):  # type: ignore[union-attr]
                outlet.put(item)  # type: ignore[arg-type]
            self._received += 1
        self._last_event_ns = monotonic_ns()
        for outlet in self._outlets.values():
            outlet.flush()

    def _special(self, item: StreamItem) -> None:
        match item:
            case Step():
                self._flush_marks()
                for outlet in self._outlets.values():
                    outlet.put(item)
                self._child.anchor.step_to(item.t_ns)
                self._child.tell(StepBegin(n=item.n, t_ns=item.t_ns))
            case Anchor():
                self._child.anchor.set(item)
                self._child.tell(SetAnchor(anchor=item))
            case FeedStatus():
                self._on_status(item)
            case SessionEnd(t_ns=t_ns):
                self._child.tell(SessionOver(t_ns=t_ns))

    def _on_status(self, status: FeedStatus) -> None:
        self._child.tell(FeedSaid(status=status, refused=self._feed.refused))
        now = self._child.clock.now_ns()
        if status.state is FeedState.LOST:
            self._lost_ns = self._lost_ns or now
        elif status.state is FeedState.LIVE and self._lost_ns:
            self._tell_gap(GapBegin(from_ns=self._lost_ns, to_ns=now))
            self._lost_ns = 0

    def _tell_gap(self, gap: GapBegin) -> None:
        """Have the consumers fetch what was missed. In lock-step nothing was: the market has waited."""
        if self._lockstep:
            return
        for name, outlet in self._outlets.items():
            if name != DESK:
                outlet.put(gap)
        # After our own restart the links come at about this moment too.
        self._gap = gap
        asyncio.get_running_loop().call_later(GAP_S, self._forget_gap)

    def _forget_gap(self) -> None:
        self._gap = None

    def _flush_marks(self) -> None:
        desk = self._outlets.get(DESK)
        if desk is not None and self._marks:
            desk.put(Marks(prices=tuple(self._marks.items())))
            self._marks.clear()

    async def _mark(self) -> None:
        while True:
            await asyncio.sleep(MARKS_S)
            self._flush_marks()
            if DESK in self._outlets:
                self._outlets[DESK].flush()

    def _stats(self) -> Alive:
        readers = [(name, outlet) for name, outlet in self._outlets.items() if name != DESK]
        merged: dict[str, int] = {}
        for _name, outlet in readers:
            for symbol, count in outlet.merged_by_symbol.items():
                merged[symbol] = merged.get(symbol, 0) + count
        return Alive(
            received=self._received,
            refused=self._feed.refused,
            merged=sum(self._merged_by(name, outlet) for name, outlet in readers),
            queue=sum(outlet.waiting for _name, outlet in readers),
            symbols=len(self._routes),
            last_event_ns=self._last_event_ns,
            by_symbol=tuple((symbol, 0, count) for symbol, count in merged.items()),
            by_consumer=tuple(
                (name, self._merged_by(name, outlet), outlet.waiting) for name, outlet in readers
            ),
        )

    def _merged_by(self, name: str, outlet: Outlet) -> int:
        return self._merged_before.get(name, 0) + outlet.merged


async def _ask_venue(child: Child) -> None:
    """Tell the supervisor the venue's hours and time; it boots the others with them."""
    data = open_data(child.boot.venue, keys_for(child.boot.venue))
    try:
        hours, anchor = await data.hours(), await data.anchor()
    finally:
        await data.close()
    child.anchor.set(anchor)
    child.tell(VenueSaid(hours=hours, anchor=anchor))


async def run(child: Child) -> None:
    """Be the producer."""
    await _ask_venue(child)
    producer = Producer(child)
    child.ready()
    await producer.run()
