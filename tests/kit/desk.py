"""A desk at a real exchange, turned by hand; and builders for what it is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Quote
from liu_tui.model.orders import (
    BrokerOrder,
    Fill,
    Intent,
    Operation,
    OrderRequest,
    OrderState,
    OrderUpdate,
    ReplaceRequest,
)
from liu_tui.plan.schema import Limits
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import (
    AskBroker,
    Booked,
    CancelAtBroker,
    Changed,
    Effect,
    Journal,
    Latched,
    News,
    ReplaceAtBroker,
    Send,
    Suspend,
)
from liu_tui.trading.matching.exchange import Exchange, ExchangeRefusal
from liu_tui.trading.orders import OrderRecord
from tests.kit.exchange import HOUR_NS, MIDNIGHT_NS, hours_of

NOON_NS = MIDNIGHT_NS + 12 * HOUR_NS
NO_LIMITS = Limits()


def an_intent(
    operation: Operation = Operation.BUY, qty: float = 100, symbol: str = "TSLA", *, n: int = 0, **words: Any
) -> Intent:
    """Ask for an order at 100 dollars; n tells intents apart."""
    strategy = words.pop("strategy", "momentum")
    price = words.pop("price", 100.0)
    return Intent(
        id=f"b/{strategy}/{symbol}/{n}", strategy=strategy, symbol=symbol, operation=operation, qty=qty,
        event_ns=NOON_NS + n, ordinal=0, price=price, **words,
    )  # fmt: skip


def an_answer(request: OrderRequest, *, order_id: str = "", **words: Any) -> BrokerOrder:
    """Answer a request as a broker does, legs not named."""
    said: dict[str, Any] = {"status": OrderState.NEW, **words}
    return BrokerOrder(
        id=order_id or f"o-{request.client_order_id}", client_order_id=request.client_order_id,
        symbol=request.symbol, side=request.side, qty=request.qty, order_type=request.order_type,
        limit_price=request.limit_price, stop_price=request.stop_price,
        order_class=request.order_class, **said,
    )  # fmt: skip


def an_update(
    event: str, order: BrokerOrder, *, qty: float = 0.0, price: float = 0.0, x: str = "", **words: Any
) -> OrderUpdate:
    """One message of the trade-updates stream; x is the execution's id."""
    status = {"fill": "filled", "partial_fill": "partially_filled"}.get(event, event)
    order = replace(order, status=OrderState(status), **words)
    return OrderUpdate(event=event, order=order, t_ns=NOON_NS, execution_id=x, price=price, qty=qty)


def sends(effects: Iterable[Effect]) -> list[OrderRequest]:
    """List the orders that go out."""
    return [effect.request for effect in effects if isinstance(effect, Send)]


def cancels(effects: Iterable[Effect]) -> list[str]:
    """List the orders that are to be canceled, by our id."""
    return [effect.client_order_id for effect in effects if isinstance(effect, CancelAtBroker)]


def fills(effects: Iterable[Effect]) -> list[Fill]:
    """List the fills that are booked."""
    return [effect.fill for effect in effects if isinstance(effect, Booked)]


def refusals(effects: Iterable[Effect]) -> list[str]:
    """List the codes of what is refused."""
    return [effect.news.code for effect in effects if isinstance(effect, News) and effect.news.code]


