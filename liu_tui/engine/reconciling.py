"""Comparing with the broker: when it is asked, and what the desk's process does with the answer.

    all      at the start and after each reconnect, until nothing differs that nobody has decided about
    orders   every 5 s: what works at the broker against what works here
    shares   every 30 s: fills that were missed, then positions
    account  every 2 s; the listing at the start and once a day

and out of turn, soon, when the rules miss something. All of it is wall time: a broker is as slow as it is.
The questions run beside the desk's loop, so that no order waits for them; the answers are taken in its turn,
and what was sent or heard meanwhile is not judged by them. In lock-step there is no timetable: questions are
asked in the turn, and only where the rules need them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

from liu_tui.engine.accountlock import AccountLock
from liu_tui.engine.checktimes import CheckTimes
from liu_tui.engine.child import Child
from liu_tui.engine.deskfacts import FactSheet
from liu_tui.engine.messages import DeskReady
from liu_tui.errors import TraderError
from liu_tui.model.account import Account
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from liu_tui.model.orders import BrokerOrder
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import AskBroker, Effect
from liu_tui.trading.reconcile import LOOK_UPS
from liu_tui.trading.trader import BrokerStatus, Trader

GRACE_S = 2.0
"""An update or an answer may be so long on its way. Source: Alpaca's list trails a fill by 0.15 to 0.25 s."""

LOOK_BACK_NS = 60 * MINUTE_NS
"""Source: NautilusTrader: less than an hour finds orders missing that are not."""

LISTING_AGAIN_S = 60.0
UNHEARD = 2
"""A question that gets no answer so often in a row is said: until there is one, nothing is proved by it."""
_BOTH, _ONE = ("orders", "shares"), {"orders": ("orders",), "shares": ("shares",)}
_COMPARES = {"all": _BOTH, "now": _BOTH, **_ONE}
_NO_ANSWER = "books and broker cannot be compared"
HOUSE = frozenset({"desk", "session"})
"""Who pauses entries for the house's own reasons: an end, a lost supervisor."""

Carry = Callable[[Iterable[Effect]], Awaitable[None]]
Deed = Callable[[], Awaitable[None]]
"""What a question came to: to be taken in the desk's own turn."""


