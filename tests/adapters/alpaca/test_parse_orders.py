"""Alpaca's JSON of orders, fills, positions and the account."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.alpaca.order_form import order_form, replace_form
from liu_tui.adapters.alpaca.parse_orders import (
    read_account,
    read_executions,
    read_order,
    read_orders,
    read_positions,
    read_update,
)
from liu_tui.errors import OrderRefused, TraderError
from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.orders import (
    BrokerOrder,
    Execution,
    OrderClass,
    OrderRequest,
    OrderState,
    OrderType,
    ReplaceRequest,
    Side,
    TimeInForce,
)

API = Path(__file__).parents[3] / "../shared/data/api"
T0_NS = 1_791_466_200_000_000_123
T0 = "2026-10-08T13:30:00.000000123Z"


def an_order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "o1",
        "client_order_id": "c1",
        "created_at": T0,
        "submitted_at": T0,
        "updated_at": T0,
        "symbol": "AAPL",
        "qty": "10",
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_class": "",
        "type": "limit",
        "side": "buy",
        "time_in_force": "gtc",
        "limit_price": "100.5",
        "stop_price": None,
        "status": "new",
        "legs": None,
    } | changes


def test_strings_become_numbers_and_times_nanoseconds() -> None:
    assert read_order(
        an_order(filled_qty="4", filled_avg_price="100.25", status="partially_filled")
    ) == BrokerOrder(
        id="o1",
        client_order_id="c1",
        symbol="AAPL",
        side=Side.BUY,
        qty=10.0,
        filled_qty=4.0,
        filled_avg_price=100.25,
        order_type=OrderType.LIMIT,
        tif=TimeInForce.GTC,
        limit_price=100.5,
        status=OrderState.PARTIALLY_FILLED,
        submitted_ns=T0_NS,
        updated_ns=T0_NS,
    )


@pytest.mark.parametrize("status", ["new", "held", "filled", "pending_cancel", "accepted", "calculated"])
def test_the_brokers_words_are_our_states(status: str) -> None:
    assert read_order(an_order(status=status)).status.value == status


@pytest.mark.parametrize("status", ["a new word", None, "", "submitted", "refused", "intent"])
def test_a_status_that_is_not_the_brokers_keeps_the_order_as_unknown(status: str | None) -> None:
    assert read_order(an_order(status=status)).status is OrderState.UNKNOWN


def test_foreign_words_of_type_class_and_tif_never_cost_the_order() -> None:
    order = read_order(an_order(type="pegged", order_class="mleg", time_in_force="gtd", stop_price="99"))
    assert (order.order_type, order.order_class, order.tif) == (
        OrderType.STOP_LIMIT,
        OrderClass.SIMPLE,
        TimeInForce.DAY,
    )
    assert read_order(an_order(type="trailing_stop", limit_price=None)).order_type is OrderType.TRAILING_STOP


def test_legs_are_read_with_their_parent() -> None:
    legs = [
        an_order(id="tp", side="sell", status="held"),
        an_order(id="sl", side="sell", type="stop", status="held"),
    ]
    order = read_order(an_order(order_class="bracket", legs=legs))
    assert [(leg.id, leg.parent_id, leg.side) for leg in order.legs] == [
        ("tp", "o1", Side.SELL),
        ("sl", "o1", Side.SELL),
    ]
    assert order.parent_id == ""


def test_a_leg_that_comes_alone_names_its_parent_by_its_group() -> None:
    assert read_order(an_order(id="sl", group_id="o1", group_role="stop_loss")).parent_id == "o1"
    assert read_order(an_order(group_id="o1", group_role="entry")).parent_id == ""
    assert read_order(an_order(group_id="o1", group_role="take_profit")).parent_id == ""  # an OCO's parent


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        an_order(id=""),
        an_order(symbol=None),
        an_order(side="hold"),
        an_order(qty="many"),
        an_order(filled_qty="nan"),
        an_order(legs=[{}]),
    ],
)
def test_an_order_without_its_bones_is_a_trader_error(bad: Any) -> None:
    with pytest.raises(TraderError):
        read_order(bad)


def test_a_fill_is_of_this_execution() -> None:
    update = read_update(
        {
            "event": "partial_fill",
            "timestamp": T0,
            "order": an_order(filled_qty="4"),
            "execution_id": "e1",
            "price": "100.1",
            "qty": "3",
            "position_qty": "-7",
        }
    )
    assert (update.execution_id, update.price, update.qty, update.position_qty, update.t_ns) == (
        "e1",
        100.1,
        3.0,
        -7.0,
        T0_NS,
    )
    assert update.fills


def test_a_fill_without_an_id_is_known_by_what_it_completes() -> None:
    said = {"event": "fill", "order": an_order(filled_qty="10"), "price": "1", "qty": "6"}
    assert read_update(said).execution_id == "o1/10"


@pytest.mark.parametrize("missing", ["price", "qty"])
def test_a_fill_that_cannot_be_booked_is_a_trader_error(missing: str) -> None:
    said = {"event": "fill", "order": an_order(), "price": "1", "qty": "6"} | {missing: None}
    with pytest.raises(TraderError, match="without price or quantity"):
        read_update(said)


def test_fills_of_one_millisecond_come_in_the_order_in_which_they_filled() -> None:
    row = {"order_id": "o1", "symbol": "AAPL", "price": "1.5", "transaction_time": T0, "side": "sell_short"}
    found = read_executions(
        [
            row | {"id": "20261008093000000::b", "qty": "6", "cum_qty": "10"},
            row | {"id": "20261008093000000::a", "qty": "4", "cum_qty": "4"},
        ]
    )
    first = Execution(
        execution_id="a", order_id="o1", symbol="AAPL", side=Side.SELL, qty=4.0, price=1.5, t_ns=T0_NS
    )
    assert found == [first, msgspec.structs.replace(first, execution_id="b", qty=6.0)]


@pytest.mark.parametrize("qty", ["5", "-5"])
def test_a_short_is_negative_however_it_is_spelled(qty: str) -> None:
    row = {"symbol": "AAPL", "qty": qty, "side": "short", "avg_entry_price": "10", "current_price": None}
    assert read_positions([row]) == [BrokerPosition(symbol="AAPL", qty=-5.0, avg_price=10.0)]


def test_an_account_without_the_fields_that_went_away_is_read() -> None:
    said = {
        "id": "u",
        "account_number": "PA1",
        "cash": "1.5",
        "equity": "2",
        "buying_power": "4",
        "multiplier": "4",
    }
    assert read_account(said | {"shorting_enabled": True, "account_blocked": True}) == Account(
        id="PA1", cash=1.5, equity=2.0, buying_power=4.0, multiplier=4.0, trading_blocked=True
    )


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from([*an_order(), "group_id", "execution_id", "price", "event", "order"]), _json
    ),
    st.sampled_from([read_order, read_orders, read_update, read_executions, read_positions, read_account]),
)
def test_any_json_is_read_or_a_trader_error(changes: dict[str, Any], reader: Callable[[Any], Any]) -> None:
    for said in (changes, an_order() | changes, [an_order() | changes], {"order": an_order()} | changes):
        with contextlib.suppress(TraderError):
            reader(said)


def test_every_recorded_order_position_and_account_is_read() -> None:
    file = API / "alpaca_rest_alpaca-py.jsonl"
    if not file.exists():
        pytest.skip("the recorded REST answers are not on this machine")
    kinds = set()
    for line in file.read_text().splitlines():
        row = json.loads(line)
        payload = row["payload"]
        first = payload[0] if isinstance(payload, list) and payload else payload
        if not isinstance(first, dict):
            continue
        if {"client_order_id", "status", "side"} <= set(first) and first["side"]:
            (read_orders if isinstance(payload, list) else read_order)(payload)
            kinds.add("order")
        elif "avg_entry_price" in first:
            read_positions(payload if isinstance(payload, list) else [payload])
            kinds.add("position")
        elif "buying_power" in first:
            read_account(payload)
            kinds.add("account")
    assert kinds == {"order", "position", "account"}


def test_every_documented_update_is_read() -> None:
    file = API / "alpaca_ws_doc_examples.jsonl"
    if not file.exists():
        pytest.skip("the recorded documentation examples are not on this machine")
    payloads = [json.loads(line)["payload"] for line in file.read_text().splitlines()]
    updates = [p["data"] for p in payloads if isinstance(p, dict) and p.get("stream") == "trade_updates"]
    assert updates
    for data in updates:
        assert read_update(data).fills


def a_request(**changes: Any) -> OrderRequest:
    plain = OrderRequest(
        client_order_id="c", symbol="aapl", side=Side.BUY, qty=10.0, order_type=OrderType.MARKET
    )
    return msgspec.structs.replace(plain, **changes)


def test_a_form_has_strings_on_the_tick_and_nothing_that_was_not_asked() -> None:
    assert order_form(a_request()) == {
        "symbol": "AAPL",
        "qty": "10",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": "c",
    }
    form = order_form(
        a_request(
            order_type=OrderType.LIMIT,
            limit_price=0.1 + 0.2,
            order_class=OrderClass.BRACKET,
            take_profit=290.126,
            stop_loss=99.999,
        )
    )
    assert form["limit_price"] == "0.3000"
    assert form["take_profit"] == {"limit_price": "290.13"}
    assert form["stop_loss"] == {"stop_price": "100.00"}
    assert form["order_class"] == "bracket"


LIMIT: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": 10.0}
STOP: dict[str, Any] = {"order_type": OrderType.STOP, "stop_price": 10.0}
TRAILING = OrderType.TRAILING_STOP
BRACKET: dict[str, Any] = {"order_class": OrderClass.BRACKET, "take_profit": 12.0, "stop_loss": 9.0}


@pytest.mark.parametrize(
    ("changes", "written"),
    [
        ({"notional": 100.129, "qty": 0}, {"notional": "100.12", "qty": None}),
        ({"qty": 1.5}, {"qty": "1.5"}),
        ({"qty": 0.123456789}, {"qty": "0.123456789"}),
        (LIMIT | {"tif": TimeInForce.IOC}, {"limit_price": "10.00", "time_in_force": "ioc"}),
        (LIMIT | {"extended_hours": True}, {"extended_hours": True}),
        (STOP | {"tif": TimeInForce.GTC}, {"stop_price": "10.00", "time_in_force": "gtc"}),
        (
            {"order_type": OrderType.STOP_LIMIT, "stop_price": 10.0, "limit_price": 9.5},
            {"stop_price": "10.00", "limit_price": "9.50"},
        ),
        ({"order_type": TRAILING, "trail_price": 0.5125}, {"type": "trailing_stop", "trail_price": "0.51"}),
        ({"order_type": TRAILING, "trail_price": 0.0052}, {"trail_price": "0.0052"}),
        ({"order_type": TRAILING, "trail_percent": 1.5}, {"trail_percent": "1.50"}),
        ({"tif": TimeInForce.OPG}, {"time_in_force": "opg"}),
        (
            BRACKET | {"stop_loss_limit": 8.995},
            {
                "stop_loss": {"stop_price": "9.00", "limit_price": "9.00"},
                "take_profit": {"limit_price": "12.00"},
            },
        ),
        (
            {"order_class": OrderClass.OTO, "stop_loss": 9.0},
            {"order_class": "oto", "stop_loss": {"stop_price": "9.00"}, "take_profit": None},
        ),
        (BRACKET | LIMIT | {"order_class": OrderClass.OCO, "limit_price": None}, {"order_class": "oco"}),
    ],
)
def test_every_kind_of_order_has_its_form(changes: dict[str, Any], written: dict[str, Any]) -> None:
    form = order_form(a_request(**changes))
    assert {key: form.get(key) for key in written} == written


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_order_id": "x" * 129}, "1 to 128"),
        ({"client_order_id": ""}, "1 to 128"),
        ({"notional": 100.0}, "not for both"),
        ({"notional": 0.5, "qty": 0}, "in dollars"),
        ({"notional": 9.0, "qty": 0, "tif": TimeInForce.GTC}, "must be DAY"),
        (BRACKET | {"qty": 1.5}, "must be simple"),
        ({"qty": 1.5, "order_type": TRAILING, "trail_price": 1.0}, "whole shares"),
        ({"order_type": OrderType.LIMIT}, "needs a limit_price"),
        ({"order_type": OrderType.STOP_LIMIT, "limit_price": 1.0}, "needs a stop_price"),
        ({"limit_price": 1.0}, "has no limit_price"),
        (LIMIT | {"trail_price": 1.0}, "no other order"),
        ({"order_type": TRAILING}, "trail_price or a trail_percent"),
        ({"order_type": TRAILING, "trail_price": 1.0, "trail_percent": 1.0}, "trail_price or"),
        (BRACKET | {"order_type": TRAILING, "trail_price": 1.0}, "stands alone"),
        (STOP | {"tif": TimeInForce.CLS}, "market and limit"),
        (STOP | {"tif": TimeInForce.IOC}, "day or gtc"),
        ({"stop_loss": 9.0}, "no legs"),
        (BRACKET | {"take_profit": None}, "both"),
        (BRACKET | {"order_class": OrderClass.OTO}, "one leg"),
        (BRACKET | {"order_class": OrderClass.OCO}, "of type limit"),
        (BRACKET | {"tif": TimeInForce.FOK}, "day or gtc"),
        ({"extended_hours": True}, "limit orders only"),
        (LIMIT | {"extended_hours": True, "tif": TimeInForce.OPG}, "limit orders only"),
        (BRACKET | LIMIT | {"extended_hours": True}, "simple orders only"),
    ],
)
def test_what_alpaca_does_not_take_never_leaves(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(OrderRefused, match=words):
        order_form(a_request(**changes))


def test_a_replacement_names_only_what_changes() -> None:
    form = replace_form(ReplaceRequest(order_id="o1", client_order_id="c2", symbol="A", trail=1.255))
    assert form == {"client_order_id": "c2", "trail": "1.26"}
    told = ReplaceRequest(
        order_id="o1", client_order_id="c2", symbol="A", qty=3, limit_price=0.5, tif=TimeInForce.GTC
    )
    assert replace_form(told)["time_in_force"] == "gtc"
    with pytest.raises(OrderRefused, match="stop_price"):
        replace_form(ReplaceRequest(order_id="o1", client_order_id="c2", symbol="A", stop_price=-1.0))


def test_a_trailing_stop_and_an_order_in_dollars_are_read_whole() -> None:
    order = read_order(
        an_order(type="trailing_stop", limit_price=None, stop_price="99.5", trail_percent="1.5", hwm="101.01")
        | {"expires_at": T0, "extended_hours": True}
    )
    assert (order.trail_percent, order.trail_price, order.hwm) == (1.5, None, 101.01)
    assert (order.stop_price, order.expires_ns) == (99.5, T0_NS)
    dollars = read_order(an_order(type="market", limit_price=None, qty=None, notional="250"))
    assert (dollars.qty, dollars.notional) == (0.0, 250.0)
    assert read_order(an_order(hwm="string")).hwm == 0.0


def amended(event: str, **changes: Any) -> dict[str, Any]:
    said = {"execution_id": "e2", "previous_execution_id": "e1", "price": "10.5", "qty": "4"}
    return {"event": event, "timestamp": T0, "order": an_order()} | said | changes


def test_a_bust_and_a_correction_name_the_execution_that_they_amend() -> None:
    bust, correct = read_update(amended("trade_bust")), read_update(amended("trade_correct"))
    assert bust.amends
    assert (bust.corrects, bust.execution_id, bust.qty) == ("e1", "e2", 0.0)
    assert (correct.corrects, correct.execution_id, correct.qty, correct.price) == ("e1", "e2", 4.0, 10.5)
    assert not correct.fills


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("trade_bust", {"previous_execution_id": None}),
        ("trade_bust", {"execution_id": None}),
        ("trade_correct", {"previous_execution_id": ""}),
        ("trade_correct", {"price": None}),
    ],
)
def test_an_amendment_that_does_not_say_of_what_is_not_guessed(event: str, changes: dict[str, Any]) -> None:
    with pytest.raises(TraderError):
        read_update(amended(event, **changes))


def test_the_accounts_history_tells_amendments_too() -> None:
    row = {"id": "x::e2", "order_id": "o1", "symbol": "A", "side": "buy", "qty": "4", "price": "2"}
    row |= {"transaction_time": T0, "type": "trade_bust", "previous_execution_id": "e1"}
    (bust,) = read_executions([row])
    assert (bust.corrects, bust.qty) == ("e1", 0.0)


def test_the_owners_lock_is_not_the_brokers_block() -> None:
    said = {"id": "a", "cash": "5", "non_marginable_buying_power": "4.5", "initial_margin": "3"}
    more = {"maintenance_margin": "2", "last_equity": "6", "accrued_fees": "0.01"}
    account = read_account(said | more | {"trade_suspended_by_user": True})
    assert (account.suspended, account.trading_blocked) == (True, False)
    assert (account.cash_only, account.initial_margin, account.maintenance_margin) == (4.5, 3.0, 2.0)
    assert (account.last_equity, account.accrued_fees) == (6.0, 0.01)
    assert read_account(said | {"account_blocked": True}).trading_blocked


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (1.0, "1.00"),
        (0.99996, "1.00"),
        (0.99994, "0.9999"),
        (0.12345, "0.1234"),
        (2.675, "2.68"),
        (1e8, "100000000.00"),
    ],
)
def test_prices_lie_on_the_tick(dollars: float, text: str) -> None:
    assert order_form(a_request(order_type=OrderType.LIMIT, limit_price=dollars))["limit_price"] == text


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -1.0])
@pytest.mark.parametrize("field", ["qty", "limit_price", "stop_price", "take_profit", "stop_loss"])
def test_a_number_that_is_none_is_refused_here_by_name(field: str, bad: float) -> None:
    with pytest.raises(OrderRefused, match=field):
        order_form(a_request(**{field: bad}))
