"""Order forms: what is taken, what is refused, and in which words."""

from typing import Any

import pytest

from liu_tui.localmarket.orderform import check_intent, read_order
from liu_tui.model.market import Asset
from liu_tui.model.orders import OrderClass, OrderType, Side, TimeInForce
from liu_tui.trading.matching.listing import check_asset
from liu_tui.trading.matching.refusals import ExchangeRefusal

BODY: dict[str, Any] = {
    "symbol": "aapl",
    "qty": "10",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
}


def test_a_symbol_may_be_written_in_any_way() -> None:
    assert [read_order(BODY | {"symbol": name}).symbol for name in ("aapl", "brk-b")] == ["AAPL", "BRK.B"]


def test_numbers_come_as_strings_or_as_numbers() -> None:
    for qty in ("10", 10, 10.0):
        assert read_order(BODY | {"qty": qty}).qty == 10.0


def test_a_bracket_is_read_with_both_its_legs() -> None:
    request = read_order(
        BODY
        | {
            "type": "limit",
            "limit_price": 9.5,
            "order_class": "bracket",
            "take_profit": {"limit_price": "11"},
            "stop_loss": {"stop_price": 9},
            "client_order_id": "mine",
        }
    )
    assert (request.symbol, request.side, request.order_type) == ("AAPL", Side.BUY, OrderType.LIMIT)
    assert (request.order_class, request.take_profit, request.stop_loss) == (OrderClass.BRACKET, 11.0, 9.0)
    assert (request.tif, request.client_order_id) == (TimeInForce.DAY, "mine")


def test_a_client_that_gives_no_id_gets_one() -> None:
    assert read_order(BODY).client_order_id != read_order(BODY).client_order_id != ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"qty": None}, "qty or notional is required"),
        ({"qty": "ten"}, "qty must be a number > 0, was 'ten'"),
        ({"qty": True}, "qty must be a number > 0, was True"),
        ({"qty": "NaN"}, "qty must be a number > 0"),
        ({"qty": -1}, "qty must be a number > 0, was -1"),
        ({"qty": "Infinity"}, "qty must be a number > 0"),
        ({"symbol": 5}, "symbol is required"),
        ({"side": "hold"}, "invalid side 'hold': one of buy, sell"),
        ({"type": "stop_trailing"}, "invalid type 'stop_trailing'"),
        ({"notional": "500"}, "only one of qty or notional is accepted"),
        ({"trail_price": "0"}, "trail_price must be a number > 0"),
        ({"advanced_instructions": {"algorithm": "VWAP"}}, "advanced_instructions is not supported"),
        ({"stop_loss": "9"}, "stop_loss must be an object"),
        ({"stop_loss": {"stop_price": 9, "limit_price": -8}}, "limit_price must be a number > 0"),
        ({"client_order_id": "x" * 129}, "at most 128 characters"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ExchangeRefusal, match=words.replace(".", r"\.")) as refused:
        read_order(BODY | change)
    assert refused.value.http == 422


def test_dollars_trails_and_the_limit_of_a_stop_are_read() -> None:
    dollars = read_order(BODY | {"qty": None, "notional": "25.50"})
    assert (dollars.qty, dollars.notional) == (0.0, 25.5)
    trail = read_order(BODY | {"type": "trailing_stop", "trail_percent": 2.5})
    assert (trail.trail_price, trail.trail_percent) == (None, 2.5)
    leg = read_order(BODY | {"order_class": "oto", "stop_loss": {"stop_price": 9, "limit_price": "8.9"}})
    assert (leg.stop_loss, leg.stop_loss_limit) == (9.0, 8.9)


@pytest.mark.parametrize(
    ("said", "side", "held", "words"),
    [
        (None, Side.BUY, -5.0, ""),
        ("buy_to_open", Side.BUY, 5.0, ""),
        ("sell_to_close", Side.SELL, 5.0, ""),
        ("buy_to_open", Side.BUY, -5.0, "inferred: buy_to_close, specified: buy_to_open"),
        ("sell_to_open", Side.BUY, 0.0, "invalid position_intent"),
    ],
)
def test_a_position_intent_must_be_what_the_order_does(
    said: str | None, side: Side, held: float, words: str
) -> None:
    if not words:
        check_intent({"position_intent": said}, side, held)
        return
    with pytest.raises(ExchangeRefusal, match=words):
        check_intent({"position_intent": said}, side, held)


@pytest.mark.parametrize(
    ("asset", "change", "held", "words", "http"),
    [
        (None, {}, 0.0, 'asset "AAPL" not found', 422),
        (Asset(symbol="AAPL", tradable=False), {}, 0.0, "is not tradable", 422),
        (Asset(symbol="AAPL", shortable=False), {"side": "sell"}, 0.0, "cannot be sold short", 422),
        (Asset(symbol="AAPL"), {"qty": 1.5}, 0.0, "is not fractionable", 403),
        (
            Asset(symbol="AAPL", fractionable=True),
            {"qty": 1.5, "time_in_force": "gtc"},
            0.0,
            "must be DAY",
            422,
        ),
    ],
)
def test_what_the_listing_does_not_allow_is_refused(
    asset: Asset | None, change: dict[str, Any], held: float, words: str, http: int
) -> None:
    with pytest.raises(ExchangeRefusal, match=words) as refused:
        check_asset(read_order(BODY | change), asset, held, no_shorting=False)
    assert refused.value.http == http


def test_selling_what_is_held_is_no_short() -> None:
    sale = read_order(BODY | {"side": "sell"})
    check_asset(sale, Asset(symbol="AAPL", shortable=False), 10.0, no_shorting=True)
    with pytest.raises(ExchangeRefusal, match="not allowed to short"):
        check_asset(sale, Asset(symbol="AAPL"), 0.0, no_shorting=True)
