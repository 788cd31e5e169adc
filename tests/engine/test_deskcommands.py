"""Persons' verbs at the desk: what each does, what it is refused for, and how it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from liu_tui.engine.client import Command
from liu_tui.engine.commands import DESK_VERBS
from liu_tui.engine.deskcommands import answer_to, effects_of
from liu_tui.errors import RefusedError
from liu_tui.model.orders import OrderState
from liu_tui.trading.effects import Effect
from tests.kit.desk import Rig, an_intent, cancels


@pytest.fixture
def rig() -> Rig:
    """A desk that holds 100 TSLA with a stop, and has an entry of each of two strategies at work in F."""
    rig = Rig()
    for symbol in ("TSLA", "F"):
        rig.quote(100.0, symbol)
    rig.ask(an_intent(stop=95.0))
    for n, strategy in enumerate(("momentum", "vwap"), 1):
        rig.ask(an_intent(symbol="F", strategy=strategy, limit=90.0, n=n))
    return rig


def say(rig: Rig, verb: str, **words: Any) -> tuple[str, list[Effect]]:
    """A person says a verb; returns the answer and what follows."""
    command = Command("1", verb, by="ann", **words)
    effects = rig.do(effects_of(rig.desk, command, rig.now_ns))
    return answer_to(rig.desk, command), effects


def test_pause_and_resume(rig: Rig) -> None:
    assert say(rig, "pause")[0] == "entries are refused from now on"
    assert (rig.desk.state, rig.desk.state_by, rig.desk.state_reason) == (
        "REDUCING",
        "ann",
        "no reason given",
    )
    assert say(rig, "resume")[0] == "entries are allowed again"
    assert rig.desk.state == "ACTIVE"


def test_cancel_takes_the_entries_of_one_strategy_and_no_protection(rig: Rig) -> None:
    _answer, effects = say(rig, "cancel", symbol="F", strategy="vwap")
    assert [rig.desk.orders[cid].strategy for cid in cancels(effects)] == ["vwap"]
    assert {(r.role, r.strategy) for r in rig.live()} == {("stop", "momentum"), ("entry", "momentum")}


def test_an_order_that_protects_or_is_not_there_is_not_canceled(rig: Rig) -> None:
    (stop,) = rig.live("stop")
    with pytest.raises(RefusedError, match="not an entry"):
        say(rig, "cancel", order=stop.client_order_id)
    with pytest.raises(RefusedError, match="no order x is working"):
        say(rig, "cancel", order="x")


def test_what_was_halted_goes_on_only_when_flat_and_with_a_reason(rig: Rig) -> None:
    rig.halted = {"TSLA"}
    say(rig, "kill")
    with pytest.raises(RefusedError, match="is not done"):
        say(rig, "resume", reason="all is well")
    rig.halted.clear()
    rig.wait(2.0)
    rig.wait(2.0)
    with pytest.raises(RefusedError, match="Say why"):
        say(rig, "resume")
    say(rig, "resume", reason="all is well")
    assert (rig.desk.state, rig.desk.state_reason) == ("ACTIVE", "all is well")


def test_release_answers_with_what_is_held(rig: Rig) -> None:
    rig.halted = {"TSLA"}
    say(rig, "flatten", symbol="TSLA")
    assert say(rig, "release", symbol="TSLA")[0] == "the flatten of TSLA is released; held are TSLA +100"
    assert not rig.desk.latches
    assert [r.role for r in rig.live() if r.symbol == "TSLA"] == []  # the exchange refuses a stop too
    rig.halted.clear()
    rig.wait(30.0)
    assert [(r.role, r.state) for r in rig.live() if r.symbol == "TSLA"] == [("stop", OrderState.NEW)]


@pytest.mark.parametrize(
    ("flattened", "released", "words"),
    [(None, "", "no flatten of everything"), (None, "F", "no flatten of F"), ("", "TSLA", "of everything")],
)
def test_only_what_is_under_way_can_be_released_and_by_its_own_name(
    rig: Rig, flattened: str | None, released: str, words: str
) -> None:
    rig.halted = {"TSLA"}
    if flattened is not None:
        say(rig, "flatten", symbol=flattened)
    with pytest.raises(RefusedError, match=words):
        say(rig, "release", symbol=released)


def test_a_verb_that_the_desk_does_not_know_is_refused(rig: Rig) -> None:
    with pytest.raises(RefusedError, match="no verb 'dance'"):
        say(rig, "dance")


@pytest.mark.parametrize("verb", sorted(DESK_VERBS - {"resolve", "release"}))
def test_every_verb_of_the_desk_is_answered_in_words(rig: Rig, verb: str) -> None:
    assert say(rig, verb)[0]
