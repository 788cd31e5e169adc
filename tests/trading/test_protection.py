"""Protection that stands by itself: for what the broker's own legs no longer cover."""

from __future__ import annotations

from msgspec.structs import replace

from liu_tui.model.orders import Operation, OrderClass, OrderRequest, OrderState, OrderType, Side
from liu_tui.trading.effects import Effect, Notice
from liu_tui.trading.orders import request
from tests.kit.desk import NOON_NS, Rig, an_answer, an_intent, an_update, fills, sends
from tests.kit.exchange import HOUR_NS, MIDNIGHT_NS

S = OrderState
CLOSE_NS = MIDNIGHT_NS + 16 * HOUR_NS


def half_filled(*, stop: float | None = None, target: float | None = None) -> tuple[Rig, OrderRequest]:
    """An entry of 100 shares of which 60 are filled; the broker's answer names no legs yet."""
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(limit=100.0, stop=stop, target=target), NOON_NS))
    order = an_answer(sent)
    rig.desk.on_accepted(sent.client_order_id, order, NOON_NS)
    rig.desk.on_update(
        an_update("partial_fill", order, qty=60, price=100.0, x="x1", filled_qty=60.0), NOON_NS
    )
    return rig, sent


def then_canceled(rig: Rig, sent: OrderRequest) -> list[Effect]:
    return rig.desk.on_update(an_update("canceled", an_answer(sent), filled_qty=60.0), NOON_NS)


def test_what_an_entry_filled_before_its_cancel_is_protected_by_an_oco() -> None:
    rig, sent = half_filled(stop=95.0, target=110.0)
    assert not sends(rig.desk.on_time(NOON_NS)), "its own legs come when it is full"
    (placed,) = sends(then_canceled(rig, sent))
    assert (placed.order_class, placed.qty, placed.side) == (OrderClass.OCO, 60, Side.SELL)
    assert (placed.limit_price, placed.stop_loss) == (110.0, 95.0)


def test_with_a_stop_alone_it_is_a_stop_and_with_a_target_alone_a_limit() -> None:
    (stop,) = sends(then_canceled(*half_filled(stop=95.0)))
    assert (stop.order_type, stop.stop_price, stop.qty) == (OrderType.STOP, 95.0, 60)
    (target,) = sends(then_canceled(*half_filled(target=110.0)))
    assert (target.order_type, target.limit_price, target.qty) == (OrderType.LIMIT, 110.0, 60)


def test_what_never_had_a_stop_is_left_alone() -> None:
    assert not sends(then_canceled(*half_filled()))


def test_a_stop_that_the_price_has_passed_becomes_a_market_exit() -> None:
    rig, sent = half_filled(stop=95.0, target=110.0)
    rig.desk.on_price("TSLA", 94.5)
    (placed,) = sends(then_canceled(rig, sent))
    assert (placed.order_type, placed.side, placed.qty) == (OrderType.MARKET, Side.SELL, 60)


def test_a_short_is_protected_above() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(Operation.SHORT, limit=100.0, stop=105.0), NOON_NS))
    order = an_answer(sent)
    rig.desk.on_update(an_update("partial_fill", order, qty=10, price=100.0, x="x", filled_qty=10.0), NOON_NS)
    (placed,) = sends(rig.desk.on_update(an_update("canceled", order, filled_qty=10.0), NOON_NS))
    assert (placed.side, placed.stop_price, placed.qty) == (Side.BUY, 105.0, 10)


def test_a_full_entry_whose_legs_have_no_names_yet_gets_no_second_stop() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0), NOON_NS))
    fill = an_update("fill", an_answer(sent), qty=100, price=100.0, x="x1", filled_qty=100.0)
    assert not sends(rig.desk.on_update(fill, NOON_NS))
    assert not sends(rig.desk.on_time(NOON_NS))
    assert rig.desk.needs_reconcile


