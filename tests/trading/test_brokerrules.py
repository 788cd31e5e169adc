"""What a broker refuses that can be known before, and what an exit becomes instead."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from liu_tui.model.account import Account
from liu_tui.model.market import Asset
from liu_tui.model.orders import Operation, OrderClass, OrderRequest, OrderType, Side, TimeInForce
from liu_tui.trading.brokerrules import BrokerRules, Moment, adapted, cannot
from liu_tui.trading.orders import OrderRecord
from tests.kit.exchange import HOUR_NS, MIDNIGHT_NS, hours_of
from tests.trading.test_orders import a_record

T, K = TimeInForce, OrderType
PLAIN = Asset(symbol="TSLA", fractionable=True)
MARGIN = Account(id="A", cash=1.0, equity=1.0, buying_power=1.0, multiplier=4.0)
CASH, BLOCKED = replace(MARGIN, multiplier=1.0), replace(MARGIN, trading_blocked=True)
NO_SHORTS = replace(MARGIN, shorting_enabled=False)
NOON_NS, EVENING_NS = MIDNIGHT_NS + 12 * HOUR_NS, MIDNIGHT_NS + 17 * HOUR_NS
MINUTE = HOUR_NS // 60


def a_request(**words: Any) -> OrderRequest:
    said: dict[str, Any] = {
        "client_order_id": "c", "symbol": "TSLA", "side": Side.BUY, "qty": 100.0,
        "order_type": OrderType.MARKET, **words,
    }  # fmt: skip
    return OrderRequest(**said)


def a_moment(**words: Any) -> Moment:
    said = {
        "now_ns": NOON_NS,
        "asset": PLAIN,
        "account": MARGIN,
        "hours": hours_of(),
        "price": 100.0,
        **words,
    }
    return Moment(**said)


LIMIT: dict[str, Any] = {"order_type": K.LIMIT, "limit_price": 100.0}
SHORT: dict[str, Any] = {"side": Side.SELL}
BRACKET: dict[str, Any] = {"order_class": OrderClass.BRACKET, "stop_loss": 95.0, "take_profit": 110.0}
TRAIL: dict[str, Any] = {"order_type": K.TRAILING_STOP, "trail_price": 1.0}
RESTING: dict[str, Any] = {
    "operation": Operation.SELL, "role": "exit", "order_type": K.LIMIT, "limit_price": 101.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        a_request(), a_request(**LIMIT), a_request(**LIMIT, tif=T.IOC), a_request(**LIMIT, tif=T.FOK),
        a_request(**BRACKET), a_request(**LIMIT, **BRACKET, tif=T.GTC), a_request(**TRAIL, tif=T.GTC),
        a_request(qty=0.0, notional=250.0), a_request(qty=0.5), a_request(qty=0.5, **LIMIT),
        a_request(**SHORT), a_request(**LIMIT, extended_hours=True, tif=T.GTC), a_request(tif=T.CLS),
        a_request(order_type=K.STOP, stop_price=101.0),
    ],
)  # fmt: skip
def test_what_the_broker_takes_passes(request_: OrderRequest) -> None:
    assert cannot(request_, a_moment()) is None
    assert cannot(request_, Moment()) is None, "what is unknown speaks against nothing"


@pytest.mark.parametrize(
    ("words", "moment", "code"),
    [
        ({}, {"asset": Asset(symbol="TSLA", tradable=False)}, "NOT_TRADABLE"),
        ({}, {"account": BLOCKED}, "ACCOUNT_BLOCKED"),
        (SHORT, {"account": CASH}, "SHORTING_DISABLED"),
        (SHORT, {"account": NO_SHORTS}, "SHORTING_DISABLED"),
        (SHORT, {"asset": Asset(symbol="TSLA", shortable=False)}, "NOT_SHORTABLE"),
        (SHORT, {"asset": Asset(symbol="TSLA", easy_to_borrow=False)}, "HARD_TO_BORROW"),
        ({**SHORT, "qty": 0.5}, {}, "NOT_FRACTIONABLE"),
        ({**SHORT, "qty": 0.0, "notional": 100.0}, {}, "NOT_FRACTIONABLE"),
        ({"qty": 0.5}, {"asset": Asset(symbol="TSLA")}, "NOT_FRACTIONABLE"),
        ({"qty": 0.0, "notional": 100.0}, {"asset": Asset(symbol="TSLA")}, "NOT_FRACTIONABLE"),
        ({"qty": 0.5, **BRACKET}, {}, "FRACTION_FORM"),
        ({"qty": 0.5, "tif": T.GTC}, {}, "FRACTION_FORM"),
        ({"qty": 0.5, **TRAIL}, {}, "FRACTION_FORM"),
        ({"qty": 0.0, "notional": 0.5}, {}, "NOTIONAL_TOO_SMALL"),
        ({"extended_hours": True}, {}, "EXTENDED_HOURS_LIMIT_ONLY"),
        ({**LIMIT, "extended_hours": True, "tif": T.IOC}, {}, "EXTENDED_HOURS_LIMIT_ONLY"),
        ({**LIMIT, **BRACKET, "extended_hours": True}, {}, "EXTENDED_HOURS_LIMIT_ONLY"),
        ({"order_type": K.STOP, "stop_price": 101.0, "tif": T.CLS}, {}, "AUCTION_FORM"),
        ({"tif": T.OPG}, {"now_ns": MIDNIGHT_NS + 9 * HOUR_NS + 28 * MINUTE}, "AUCTION_OVER"),
        ({"tif": T.CLS}, {"now_ns": MIDNIGHT_NS + 15 * HOUR_NS + 50 * MINUTE}, "AUCTION_OVER"),
        ({**TRAIL, "tif": T.IOC}, {}, "NOT_POSSIBLE"),
        ({**TRAIL, **BRACKET}, {}, "NOT_POSSIBLE"),
        ({**BRACKET, "tif": T.IOC}, {}, "NOT_POSSIBLE"),
        ({"order_type": K.STOP, "stop_price": 100.0}, {}, "TRIGGER_PASSED"),
        ({**SHORT, "order_type": K.STOP, "stop_price": 100.5}, {}, "TRIGGER_PASSED"),
        ({**BRACKET, "stop_loss": 99.995}, {}, "BAD_PRICES"),
        ({**LIMIT, **BRACKET, "take_profit": 100.001}, {}, "BAD_PRICES"),
        ({}, {"working": (a_record(**RESTING),)}, "WASH_TRADE"),
        ({**LIMIT, "limit_price": 101.0}, {"working": (a_record(**RESTING),)}, "WASH_TRADE"),
    ],
)  # fmt: skip
def test_what_it_refuses_is_known_before(words: dict[str, Any], moment: dict[str, Any], code: str) -> None:
    said = cannot(a_request(**words), a_moment(**moment))
    assert said is not None
    assert said.code == code
    assert "{" not in said.words


@pytest.mark.parametrize(
    ("words", "other"),
    [
        (LIMIT, RESTING),
        (BRACKET, RESTING),
        (TRAIL, RESTING),
        ({}, {**RESTING, "parent": "p"}),
        ({}, {**RESTING, "stop": 95.0}),
        ({}, {**RESTING, "order_type": K.TRAILING_STOP, "trail_price": 1.0}),
        ({}, {**RESTING, "operation": Operation.BUY}),
    ],
)
def test_orders_that_cannot_meet_are_no_wash_trade(words: dict[str, Any], other: dict[str, Any]) -> None:
    assert cannot(a_request(**words), a_moment(working=(a_record(**other),))) is None


def test_opg_and_cls_orders_are_taken_again_in_the_evening() -> None:
    assert cannot(a_request(tif=T.OPG), a_moment(now_ns=MIDNIGHT_NS + 19 * HOUR_NS)) is None
    assert cannot(a_request(tif=T.CLS), a_moment(now_ns=MIDNIGHT_NS + 19 * HOUR_NS)) is None


def test_another_broker_is_another_instance() -> None:
    rules = BrokerRules(name="Elsewhere", short_hard_to_borrow=True, extended_types=frozenset(K))
    hard = a_moment(asset=Asset(symbol="TSLA", easy_to_borrow=False))
    assert cannot(a_request(**SHORT), hard, rules) is None
    assert cannot(a_request(extended_hours=True), a_moment(), rules) is None


# exits


def an_exit(**words: Any) -> OrderRecord:
    said: dict[str, Any] = {"operation": Operation.SELL, "role": "exit", "order_type": K.MARKET, **words}
    return a_record(**said)


def test_an_exit_that_is_possible_stays_as_it_is() -> None:
    assert adapted(an_exit(), a_moment()) == (an_exit(), [])


def test_a_market_exit_in_extended_hours_is_a_limit_through_the_price() -> None:
    changed, words = adapted(an_exit(extended_hours=True), a_moment(now_ns=EVENING_NS))
    assert (changed.order_type, changed.limit_price, changed.extended_hours) == (K.LIMIT, 99.0, True)
    assert "99" in words[0]
    cover, _ = adapted(an_exit(extended_hours=True, operation=Operation.COVER), a_moment(now_ns=EVENING_NS))
    assert cover.limit_price == 101.0


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ({"extended_hours": True}, {}),
        ({"extended_hours": True}, {"now_ns": EVENING_NS, "price": 0.0}),
        ({"extended_hours": True, "order_type": K.STOP, "stop_price": 95.0}, {"now_ns": EVENING_NS}),
    ],
)
def test_what_cannot_be_for_extended_hours_is_for_the_regular_ones(
    words: dict[str, Any], moment: dict[str, Any]
) -> None:
    changed, said = adapted(an_exit(**words), a_moment(**moment))
    assert not changed.extended_hours
    assert changed.order_type is words.get("order_type", K.MARKET)
    assert said


@pytest.mark.parametrize(
    "words",
    [
        {"order_type": K.STOP, "stop_price": 95.0, "tif": T.CLS},
        {"order_type": K.TRAILING_STOP, "trail_price": 1.0, "tif": T.IOC},
        {"order_type": K.LIMIT, "limit_price": 101.0, "extended_hours": True, "tif": T.FOK},
        {"qty": 0.5, "tif": T.GTC},
        {"tif": T.OPG},
    ],
)
def test_a_time_in_force_that_cannot_be_becomes_day(words: dict[str, Any]) -> None:
    changed, said = adapted(an_exit(**words), a_moment())
    assert changed.tif is T.DAY
    assert len(said) == 1


def test_a_trailing_exit_of_a_fraction_is_a_stop_that_stays() -> None:
    changed, said = adapted(an_exit(qty=0.5, order_type=K.TRAILING_STOP, trail_percent=2.0), a_moment())
    assert (changed.order_type, changed.stop_price, changed.trail_percent) == (K.STOP, 98.0, None)
    assert "98" in said[0]
    blind, _ = adapted(
        an_exit(qty=0.5, price=0.0, order_type=K.TRAILING_STOP, trail_percent=2.0), a_moment(price=0.0)
    )
    assert blind.order_type is K.MARKET


def test_a_trigger_that_the_price_has_passed_is_no_trigger() -> None:
    changed, _ = adapted(an_exit(order_type=K.STOP, stop_price=101.0), a_moment())
    assert (changed.order_type, changed.stop_price) == (K.MARKET, None)
    limited, _ = adapted(an_exit(order_type=K.STOP_LIMIT, stop_price=101.0, limit_price=100.5), a_moment())
    assert (limited.order_type, limited.limit_price) == (K.LIMIT, 100.5)
