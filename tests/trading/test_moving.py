"""PROTECT: stops and targets moved at the broker, or placed anew, and found again after a restart."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from liu_tui.model.orders import (
    AskKind,
    Intent,
    Operation,
    OrderClass,
    OrderState,
    OrderType,
    ReplaceRequest,
    Side,
)
from liu_tui.trading.effects import Effect, News, ReplaceAtBroker
from tests.kit.desk import NOON_NS, Rig, an_answer, an_intent, an_update, cancels, refusals, sends

S = OrderState
KEY = ("momentum", "TSLA")


def a_move(n: int = 1, **words: Any) -> Intent:
    return replace(an_intent(qty=0.0, n=n), kind=AskKind.PROTECT, **words)


def replaces(effects: list[Effect]) -> list[ReplaceRequest]:
    return [effect.request for effect in effects if isinstance(effect, ReplaceAtBroker)]


def answers(effects: list[Effect], intent: Intent) -> list[Effect]:
    return [e for e in effects if isinstance(e, News) and e.news.intent_id == intent.id]


def a_position(*, short: bool = False, **words: Any) -> Rig:
    """A hundred shares at about 100 dollars."""
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(Operation.SHORT if short else Operation.BUY, **words))
    return rig


def resting(rig: Rig) -> dict[str, float | None]:
    return {r.role: r.limit_price if r.role == "target" else r.stop_price for r in rig.live()}


def wanted(rig: Rig) -> tuple[float | None, float | None]:
    position = rig.desk.positions[KEY]
    return position.stop, position.target


def test_a_stop_is_moved_in_its_place_and_never_taken_away() -> None:
    rig = a_position(stop=95.0, target=110.0)
    said = rig.ask(a_move(stop=97.003))
    (request,) = replaces(said)
    assert (request.stop_price, request.limit_price, request.qty) == (97.0, None, None)
    assert not cancels(said)
    assert not sends(said)
    assert answers(said, a_move())
    assert resting(rig) == {"stop": 97.0, "target": 110.0}
    assert wanted(rig) == (97.0, 110.0)
    rig.quote(96.9)
    assert rig.held() == 0
    rig.assert_agrees()


def test_both_are_moved_with_one_answer_for_each() -> None:
    rig = a_position(stop=95.0, target=110.0)
    assert len(replaces(rig.ask(a_move(stop=96.0, target=108.0)))) == 2
    assert resting(rig) == {"stop": 96.0, "target": 108.0}


def test_the_stop_of_a_short_moves_down() -> None:
    rig = a_position(short=True, stop=105.0)
    rig.ask(a_move(stop=102.0))
    assert resting(rig) == {"stop": 102.0}
    rig.quote(102.1)
    assert rig.held() == 0


def test_what_is_there_already_is_answered_and_nothing_leaves() -> None:
    rig = a_position(stop=95.0)
    said = rig.ask(a_move(stop=95.0))
    assert answers(said, a_move())
    assert not replaces(said) + sends(said)


def test_the_same_intent_again_is_only_answered_again() -> None:
    rig = a_position(stop=95.0)
    rig.ask(a_move(stop=96.0))
    again = rig.ask(a_move(stop=96.0))
    assert answers(again, a_move())
    assert len(again) == 1


def test_a_stop_where_there_was_none_is_placed() -> None:
    rig = a_position()
    (sent,) = sends(rig.ask(a_move(stop=95.0)))
    assert (sent.order_type, sent.stop_price, sent.qty, sent.side) == (OrderType.STOP, 95.0, 100, Side.SELL)
    assert wanted(rig) == (95.0, None)


def test_a_target_beside_a_stop_that_is_alone_is_placed_anew_as_an_oco() -> None:
    rig = a_position(stop=95.0)
    said = rig.ask(a_move(target=110.0))
    (sent,) = sends(said)
    assert (sent.order_class, sent.limit_price, sent.stop_loss) == (OrderClass.OCO, 110.0, 95.0)
    assert answers(said, a_move())
    assert resting(rig) == {"target": 110.0, "stop": 95.0}


def test_a_stop_past_the_market_sells_at_once() -> None:
    rig = a_position(stop=95.0, target=110.0)
    said = rig.ask(a_move(stop=101.0))
    assert [sent.order_type for sent in sends(said)] == [OrderType.MARKET]
    assert rig.held() == 0
    rig.assert_agrees()


def test_a_leg_that_cannot_be_moved_is_placed_anew() -> None:
    rig = a_position(stop=95.0)
    (request,) = replaces(rig.desk.on_intent(a_move(stop=96.0), rig.now_ns))
    no = rig.desk.on_failed(request.client_order_id, "no", unknown=False, now_ns=rig.now_ns)
    assert cancels(no)
    rig.do(no)
    assert resting(rig) == {"stop": 96.0}
    rig.assert_agrees()


def test_a_stop_with_a_limit_keeps_its_distance() -> None:
    rig = Rig()
    (sent,) = sends(rig.desk.on_intent(an_intent(stop=95.0, stop_limit=94.5), NOON_NS))
    leg = an_answer(
        replace(
            sent, client_order_id="leg", side=Side.SELL, order_type=OrderType.STOP_LIMIT, stop_price=95.0,
            limit_price=94.5,
        )
    )  # fmt: skip
    rig.desk.on_accepted(sent.client_order_id, an_answer(sent, legs=(leg,)), NOON_NS)
    rig.desk.on_update(
        an_update("fill", an_answer(sent), qty=100, price=100.0, x="x", filled_qty=100.0), NOON_NS
    )
    (request,) = replaces(rig.desk.on_intent(a_move(stop=97.0), NOON_NS))
    assert (request.stop_price, request.limit_price) == (97.0, 96.5)


@pytest.mark.parametrize("move", [{"stop": 97.0}, {"target": 120.0}, {"stop": 98.0, "target": 104.0}])
@pytest.mark.parametrize("entry", [{"stop": 95.0, "target": 110.0}, {"stop": 95.0}, {}])
def test_after_a_restart_the_moved_ones_are_still_wanted(entry: dict[str, Any], move: dict[str, Any]) -> None:
    rig = a_position(**entry)
    rig.ask(a_move(**move))
    before = wanted(rig)
    rig.restart()
    assert wanted(rig) == before
    for role, level in zip(("stop", "target"), before, strict=True):
        assert resting(rig).get(role) == level


def test_a_new_position_begins_with_the_stop_of_its_own_entry_after_a_restart_too() -> None:
    rig = a_position(stop=95.0)
    rig.ask(a_move(stop=97.0))
    rig.ask(an_intent(Operation.SELL, 0, n=2))
    rig.wait()
    rig.ask(an_intent(n=3, stop=94.0))
    assert wanted(rig) == (94.0, None)
    rig.restart()
    assert wanted(rig) == (94.0, None)


def test_a_position_that_a_bust_turned_round_does_not_get_the_stop_of_the_old_one() -> None:
    rig = a_position(stop=95.0, target=110.0)
    rig.ask(a_move(stop=97.0))
    rig.ask(an_intent(Operation.SELL, 40, n=2))
    rig.wait()
    rig.exchange.bust(rig.exchange.executions()[0].execution_id)
    rig.settle()
    assert (rig.held(), wanted(rig)) == (-40, (None, None))
    rig.restart()
    assert (rig.held(), wanted(rig)) == (-40, (None, None))


def test_while_a_fill_is_missing_nothing_is_placed_for_what_may_be_gone() -> None:
    rig = a_position()
    (sent,) = sends(rig.desk.on_intent(an_intent(Operation.SELL, 0, n=2), rig.now_ns))
    second = an_update("fill", an_answer(sent), qty=60, price=100.0, x="y2", filled_qty=100.0)
    rig.desk.on_update(second, rig.now_ns)
    assert rig.held() == 40
    said = rig.desk.on_intent(a_move(stop=95.0), rig.now_ns)
    assert refusals(said) == ["PROTECTION_BUSY"]
    assert not sends(said)


def test_without_a_position_there_is_nothing_to_protect() -> None:
    rig = Rig()
    said = rig.desk.on_intent(a_move(stop=95.0), NOON_NS)
    assert refusals(said) == ["NOTHING_TO_PROTECT"]
    assert answers(said, a_move())


def test_a_target_on_the_wrong_side_of_the_stop_is_refused() -> None:
    rig = a_position(stop=95.0)
    assert refusals(rig.ask(a_move(target=94.0))) == ["BAD_PRICES"]


def test_while_it_is_being_moved_it_is_not_moved_again() -> None:
    rig = a_position(stop=95.0)
    rig.desk.on_intent(a_move(stop=96.0), rig.now_ns)
    assert refusals(rig.desk.on_intent(a_move(n=2, stop=97.0), rig.now_ns)) == ["PROTECTION_BUSY"]


def test_while_an_exit_is_on_its_way_nothing_is_moved() -> None:
    rig = a_position(stop=95.0)
    rig.desk.on_intent(an_intent(Operation.SELL, 0, n=2), rig.now_ns)
    assert refusals(rig.desk.on_intent(a_move(stop=96.0), rig.now_ns)) == ["EXIT_PENDING"]


def test_the_legs_of_an_entry_that_still_works_are_moved_but_none_is_added() -> None:
    rig = Rig(partial_fills=1.0)
    rig.quote(100.0)
    rig.ask(an_intent(limit=100.01, stop=95.0))
    assert 0 < rig.held() < 100
    assert refusals(rig.ask(a_move(target=110.0))) == ["PROTECTION_BUSY"]
    rig.ask(a_move(n=2, stop=96.0))
    assert [r.stop_price for r in rig.live("stop")] == [96.0]


def test_an_exit_that_comes_while_a_stop_is_moved_goes_through() -> None:
    rig = a_position(stop=95.0, target=110.0)
    moving = rig.desk.on_intent(a_move(stop=96.0), rig.now_ns)
    leaving = rig.desk.on_intent(an_intent(Operation.SELL, 0, n=2), rig.now_ns)
    rig.do([*moving, *leaving])
    for _ in range(20):
        rig.wait()
    assert rig.held() == 0
    assert not rig.live()
    rig.assert_agrees()
