"""Exchange: trailing stops, dollars, stop-limit legs, stop buys, GTC orders, the auctions' hours."""

from typing import Any

import pytest

from liu_tui.model.market import MINUTE_NS, SECOND_NS
from liu_tui.model.orders import BrokerOrder, OrderClass, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exchange import Exchange, ExchangeRefusal
from tests.kit.exchange import DAY_NS, HOUR_NS, MIDNIGHT_NS, Market, assert_books_agree, hours_of

TRAILING: dict[str, Any] = {"order_type": OrderType.TRAILING_STOP}


def a_market(price: float = 10.00, **words: Any) -> Market:
    market = Market(**words)
    market.quote(price)
    return market


def trail(market: Market, side: Side, **words: Any) -> BrokerOrder:
    return market.submit(market.request(side, 100, **TRAILING, **words))


def stop(market: Market, order: BrokerOrder) -> tuple[float, float | None]:
    now = market.now(order)
    return now.hwm, now.stop_price


# ---- trailing stops


def test_a_trailing_sell_follows_the_market_up_and_never_down() -> None:
    market = a_market()
    market.buy(100)
    order = trail(market, Side.SELL, trail_price=0.50)
    assert (order.hwm, order.stop_price, order.trail_price) == (10.00, 9.50, 0.50)
    market.trade(10.40)
    assert stop(market, order) == (10.40, 9.90)
    market.trade(10.00)
    market.quote(9.95)
    assert stop(market, order) == (10.40, 9.90)
    market.quote(9.90)
    assert market.now(order).filled_avg_price == 9.90
    assert market.held() == 0


def test_a_trailing_buy_follows_the_market_down_by_percent_rounded_outward() -> None:
    market = a_market()
    market.sell(100)
    order = trail(market, Side.BUY, trail_percent=3.3)
    market.trade(9.01)
    assert stop(market, order) == (9.01, 9.31)  # 9.01 x 1.033 is 9.30733
    market.quote(9.29, 9.31)
    assert market.now(order).filled_avg_price == 9.31


def test_a_trailing_stop_moves_and_wakes_in_regular_hours_only() -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS + 9 * HOUR_NS
    market.quote(10.00)
    order = trail(market, Side.BUY, trail_price=1.0, tif=TimeInForce.GTC)
    assert (order.status.value, order.hwm, order.stop_price) == ("accepted", 0.0, None)
    market.trade(8.00)
    market.exchange.on_time(hours_of().open_ns)
    assert stop(market, order) == (10.02, 11.02)  # a buyer would trade at the ask
    market.now_ns = hours_of().close_ns
    market.trade(5.00)
    market.trade(20.00)
    assert stop(market, order) == (10.02, 11.02)
    assert market.state(order) == "new"


def test_the_trail_can_be_replaced_and_the_best_price_stays() -> None:
    market = a_market()
    order = trail(market, Side.SELL, trail_price=0.50)
    market.quote(11.98)
    market.trade(12.00)
    new = market.exchange.replace(order.id, market.now_ns, trail=1.00)
    assert (new.hwm, new.stop_price, new.trail_price, new.replaces) == (12.00, 11.00, 1.00, order.id)
    with pytest.raises(ExchangeRefusal, match="must not have a stop price"):
        market.exchange.replace(new.id, market.now_ns, stop_price=9.00)
    plain = market.buy(1, 5.00, symbol="AAPL")
    with pytest.raises(ExchangeRefusal, match="must not have a trail"):
        market.exchange.replace(plain.id, market.now_ns, trail=1.00)


