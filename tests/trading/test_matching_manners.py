"""Exchange: shown sizes, queues, latency, slippage, price bands, borrow, margins and fees."""

from typing import Any

import pytest

from liu_tui.model.market import MINUTE_NS, SECOND_NS, Halt, Quote, Trade
from liu_tui.model.orders import OrderClass, OrderType, Side, TimeInForce
from liu_tui.plan.schema import ExchangeTable, FeesTable
from liu_tui.trading.fees import fee_of
from liu_tui.trading.matching.exchange import Exchange, ExchangeOptions, ExchangeRefusal
from liu_tui.trading.matching.options import exchange_options
from tests.kit.exchange import MIDNIGHT_NS, Market, assert_books_agree, hours_of

MS_NS = 1_000_000


def a_market(*, hours: bool = False, cash: float = 100_000.0, **manners: Any) -> Market:
    """A market with these manners, its quote at 10.00 - 10.02 with 100 shares on each side."""
    market = Market()
    market.exchange = Exchange(cash=cash, partial_fills=0.0, options=ExchangeOptions(**manners))
    if hours:
        market.exchange.set_hours(hours_of())
    market.quote(10.00)
    return market


def show(market: Market, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
    market.now_ns += SECOND_NS
    market.exchange.on_event(Quote("TSLA", market.now_ns, bid, bid_size, ask, ask_size))


def print_(market: Market, price: float, size: float) -> None:
    market.now_ns += SECOND_NS
    market.exchange.on_event(Trade("TSLA", market.now_ns, price, size))


def test_the_plan_makes_the_manners_in_one_place() -> None:
    table = ExchangeTable(displayed=True, latency_ms=2.5, slippage_percent=0.1)
    fees = FeesTable(per_order=1.0)
    made = exchange_options(table, fees)
    assert (made.displayed, made.latency_ns, made.slippage, made.fees) == (True, 2_500_000, 0.001, fees)
    assert exchange_options(ExchangeTable(), FeesTable()) == ExchangeOptions()


# ---- shown sizes


def test_an_order_takes_what_the_quote_shows_and_waits_for_the_next_one() -> None:
    market = a_market(displayed=True)
    order = market.buy(250)
    assert market.now(order).filled_qty == 100
    print_(market, 10.02, 1_000)  # a print shows no size
    assert market.now(order).filled_qty == 100
    show(market, 10.00, 100, 10.03, 120)
    show(market, 10.00, 100, 10.03, 120)
    assert market.heard() == [
        "new buy",
        "partial_fill buy 100 @ 10.02",
        "partial_fill buy 120 @ 10.03",
        "fill buy 30 @ 10.03",
    ]
    assert_books_agree(market.exchange)


def test_what_one_order_has_taken_is_gone_for_the_next() -> None:
    market = a_market(displayed=True)
    market.buy(80)
    second = market.buy(80)
    assert market.now(second).filled_qty == 20
    assert market.now(market.buy(5, tif=TimeInForce.IOC)).status.value == "canceled"


def test_fill_or_kill_needs_all_of_it_shown() -> None:
    market = a_market(displayed=True)
    assert market.now(market.buy(101, tif=TimeInForce.FOK)).filled_qty == 0
    assert market.now(market.buy(100, tif=TimeInForce.FOK)).filled_qty == 100


def test_where_there_is_no_quote_nothing_bounds_the_size() -> None:
    market = Market()
    market.exchange = Exchange(cash=100_000, partial_fills=0, options=ExchangeOptions(displayed=True))
    market.bar(10.0)
    assert market.now(market.buy(5_000)).filled_qty == 5_000


# ---- the queue


def test_a_resting_order_waits_for_the_size_before_it() -> None:
    market = a_market(queue=True)
    order = market.buy(50, 10.00)  # 100 shares stand before it
    print_(market, 10.00, 70)
    assert market.now(order).filled_qty == 0
    print_(market, 10.01, 500)
    assert market.now(order).filled_qty == 0
    print_(market, 10.00, 40)
    assert market.now(order).filled_qty == 10
    print_(market, 10.00, 500)
    assert market.now(order).filled_qty == 50
    assert market.now(order).filled_avg_price == 10.00


def test_two_of_our_orders_share_what_a_print_leaves() -> None:
    market = a_market(queue=True)
    first, second = market.buy(50, 10.00), market.buy(50, 10.00)
    print_(market, 10.00, 160)
    assert [market.now(order).filled_qty for order in (first, second)] == [50, 10]


def test_an_order_better_than_the_best_is_first() -> None:
    market = a_market(queue=True)
    order = market.buy(50, 10.01)
    print_(market, 10.01, 30)
    assert market.now(order).filled_qty == 30


def test_who_goes_away_before_us_is_no_longer_before_us() -> None:
    market = a_market(queue=True)
    order = market.buy(50, 10.00)
    show(market, 10.00, 20, 10.02, 100)
    show(market, 10.00, 300, 10.02, 100)  # they came after us
    print_(market, 10.00, 70)
    assert market.now(order).filled_qty == 50


def test_behind_the_best_nothing_is_known_until_the_price_is_the_best() -> None:
    market = a_market(queue=True)
    order = market.buy(50, 9.90)
    print_(market, 9.90, 10_000)
    assert market.now(order).filled_qty == 0
    show(market, 9.90, 40, 9.92, 100)
    print_(market, 9.90, 60)
    assert market.now(order).filled_qty == 20


@pytest.mark.parametrize("through", [True, False])
def test_what_goes_through_a_resting_order_fills_it_at_its_own_price(through: bool) -> None:
    market = a_market(queue=True)
    order = market.sell(50, 10.10)
    if through:
        print_(market, 10.11, 1)
    else:
        show(market, 10.15, 100, 10.17, 100)
    assert market.now(order).filled_avg_price == 10.10


def test_an_order_that_takes_is_not_in_the_queue() -> None:
    market = a_market(queue=True)
    assert market.now(market.buy(50, 10.05)).filled_avg_price == 10.02


def test_a_place_in_the_queue_survives_a_restart() -> None:
    market = a_market(queue=True)
    order = market.buy(50, 10.00)
    print_(market, 10.00, 100)
    market.exchange = Exchange.load(market.exchange.dump())
    print_(market, 10.00, 7)
    assert market.now(order).filled_qty == 7


# ---- slippage


def test_who_takes_pays_more_but_never_beyond_his_limit() -> None:
    market = a_market(slippage=0.01)
    assert market.now(market.buy(10)).filled_avg_price == 10.1202
    assert market.now(market.sell(5)).filled_avg_price == 9.90
    assert market.now(market.buy(10, 10.05)).filled_avg_price == 10.05


def test_who_waited_does_not_slip() -> None:
    market = a_market(slippage=0.01)
    order = market.buy(10, 9.90)
    market.quote(9.85)
    assert market.now(order).filled_avg_price == 9.87


# ---- latency


def late() -> Market:
    market = a_market(latency_ns=50 * MS_NS)
    market.exchange.drain()
    return market


def wait(market: Market, ms: float) -> None:
    market.now_ns += round(ms * MS_NS)
    market.exchange.on_time(market.now_ns)


def test_an_order_reaches_the_book_later_and_meets_the_market_of_then() -> None:
    market = late()
    order = market.buy(10)
    assert order.status.value == "pending_new"
    market.now_ns -= SECOND_NS - 20 * MS_NS  # the next quote comes 20 ms later
    market.quote(11.00)
    wait(market, 29)
    assert market.heard() == ["pending_new buy"]
    wait(market, 1)
    assert market.heard() == ["new buy", "fill buy 10 @ 11.02"]
    assert market.exchange.executions()[0].t_ns == order.submitted_ns + 50 * MS_NS


def test_a_cancel_that_crosses_a_fill_ends_as_filled() -> None:
    market = late()
    order = market.buy(10, 9.90)
    wait(market, 50)
    market.exchange.cancel(order.id, market.now_ns)
    assert market.state(order) == "pending_cancel"
    with pytest.raises(ExchangeRefusal, match='order is already in "pending_cancel" state'):
        market.exchange.cancel(order.id, market.now_ns)
    market.now_ns -= SECOND_NS - 10 * MS_NS
    market.quote(9.80)
    wait(market, 60)
    assert market.state(order) == "filled"
    assert market.heard() == ["pending_new buy", "new buy", "pending_cancel buy", "fill buy 10 @ 9.82"]


def test_a_cancel_arrives_with_its_group() -> None:
    market = late()
    entry = market.bracket(Side.BUY, 10, 11.00, 9.00)
    wait(market, 50)
    leg = market.now(entry).legs[0]
    market.exchange.cancel(leg.id, market.now_ns)
    wait(market, 50)
    assert [now.status.value for now in market.now(entry).legs] == ["canceled", "canceled"]


def test_a_replacement_stands_in_line_behind_the_old_order_and_takes_its_place() -> None:
    market = late()
    old = market.buy(100, 9.00)
    wait(market, 50)
    power = market.exchange.account().buying_power
    new = market.exchange.replace(old.id, market.now_ns, qty=200, limit_price=9.10)
    assert (market.state(old), new.status.value, new.replaces) == ("pending_replace", "pending_new", old.id)
    assert market.exchange.account().buying_power == power - (200 * 9.10 - 100 * 9.00)
    with pytest.raises(ExchangeRefusal, match="unable to replace order in current state"):
        market.exchange.replace(new.id, market.now_ns, qty=300)
    wait(market, 50)
    assert (market.state(old), market.state(new)) == ("replaced", "new")
    assert market.now(old).replaced_by == new.id
    assert market.heard()[2:] == [
        "pending_replace buy",
        "pending_new buy",
        "replaced buy",
        "new buy",
    ]


def test_a_replacement_that_comes_too_late_is_rejected() -> None:
    market = late()
    old = market.buy(100, 9.90)
    wait(market, 50)
    new = market.exchange.replace(old.id, market.now_ns, limit_price=9.80)
    market.now_ns -= SECOND_NS - 10 * MS_NS
    market.quote(9.80)
    wait(market, 60)
    assert (market.state(old), market.state(new)) == ("filled", "rejected")
    assert market.held() == 100
    assert market.heard()[-2:] == ["rejected buy", "order_replace_rejected buy"]


def test_an_exit_on_its_way_reserves_its_shares_once() -> None:
    market = late()
    market.buy(100)
    wait(market, 50)
    old = market.sell(100, 12.00)
    wait(market, 50)
    new = market.exchange.replace(old.id, market.now_ns, limit_price=11.00)
    assert market.exchange.available("TSLA") == 0
    market.now_ns -= SECOND_NS - 10 * MS_NS
    market.quote(13.00)
    wait(market, 60)
    assert market.held() == 0
    assert {market.state(old), market.state(new)} == {"filled", "rejected"}


def test_what_is_on_its_way_survives_a_restart() -> None:
    market = late()
    order = market.buy(10)
    market.exchange = Exchange.load(market.exchange.dump())
    wait(market, 50)
    assert market.state(order) == "filled"


def test_a_pair_of_exits_arrives_together() -> None:
    market = late()
    market.buy(100)
    wait(market, 50)
    pair = market.oco(Side.SELL, 100, 11.00, 9.00)
    assert pair.status.value == "pending_new"
    wait(market, 50)
    now = market.now(pair)
    assert (now.status.value, now.legs[0].status.value) == ("new", "new")


# ---- price bands


def banded() -> Market:
    """A quiet hour after the open: 10.00 is the average."""
    market = Market()
    market.exchange = Exchange(cash=100_000, partial_fills=0, options=ExchangeOptions(luld=True))
    market.exchange.set_hours(hours_of())
    market.trade(10.00)
    return market


def test_nothing_fills_outside_the_bands() -> None:
    market = banded()
    market.quote(10.60, 10.62)
    order = market.buy(10)
    assert market.state(order) == "new"
    market.quote(10.48, 10.50)
    assert market.now(order).filled_avg_price == 10.50


def test_a_limit_that_lasts_fifteen_seconds_pauses_trading_for_five_minutes() -> None:
    market = banded()
    market.quote(9.40, 9.42)
    since = market.now_ns
    order = market.buy(10)
    market.exchange.on_time(since + 14 * SECOND_NS)
    assert market.exchange.halts() == []
    market.exchange.on_time(since + 16 * SECOND_NS)
    (halt,) = market.exchange.halts()
    assert (halt.symbol, halt.t_ns, halt.halted) == ("TSLA", since + 15 * SECOND_NS, True)
    market.now_ns = since + MINUTE_NS
    market.quote(9.90)
    assert market.state(order) == "new"
    market.exchange.on_time(since + 6 * MINUTE_NS)
    assert market.exchange.halts() == [
        Halt("TSLA", since + 15 * SECOND_NS + 5 * MINUTE_NS, False, "Trading Resumption")
    ]
    market.now_ns = since + 6 * MINUTE_NS
    market.quote(9.40)
    assert market.now(order).filled_avg_price == 9.42


def test_a_limit_that_does_not_last_stops_nothing() -> None:
    market = banded()
    market.quote(9.40, 9.42)
    market.now_ns += 10 * SECOND_NS
    market.quote(10.00)
    market.exchange.on_time(market.now_ns + MINUTE_NS)
    assert market.exchange.halts() == []


def test_the_average_follows_the_prints_of_five_minutes() -> None:
    market = banded()
    for _ in range(6):
        market.now_ns += MINUTE_NS
        market.trade(10.40)
    market.quote(10.80, 10.82)
    assert market.now(market.buy(10)).filled_avg_price == 10.82


def test_the_bands_are_wide_after_the_open_and_before_the_close() -> None:
    for t_ns in (hours_of().open_ns + MINUTE_NS, hours_of().close_ns - 20 * MINUTE_NS):
        market = banded()
        market.now_ns = max(market.now_ns, t_ns) if t_ns > market.now_ns else t_ns
        market.exchange = Exchange(cash=100_000, partial_fills=0, options=ExchangeOptions(luld=True))
        market.exchange.set_hours(hours_of())
        market.trade(10.00)
        market.quote(10.90, 10.92)
        assert market.now(market.buy(10)).filled_avg_price == 10.92


def test_bands_are_of_regular_hours() -> None:
    market = Market()
    market.exchange = Exchange(cash=100_000, partial_fills=0, options=ExchangeOptions(luld=True))
    market.exchange.set_hours(hours_of())
    market.now_ns = hours_of().pre_ns + MINUTE_NS
    market.trade(10.00)
    market.quote(12.00, 12.02)
    assert market.now(market.buy(10, 12.02, extended_hours=True)).filled_avg_price == 12.02


# ---- borrow, margins


def test_a_fraction_of_the_symbols_is_hard_to_borrow_by_the_seed() -> None:
    exchange = Exchange(cash=1, seed=7, options=ExchangeOptions(hard_to_borrow=0.3))
    hard = {n for n in range(1_000) if not exchange.borrowable(f"S{n}")}
    assert 250 < len(hard) < 350
    again = Exchange(cash=1, seed=7, options=ExchangeOptions(hard_to_borrow=0.3))
    assert hard == {n for n in range(1_000) if not again.borrowable(f"S{n}")}
    assert all(Exchange(cash=1, seed=7).borrowable(f"S{n}") for n in hard)


def test_what_is_hard_to_borrow_is_not_sold_short() -> None:
    market = a_market(hard_to_borrow=1.0)
    with pytest.raises(ExchangeRefusal, match='asset "TSLA" cannot be sold short'):
        market.sell(1)
    market.buy(1)
    market.sell(1)


@pytest.mark.parametrize(
    ("price", "qty", "needed"),
    [
        (2.00, 100, 200),
        (4.00, 100, 200),
        (10.00, 100, 300),
        (2.00, -100, 250),
        (10.00, -100, 500),
        (20, -100, 600),
    ],
)
def test_the_maintenance_margin_goes_by_price_and_direction(price: float, qty: int, needed: float) -> None:
    market = Market()
    market.quote(price, price)
    market.submit(market.request(Side.BUY if qty > 0 else Side.SELL, abs(qty)))
    account = market.exchange.account()
    assert account.maintenance_margin == pytest.approx(needed)
    assert account.initial_margin == pytest.approx(100 * price / 2)


def test_equity_of_the_last_close_is_remembered() -> None:
    market = Market(hours=True)
    market.quote(10.00)
    market.buy(100)
    market.trade(12.00)
    assert market.exchange.account().last_equity == 100_000
    market.exchange.on_time(hours_of().close_ns)
    assert market.exchange.account().last_equity == 100_000 - 1_002 + 1_200


# ---- fees

FEES = FeesTable(
    per_order=0.50, per_share=0.005, sell_per_million=20.60, sell_per_share=0.000195, sell_cap=9.79
)


def test_fees_are_whole_cents_of_each_part() -> None:
    assert fee_of(FeesTable(), Side.SELL, 100, 10, first=True) == 0
    assert fee_of(FEES, Side.BUY, 100, 10.0, first=True) == 1.00
    assert fee_of(FEES, Side.BUY, 101, 10.0, first=False) == 0.51  # 0.505, a half goes up
    assert fee_of(FEES, Side.SELL, 100, 10.0, first=False) == 0.50 + 0.03 + 0.02
    assert fee_of(FEES, Side.SELL, 100_000, 1.0, first=False) == 500 + 2.06 + 9.79


def test_each_fill_takes_its_fee_from_the_cash_and_equity_adds_up() -> None:
    market = Market()
    market.exchange = Exchange(
        cash=100_000, partial_fills=0, options=ExchangeOptions(fees=FEES, displayed=True)
    )
    market.quote(10.00)
    market.buy(150)
    market.quote(10.00)
    market.sell(100)
    first, second, third = market.exchange.executions()
    assert (first.fee, second.fee, third.fee) == (1.00, 0.25, 1.00 + 0.03 + 0.02)
    assert market.exchange.fees == 2.30
    account = market.exchange.account()
    unrealized = sum(p.unrealized for p in market.exchange.positions())
    assert account.equity == pytest.approx(100_000 + market.exchange.realized + unrealized - 2.30, abs=1e-9)


def test_a_bust_gives_the_fee_back_and_a_correction_reckons_it_again() -> None:
    market = Market()
    market.exchange = Exchange(cash=100_000, partial_fills=0, options=ExchangeOptions(fees=FEES))
    market.quote(10.00)
    market.buy(100)
    market.sell(50)
    bought, sold = market.exchange.executions()
    stands = market.exchange.reprice(sold.execution_id, 2_000.0)
    assert stands.fee == 0.50 + 0.25 + 2.06 + 0.01
    market.exchange.bust(stands.execution_id)
    market.exchange.bust(bought.execution_id)
    assert (market.exchange.cash, market.exchange.fees) == (100_000, 0)


def test_the_draws_of_today_are_those_of_the_exchange_without_manners() -> None:
    def fills(**manners: Any) -> list[tuple[float, float]]:
        market = Market()
        market.exchange = Exchange(cash=1e6, partial_fills=0.5, options=ExchangeOptions(**manners))
        for n in range(50):
            market.quote(10 + n % 5 / 10, 11)
            market.buy(10 + n)
        return [(done.qty, done.price) for done in market.exchange.executions()]

    assert fills() == fills(hard_to_borrow=0.5) == fills(fees=FEES)


def test_a_stop_that_is_on_its_way_is_one_of_the_kinds_too() -> None:
    market = late()
    market.buy(100)
    wait(market, 50)
    order = market.submit(
        market.request(Side.SELL, 100, order_type=OrderType.TRAILING_STOP, trail_price=0.10)
    )
    wait(market, 50)
    market.quote(9.80)
    assert market.state(order) == "filled"
    assert order.order_class is OrderClass.SIMPLE
    assert market.now_ns > MIDNIGHT_NS


def test_a_leg_whose_replacement_came_too_late_keeps_it_in_its_group() -> None:
    market = late()
    entry = market.bracket(Side.BUY, 10, 11.00, 9.00)
    wait(market, 50)
    target = market.now(entry).legs[0]
    new = market.exchange.replace(target.id, market.now_ns, limit_price=10.90)
    market.now_ns -= SECOND_NS - 10 * MS_NS
    market.quote(11.00)
    market.exchange.changed()
    wait(market, 60)
    assert [leg.status.value for leg in market.now(entry).legs] == ["filled", "canceled", "rejected"]
    assert entry.id in {order.id for order in market.exchange.changed()}
    assert (market.state(new), market.held()) == ("rejected", 0)
