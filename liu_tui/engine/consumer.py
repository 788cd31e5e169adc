"""The consumer: a shard of symbols, their series, and the strategies that trade them.

One coroutine does everything in turn: what the supervisor says, what the desk says, one batch of market
events, the timers. So no strategy is ever called twice at once, and nothing here needs a lock. User code
runs here and nowhere else; orders live in the desk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from pathlib import Path

import msgspec

from liu_tui.engine.backfill import Backfill
from liu_tui.engine.child import Child
from liu_tui.engine.detail import detail_of
from liu_tui.engine.inbox import MarketInbox
from liu_tui.engine.lateness import clean, cutoff_ns, has_late, words_of
from liu_tui.engine.links import Link
from liu_tui.engine.messages import (
    Alive,
    AskSeries,
    Assign,
    Attach,
    Drop,
    GapBegin,
    KeyRow,
    NumberedFill,
    OnMarketLink,
    OnOrdersLink,
    Profiles,
    Reload,
    SeriesDetail,
    Standing,
    StateRow,
    StatesSaved,
    StepDone,
    StepUpdates,
    StrategyState,
    SymbolTask,
    TakeLink,
    ToChild,
    UnsubscribeAsked,
    VetoAsked,
    VetoSet,
)
from liu_tui.engine.meter import CallMeter, Face, LagMeter
from liu_tui.engine.reloading import Reloader
from liu_tui.engine.slots import load_slots
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS, Bar, Halt, MarketEvent, Quote, Step, Trade
from liu_tui.model.orders import Intent, OrderNews
from liu_tui.strategy import State
from liu_tui.trading.session import (
    KeySet,
    Request,
    Said,
    Session,
    StrategyFault,
    UnsubscribeRequest,
    VetoRequest,
)
from liu_tui.wiring.venue import keys_for, open_data

_log = logging.getLogger(__name__)

LAG_SAMPLE = 16
SAVE_S = 1.0
TIMER_S = 0.05
HANG_S = 2.0
"""A call that lasts so long stops the heartbeat: the supervisor ends us, and says whose call it was."""


class Consumer:
    """One consumer process."""

    def __init__(self, child: Child) -> None:
        boot = child.boot
        self._child = child
        self._market: dict[str, MarketInbox] = {}
        self._orders: Link[OnOrdersLink] | None = None
        self._face = Face(Path(boot.home) / "sessions" / f"{boot.batch_id}.{boot.name}.face")
        budgets = {name: table.budget_ms for name, table in boot.plan.strategies.items()}
        self._meter = CallMeter(self._face, budgets)
        self._lag = LagMeter()
        slots, self._profiles = load_slots(
            Path(boot.workspace),
            boot.plan.strategies,
            index=boot.index,
            consumers=len(boot.consumers),
            aside=dict(boot.quarantined),
            face=self._face,
        )
        self._session = Session(
            slots,
            batch_id=boot.batch_id,
            hours=boot.hours,
            portfolio_value=boot.plan.portfolio_value,
            risk=boot.plan.risk,
            bypass_schedule=boot.plan.bypass_market_schedule,
            keys=_keys_of(boot.keys),
            meter=self._meter,
        )
        self._session.restore((), (), _states_of(boot.states), [(v.symbol, v.strategy) for v in boot.vetoes])
        self._backfill = Backfill(open_data(boot.venue, keys_for(boot.venue)), child, self._profiles)
        self._reloader = Reloader(child, self._session, self._face)
        self._held: dict[str, list[MarketEvent]] = {}  # events of symbols whose history is on its way
        self._unanswered: dict[str, Intent] = {}
        self._after_fill = boot.after_fill
        self._keys_set: list[KeyRow] = []
        self._steps: dict[str, Step] = {}
        self._updates_of = 0
        self._dispatched = self._discarded = self._sampled = 0
        self._discards: dict[str, int] = {}
        self._received = 0
        self._saved_at = 0

    def introduce(self) -> None:
        """Say what the strategies declare, and only then that links may come."""
        self._child.tell(Profiles(profiles=tuple(self._profiles)))
        self._child.ready()

    async def run(self) -> None:
        """Serve until the supervisor says stop or is gone."""
        child = self._child
        beat = asyncio.create_task(child.beat(self._stats))
        try:
            await self._put(await self._session.start(child.clock.now_ns()))
            while not child.stopping and not child.orphaned:
                child.wake_in(TIMER_S)
                await child.wake.wait()
                child.wake.clear()
                await self._turn()
            await self._put(await self._session.stop(child.clock.now_ns()))
            self._save()
            if self._orders is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._orders.drained()
        finally:
            beat.cancel()
            await self._backfill.close()
            self._face.close()

    async def _turn(self) -> None:
        for message, sock in self._child.orders():
            await self._obey(message, sock)
        await self._hear_desk()
        for inbox in self._market.values():
            await self._take(inbox)
        if not self._child.anchor.anchor.lockstep:
            await self._put(await self._session.on_time(self._child.clock.now_ns()))
        await self._finish_step()
        self._complain()
        if monotonic_ns() - self._saved_at > SAVE_S * SECOND_NS:
            self._save()

    # ── the supervisor ──

    async def _obey(self, message: ToChild, sock: socket.socket | None) -> None:
        match message:
            case TakeLink(kind=kind, peer=peer) if sock is not None:
                self._take_link(kind, peer, sock)
            case Assign():
                self._backfill.begin(message)
                for task in message.tasks:
                    if task.symbol not in self._session.symbols:
                        self._held.setdefault(task.symbol, [])
            case Drop(symbol=symbol):
                self._session.drop_symbol(symbol)
            case VetoSet(symbol=symbol, strategy=strategy, on=on):
                (self._session.veto if on else self._session.allow)(symbol, strategy)
            case Reload(filename=filename):
                await self._reload(filename)
            case AskSeries(symbol=symbol):
                self._child.tell(SeriesDetail(detail=detail_of(self._session, symbol)))

    def _take_link(self, kind: str, peer: str, sock: socket.socket) -> None:
        if kind == "orders":
            self._attach(sock)
            return
        if old := self._market.pop(peer, None):
            old.close()
        self._market[peer] = MarketInbox(Link(sock, _MARKET, self._child.wake.set))

    async def _reload(self, filename: str) -> None:
        requests, profiles = await self._reloader.reload(filename)
        await self._put(requests)
        if profiles:
            fresh = {profile.name: profile for profile in profiles}
            self._profiles = [fresh.get(profile.name, profile) for profile in self._profiles]
            self._backfill.profiles = self._profiles
            self._child.tell(Profiles(profiles=tuple(self._profiles)))

    async def _loaded(self) -> None:
        """Take in the history that has arrived, then what came meanwhile."""
        for loaded in self._backfill.finished():
            for task, history, daily in loaded.symbols:
                if loaded.answer is None:
                    await self._fill_gap(task.symbol, history)
                else:
                    self._begin(task, history, daily)
            if loaded.answer is not None:
                self._child.tell(loaded.answer)

    def _begin(self, task: SymbolTask, history: list[Bar], daily: list[Bar]) -> None:
        names = frozenset(task.strategies)
        self._session.add_symbol(task.symbol, strategies=names, history=history, daily=daily)
        for event in self._held.pop(task.symbol, ()):
            self._session.absorb(event)

    async def _fill_gap(self, symbol: str, history: list[Bar]) -> None:
        """Complete the series after a gap of the feed; only then call the strategies for what came after."""
        for bar in history:
            self._session.absorb(bar)
        for event in self._held.pop(symbol, ()):
            await self._dispatch(event)

    # ── the desk ──

    def _attach(self, sock: socket.socket) -> None:
        if self._orders is not None:
            self._orders.close()
        self._orders = Link(sock, _ORDERS, self._child.wake.set)
        self._orders.send(Attach(consumer=self._child.boot.name, after_fill=self._after_fill))
        # The desk knows an intent by its id: what it had taken already it answers again.
        self._orders.send(*self._unanswered.values())

    async def _hear_desk(self) -> None:
        if self._orders is None:
            return
        for message in self._orders.take():
            match message:
                case NumberedFill(n=n, fill=fill):
                    self._after_fill = max(self._after_fill, n)
                    await self._put(await self._session.on_fill(fill))
                case OrderNews():
                    self._unanswered.pop(message.intent_id, None)
                    await self._put(await self._session.on_news(message))
                case Standing(positions=positions, orders=orders):
                    self._session.restore(positions, orders, {}, ())
                case StepUpdates(n=n):
                    self._updates_of = n

    # ── the market ──

    async def _take(self, inbox: MarketInbox) -> None:
        await self._loaded()
        lockstep = self._child.anchor.anchor.lockstep
        events = inbox.take_step(self._updates_of) if lockstep else inbox.take()
        if not events:
            return
        self._received += len(events)
        anchor = self._child.anchor.anchor
        now = self._child.clock.now_ns()
        if not anchor.lockstep:
            cutoff = cutoff_ns(now, self._child.boot.plan.late_after_s, anchor.speed)
            if has_late(events, cutoff):
                events = self._clean(events, cutoff, now, anchor.speed)
        for event in events:
            await self._dispatch(event)
            if self._orders is not None and self._orders.inbox and not anchor.lockstep:
                await self._hear_desk()
        await asyncio.sleep(0)

    def _clean(self, events: list[OnMarketLink], cutoff: int, now: int, speed: float) -> list[OnMarketLink]:
        cleaned = clean(events, cutoff, now, speed)
        for event in cleaned.absorb:
            self._hold_or_absorb(event)
        for symbol, count in cleaned.counts.items():
            self._discards[symbol] = self._discards.get(symbol, 0) + count
            self._discarded += count
        self._child.say("warn", words_of(self._child.boot.name, *cleaned.worst), source=self._child.boot.name)
        return cleaned.keep

    async def _dispatch(self, event: OnMarketLink) -> None:
        if isinstance(event, Trade | Quote | Bar):
            if event.symbol in self._held:
                self._held[event.symbol].append(event)
                return
            self._dispatched += 1
            now = self._child.clock.now_ns()
            if self._child.anchor.anchor.lockstep:
                now = event.end_ns if type(event) is Bar else event.t_ns
                self._child.anchor.step_to(now)
            elif type(event) is not Bar:
                self._sample(now, event.t_ns)
            requests = await self._session.on_event(event, now)
            if requests:
                await self._put(requests)
        elif isinstance(event, Step):
            self._child.anchor.step_to(event.t_ns)
            self._steps[""] = event
            await self._put(await self._session.on_time(event.t_ns))
        elif isinstance(event, GapBegin):
            self._backfill.refill(sorted(self._session.symbols), event)
            for symbol in self._session.symbols:
                self._held.setdefault(symbol, [])
        elif isinstance(event, Halt):
            word = "halted" if event.halted else "trades again"
            self._child.say(
                "warn", f"{event.symbol} {word} {event.words}".rstrip(), source="feed", kind="feed"
            )

    def _hold_or_absorb(self, event: MarketEvent) -> None:
        if event.symbol in self._held:
            self._held[event.symbol].append(event)
        else:
            self._session.absorb(event)

    def _sample(self, now: int, t_ns: int) -> None:
        self._sampled += 1
        if self._sampled % LAG_SAMPLE == 0:
            self._lag.add((now - t_ns) / 1e6 / self._child.anchor.anchor.speed)

    async def _finish_step(self) -> None:
        step = self._steps.pop("", None)
        if step is not None and self._orders is not None:
            self._orders.send(StepDone(n=step.n, t_ns=step.t_ns))

    # ── what the strategies asked for ──

    async def _put(self, requests: list[Request]) -> None:
        for request in requests:
            match request:
                case Intent():
                    self._unanswered[request.id] = request
                    if self._orders is not None:
                        self._orders.send(request)
                case VetoRequest():
                    self._child.tell(
                        VetoAsked(
                            symbol=request.symbol,
                            strategy=request.strategy,
                            by=request.by,
                            reason=request.reason,
                        )
                    )
                case UnsubscribeRequest():
                    self._child.tell(
                        UnsubscribeAsked(symbol=request.symbol, by=request.strategy, reason=request.reason)
                    )
                case Said():
                    self._child.say("info", _about(request.symbol, request.words), source=request.strategy)
                case KeySet():
                    self._keys_set.append(
                        KeyRow(strategy=request.strategy, key=request.key, value=request.value)
                    )
                case StrategyFault():
                    self._quarantine(request)

    def _quarantine(self, fault: StrategyFault) -> None:
        _log.error("strategy %s failed on %s\n%s", fault.strategy, fault.symbol, fault.traceback)
        self._child.tell(StrategyState(name=fault.strategy, state="quarantined", words=fault.words))
        words = f"quarantined until its file is saved: {_about(fault.symbol, fault.words)}"
        self._child.say("error", words, source=fault.strategy)

    def _complain(self) -> None:
        for strategy, (symbol, ms) in self._meter.taken().items():
            budget = self._child.boot.plan.strategies[strategy].budget_ms
            words = f"{symbol} took {ms:.0f} ms; its budget is {budget:.0f} ms"
            self._child.say("warn", words, source=strategy)

    def _save(self) -> None:
        self._saved_at = monotonic_ns()
        rows = tuple(
            StateRow(strategy=strategy, symbol=symbol, json=msgspec.json.encode(state).decode())
            for strategy, symbol, state in self._session.changed_state()
        )
        if rows or self._keys_set:
            self._child.tell(StatesSaved(rows=rows, keys=tuple(self._keys_set), after_fill=self._after_fill))
            self._keys_set = []

    def _stats(self) -> Alive | None:
        if self._meter.under_way_s() > HANG_S:
            return None  # a strategy that waits for ever hangs us as one that computes for ever does
        p50, p99 = self._lag.percentiles()
        slowest, slowest_ms = self._meter.slowest()
        return Alive(
            received=self._received,
            dispatched=self._dispatched,
            discarded=self._discarded,
            queue=sum(len(inbox) for inbox in self._market.values()),
            lag_p50_ms=p50,
            lag_p99_ms=p99,
            symbols=len(self._session.symbols),
            slowest=slowest,
            slowest_ms=slowest_ms,
            by_symbol=tuple((symbol, count, 0) for symbol, count in self._discards.items()),
            by_strategy=tuple(
                (name, calls, self._meter.slow.get(name, 0)) for name, calls in self._meter.calls.items()
            ),
        )


_MARKET: msgspec.msgpack.Decoder[list[OnMarketLink]] = msgspec.msgpack.Decoder(list[OnMarketLink])
_ORDERS: msgspec.msgpack.Decoder[list[OnOrdersLink]] = msgspec.msgpack.Decoder(list[OnOrdersLink])


def _about(symbol: str, words: str) -> str:
    return f"{symbol} {words}" if symbol else words


def _keys_of(rows: tuple[KeyRow, ...]) -> dict[str, dict[str, str]]:
    keys: dict[str, dict[str, str]] = {}
    for row in rows:
        keys.setdefault(row.strategy, {})[row.key] = row.value
    return keys


def _states_of(rows: tuple[StateRow, ...]) -> dict[str, dict[str, State]]:
    states: dict[str, dict[str, State]] = {}
    for row in rows:
        states.setdefault(row.strategy, {})[row.symbol] = msgspec.json.decode(row.json, type=dict)
    return states


async def run(child: Child) -> None:
    """Be a consumer."""
    with contextlib.suppress(OSError):
        os.nice(1)  # the desk and the producer come first when the machine is short
    consumer = Consumer(child)
    consumer.introduce()
    await consumer.run()
