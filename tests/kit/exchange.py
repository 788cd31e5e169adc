"""Builders for the exchange: hours, requests, a market that is turned by hand, and what must always hold."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, Quote, Trade
from liu_tui.model.orders import BrokerOrder, OrderClass, OrderRequest, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exchange import Exchange

HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
MIDNIGHT_NS = 1_800_000_000 * SECOND_NS


def hours_of(day: int = 0) -> SessionHours:
    """One day: pre-market 4:00, open 9:30, close 16:00, end 20:00, counted from MIDNIGHT_NS."""
    start = MIDNIGHT_NS + day * DAY_NS
    nine_thirty = start + 9 * HOUR_NS + 30 * MINUTE_NS
    return SessionHours(
        f"2027-01-{15 + day:02}", start + 4 * HOUR_NS, nine_thirty, start + 16 * HOUR_NS, start + 20 * HOUR_NS
    )


class Market:
    """An exchange and a clock that goes a second with every event. Quotes are two cents wide unless said."""

    def __init__(
        self, *, cash: float = 100_000.0, seed: int = 1, partial_fills: float = 0.0, hours: bool = False
    ) -> None:
        self.exchange = Exchange(cash=cash, seed=seed, partial_fills=partial_fills)
        self.now_ns = MIDNIGHT_NS + 10 * HOUR_NS
        self._ids = 0
        if hours:
            self.exchange.set_hours(hours_of())

    def quote(self, bid: float, ask: float | None = None, symbol: str = "TSLA") -> None:
        """Show a quote."""
        self.now_ns += SECOND_NS
        self.exchange.on_event(Quote(symbol, self.now_ns, bid, 100, bid + 0.02 if ask is None else ask, 100))

    def trade(self, price: float, symbol: str = "TSLA") -> None:
        """Show a print."""
        self.now_ns += SECOND_NS
        self.exchange.on_event(Trade(symbol, self.now_ns, price, 100))

    def bar(self, close: float, symbol: str = "TSLA", *, backfilled: bool = False) -> None:
        """Show a minute that has just closed."""
        self.now_ns += MINUTE_NS
        start = self.now_ns - MINUTE_NS
        self.exchange.on_event(Bar(symbol, start, close, close, close, close, 1, backfilled=backfilled))

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order now."""
        return self.exchange.submit(request, self.now_ns)

    def buy(self, qty: float, limit: float | None = None, **words: Any) -> BrokerOrder:
        """Send a buy."""
        return self.submit(self.request(Side.BUY, qty, limit, **words))

    def sell(self, qty: float, limit: float | None = None, **words: Any) -> BrokerOrder:
        """Send a sell."""
        return self.submit(self.request(Side.SELL, qty, limit, **words))

    def request(self, side: Side, qty: float, limit: float | None = None, **words: Any) -> OrderRequest:
        """Word an order: market, or limit if there is one, or as `words` say. Ids count up."""
        self._ids += 1
        kind = OrderType.MARKET if limit is None else OrderType.LIMIT
        if words.get("stop_price") is not None:
            kind = OrderType.STOP if limit is None else OrderType.STOP_LIMIT
        said: dict[str, Any] = {
            "client_order_id": f"c{self._ids}",
            "symbol": "TSLA",
            "order_type": kind,
            "limit_price": limit,
            **words,
        }
        return OrderRequest(side=side, qty=qty, **said)

    def bracket(self, side: Side, qty: float, target: float, stop: float, **words: Any) -> BrokerOrder:
        """Send a bracket with a market entry."""
        kind = OrderClass.BRACKET
        return self.submit(
            self.request(side, qty, order_class=kind, take_profit=target, stop_loss=stop, **words)
        )

    def oco(self, side: Side, qty: float, target: float, stop: float) -> BrokerOrder:
        """Send a pair of exits."""
        words: dict[str, Any] = {
            "order_class": OrderClass.OCO,
            "order_type": OrderType.LIMIT,
            "tif": TimeInForce.GTC,
        }
        return self.submit(self.request(side, qty, take_profit=target, stop_loss=stop, **words))

    def now(self, order: BrokerOrder) -> BrokerOrder:
        """How the order stands now."""
        seen = self.exchange.order(order.id)
        assert seen is not None
        return seen

    def state(self, order: BrokerOrder) -> str:
        """Its status now."""
        return self.now(order).status.value

    def held(self, symbol: str = "TSLA") -> float:
        """Signed shares held."""
        return next((p.qty for p in self.exchange.positions() if p.symbol == symbol), 0.0)

    def heard(self) -> list[str]:
        """Say the events since the last call: "fill buy 100 @ 10.02", "canceled sell"."""
        return [
            f"{u.event} {u.order.side} {u.qty:g} @ {u.price:g}" if u.fills else f"{u.event} {u.order.side}"
            for u in self.exchange.drain()
        ]


def assert_books_agree(exchange: Exchange) -> None:
    """Positions are the sum of the executions, and equity moved by what was won less fees, to 0.1 cent."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for done in exchange.standing():
        sums[done.symbol] += done.side.sign * Decimal(repr(done.qty))
        filled[done.order_id] += Decimal(repr(done.qty))
    positions = exchange.positions()
    assert {p.symbol: p.qty for p in positions} == {symbol: float(qty) for symbol, qty in sums.items() if qty}
    worth = exchange.cash + sum(p.qty * p.price for p in positions)
    won = exchange.realized + sum(p.unrealized for p in positions)
    assert abs(worth - exchange.starting_cash - won + exchange.fees) < 0.001
    assert abs(exchange.account().equity - worth) < 0.001
    for order in flat(exchange.orders()):
        assert 0 <= order.filled_qty <= order.qty
        assert order.filled_qty == float(filled[order.id])


def flat(orders: list[BrokerOrder]) -> list[BrokerOrder]:
    """Orders and their legs, in one list."""
    return [member for order in orders for member in (order, *order.legs)]
