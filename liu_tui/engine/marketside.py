"""What a consumer hears of the market, and when its strategies are called for it.

The way of an event through `take`:
 1. the late rule cleans the backlog of trades and quotes that waited too long           (lateness.py)
 2. a symbol whose history is on its way keeps its events until that has come             (backfill.py)
 3. prices go to the session, which calls the strategies; notes of the tape to the series
 4. what the series cannot mend by itself (a correction of an old minute, a minute whose bar never came) is
    fetched again, and replaced when it comes
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator

import msgspec

from liu_tui.engine.backfill import Backfill, Loaded, Purpose
from liu_tui.engine.child import Child
from liu_tui.engine.inbox import MarketInbox
from liu_tui.engine.lateness import clean, cutoff_ns, has_late, words_of
from liu_tui.engine.links import Link
from liu_tui.engine.messages import Assign, GapBegin, OnMarketLink, SymbolTask
from liu_tui.engine.meter import LagMeter
from liu_tui.engine.orderside import OrderSide, Put
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import (
    MINUTE_NS,
    SECOND_NS,
    Bar,
    Halt,
    MarketEvent,
    MarketNote,
    PriceBand,
    Quote,
    Step,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from liu_tui.trading.notes import take_note
from liu_tui.trading.session import Session

CHUNK = 64
"""Events that one reading of the clock is enough for; between two of them the desk is heard."""
LOOK_S = 1.0
BAR_GRACE_S = 5.0
GRACE_WALL_S = 2.0
"""So long after its minute a vendor's bar may come; then it is fetched. The longer of so many seconds of the
session and of the wall."""
AMENDED_NS = 30 * MINUTE_NS
"""So far before a correction the print may lie that it corrects: the tape does not say when that was."""

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
        self._inboxes: dict[str, MarketInbox] = {}
        self._held: dict[str, list[MarketEvent | MarketNote]] = {}  # until their symbol's history is there
        self._awaited: dict[str, int] = {}  # how many answers each of them waits for
        self._new: set[str] = set()  # symbols whose first history is on its way
        self._step: Step | None = None
        self._looked_at = 0
        self.lag = LagMeter()
        self.received = self.dispatched = self.discarded = 0
        self.discards: dict[str, int] = {}

    @property
    def queue(self) -> int:
        """Events that wait."""
        return sum(len(inbox) for inbox in self._inboxes.values())

    def take_link(self, peer: str, sock: socket.socket) -> None:
        """Take a new link to a producer, in place of an old one."""
        if old := self._inboxes.pop(peer, None):
            old.close()
        self._inboxes[peer] = MarketInbox(Link(sock, _MARKET, self._child.wake.set))

    def assign(self, message: Assign) -> None:
        """Serve symbols; events of the new ones are kept until their history has come."""
        self._backfill.begin(message)
        for task in message.tasks:
            if task.symbol not in self._session.symbols and task.symbol not in self._new:
                self._new.add(task.symbol)
                self._hold(task.symbol)

    async def take(self) -> None:
        """Take what has come since the last call, from history first."""
        await self._take_history()
        lockstep = self._child.anchor.anchor.lockstep
        for inbox in list(self._inboxes.values()):
            events = inbox.take_step(self._orders.told) if lockstep else inbox.take()
            if events:
                await self._take(events, lockstep=lockstep)
                await asyncio.sleep(0)
                await self._take_history()
        if not lockstep:
            await self._put(await self._session.on_time(self._child.clock.now_ns()))
            self._look_for_missing_bars()

    def finished_step(self) -> Step | None:
        """Lock-step: the step that was taken since the last call."""
        step, self._step = self._step, None
        return step

    # ── events ──

    async def _take(self, events: list[OnMarketLink], *, lockstep: bool) -> None:
        self.received += len(events)
        if lockstep:
            for event in events:
                await self._replay(event)
            return
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

    def _chunks(self, events: list[OnMarketLink]) -> Iterator[list[MarketEvent]]:
        """Prices that may be acted on, some at a time; what lies between them is done on the way."""
        if not self._held and _PRICES.issuperset(map(type, events)):
            for start in range(0, len(events), CHUNK):
                yield events[start : start + CHUNK]  # type: ignore[misc] # all of them are prices
            return
        chunk: list[MarketEvent] = []
        for event in events:
            if isinstance(event, Trade | Quote | Bar) and event.symbol not in self._held:
                chunk.append(event)
                continue
            if chunk:
                yield chunk
                chunk = []
            if isinstance(event, Trade | Quote | Bar):
                self._held[event.symbol].append(event)
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
        elif event.symbol in self._held:
            self._held[event.symbol].append(event)
        else:
            now = event.end_ns if isinstance(event, Bar) else event.t_ns
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
                if event.symbol in self._held:
                    self._held[event.symbol].append(event)
                else:
                    self._amend(event)

    def _amend(self, note: MarketNote) -> None:
        if note.symbol not in self._session.symbols:
            return
        mended = take_note(self._session.series(note.symbol), note)
        # A replay does not ask again: when the answer comes would depend on anybody's pace.
        if not mended and not self._child.anchor.anchor.lockstep:
            words = f"{note.symbol}: an earlier print was taken back or corrected"
            self._backfill.refetch([note.symbol], note.t_ns - AMENDED_NS, words)

    # ── the late rule ──

    def _clean(self, events: list[OnMarketLink], cutoff: int, now: int, speed: float) -> list[OnMarketLink]:
        boot = self._child.boot
        cleaned = clean(events, cutoff, now, speed, boot.venue.delay_ns)
        for event in cleaned.absorb:
            if event.symbol in self._held:
                self._held[event.symbol].append(event)
            else:
                self._session.absorb(event)
        for symbol, count in cleaned.counts.items():
            self.discards[symbol] = self.discards.get(symbol, 0) + count
            self.discarded += count
        self._child.say("warn", words_of(boot.name, *cleaned.worst), source=boot.name)
        return cleaned.keep

    def _sample(self, event: OnMarketLink, now: int, speed: float) -> None:
        if isinstance(event, Trade | Quote):
            self.lag.add((now - event.t_ns) / 1e6 / speed)

    # ── history ──

    def _hold(self, symbol: str) -> None:
        self._held.setdefault(symbol, [])
        self._awaited[symbol] = self._awaited.get(symbol, 0) + 1

    def _begin_gap(self, gap: GapBegin) -> None:
        named = frozenset(gap.symbols)
        served = self._new.union(self._session.symbols)
        mine = sorted(symbol for symbol in served if not named or symbol in named)
        if not mine:
            return
        self._backfill.refill(mine, gap)
        for symbol in mine:
            self._hold(symbol)

    async def _take_history(self) -> None:
        """Take in the history that has arrived, then what came meanwhile."""
        for loaded in self._backfill.finished():
            match loaded.purpose:
                case Purpose.BEGIN:
                    self._begin(loaded)
                case Purpose.GAP:
                    await self._fill_gap(loaded)
                case Purpose.REPAIR:
                    self._absorb(loaded)
            if loaded.answer is not None:
                self._child.tell(loaded.answer)

    def _begin(self, loaded: Loaded) -> None:
        for task, history, daily in loaded.symbols:
            names = frozenset(task.strategies)
            self._session.add_symbol(task.symbol, strategies=names, history=history, daily=daily)
            if task.symbol not in self._new:
                continue
            self._new.discard(task.symbol)
            for event in self._release(task):
                if isinstance(event, Trade | Quote | Bar):
                    self._session.absorb(event)
                else:
                    self._amend(event)

    async def _fill_gap(self, loaded: Loaded) -> None:
        """Complete the series after a gap of the feed; only then call the strategies for what came after."""
        self._absorb(loaded)
        for task, _history, _daily in loaded.symbols:
            for event in self._release(task):
                if isinstance(event, Trade | Quote | Bar):
                    self.dispatched += 1
                    await self._dispatch((event,), self._child.clock.now_ns())
                else:
                    self._amend(event)

    def _absorb(self, loaded: Loaded) -> None:
        for _task, history, _daily in loaded.symbols:
            for bar in history:
                self._session.absorb(bar)

    def _release(self, task: SymbolTask) -> list[MarketEvent | MarketNote]:
        """What was held for a symbol, if this was the last answer that it waits for."""
        left = self._awaited.get(task.symbol, 0) - 1
        if left > 0:
            self._awaited[task.symbol] = left
            return []
        self._awaited.pop(task.symbol, None)
        return self._held.pop(task.symbol, [])

    def _look_for_missing_bars(self) -> None:
        """A minute that had trades and got no bar: its bar was lost on the way."""
        if monotonic_ns() - self._looked_at < LOOK_S * SECOND_NS:
            return
        self._looked_at = monotonic_ns()
        anchor, now = self._child.anchor.anchor, self._child.clock.now_ns() - self._child.boot.venue.delay_ns
        grace = int(max(BAR_GRACE_S, GRACE_WALL_S * anchor.speed) * SECOND_NS)
        lost = {
            symbol: starts
            for symbol in self._session.symbols
            if symbol not in self._held and (starts := self._session.series(symbol).missing(now, grace))
        }
        if lost:
            words = f"{sum(map(len, lost.values()))} minute bars of {len(lost)} symbols did not come"
            self._backfill.refetch(sorted(lost), min(min(starts) for starts in lost.values()), words)
