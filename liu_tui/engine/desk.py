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

from liu_tui.engine.carrier import Carrier
from liu_tui.engine.child import Child
from liu_tui.engine.deskfacts import FactSheet
from liu_tui.engine.desklinks import Consumers
from liu_tui.engine.deskstep import StepBook
from liu_tui.engine.links import Link
from liu_tui.engine.lock import FileLock
from liu_tui.engine.messages import (
    Alive,
    DeskDone,
    DeskOrder,
    DeskProfiles,
    DeskReady,
    Marks,
    OnMarketLink,
    StepDone,
    TakeLink,
    ToChild,
    VetoSet,
)
from liu_tui.errors import LiuError, RefusedError, TraderError
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS, Step
from liu_tui.model.orders import Fill, Intent, OrderNews, OrderUpdate
from liu_tui.plan.schema import Environment, OnLoss
from liu_tui.settings import Settings, Workspace
from liu_tui.store.store import Store
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Effect
from liu_tui.trading.orders import ENTRY, news
from liu_tui.trading.trader import BrokerStatus, Trader
from liu_tui.wiring.venue import Venue, keys_for, open_trader

_log = logging.getLogger(__name__)

TICK_S = 0.1
TICK_NS = SECOND_NS // 10
RECONCILE_RETRY_NS = SECOND_NS // 2
ACCOUNT_NS = 2 * SECOND_NS
LOCK_WAIT_S = 10.0
HOUSE = frozenset({"desk", "session"})
"""Who pauses entries for the house's own reasons: an end, a lost supervisor."""

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
        )
        self._consumers = Consumers(boot.consumers, self._desk, child.wake.set)
        self._consumers.know(boot.profiles)
        self._facts = FactSheet(child, self._desk)
        self._carrier = Carrier(child, self._desk, store, trader, self)
        self._market: dict[str, Link[OnMarketLink]] = {}
        self._intents: list[Intent] = []
        self._heard: list[OrderUpdate | BrokerStatus | Step] = []
        self._steps = StepBook()
        self._reconciled = self._told_ready = self._orphan_done = False
        self._reconcile_at = self._account_at = self._tick_at = 0
        self._lock: FileLock | None = None

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
            if self._lock is not None:
                self._lock.release()

    async def _recover(self) -> None:
        batch_id = self._child.boot.batch_id
        orders = await self._store.journal.load(batch_id)
        fills = await self._store.new_trades.load(batch_id)
        self._consumers.fills = fills
        batch = await self._store.batches.get(batch_id)
        if batch is not None:
            self._desk.restore(orders, fills, batch.state, by=batch.state_by, reason=batch.state_reason)
        for veto in self._child.boot.vetoes:
            self._desk.veto(veto.symbol, veto.strategy, veto.by, veto.reason)
        for order in orders:
            self._facts.add_order(news(order))
        if orders:
            words = f"the journal has {len(orders)} orders and {len(fills)} fills: asking the broker"
            self._child.say("info", words)

    def _taken_over(self) -> None:
        self._child.stopping = "taken over"
        self._child.wake.set()

    def _nothing_left(self) -> bool:
        held = any(position.qty for position in self._desk.positions.values())
        return not held and not self._desk.live_news()

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
        if self._child.boot.venue.lockstep:
            await self._take_step()
        else:
            await self._take_all()
        await self._reconcile()
        await self._ask_account()
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
            case VetoSet(symbol=symbol, strategy=strategy, on=True, by=by, reason=reason):
                self._desk.veto(symbol, strategy, by, reason)
            case VetoSet(symbol=symbol, strategy=strategy):
                self._desk.allow(symbol, strategy)

    async def _command(self, message: DeskOrder) -> None:
        command = message.command
        if command.verb == "settle":
            await self._settle()
        try:
            await self._carrier.carry(self._effects_of(message))
        except RefusedError as e:
            self._child.tell(DeskDone(id=command.id, ok=False, words=str(e)))
            return
        words = _DONE_WORDS[command.verb].format(scope=command.symbol or "everything")
        self._child.tell(DeskDone(id=command.id, ok=True, words=words))
        self._facts.tell(force=True)

    def _effects_of(self, message: DeskOrder) -> list[Effect]:
        command, desk, now = message.command, self._desk, self._child.clock.now_ns()
        by, reason = command.by, command.reason
        match command.verb:
            case "pause":
                return desk.pause(by, reason or "asked for", now)
            case "resume":
                if words := desk.resume_refused():
                    raise RefusedError(words)
                return desk.resume(by, reason, now)
            case "cancel":
                self._check_cancel(command.order)
                return desk.cancel(now, symbol=command.symbol, client_order_id=command.order, by=by)
            case "flatten":
                return desk.flatten(now, symbol=command.symbol, by=by, reason=reason)
            case "settle":
                return []
            case "kill":
                return desk.kill(now, by=by, reason=reason or "the kill switch")
        raise RefusedError(f"the desk knows no verb {command.verb!r}")

    def _check_cancel(self, client_order_id: str) -> None:
        """Refuse to cancel an order that is not there, or that protects a position."""
        if not client_order_id:
            return
        order = self._desk.orders.get(client_order_id)
        if order is None or order.state.final:
            raise RefusedError(f"no order {client_order_id} is working")
        if order.role != ENTRY:
            raise RefusedError(
                f"{client_order_id} is {order.role} of {order.symbol}, not an entry",
                mend="Flatten the position instead: that withdraws its orders too",
            )

    def _hear_market(self) -> None:
        for peer, link in list(self._market.items()):
            for message in link.take():
                if isinstance(message, Marks):
                    for symbol, price in message.prices:
                        self._desk.on_price(symbol, price)
                        self._facts.moved(symbol)
                elif isinstance(message, Step):
                    self._steps.market(message)
            if link.closed:
                link.close()
                del self._market[peer]

    async def _take_all(self) -> None:
        heard, self._heard = self._heard, []
        for message in heard:
            if isinstance(message, OrderUpdate):
                await self._carrier.carry(self._desk.on_update(message, self._child.clock.now_ns()))
            elif isinstance(message, BrokerStatus):
                self._on_status(message)
        await self._carrier.answers()
        if self._child.orphaned and not self._orphan_done:
            await self._without_supervisor()
        if not self._reconciled:
            return
        intents, self._intents = self._intents, []
        for intent in intents:
            await self._carrier.carry(self._desk.on_intent(intent, self._child.clock.now_ns()))
        if monotonic_ns() >= self._tick_at:
            self._tick_at = monotonic_ns() + TICK_NS
            await self._carrier.carry(self._desk.on_time(self._child.clock.now_ns()))

    async def _take_step(self) -> None:
        """Lock-step: prices, then the broker's updates, then the clock; the consumers.

        Then their intents in order.
        """
        for message in self._heard:
            if isinstance(message, BrokerStatus):
                self._on_status(message)
            else:
                self._steps.broker(message)
        self._heard.clear()
        if opened := self._steps.open():
            step, updates = opened
            self._child.anchor.step_to(step.t_ns)
            for update in updates:
                await self._carrier.carry(self._desk.on_update(update, step.t_ns))
            await self._carrier.carry(self._desk.on_time(step.t_ns))
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

    def _on_status(self, status: BrokerStatus) -> None:
        self._reconciled = False
        if status.connected:
            self._reconcile_at = 0
            self._facts.broker("reconciling", "comparing the books with the broker")
        else:
            self._facts.broker("away", status.words)
            self._child.say("warn", f"the broker is away: {status.words}", source="desk", kind="feed")

    async def _reconcile(self) -> None:
        settled = self._reconciled and not self._desk.needs_reconcile
        if settled or self._facts.broker_state == "away" or monotonic_ns() < self._reconcile_at:
            return
        self._reconcile_at = monotonic_ns() + RECONCILE_RETRY_NS
        try:
            account = await self._trader.account()
            await self._take_lock(account.id)
            orders = await self._trader.orders()
            executions = await self._trader.executions(0)
            positions = await self._trader.positions()
        except TraderError as e:
            self._facts.broker("reconciling", str(e))
            return
        agreed, effects = self._desk.reconcile(orders, executions, positions, self._child.clock.now_ns())
        await self._carrier.carry(effects)
        self._facts.account(account)
        if not agreed:
            self._facts.broker("reconciling", "the books and the broker differ; asking again")
            return
        self._reconciled = True
        self._facts.broker("ready", "")
        if not self._told_ready:
            self._told_ready = True
            await self._take_up()
            self._child.tell(DeskReady(account=account))

    async def _take_up(self) -> None:
        """Lift the pause of an ending or a lost supervisor; persons' and limits' words stay in force."""
        desk = self._desk
        if desk.state == "REDUCING" and desk.state_by in HOUSE and not desk.resume_refused():
            await self._carrier.carry(desk.resume("desk", "the session goes on", self._child.clock.now_ns()))

    async def _take_lock(self, account_id: str) -> None:
        """Hold the account for this batch. The one we take over from lets go within moments."""
        if self._lock is not None:
            return
        boot = self._child.boot
        workspace = Workspace(Path(boot.workspace), Path(boot.home), Settings.read().runtime_dir)
        name = f"account-{_lock_name(boot.venue, account_id)}.lock"
        path = workspace.socket_path("account").parent / name
        deadline = monotonic_ns() + int(LOCK_WAIT_S * SECOND_NS)
        while True:
            try:
                self._lock = FileLock.take(path, f"batch {boot.batch_id}")
            except RefusedError as e:
                if monotonic_ns() > deadline:
                    raise RefusedError(
                        f"account {account_id} is traded by another session ({e.what})",
                        mend="Stop that session first; see 'liu-tui sessions'",
                    ) from e
                await asyncio.sleep(0.1)
            else:
                return

    async def _ask_account(self) -> None:
        if not self._reconciled or monotonic_ns() < self._account_at:
            return
        self._account_at = monotonic_ns() + ACCOUNT_NS
        with contextlib.suppress(TraderError):
            self._facts.account(await self._trader.account())

    async def _settle(self) -> None:
        """At the end: hear the last updates, and value what is held at the broker's own prices."""
        await self._take_all()
        with contextlib.suppress(TraderError):
            for position in await self._trader.positions():
                self._desk.on_price(position.symbol, position.price)
                self._facts.moved(position.symbol)
            self._facts.account(await self._trader.account())

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

    def tell_state(self) -> None:
        """The desk's state has changed."""
        self._facts.touch()

    def _stats(self) -> Alive:
        return Alive(dispatched=len(self._consumers.fills), queue=len(self._intents) + len(self._heard))


def _lock_name(venue: Venue, account_id: str) -> str:
    """One name per account.

    Every local market numbers its accounts alike, so its address is part of the name.
    """
    place = venue.rest_url.rpartition(":")[2] if venue.kind == "local" else "alpaca"
    return f"{place}-{account_id}"


_DONE_WORDS = {
    "pause": "entries are refused from now on",
    "resume": "entries are allowed again",
    "cancel": "entry orders of {scope} are being canceled",
    "flatten": "{scope} is being canceled and closed, until flat",
    "settle": "settled",
    "kill": "halted; everything is being canceled and closed",
}


async def run(child: Child) -> None:
    """Be the desk."""
    boot = child.boot
    if boot.plan.environment is Environment.PROD:
        raise RefusedError("PROD is refused by this version", where="desk", mend='Set environment = "PAPER"')
    store = await Store.open(Path(boot.home) / "liu.db", durable=True)
    try:
        await DeskProcess(child, store, open_trader(boot.venue, keys_for(boot.venue))).run()
    except LiuError as e:
        child.say("error", str(e), source="desk")
        raise
    finally:
        await store.close()
