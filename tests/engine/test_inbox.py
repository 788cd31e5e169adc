"""The market inbox: in lock-step a step is taken whole, once, and never before the desk's word."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.inbox import MarketInbox
from liu_tui.engine.links import INBOX_BYTES, Link, pair
from liu_tui.engine.messages import OnMarketLink
from liu_tui.model.market import Step
from tests.kit.engine import a_bar, a_trade, eventually, market_decoder, nothing


class Pipe:
    """A link that brings what a test puts into it."""

    def __init__(self) -> None:
        self.inbox: list[OnMarketLink] = []

    def take(self) -> list[OnMarketLink]:
        taken, self.inbox = self.inbox, []
        return taken


def an_inbox() -> tuple[MarketInbox, Pipe]:
    pipe = Pipe()
    return MarketInbox(cast(Link[OnMarketLink], pipe)), pipe


def a_step(n: int, events: int = 2) -> list[OnMarketLink]:
    """Make step n: trades, and the mark that ends it."""
    return [*(a_trade(n=100 * n + i) for i in range(events)), Step(n=n, t_ns=n)]


def test_live_events_are_taken_as_they_come() -> None:
    inbox, pipe = an_inbox()
    pipe.inbox += [a_trade(), a_bar()]
    assert len(inbox) == 2
    assert inbox.take() == [a_trade(), a_bar()]
    assert (inbox.take(), len(inbox)) == ([], 0)


def test_a_step_is_not_taken_before_its_mark_has_come() -> None:
    inbox, pipe = an_inbox()
    *events, mark = a_step(1)
    for event in events:
        pipe.inbox.append(event)
        assert inbox.take_step(told=1) == []
    assert len(inbox) == 2
    pipe.inbox.append(mark)
    assert inbox.take_step(told=1) == [*events, mark]
    assert len(inbox) == 0


def test_a_step_is_not_taken_before_the_desk_has_told_its_updates() -> None:
    inbox, pipe = an_inbox()
    pipe.inbox += a_step(3)
    assert inbox.take_step(told=2) == []
    assert inbox.take_step(told=3) == a_step(3)
    assert inbox.take_step(told=3) == []


def test_after_a_desks_restart_two_steps_are_taken_in_their_order() -> None:
    """The desk that died never told of step 4; the next one begins with step 5."""
    inbox, pipe = an_inbox()
    pipe.inbox += a_step(4)
    assert inbox.take_step(told=3) == []
    pipe.inbox += a_step(5)
    assert inbox.take_step(told=3) == []
    assert inbox.take_step(told=5) == [*a_step(4), *a_step(5)]


def test_after_a_desks_restart_the_second_step_still_waits_for_the_desks_word() -> None:
    """The old desk told of step 4, died, and was excused; step 5 came before the new one had told of it."""
    inbox, pipe = an_inbox()
    pipe.inbox += [*a_step(4), *a_step(5), a_trade(n=600)]
    assert inbox.take_step(told=4) == a_step(4)
    assert inbox.take_step(told=4) == []
    assert inbox.take_step(told=5) == a_step(5)
    assert len(inbox) == 1


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=20),
)
def test_however_the_link_cuts_steps_each_is_taken_whole_and_only_once_told(
    sizes: list[int], turns: list[tuple[int, bool]]
) -> None:
    inbox, pipe = an_inbox()
    coming = [event for n, size in enumerate(sizes, start=1) for event in a_step(n, size)]
    whole, taken, told = list(coming), list[OnMarketLink](), 0
    for size, tells in [*turns, (len(coming), False), *((0, True) for _ in sizes)]:
        pipe.inbox += coming[:size]
        del coming[:size]
        told += tells
        got = inbox.take_step(told)
        assert not got or isinstance(got[-1], Step)
        assert all(event.n <= told for event in got if isinstance(event, Step))
        taken += got
    assert taken == whole


async def test_a_step_larger_than_a_links_bound_ends_all_the_same() -> None:
    ours, theirs = pair()
    sender, receiver = Link(theirs, market_decoder(), nothing), Link(ours, market_decoder(), nothing)
    inbox = MarketInbox(receiver)
    events: list[OnMarketLink] = [a_trade(n=n) for n in range(10_000)]
    frames = 0
    try:
        while frames * 10_000 * 20 < 2 * INBOX_BYTES:  # a trade is some 30 bytes on the wire
            sender.send(*events)
            frames += 1
        sender.send(Step(n=1, t_ns=1))
        got: list[OnMarketLink] = []

        def whole() -> bool:
            got.extend(inbox.take_step(told=1))
            return bool(got)

        await eventually(whole)
        assert len(got) == frames * len(events) + 1
    finally:
        sender.close()
        inbox.close()
    assert receiver.closed


@pytest.mark.parametrize("told", [0, 9])
def test_with_nothing_there_nothing_is_taken(told: int) -> None:
    inbox, _pipe = an_inbox()
    assert inbox.take_step(told) == []