def test_a_legs_fill_is_kept_until_the_leg_is_named() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0), NOON_NS))
    order = an_answer(sent)
    wanted = OrderRequest(
        client_order_id="leg", symbol="TSLA", side=Side.SELL, qty=100, order_type=OrderType.STOP,
        stop_price=95.0,
    )  # fmt: skip
    leg = an_answer(wanted, order_id="l1", status=S.HELD)
    rig.desk.on_update(an_update("fill", order, qty=100, price=100.0, x="x1", filled_qty=100.0), NOON_NS)
    stopped = an_update("fill", leg, qty=100, price=94.9, x="x2", filled_qty=100.0)
    assert rig.desk.on_update(stopped, NOON_NS) == []
    named = rig.desk.on_accepted(sent.client_order_id, replace(order, legs=(leg,)), NOON_NS)
    assert [(fill.position, fill.reason) for fill in fills(named)] == [(0.0, "stop")]
    assert rig.desk.on_update(stopped, NOON_NS) == []


def test_a_leg_that_says_its_parent_is_linked_at_once() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0), NOON_NS))
    order = an_answer(sent)
    rig.desk.on_accepted(sent.client_order_id, order, NOON_NS)
    wanted = replace(sent, client_order_id="leg", side=Side.SELL, order_type=OrderType.STOP, stop_price=95.0)
    rig.desk.on_update(an_update("new", an_answer(wanted, parent_id=order.id)), NOON_NS)
    assert (rig.desk.orders["leg"].role, rig.desk.orders["leg"].parent) == ("stop", sent.client_order_id)


def test_a_leg_that_nobody_names_is_known_by_side_shares_and_price() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0, target=110.0), NOON_NS))
    rig.desk.on_accepted(sent.client_order_id, an_answer(sent), NOON_NS)
    wanted = replace(sent, client_order_id="leg", side=Side.SELL, order_type=OrderType.STOP, stop_price=95.0)
    rig.desk.on_update(an_update("new", an_answer(wanted)), NOON_NS)
    rig.desk.on_time(NOON_NS + 6_000_000_000)
    assert rig.desk.orders["leg"].strategy == "momentum"


def test_a_refused_stop_is_tried_again_a_little_later() -> None:
    rig, sent = half_filled(stop=95.0)
    (placed,) = sends(then_canceled(rig, sent))
    said = rig.desk.on_failed(placed.client_order_id, "wash trade", unknown=False, now_ns=NOON_NS)
    assert not sends(said)
    assert any(isinstance(e, Notice) and e.level == "error" for e in said)
    (again,) = sends(rig.desk.on_time(NOON_NS + 2_000_000_000))
    assert again.client_order_id != placed.client_order_id


def test_protection_waits_while_a_fill_of_the_old_stop_is_missing() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0), NOON_NS))
    order = an_answer(sent)
    wanted = replace(sent, client_order_id="leg", side=Side.SELL, order_type=OrderType.STOP, stop_price=95.0)
    leg = an_answer(wanted)
    rig.desk.on_accepted(sent.client_order_id, replace(order, legs=(leg,)), NOON_NS)
    rig.desk.on_update(an_update("fill", order, qty=100, price=100.0, x="x1", filled_qty=100.0), NOON_NS)
    assert not sends(rig.desk.on_update(an_update("canceled", leg, filled_qty=30.0), NOON_NS))
    late = an_update("partial_fill", leg, qty=30, price=94.9, x="x2", filled_qty=30.0)
    (placed,) = sends(rig.desk.on_update(late, NOON_NS))
    assert placed.qty == 70


def test_a_swing_position_is_protected_again_when_its_day_orders_expire() -> None:
    rig = Rig(hours=True, swing=frozenset({"momentum"}))
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0))
    rig.now_ns = CLOSE_NS
    rig.wait()
    (stop,) = rig.live("stop")
    assert stop.tif == "gtc"
    rig.assert_agrees()


def test_a_broker_whose_clock_is_ahead_of_ours_gets_no_second_stop() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(limit=100.0, stop=95.0, target=110.0), NOON_NS))
    fill = an_update("fill", an_answer(sent), qty=100, price=100.0, x="x1", filled_qty=100.0)
    assert not sends(rig.desk.on_update(replace(fill, t_ns=NOON_NS + 50_000_000), NOON_NS))


