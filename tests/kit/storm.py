"""A whole session in one thread, of one seed: the real rules, the real exchange, and all between that fails.

What lies between the rules and the exchange is copied here without processes, sockets or clocks: rows that
are committed as `engine.carrier` commits them, requests beside the desk's loop, a stream of updates, the
timetable of `engine.reconciling`. Each can fail on its way, and the desk be killed between any two steps.
The same seed gives the same run, to the last byte.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from liu_tui.engine.checktimes import CheckTimes
from liu_tui.model.market import SECOND_NS, Quote
from liu_tui.model.orders import Fill, Intent, OrderNews, OrderRequest, OrderUpdate, ReplaceRequest
from liu_tui.plan.schema import FeesTable, Limits
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
    News,
    Notice,
    ReplaceAtBroker,
    Send,
    Suspend,
)
from liu_tui.trading.holding import Holding
from liu_tui.trading.matching.exchange import Exchange, ExchangeOptions, ExchangeRefusal
from liu_tui.trading.reconcile import LOOK_UPS
from tests.kit.desk import NOON_NS
from tests.kit.stormrows import Rows

SYMBOLS = ("TSLA", "AAPL", "MSFT")
STRATEGIES = ("alpha", "beta", "swing")
GRACE_NS = 2 * SECOND_NS
LOOK_BACK_NS = 3600 * SECOND_NS
FAULTS = ("lost answer", "429", "500", "504", "away", "late")
_MANY = 1_000_000

Turn = Callable[[], list[Effect]]
Deed = Callable[[], None]


class Killed(Exception):
    """The desk's process ends here; what it has not stored or sent is gone."""


