"""Exchange: when and where orders fill."""

import pytest

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Side, TimeInForce
from liu_tui.trading.matching.exchange import Exchange
from tests.kit.exchange import DAY_NS, HOUR_NS, MIDNIGHT_NS, Market, assert_books_agree, hours_of


def test_a_market_order_fills_at_the_other_side_of_the_quote_after_it_was_new() -> None:
    market = Market()
    market.quote(10.00, 10.02)
    answer = market.buy(100)
    assert (answer.status.value, answer.filled_qty) == ("new", 0)
    assert market.heard() == ["new buy", "fill buy 100 @ 10.02"]
    market.sell(100)
    assert market.heard() == ["new sell", "fill sell 100 @ 10"]
    assert market.exchange.realized == pytest.approx(-2)


def test_a_fill_says_what_the_account_holds_and_names_its_execution() -> None:
    market = Market()
    market.quote(10.00)
    market.sell(30)
    *_, fill = market.exchange.drain()
    (done,) = market.exchange.executions()
    assert (fill.position_qty, fill.order.filled_qty, fill.order.filled_avg_price) == (-30, 30, 10.0)
    assert fill.execution_id == done.execution_id
    assert fill.t_ns == done.t_ns == market.now_ns


def test_an_order_without_a_quote_waits_for_the_first_event() -> None:
    market = Market()
    order = market.buy(10)
    assert market.state(order) == "new"
    market.trade(20.0)
    assert market.heard() == ["new buy", "fill buy 10 @ 20"]


def test_an_empty_side_of_the_quote_fills_nobody() -> None:
    market = Market()
    market.quote(10.00, 0.0)
    order = market.buy(10)
    market.trade(10.01)
    assert market.state(order) == "new"
    market.quote(10.00, 10.05)
    assert market.now(order).filled_avg_price == 10.05


@pytest.mark.parametrize(("ask", "price"), [(10.00, 10.00), (9.90, 9.90), (10.01, None)])
def test_a_limit_buy_fills_at_the_ask_if_that_is_no_worse(ask: float, price: float | None) -> None:
    market = Market()
    market.quote(9.80, ask)
    order = market.buy(10, 10.00)
    assert (market.now(order).filled_avg_price or None) == price


def test_a_resting_limit_fills_when_the_market_comes_to_it() -> None:
    market = Market()
    market.quote(10.00)
    order = market.sell(10, 10.50)
    market.trade(11.00)  # a print is no bid
    assert market.state(order) == "new"
    market.quote(10.52)
    assert market.now(order).filled_avg_price == 10.52


def test_a_stop_wakes_on_a_print_and_trades_at_the_market() -> None:
    market = Market()
    market.quote(10.00)
    market.buy(10)
    order = market.sell(10, stop_price=9.50)
    market.trade(9.60)
    assert market.state(order) == "new"
    market.trade(9.50)
    assert market.now(order).filled_avg_price == 10.00


def test_a_stop_wakes_on_the_quotes_side_that_it_would_trade_at() -> None:
    market = Market()
    market.quote(10.00)
    order = market.buy(10, stop_price=10.50)
    market.quote(10.49, 10.50)
    assert market.now(order).filled_avg_price == 10.50


def test_a_stop_limit_that_woke_is_a_limit() -> None:
    market = Market()
    market.quote(10.00)
    order = market.buy(10, 10.55, stop_price=10.50)
    market.quote(10.60)
    assert market.state(order) == "new"
    market.quote(10.40)
    assert market.now(order).filled_avg_price == 10.42


def test_a_closed_bar_is_a_print_and_a_backfilled_one_is_nothing() -> None:
    market = Market()
    market.bar(10.0)
    order = market.buy(10, 9.00)
    market.bar(8.0, backfilled=True)
    assert market.state(order) == "new"
    assert market.exchange.price("TSLA") == 10.0
    market.bar(8.5)
    assert market.now(order).filled_avg_price == 8.5


