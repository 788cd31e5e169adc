"""The producer: one inbound market data connection, and the routing of its events to consumers.

Per frame: read once, put each event that its symbol's sieve admits into the outlets of that symbol, flush
each outlet once. Knows no strategy and no pandas; never waits for a reader. Beside the way of the events:
 venuefacts.py what the venue is asked before anything else
 line.py       the connection itself
 lanes.py      where each symbol's events go, what is let through, how fresh it is
 gaps.py       what is missing, for the consumers to fetch
 feedwatch.py  silence: told to the console, and ended by connecting anew
 recorder.py   everything as it came, into a file, if that was asked for

`now` is the tape's here: session time less the feed's declared delay, when what comes now has happened.
"""

from __future__ import annotations

import asyncio
import socket

import msgspec

from liu_tui.engine.child import Child
from liu_tui.engine.feedwatch import FeedWatch
from liu_tui.engine.gaps import Gaps
from liu_tui.engine.lanes import Lane, Lanes
from liu_tui.engine.line import Line
from liu_tui.engine.links import Link
from liu_tui.engine.messages import (
    Alive,
    FeedSaid,
    GapBegin,
    Marks,
    Reconnect,
    Routed,
    Routes,
    SessionOver,
    SetAnchor,
    StepAck,
    StepBegin,
    TakeLink,
)
from liu_tui.engine.outlet import Outlet
from liu_tui.engine.recorder import Recorder
from liu_tui.engine.venuefacts import ask_venue
from liu_tui.errors import FeedError
from liu_tui.market.marks import Marker, sets_price
from liu_tui.market.streaming import FeedState, FeedStatus, SessionEnd, StreamItem, Unreadable
from liu_tui.model.clock import Anchor, monotonic_ns
from liu_tui.model.market import (
    DAY_NS,
    Bar,
    Event,
    Halt,
    PriceBand,
    Quote,
    Step,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from liu_tui.wiring.venue import keys_for, open_feed

MARKS_S = 0.2
BURST = 256
DESK = "desk"
_TAPE = frozenset({Trade, Quote, Bar, Halt, PriceBand, TradeCorrection, TradeCancel})
_silent: msgspec.msgpack.Decoder[list[object]] = msgspec.msgpack.Decoder(list[object])
"""Readers never answer on a market link; whatever came would be ignored."""


class Producer:
    """Routes events. outlets: by consumer's name; the desk's gets marks and steps."""

    def __init__(self, child: Child) -> None:
        boot, delay_ns = child.boot, child.boot.venue.delay_ns
        self._child = child
        self._line = Line(lambda: open_feed(boot.venue, keys_for(boot.venue)))
        self._outlets: dict[str, Outlet] = {}
        self._lanes = Lanes()
        self._marks = Marker()
        self._received = self._amended = 0
        self._unflushed = 0  # events that were put since the last flush
        self._last_event_ns = monotonic_ns()
        self._gaps = Gaps(boot.lost_ns and boot.lost_ns - delay_ns)
        self._watch = FeedWatch(child, self._lanes, self._line)
        self._recorder = Recorder.of(child)
        self._merged_before: dict[str, int] = {}  # by readers that were started again
        self._lockstep = boot.venue.lockstep

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
                    background.append(tasks.create_task(self._watch.run()))
                await self._obey()
                for task in background:
                    task.cancel()
        finally:
            await self._line.close()
            for outlet in self._outlets.values():
                outlet.close()
            if self._recorder is not None:
                await self._recorder.close()
                self._child.tell(self._stats())  # the summary tells what is in the file

    # ── what the supervisor says ──

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
                        await self._line.acknowledge(n)
                    case Reconnect(words=words):
                        self._line.renew(words)

    def _take_link(self, peer: str, sock: socket.socket) -> None:
        if old := self._outlets.pop(peer, None):
            self._merged_before[peer] = self._merged_before.get(peer, 0) + old.merged
            old.close()
        link = Link(sock, _silent, self._child.wake.set)
        # A replay must not depend on who was slow: in lock-step everything is kept.
        outlet = self._outlets[peer] = Outlet(link, merging=not self._lockstep)
        if peer == DESK:  # a desk that was started again does not know who is halted
            for lane in self._lanes.values():
                if lane.halt is not None and lane.halt.halted:
                    outlet.put(lane.halt)
            outlet.flush()
        elif (gap := self._gaps.recent) is not None and not self._lockstep:
            outlet.put(self._of_mine(gap))
            outlet.flush()
        self._lanes.connect(self._outlets)

    async def _route(self, table: Routes) -> None:
        now = self._now()
        fresh = self._lanes.lay(table.routes, self._child.boot.consumers, now)
        self._watch.restart(now)
        self._lanes.connect(self._outlets)
        wanted: dict[Event, set[str]] = {event: set() for event in Event}
        for route in table.routes:
            for event in route.events:
                wanted[Event(event)].add(route.symbol)
        words = ""
        try:
            await self._line.subscribe(wanted)
        except FeedError as e:
            words = str(e)
        if self._recorder is not None:
            self._recorder.begin(fresh)
        self._child.tell(Routed(n=table.n, words=words))

    def _now(self) -> int:
        return self._child.clock.now_ns() - self._child.boot.venue.delay_ns

    # ── what the vendor says ──

    async def _read(self) -> None:
        async for batch in self._line.batches():
            self._take(batch)

    def _take(self, batch: list[StreamItem]) -> None:
        now = self._now()
        if self._recorder is not None:
            self._recorder.add(batch, self._child.clock.now_ns())
        if self._pass_on(batch, now):
            self._last_event_ns = monotonic_ns()
            self._watch.beat(now)
        self._gaps.good(now)
        self._flush_soon(len(batch))

    def _flush_soon(self, count: int) -> None:
        """Flush once for all frames that are there already: each flush is a system call and a wake-up.

        Of a long burst every BURST events leave meanwhile.
        """
        if not self._unflushed:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unflushed += max(count, 1)
        if self._unflushed >= BURST:
            self._flush()

    def _flush(self) -> None:
        self._unflushed = 0
        for outlet in self._outlets.values():
            outlet.flush()

    def _pass_on(self, batch: list[StreamItem], now: int) -> int:
        """Put each event into its symbol's outlets; returns how many there were."""
        lanes, before = self._lanes, self._received
        ticks = self._marks.ticks
        for item in batch:
            kind = type(item)
            if kind not in _TAPE:
                self._special(item, now)
                continue
            lane = lanes.get(item.symbol)  # type: ignore[union-attr] # `kind` narrows for us, not for mypy
            if lane is None:  # the last few of a symbol that was unsubscribed
                continue
            self._received += 1
            if lane.quiet_ns:
                self._tell_gap(self._gaps.quiet(*lanes.quiet(now), now))
            lane.pulse.beat(now)
            sieve = lane.sieve
            admitted = sieve.admit(item)  # type: ignore[arg-type] # as above
            if sieve.released or sieve.words:
                self._pass_sifted(lane)
            if not admitted:
                continue
            if kind not in ticks:
                self._marks.note(item)  # type: ignore[arg-type] # as above
                self._learn(lane, item)  # type: ignore[arg-type] # as above
            elif kind is Quote or sets_price(item.conditions, item.tape):  # type: ignore[union-attr] # as above
                ticks[kind][lane.symbol] = item
            for outlet in lane.outlets:
                outlet.put(item)  # type: ignore[arg-type] # as above
        return self._received - before

    def _pass_sifted(self, lane: Lane) -> None:
        """Pass on what the sieve lets go, and say what it found."""
        for event in lane.sieve.released:
            self._marks.note(event)
            self._learn(lane, event)
            for outlet in lane.outlets:
                outlet.put(event)
        for words in lane.sieve.words:
            self._child.say("warn", words, source="feed", kind="feed")
        lane.sieve.released, lane.sieve.words = [], []

    def _learn(self, lane: Lane, event: TapeEvent) -> None:
        match event:
            case Bar(span_ns=span_ns) if span_ns == DAY_NS:
                lane.volume = event.volume
            case Halt():
                self._note_halt(lane, event)
            case TradeCorrection() | TradeCancel():
                self._amended += 1
                self._child.say("info", _amendment(event), source="feed")

    def _note_halt(self, lane: Lane, halt: Halt) -> None:
        """Say what is new of a halt; the desk hears when it begins and when it ends."""
        before = lane.pulse.halted
        if lane.note(halt):
            word = "halted" if halt.halted else "trades again"
            said = f"{halt.symbol} {word} {halt.words}".rstrip()
            self._child.say("warn", said, source="feed", kind="feed")
        if halt.halted != before and (desk := self._outlets.get(DESK)) is not None:
            desk.put(halt)

    def _special(self, item: StreamItem, now: int) -> None:
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
                self._on_status(item, now)
            case Unreadable(count=count):
                self._gaps.unreadable(count, now)
                self._tell_gap(self._gaps.due(now))
            case SessionEnd(t_ns=t_ns):
                self._child.tell(SessionOver(t_ns=t_ns))

    def _on_status(self, status: FeedStatus, now: int) -> None:
        self._child.tell(FeedSaid(status=status, refused=self._line.refused))
        if status.state in (FeedState.LOST, FeedState.REFUSED):
            self._gaps.lost(now, status.words.partition("; trying")[0])
        elif status.state is FeedState.LIVE:
            self._watch.restart(now)
            _symbols, quiet_ns = self._lanes.quiet(now)
            self._tell_gap(self._gaps.live(now, quiet_ns))

    def _tell_gap(self, gap: GapBegin | None) -> None:
        """Have the consumers fetch what was missed. In lock-step nothing was: the market has waited."""
        if gap is None or self._lockstep:
            return
        mine = self._of_mine(gap)
        for name, outlet in self._outlets.items():
            if name != DESK:
                outlet.put(mine)

    def _of_mine(self, gap: GapBegin) -> GapBegin:
        """Name our symbols where other producers have some too."""
        named = gap.symbols or len(self._child.boot.producers) == 1
        return gap if named else msgspec.structs.replace(gap, symbols=tuple(self._lanes))

    # ── marks and numbers ──

    def _flush_marks(self) -> None:
        desk = self._outlets.get(DESK)
        if desk is not None and (marks := self._marks.take()):
            desk.put(Marks(prices=marks))

    async def _mark(self) -> None:
        while True:
            await asyncio.sleep(MARKS_S)
            self._flush_marks()
            # Unreadable messages that came within a second of the last gap are told when that is over.
            self._tell_gap(self._gaps.due(self._now()))
            for outlet in self._outlets.values():
                outlet.flush()
            if self._recorder is not None:
                self._recorder.complain()

    def _stats(self) -> Alive:
        readers = [(name, outlet) for name, outlet in self._outlets.items() if name != DESK]
        merged: dict[str, int] = {}
        for _name, outlet in readers:
            for symbol, count in outlet.merged_by_symbol.items():
                merged[symbol] = merged.get(symbol, 0) + count
        duplicates, disordered, held_back = self._lanes.counts()
        return Alive(
            received=self._received,
            refused=self._line.refused,
            merged=sum(self._merged_by(name, outlet) for name, outlet in readers),
            queue=sum(outlet.waiting for _name, outlet in readers),
            symbols=len(self._lanes),
            last_event_ns=self._last_event_ns,
            by_symbol=tuple((symbol, 0, count) for symbol, count in merged.items()),
            by_consumer=tuple(
                (name, self._merged_by(name, outlet), outlet.waiting) for name, outlet in readers
            ),
            duplicates=duplicates,
            disordered=disordered,
            held_back=held_back,
            slow=self._line.slow,
            amended=self._amended,
            gaps=self._gaps.count,
            recorded=self._recorder.written if self._recorder is not None else 0,
            unrecorded=self._recorder.dropped if self._recorder is not None else 0,
            left_out=tuple(sorted(self._line.left_out)),
        )

    def _merged_by(self, name: str, outlet: Outlet) -> int:
        return self._merged_before.get(name, 0) + outlet.merged


def _amendment(note: TradeCorrection | TradeCancel) -> str:
    was = f"{note.symbol} print of {note.price:,.2f}"
    if isinstance(note, TradeCancel):
        return f"{was} was taken back"
    return f"{was} was corrected to {note.new_price:,.2f}"


async def run(child: Child) -> None:
    """Be the producer."""
    await ask_venue(child)
    producer = Producer(child)
    child.ready()
    await producer.run()
