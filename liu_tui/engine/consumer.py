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
from liu_tui.engine.marketside import MarketSide
from liu_tui.engine.messages import (
    Alive,
    AskSeries,
    Assign,
    Boot,
    Drop,
    KeyRow,
    Profiles,
    Reload,
    SeriesDetail,
    StateRow,
    StatesSaved,
    StrategyState,
    TakeLink,
    ToChild,
    UnsubscribeAsked,
    VetoAsked,
    VetoSet,
)
from liu_tui.engine.meter import CallMeter, Face
from liu_tui.engine.orderside import OrderSide
from liu_tui.engine.reloading import Reloader
from liu_tui.engine.slots import load_slots
from liu_tui.market.history import DataAPI
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Intent
from liu_tui.settings import Workspace
from liu_tui.strategy import State
from liu_tui.trading.allocation import first_shares
from liu_tui.trading.session import (
    KeySet,
    Request,
    Said,
    Session,
    StrategyFault,
    UnsubscribeRequest,
    VetoRequest,
)
from liu_tui.wiring.venue import keys_for, open_cached_data

_log = logging.getLogger(__name__)

SAVE_S = 1.0
TIMER_S = 0.05
HANG_S = 2.0
"""A call that lasts so long stops the heartbeat: the supervisor ends us, and says whose call it was."""


class Consumer:
    """One consumer process."""

    def __init__(self, child: Child) -> None:
        boot = child.boot
        self._child = child
        self._face = Face(Path(boot.home) / "sessions" / f"{boot.batch_id}.{boot.name}.face")
        budgets = {name: table.budget_ms for name, table in boot.plan.strategies.items()}
        self._meter = CallMeter(self._face, budgets)
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
        for share in first_shares(boot.plan):
            self._session.allocate(share.strategy, share.worth, share.free)
        self._session.restore((), (), _states_of(boot.states), _vetoes_of(boot.vetoes))
        self._backfill = Backfill(_history_of(boot), child, self._profiles)
        self._reloader = Reloader(child, self._session, self._face)
        self._orders = OrderSide(
            boot.name, self._session, self._put, after_fill=boot.after_fill, untold=boot.untold
        )
        self._market = MarketSide(child, self._session, self._backfill, self._orders, self._put)
        self._keys_set: list[KeyRow] = []
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
                if child.wake.is_set():
                    await asyncio.sleep(0)  # wait() would return at once, and nobody else had a turn
                await child.wake.wait()
                child.wake.clear()
                await self._turn()
            await self._put(await self._session.stop(child.clock.now_ns()))
            self._save()
            await self._orders.drained()
        finally:
            beat.cancel()
            await self._backfill.close()
            self._face.close()

    async def _turn(self) -> None:
        for message, sock in self._child.orders():
            await self._obey(message, sock)
        await self._orders.hear()
        await self._market.take()
        if self._session.untold:  # a symbol of theirs may be served by now
            await self._put(await self._session.tell_untold())
        if (step := self._market.finished_step()) is not None:
            self._orders.finish(step)
        self._complain()
        if monotonic_ns() - self._saved_at > SAVE_S * SECOND_NS:
            self._save()

    # ── the supervisor ──

    async def _obey(self, message: ToChild, sock: socket.socket | None) -> None:
        match message:
            case TakeLink(kind=kind, peer=peer) if sock is not None:
                self._take_link(kind, peer, sock)
            case Assign():
                self._market.assign(message)
            case Drop(symbol=symbol):
                self._market.drop(symbol)
            case VetoSet(symbol=symbol, strategy=strategy, on=True, until_ns=until_ns):
                self._session.veto(symbol, strategy, until_ns)
            case VetoSet(symbol=symbol, strategy=strategy):
                self._session.allow(symbol, strategy)
            case Reload(filename=filename):
                await self._reload(filename)
            case AskSeries(symbol=symbol):
                self._child.tell(SeriesDetail(detail=detail_of(self._session, symbol)))

    def _take_link(self, kind: str, peer: str, sock: socket.socket) -> None:
        if kind == "orders":
            self._orders.attach(sock, self._child.wake.set)
        else:
            self._market.take_link(peer, sock)

    async def _reload(self, filename: str) -> None:
        requests, profiles = await self._reloader.reload(filename)
        await self._put(requests)
        if profiles:
            fresh = {profile.name: profile for profile in profiles}
            self._profiles = [fresh.get(profile.name, profile) for profile in self._profiles]
            self._backfill.profiles = self._profiles
            self._child.tell(Profiles(profiles=tuple(self._profiles)))

    # ── what the strategies asked for ──

    async def _put(self, requests: list[Request]) -> None:
        for request in requests:
            match request:
                case Intent():
                    self._orders.send(request)
                case VetoRequest():
                    self._child.tell(
                        VetoAsked(
                            symbol=request.symbol,
                            strategy=request.strategy,
                            by=request.by,
                            reason=request.reason,
                            until_ns=request.until_ns,
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
            self._child.tell(
                StatesSaved(
                    rows=rows,
                    keys=tuple(self._keys_set),
                    after_fill=self._orders.after_fill,
                    untold=self._orders.untold(),
                )
            )
            self._keys_set = []

    def _stats(self) -> Alive | None:
        if self._meter.under_way_s() > HANG_S:
            return None  # a strategy that waits for ever hangs us as one that computes for ever does
        market = self._market
        p50, p99 = market.lag.percentiles()
        slowest, slowest_ms = self._meter.slowest()
        return Alive(
            received=market.received,
            dispatched=market.dispatched,
            discarded=market.discarded,
            queue=market.queue,
            lag_p50_ms=p50,
            lag_p99_ms=p99,
            symbols=len(self._session.symbols),
            slowest=slowest,
            slowest_ms=slowest_ms,
            by_symbol=tuple((symbol, count, 0) for symbol, count in market.discards.items()),
            by_strategy=tuple(
                (name, calls, self._meter.slow.get(name, 0)) for name, calls in self._meter.calls.items()
            ),
        )


def _history_of(boot: Boot) -> DataAPI:
    """The venue's history, with what is final of it kept on disk."""
    workspace = Workspace(Path(boot.workspace), Path(boot.home))
    return open_cached_data(boot.venue, keys_for(boot.venue), workspace)


def _about(symbol: str, words: str) -> str:
    return f"{symbol} {words}" if symbol else words


def _keys_of(rows: tuple[KeyRow, ...]) -> dict[str, dict[str, str]]:
    keys: dict[str, dict[str, str]] = {}
    for row in rows:
        keys.setdefault(row.strategy, {})[row.key] = row.value
    return keys


def _vetoes_of(rows: tuple[VetoSet, ...]) -> list[tuple[str, str, int]]:
    return [(row.symbol, row.strategy, row.until_ns) for row in rows]


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