def test_ioc_cancels_what_is_not_filled_at_once_and_fok_fills_all_or_nothing() -> None:
    market = Market(partial_fills=1.0)
    market.quote(10.00)
    half = market.now(market.buy(100, tif=TimeInForce.IOC))
    assert half.status.value == "canceled"
    assert 0 < half.filled_qty < 100
    assert market.state(market.buy(100, 9.00, tif=TimeInForce.IOC)) == "canceled"
    assert market.now(market.buy(100, tif=TimeInForce.FOK)).filled_qty == 100
    assert market.now(market.buy(100, 9.00, tif=TimeInForce.FOK)).filled_qty == 0


def test_a_partial_fill_is_whole_shares_and_the_rest_comes_with_the_next_event() -> None:
    market = Market(partial_fills=1.0)
    market.quote(10.00)
    order = market.buy(100)
    first = market.now(order).filled_qty
    assert 0 < first < 100
    assert first.is_integer()
    market.quote(10.10)
    assert market.heard() == [
        "new buy",
        f"partial_fill buy {first:g} @ 10.02",
        f"fill buy {100 - first:g} @ 10.12",
    ]


def test_which_orders_fill_in_part_does_not_depend_on_ids_or_on_who_came_first() -> None:
    sizes = []
    for batch, asked in (("a", [100, 101, 102, 103]), ("b", [103, 102, 101, 100])):
        market = Market(partial_fills=0.5, seed=3)
        market.quote(10.00)
        orders = {qty: market.buy(qty, client_order_id=f"{batch}-{qty}") for qty in asked}
        sizes.append({qty: market.now(order).filled_qty for qty, order in sorted(orders.items())})
    assert sizes[0] == sizes[1]
    assert {size == qty for qty, size in sizes[0].items()} == {True, False}


def test_a_tenth_of_the_orders_fill_in_part() -> None:
    market = Market(partial_fills=0.1, cash=100_000_000)
    market.quote(10.00)
    partial = sum(market.now(market.buy(10 + n)).status.value == "partially_filled" for n in range(1_000))
    assert 70 < partial < 130


def test_an_order_before_the_open_waits_accepted_and_begins_at_the_open() -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS + 9 * HOUR_NS
    market.quote(10.00)
    assert market.buy(10).status.value == "accepted"
    market.quote(10.10)
    assert market.heard() == ["accepted buy"]
    market.exchange.on_time(hours_of().open_ns)
    assert market.heard() == ["new buy", "fill buy 10 @ 10.12"]


def test_only_an_extended_hours_limit_trades_before_the_open_and_after_the_close() -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS + 3 * HOUR_NS
    early = market.buy(10, 10.05, extended_hours=True)
    assert early.status.value == "accepted"
    market.now_ns = MIDNIGHT_NS + 5 * HOUR_NS
    market.quote(10.00)
    assert market.heard() == ["accepted buy", "new buy", "fill buy 10 @ 10.02"]
    market.now_ns = MIDNIGHT_NS + 17 * HOUR_NS
    late = market.buy(10, 9.00, extended_hours=True)
    market.exchange.on_time(hours_of().post_ns)
    assert market.state(late) == "expired"


def test_day_orders_expire_at_the_close_and_gtc_ones_stay() -> None:
    market = Market(hours=True)
    market.quote(10.00)
    day, gtc = market.buy(10, 9.00), market.buy(10, 9.00, tif=TimeInForce.GTC)
    market.exchange.on_time(hours_of().close_ns + SECOND_NS)
    assert (market.state(day), market.state(gtc)) == ("expired", "new")
    *_, expired = market.exchange.drain()
    assert (expired.event, expired.t_ns) == ("expired", hours_of().close_ns)
    market.exchange.set_hours(hours_of(1))
    market.now_ns += DAY_NS
    market.quote(8.90)
    assert market.state(gtc) == "filled"


def test_an_event_after_the_close_fills_no_day_order_even_if_nobody_said_the_time() -> None:
    market = Market(hours=True)
    market.quote(10.00)
    order = market.buy(10, 9.00)
    market.now_ns = hours_of().close_ns
    market.quote(8.90)
    assert market.state(order) == "expired"


