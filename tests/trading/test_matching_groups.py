"""Exchange: brackets, pairs of exits, and one-triggers-the-other."""

from typing import Any

import pytest

from liu_tui.model.orders import BrokerOrder, OrderClass, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exchange import ExchangeRefusal
from tests.kit.exchange import Market, assert_books_agree, hours_of


def a_bracket(market: Market) -> tuple[BrokerOrder, BrokerOrder, BrokerOrder]:
    market.quote(10.00)
    entry = market.bracket(Side.BUY, 100, 11.00, 9.50)
    target, stop = entry.legs
    return entry, target, stop


def test_legs_are_held_until_the_entry_is_filled_completely() -> None:
    market = Market(partial_fills=1.0)
    entry, target, stop = a_bracket(market)
    assert (target.status.value, target.parent_id, target.limit_price) == ("held", entry.id, 11.00)
    assert (stop.order_type, stop.stop_price, stop.side) == (OrderType.STOP, 9.50, Side.SELL)
    assert market.state(entry) == "partially_filled"
    assert market.state(target) == "held"
    market.quote(10.00)
    assert (market.state(entry), market.state(target), market.state(stop)) == ("filled", "new", "new")


def test_one_leg_fills_and_the_other_is_canceled() -> None:
    market = Market()
    entry, target, stop = a_bracket(market)
    market.heard()
    market.quote(11.00)
    assert market.heard() == ["fill sell 100 @ 11", "canceled sell"]
    assert (market.state(target), market.state(stop), market.held()) == ("filled", "canceled", 0)
    assert [leg.status.value for leg in market.now(entry).legs] == ["filled", "canceled"]


def test_a_partial_fill_of_one_leg_shrinks_the_other() -> None:
    market = Market(partial_fills=1.0)
    _, target, stop = a_bracket(market)
    market.quote(10.00)
    market.heard()
    market.quote(11.00)
    sold = market.now(target).filled_qty
    assert 0 < sold < 100
    assert market.now(stop).qty == 100 - sold
    assert market.heard() == [f"partial_fill sell {sold:g} @ 11", "restated sell"]
    market.quote(9.40)
    market.quote(9.40)
    assert market.held() == 0
    assert market.now(target).filled_qty + market.now(stop).filled_qty == 100
    assert_books_agree(market.exchange)


def test_a_short_bracket_has_its_target_below_and_its_stop_above() -> None:
    market = Market()
    market.quote(10.00)
    entry = market.bracket(Side.SELL, 100, 9.00, 10.50)
    market.quote(10.60)
    assert [leg.status.value for leg in market.now(entry).legs] == ["canceled", "filled"]
    assert market.held() == 0


def test_canceling_the_entry_or_a_leg_cancels_the_group() -> None:
    market = Market()
    market.quote(10.00)
    words: dict[str, Any] = {"order_class": OrderClass.BRACKET, "take_profit": 11.00, "stop_loss": 8.00}
    for member in (0, 1, 2):
        entry = market.buy(100, 9.00, **words)
        group = (entry, *entry.legs)
        market.exchange.cancel(group[member].id, market.now_ns)
        assert {market.state(order) for order in group} == {"canceled"}
    _, target, stop = a_bracket(market)
    market.exchange.cancel(stop.id, market.now_ns)
    assert (market.state(target), market.held()) == ("canceled", 100)


def test_an_entry_that_expires_cancels_its_held_legs() -> None:
    market = Market(hours=True)
    market.quote(10.00)
    entry = market.buy(100, 9.00, order_class=OrderClass.BRACKET, take_profit=11.00, stop_loss=8.00)
    market.exchange.on_time(hours_of().close_ns)
    assert market.heard()[1:] == ["expired buy", "canceled sell", "canceled sell"]
    assert market.state(entry) == "expired"


def test_an_oco_is_two_live_exits_of_what_is_held() -> None:
    market = Market()
    market.quote(10.00)
    market.buy(100)
    pair = market.oco(Side.SELL, 100, 11.00, 9.00)
    (stop,) = pair.legs
    assert (pair.limit_price, pair.status.value, stop.side) == (11.00, "new", Side.SELL)
    assert market.state(stop) == "new"
    market.quote(8.90)
    assert (market.state(pair), market.state(stop), market.held()) == ("canceled", "filled", 0)


def test_an_oco_is_refused_without_shares_to_exit() -> None:
    market = Market()
    market.quote(10.00)
    with pytest.raises(ExchangeRefusal, match="insufficient qty available"):
        market.oco(Side.SELL, 100, 11.00, 9.00)


