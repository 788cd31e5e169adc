"""Exchange: what holds whatever happens, by property."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import BrokerOrder, OrderClass, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exchange import Exchange, ExchangeRefusal
from tests.kit.exchange import Market, assert_books_agree, flat, hours_of

SYMBOLS = ("TSLA", "AAPL")
Step = tuple[Any, ...]

prices = st.integers(960, 1_040).map(lambda cents: cents / 100)
quantities = st.one_of(st.integers(1, 400).map(float), st.integers(1, 5_000).map(lambda n: n / 1_000))
symbols = st.sampled_from(SYMBOLS)
sides = st.sampled_from(Side)
steps = st.one_of(
    st.tuples(st.just("quote"), symbols, prices, st.integers(1, 30)),
    st.tuples(st.just("trade"), symbols, prices),
    st.tuples(st.just("order"), symbols, sides, quantities, st.sampled_from(OrderType), prices, prices,
              st.sampled_from(TimeInForce)),
    st.tuples(st.just("group"), symbols, sides, st.integers(1, 400), st.sampled_from(list(OrderClass)[1:]),
              st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.just("cancel"), st.integers(0, 50)),
    st.tuples(st.just("replace"), st.integers(0, 50), prices),
    st.tuples(st.just("wait"), st.integers(1, 300)),
)  # fmt: skip


def do_quote(market: Market, symbol: str, bid: float, spread: int) -> None:
    market.quote(bid, round(bid + spread / 100, 2), symbol)


def do_trade(market: Market, symbol: str, price: float) -> None:
    market.trade(price, symbol)


def do_order(
    market: Market,
    symbol: str,
    side: Side,
    qty: float,
    kind: OrderType,
    limit: float,
    stop: float,
    tif: TimeInForce,
) -> None:
    words: dict[str, Any] = {
        "symbol": symbol,
        "order_type": kind,
        "tif": tif,
        "limit_price": limit if "limit" in kind else None,
        "stop_price": stop if "stop" in kind else None,
    }
    market.submit(market.request(side, qty, **words))


def do_group(market: Market, symbol: str, side: Side, qty: int, kind: OrderClass, up: int, down: int) -> None:
    price = market.exchange.price(symbol) or 10.0
    sign = side.sign if kind is not OrderClass.OCO else -side.sign
    words: dict[str, Any] = {
        "symbol": symbol,
        "order_class": kind,
        "stop_loss": round(price - sign * down / 100, 2),
    }
    if kind is not OrderClass.OTO:
        words["take_profit"] = round(price + sign * up / 100, 2)
    if kind is OrderClass.OCO:
        words["order_type"] = OrderType.LIMIT
    market.submit(market.request(side, qty, **words))


def an_order(market: Market, n: int) -> BrokerOrder | None:
    known = flat(market.exchange.orders())
    return known[n % len(known)] if known else None


def do_cancel(market: Market, n: int) -> None:
    if (order := an_order(market, n)) is not None:
        market.exchange.cancel(order.id, market.now_ns)


def do_replace(market: Market, n: int, price: float) -> None:
    if (order := an_order(market, n)) is not None:
        limit = price if order.limit_price is not None else None
        stop = price if limit is None else None
        market.exchange.replace(order.id, market.now_ns, limit_price=limit, stop_price=stop)


def do_wait(market: Market, minutes: int) -> None:
    market.now_ns += minutes * MINUTE_NS
    market.exchange.on_time(market.now_ns)
    today = hours_of()
    if market.now_ns > today.post_ns:
        market.now_ns = hours_of(1).open_ns
        market.exchange.set_hours(hours_of(1))


DOES: dict[str, Callable[..., None]] = {
    "quote": do_quote,
    "trade": do_trade,
    "order": do_order,
    "group": do_group,
    "cancel": do_cancel,
    "replace": do_replace,
    "wait": do_wait,
}


def turn(market: Market, step: Step) -> None:
    """Do one step; a refusal is an answer like any other."""
    verb, *said = step
    with suppress(ExchangeRefusal):
        DOES[verb](market, *said)


def assert_groups_are_sound(exchange: Exchange) -> None:
    """Check that the exits of a group never do more than its entry did; a bracket has both exits or none."""
    for order in exchange.orders():
        if order.order_class is OrderClass.OCO:
            assert sum(member.filled_qty for member in (order, *order.legs)) <= _first_qty(order)
        elif order.legs:
            assert sum(leg.filled_qty for leg in order.legs) <= order.filled_qty + _taken_before(
                exchange, order
            )
        if order.order_class is OrderClass.BRACKET:
            live = [leg for leg in order.legs if leg.status in ("new", "partially_filled")]
            assert len(live) in (0, 2) or any(leg.status == "expired" for leg in order.legs)
            assert len({leg.qty - leg.filled_qty for leg in live}) <= 1


def _first_qty(order: BrokerOrder) -> float:
    # What the pair was asked for: a shrunk exit has given the difference to its partner.
    return max(member.qty for member in (order, *order.legs)) + max(
        m.filled_qty for m in (order, *order.legs)
    )


def _taken_before(exchange: Exchange, order: BrokerOrder) -> float:
    total = 0.0
    while order.replaces:
        before = exchange.order(order.replaces)
        assert before is not None
        total, order = total + before.filled_qty, before
    return total


def a_market(seed: int) -> Market:
    market = Market(seed=seed, partial_fills=0.5, hours=True)
    for symbol in SYMBOLS:
        market.quote(10.00, symbol=symbol)
    return market


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 9), st.lists(steps, min_size=20, max_size=80))
def test_whatever_happens_positions_are_the_sum_of_fills_and_equity_is_what_was_won(
    seed: int, story: list[Step]
) -> None:
    market = a_market(seed)
    for step in story:
        turn(market, step)
        assert_books_agree(market.exchange)
    assert_groups_are_sound(market.exchange)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9), st.lists(steps, min_size=10, max_size=40), st.lists(steps, min_size=5, max_size=20))
def test_a_loaded_exchange_goes_on_exactly_like_the_one_that_was_dumped(
    seed: int, before: list[Step], after: list[Step]
) -> None:
    market, twin = a_market(seed), a_market(seed)
    for step in before:
        turn(market, step)
        turn(twin, step)
    twin.exchange = Exchange.load(twin.exchange.dump())
    for step in after:
        turn(market, step)
        turn(twin, step)
        assert market.exchange.drain() == twin.exchange.drain()
    assert market.exchange.dump() == twin.exchange.dump()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9), st.lists(steps, min_size=20, max_size=60))
def test_the_updates_alone_tell_how_every_order_stands(seed: int, story: list[Step]) -> None:
    market = a_market(seed)
    said: dict[str, BrokerOrder] = {}
    position: dict[str, float] = {}
    last_ns = 0
    for step in story:
        turn(market, step)
        for update in market.exchange.drain():
            assert update.t_ns >= last_ns
            last_ns = update.t_ns
            said[update.order.id] = update.order
            if update.position_qty is not None:
                position[update.order.symbol] = update.position_qty
    for order in flat(market.exchange.orders()):
        if order.status != "held":
            heard = said[order.id]
            assert (heard.status, heard.filled_qty, heard.qty) == (order.status, order.filled_qty, order.qty)
    assert {s: q for s, q in position.items() if q} == {p.symbol: p.qty for p in market.exchange.positions()}