def test_a_trailing_stop_is_free_of_the_wash_trade_rule() -> None:
    market = a_market()
    market.buy(100)
    trail(market, Side.SELL, trail_price=0.50)
    market.buy(10)
    assert market.held() == 110


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({}, "either trail_price or trail_percent"),
        ({"trail_price": 1.0, "trail_percent": 1.0}, "either trail_price or trail_percent"),
        ({"trail_price": -1.0}, "invalid trail_price -1.0. must be > 0"),
        ({"trail_percent": 100.0}, "must be > 0 and < 100"),
        ({"trail_price": 1.0, "tif": TimeInForce.IOC}, "must be simple DAY or GTC orders"),
        ({"trail_price": 1.0, "extended_hours": True}, "extended hours order must be"),
        ({"trail_price": 1.0, "qty": 1.5}, "fractional orders must be market, limit, stop or stop_limit"),
        ({"trail_price": 1.0, "stop_price": 9.0}, "trailing_stop orders must not have a stop price"),
        ({"trail_price": 1.0, "order_type": OrderType.MARKET}, "market orders must not have a trail"),
    ],
)
def test_a_trailing_stop_has_one_trail_and_is_simple(words: dict[str, Any], text: str) -> None:
    market = a_market()
    said = {**TRAILING, "qty": 10, **words}
    qty = said.pop("qty")
    with pytest.raises(ExchangeRefusal, match=text):
        market.submit(market.request(Side.SELL, qty, **said))


def test_a_trailing_stop_goes_on_after_a_restart() -> None:
    market = a_market()
    order = trail(market, Side.SELL, trail_price=0.50)
    market.trade(11.00)
    market.exchange = Exchange.load(market.exchange.dump())
    assert stop(market, order) == (11.00, 10.50)
    market.trade(10.50)
    assert market.state(order) == "filled"


# ---- dollars


def test_dollars_become_shares_at_the_fill_to_nine_decimals() -> None:
    market = a_market()
    order = market.buy(0, notional=100.0)
    assert (order.qty, order.notional) == (0, 100.0)
    done = market.now(order)
    assert (done.filled_qty, done.qty, done.status.value) == (9.980039920, 9.980039920, "filled")
    assert 100_000 - market.exchange.cash == pytest.approx(100.0, abs=1e-6)
    assert_books_agree(market.exchange)


def test_a_limit_in_dollars_waits_and_reserves_its_dollars() -> None:
    market = a_market()
    order = market.buy(0, 9.00, notional=900.0)
    assert (market.now(order).qty, market.exchange.account().buying_power) == (0, 399_100)
    market.quote(7.98, 8.00)
    assert market.now(order).filled_qty == 112.5


def test_dollars_are_sold_out_of_what_is_held_and_no_more() -> None:
    market = a_market()
    market.buy(10)
    with pytest.raises(ExchangeRefusal, match="insufficient qty available"):
        market.sell(0, notional=101.0)
    order = market.sell(0, 10.10, notional=100.0)
    market.quote(20.00)
    assert market.now(order).filled_qty == 5
    assert market.held() == 5


def test_what_is_sold_for_dollars_is_never_more_than_is_held() -> None:
    market = a_market()
    market.buy(10)
    order = market.sell(0, 10.01, notional=100.0)
    market.exchange.bust(market.exchange.standing()[0].execution_id)
    market.quote(11.00)
    assert (market.state(order), market.held()) == ("canceled", 0)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"notional": 0.0}, "notional must be > 0"),
        ({"notional": 1.234}, "limited to 2 decimal places"),
        ({"notional": 0.99}, "cost basis must be >= minimal amount of order 1"),
        ({"notional": 10.0, "qty": 1.0}, "only one of qty or notional"),
        ({"notional": 10.0, "tif": TimeInForce.GTC}, "fractional orders must be DAY orders"),
        ({"notional": 10.0, "stop_price": 11.0}, "notional orders must be market or limit orders"),
        ({"notional": 10.0, "limit_price": 9.0, "extended_hours": True}, "regular hours"),
        ({"qty": 0.01}, "cost basis must be >= minimal amount of order 1"),
        ({"notional": 1_000_000.0}, "insufficient buying power"),
    ],
)
def test_dollars_and_fractions_have_rules_of_their_own(words: dict[str, Any], text: str) -> None:
    market = a_market()
    said = {"qty": 0.0, **words}
    request = market.request(Side.BUY, said.pop("qty"), said.pop("limit_price", None), **said)
    with pytest.raises(ExchangeRefusal, match=text):
        market.submit(request)


