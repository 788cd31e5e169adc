"""Getting out: exits behind protective orders, flatten, and the end of the day."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from liu_tui.model.orders import Operation, OrderClass, OrderState, OrderType
from liu_tui.trading.effects import Notice
from tests.kit.desk import NOON_NS, Rig, an_answer, an_intent, an_update, cancels, fills, refusals, sends
from tests.kit.exchange import HOUR_NS, MIDNIGHT_NS

S = OrderState
CLOSE_NS = MIDNIGHT_NS + 16 * HOUR_NS
SECOND_NS = 1_000_000_000


def a_bracket(**words: object) -> Rig:
    rig = Rig(**words)  # type: ignore[arg-type] # built from words
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0, target=110.0))
    return rig


def test_a_plain_exit_goes_out_at_once_for_what_is_held() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    (sent,) = sends(rig.ask(an_intent(Operation.SELL, 500, n=1)))
    assert sent.qty == 100
    assert rig.held() == 0


def test_an_exit_takes_its_protection_away_first() -> None:
    rig = a_bracket()
    effects = rig.desk.on_intent(an_intent(Operation.SELL, 0, n=1), rig.now_ns)
    assert not sends(effects)
    assert len(cancels(effects)) == 1, "a bracket's legs fall together"
    (sent,) = sends(rig.do(effects))
    assert (sent.qty, sent.order_type) == (100, OrderType.MARKET)
    assert rig.held() == 0
    rig.assert_agrees()


def test_an_exit_whose_target_fills_meanwhile_is_dropped() -> None:
    rig = a_bracket()
    effects = rig.desk.on_intent(an_intent(Operation.SELL, 0, n=1), rig.now_ns)
    rig.quote(111.0)  # the target fills before the cancel arrives
    rig.do(effects)
    rig.wait()
    exit_ = next(r for r in rig.desk.orders.values() if r.role == "exit")
    assert (exit_.state, exit_.sent_ns) == (S.CANCELED, 0)
    assert rig.held() == 0
    rig.assert_agrees()


def test_after_a_part_is_sold_the_rest_is_protected_again() -> None:
    rig = a_bracket()
    rig.ask(an_intent(Operation.SELL, 40, n=1))
    assert rig.held() == 60
    assert {(r.role, r.qty) for r in rig.live()} == {("target", 60), ("stop", 60)}
    rig.quote(94.0)
    assert rig.held() == 0
    rig.assert_agrees()


def test_a_second_exit_is_answered_already_closing() -> None:
    rig = a_bracket()
    rig.desk.on_intent(an_intent(Operation.SELL, 0, n=1), rig.now_ns)
    assert refusals(rig.desk.on_intent(an_intent(Operation.SELL, 0, n=2), rig.now_ns)) == ["ALREADY_CLOSING"]
    assert refusals(rig.desk.on_intent(an_intent(n=3), rig.now_ns)) == ["EXIT_PENDING"]


@pytest.mark.parametrize("operation", [Operation.SELL, Operation.COVER])
def test_without_a_position_there_is_nothing_to_close(operation: Operation) -> None:
    rig = Rig()
    assert refusals(rig.ask(an_intent(operation, 10))) == ["NOTHING_TO_CLOSE"]


def test_a_cover_does_not_close_a_long() -> None:
    rig = a_bracket()
    assert refusals(rig.ask(an_intent(Operation.COVER, 10, n=1))) == ["NOTHING_TO_CLOSE"]


def test_a_wrong_price_does_not_hold_an_exit_up() -> None:
    rig = a_bracket()
    (sent,) = sends(rig.ask(an_intent(Operation.SELL, 0, n=1, limit=float("nan"))))
    assert sent.order_type is OrderType.MARKET


def test_an_exit_waits_while_a_fill_of_its_leg_is_missing() -> None:
    rig = Rig()
    desk = rig.desk
    (sent,) = sends(desk.on_intent(an_intent(target=110.0), NOON_NS))
    entry = an_answer(sent, order_id="e")
    leg_request = type(sent)(
        client_order_id="leg", symbol="TSLA", side=sent.side.opposite, qty=100, order_type=OrderType.LIMIT,
        limit_price=110.0,
    )  # fmt: skip
    leg = an_answer(leg_request, order_id="l")
    desk.on_accepted(sent.client_order_id, an_answer(sent, order_id="e", legs=(leg,)), NOON_NS)
    desk.on_update(an_update("fill", entry, qty=100, price=100.0, x="x1", filled_qty=100.0), NOON_NS)
    assert cancels(desk.on_intent(an_intent(Operation.SELL, 0, n=1), NOON_NS)) == ["leg"]
    # The cancel says that 30 were sold before it, but their fill has not been heard of.
    assert not sends(desk.on_update(an_update("canceled", leg, filled_qty=30.0), NOON_NS))
    late = an_update("partial_fill", leg, qty=30, price=110.0, x="x2", filled_qty=30.0)
    (exit_,) = sends(desk.on_update(late, NOON_NS))
    assert exit_.qty == 70


def test_an_exit_the_broker_refuses_leaves_the_position_protected() -> None:
    rig = a_bracket()
    desk = rig.desk
    rig.do(desk.on_intent(an_intent(Operation.SELL, 0, n=1, limit=105.0), rig.now_ns))
    for working in (rig.live("stop")[0], rig.live("exit")[0]):
        order = rig.exchange.order(working.order_id) or pytest.fail("no such order")
        effects = desk.on_update(an_update("rejected", replace(order, legs=())), rig.now_ns)
    assert [sent.order_class for sent in sends(effects)] == [OrderClass.OCO]


# flatten


def test_flatten_takes_everything_and_says_when_it_is_done() -> None:
    rig = a_bracket()
    rig.quote(100.0, "F")
    rig.ask(an_intent(symbol="F", limit=90.0))
    rig.do(rig.desk.flatten(rig.now_ns, by="ann", reason="news"))
    said = [effect.words for effect in rig.wait() if isinstance(effect, Notice)]
    assert said == ["everything is flat (1 s)"]
    assert rig.live() == []
    assert {r.role for r in rig.desk.orders.values() if r.filled_qty} == {"entry", "liquidation"}
    rig.assert_agrees()


def test_flatten_of_one_symbol_leaves_the_others() -> None:
    rig = a_bracket()
    rig.quote(100.0, "F")
    rig.ask(an_intent(symbol="F"))
    rig.do(rig.desk.flatten(rig.now_ns, symbol="F", by="ann"))
    assert (rig.held("F"), rig.held()) == (0, 100)


def test_flatten_replaces_a_resting_exit() -> None:
    rig = a_bracket()
    rig.ask(an_intent(Operation.SELL, 0, n=1, limit=120.0))
    assert rig.live("exit")
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    assert rig.held() == 0
    assert rig.live() == []


def test_entries_are_refused_while_a_symbol_is_flattened() -> None:
    rig = a_bracket()
    rig.desk.flatten(rig.now_ns, by="ann", reason="news")
    assert refusals(rig.desk.on_intent(an_intent(strategy="other"), rig.now_ns)) == ["FLATTENING"]


def test_flatten_goes_on_until_the_broker_takes_it() -> None:
    rig = a_bracket()
    rig.refuse = 3
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    seconds = 0
    while rig.desk.latches and seconds < 60:
        rig.wait()
        seconds += 1
    assert seconds == 8, "patience doubles: sent after 0, 1, 3 and 7 seconds, said to be done a second later"
    assert rig.held() == 0
    states = [r.state for r in rig.desk.orders.values() if r.role == "liquidation"]
    assert states == [S.FAILED] * 3 + [S.FILLED]


def test_an_exit_takes_away_another_strategys_entry_that_it_might_trade_with() -> None:
    rig = a_bracket()
    rig.ask(an_intent(strategy="other", limit=90.0))
    rig.ask(an_intent(Operation.SELL, 0, n=1))
    assert rig.held() == 0
    assert rig.live() == []


def test_outside_market_hours_flatten_keeps_protection_and_closes_at_the_open() -> None:
    rig = Rig(hours=True, swing=frozenset({"momentum"}))
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0))
    rig.now_ns = CLOSE_NS + HOUR_NS
    rig.wait()
    effects = rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    assert any(isinstance(e, Notice) and "the market is closed" in e.words for e in effects)
    assert not sends(effects)
    assert rig.held() == 100
    assert rig.desk.latches


# the end of the day


def test_day_trades_are_liquidated_before_the_close() -> None:
    rig = Rig(hours=True, swing=frozenset({"swing"}))
    for strategy, symbol in (("momentum", "TSLA"), ("swing", "GE")):
        rig.quote(100.0, symbol)
        rig.ask(an_intent(strategy=strategy, symbol=symbol, stop=95.0))
    rig.quote(100.0, "F")
    rig.ask(an_intent(symbol="F", limit=90.0))
    rig.now_ns = CLOSE_NS - 15 * 60 * SECOND_NS - SECOND_NS
    rig.wait(0.5)
    assert rig.held() == 100
    rig.wait()
    assert rig.held() == 0
    assert rig.held("GE", "swing") == 100
    assert {record.strategy for record in rig.live()} == {"swing"}
    assert fills(rig.said)[-1].reason == "before the close"
    assert refusals(rig.ask(an_intent(n=5))) == ["CLOSING_SOON"]
    assert sends(rig.ask(an_intent(strategy="swing", symbol="GM", n=6)))
    rig.assert_agrees()


def test_what_could_not_be_closed_in_time_is_said() -> None:
    rig = Rig(hours=True)
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.now_ns = CLOSE_NS
    said = [effect.words for effect in rig.wait() if isinstance(effect, Notice)]
    assert said == ["momentum TSLA: +100 shares could not be closed before the market did"]
    assert not [effect for effect in rig.wait() if isinstance(effect, Notice)]


def test_the_end_of_the_day_is_said_once_as_it_begins() -> None:
    rig = Rig(hours=True, swing=frozenset({"swing"}))
    for strategy, symbol in (("momentum", "TSLA"), ("momentum", "F"), ("swing", "GE")):
        rig.quote(100.0, symbol)
        rig.ask(an_intent(strategy=strategy, symbol=symbol))
    rig.now_ns = CLOSE_NS - 15 * 60 * SECOND_NS
    said = [effect.words for effect in rig.wait() if isinstance(effect, Notice)]
    assert said[0] == "15 minutes before the close: 2 positions of day trades are closed"
    rig.now_ns = CLOSE_NS - 10 * 60 * SECOND_NS
    assert not [effect for effect in rig.wait() if isinstance(effect, Notice)]