def test_an_oto_has_one_leg() -> None:
    market = Market()
    market.quote(10.00)
    entry = market.buy(100, order_class=OrderClass.OTO, stop_loss=9.00)
    (stop,) = entry.legs
    assert market.state(stop) == "new"
    market.trade(9.00)
    market.quote(8.90)
    assert (market.state(stop), market.held()) == ("filled", 0)


def test_a_pair_of_exits_reserves_its_shares_once() -> None:
    market = Market()
    a_bracket(market)
    market.buy(50, order_class=OrderClass.OTO, stop_loss=9.00)
    assert market.exchange.available("TSLA") == 0
    with pytest.raises(ExchangeRefusal) as refused:
        market.sell(1)
    assert refused.value.context["held_for_orders"] == "150"


def test_legs_never_sell_what_another_order_has_sold_meanwhile() -> None:
    market = Market(partial_fills=1.0)
    market.quote(10.00)
    entry = market.bracket(Side.BUY, 100, 11.00, 9.50)
    got = market.held()
    market.sell(got, tif=TimeInForce.FOK)
    market.quote(10.00)
    assert market.now(entry).filled_qty == 100
    assert {leg.qty for leg in market.now(entry).legs} == {market.held()} == {100 - got}
    market.quote(9.40)
    market.quote(9.40)
    assert market.held() == 0


def test_a_leg_is_replaced_in_its_group() -> None:
    market = Market()
    entry, target, stop = a_bracket(market)
    moved = market.exchange.replace(stop.id, market.now_ns, stop_price=9.80)
    assert (moved.parent_id, moved.replaces, moved.qty) == (entry.id, stop.id, 100)
    assert (market.state(stop), market.now(stop).replaced_by) == ("replaced", moved.id)
    assert [leg.id for leg in market.now(entry).legs] == [target.id, stop.id, moved.id]
    market.quote(9.70)
    assert (market.state(moved), market.state(target), market.held()) == ("filled", "canceled", 0)


def test_a_replaced_entry_takes_its_legs_along() -> None:
    market = Market()
    market.quote(10.00)
    entry = market.buy(100, 9.00, order_class=OrderClass.BRACKET, take_profit=11.00, stop_loss=8.00)
    better = market.exchange.replace(entry.id, market.now_ns, limit_price=10.05)
    assert market.now(entry).legs == ()
    assert [leg.parent_id for leg in market.now(better).legs] == [better.id, better.id]
    assert [leg.status.value for leg in market.now(better).legs] == ["new", "new"]


def test_a_held_leg_is_replaced_and_stays_held() -> None:
    market = Market()
    market.quote(10.00)
    entry = market.buy(100, 9.00, order_class=OrderClass.BRACKET, take_profit=11.00, stop_loss=8.00)
    moved = market.exchange.replace(entry.legs[1].id, market.now_ns, stop_price=8.50)
    assert moved.status.value == "held"
    market.quote(8.90)
    assert market.state(moved) == "new"


def test_orders_nest_legs_and_stay_open_while_a_leg_is() -> None:
    market = Market()
    entry, target, stop = a_bracket(market)
    (seen,) = market.exchange.orders(open_only=True)
    assert (seen.id, seen.status.value, {leg.id for leg in seen.legs}) == (
        entry.id,
        "filled",
        {target.id, stop.id},
    )
    market.exchange.cancel(target.id, market.now_ns)
    assert market.exchange.orders(open_only=True) == []
    assert len(market.exchange.orders()) == 1


def test_cancel_all_names_each_order_it_canceled() -> None:
    market = Market()
    _, target, stop = a_bracket(market)
    other = market.buy(10, 40.00, symbol="AAPL")
    canceled = market.exchange.cancel_all(market.now_ns)
    assert [order.id for order in canceled] == [target.id, stop.id, other.id]
    assert {order.status.value for order in canceled} == {"canceled"}


def test_a_leg_that_took_anothers_place_is_kept_with_its_parent() -> None:
    market = Market()
    market.quote(10.00)
    entry = market.bracket(Side.BUY, 100, 11.00, 9.00)
    stop = next(leg for leg in market.now(entry).legs if leg.stop_price is not None)
    market.exchange.changed()
    new = market.exchange.replace(stop.id, market.now_ns, stop_price=9.50)
    assert {entry.id, stop.id, new.id} == {order.id for order in market.exchange.changed()}
