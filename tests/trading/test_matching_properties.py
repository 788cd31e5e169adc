"""Exchange: what must hold whatever is asked, whatever the market does, and however hard its manners are."""

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liu_tui.model.market import SECOND_NS, Quote, Trade
from liu_tui.model.orders import OrderClass, OrderType, OrderUpdate, Side, TimeInForce
from liu_tui.plan.schema import FeesTable
from liu_tui.trading.matching.exchange import Exchange, ExchangeOptions, ExchangeRefusal
from tests.kit.exchange import Market, assert_books_agree, flat, hours_of

PRICES = st.integers(950, 1_050).map(lambda cents: cents / 100)
SIZES = st.sampled_from([1.0, 40.0, 100.0, 700.0])
QTY = st.sampled_from([1, 7, 50, 100, 333])
SIDES = st.sampled_from(list(Side))
FEES = FeesTable(
    per_order=0.35, per_share=0.0035, sell_per_million=20.6, sell_per_share=0.000166, sell_cap=8.3
)

MANNERS = st.builds(
    ExchangeOptions,
    displayed=st.booleans(),
    queue=st.booleans(),
    latency_ns=st.sampled_from([0, 300_000_000, 1_700_000_000]),
    slippage=st.sampled_from([0.0, 0.004]),
    luld=st.booleans(),
    hard_to_borrow=st.sampled_from([0.0, 1.0]),
    fees=st.sampled_from([FeesTable(), FEES]),
)
_ACTS: tuple[st.SearchStrategy[Any], ...] = (
    st.tuples(st.just("quote"), PRICES, SIZES),
    st.tuples(st.just("trade"), PRICES, SIZES),
    st.tuples(st.just("market"), SIDES, QTY, st.sampled_from([TimeInForce.DAY, TimeInForce.FOK])),
    st.tuples(st.just("limit"), SIDES, QTY, PRICES, st.sampled_from([TimeInForce.GTC, TimeInForce.IOC])),
    st.tuples(st.just("stop"), SIDES, QTY, PRICES),
    st.tuples(st.just("trail"), SIDES, QTY, st.sampled_from([0.02, 0.30])),
    st.tuples(st.just("dollars"), SIDES, st.sampled_from([1.0, 123.45])),
    st.tuples(st.just("bracket"), SIDES, QTY),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("replace"), st.integers(0, 30), PRICES, st.none() | QTY),
    st.tuples(st.just("bust"), st.integers(0, 30)),
    st.tuples(st.just("reprice"), st.integers(0, 30), PRICES),
    st.tuples(st.just("restart")),
)
ACTS = st.lists(st.one_of(*_ACTS), min_size=4, max_size=40)


class Play:
    """An exchange that is treated as a list of acts says. heard: all that it ever told."""

    def __init__(self, options: ExchangeOptions, partial_fills: float = 0.5) -> None:
        self.market = Market()
        self.market.exchange = Exchange(cash=50_000, partial_fills=partial_fills, options=options)
        self.market.exchange.set_hours(hours_of())
        self.heard: list[OrderUpdate] = []
        self.act("quote", 10.0, 100.0)

    def act(self, what: str, *words: Any) -> None:
        """Do one thing; a refusal is an answer too."""
        with suppress(ExchangeRefusal):
            getattr(self, f"_{what}")(*words)
        self.heard += self.market.exchange.drain()

    def _quote(self, bid: float, size: float) -> None:
        market = self.market
        market.now_ns += SECOND_NS
        market.exchange.on_event(Quote("TSLA", market.now_ns, bid, size, round(bid + 0.02, 2), size))

    def _trade(self, price: float, size: float) -> None:
        market = self.market
        market.now_ns += SECOND_NS
        market.exchange.on_event(Trade("TSLA", market.now_ns, price, size))

    def _market(self, side: Side, qty: int, tif: TimeInForce) -> None:
        self.market.submit(self.market.request(side, qty, tif=tif))

    def _limit(self, side: Side, qty: int, price: float, tif: TimeInForce) -> None:
        self.market.submit(self.market.request(side, qty, price, tif=tif))

    def _stop(self, side: Side, qty: int, price: float) -> None:
        self.market.submit(self.market.request(side, qty, stop_price=price))

    def _trail(self, side: Side, qty: int, trail: float) -> None:
        kind = OrderType.TRAILING_STOP
        self.market.submit(self.market.request(side, qty, order_type=kind, trail_price=trail))

    def _dollars(self, side: Side, notional: float) -> None:
        self.market.submit(self.market.request(side, 0, notional=notional))

    def _bracket(self, side: Side, qty: int) -> None:
        up, down = (11.0, 9.0) if side is Side.BUY else (9.0, 11.0)
        self.market.bracket(side, qty, up, down)

    def _cancel(self, n: int) -> None:
        orders = flat(self.market.exchange.orders())
        if orders:
            self.market.exchange.cancel(orders[n % len(orders)].id, self.market.now_ns)

    def _replace(self, n: int, price: float, qty: int | None) -> None:
        orders = flat(self.market.exchange.orders())
        if orders:
            order = orders[n % len(orders)]
            self.market.exchange.replace(order.id, self.market.now_ns, limit_price=price, qty=qty)

    def _bust(self, n: int) -> None:
        done = self.market.exchange.standing()
        if done:
            self.market.exchange.bust(done[n % len(done)].execution_id)

    def _reprice(self, n: int, price: float) -> None:
        done = self.market.exchange.standing()
        if done:
            self.market.exchange.reprice(done[n % len(done)].execution_id, price)

    def _restart(self) -> None:
        self.market.exchange = Exchange.load(self.market.exchange.dump())


many = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(MANNERS, ACTS)
def test_cash_and_positions_conserve_value(options: ExchangeOptions, acts: list[tuple[Any, ...]]) -> None:
    play = Play(options)
    for act in acts:
        play.act(*act)
        assert_books_agree(play.market.exchange)


@many
@given(MANNERS, ACTS)
def test_no_fill_is_through_a_limit_and_no_order_does_more_than_it_asked(
    options: ExchangeOptions, acts: list[tuple[Any, ...]]
) -> None:
    play = Play(options)
    for act in acts:
        play.act(*act)
    done: dict[str, float] = {}
    for update in play.heard:
        order = update.order
        if not update.fills:
            continue
        done[order.id] = done.get(order.id, 0.0) + update.qty
        assert done[order.id] <= order.qty + 1e-9
        limit = order.limit_price
        if limit is not None:
            assert (limit - update.price) * order.side.sign >= 0


@many
@given(MANNERS, ACTS)
def test_exits_never_open_a_position(options: ExchangeOptions, acts: list[tuple[Any, ...]]) -> None:
    play = Play(options)
    for act in acts:
        before = play.market.held()
        told = len(play.heard)
        play.act(*act)
        if act[0] in ("bust", "reprice"):
            continue
        legs = [u for u in play.heard[told:] if u.fills and u.order.parent_id]
        if legs and all(u.fills is False or u.order.parent_id for u in play.heard[told:]):
            assert play.market.held() * before >= 0


@many
@given(MANNERS, ACTS)
def test_a_restart_changes_nothing(options: ExchangeOptions, acts: list[tuple[Any, ...]]) -> None:
    through, stopped = Play(options), Play(options)
    for act in acts:
        through.act(*act)
        stopped.act(*act)
        stopped.act("restart")
    assert through.heard == stopped.heard
    assert through.market.exchange.account() == stopped.market.exchange.account()


@many
@given(MANNERS, ACTS)
def test_what_is_final_stays_so_and_every_change_is_told(
    options: ExchangeOptions, acts: list[tuple[Any, ...]]
) -> None:
    play = Play(options)
    for act in acts:
        play.act(*act)
    last: dict[str, OrderUpdate] = {}
    for update in play.heard:
        before = last.get(update.order.id)
        if before is not None and before.order.status.final:
            assert update.order.status is before.order.status
        last[update.order.id] = update
    for order in flat(play.market.exchange.orders()):
        if order.id in last:
            assert last[order.id].order.status is order.status
            assert last[order.id].order.filled_qty == order.filled_qty
        else:
            assert order.status.value == "held"
    assert {order.order_class for order in play.market.exchange.orders()} <= set(OrderClass)
