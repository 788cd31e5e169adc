"""The desk: what it lets out and what it refuses, lost answers, and what people tell it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from liu_tui.model.orders import AskKind, Operation, OrderClass, OrderState, Side
from liu_tui.plan.schema import Limits
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import AskBroker, Booked, Changed, Journal, News, Notice, Send
from tests.kit.desk import (
    NO_LIMITS,
    NOON_NS,
    Rig,
    an_answer,
    an_intent,
    an_update,
    cancels,
    fills,
    refusals,
    sends,
)

S = OrderState
SECOND_NS = 1_000_000_000


def a_desk(**words: object) -> Desk:
    said: dict[str, object] = {"batch_id": "b1", "limits": NO_LIMITS, **words}
    return Desk(**said)  # type: ignore[arg-type] # built from words


# entries


def test_an_entry_is_journalled_as_an_intent_before_it_is_sent() -> None:
    effects = a_desk().on_intent(an_intent(), NOON_NS)
    assert [type(effect) for effect in effects] == [Journal, News, Send]
    journal = effects[0]
    assert isinstance(journal, Journal)
    assert journal.order.state is S.INTENT
    assert journal.order.sent_ns == NOON_NS


def test_the_same_intent_twice_is_sent_once_and_answered_twice() -> None:
    desk = a_desk()
    desk.on_intent(an_intent(), NOON_NS)
    again = desk.on_intent(an_intent(), NOON_NS + 1)
    assert [type(effect) for effect in again] == [News]


def test_an_entry_with_stop_and_target_is_a_bracket_on_the_tick() -> None:
    (sent,) = sends(a_desk().on_intent(an_intent(limit=100.016, stop=98.015, target=104.019), NOON_NS))
    assert (sent.order_class, sent.limit_price) == (OrderClass.BRACKET, 100.01)
    assert (sent.stop_loss, sent.take_profit) == (98.01, 104.01)


def test_fills_may_come_before_the_answer() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(), NOON_NS))
    order = an_answer(sent)
    heard = desk.on_update(an_update("fill", order, qty=100, price=100.0, x="x1", filled_qty=100.0), NOON_NS)
    assert [fill.position for fill in fills(heard)] == [100.0]
    assert desk.on_accepted(sent.client_order_id, order, NOON_NS) == []
    assert desk.orders[sent.client_order_id].state is S.FILLED


def test_a_fill_is_stored_before_its_order_and_before_anybody_hears_of_it() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(), NOON_NS))
    update = an_update("fill", an_answer(sent), qty=100, price=100.0, x="x1", filled_qty=100.0)
    assert [type(effect) for effect in desk.on_update(update, NOON_NS)] == [Booked, Notice, Journal, News]
    assert desk.on_update(update, NOON_NS) == []


def test_a_refusal_of_the_broker_is_told_in_its_words() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(), NOON_NS))
    said = desk.on_failed(
        sent.client_order_id, "insufficient buying power", unknown=False, now_ns=NOON_NS, code=403
    )
    assert desk.orders[sent.client_order_id].state is S.FAILED
    assert any(isinstance(e, Notice) and "insufficient buying power (403)" in e.words for e in said)


# refusals


def test_a_refusal_is_a_stored_fact_with_its_code() -> None:
    effects = a_desk(limits=Limits(max_order_value=500.0)).on_intent(an_intent(), NOON_NS)
    assert [type(effect) for effect in effects] == [Journal, News, Notice]
    journal = effects[0]
    assert isinstance(journal, Journal)
    assert (journal.order.state, journal.order.code) == (S.REFUSED, "MAX_ORDER_VALUE")
    assert journal.order.words == "an order of 10,000.00 dollars is over max_order_value of 500.00"


def test_working_entries_count_toward_the_limits() -> None:
    desk = a_desk(limits=Limits(max_open_positions=1))
    desk.on_intent(an_intent(limit=99.0), NOON_NS)
    assert refusals(desk.on_intent(an_intent(symbol="F", n=1), NOON_NS)) == ["MAX_OPEN_POSITIONS"]
    rich = a_desk(limits=Limits(max_position_value=15_000.0))
    rich.on_intent(an_intent(limit=99.0), NOON_NS)
    assert refusals(rich.on_intent(an_intent(strategy="other"), NOON_NS)) == ["MAX_POSITION_VALUE"]


def test_a_second_entry_waits_for_the_first() -> None:
    desk = a_desk()
    desk.on_intent(an_intent(limit=99.0), NOON_NS)
    assert refusals(desk.on_intent(an_intent(n=1), NOON_NS)) == ["ENTRY_PENDING"]


def test_strategies_may_not_be_long_and_short_in_one_symbol() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    assert refusals(rig.ask(an_intent(Operation.SHORT, strategy="fade"))) == ["OPPOSITE_POSITION"]


def test_a_working_entry_of_another_strategy_is_a_position_to_come() -> None:
    desk = a_desk()
    desk.on_intent(an_intent(limit=99.0), NOON_NS)
    assert refusals(desk.on_intent(an_intent(Operation.SHORT, strategy="fade"), NOON_NS)) == [
        "OPPOSITE_POSITION"
    ]


def test_orders_a_minute_are_counted_over_a_sliding_minute() -> None:
    desk = a_desk(limits=Limits(max_orders_per_minute=2))
    for n, symbol in enumerate(("F", "GM")):
        assert sends(desk.on_intent(an_intent(symbol=symbol), NOON_NS + n * SECOND_NS))
    late = an_intent(symbol="T")
    assert refusals(desk.on_intent(late, NOON_NS + 59 * SECOND_NS)) == ["ORDER_RATE"]
    assert sends(desk.on_intent(an_intent(symbol="T", n=1), NOON_NS + 60 * SECOND_NS))


@pytest.mark.parametrize("strategy", ["momentum", ""])
def test_a_vetoed_symbol_is_refused_until_it_is_allowed(strategy: str) -> None:
    desk = a_desk()
    desk.veto("TSLA", strategy, "ann", "earnings")
    assert refusals(desk.on_intent(an_intent(), NOON_NS)) == ["VETOED"]
    assert sends(desk.on_intent(an_intent(symbol="F"), NOON_NS))
    desk.allow("TSLA", strategy)
    assert sends(desk.on_intent(an_intent(n=1), NOON_NS))


def test_nothing_is_opened_until_books_and_broker_agree() -> None:
    desk = a_desk(entries_allowed=False)
    assert refusals(desk.on_intent(an_intent(), NOON_NS)) == ["NOT_READY"]
    desk.entries_allowed = True
    assert sends(desk.on_intent(an_intent(n=1), NOON_NS))


# states


def test_a_pause_refuses_entries_and_lets_exits_go() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    assert rig.do(rig.desk.pause("ann", "lunch", rig.now_ns))[0] == Changed("REDUCING", "ann", "lunch")
    assert refusals(rig.ask(an_intent(symbol="F", n=1))) == ["PAUSED"]
    rig.ask(an_intent(Operation.SELL, 0, n=2))
    assert rig.held() == 0
    rig.do(rig.desk.resume("ann", "", rig.now_ns))
    assert sends(rig.ask(an_intent(n=3)))


def test_the_daily_loss_stops_entries_by_itself_and_cannot_be_resumed_away() -> None:
    rig = Rig(limits=Limits(max_daily_loss=200.0))
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.quote(97.0)
    assert Changed in [type(effect) for effect in rig.wait()]
    assert (rig.desk.state, rig.desk.state_by) == ("REDUCING", "limits")
    assert refusals(rig.ask(an_intent(symbol="F", n=1))) == ["DAILY_LOSS_REACHED"]
    rig.do(rig.desk.resume("ann", "go on", rig.now_ns))
    assert rig.desk.state == "REDUCING"
    assert "DAILY" not in rig.desk.resume_refused()
    rig.ask(an_intent(Operation.SELL, n=2))
    assert rig.held() == 0


def test_after_a_recovery_a_person_may_resume() -> None:
    rig = Rig(limits=Limits(max_daily_loss=200.0))
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.quote(97.0)
    rig.wait()
    rig.quote(101.0)
    rig.wait()
    assert rig.desk.state == "REDUCING"
    rig.do(rig.desk.resume("ann", "recovered", rig.now_ns))
    assert rig.desk.state == "ACTIVE"


def test_kill_halts_cancels_and_closes_everything() -> None:
    rig = Rig()
    for symbol in ("TSLA", "F"):
        rig.quote(100.0, symbol)
        rig.ask(an_intent(symbol=symbol, stop=95.0))
    rig.quote(100.0, "GM")
    rig.ask(an_intent(symbol="GM", limit=90.0))
    rig.do(rig.desk.kill(rig.now_ns, by="ann", reason="enough"))
    rig.wait()
    assert rig.desk.state == "HALTED"
    assert rig.exchange.positions() == []
    assert rig.live() == []
    assert refusals(rig.ask(an_intent(n=9))) == ["HALTED"]
    rig.assert_agrees()


# lost answers


def test_a_lost_answer_is_asked_for_and_never_sent_again() -> None:
    rig = Rig()
    rig.lose_answers = True
    rig.quote(100.0)
    said = rig.ask(an_intent())
    assert AskBroker in [type(effect) for effect in said]
    assert rig.last().state is S.FILLED
    assert len(rig.sent) == 1
    rig.assert_agrees()


def test_after_five_empty_answers_the_order_has_failed() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(), NOON_NS))
    cid, now = sent.client_order_id, NOON_NS
    effects = desk.on_failed(cid, "timed out", unknown=True, now_ns=now)
    asked = []
    while desk.orders[cid].state is S.UNKNOWN:
        asked += [desk.orders[cid].words for effect in effects if isinstance(effect, AskBroker)]
        if any(isinstance(effect, AskBroker) for effect in effects):
            desk.on_broker_order(cid, None, now)
        now += SECOND_NS
        effects = desk.on_time(now)
    assert asked == [f"asking the broker ({n}/5)" for n in range(1, 6)]
    assert (desk.orders[cid].state, desk.orders[cid].words) == (S.FAILED, "the broker never saw it")
    assert not sends(desk.on_time(now + 600 * SECOND_NS))


def test_a_look_up_that_fails_itself_does_not_count_as_an_answer() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(), NOON_NS))
    desk.on_failed(sent.client_order_id, "timed out", unknown=True, now_ns=NOON_NS)
    for n in range(20):
        now = NOON_NS + 20 * n * SECOND_NS
        desk.on_time(now)
        desk.on_failed(sent.client_order_id, "no route", unknown=True, now_ns=now)
    assert desk.orders[sent.client_order_id].state is S.UNKNOWN
    assert desk.orders[sent.client_order_id].words == "asking the broker (1/5)"


def test_an_id_that_the_broker_knows_already_is_no_failure() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(), NOON_NS))
    cid = sent.client_order_id
    desk.on_failed(cid, "client_order_id must be unique", unknown=False, now_ns=NOON_NS, code=40010001)
    assert desk.orders[cid].state is S.UNKNOWN
    desk.on_broker_order(cid, an_answer(sent), NOON_NS)
    assert desk.orders[cid].state is S.NEW


# cancels


def test_cancel_takes_entries_and_leaves_protection() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0, target=110.0))
    rig.quote(100.0, "F")
    rig.ask(an_intent(symbol="F", limit=90.0))
    rig.do(rig.desk.cancel(rig.now_ns, by="ann"))
    assert {record.role for record in rig.live()} == {"stop", "target"}
    assert rig.last().state is S.CANCELED


def test_a_strategys_cancel_takes_its_own_entry_only() -> None:
    rig = Rig()
    rig.quote(100.0)
    for strategy in ("momentum", "other"):
        rig.ask(an_intent(strategy=strategy, limit=90.0))
    rig.ask(an_intent(kind=AskKind.CANCEL, n=1))
    assert [record.strategy for record in rig.live()] == ["other"]


def test_an_order_without_a_broker_id_is_canceled_as_soon_as_it_has_one() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(limit=99.0), NOON_NS))
    assert cancels(desk.cancel(NOON_NS, by="ann")) == []
    assert cancels(desk.on_accepted(sent.client_order_id, an_answer(sent), NOON_NS)) == [sent.client_order_id]


def test_a_cancel_that_failed_is_settled_by_the_broker() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(limit=99.0), NOON_NS))
    cid = sent.client_order_id
    desk.on_accepted(cid, an_answer(sent), NOON_NS)
    desk.cancel(NOON_NS, by="ann")
    assert AskBroker(cid) in desk.on_cancel_failed(cid, "already filled", NOON_NS)
    filled = replace(an_answer(sent), status=S.FILLED, filled_qty=100.0)
    desk.on_broker_order(cid, filled, NOON_NS)
    assert desk.orders[cid].state is S.FILLED
    desk.on_time(NOON_NS)
    assert desk.needs_reconcile, "the fill itself has not been heard of"
    update = an_update("fill", filled, qty=100, price=99.0, x="x1")
    assert fills(desk.on_update(update, NOON_NS))[0].qty == 100


def test_a_cancel_without_an_end_is_asked_for_and_sent_again() -> None:
    desk = a_desk()
    (sent,) = sends(desk.on_intent(an_intent(limit=99.0), NOON_NS))
    cid = sent.client_order_id
    desk.on_accepted(cid, an_answer(sent), NOON_NS)
    desk.cancel(NOON_NS, by="ann")
    later = NOON_NS + 6 * SECOND_NS
    assert AskBroker(cid) in desk.on_time(later)
    desk.on_broker_order(cid, an_answer(sent), later)
    assert cancels(desk.on_time(later + 6 * SECOND_NS)) == [cid]


# strangers


def test_a_trade_made_elsewhere_is_booked_as_external_with_its_effect() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    request = replace(sends(rig.said)[0], client_order_id="by-hand", side=Side.SELL, qty=30.0)
    rig.exchange.submit(request, rig.now_ns)
    rig.settle()
    assert rig.desk.net("TSLA") == 100, "unlinked updates are kept, not judged"
    rig.wait(6)
    assert rig.held(strategy="EXTERNAL") == -30
    assert rig.desk.net("TSLA") == 70
    rig.assert_agrees()
