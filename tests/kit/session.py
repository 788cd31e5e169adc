"""Builders for sessions: a day, events, strategies that answer as told, and a desk that fills at once."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import count
from typing import Any, ClassVar

import msgspec

from liu_tui.market.calendar import first_session
from liu_tui.model.actions import Action
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, Bar, MarketEvent, Quote, Trade
from liu_tui.model.orders import AskKind, Fill, Intent, Operation, OrderNews, OrderState, OrderType
from liu_tui.strategy import Context, PositionView, Strategy
from liu_tui.trading.session import Request, Session, Slot

DAY: SessionHours = first_session(date(2024, 3, 5))
OPEN = DAY.open_ns


def at(minutes: float) -> int:
    """Moment so many minutes after the open."""
    return OPEN + round(minutes * MINUTE_NS)


def a_bar(minutes: float = 0, close: float = 100.0, *, symbol: str = "AAPL", **fields: Any) -> Bar:
    """Make the minute bar that starts so many minutes after the open."""
    bar = Bar(symbol, at(minutes), close, close, close, close, 1_000.0)
    return msgspec.structs.replace(bar, **fields)


def a_trade(minutes: float, price: float = 100.0, symbol: str = "AAPL") -> Trade:
    """Make a trade of 100 shares."""
    return Trade(symbol, at(minutes), price, 100.0)


def a_quote(minutes: float, symbol: str = "AAPL") -> Quote:
    """Make a quote around 100 dollars."""
    return Quote(symbol, at(minutes), 99.9, 100.0, 100.1, 100.0)


Answer = Callable[..., object]


class Puppet(Strategy):
    """Answers what it is told to, and remembers what it was called for."""

    events: ClassVar[set[str]] = {"minute"}

    def __init__(self, name: str = "puppet", answer: Answer | object = None, **declared: Any) -> None:
        super().__init__(name)
        self.answer = answer
        self.heard: list[Any] = []
        for key, value in declared.items():
            setattr(self, key, value)

    async def run(self, symbol: str, now: datetime, bars: Any, position: PositionView, ctx: Context) -> Any:
        """Remember the event, then answer."""
        self.heard.append(ctx.event)
        if callable(self.answer):
            return self.answer(symbol=symbol, now=now, bars=bars, position=position, ctx=ctx)
        return self.answer

    async def on_fill(self, fill: Fill, ctx: Context) -> None:
        """Remember it."""
        self.heard.append(fill)

    async def on_order(self, news: OrderNews, ctx: Context) -> None:
        """Remember it."""
        self.heard.append(news)


class Ranker(Strategy):
    """A run_all strategy that answers what it is told to, and remembers what it saw."""

    every: ClassVar[float | None] = 5.0

    def __init__(self, name: str = "ranker", answer: Iterable[Action] = (), **declared: Any) -> None:
        super().__init__(name)
        self.answer = answer
        self.saw: list[tuple[datetime, list[str], Mapping[str, PositionView]]] = []
        for key, value in declared.items():
            setattr(self, key, value)

    async def run_all(
        self, now: datetime, series: Mapping[str, Any], positions: Mapping[str, PositionView], ctx: Context
    ) -> Iterable[Action]:
        """Remember what it saw, then answer."""
        self.saw.append((now, list(series), dict(positions)))
        return self.answer


def a_session(*strategies: Strategy | Slot, symbols: Iterable[str] = ("AAPL",), **settings: Any) -> Session:
    """Make a session of these strategies with these symbols."""
    slots = [s if isinstance(s, Slot) else Slot(s.name, s) for s in strategies]
    made = Session(slots, batch_id="b1", hours=DAY, portfolio_value=100_000.0, risk=0.001, **settings)
    for symbol in symbols:
        made.add_symbol(symbol)
    return made


async def feed(session: Session, *events: MarketEvent) -> list[Request]:
    """Show the session events, each at the moment when it is known."""
    requests: list[Request] = []
    for event in events:
        requests += await session.on_event(event, event.end_ns if isinstance(event, Bar) else event.t_ns)
    return requests


def intents(requests: Iterable[Request]) -> list[Intent]:
    """Keep the intents."""
    return [request for request in requests if isinstance(request, Intent)]


def news_of(intent: Intent, state: OrderState, filled: float = 0.0, **fields: Any) -> OrderNews:
    """Make the desk's news of an intent's order."""
    role = "entry" if intent.operation.enters else "exit"
    news = OrderNews(
        client_order_id=intent.id,
        order_id="o" + intent.id,
        intent_id=intent.id,
        strategy=intent.strategy,
        symbol=intent.symbol,
        operation=intent.operation,
        role=role,
        order_type=OrderType.MARKET,
        qty=intent.qty,
        filled_qty=filled,
        avg_price=0.0,
        state=state,
        t_ns=intent.event_ns,
        created_ns=intent.event_ns,
    )
    return msgspec.structs.replace(news, **fields)


_executions = count(1)


def fill_of(intent: Intent, qty: float, position: float, price: float = 100.0, **fields: Any) -> Fill:
    """Make a fill of an intent's order; qty and position signed."""
    fill = Fill(
        execution_id=f"e{next(_executions)}",
        client_order_id=intent.id,
        order_id="o" + intent.id,
        intent_id=intent.id,
        strategy=intent.strategy,
        symbol=intent.symbol,
        operation=intent.operation,
        qty=qty,
        price=price,
        t_ns=intent.event_ns,
        position=position,
        avg_price=price if position else 0.0,
        realized=0.0,
        stop=intent.stop,
        target=intent.target,
    )
    return msgspec.structs.replace(fill, **fields)


