"""Carries out what the desk's rules want done, in their order.

Journal rows and fills gather until something must leave the desk (an order, a cancel, a word to a
strategy); then they are committed in one transaction, and only after that does it leave. Requests to the
broker run beside the desk's loop and their answers come back to it; in lock-step each is waited for, so
that a replay repeats itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from liu_tui.engine.child import Child
from liu_tui.engine.daykeeping import DayKeeping
from liu_tui.errors import BrokerAway, OrderUnknown, TraderError
from liu_tui.model.orders import BrokerOrder, Fill, OrderNews, OrderRequest, ReplaceRequest
from liu_tui.store.journal import Entry
from liu_tui.store.store import Store
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import (
    AskBroker,
    Booked,
    CancelAtBroker,
    Changed,
    DayKept,
    Differs,
    Effect,
    Journal,
    Latched,
    Moved,
    News,
    Notice,
    ReplaceAtBroker,
    Send,
    Suspend,
)
from liu_tui.trading.trader import Trader

T = TypeVar("T")
_log = logging.getLogger(__name__)

Answer = Callable[[], list[Effect]]
"""What a request to the broker came to: to be told to the rules, in the desk's own turn."""


class Audience(Protocol):
    """Who hears of fills and orders once they are in the books."""

    def tell_fill(self, fill: Fill) -> None:
        """A fill has been stored."""

    def tell_news(self, news: OrderNews) -> None:
        """An order has changed."""

    def tell_state(self) -> None:
        """The desk's state has changed."""

    def flush(self) -> None:
        """All of it has been told."""