def test_an_order_after_the_close_lives_through_the_next_day() -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS + 17 * HOUR_NS
    order = market.buy(10, 9.00)
    market.exchange.set_hours(hours_of(1))
    assert market.state(order) == "accepted"
    market.exchange.on_time(hours_of(1).open_ns)
    assert market.state(order) == "new"
    market.exchange.on_time(hours_of(1).close_ns)
    assert market.state(order) == "expired"


def test_a_new_day_ends_the_one_before() -> None:
    market = Market(hours=True)
    market.quote(10.00)
    order = market.buy(10, 9.00)
    market.exchange.set_hours(hours_of(1))
    assert market.state(order) == "expired"


def test_orders_for_the_auctions_trade_at_the_open_and_at_the_close() -> None:
    market = Market(hours=True)
    market.now_ns = MIDNIGHT_NS + 9 * HOUR_NS
    market.quote(10.00)
    opening = market.buy(10, tif=TimeInForce.OPG)
    assert opening.status.value == "accepted"
    market.exchange.on_time(hours_of().open_ns)
    assert market.now(opening).filled_avg_price == 10.02
    market.now_ns = MIDNIGHT_NS + 10 * HOUR_NS
    closing = market.buy(20, tif=TimeInForce.CLS)
    too_low = market.buy(20, 9.00, tif=TimeInForce.CLS)
    market.quote(10.10)
    assert market.held() == 10
    market.exchange.on_time(hours_of().close_ns)
    assert market.now(closing).filled_avg_price == 10.12
    assert market.state(too_low) == "expired"


def test_average_price_stays_through_a_partial_close_and_cash_is_exact() -> None:
    market = Market()
    for ask in (10.01, 10.03, 10.02):
        market.quote(ask - 0.01, ask)
        market.buy(1)
    market.quote(11.11)
    market.sell(1)
    (held,) = market.exchange.positions()
    assert held.avg_price == pytest.approx(10.02, abs=1e-12)
    assert market.exchange.cash == 100_000 - 30.06 + 11.11
    assert_books_agree(market.exchange)


def test_a_short_wins_when_the_price_falls() -> None:
    market = Market()
    market.quote(10.00)
    market.sell(100)
    market.quote(8.98, 9.00)
    market.trade(9.00)
    (held,) = market.exchange.positions()
    assert (held.qty, held.unrealized) == (-100, 100.0)
    market.buy(100)
    assert (market.exchange.cash, market.exchange.realized, market.exchange.positions()) == (100_100, 100, [])


def test_the_mark_is_the_last_trade_and_else_the_middle_of_the_quote() -> None:
    market = Market()
    assert market.exchange.price("TSLA") == 0
    market.quote(10.00, 10.10)
    assert market.exchange.price("TSLA") == pytest.approx(10.05)
    market.trade(10.09)
    market.quote(10.00, 10.02)
    assert market.exchange.price("TSLA") == 10.09


def test_open_symbols_are_those_with_orders_or_shares() -> None:
    market = Market()
    market.quote(10.00)
    market.quote(50.00, symbol="AAPL")
    market.quote(70.00, symbol="MSFT")
    market.buy(1)
    market.buy(1, 40.00, symbol="AAPL")
    assert market.exchange.open_symbols() == {"TSLA", "AAPL"}


def test_a_replay_gives_the_same_ids_and_another_seed_others() -> None:
    def ids(seed: int) -> list[str]:
        market = Market(seed=seed)
        market.quote(10.00)
        order = market.bracket(Side.BUY, 10, 11.00, 9.00)
        return [order.id, *(leg.id for leg in order.legs), market.exchange.executions()[0].execution_id]

    assert ids(1) == ids(1)
    assert len({*ids(1), *ids(2)}) == 8


def test_dump_and_load_keep_hours_marks_and_updates_nobody_fetched() -> None:
    market = Market(hours=True)
    market.quote(10.00)
    market.buy(10, 9.00)
    again = Exchange.load(market.exchange.dump())
    assert again.drain() == market.exchange.drain()
    assert again.price("TSLA") == market.exchange.price("TSLA")
    again.on_time(hours_of().close_ns)
    assert [u.event for u in again.drain()] == ["expired"]
