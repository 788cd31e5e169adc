"""Exchange: fills that are taken back or repriced, and shares that nobody lends any more."""

from decimal import Decimal

import pytest

from liu_tui.model.orders import OrderState, Side
from liu_tui.trading.matching.exchange import Exchange, ExchangeRefusal
from tests.kit.exchange import Market, assert_books_agree


def a_market() -> Market:
    market = Market()
    market.quote(10.00)
    return market


def test_a_bust_takes_position_cash_and_filled_shares_back_and_is_told() -> None:
    market = a_market()
    order = market.buy(100)
    (done,) = market.exchange.executions()
    market.exchange.drain()
    stands = market.exchange.bust(done.execution_id)
    assert (stands.qty, stands.corrects, stands.order_id) == (0, done.execution_id, order.id)
    assert (market.exchange.cash, market.held(), market.now(order).filled_qty) == (100_000, 0, 0)
    assert market.exchange.executions() == [done, stands]
    (told,) = market.exchange.drain()
    assert (told.event, told.corrects, told.qty, told.position_qty) == (
        "trade_bust",
        done.execution_id,
        0,
        0,
    )
    assert told.amends
    assert_books_agree(market.exchange)


def test_a_busted_order_is_not_filled_again() -> None:
    market = Market(partial_fills=1.0)
    market.quote(10.00)
    order = market.buy(100)
    first = market.exchange.executions()[0]
    market.exchange.bust(first.execution_id)
    market.quote(10.00)
    after = market.now(order)
    assert (after.status, after.filled_qty) == (OrderState.FILLED, 100 - first.qty)
    assert market.held() == 100 - first.qty
    assert_books_agree(market.exchange)


def test_a_repriced_fill_is_as_if_it_had_been_so_from_the_start() -> None:
    market = a_market()
    order = market.buy(100)
    market.quote(11.00)
    market.sell(50)
    bought, _ = market.exchange.executions()
    stands = market.exchange.reprice(bought.execution_id, 10.50)
    assert market.now(order).filled_avg_price == 10.50
    assert market.exchange.realized == pytest.approx(25.0)
    assert market.exchange.cash == 100_000 - 1_050 + 550
    assert [p.avg_price for p in market.exchange.positions()] == [10.50]
    assert market.exchange.reprice(stands.execution_id, 10.02).corrects == stands.execution_id
    assert market.exchange.cash == 100_000 - 1_002 + 550
    assert_books_agree(market.exchange)


def test_what_does_not_stand_cannot_be_corrected() -> None:
    market = a_market()
    market.buy(100)
    (done,) = market.exchange.executions()
    gone = market.exchange.bust(done.execution_id)
    for execution_id in ("nothing", done.execution_id, gone.execution_id):
        with pytest.raises(ExchangeRefusal) as refused:
            market.exchange.bust(execution_id)
        assert refused.value.http == 404


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_a_fill_has_a_price(price: float) -> None:
    market = a_market()
    market.buy(100)
    (done,) = market.exchange.executions()
    with pytest.raises(ExchangeRefusal, match="must be > 0"):
        market.exchange.reprice(done.execution_id, price)
    assert market.exchange.executions() == [done]


def test_exits_of_a_busted_entry_never_open_a_position() -> None:
    market = a_market()
    entry = market.bracket(Side.BUY, 100, 11.00, 9.00)
    market.buy(40)
    bracket_fill = market.exchange.executions()[0]
    market.exchange.bust(bracket_fill.execution_id)
    assert [leg.qty for leg in market.now(entry).legs] == [40, 40]
    market.exchange.bust(market.exchange.executions()[1].execution_id)
    assert {leg.status.value for leg in market.now(entry).legs} == {"canceled"}
    market.quote(8.00)
    assert market.held() == 0
    assert_books_agree(market.exchange)


def test_corrections_survive_a_dump() -> None:
    market = a_market()
    market.buy(100)
    market.buy(10)
    first, second = market.exchange.executions()
    market.exchange.bust(first.execution_id)
    market.exchange.reprice(second.execution_id, 9.00)
    market.exchange = Exchange.load(market.exchange.dump())
    assert [(e.qty, e.price) for e in market.exchange.standing()] == [(10, 9.00)]
    assert market.exchange.cash == 99_910
    assert_books_agree(market.exchange)


def test_what_nobody_lends_cannot_be_sold_short_but_can_be_covered_and_sold() -> None:
    market = a_market()
    market.sell(10)
    market.exchange.stop_borrow("TSLA")
    assert not market.exchange.borrowable("TSLA")
    with pytest.raises(ExchangeRefusal) as refused:
        market.sell(10)
    assert (refused.value.http, refused.value.broker_code, str(refused.value)) == (
        422,
        42210000,
        'asset "TSLA" cannot be sold short',
    )
    market.buy(10)
    market.buy(5)
    market.sell(5)
    market.exchange = Exchange.load(market.exchange.dump())
    with pytest.raises(ExchangeRefusal, match="cannot be sold short"):
        market.sell(1)
    market.exchange.resume_borrow("TSLA")
    market.sell(1)
    assert market.held() == -1


def test_the_log_adds_up_to_the_cash_to_the_cent() -> None:
    market = a_market()
    for _ in range(3):
        market.buy(7)
    for done in market.exchange.executions()[:2]:
        market.exchange.reprice(done.execution_id, 10.0133)
    log = market.exchange.standing()
    spent = sum((Decimal(repr(e.qty)) * Decimal(repr(e.price)) for e in log), Decimal())
    assert Decimal(repr(market.exchange.cash)) == 100_000 - spent