class Carrier:
    """The hands of the desk."""

    def __init__(self, child: Child, desk: Desk, store: Store, trader: Trader, audience: Audience) -> None:
        self._child, self._desk, self._store, self._trader = child, desk, store, trader
        self._audience = audience
        self._batch_id = child.boot.batch_id
        self._in_turn = child.boot.venue.lockstep
        self._entries: list[Entry] = []
        self._fills: list[Fill] = []
        self._moves: list[Moved] = []
        self._answers: list[Answer] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._days = DayKeeping(store)

    async def carry(self, effects: Iterable[Effect]) -> None:
        """Do all of it. Raises StoreError if the books cannot be written: then nothing more is sent.

        All that is to be stored is committed at once, before anything leaves: a commit waits for the disk,
        and whoever comes next waits for it. In lock-step an answer may change what follows, so there each
        effect is done before the next is looked at.
        """
        leaving: list[Effect] = []
        for effect in effects:
            match effect:
                case Journal(order=order, event=event, t_ns=t_ns, words=words):
                    self._entries.append((order, event, t_ns, words))
                case Booked(fill=fill):
                    self._fills.append(fill)
                case Moved():
                    self._moves.append(effect)
                case Notice(level=level, words=words, kind=kind, symbol=symbol):
                    source = symbol or "desk"
                    self._child.say(level, words, source=source, kind=kind)
                case _ if self._in_turn:
                    await self._commit()
                    await self._leave(effect)
                case _:
                    leaving.append(effect)
        await self._commit()
        await self._leave_all(leaving)
        self._audience.flush()
        await self._days.due()

    async def _leave_all(self, effects: list[Effect]) -> None:
        """Let go what was stored. Nobody waits for news as an order does: they go last, and all together."""
        for effect in effects:
            if not isinstance(effect, News):
                await self._leave(effect)
        if self._requests:
            await asyncio.sleep(0)  # now requests leave
        for effect in effects:
            if isinstance(effect, News):
                await self._leave(effect)

    def answered(self) -> list[Effect]:
        """Tell the rules what the broker has answered since the last turn; returns what they want done."""
        answers, self._answers = self._answers, []
        return [effect for answer in answers for effect in answer()]

    async def close(self) -> None:
        """Wait a moment for requests under way, then let them go: the next start asks the broker."""
        if self._requests:
            await asyncio.wait(self._requests, timeout=3.0)
        for task in self._requests:
            task.cancel()
        await self.carry(self.answered())
        await self._days.write()

    async def _commit(self) -> None:
        if not self._entries and not self._fills and not self._moves:
            return
        entries, self._entries = self._entries, []
        fills, self._fills = self._fills, []
        moves, self._moves = self._moves, []
        await self._store.journal.write(self._batch_id, entries, fills=fills, moves=moves)
        for fill in fills:
            self._audience.tell_fill(fill)

    async def _leave(self, effect: Effect) -> None:
        match effect:
            case Send(request=request):
                await self._request(self._submit(request))
            case ReplaceAtBroker(request=request):
                await self._request(self._replace(request))
            case CancelAtBroker(order_id=order_id, client_order_id=client_order_id):
                await self._request(self._cancel(order_id, client_order_id))
            case Suspend(on=on, why=why):
                await self._request(self._suspend(on, why))
            case AskBroker(client_order_id=client_order_id):
                await self._request(self._look_up(client_order_id))
            case News(news=news):
                self._audience.tell_news(news)
            case DayKept(day=day):
                await self._days.keep(day)
            case Changed() | Differs() | Latched():
                await self._store_state(effect)
                self._audience.tell_state()

    async def _store_state(self, effect: Changed | Differs | Latched) -> None:
        match effect:
            case Changed(state=state, by=by, reason=reason):
                await self._store.batches.set_state(self._batch_id, state, by, reason, self._now())
            case Differs():
                await self._store.differences.put(self._batch_id, effect)
            case Latched():
                await self._store.flattens.put(self._batch_id, effect)

    async def _request(self, deed: Awaitable[Answer]) -> None:
        if self._in_turn:
            await self.carry((await deed)())
            return
        task = asyncio.ensure_future(self._beside(deed))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _beside(self, deed: Awaitable[Answer]) -> None:
        answer = await deed
        self._answers.append(answer)  # looked up only now: the list is another one after each turn
        self._child.wake.set()

    async def _submit(self, request: OrderRequest) -> Answer:
        return await self._order(request.client_order_id, self._trader.submit(request))

    async def _replace(self, request: ReplaceRequest) -> Answer:
        return await self._order(request.client_order_id, self._trader.replace(request))

    async def _order(self, cid: str, call: Awaitable[BrokerOrder]) -> Answer:
        try:
            order = await _judged(call)
        except OrderUnknown as e:
            words, unknown, code, away = str(e), True, e.broker_code, False
        except TraderError as e:
            words, unknown, code = e.what, False, e.broker_code
            away = isinstance(e, BrokerAway)
        else:
            return lambda: self._desk.on_accepted(cid, order, self._now())
        return lambda: self._desk.on_failed(
            cid, words, unknown=unknown, now_ns=self._now(), code=code, away=away
        )

    async def _cancel(self, order_id: str, client_order_id: str) -> Answer:
        try:
            await _judged(self._trader.cancel(order_id))
        except TraderError as e:
            words = e.what
            return lambda: self._desk.on_cancel_failed(client_order_id, words, self._now())
        return list

    async def _suspend(self, on: bool, why: str) -> Answer:
        done = "set" if on else "lifted"
        try:
            await _judged(self._trader.suspend(on))
        except TraderError as e:
            level, words = "warn", f"the account's own lock could not be {done}: {e.what}"
        else:
            level, words = "info", f"the account's own lock on new orders is {done}: {why}"
        return lambda: [Notice(level, words)]

    async def _look_up(self, client_order_id: str) -> Answer:
        try:
            order = await _judged(self._trader.order_by_client_id(client_order_id))
        except TraderError as e:
            words = e.what
            return lambda: self._desk.on_failed(client_order_id, words, unknown=True, now_ns=self._now())
        return lambda: self._desk.on_broker_order(client_order_id, order, self._now())

    def _now(self) -> int:
        return self._child.clock.now_ns()


async def _judged(call: Awaitable[T]) -> T:
    """Await a request to the broker; a fault of the adapter's own is an answer that was lost, never a no."""
    try:
        return await call
    except TraderError:
        raise
    except Exception as e:
        _log.exception("the broker's adapter failed")
        raise OrderUnknown(f"{type(e).__name__}: {e}", where="the broker's adapter") from e
