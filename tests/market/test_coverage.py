"""Coverage: what must be asked for, what is remembered, and what looks as if something is lacking."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.calendar import hours, midnight_ns, sessions
from liu_tui.market.coverage import Known, believed, has_holes, heard, lacking
from liu_tui.model.market import MINUTE_NS
from tests.kit.market import at

HOUR_NS = 60 * MINUTE_NS
BASE = date(2024, 8, 26).toordinal()  # a Monday
LATER = midnight_ns(date(2034, 8, 26))


def test_a_none_counts_for_as_long_as_the_day_was_over_and_an_hour_at_least() -> None:
    over = at("2024-08-27 00:00")
    assert believed(over + MINUTE_NS, over, over + 60 * MINUTE_NS)
    assert not believed(over + MINUTE_NS, over, over + 61 * MINUTE_NS)
    assert believed(over + 5 * HOUR_NS, over, over + 10 * HOUR_NS - 1)
    assert not believed(over + 5 * HOUR_NS, over, over + 10 * HOUR_NS)


def test_nothing_known_is_all_lacking() -> None:
    assert lacking([], 5, 9, 0) == (5, 9)
    assert lacking([], 9, 5, 0) is None


def test_of_days_known_in_part_the_rest_is_lacking() -> None:
    known = [Known(3, 5, 0), Known(8, 9, 0)]
    assert lacking(known, 3, 5, LATER) is None
    assert lacking(known, 4, 9, LATER) == (6, 7)
    assert lacking(known, 1, 9, LATER) == (1, 7)
    assert lacking(known, 4, 12, LATER) == (6, 12)


SPANS = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 12), st.frozensets(st.integers(0, 40), max_size=40)),
    max_size=6,
)


@given(SPANS)
def test_after_any_answers_each_day_is_as_the_last_answer_said(
    answers: list[tuple[int, int, frozenset[int]]],
) -> None:
    known: list[Known] = []
    expected: dict[int, tuple[bool, int]] = {}
    open_days = {
        date.fromisoformat(s.day).toordinal()
        for s in sessions(date.fromordinal(BASE), date.fromordinal(BASE + 40))
    }
    for n, (first, length, days) in enumerate(answers):
        with_bars = frozenset(BASE + day for day in days) & open_days
        known = heard(known, BASE + first, BASE + first + length, with_bars, n)
        for day in range(BASE + first, BASE + first + length + 1):
            expected[day] = (day not in with_bars, n)
    flat = [day for k in known for day in range(k.first, k.last + 1)]
    assert flat == sorted(expected)
    for k in known:
        for day in range(k.first, k.last + 1):
            if day in open_days:
                assert k.empty is expected[day][0]
                assert not k.empty or k.asked_ns == expected[day][1]


@given(SPANS, st.integers(0, 30), st.integers(0, 12))
def test_what_was_asked_for_is_not_lacking_while_it_is_believed(
    answers: list[tuple[int, int, frozenset[int]]], first: int, length: int
) -> None:
    now = LATER
    known: list[Known] = []
    for start, more, days in answers:
        known = heard(known, BASE + start, BASE + start + more, frozenset(BASE + d for d in days), now)
    span = lacking(known, BASE + first, BASE + first + length, now)
    asked = {BASE + day for start, more, _ in answers for day in range(start, start + more + 1)}
    wanted = [day for day in range(BASE + first, BASE + first + length + 1) if day not in asked]
    assert span == ((wanted[0], wanted[-1]) if wanted else None)


MONDAY = hours(date(2024, 8, 26))


def starts(*minutes: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([at("09:30") + m * MINUTE_NS for m in minutes], np.int64)


def test_a_whole_day_has_no_holes_and_neither_has_a_thin_one() -> None:
    assert not has_holes(starts(*range(390)), MONDAY)
    assert not has_holes(starts(3, 60, 70, 200, 340), MONDAY)
    assert not has_holes(starts(200), MONDAY)


def test_a_morning_a_middle_or_an_end_without_bars_is_a_hole() -> None:
    assert has_holes(starts(*range(60, 390)), MONDAY)
    assert has_holes(starts(*range(100), *range(140, 390)), MONDAY)
    assert has_holes(starts(*range(350)), MONDAY)
    assert not has_holes(starts(*range(100), *range(125, 390)), MONDAY)  # a usual halt


def test_no_bars_at_all_is_a_hole_if_there_was_a_session() -> None:
    assert has_holes(starts(), MONDAY)
    assert has_holes(starts(-30), MONDAY)  # pre-market only
    assert not has_holes(starts(), None)