class InstantDesk:
    """Fills everything whole at the last price, and plays the bracket on the bars that follow."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.positions: dict[tuple[str, str], tuple[float, Intent]] = {}
        self.intents: list[Intent] = []
        self.others: list[Request] = []
        self.trips: dict[str, int] = {}
        self.pnl: dict[str, float] = {}
        self.most_open: dict[str, int] = {}
        self._cost: dict[tuple[str, str], float] = {}

    async def take(self, requests: Iterable[Request]) -> None:
        """Do what the session asks, and tell it."""
        for request in requests:
            if not isinstance(request, Intent):
                self.others.append(request)
                continue
            self.intents.append(request)
            if request.kind is AskKind.CANCEL:
                continue
            held = self.positions.get((request.strategy, request.symbol), (0.0, request))[0]
            qty = request.qty * request.operation.side.sign if request.qty else -held
            await self._fill(request, qty, request.price)

    async def on_bar(self, bar: Bar) -> None:
        """Let stops and targets work."""
        for (_, symbol), (qty, entry) in list(self.positions.items()):
            if symbol != bar.symbol or not qty:
                continue
            sign = 1 if qty > 0 else -1
            worst, best = (bar.low, bar.high) if sign > 0 else (bar.high, bar.low)
            for level, touched in ((entry.stop, worst), (entry.target, best)):
                reached = (
                    level is not None and (level - touched) * (sign if level is entry.stop else -sign) >= 0
                )
                if reached and level is not None:
                    operation = Operation.SELL if sign > 0 else Operation.COVER
                    leg = msgspec.structs.replace(entry, operation=operation, event_ns=bar.end_ns)
                    await self._fill(leg, -qty, level)
                    break

    async def _fill(self, intent: Intent, qty: float, price: float) -> None:
        key = (intent.strategy, intent.symbol)
        held = self.positions.get(key, (0.0, intent))
        position = held[0] + qty
        self.positions[key] = (position, intent if intent.operation.enters else held[1])
        opened = sum(1 for (name, _), (shares, _) in self.positions.items() if shares and name == key[0])
        self.most_open[key[0]] = max(self.most_open.get(key[0], 0), opened)
        self._cost[key] = self._cost.get(key, 0.0) - qty * price
        if not position:
            self.trips[intent.strategy] = self.trips.get(intent.strategy, 0) + 1
            self.pnl[intent.strategy] = self.pnl.get(intent.strategy, 0.0) + self._cost.pop(key)
        session = self._session
        await self.take(await session.on_fill(fill_of(intent, qty, position, price)))
        filled = news_of(intent, OrderState.FILLED, filled=abs(qty), qty=abs(qty))
        await self.take(await session.on_news(filled))


async def play(session: Session, bars: Iterable[Bar]) -> InstantDesk:
    """Show the session minute bars in the order of their end, with a desk that fills at once."""
    desk = InstantDesk(session)
    now = 0
    for bar in sorted(bars, key=lambda bar: (bar.end_ns, bar.symbol)):
        if now and bar.end_ns > now:
            await desk.take(await session.on_time(now))
        elif not now:
            await desk.take(await session.start(bar.t_ns))
        now = bar.end_ns
        await desk.on_bar(bar)
        await desk.take(await session.on_event(bar, now))
    await desk.take(await session.on_time(now))
    return desk