class Door:
    """The way into the exchange, where every id that comes by is counted, refused ones too."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.seen: Counter[str] = Counter()
        self.suspended = False
        self.halted: set[str] = set()

    def submit(self, request: OrderRequest, now_ns: int) -> Any:
        """Let an order in. Raises ExchangeRefusal."""
        self._count(request.client_order_id)
        if self.suspended:
            raise ExchangeRefusal(403, 40310000, "new orders are rejected by user request")
        if request.symbol in self.halted:
            raise ExchangeRefusal(403, 40310000, "trading is halted")
        return self.exchange.submit(request, now_ns)

    def replace(self, request: ReplaceRequest, now_ns: int) -> Any:
        """Let other terms in. Raises ExchangeRefusal."""
        self._count(request.client_order_id)
        return self.exchange.replace(
            request.order_id, now_ns, qty=request.qty, limit_price=request.limit_price,
            stop_price=request.stop_price, trail=request.trail, tif=request.tif,
            client_order_id=request.client_order_id,
        )  # fmt: skip

    def _count(self, cid: str) -> None:
        self.seen[cid] += 1
        assert self.seen[cid] == 1, f"{cid} was sent twice"


class Storm:
    """One desk, its rows, its strategies' holdings, and an exchange behind wires.

    wild: while it is set wires fail and delay; calm() takes that away
    """

    def __init__(self, seed: int, *, limits: Limits | None = None) -> None:
        draw = self.draw = random.Random(seed)
        self.seed, self.now_ns, self.wild = seed, NOON_NS, True
        fees = FeesTable(per_order=0.35, per_share=0.005) if draw.random() < 0.3 else FeesTable()
        self.exchange = Exchange(
            cash=1_000_000.0, seed=seed, partial_fills=draw.choice((0.0, 0.3, 1.0)),
            options=_manners(draw, fees),
        )  # fmt: skip
        self.fees, self.limits = fees, limits or Limits()
        self.door = Door(self.exchange)
        self.rows = Rows()
        self.prices = dict.fromkeys(SYMBOLS, 100.0)
        self.holdings = {(name, symbol): Holding() for name in STRATEGIES for symbol in SYMBOLS}
        self.heard_fills = 0
        self.unanswered: dict[str, Intent] = {}
        self.asked: dict[str, Intent] = {}
        self.intents: list[Intent] = []
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.log: list[str] = []
        self.fuse = 0  # so many steps until the desk is killed; 0: never
        self.strangers = 0  # orders made elsewhere
        self._n = 0
        self.begin()

    # the desk's life

    def begin(self) -> None:
        """Start a desk from what is stored."""
        self.inbox: list[tuple[int, int, Turn]] = []
        self.outward: list[tuple[int, int, Deed]] = []
        self.compared = self.ready = False
        self.stream: set[int] = set()  # which of the inbox are updates
        self._question = 0  # number of the one that is asked, 0 if none is
        self._from_ns = 0
        self._times = CheckTimes(_NoTrader(), lambda: self.now_ns)  # type: ignore[arg-type]  # only asked for a rate
        desk = Desk(batch_id="b1", limits=self.limits, swing=frozenset({"swing"}), fees=self.fees)
        desk.proves_flat = True
        self.desk = desk
        rows = self.rows
        desk.restore(
            [*rows.orders.values()], [*rows.fills.values()], *rows.state,
            flattens=[*rows.flattens.values()], differences=rows.standing_differences(),
        )  # fmt: skip
        for (symbol, strategy), (by, reason, until_ns) in rows.vetoes.items():
            desk.veto(symbol, strategy, by, reason, until_ns)
        for symbol, price in self.prices.items():
            desk.on_price(symbol, price, self.now_ns, price - 0.01, price + 0.01)
        for symbol in sorted(self.door.halted):
            desk.on_halt(symbol, halted=True)
        desk.learn_account(self.exchange.account())
        self._attach()
        self.carry(desk.learn_day(rows.days.values(), self.now_ns))

    def kill(self, where: str) -> None:
        """End the desk: what was on its way to it is lost, what had left may arrive or not. Start another."""
        self.kills[where] += 1
        self.fuse = 0
        self.log.append(f"{self.now_ns} killed {where}")
        for _, _, request in sorted(self.outward, key=_due):
            if self.draw.random() < 0.6:
                request()
        self.now_ns += int(self.draw.choice((0.0, 0.2, 3.0, 20.0)) * SECOND_NS)
        self.exchange.on_time(self.now_ns)
        self.exchange.drain()
        self.begin()
        if self.wild and self.draw.random() < 0.2:  # again, while it asks how things stand
            self.fuse = self.draw.randint(1, 5)

    def guarded(self, deed: Deed) -> None:
        """Do something that the desk may not survive."""
        try:
            deed()
        except Killed as e:
            self.kill(str(e))

    def point(self, where: str) -> None:
        """Pass a place at which the desk may be killed. Raises Killed."""
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                raise Killed(where)

    def _attach(self) -> None:
        """The strategies' side finds the new desk: fills that it missed, how things stand, its intents."""
        for fill in [*self.rows.fills.values()][self.heard_fills :]:
            self._tell_fill(fill)
        live: dict[tuple[str, str], list[OrderNews]] = {}
        for one in self.desk.live_news():
            live.setdefault((one.strategy, one.symbol), []).append(one)
        for key, holding in self.holdings.items():
            holding.restore(self.desk.positions.get(key), live.get(key, ()))
        self.intents = [*self.unanswered.values()]

    def _tell_fill(self, fill: Fill) -> None:
        self.heard_fills += 1
        if (fill.strategy, fill.symbol) in self.holdings:
            self.holdings[fill.strategy, fill.symbol].on_fill(fill)

    # what the desk wants done: as the carrier does it

    def carry(self, effects: Iterable[Effect]) -> None:
        """Store all that is to be stored, then let what leaves leave. Raises Killed."""
        entries: list[Journal] = []
        fills: list[Fill] = []
        leaving: list[Effect] = []
        for effect in effects:
            match effect:
                case Journal():
                    entries.append(effect)
                case Booked(fill=fill):
                    fills.append(fill)
                case Notice(words=words):
                    self.log.append(f"{self.now_ns} {words}")
                case _:
                    leaving.append(effect)
        if entries or fills:
            self.point("before the commit")
            self.rows.commit(entries, fills)
            self.point("after the commit")
        for fill in fills:
            self._tell_fill(fill)
        for effect in leaving:
            self._leave(effect)
            self.point(f"after {type(effect).__name__}")

    def _leave(self, effect: Effect) -> None:
        match effect:
            case Send(request=request):
                self.rows.assert_written(request.client_order_id)
                self._order(request.client_order_id, lambda: self.door.submit(request, self.now_ns))
            case ReplaceAtBroker(request=terms):
                self.rows.assert_written(terms.client_order_id)
                self._order(terms.client_order_id, lambda: self.door.replace(terms, self.now_ns))
            case CancelAtBroker(order_id=order_id, client_order_id=cid):
                self._cancel(order_id, cid)
            case AskBroker(client_order_id=cid):
                self._look_up(cid)
            case Suspend(on=on):
                self.door.suspended = on
            case News(news=news):
                self._tell_news(news)
            case Changed() | Differs() | Latched() | DayKept():
                self.rows.keep(effect)

    def _tell_news(self, news: OrderNews) -> None:
        self.unanswered.pop(news.intent_id, None)
        if (news.strategy, news.symbol) in self.holdings:
            self.holdings[news.strategy, news.symbol].on_news(news)

    # requests

    def _fault(self, *kinds: str) -> str:
        if not self.wild or self.draw.random() > 0.15:
            return ""
        kind = self.draw.choice(kinds or FAULTS)
        self.faults[kind] += 1
        return kind

    def _unanswered(self) -> bool:
        return self.draw.random() < 0.3 and bool(self._fault("429"))

    def _order(self, cid: str, call: Callable[[], Any]) -> None:
        fault = self._fault()
        if fault in ("429", "away"):
            self._answer(lambda: self._failed(cid, fault, away=True))
            return
        if fault == "500":
            self._answer(lambda: self._failed(cid, fault, unknown=True))
            return
        if fault == "late":  # given up by us, and under way all the same
            self._answer(lambda: self._failed(cid, "timed out", unknown=True))

        def arrive() -> None:
            try:
                order = call()
            except ExchangeRefusal as e:
                words, code = e.what, e.broker_code
                if fault not in ("late", "lost answer", "504"):
                    self._answer(lambda: self._failed(cid, words, code=code))
                    return
            else:
                if not fault:
                    self._answer(lambda: self.desk.on_accepted(cid, order, self.now_ns))
            if fault in ("lost answer", "504"):
                self._answer(lambda: self._failed(cid, fault, unknown=True))

        self._request(arrive, late=fault == "late")

    def _failed(
        self, cid: str, words: str, *, unknown: bool = False, code: int = 0, away: bool = False
    ) -> list[Effect]:
        return self.desk.on_failed(cid, words, unknown=unknown, now_ns=self.now_ns, code=code, away=away)

    def _cancel(self, order_id: str, cid: str) -> None:
        fault = self._fault("429", "lost answer")

        def arrive() -> None:
            try:
                if fault != "429":
                    self.exchange.cancel(order_id, self.now_ns)
                words = fault
            except ExchangeRefusal as e:
                words = e.what
            if words:
                self._answer(lambda: self.desk.on_cancel_failed(cid, words, self.now_ns))

        self._request(arrive)

    def _look_up(self, cid: str) -> None:
        fault = self._fault("429", "lost answer")

        def arrive() -> None:
            order = self.exchange.order_by_client_id(cid)
            if fault:
                self._answer(lambda: self._failed(cid, fault, unknown=True))
            else:
                self._answer(lambda: self.desk.on_broker_order(cid, order, self.now_ns))

        self._request(arrive)

    def _request(self, deed: Deed, *, late: bool = False) -> None:
        self._put_out(self.draw.uniform(1.0, 8.0) if late else self._wire(), deed)

    def _put_out(self, seconds: float, deed: Deed) -> None:
        self._n += 1
        self.outward.append((self.now_ns + int(seconds * SECOND_NS), self._n, deed))

    def _answer(self, turn: Turn, seconds: float | None = None) -> None:
        self._n += 1
        wait = self._wire() if seconds is None else seconds
        self.inbox.append((self.now_ns + int(wait * SECOND_NS), self._n, turn))

    def _wire(self) -> float:
        return self.draw.choice((0.0, 0.0, 0.1, 0.4, 1.5)) if self.wild else 0.0

    # updates

    def hear(self) -> None:
        """Put what the exchange says into the wires."""
        for update in self.exchange.drain():
            fault = self._fault("lost update", "doubled update", "slow update")
            if fault != "lost update":
                self._update(update, 4.0 if fault == "slow update" else 0.0)
            if fault == "doubled update":
                self._update(update, self.draw.uniform(0.0, 6.0))

    def _update(self, update: OrderUpdate, more: float) -> None:
        self._answer(lambda: self.desk.on_update(update, self.now_ns), self._wire() + more)
        self.stream.add(self._n)

    def cut(self) -> None:
        """Cut the stream: what was in it is lost, and all is compared when it is back."""
        self.faults["cut"] += 1
        self.exchange.drain()
        self.inbox = [one for one in self.inbox if one[1] not in self.stream]
        self.compared, self._question = False, 0
        self._times.hurry()
        self.desk.broker_away("cut")
        self.desk.broker_away("")

    # turns

    def turn(self) -> None:
        """One turn of the desk's loop. Raises Killed."""
        due = sorted((one for one in self.inbox if one[0] <= self.now_ns), key=_due)
        self.inbox = [one for one in self.inbox if one[0] > self.now_ns]
        effects: list[Effect] = []
        for _, _, message in due:
            effects += message()
        if self.compared:
            intents, self.intents = self.intents, []
            for intent in intents:
                effects += self.desk.on_intent(intent, self.now_ns)
            effects += self.desk.on_time(self.now_ns)
        self.carry(effects)
        self._compare()

    def pass_time(self, seconds: float, step: float = 0.5) -> None:
        """Let time pass, in small steps, with everything that is due in it."""
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while True:
            self.exchange.on_time(self.now_ns)
            for one in sorted((one for one in self.outward if one[0] <= self.now_ns), key=_due):
                if one in self.outward:
                    self.outward.remove(one)
                    self.guarded(one[2])
            self.hear()
            self.guarded(self.turn)
            if self.now_ns >= end_ns:
                return
            self.now_ns = min(self.now_ns + int(step * SECOND_NS), max(end_ns, self.now_ns + 1))

    def quote(self, symbol: str, price: float, size: float = 300.0) -> None:
        """Move the market, two cents wide."""
        if symbol in self.door.halted:
            return
        price = self.prices[symbol] = round(price, 2)
        self.now_ns += SECOND_NS // 100
        bid, ask = round(price - 0.01, 2), round(price + 0.01, 2)
        self.exchange.on_event(Quote(symbol, self.now_ns, bid, size, ask, size))
        self.desk.on_price(symbol, price, self.now_ns, bid, ask)

    # comparing: as `engine.reconciling` does it

    def _compare(self) -> None:
        name = "" if self._question else self._due_question()
        if name:
            self._n += 1
            self._question = self._n
            self._times.asked(name)
            self._ask(name)

    def _due_question(self) -> str:
        if not (self.compared and self.ready):
            return "all" if self._times.soon() else ""
        if self.desk.needs_reconcile:
            if self._times.soon():
                return "all" if self.desk.needs_all else "now"
        else:
            self._times.quiet()
        return self._times.due(("orders", "shares"))

    def _ask(self, name: str) -> None:
        """Ask, part after part, each of another moment; the answer comes when all have."""
        told: dict[str, Any] = {}
        exchange, settled_ns, now_ns, number = (
            self.exchange,
            self.now_ns - GRACE_NS,
            self.now_ns,
            self._question,
        )
        since_ns = self.desk.since_ns(now_ns)
        after_ns = since_ns - LOOK_BACK_NS
        parts: dict[str, Deed] = {
            "orders": lambda: told.update(
                orders=exchange.orders(open_only=name != "all", after_ns=after_ns if name == "all" else 0)
            ),
            "executions": lambda: told.update(
                executions=exchange.executions(
                    after_ns if name == "all" else max(self._from_ns, since_ns) - LOOK_BACK_NS // 12
                )
            ),
            "positions": lambda: told.update(positions=exchange.positions()),
        }
        wanted = {"orders": ["orders"], "shares": ["executions", "positions"]}.get(name, [*parts])

        def next_part() -> None:
            if number != self._question:
                return
            if self._unanswered():
                self._question = 0
                return
            if wanted:
                parts[wanted.pop(0)]()
                self._put_out(self._wire(), next_part)
            else:
                self._question = 0
                self._take(name, told, now_ns, settled_ns)

        self._put_out(0.0, next_part)

    def _take(self, name: str, told: dict[str, Any], asked_ns: int, settled_ns: int) -> None:
        desk, now_ns = self.desk, self.now_ns
        if name == "all":
            settled = settled_ns if self.ready else None
            agreed, effects = desk.reconcile(
                told["orders"], told["executions"], told["positions"], now_ns, settled_ns=settled
            )
            self.carry(effects)
            self._from_ns = asked_ns
            if not self.compared:
                self.compared = True
                self.carry(desk.ask_again(now_ns))
            self.ready = self.ready or agreed
            return
        if name in ("orders", "now"):
            look_ups = max(min(LOOK_UPS, self._times.left()), 0)
            self.carry(desk.check_orders(told["orders"], now_ns, settled_ns=settled_ns, look_ups=look_ups))
        if name in ("shares", "now"):
            self.carry(
                desk.check_positions(told["executions"], told["positions"], now_ns, settled_ns=settled_ns)
            )
            self._from_ns = asked_ns

    # the end

    def calm(self, seconds: float) -> None:
        """Let everything arrive, and time pass; nothing fails any more."""
        self.wild = False
        self.fuse = 0
        for _ in range(int(seconds)):
            for symbol, price in self.prices.items():
                self.quote(symbol, price, _MANY)
            self.pass_time(1.0, step=1.0)


class _NoTrader:
    """A broker that tells nothing of an allowance."""


def _due(one: tuple[int, int, Any]) -> tuple[int, int]:
    return one[0], one[1]


def _manners(draw: random.Random, fees: FeesTable) -> ExchangeOptions:
    return ExchangeOptions(
        displayed=draw.random() < 0.3,
        queue=draw.random() < 0.2,
        latency_ns=draw.choice((0, 0, 50_000_000, 800_000_000)),
        slippage=draw.choice((0.0, 0.0, 0.001)),
        fees=fees,
    )
