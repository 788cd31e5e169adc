"""The timetable: when a scanner is due, and that it is never due twice for one turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.market import MINUTE_NS, SECOND_NS
from liu_tui.trading.timetable import Timetable
from tests.kit.session import DAY, OPEN, at


def a_timetable(recurrence: float | None = None, from_market_open: float = 0.0) -> Timetable:
    """Make a timetable of the kit's day."""
    return Timetable(DAY, recurrence=recurrence, from_market_open=from_market_open)


def test_without_a_first_minute_a_scanner_is_due_as_soon_as_the_session_starts() -> None:
    assert a_timetable().due(DAY.pre_ns)


@pytest.mark.parametrize(
    ("minutes", "due"), [(-30, False), (14.99, False), (15, True), (389.99, True), (390, False)]
)
def test_it_is_due_from_its_first_minute_until_the_close(minutes: float, due: bool) -> None:
    assert a_timetable(from_market_open=15).due(at(minutes)) is due


def test_a_scanner_without_recurrence_has_one_turn() -> None:
    timetable = a_timetable(from_market_open=5)
    timetable.ran(at(5))
    assert timetable.over
    assert timetable.next_ns == 0
    assert not timetable.due(at(6))


def test_turns_keep_their_rhythm_however_long_a_run_took() -> None:
    timetable = a_timetable(5, from_market_open=10)
    timetable.ran(at(10.4))
    assert timetable.next_ns == at(15)


def test_the_rhythm_of_one_without_a_first_minute_begins_with_its_first_run() -> None:
    timetable = a_timetable(5)
    timetable.ran(at(-2))
    assert timetable.next_ns == at(3)


def test_missed_turns_are_not_made_up_for() -> None:
    timetable = a_timetable(5, from_market_open=10)
    timetable.ran(at(10))
    timetable.ran(at(31))
    assert timetable.next_ns == at(35)


def test_the_close_ends_it_though_its_next_turn_is_set() -> None:
    timetable = a_timetable(5)
    timetable.ran(at(388))
    assert not timetable.over
    assert not timetable.due(at(393))


@given(
    st.floats(0.05, 60),
    st.sampled_from([0.0, 0.5, 30.0]),
    st.lists(st.integers(1, 40 * 60), min_size=1, max_size=60),
)
def test_two_turns_are_never_closer_than_the_recurrence_but_for_a_late_one(
    recurrence: float, first: float, looks: list[int]
) -> None:
    """Looks come so many seconds after one another; each turn lies in a slot of the rhythm of its own."""
    timetable = a_timetable(recurrence, from_market_open=first)
    now, every = OPEN, int(recurrence * MINUTE_NS)
    slots: list[int] = []
    start = None
    for seconds in looks:
        now += seconds * SECOND_NS
        if not timetable.due(now):
            continue
        if start is None:
            start = now if not first else OPEN + int(first * MINUTE_NS)
        slots.append((now - start) // every)
        timetable.ran(now)
        assert timetable.next_ns > now
        assert timetable.next_ns - now <= every
    assert len(set(slots)) == len(slots)
