"""Comparing with the broker: when it is asked, and what the desk's process does with the answer.

At start, after every reconnect, and when the rules miss something. No intent is taken before the first
comparison agrees.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from liu_tui.engine.child import Child
from liu_tui.engine.deskfacts import FactSheet
from liu_tui.engine.lock import FileLock
from liu_tui.engine.messages import DeskReady
from liu_tui.errors import RefusedError, TraderError
from liu_tui.model.account import Account
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS
from liu_tui.settings import Settings, Workspace
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Effect
from liu_tui.trading.trader import BrokerStatus, Trader
from liu_tui.wiring.venue import Venue

RETRY_NS = SECOND_NS // 2
ACCOUNT_NS = 2 * SECOND_NS
LOCK_WAIT_S = 10.0
HOUSE = frozenset({"desk", "session"})
"""Who pauses entries for the house's own reasons: an end, a lost supervisor."""

Carry = Callable[[Iterable[Effect]], Awaitable[None]]


class Reconciling:
    """The desk's dealings with the broker beside its orders. agreed: since the last reconnect."""

    def __init__(self, child: Child, desk: Desk, trader: Trader, facts: FactSheet, carry: Carry) -> None:
        self._child, self._desk, self._trader, self._facts, self._carry = child, desk, trader, facts, carry
        self.agreed = self._told_ready = False
        self._at = self._account_at = 0
        self._lock: FileLock | None = None

    def on_status(self, status: BrokerStatus) -> None:
        """The updates connection came or went: what it missed is asked for."""
        self.agreed = False
        self._desk.broker_away("" if status.connected else status.words)
        if status.connected:
            self._at = 0
            self._facts.broker("reconciling", "comparing the books with the broker")
        else:
            self._facts.broker("away", status.words)
            self._child.say("warn", f"the broker is away: {status.words}", source="desk", kind="feed")

    async def turn(self) -> None:
        """Compare if it is due, and keep the account's figures fresh."""
        await self._compare()
        await self._ask_account()

    async def value(self) -> None:
        """At the end: value what is held at the broker's own prices."""
        with contextlib.suppress(TraderError):
            for position in await self._trader.positions():
                self._desk.on_price(position.symbol, position.price)
                self._facts.moved(position.symbol)
            self._facts.account(await self._trader.account())

    def close(self) -> None:
        """Let the account go."""
        if self._lock is not None:
            self._lock.release()

    async def _compare(self) -> None:
        settled = self.agreed and not self._desk.needs_reconcile
        if settled or self._facts.broker_state == "away" or monotonic_ns() < self._at:
            return
        self._at = monotonic_ns() + RETRY_NS
        try:
            account = await self._trader.account()
            await self._take_lock(account.id)
            self._learn(account)
            orders = await self._trader.orders()
            executions = await self._trader.executions(0)
            positions = await self._trader.positions()
        except TraderError as e:
            self._facts.broker("reconciling", str(e))
            return
        agreed, effects = self._desk.reconcile(orders, executions, positions, self._child.clock.now_ns())
        await self._carry(effects)
        self._facts.account(account)
        if not agreed:
            self._facts.broker("reconciling", "the books and the broker differ; asking again")
            return
        self.agreed = True
        self._facts.broker("ready", "")
        if not self._told_ready:
            self._told_ready = True
            await self._take_up()
            self._child.tell(DeskReady(account=account))

    async def _take_up(self) -> None:
        """Lift the pause of an ending or a lost supervisor; persons' and limits' words stay in force."""
        desk = self._desk
        if desk.state == "REDUCING" and desk.state_by in HOUSE and not desk.resume_refused():
            await self._carry(desk.resume("desk", "the session goes on", self._child.clock.now_ns()))

    async def _take_lock(self, account_id: str) -> None:
        """Hold the account for this batch. The one we take over from lets go within moments."""
        if self._lock is not None:
            return
        boot = self._child.boot
        if boot.live and account_id != boot.live:
            raise RefusedError(
                f"the keys are of account {account_id}, and {boot.live} was allowed to trade real money",
                mend="Check the keys, and start again.",
            )
        workspace = Workspace(Path(boot.workspace), Path(boot.home), Settings.read().runtime_dir)
        name = f"account-{_lock_name(boot.venue, account_id)}.lock"
        path = workspace.socket_path("account").parent / name
        deadline = monotonic_ns() + int(LOCK_WAIT_S * SECOND_NS)
        while True:
            try:
                self._lock = FileLock.take(path, f"batch {boot.batch_id}")
            except RefusedError as e:
                holder = e.what.rpartition("batch ")[2]
                # Ours is the desk before us, on its way out; nobody else's will let go.
                if holder != boot.batch_id or monotonic_ns() > deadline:
                    raise RefusedError(
                        f"account {account_id} is traded by the session of batch {holder}",
                        mend=f"See it with 'liu-tui attach {holder}', or end it with 'liu-tui stop {holder}'.",
                    ) from e
                await asyncio.sleep(0.1)
            else:
                return

    async def _ask_account(self) -> None:
        if not self.agreed or monotonic_ns() < self._account_at:
            return
        self._account_at = monotonic_ns() + ACCOUNT_NS
        with contextlib.suppress(TraderError):
            account = await self._trader.account()
            self._learn(account)
            self._facts.account(account)

    def _learn(self, account: Account) -> None:
        # In lock-step the desk asks at its steps: a replay may not depend on the wall clock.
        if not self._child.boot.venue.lockstep or self._desk.venue.account is None:
            self._desk.learn_account(account)


def _lock_name(venue: Venue, account_id: str) -> str:
    """One name per account.

    Every local market numbers its accounts alike, so its address is part of the name.
    """
    place = venue.rest_url.rpartition(":")[2] if venue.kind == "local" else "alpaca"
    return f"{place}-{account_id}"