def test_an_order_in_dollars_cannot_be_replaced() -> None:
    market = a_market()
    order = market.buy(0, 9.00, notional=100.0)
    with pytest.raises(ExchangeRefusal, match="notional orders cannot be replaced"):
        market.exchange.replace(order.id, market.now_ns, limit_price=9.10)


# ---- legs, stop buys


def test_the_stop_leg_may_have_a_limit() -> None:
    market = a_market()
    entry = market.bracket(Side.BUY, 100, 11.00, 9.50, stop_loss_limit=9.40)
    leg = market.now(entry).legs[1]
    assert (leg.order_type.value, leg.stop_price, leg.limit_price) == ("stop_limit", 9.50, 9.40)
    market.quote(9.30)
    assert market.state(leg) == "new"
    market.quote(9.45)
    assert market.now(leg).filled_avg_price == 9.45


def test_the_limit_of_a_stop_needs_its_stop() -> None:
    market = a_market()
    with pytest.raises(ExchangeRefusal, match=r"stop_loss\.stop_price is required"):
        market.buy(1, order_class=OrderClass.OTO, take_profit=11.0, stop_loss_limit=9.0)


@pytest.mark.parametrize(("stop_price", "dearest"), [(10.50, 10.92), (60.00, 61.50)])
def test_a_simple_stop_buy_pays_no_more_than_a_few_percent_above_its_stop(
    stop_price: float, dearest: float
) -> None:
    market = a_market(stop_price - 0.5)
    order = market.buy(10, stop_price=stop_price)
    market.quote(dearest, round(dearest + 0.01, 2))
    assert market.state(order) == "new"
    market.quote(round(dearest - 0.02, 2), dearest)
    assert market.now(order).filled_avg_price == dearest


def test_a_stop_that_covers_in_a_bracket_pays_what_it_must() -> None:
    market = a_market()
    entry = market.bracket(Side.SELL, 10, 9.00, 10.50)
    market.quote(12.00)
    assert market.now(entry).legs[1].filled_avg_price == 12.02


# ---- the length of a life, and when auctions take orders


def test_a_gtc_order_ends_at_the_close_of_its_ninetieth_day() -> None:
    market = Market(hours=True)
    market.quote(10.00)
    order = market.buy(10, 9.00, tif=TimeInForce.GTC)
    assert order.expires_ns == order.submitted_ns + 90 * DAY_NS
    for day in (89, 90):
        assert market.state(order) == "new"
        market.exchange.set_hours(hours_of(day))
        market.exchange.on_time(hours_of(day).close_ns)
    assert market.state(order) == "expired"


@pytest.mark.parametrize(
    ("tif", "at_min", "taken"),
    [
        (TimeInForce.OPG, 9 * 60 + 27, True),
        (TimeInForce.OPG, 9 * 60 + 28, False),
        (TimeInForce.OPG, 18 * 60 + 59, False),
        (TimeInForce.OPG, 19 * 60, True),
        (TimeInForce.CLS, 15 * 60 + 49, True),
        (TimeInForce.CLS, 15 * 60 + 50, False),
        (TimeInForce.CLS, 19 * 60, True),
    ],
)
def test_the_auctions_take_orders_at_their_times(tif: TimeInForce, at_min: int, taken: bool) -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS + at_min * MINUTE_NS - SECOND_NS
    market.quote(10.00)
    if taken:
        assert market.buy(10, tif=tif).status.value == "accepted"
        return
    with pytest.raises(ExchangeRefusal, match=f"{tif.value} orders are not accepted between"):
        market.buy(10, tif=tif)


def test_an_order_for_the_next_open_waits_for_it() -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS + 19 * HOUR_NS
    market.quote(10.00)
    order = market.buy(10, tif=TimeInForce.OPG)
    market.exchange.set_hours(hours_of(1))
    assert market.state(order) == "accepted"
    market.exchange.on_time(hours_of(1).open_ns)
    assert market.state(order) == "filled"
