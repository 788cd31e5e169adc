"""Lock-step at the supervisor: no step is acknowledged early or twice, and none is forgotten."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.steps import StepGate

BOTH = ("desk", "scanners")


def test_the_first_step_is_asked_for_when_nobody_is_waited_for() -> None:
    gate = StepGate()
    gate.wait_for("routes 1")
    assert gate.to_acknowledge(()) is None
    gate.settled("routes 1")
    assert gate.to_acknowledge(()) == 0
    assert gate.to_acknowledge(()) is None


@pytest.mark.parametrize("order", list(permutations(["begin", "desk", "scanners"])))
def test_a_step_is_over_when_it_has_begun_and_both_are_done_whoever_is_heard_first(
    order: tuple[str, ...],
) -> None:
    """The desk's word may overtake the producer's: they come over different links."""
    gate = StepGate()
    gate.to_acknowledge(())
    said = []
    for what in order:
        gate.begin(1) if what == "begin" else gate.done(what, 1)
        said.append(gate.to_acknowledge(BOTH))
    assert said == [None, None, 1]
    assert gate.to_acknowledge(BOTH) is None


def test_a_subscription_under_way_holds_the_step() -> None:
    gate = StepGate()
    gate.to_acknowledge(())
    gate.begin(1)
    gate.wait_for("assign 0 7")
    gate.wait_for("routes 8")
    for role in BOTH:
        gate.done(role, 1)
    assert gate.to_acknowledge(BOTH) is None
    gate.settled("assign 0 7")
    assert gate.to_acknowledge(BOTH) is None
    gate.settled("routes 8")
    assert gate.to_acknowledge(BOTH) == 1


def test_a_role_that_died_in_a_step_is_excused_from_it_and_from_no_other() -> None:
    gate = StepGate()
    gate.to_acknowledge(())
    gate.begin(1)
    gate.done("scanners", 1)
    gate.excuse("desk")
    assert gate.to_acknowledge(BOTH) == 1
    gate.begin(2)
    gate.done("scanners", 2)
    assert gate.to_acknowledge(BOTH) is None


def test_an_excuse_takes_back_nothing_that_was_done_ahead() -> None:
    """The desk had finished step 2 before the producer's word of it came; then it died."""
    gate = StepGate()
    gate.to_acknowledge(())
    gate.begin(1)
    for role in BOTH:
        gate.done(role, 1)
    assert gate.to_acknowledge(BOTH) == 1
    gate.done("desk", 2)
    gate.excuse("desk")
    gate.begin(2)
    gate.done("scanners", 2)
    assert gate.to_acknowledge(BOTH) == 2


@st.composite
def days(draw: st.DrawFn) -> list[list[str]]:
    """Make a day of steps, each with its messages in some order."""
    steps = []
    for n in range(1, draw(st.integers(1, 6)) + 1):
        subscriptions = [f"routes {n}.{k}" for k in range(draw(st.integers(0, 2)))]
        steps.append(draw(st.permutations(["begin", *BOTH, *(f"-{what}" for what in subscriptions)])))
        steps[-1] = [*(f"+{what}" for what in subscriptions), *steps[-1]]
    return steps


@given(days())
def test_whatever_order_messages_come_in_each_step_is_acknowledged_once_and_with_its_last(
    steps: list[list[str]],
) -> None:
    gate = StepGate()
    assert gate.to_acknowledge(()) == 0
    for n, words in enumerate(steps, start=1):
        said = []
        for word in words:
            tell(gate, word, n)
            said.append(gate.to_acknowledge(BOTH))
        assert said == [None] * (len(words) - 1) + [n]
        assert gate.to_acknowledge(BOTH) is None


def tell(gate: StepGate, word: str, n: int) -> None:
    """Tell the gate one thing."""
    if word == "begin":
        gate.begin(n)
    elif word.startswith("+"):
        gate.wait_for(word[1:])
    elif word.startswith("-"):
        gate.settled(word[1:])
    else:
        gate.done(word, n)


def test_a_role_is_over_with_the_step_that_was_begun_last() -> None:
    gate = StepGate()
    assert gate.over("desk")
    gate.begin(1)
    assert not gate.over("desk")
    gate.done("desk", 1)
    assert gate.over("desk")
    assert not gate.over("scanners")
