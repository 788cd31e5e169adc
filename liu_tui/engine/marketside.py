"""What a consumer hears of the market, and when its strategies are called for it.

The way of an event through `take`:
 1. the late rule cleans the backlog of trades and quotes that waited too long           (lateness.py)
 2. events of a symbol whose history is on its way wait until that has come               (waitingroom.py)
 3. prices go to the session, which calls the strategies; notes of the tape to the series
 4. what the series cannot mend by itself (a correction of an old minute, a minute whose bar never came) is
    fetched again, and replaced when it comes
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from liu_tui.engine.backfill import Backfill, Loaded, Purpose
from liu_tui.engine.child import Child
from liu_tui.engine.inbox import MarketInbox
from liu_tui.engine.lateness import LateLines, clean, cutoff_ns, has_late, words_of
from liu_tui.engine.links import Link
from liu_tui.engine.mending import Mending, sifted
from liu_tui.engine.messages import Assign, GapBegin, OnMarketLink
from liu_tui.engine.meter import LagMeter
from liu_tui.engine.orderside import OrderSide, Put
from liu_tui.engine.waitingroom import Waiting, WaitingRoom
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import (
    Bar,
    Halt,
    MarketEvent,
    PriceBand,
    Quote,
    Step,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from liu_tui.trading.replay import acted_on_ns
from liu_tui.trading.session import Session

CHUNK = 64
"""Events that one reading of the clock is enough for; between two of them the desk is heard."""
_MARKET: msgspec.msgpack.Decoder[list[OnMarketLink]] = msgspec.msgpack.Decoder(list[OnMarketLink])
_PRICES = frozenset({Trade, Quote, Bar})


class MarketSide:
    """The market links of one consumer, and what became of their events.

    counts: received; dispatched to the session; discarded as late, and of which symbols
    """

    def __init__(
        self, child: Child, session: Session, backfill: Backfill, orders: OrderSide, put: Put
    ) -> None:
        self._child, self._session, self._backfill = child, session, backfill
        self._orders, self._put = orders, put
        self._mending = Mending(child, session, backfill)
        self._inboxes: dict[str, MarketInbox] = {}
        self._room = WaitingRoom(self._discard)
        self._new: set[str] = set()  # symbols whose first history is on its way
        self._step: Step | None = None
        self._late = LateLines()
        self.lag = LagMeter()
        self.received = self.dispatched = self.discarded = 0
        self.discards: dict[str, int] = {}

    @property
    def queue(self) -> int:
        """Events that wait."""
        return sum(len(inbox) for inbox in self._inboxes.values())

    def take_link(self, peer: str, sock: socket.socket) -> None:
        """Take a new link to a producer, in place of an old one."""
        if (old := self._inboxes.pop(peer, None)) is not None:  # an empty one is no less there
            old.close()
        self._inboxes[peer] = MarketInbox(Link(sock, _MARKET, self._child.wake.set))

    def assign(self, message: Assign) -> None:
        """Serve symbols; events of the new ones are kept until their history has come."""
        self._backfill.begin(message)
        for task in message.tasks:
            if task.symbol not in self._session.symbols and task.symbol not in self._new:
                self._new.add(task.symbol)
                self._room.expect(task.symbol)

    def drop(self, symbol: str) -> None:
        """Serve a symbol no more, whatever of it is on its way."""
        self._new.discard(symbol)
        self._room.forget(symbol)
        self._session.drop_symbol(symbol)

    async def take(self) -> None:
        """Take what has come since the last call, from history first."""
        await self._take_history()
        lockstep = self._child.anchor.anchor.lockstep
        for inbox in list(self._inboxes.values()):
            events = inbox.take_step(self._orders.told) if lockstep else inbox.take()
            if events:
                await self._take(events, lockstep=lockstep)
        if not lockstep:
            await self._put(await self._session.on_time(self._child.clock.now_ns()))
            self._mending.look(self._room)
            self._complain()

    def finished_step(self) -> Step | None:
        """Lock-step: the step that was taken since the last call."""
        step, self._step = self._step, None
        return step

    # ── events ──

    async def _take(self, events: list[OnMarketLink], *, lockstep: bool) -> None:
        self.received += len(events)
        if not lockstep:
            await self._act(events)
            return
        for event in events:
            await self._replay(event)

    async def _act(self, events: Sequence[OnMarketLink]) -> None:
        """Live: clean what waited too long out of these, and call the strategies for the rest."""
        anchor, clock = self._child.anchor.anchor, self._child.clock
        now, delay = clock.now_ns(), self._child.boot.venue.delay_ns
        cutoff = cutoff_ns(now, self._child.boot.plan.late_after_s, anchor.speed, delay)
        if has_late(events, cutoff):
            events = self._clean(events, cutoff, now, anchor.speed)
        for chunk in self._chunks(events):
            now = clock.now_ns()
            self._sample(chunk[0], now - delay, anchor.speed)
            self.dispatched += len(chunk)
            await self._dispatch(chunk, now)
            if self._orders.waiting:
                await self._orders.hear()

    def _chunks(self, events: Sequence[OnMarketLink]) -> Iterator[Sequence[MarketEvent]]:
        """Prices that may be acted on, some at a time; what lies between them is done on the way."""
        if not self._room and _PRICES.issuperset(map(type, events)):
            for start in range(0, len(events), CHUNK):
                yield events[start : start + CHUNK]  # type: ignore[misc] # all of them are prices
            return
        chunk: list[MarketEvent] = []
        for event in events:
            if isinstance(event, Trade | Quote | Bar) and event.symbol not in self._room:
                chunk.append(event)
                continue
            if chunk:
                yield chunk
                chunk = []
            if isinstance(event, Trade | Quote | Bar):
                self._room.put(event)
            else:
                self._note(event)
        if chunk:
            yield chunk

    async def _replay(self, event: OnMarketLink) -> None:
        """Lock-step: an event's own time is the time at which strategies see it."""
        if isinstance(event, Step):
            self._child.anchor.step_to(event.t_ns)
            self._step = event
            await self._put(await self._session.on_time(event.t_ns))
        elif not isinstance(event, Trade | Quote | Bar):
            self._note(event)
        elif event.symbol in self._room:
            self._room.put(event)
        else:
            now = acted_on_ns(event, self._child.clock.now_ns())
            self._child.anchor.step_to(now)
            self.dispatched += 1
            await self._dispatch((event,), now)

    async def _dispatch(self, events: Iterable[MarketEvent], now: int) -> None:
        """Have the session take events; what a strategy asks for leaves before the next event is taken."""
        rest = iter(events)
        while requests := await self._session.on_events(rest, now):
            await self._put(requests)

    def _note(self, event: OnMarketLink) -> None:
        match event:
            case GapBegin():
                self._begin_gap(event)
            case Halt() | PriceBand() | TradeCorrection() | TradeCancel():
                if event.symbol in self._room:
                    self._room.put(event)
                else:
                    self._mending.note(event)

    # ── the late rule ──

    def _clean(
        self, events: Sequence[OnMarketLink], cutoff: int, now: int, speed: float
    ) -> list[OnMarketLink]:
        boot = self._child.boot
        cleaned = clean(events, cutoff, now, speed, boot.venue.delay_ns)
        for symbol, count in cleaned.counts.items():
            self._discard(symbol, count)
        for event in cleaned.absorb:
            if event.symbol in self._room:
                self._room.put(event)  # it is late still when it is let go, and counted then
                self._discard(event.symbol, -1)
            else:
                self._session.absorb(event)
        self._late.note(*cleaned.worst)
        self._complain()
        return cleaned.keep

    def _complain(self) -> None:
        name = self._child.boot.name
        if (worst := self._late.due(monotonic_ns())) is not None:
            self._child.say("warn", words_of(name, *worst), source=name)

    def _discard(self, symbol: str, count: int) -> None:
        self.discards[symbol] = self.discards.get(symbol, 0) + count
        self.discarded += count

    def _sample(self, event: OnMarketLink, now: int, speed: float) -> None:
        if isinstance(event, Trade | Quote):
            self.lag.add((now - event.t_ns) / 1e6 / speed)

    # ── history ──

    def _begin_gap(self, gap: GapBegin) -> None:
        named = frozenset(gap.symbols)
        served = self._new.union(self._session.symbols)
        mine = sorted(symbol for symbol in served if not named or symbol in named)
        if not mine:
            return
        self._backfill.refill(mine, gap)
        for symbol in mine:
            self._room.expect(symbol)

    async def _take_history(self) -> None:
        """Take in the history that has arrived, then what came meanwhile."""
        for loaded in self._backfill.finished():
            match loaded.purpose:
                case Purpose.BEGIN:
                    self._begin(loaded)
                case Purpose.GAP:
                    await self._fill_gap(loaded)
                case Purpose.REPAIR:
                    self._mending.take(loaded)
            if loaded.answer is not None:
                self._child.tell(loaded.answer)

    def _begin(self, loaded: Loaded) -> None:
        for task, history, daily in loaded.symbols:
            is_new = task.symbol in self._new
            if not is_new and task.symbol not in self._session.symbols:  # it was dropped meanwhile
                continue
            names = frozenset(task.strategies)
            self._session.add_symbol(task.symbol, strategies=names, history=history, daily=daily)
            if is_new:
                self._new.discard(task.symbol)
                self._absorb(self._room.answered([task.symbol]))

    async def _fill_gap(self, loaded: Loaded) -> None:
        """Complete the series after a gap of the feed; only then call the strategies for what came after."""
        self._absorb_bars(loaded)
        await self._act(self._room.answered(task.symbol for task, _history, _daily in loaded.symbols))

    def _absorb_bars(self, loaded: Loaded) -> None:
        for task, history, _daily in loaded.symbols:
            if task.symbol in self._session.symbols:
                self._absorb(sifted(self._session.series(task.symbol), history))

    def _absorb(self, events: Iterable[Waiting]) -> None:
        """Let the series know, and call nobody."""
        for event in events:
            if isinstance(event, Trade | Quote | Bar):
                self._session.absorb(event)
            else:
                self._mending.note(event)