class Books:
    """What a store keeps: the newest record of each order, every fill once, the state."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderRecord] = {}
        self.fills: dict[str, Fill] = {}
        self.state = ("ACTIVE", "", "")
        self.flattens: dict[tuple[str, int], Latched] = {}

    def keep(self, effect: Effect) -> None:
        """Store what is to be stored; words for people are not."""
        match effect:
            case Journal(order=order):
                self.orders[order.client_order_id] = order
            case Booked(fill=fill):
                assert fill.execution_id not in self.fills, "a fill was booked twice"
                self.fills[fill.execution_id] = fill
            case Changed(state=state, by=by, reason=reason):
                self.state = (state, by, reason)
            case Latched(symbol=symbol, since_ns=since_ns):
                self.flattens[symbol, since_ns] = effect


class Rig:
    """A desk, its books, and an exchange; effects are carried out at once unless `hold` says otherwise."""

    def __init__(
        self, *, limits: Limits = NO_LIMITS, hours: bool = False, partial_fills: float = 0.0, seed: int = 1,
        swing: frozenset[str] = frozenset(), cash: float = 1_000_000.0,
    ) -> None:  # fmt: skip
        self.exchange = Exchange(cash=cash, seed=seed, partial_fills=partial_fills)
        self.now_ns = NOON_NS
        self.hours: SessionHours | None = hours_of() if hours else None
        if self.hours:
            self.exchange.set_hours(self.hours)
        self.limits, self.swing = limits, swing
        self.books = Books()
        self.said: list[Effect] = []
        self.lose_answers = False
        self.refuse = 0  # so many of the next orders are refused
        self.halted: set[str] = set()  # orders in these are refused
        self.suspended = False  # the account's own lock
        self.sent: list[str] = []
        self.queue: deque[Effect] = deque()
        self.desk = self.new_desk()

    def new_desk(self) -> Desk:
        """Make a desk that knows nothing yet."""
        return Desk(batch_id="b1", limits=self.limits, hours=self.hours, swing=self.swing)

    def quote(self, price: float, symbol: str = "TSLA") -> None:
        """Move the market: two cents wide around the price."""
        self.now_ns += SECOND_NS
        self.exchange.on_event(Quote(symbol, self.now_ns, price - 0.01, 1000, price + 0.01, 1000))
        self.desk.on_price(symbol, price)
        self.settle()

    def ask(self, intent: Intent) -> list[Effect]:
        """Put an intent to the desk and let everything happen; returns all effects."""
        return self.do(self.desk.on_intent(intent, self.now_ns))

    def wait(self, seconds: float = 1.0) -> list[Effect]:
        """Let time pass."""
        self.now_ns += int(seconds * SECOND_NS)
        self.exchange.on_time(self.now_ns)
        before = len(self.said)
        self.settle()
        self.do(self.desk.on_time(self.now_ns))
        return self.said[before:]

    def minutes(self, n: float) -> list[Effect]:
        """Let minutes pass."""
        return self.wait(n * MINUTE_NS / SECOND_NS)

    def do(self, effects: Iterable[Effect]) -> list[Effect]:
        """Carry effects out, and what follows from them."""
        before = len(self.said)
        self.queue.extend(effects)
        self.settle()
        return self.said[before:]

    def settle(self) -> None:
        """Carry out and deliver until nothing is left."""
        while True:
            while self.queue:
                self.carry(self.queue.popleft())
            updates = self.exchange.drain()
            if not updates:
                return
            for update in updates:
                self.queue.extend(self.desk.on_update(update, self.now_ns))

    def carry(self, effect: Effect) -> None:
        """Carry one effect out."""
        self.said.append(effect)
        match effect:
            case Suspend(on=on):
                self.suspended = on
            case Send(request=request):
                self.queue.extendleft(reversed(self._submit(request)))
            case ReplaceAtBroker(request=request):
                self.queue.extendleft(reversed(self._replace(request)))
            case CancelAtBroker(order_id=order_id, client_order_id=cid):
                self.queue.extend(self._take_away(order_id, cid))
            case AskBroker(client_order_id=cid):
                order_now = self.exchange.order_by_client_id(cid)
                self.queue.extend(self.desk.on_broker_order(cid, order_now, self.now_ns))
            case _:
                self.books.keep(effect)

    def _submit(self, request: OrderRequest) -> list[Effect]:
        cid = request.client_order_id
        assert cid not in self.sent, f"{cid} was sent twice"
        self.sent.append(cid)
        assert self.books.orders[cid].state is OrderState.INTENT, "sent before it was journalled"
        if self.refuse or request.symbol in self.halted:
            self.refuse = max(self.refuse - 1, 0)
            return self.desk.on_failed(cid, "halted", unknown=False, now_ns=self.now_ns)
        try:
            order = self.exchange.submit(request, self.now_ns)
        except ExchangeRefusal as e:
            return self.desk.on_failed(cid, str(e), unknown=False, now_ns=self.now_ns)
        if self.lose_answers:
            return self.desk.on_failed(cid, "timed out", unknown=True, now_ns=self.now_ns)
        return self.desk.on_accepted(cid, order, self.now_ns)

    def _take_away(self, order_id: str, cid: str) -> list[Effect]:
        try:
            self.exchange.cancel(order_id, self.now_ns)
        except ExchangeRefusal as e:
            return self.desk.on_cancel_failed(cid, str(e), self.now_ns)
        return []

    def _replace(self, request: ReplaceRequest) -> list[Effect]:
        cid = request.client_order_id
        assert cid not in self.sent, f"{cid} was sent twice"
        self.sent.append(cid)
        assert self.books.orders[cid].state is OrderState.INTENT, "sent before it was journalled"
        try:
            order = self.exchange.replace(
                request.order_id, self.now_ns, qty=request.qty, limit_price=request.limit_price,
                stop_price=request.stop_price, tif=request.tif, client_order_id=cid,
            )  # fmt: skip
        except ExchangeRefusal as e:
            return self.desk.on_failed(cid, str(e), unknown=False, now_ns=self.now_ns)
        if self.lose_answers:
            return self.desk.on_failed(cid, "timed out", unknown=True, now_ns=self.now_ns)
        return self.desk.on_accepted(cid, order, self.now_ns)

    def restart(self) -> tuple[bool, list[Effect]]:
        """Kill the desk; start another from the books and the exchange. What was not carried out is lost."""
        self.queue.clear()
        self.exchange.drain()
        self.desk = self.new_desk()
        state, by, reason = self.books.state
        orders, fills = [*self.books.orders.values()], [*self.books.fills.values()]
        self.desk.restore(orders, fills, state, by, reason, flattens=self.books.flattens.values())
        return self.reconcile()

    def reconcile(self) -> tuple[bool, list[Effect]]:
        """Compare with the exchange."""
        exchange = self.exchange
        agreed, effects = self.desk.reconcile(
            exchange.orders(), exchange.executions(), exchange.positions(), self.now_ns
        )
        return agreed, self.do(effects)

    def held(self, symbol: str = "TSLA", strategy: str = "momentum") -> float:
        """Shares that the desk says the strategy holds."""
        position = self.desk.positions.get((strategy, symbol))
        return position.qty if position else 0.0

    def live(self, *roles: str) -> list[OrderRecord]:
        """Orders to which something may still happen, of these roles."""
        return [r for r in self.desk.orders.values() if r.live and (not roles or r.role in roles)]

    def last(self) -> OrderRecord:
        """Return the newest order."""
        return [*self.desk.orders.values()][-1]

    def assert_agrees(self) -> None:
        """Books and exchange say the same, and positions are the sums of their fills."""
        sums: dict[tuple[str, str], float] = {}
        for fill in self.books.fills.values():
            key = fill.strategy, fill.symbol
            sums[key] = round(sums.get(key, 0.0) + fill.qty, 9)
        held = {key: position.qty for key, position in self.desk.positions.items()}
        assert held == sums
        for broker in self.exchange.positions():
            assert self.desk.net(broker.symbol) == broker.qty
        assert set(self.books.fills) == {e.execution_id for e in self.exchange.executions()}
