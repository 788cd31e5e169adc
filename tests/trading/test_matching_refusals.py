"""Exchange: what it refuses, with status, code and text."""

import math
from typing import Any

import pytest

from liu_tui.model.orders import OrderClass, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exchange import ExchangeRefusal
from tests.kit.exchange import MIDNIGHT_NS, Market

BRACKET: dict[str, Any] = {"order_class": OrderClass.BRACKET, "take_profit": 11.00, "stop_loss": 9.00}


def a_market() -> Market:
    market = Market()
    market.quote(10.00)
    return market


def refusal(
    market: Market, side: Side, qty: float, limit: float | None = None, **words: Any
) -> ExchangeRefusal:
    before = (market.exchange.orders(), market.exchange.account())
    with pytest.raises(ExchangeRefusal) as refused:
        market.submit(market.request(side, qty, limit, **words))
    assert (market.exchange.orders(), market.exchange.account()) == before
    return refused.value


@pytest.mark.parametrize(
    ("qty", "limit", "words", "text"),
    [
        (0, None, {}, "qty must be > 0"),
        (-1, None, {}, "qty must be > 0"),
        (math.nan, None, {}, "qty must be > 0"),
        (
            1,
            290.123,
            {},
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        (1, 0.12345, {}, "invalid limit_price 0.12345. sub-penny increment does not"),
        (1, -5.0, {}, "must be > 0"),
        (1, None, {"order_type": OrderType.LIMIT}, "limit orders require a limit price"),
        (1, None, {"order_type": OrderType.STOP}, "stop orders require a stop price"),
        (1, 10.0, {"order_type": OrderType.MARKET}, "market orders must not have a limit price"),
        (1, None, {"extended_hours": True}, "extended hours order must be DAY or GTC limit orders"),
        (1, None, {"stop_price": 11.0, "tif": TimeInForce.OPG}, "opg orders must be market or limit orders"),
        (1, None, {"stop_price": 9.0}, "stop price must be greater than current price"),
        (1.5, 9.0, {"tif": TimeInForce.GTC}, "fractional orders must be DAY orders"),
        (1.5, None, BRACKET, "fractional orders must be simple orders"),
        (1, None, {**BRACKET, "tif": TimeInForce.IOC}, "bracket orders must be DAY or GTC"),
        (1, None, {**BRACKET, "stop_loss": None}, "bracket orders require"),
        (1, None, {**BRACKET, "take_profit": 8.0}, "take_profit.limit_price must be > stop_loss.stop_price"),
        (1, None, {**BRACKET, "take_profit": 10.01}, "take_profit.limit_price must be >= base_price + 0.01"),
        (1, 9.50, {**BRACKET, "stop_loss": 9.50}, "stop_loss.stop_price must be <= base_price - 0.01"),
        (1, None, {**BRACKET, "order_class": OrderClass.OTO}, "oto orders require either"),
        (1, None, {"stop_loss": 9.0}, "simple orders must not have"),
        (1, None, {"client_order_id": "x" * 129}, "client_order_id must be no more than 128 characters"),
    ],
)
def test_a_malformed_order_is_refused_in_the_brokers_words(
    qty: float, limit: float | None, words: dict[str, Any], text: str
) -> None:
    said = refusal(a_market(), Side.BUY, qty, limit, **words)
    assert text in str(said)
    assert (said.http, said.broker_code) == (422, 42210000)


def test_the_noise_of_a_float_is_no_sub_penny_price() -> None:
    market = a_market()
    assert market.buy(1, 0.1 + 0.2).limit_price == 0.3


def test_a_client_order_id_is_used_once_by_finished_orders_and_legs_too() -> None:
    market = a_market()
    entry = market.bracket(Side.BUY, 1, 11.00, 9.00, client_order_id="mine")
    for used in ("mine", entry.legs[0].client_order_id):
        said = refusal(market, Side.BUY, 1, client_order_id=used)
        assert (said.http, said.broker_code, str(said)) == (422, 40010001, "client_order_id must be unique")


def test_an_order_beyond_the_buying_power_is_refused_with_its_cost() -> None:
    market = a_market()
    assert market.exchange.account().buying_power == 400_000
    said = refusal(market, Side.BUY, 40_000, 10.01)
    assert (said.http, said.broker_code, str(said)) == (403, 40310000, "insufficient buying power")
    assert said.context == {"buying_power": "400000.00", "cost_basis": "400400.00"}


def test_open_entries_reserve_buying_power_and_give_it_back() -> None:
    market = a_market()
    order = market.buy(10_000, 9.00)
    assert market.exchange.account().buying_power == 310_000
    market.exchange.cancel(order.id, market.now_ns)
    assert market.exchange.account().buying_power == 400_000


def test_a_short_costs_three_percent_more_than_the_ask() -> None:
    market = a_market()
    market.sell(1_000, 10.50)
    assert market.exchange.account().buying_power == 400_000 - 10_500
    said = refusal(market, Side.SELL, 39_000)
    assert said.context["cost_basis"] == f"{39_000 * 10.02 * 1.03:.2f}"


def test_an_exit_costs_no_buying_power() -> None:
    market = a_market()
    market.buy(39_000)
    market.trade(9.00)
    market.quote(8.98, 9.00)
    assert market.exchange.account().buying_power == 0
    market.sell(39_000)
    assert market.held() == 0


def test_a_small_account_has_no_margin_and_may_not_short() -> None:
    market = Market(cash=1_999)
    market.quote(10.00)
    account = market.exchange.account()
    assert (account.buying_power, account.multiplier, account.shorting_enabled) == (1_999, 1, False)
    assert str(refusal(market, Side.SELL, 1)) == "account is not allowed to short"


def test_shorts_are_whole_shares() -> None:
    assert str(refusal(a_market(), Side.SELL, 0.5)) == "fractional orders cannot be sold short"


def test_a_fraction_that_is_held_can_be_sold() -> None:
    market = a_market()
    market.buy(1.25)
    market.sell(1.25)
    assert market.held() == 0


@pytest.mark.parametrize(("first", "second"), [(Side.BUY, Side.SELL), (Side.SELL, Side.BUY)])
def test_one_order_never_turns_a_position_round(first: Side, second: Side) -> None:
    market = a_market()
    market.submit(market.request(first, 100))
    said = refusal(market, second, 150)
    assert str(said) == "insufficient qty available for order (requested: 150, available: 100)"
    assert said.context == {
        "symbol": "TSLA",
        "available": "100",
        "existing_qty": "100",
        "held_for_orders": "0",
    }


def test_open_exits_reserve_shares() -> None:
    market = a_market()
    market.buy(100)
    market.sell(60, 12.00)
    assert market.exchange.available("TSLA") == 40
    said = refusal(market, Side.SELL, 50, 12.00)
    assert str(said) == "insufficient qty available for order (requested: 50, available: 40)"


def test_an_order_that_could_meet_our_own_is_a_wash_trade() -> None:
    market = a_market()
    resting = market.buy(100, 9.00)
    said = refusal(market, Side.SELL, 10)
    assert str(said) == "potential wash trade detected. use complex orders"
    assert said.context == {
        "reject_reason": "opposite side limit order exists",
        "existing_order_id": resting.id,
    }
    refusal(market, Side.SELL, 10, 9.00)
    market.sell(10, 9.01)


def test_a_stop_counts_as_a_market_order_for_wash_trades_and_pairs_are_exempt() -> None:
    market = a_market()
    market.buy(100)
    stop = market.sell(50, stop_price=9.00)
    said = refusal(market, Side.BUY, 10, 8.00)
    assert said.context["reject_reason"] == "opposite side market/stop order exists"
    market.bracket(Side.BUY, 10, 11.00, 9.00)
    market.exchange.cancel(stop.id, market.now_ns)
    market.buy(10)


def test_what_was_never_there_or_is_finished_cannot_be_canceled() -> None:
    market = a_market()
    order = market.buy(10)
    with pytest.raises(ExchangeRefusal) as refused:
        market.exchange.cancel("nobody", market.now_ns)
    said = refused.value
    assert (said.http, said.broker_code, str(said)) == (404, 40410000, "order not found for nobody")
    with pytest.raises(ExchangeRefusal, match='order is already in "filled" state') as refused:
        market.exchange.cancel(order.id, market.now_ns)
    assert refused.value.http == 422


def test_replace_makes_a_new_order_for_the_rest_and_keeps_what_was_not_said() -> None:
    market = Market(partial_fills=1.0)
    market.quote(10.00)
    order = market.buy(100, 10.02)
    filled = market.now(order).filled_qty
    new = market.exchange.replace(order.id, market.now_ns, qty=120, limit_price=9.00, client_order_id="new")
    assert (new.client_order_id, new.qty, new.filled_qty, new.limit_price) == ("new", 120 - filled, 0, 9.00)
    assert (market.state(order), market.now(order).filled_qty) == ("replaced", filled)
    assert market.heard()[2:] == ["replaced buy", "new buy"]


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"limit_price": 9.001}, "sub-penny"),
        ({"stop_price": 9.0}, "limit orders must not have a stop price"),
        ({"qty": 1.5}, "qty must be whole shares"),
        ({"qty": 0}, "qty must be whole shares"),
        ({"tif": TimeInForce.IOC}, "time_in_force"),
        ({"client_order_id": "c1"}, "client_order_id must be unique"),
        ({"qty": 1_000_000}, "insufficient buying power"),
    ],
)
def test_a_replace_that_cannot_be_leaves_the_old_order_working(terms: dict[str, Any], text: str) -> None:
    market = a_market()
    order = market.buy(100, 9.00)
    with pytest.raises(ExchangeRefusal, match=text):
        market.exchange.replace(order.id, market.now_ns, **terms)
    assert market.state(order) == "new"


def test_a_waiting_or_finished_order_cannot_be_replaced() -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS
    waiting = market.buy(10, 9.00)
    assert waiting.status.value == "accepted"
    with pytest.raises(ExchangeRefusal, match="unable to replace order in current state"):
        market.exchange.replace(waiting.id, market.now_ns, limit_price=9.10)


def test_replacing_does_not_count_the_old_order_twice() -> None:
    market = a_market()
    big = market.buy(30_000, 9.00)
    market.exchange.replace(big.id, market.now_ns, limit_price=9.10)
    market.exchange.cancel_all(market.now_ns)
    market.buy(100)
    exit_order = market.sell(100, 12.00)
    assert market.exchange.replace(exit_order.id, market.now_ns, limit_price=11.00).limit_price == 11.00
