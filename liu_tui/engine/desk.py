"""The desk's process: the only one that sends orders and writes money.

Everything that happens (an intent, an update, an answer, a command, a tick of the clock) is taken in turn
by one coroutine, which asks the rules (`trading.desk`) and has their effects carried out in order
(`carrier`): journal committed before the order leaves, fill stored before anybody hears of it. A start is a
recovery: read the journal, ask the broker, agree, only then take intents. Without its supervisor it stays
until it is flat or taken over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from pathlib import Path

import msgspec

from liu_tui.engine.allocating import Allocating
from liu_tui.engine.carrier import Carrier
from liu_tui.engine.child import Child
from liu_tui.engine.deskcommands import answer_to, effects_of
from liu_tui.engine.deskfacts import FactSheet
from liu_tui.engine.desklinks import Consumers
from liu_tui.engine.deskstep import StepBook
from liu_tui.engine.links import Link
from liu_tui.engine.messages import (
    Alive,
    DeskDone,
    DeskOrder,
    DeskProfiles,
    Marks,
    OnMarketLink,
    SessionRefused,
    StepDone,
    TakeLink,
    ToChild,
    VetoSet,
)
from liu_tui.engine.reconciling import Reconciling
from liu_tui.errors import LiuError, RefusedError, TraderError
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS, Halt, Step
from liu_tui.model.orders import Fill, Intent, OrderNews, OrderUpdate
from liu_tui.plan.live import refuse_unearned
from liu_tui.plan.schema import Environment, OnLoss
from liu_tui.store.store import Store
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Effect
from liu_tui.trading.orders import news
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.trader import BrokerStatus, Trader
from liu_tui.wiring.venue import keys_for, open_trader

_log = logging.getLogger(__name__)

TICK_S = 0.1
TICK_NS = SECOND_NS // 10

_MARKET: msgspec.msgpack.Decoder[list[OnMarketLink]] = msgspec.msgpack.Decoder(list[OnMarketLink])


class DeskProcess:
    """Joins the rules, the broker, the books and the consumers."""

    def __init__(self, child: Child, store: Store, trader: Trader) -> None:
        boot = child.boot
        self._child, self._store, self._trader = child, store, trader
        self._desk = Desk(
            batch_id=boot.batch_id,
            limits=boot.plan.limits,
            hours=boot.hours,
            swing=frozenset(profile.name for profile in boot.profiles if profile.swing),
            liquidate_min=boot.plan.market_liquidation_end_time_minutes,
            entries_allowed=not boot.plan.test_scanners,
            fees=boot.plan.fees,
        )
        self._desk.proves_flat = True
        self._consumers = Consumers(boot.consumers, self._desk, child.wake.set)
        self._consumers.know(boot.profiles)
        self._facts = FactSheet(child, self._desk)
        self._carrier = Carrier(child, self._desk, store, trader, self)
        self._market: dict[str, Link[OnMarketLink]] = {}
        self._intents: list[Intent] = []
        self._heard: list[OrderUpdate | BrokerStatus | Step] = []
        self._steps = StepBook()
        self._allocating = Allocating(boot, self._desk, store, self._consumers)
        self._reconciling = Reconciling(child, self._desk, trader, self._facts, self._carrier.carry)
        self._orphan_done = self._day_known = False
        self._tick_at = 0

    # ── life ──

    async def run(self) -> None:
        """Recover, then serve until told to stop; without a supervisor, until flat or taken over."""
        await self._recover()
        self._child.ready()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._taken_over)
        beat = asyncio.create_task(self._child.beat(self._stats))
        listen = asyncio.create_task(self._listen())
        try:
            while not self._child.stopping and not (self._child.orphaned and self._nothing_left()):
                self._child.wake_in(TICK_S)
                await self._child.wake.wait()
                self._child.wake.clear()
                await self._turn()
            await self._carrier.close()
            self._facts.tell(force=True)
        finally:
            beat.cancel()
            listen.cancel()
            await self._trader.close()
            self._reconciling.close()

    async def _recover(self) -> None:
        batch_id = self._child.boot.batch_id
        orders = await self._store.journal.load(batch_id)
        fills = await self._store.new_trades.load(batch_id)
        self._consumers.fills = fills
        batch = await self._store.batches.get(batch_id)
        if batch is not None:
            self._desk.restore(
                orders,
                fills,
                batch.state,
                by=batch.state_by,
                reason=batch.state_reason,
                flattens=await self._store.flattens.load(batch_id),
                differences=await self._store.differences.load(batch_id),
            )
        for veto in self._child.boot.vetoes:
            self._desk.veto(veto.symbol, veto.strategy, veto.by, veto.reason, veto.until_ns)
        for order in orders:
            self._facts.add_order(news(order))
        if orders:
            words = f"the journal has {len(orders)} orders and {len(fills)} fills: asking the broker"
            self._child.say("info", words)

    def _taken_over(self) -> None:
        self._child.stopping = "taken over"
        self._child.wake.set()

    def _nothing_left(self) -> bool:
        """Whether nothing of this batch is held, works or is being closed; strangers' doings keep nobody."""
        desk = self._desk
        held = any(p.qty and p.strategy != EXTERNAL for p in desk.positions.values())
        works = any(news.strategy != EXTERNAL for news in desk.live_news())
        return not (held or works or desk.latches)

    async def _listen(self) -> None:
        async for message in self._trader.updates():
            self._heard.append(message)
            self._child.wake.set()

    # ── one turn ──

    async def _turn(self) -> None:
        for message, sock in self._child.orders():
            await self._obey(message, sock)
        self._intents += self._consumers.hear()
        self._hear_market()
        if self._child.orphaned and not self._orphan_done:
            await self._without_supervisor()
        if self._child.boot.venue.lockstep:
            await self._take_step()
        else:
            await self._take_all()
        await self._reconciling.turn()
        await self._know_day()
        self._facts.tell()

    async def _obey(self, message: ToChild, sock: socket.socket | None) -> None:
        match message:
            case TakeLink(kind="market", peer=peer) if sock is not None:
                if old := self._market.pop(peer, None):
                    old.close()
                self._market[peer] = Link(sock, _MARKET, self._child.wake.set)
            case TakeLink(kind="orders", peer=peer) if sock is not None:
                self._consumers.take_link(peer, sock)
            case DeskOrder():
                await self._command(message)
            case DeskProfiles(profiles=profiles):
                self._consumers.know(profiles)
                keeping = frozenset(profile.name for profile in profiles if profile.swing)
                self._desk.swing = (self._desk.swing - {profile.name for profile in profiles}) | keeping
            case VetoSet(symbol=symbol, strategy=strategy, on=True, by=by, reason=reason, until_ns=until_ns):
                self._desk.veto(symbol, strategy, by, reason, until_ns)
            case VetoSet(symbol=symbol, strategy=strategy):
                self._desk.allow(symbol, strategy)

    async def _command(self, message: DeskOrder) -> None:
        command = message.command
        if command.verb == "settle":
            await self._settle()
        try:
            await self._carrier.carry(effects_of(self._desk, command, self._child.clock.now_ns()))
        except RefusedError as e:
            self._child.tell(DeskDone(id=command.id, ok=False, words=str(e)))
            return
        self._child.tell(DeskDone(id=command.id, ok=True, words=answer_to(self._desk, command)))
        if command.verb == "resolve":
            self._reconciling.hurry()
        self._facts.tell(force=True)

    def _hear_market(self) -> None:
        for peer, link in list(self._market.items()):
            for message in link.take():
                if isinstance(message, Marks):
                    for mark in message.prices:
                        self._desk.on_price(mark.symbol, mark.price, mark.t_ns, mark.bid, mark.ask)
                        if mark.price:
                            self._facts.moved(mark.symbol)
                elif isinstance(message, Halt):
                    self._desk.on_halt(message.symbol, halted=message.halted)
                    self._facts.touch()
                elif isinstance(message, Step):
                    self._steps.market(message)
            if link.closed:
                link.close()
                del self._market[peer]

    async def _take_all(self) -> None:
        """All that has come since the last turn, in its order; what it leads to is carried out together."""
        desk, now_ns = self._desk, self._child.clock.now_ns()
        effects: list[Effect] = []
        heard, self._heard = self._heard, []
        for message in heard:
            if isinstance(message, OrderUpdate):
                effects += desk.on_update(message, now_ns)
            elif isinstance(message, BrokerStatus):
                self._reconciling.on_status(message)
        effects += self._carrier.answered()
        if self._reconciling.compared:
            intents, self._intents = self._intents, []
            for intent in intents:
                effects += desk.on_intent(intent, now_ns)
            if monotonic_ns() >= self._tick_at:
                self._tick_at = monotonic_ns() + TICK_NS
                effects += desk.on_time(now_ns)
                self._allocating.tell(now_ns)
        await self._carrier.carry(effects)

    async def _take_step(self) -> None:
        """Lock-step: prices, then the broker's updates, then the clock; the consumers.

        Then their intents in order.
        """
        for message in self._heard:
            if isinstance(message, BrokerStatus):
                self._reconciling.on_status(message)
            else:
                self._steps.broker(message)
        self._heard.clear()
        if opened := self._steps.open():
            step, updates = opened
            self._child.anchor.step_to(step.t_ns)
            for update in updates:
                await self._carrier.carry(self._desk.on_update(update, step.t_ns))
            if updates:
                with contextlib.suppress(TraderError):
                    self._desk.learn_account(await self._trader.account())
            await self._carrier.carry(self._desk.on_time(step.t_ns))
            self._allocating.tell(step.t_ns)
            self._consumers.open_step(step.n)
        closing = self._steps.under_way
        if closing is None or not self._consumers.finished(closing.n):
            return
        intents, self._intents = self._intents, []
        intents.sort(key=lambda intent: (intent.event_ns, intent.strategy, intent.symbol, intent.ordinal))
        for intent in intents:
            await self._carrier.carry(self._desk.on_intent(intent, closing.t_ns))
        self._steps.close()
        self._facts.tell(force=True)
        self._child.tell(StepDone(n=closing.n, t_ns=closing.t_ns))

    # ── broker ──

    async def _know_day(self) -> None:
        """Go on from what the books keep of the account's day, once it is known whose: before any trade."""
        account, boot = self._desk.venue.account, self._child.boot
        if account is None or self._day_known:
            return
        self._day_known = True
        rows = await self._store.day_risk.load(account.id, boot.hours.day, boot.batch_id)
        await self._carrier.carry(self._desk.learn_day(rows, self._child.clock.now_ns()))
        await self._carrier.carry(await self._allocating.open(account.id))

    async def _settle(self) -> None:
        """At the end: hear the last updates, and value what is held at the broker's own prices."""
        await self._take_all()
        await self._reconciling.value()

    async def _without_supervisor(self) -> None:
        self._orphan_done = True
        now, plan = self._child.clock.now_ns(), self._child.boot.plan
        _log.warning("the supervisor is gone: %s", plan.on_supervisor_loss.value)
        reason = "the supervisor is gone"
        await self._carrier.carry(self._desk.pause("desk", reason, now))
        if plan.on_supervisor_loss is OnLoss.FLATTEN:
            await self._carrier.carry(self._desk.flatten(now, by="desk", reason=reason))

    # ── telling (the carrier's audience) ──

    def tell_fill(self, fill: Fill) -> None:
        """A fill has been stored."""
        self._consumers.tell_fill(fill)
        self._facts.add_fill(fill)

    def tell_news(self, news: OrderNews) -> None:
        """An order has changed."""
        self._consumers.tell_news(news)
        self._facts.add_order(news)

    def flush(self) -> None:
        """All of it has been told."""
        self._consumers.flush()

    def tell_state(self) -> None:
        """The desk's state has changed."""
        self._facts.touch()

    def _stats(self) -> Alive:
        return Alive(dispatched=len(self._consumers.fills), queue=len(self._intents) + len(self._heard))


async def run(child: Child) -> None:
    """Be the desk."""
    boot = child.boot
    if boot.plan.environment is Environment.PROD:
        refuse_unearned(boot.plan, boot.live)
    store = await Store.open(Path(boot.home) / "liu.db", durable=True)
    try:
        await DeskProcess(child, store, open_trader(boot.venue, keys_for(boot.venue))).run()
    except RefusedError as e:
        child.tell(SessionRefused(what=e.what, where=e.where, mend=e.mend))
        raise
    except LiuError as e:
        child.say("error", str(e), source="desk")
        raise
    finally:
        await store.close()