class Reconciling:
    """The desk's dealings with the broker beside its orders.

    compared: since the last reconnect; strategies are heard. What they may do, the rules say
    """

    def __init__(
        self,
        child: Child,
        desk: Desk,
        trader: Trader,
        facts: FactSheet,
        carry: Carry,
        *,
        wall: Callable[[], int] = monotonic_ns,
    ) -> None:
        self._child, self._desk, self._trader, self._facts, self._carry = child, desk, trader, facts, carry
        self.compared = self._told_ready = self._listed = False
        self._times = CheckTimes(trader, wall)
        self._lock = AccountLock(child)
        self._asking: asyncio.Task[Deed] | None = None
        self._unheard: dict[str, tuple[int, str]] = {}  # how often in a row there was no answer, and why
        self._not_heard = False  # and that it was said
        self._from_ns = 0  # session time up to which executions have been compared

    def on_status(self, status: BrokerStatus) -> None:
        """The updates connection came or went: what it missed is asked for."""
        self.compared = self._not_heard = False
        self._unheard.clear()
        self._forget()
        self._times.hurry()
        self._desk.broker_away("" if status.connected else status.words)
        if status.connected:
            self._facts.broker("reconciling", "comparing the books with the broker")
        else:
            self._facts.broker("away", status.words)
            self._child.say("warn", f"the broker is away: {status.words}", source="desk", kind="feed")

    def hurry(self) -> None:
        """Compare soon: a person has decided something."""
        self._times.hurry()

    async def turn(self) -> None:
        """Take the answer that has come, and ask what is due. Raises RefusedError if the account is taken."""
        self._desk.set_pace(1.0 if self._in_turn else self._child.anchor.anchor.speed)
        if self._asking is not None:
            if not self._asking.done():
                return
            asked, self._asking = self._asking, None
            await asked.result()()
        name = self._due()
        if not name:
            return
        self._times.asked(name)
        question = self._ask(name)
        if self._in_turn:
            await (await question)()
            return
        self._asking = asyncio.ensure_future(question)
        self._asking.add_done_callback(lambda _: self._child.wake.set())

    async def value(self) -> None:
        """At the end: value what is held at the broker's own prices."""
        with contextlib.suppress(TraderError):
            for position in await self._trader.positions():
                self._desk.on_price(position.symbol, position.price)
                self._facts.moved(position.symbol)
            self._facts.account(await self._trader.account())

    def close(self) -> None:
        """Ask nothing more, and let the account go."""
        self._forget()
        self._lock.release()

    # what is asked when

    @property
    def _in_turn(self) -> bool:
        return self._child.boot.venue.lockstep

    def _due(self) -> str:
        if self._facts.broker_state == "away":
            return ""
        if not (self.compared and self._told_ready):
            return "all" if self._times.soon() else ""
        if self._desk.needs_reconcile:
            if self._times.soon():
                return "all" if self._desk.needs_all else "now"
        else:
            self._times.quiet()
        return self._times.due(("account",) if self._in_turn else ("orders", "shares", "account", "listing"))

    def _forget(self) -> None:
        """Let go of a question whose answer means nothing any more."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    async def _ask(self, name: str) -> Deed:
        try:
            answer = await {
                "all": self._ask_all,
                "now": self._ask_now,
                "orders": self._ask_orders,
                "shares": self._ask_shares,
                "account": self._ask_account,
                "listing": self._ask_listing,
            }[name]()
        except TraderError as e:
            words = str(e)
            return lambda: self._unanswered(name, words)
        self._heard(name)
        return answer

    async def _unanswered(self, name: str, words: str) -> None:
        if name == "listing":
            self._times.again("listing", LISTING_AGAIN_S)
        if not self.compared and self._facts.broker_state != "away":
            self._facts.broker("reconciling", words)
        for part in _COMPARES.get(name, ()):
            times = self._unheard.get(part, (0, ""))[0] + 1
            self._unheard[part] = times, words
        self._say_unheard(words)

    def _heard(self, name: str) -> None:
        for part in _COMPARES.get(name, ()):
            self._unheard.pop(part, None)
        if self._not_heard and not self._why_unheard():
            self._say_unheard("")

    def _say_unheard(self, words: str) -> None:
        """Put on the broker's line that nothing can be compared, or that it can be again; in the log once."""
        unheard = bool(self._why_unheard())
        if not self.compared or unheard == self._not_heard:
            return
        self._not_heard = unheard
        self._facts.broker("ready", self._words())
        if unheard:
            self._child.say("warn", f"{_NO_ANSWER}: {words}", source="desk", kind="feed")

    def _why_unheard(self) -> str:
        return next((words for times, words in self._unheard.values() if times >= UNHEARD), "")

    # the questions, each with what is done with its answer

    async def _ask_all(self) -> Deed:
        now_ns, settled_ns = self._now(), self._settled()
        account = await self._trader.account()
        await self._lock.take(account.id)
        if not self._listed:
            with contextlib.suppress(TraderError):
                await (await self._ask_listing())()
                self._times.asked("listing")
        after_ns = self._desk.since_ns(now_ns) - LOOK_BACK_NS
        orders = await self._every_order(after_ns)
        executions = await self._trader.executions(after_ns)
        positions = await self._trader.positions()

        async def take() -> None:
            self._learn(account)
            settled = settled_ns if self._told_ready else None
            agreed, effects = self._desk.reconcile(
                orders, executions, positions, self._now(), settled_ns=settled
            )
            await self._carry(effects)
            self._from_ns = now_ns
            await self._compared(account, agreed=agreed)

        return take

    async def _ask_now(self) -> Deed:
        orders, shares = await self._ask_orders(), await self._ask_shares()

        async def take() -> None:
            await orders()
            await shares()

        return take

    async def _ask_orders(self) -> Deed:
        settled_ns = self._settled()
        orders = await self._trader.orders(open_only=True)

        async def take() -> None:
            look_ups = max(min(LOOK_UPS, self._times.left()), 0)
            effects = self._desk.check_orders(orders, self._now(), settled_ns=settled_ns, look_ups=look_ups)
            self._times.spend(sum(isinstance(effect, AskBroker) for effect in effects))
            await self._carry(effects)

        return take

    async def _ask_shares(self) -> Deed:
        now_ns, settled_ns = self._now(), self._settled()
        after_ns = max(self._from_ns, self._desk.since_ns(now_ns)) - LOOK_BACK_NS // 12
        executions = await self._trader.executions(after_ns)
        positions = await self._trader.positions()

        async def take() -> None:
            effects = self._desk.check_positions(executions, positions, self._now(), settled_ns=settled_ns)
            await self._carry(effects)
            self._from_ns = now_ns
            self._say_differences()

        return take

    async def _ask_account(self) -> Deed:
        account = await self._trader.account()

        async def take() -> None:
            self._learn(account)
            self._facts.account(account)

        return take

    async def _ask_listing(self) -> Deed:
        assets = {asset.symbol: asset for asset in await self._trader.assets()}

        async def take() -> None:
            self._listed = True
            self._desk.learn_assets(assets)

        return take

    async def _every_order(self, after_ns: int) -> list[BrokerOrder]:
        """The batch's orders, and older ones that work still."""
        found = {order.id: order for order in await self._trader.orders(after_ns=after_ns)}
        told = {leg.id for order in found.values() for leg in order.legs} | set(found)
        older = [order for order in await self._trader.orders(open_only=True) if order.id not in told]
        return [*older, *found.values()]

    # what follows

    async def _compared(self, account: Account, *, agreed: bool) -> None:
        self._facts.account(account)
        if not self.compared:
            self.compared = True
            await self._carry(self._desk.ask_again(self._now()))
        if not agreed and not self._told_ready:
            self._facts.broker("reconciling", self._words())
            return
        self._say_differences()
        if not self._told_ready:
            self._told_ready = True
            await self._take_up()
            self._child.tell(DeskReady(account=account))

    def _say_differences(self) -> None:
        """Put it on the broker's line."""
        if self.compared:
            self._facts.broker("ready", self._words())
        if not self._desk.differences:
            self._facts.compared(self._now())

    def _words(self) -> str:
        open_ = [one.words for one in self._desk.differences.values() if not one.choice]
        if not open_:
            unheard = self._why_unheard()
            return f"{_NO_ANSWER}: {unheard}" if unheard else ""
        more = f", and {len(open_) - 1} more" if len(open_) > 1 else ""
        return f"{open_[0]}{more}: adopt, flatten or ignore"

    async def _take_up(self) -> None:
        """Lift the pause of an ending or a lost supervisor; persons' and limits' words stay in force."""
        desk = self._desk
        if desk.state == "REDUCING" and desk.state_by in HOUSE and not desk.resume_refused():
            await self._carry(desk.resume("desk", "the session goes on", self._now()))

    def _learn(self, account: Account) -> None:
        # In lock-step the desk asks at its steps: a replay may not depend on the wall clock.
        if not self._in_turn or self._desk.venue.account is None:
            self._desk.learn_account(account)

    def _now(self) -> int:
        return self._child.clock.now_ns()

    def _settled(self) -> int:
        """Session time before which everything that was sent, here or there, has arrived."""
        speed = 0.0 if self._in_turn else max(self._child.anchor.anchor.speed, 1.0)
        return self._now() - int(GRACE_S * speed * SECOND_NS) + (1 if self._in_turn else 0)
