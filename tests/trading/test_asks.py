"""What strategies ask, at the desk: entries under the broker's rules, exits that leave no position bare."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from liu_tui.model.account import Account
from liu_tui.model.market import Asset
from liu_tui.model.orders import Operation, OrderClass, OrderState, OrderType, TimeInForce
from liu_tui.trading.effects import News, Notice
from tests.kit.desk import NOON_NS, Rig, an_answer, an_intent, an_update, cancels, fills, refusals, sends

S = OrderState


def a_position(**words: Any) -> Rig:
    """A hundred shares at about 100 dollars."""
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(**words))
    return rig


def roles(rig: Rig) -> dict[str, float]:
    return {r.role: r.qty for r in rig.live()}


# entries


def test_a_listing_that_forbids_it_refuses_an_entry_with_its_code() -> None:
    rig = Rig()
    rig.desk.learn_assets({"TSLA": Asset(symbol="TSLA", easy_to_borrow=False)})
    assert refusals(rig.desk.on_intent(an_intent(Operation.SHORT), NOON_NS)) == ["HARD_TO_BORROW"]
    assert refusals(rig.desk.on_intent(an_intent(symbol="GONE"), NOON_NS)) == ["NOT_TRADABLE"]
    assert sends(rig.desk.on_intent(an_intent(n=1), NOON_NS))


def test_the_account_is_looked_at_too() -> None:
    rig = Rig()
    rig.desk.learn_account(Account(id="A", cash=1e6, equity=1e6, buying_power=1e6, multiplier=1.0))
    assert refusals(rig.desk.on_intent(an_intent(Operation.SHORT), NOON_NS)) == ["SHORTING_DISABLED"]


def test_an_exit_passes_whatever_is_known_of_listing_and_account() -> None:
    rig = a_position()
    rig.desk.learn_assets({"F": Asset(symbol="F")})
    rig.desk.learn_account(Account(id="A", cash=0, equity=0, buying_power=0, trading_blocked=True))
    assert sends(rig.ask(an_intent(Operation.SELL, 0, n=1)))
    assert rig.held() == 0


def test_an_entry_in_dollars_is_booked_as_the_broker_fills_it() -> None:
    rig = Rig()
    desk = rig.desk
    (sent,) = sends(desk.on_intent(an_intent(qty=0, notional=250.0), NOON_NS))
    assert (sent.qty, sent.notional) == (0.0, 250.0)
    order = an_answer(sent, notional=250.0)
    desk.on_accepted(sent.client_order_id, order, NOON_NS)
    part = an_update("partial_fill", order, qty=1.5, price=100.0, x="x1", filled_qty=1.5)
    assert [fill.qty for fill in fills(desk.on_update(part, NOON_NS))] == [1.5]
    (working,) = rig.live("entry")
    assert (working.state, working.remaining) == (S.PARTIALLY_FILLED, 1.0)
    rest = an_update("fill", order, qty=0.99, price=100.5, x="x2", filled_qty=2.49)
    desk.on_update(rest, NOON_NS)
    record = desk.orders[sent.client_order_id]
    assert (record.state, record.filled_qty, record.remaining, record.shares) == (S.FILLED, 2.49, 0.0, 2.49)
    assert rig.held() == 2.49


def test_a_fill_of_an_order_in_dollars_that_comes_alone_does_not_end_it() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(qty=0, notional=250.0), NOON_NS))
    order = an_answer(sent, notional=250.0)
    rig.desk.on_update(an_update("partial_fill", order, qty=2.4, price=100.0, x="x", filled_qty=2.4), NOON_NS)
    assert rig.live("entry")


def test_dollars_count_against_the_limits_as_what_they_are() -> None:
    rig = Rig()
    rig.desk.limits = replace(rig.desk.limits, max_order_value=200.0)
    assert refusals(rig.desk.on_intent(an_intent(qty=0, notional=250.0), NOON_NS)) == ["MAX_ORDER_VALUE"]
    assert sends(rig.desk.on_intent(an_intent(qty=0, notional=150.0, n=1), NOON_NS))


def test_every_kind_of_order_reaches_the_broker_as_it_was_asked() -> None:
    kinds: list[tuple[dict[str, Any], OrderType]] = [
        ({}, OrderType.MARKET), ({"limit": 99.0}, OrderType.LIMIT), ({"trigger": 101.0}, OrderType.STOP),
        ({"trigger": 101.0, "limit": 102.0}, OrderType.STOP_LIMIT), ({"trail": 1.0}, OrderType.TRAILING_STOP),
        ({"trail_percent": 1.0}, OrderType.TRAILING_STOP),
    ]  # fmt: skip
    for n, (words, kind) in enumerate(kinds):
        (sent,) = sends(Rig().desk.on_intent(an_intent(n=n, **words), NOON_NS))
        assert sent.order_type is kind
        assert (sent.trail_price, sent.trail_percent) == (words.get("trail"), words.get("trail_percent"))
    (late,) = sends(Rig().desk.on_intent(an_intent(limit=99.0, extended_hours=True), NOON_NS))
    assert late.extended_hours
    (legs,) = sends(Rig().desk.on_intent(an_intent(stop=95.0, stop_limit=94.0, target=110.0), NOON_NS))
    assert (legs.order_class, legs.stop_loss_limit) == (OrderClass.BRACKET, 94.0)


# exits that rest


def test_a_resting_limit_exit_keeps_the_stop_as_an_oco() -> None:
    rig = a_position(stop=95.0)
    rig.ask(an_intent(Operation.SELL, 0, n=1, limit=103.0))
    assert roles(rig) == {"exit": 100, "stop": 100}
    rig.quote(94.5)
    assert rig.held() == 0
    assert not rig.live()
    rig.assert_agrees()


def test_what_a_resting_exit_leaves_is_protected_beside_it() -> None:
    rig = a_position(stop=95.0, target=110.0)
    rig.ask(an_intent(Operation.SELL, 30, n=1, limit=103.0))
    rig.wait()
    stops = {(r.role, r.qty) for r in rig.live()}
    assert stops == {("exit", 30), ("stop", 30), ("target", 70), ("stop", 70)}
    rig.quote(104.0)
    assert rig.held() == 70
    rig.quote(94.0)
    assert rig.held() == 0
    rig.assert_agrees()


def test_a_trailing_exit_takes_the_place_of_the_stop() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(), NOON_NS))
    order = an_answer(sent)
    rig.desk.on_update(an_update("fill", order, qty=100, price=100.0, x="x", filled_qty=100.0), NOON_NS)
    (leaving,) = sends(rig.desk.on_intent(an_intent(Operation.SELL, 0, n=1, trail=1.0), NOON_NS))
    assert (leaving.order_type, leaving.trail_price) == (OrderType.TRAILING_STOP, 1.0)
    assert not sends(rig.desk.on_time(NOON_NS + 2_000_000_000))


def test_when_a_resting_exit_ends_unfilled_the_stop_is_put_back() -> None:
    rig = a_position(stop=95.0)
    rig.ask(an_intent(Operation.SELL, 0, n=1, trigger=97.0))
    (leaving,) = rig.live()
    assert leaving.role == "exit"
    rig.exchange.cancel(leaving.order_id, rig.now_ns)
    rig.wait()
    assert roles(rig) == {"stop": 100}


def test_the_last_word_counts_another_exit_takes_the_place_of_one_that_rests() -> None:
    rig = a_position(stop=95.0)
    rig.ask(an_intent(Operation.SELL, 0, n=1, limit=103.0))
    assert refusals(rig.ask(an_intent(Operation.SELL, 0, n=2, limit=103.0))) == ["ALREADY_CLOSING"]
    rig.ask(an_intent(Operation.SELL, 0, n=3, limit=102.0))
    assert [r.limit_price for r in rig.live("exit")] == [102.0]
    rig.ask(an_intent(Operation.SELL, 0, n=4))
    assert rig.held() == 0
    assert not rig.live()
    rig.assert_agrees()


def test_an_exit_that_still_waits_gives_way_too() -> None:
    rig = a_position(stop=95.0)
    first = rig.desk.on_intent(an_intent(Operation.SELL, 0, n=1, limit=103.0), rig.now_ns)
    second = rig.desk.on_intent(an_intent(Operation.SELL, 0, n=2), rig.now_ns)
    assert cancels([*first, *second])
    rig.do([*first, *second])
    assert rig.held() == 0
    rig.assert_agrees()


def test_an_exit_that_cannot_be_as_asked_is_changed_and_the_log_says_so() -> None:
    rig = a_position()
    said = rig.ask(an_intent(Operation.SELL, 0, n=1, extended_hours=True))
    assert any(isinstance(e, Notice) and "extended hours" in e.words for e in said)
    assert rig.held() == 0


@pytest.mark.parametrize("tif", [TimeInForce.OPG, TimeInForce.CLS])
def test_an_exit_for_an_auction_rests_until_it_comes(tif: TimeInForce) -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0), NOON_NS))
    order = an_answer(sent)
    rig.desk.on_update(an_update("fill", order, qty=100, price=100.0, x="x", filled_qty=100.0), NOON_NS)
    rig.desk.on_intent(an_intent(Operation.SELL, 0, n=1, tif=tif), NOON_NS)
    (leaving,) = rig.live("exit")
    assert leaving.rests


# again


def test_after_a_restart_every_intent_is_answered_by_the_order_that_it_made() -> None:
    rig = a_position(stop=95.0, target=110.0)
    rig.restart()
    said = rig.ask(an_intent(stop=95.0, target=110.0))
    assert [e.news.role for e in said if isinstance(e, News)] == ["entry"]
    assert not sends(said)
