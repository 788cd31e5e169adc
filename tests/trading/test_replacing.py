"""Other terms for a working order: two orders, of which one lives, whatever the wire does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from liu_tui.model.orders import (
    AskKind,
    BrokerOrder,
    Intent,
    Operation,
    OrderRequest,
    OrderState,
    ReplaceRequest,
)
from liu_tui.plan.schema import Limits
from liu_tui.trading.effects import AskBroker, Effect, Journal, News, ReplaceAtBroker, Send
from tests.kit.desk import NOON_NS, Rig, an_answer, an_intent, an_update, cancels, fills, refusals, sends

S = OrderState
LATER_NS = 6_000_000_000


def a_change(n: int = 1, **words: Any) -> Intent:
    return replace(an_intent(qty=words.pop("qty", 0.0), n=n), kind=AskKind.REPLACE, **words)


def replaces(effects: list[Effect]) -> list[ReplaceRequest]:
    return [effect.request for effect in effects if isinstance(effect, ReplaceAtBroker)]


def an_entry(rig: Rig, **words: Any) -> tuple[OrderRequest, BrokerOrder]:
    """A buy of 100 shares at 99 dollars that works at the broker."""
    (sent,) = sends(rig.desk.on_intent(an_intent(limit=99.0, **words), NOON_NS))
    order = an_answer(sent)
    rig.desk.on_accepted(sent.client_order_id, order, NOON_NS)
    return sent, order


def asked(rig: Rig, **words: Any) -> ReplaceRequest:
    """Ask for a limit of 99.5, and see it go out."""
    (request,) = replaces(rig.desk.on_intent(a_change(limit=99.5, **words), NOON_NS))
    return request


def an_heir(request: ReplaceRequest, old: BrokerOrder, **words: Any) -> BrokerOrder:
    said: dict[str, Any] = {"status": S.NEW, "filled_qty": 0.0, **words}
    return replace(
        old, id="o-heir", client_order_id=request.client_order_id, replaces=old.id,
        limit_price=request.limit_price or old.limit_price, **said,
    )  # fmt: skip


def states(rig: Rig) -> dict[str, str]:
    return {cid.rsplit("-", 1)[-1]: record.state.value for cid, record in rig.desk.orders.items()}


def test_both_orders_are_written_down_together_before_anything_leaves() -> None:
    rig = Rig()
    an_entry(rig)
    effects = rig.desk.on_intent(a_change(limit=99.5), NOON_NS)
    kinds = [type(effect) for effect in effects]
    assert kinds == [Journal, Journal, News, News, ReplaceAtBroker]
    journalled = [effect.order for effect in effects if isinstance(effect, Journal)]
    assert [(r.state, r.replaces) for r in journalled] == [
        (S.PENDING_REPLACE, ""), (S.INTENT, journalled[0].client_order_id),
    ]  # fmt: skip
    (request,) = replaces(effects)
    assert request.client_order_id == f"{journalled[0].client_order_id}-r1"
    assert (request.limit_price, request.qty, request.tif) == (99.5, None, None)
    answered = [e.news.intent_id for e in effects if isinstance(e, News)]
    assert a_change().id in answered


def test_the_same_replacement_again_is_answered_and_not_sent_again() -> None:
    rig = Rig()
    an_entry(rig)
    asked(rig)
    again = rig.desk.on_intent(a_change(limit=99.5), NOON_NS)
    assert [type(effect) for effect in again] == [News]


def test_accepted_the_new_order_takes_over_the_fills() -> None:
    rig = Rig()
    _, old = an_entry(rig)
    request = asked(rig)
    heir = an_heir(request, old)
    rig.desk.on_accepted(request.client_order_id, heir, NOON_NS)
    rig.desk.on_update(an_update("replaced", old), NOON_NS)
    assert states(rig) == {"0": "replaced", "r1": "new"}
    done = rig.desk.on_update(an_update("fill", heir, qty=100, price=99.5, x="x", filled_qty=100.0), NOON_NS)
    assert [(fill.intent_id, fill.qty) for fill in fills(done)] == [(a_change().id, 100)]
    assert not rig.live()


def test_its_updates_may_come_before_the_answer_and_twice() -> None:
    rig = Rig()
    _, old = an_entry(rig)
    request = asked(rig)
    heir = an_heir(request, old)
    for _ in range(2):
        rig.desk.on_update(an_update("new", heir), NOON_NS)
        rig.desk.on_update(an_update("replaced", old), NOON_NS)
    rig.desk.on_accepted(request.client_order_id, heir, NOON_NS)
    assert states(rig) == {"0": "replaced", "r1": "new"}


def test_refused_the_broker_is_asked_how_the_old_one_stands() -> None:
    rig = Rig()
    sent, old = an_entry(rig)
    request = asked(rig)
    no = rig.desk.on_failed(request.client_order_id, "too late", unknown=False, now_ns=NOON_NS)
    assert [e.client_order_id for e in no if isinstance(e, AskBroker)] == [sent.client_order_id]
    rig.desk.on_broker_order(sent.client_order_id, old, NOON_NS)
    assert states(rig) == {"0": "new", "r1": "failed"}


def test_a_lost_answer_is_asked_for_by_its_own_id_and_never_sent_again() -> None:
    rig = Rig()
    _, old = an_entry(rig)
    request = asked(rig)
    cid = request.client_order_id
    lost = rig.desk.on_failed(cid, "timed out", unknown=True, now_ns=NOON_NS)
    assert [e.client_order_id for e in lost if isinstance(e, AskBroker)] == [cid]
    rig.desk.on_broker_order(cid, an_heir(request, old), NOON_NS)
    rig.desk.on_update(an_update("replaced", old), NOON_NS)
    assert states(rig) == {"0": "replaced", "r1": "new"}


def test_one_that_never_reached_the_broker_leaves_the_old_one_at_work() -> None:
    rig = Rig()
    sent, old = an_entry(rig)
    request = asked(rig)
    now_ns, said = NOON_NS, rig.desk.on_failed(request.client_order_id, "?", unknown=True, now_ns=NOON_NS)
    for _ in range(40):
        for effect in said:
            if isinstance(effect, AskBroker):
                found = old if effect.client_order_id == sent.client_order_id else None
                rig.desk.on_broker_order(effect.client_order_id, found, now_ns)
        now_ns += 1_000_000_000
        said = rig.desk.on_time(now_ns)
        assert not replaces(said) + sends(said)
    assert states(rig) == {"0": "new", "r1": "failed"}


def test_an_old_order_that_fills_first_ends_filled_and_the_new_one_is_rejected() -> None:
    rig = Rig()
    _, old = an_entry(rig)
    request = asked(rig)
    rig.desk.on_update(an_update("fill", old, qty=100, price=99.0, x="x", filled_qty=100.0), NOON_NS)
    rig.desk.on_update(an_update("rejected", an_heir(request, old)), NOON_NS)
    assert states(rig) == {"0": "filled", "r1": "rejected"}
    assert rig.held() == 100


def test_a_cancel_crossing_it_withdraws_whichever_lives() -> None:
    rig = Rig()
    _, old = an_entry(rig)
    request = asked(rig)
    crossing = rig.desk.cancel(NOON_NS, by="a person")
    (withdrawn,) = cancels(crossing)
    rig.desk.on_cancel_failed(withdrawn, "pending replace", NOON_NS)
    heir = an_heir(request, old)
    (late,) = cancels(rig.desk.on_accepted(request.client_order_id, heir, NOON_NS))
    assert late == request.client_order_id
    rig.desk.on_broker_order(withdrawn, replace(old, status=S.REPLACED), NOON_NS)
    rig.desk.on_update(an_update("canceled", heir), NOON_NS)
    assert states(rig) == {"0": "replaced", "r1": "canceled"}


def test_an_update_of_the_old_one_that_never_comes_is_asked_for() -> None:
    rig = Rig()
    sent, old = an_entry(rig)
    request = asked(rig)
    rig.desk.on_accepted(request.client_order_id, an_heir(request, old), NOON_NS)
    assert not [e for e in rig.desk.on_time(NOON_NS + 1_000_000_000) if isinstance(e, AskBroker)]
    looked = rig.desk.on_time(NOON_NS + LATER_NS)
    assert [e.client_order_id for e in looked if isinstance(e, AskBroker)] == [sent.client_order_id]


def test_a_broker_that_says_it_came_to_nothing_is_asked_what_the_order_is_now() -> None:
    rig = Rig()
    sent, old = an_entry(rig)
    asked(rig)
    told = rig.desk.on_update(replace(an_update("new", old), event="order_replace_rejected"), NOON_NS)
    assert [e.client_order_id for e in told if isinstance(e, AskBroker)] == [sent.client_order_id]


def test_legs_follow_the_order_that_took_the_place() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(limit=99.0, stop=95.0, target=110.0))
    rig.ask(a_change(limit=99.5))
    assert {(r.role, r.parent[-2:]) for r in rig.live("stop", "target")} == {("stop", "r1"), ("target", "r1")}
    rig.quote(99.4)
    assert rig.held() == 100
    assert {(r.role, r.qty) for r in rig.live()} == {("stop", 100), ("target", 100)}
    rig.quote(94.0)
    assert rig.held() == 0
    rig.assert_agrees()


def test_what_the_old_one_filled_is_covered_by_the_legs_that_went_over() -> None:
    rig = Rig()
    sent, old = an_entry(rig, stop=95.0)
    leg = BrokerOrder(
        id="l", client_order_id="leg", symbol="TSLA", side=sent.side.opposite, qty=100, stop_price=95.0,
        order_type=sent.order_type.STOP, status=S.HELD, parent_id=old.id,
    )  # fmt: skip
    rig.desk.on_update(an_update("new", leg), NOON_NS)
    rig.desk.on_update(an_update("partial_fill", old, qty=40, price=99.0, x="x", filled_qty=40.0), NOON_NS)
    old = replace(old, filled_qty=40.0)
    request = asked(rig)
    assert not sends(rig.desk.on_time(NOON_NS + 1_000_000_000))
    heir = an_heir(request, old, qty=60.0)
    rig.desk.on_accepted(request.client_order_id, heir, NOON_NS)
    rig.desk.on_update(an_update("replaced", old), NOON_NS)
    assert not sends(rig.desk.on_time(NOON_NS + 2_000_000_000)), "the legs are for all hundred"
    filled = an_update("fill", heir, qty=60, price=99.5, x="y", filled_qty=60.0)
    assert not sends(rig.desk.on_update(filled, NOON_NS))
    assert rig.held() == 100


@pytest.mark.parametrize("lost", [False, True])
def test_a_restart_in_the_middle_finds_out_which_of_the_two_lives(lost: bool) -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(limit=99.0, stop=95.0))
    effects = rig.desk.on_intent(a_change(limit=99.5), rig.now_ns)
    for effect in effects:
        if not (lost and isinstance(effect, ReplaceAtBroker)):
            rig.carry(effect)
    agreed, _ = rig.restart()
    for _ in range(30):
        rig.wait(1.0)
        agreed, _ = rig.reconcile()
    assert agreed
    limits = {r.limit_price for r in rig.live("entry")}
    assert limits == ({99.0} if lost else {99.5})
    rig.quote(98.0)
    assert rig.held() == 100
    assert [r.qty for r in rig.live("stop")] == [100]
    rig.assert_agrees()


def test_after_a_restart_names_go_on_where_the_chain_ended() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(limit=99.0))
    rig.ask(a_change(limit=99.1, n=1))
    rig.ask(a_change(limit=99.2, n=2))
    rig.restart()
    rig.ask(a_change(limit=99.3, n=3))
    assert [r.client_order_id[-2:] for r in rig.live()] == ["r3"]


def test_without_a_working_entry_there_is_nothing_to_replace() -> None:
    rig = Rig()
    said = rig.desk.on_intent(a_change(limit=99.5), NOON_NS)
    assert refusals(said) == ["NOTHING_TO_REPLACE"]
    assert [e.news.intent_id for e in said if isinstance(e, News)] == [a_change().id]


@pytest.mark.parametrize(
    ("entry", "change", "words"),
    [
        ({}, {"trigger": 101.0}, "without a trigger"),
        ({}, {"trail": 1.0}, "does not trail"),
        ({}, {"new_tif": "ioc"}, "day or gtc"),
        ({}, {"qty": 50.5}, "whole shares"),
        ({"stop": 95.0}, {"qty": 50.0}, "brings a stop"),
        ({"limit": None, "trigger": 101.0}, {"limit": 101.0}, "without a limit"),
        ({"limit": None, "trail_percent": 1.0}, {"trail": 100.0}, "is no price"),
    ],
)  # fmt: skip
def test_terms_that_the_order_cannot_have_are_refused_in_words(
    entry: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(**{"limit": 99.0, **entry}), NOON_NS))
    rig.desk.on_accepted(sent.client_order_id, an_answer(sent), NOON_NS)
    said = rig.desk.on_intent(a_change(**change), NOON_NS)
    assert refusals(said) == ["CANNOT_REPLACE"]
    assert words in rig.last().words


def test_an_order_that_the_broker_cannot_replace_yet_is_refused_and_works_on() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(limit=99.0), NOON_NS))
    assert refusals(rig.desk.on_intent(a_change(limit=99.5), NOON_NS)) == ["CANNOT_REPLACE"]
    rig.desk.on_accepted(sent.client_order_id, an_answer(sent, status=S.ACCEPTED), NOON_NS)
    assert refusals(rig.desk.on_intent(a_change(n=2, limit=99.5), NOON_NS)) == ["CANNOT_REPLACE"]


def test_more_is_judged_by_the_limits_and_less_is_not() -> None:
    rig = Rig(limits=Limits(max_order_value=10_000.0))
    an_entry(rig)
    assert refusals(rig.desk.on_intent(a_change(limit=100.5), NOON_NS)) == ["MAX_ORDER_VALUE"]
    rig.desk.limits = Limits(max_order_value=1_000.0)
    assert replaces(rig.desk.on_intent(a_change(n=2, qty=50, limit=98.0), NOON_NS))


def test_a_paused_desk_takes_smaller_terms_and_no_larger_ones() -> None:
    rig = Rig()
    an_entry(rig)
    rig.desk.pause("a person", "", NOON_NS)
    assert refusals(rig.desk.on_intent(a_change(limit=99.5), NOON_NS)) == ["PAUSED"]
    (request,) = replaces(rig.desk.on_intent(a_change(n=2, limit=98.5), NOON_NS))
    assert request.limit_price == 98.5


def test_a_quantity_counts_the_shares_that_are_filled_already() -> None:
    rig = Rig()
    _, old = an_entry(rig)
    rig.desk.on_update(an_update("partial_fill", old, qty=40, price=99.0, x="x", filled_qty=40.0), NOON_NS)
    assert refusals(rig.desk.on_intent(a_change(qty=40), NOON_NS)) == ["CANNOT_REPLACE"]
    (request,) = replaces(rig.desk.on_intent(a_change(n=2, qty=90), NOON_NS))
    assert request.qty == 90
    assert rig.desk.orders[request.client_order_id].qty == 50


def test_a_short_entry_is_replaced_on_its_own_side_of_the_tick() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(Operation.SHORT, limit=101.0), NOON_NS))
    rig.desk.on_accepted(sent.client_order_id, an_answer(sent), NOON_NS)
    (request,) = replaces(rig.desk.on_intent(a_change(limit=101.501), NOON_NS))
    assert request.limit_price == 101.51


def test_nothing_of_a_replacement_is_ever_a_send() -> None:
    rig = Rig()
    an_entry(rig)
    assert not [e for e in rig.desk.on_intent(a_change(limit=99.5), NOON_NS) if isinstance(e, Send)]