def test_an_entry_of_an_earlier_position_covers_nothing_of_this_one() -> None:
    rig = Rig()
    first, second = an_intent(limit=100.0, stop=95.0), an_intent(limit=100.0, stop=95.0, n=1)
    (sent,) = sends(rig.desk.on_intent(first, NOON_NS))
    rig.desk.on_update(
        an_update("fill", an_answer(sent), qty=100, price=100.0, x="x1", filled_qty=100.0), NOON_NS
    )
    (closing,) = sends(rig.desk.flatten(NOON_NS, symbol="TSLA"))
    rig.desk.on_update(
        an_update("fill", an_answer(closing), qty=100, price=99.0, x="x2", filled_qty=100.0), NOON_NS
    )
    rig.desk.release(NOON_NS, symbol="TSLA")
    (again,) = sends(rig.desk.on_intent(second, NOON_NS))
    order = an_answer(again)
    rig.desk.on_update(
        an_update("partial_fill", order, qty=60, price=100.0, x="x3", filled_qty=60.0), NOON_NS
    )
    (stop,) = sends(rig.desk.on_update(an_update("canceled", order, filled_qty=60.0), NOON_NS))
    assert (stop.stop_price, stop.qty) == (95.0, 60)


def test_while_one_leg_has_no_name_the_end_of_the_other_leaves_nothing_bare() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0, target=110.0), NOON_NS))
    entry = an_answer(sent)
    rig.desk.on_failed(sent.client_order_id, "504", unknown=True, now_ns=NOON_NS)
    told = an_update("fill", entry, qty=100, price=100.0, x="x1", filled_qty=100.0)
    rig.desk.on_update(told, NOON_NS)
    stop = replace(
        entry, id="leg-s", client_order_id="leg-s", side=Side.SELL, order_type=OrderType.STOP,
        stop_price=95.0, order_class=OrderClass.BRACKET, parent_id=entry.id,
    )  # fmt: skip
    rig.desk.on_update(an_update("new", stop), NOON_NS)
    # The target has filled, and only what that did to the stop has been heard of.
    assert not sends(rig.desk.on_update(an_update("canceled", stop), NOON_NS))
    assert not sends(rig.desk.on_time(NOON_NS + 60_000_000_000))
    assert rig.desk.needs_reconcile
    assert rig.desk.needs_all
    target = replace(
        stop,
        id="leg-t",
        client_order_id="leg-t",
        order_type=OrderType.LIMIT,
        limit_price=110.0,
        stop_price=None,
    )
    named = replace(
        entry,
        status=S.FILLED,
        filled_qty=100.0,
        legs=(replace(target, status=S.CANCELED), replace(stop, status=S.CANCELED)),
    )
    (placed,) = sends(rig.desk.on_broker_order(sent.client_order_id, named, NOON_NS + 61_000_000_000))
    assert placed.order_class is OrderClass.OCO


def test_an_exit_whose_stop_has_no_name_yet_leaves_nothing_bare_when_it_ends() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0))
    resting = sends(rig.desk.on_intent(an_intent(Operation.SELL, 0, n=2, limit=110.0), rig.now_ns))
    assert not resting, "the stop makes way first"
    (stop,) = rig.live("stop")
    gone = an_answer(request(stop), order_id=stop.order_id)
    (sent,) = sends(rig.desk.on_update(an_update("canceled", gone), rig.now_ns))
    assert sent.order_class is OrderClass.OCO
    pair = an_answer(sent)
    rig.desk.on_update(an_update("new", pair), rig.now_ns)
    # Its stop has filled, and only what that did to the limit beside it has been heard of.
    assert not sends(rig.desk.on_update(an_update("canceled", pair), rig.now_ns))
    rig.now_ns += 60_000_000_000
    assert not sends(rig.desk.on_time(rig.now_ns))
    assert rig.desk.needs_all
