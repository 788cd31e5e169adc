"""Calendar: which days are sessions, and when they begin and end."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market import calendar
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from tests.kit.market import at

HOUR_NS = 60 * MINUTE_NS

# Sessions a year, as the exchange counted them.
SESSIONS = {
    2008: 253, 2009: 252, 2010: 252, 2011: 252, 2012: 250, 2013: 252, 2014: 252, 2015: 252, 2016: 252,
    2017: 251, 2018: 251, 2019: 252, 2020: 253, 2021: 252, 2022: 251, 2023: 250, 2024: 252, 2025: 250,
}  # fmt: skip


@pytest.mark.parametrize(("year", "sessions"), SESSIONS.items())
def test_a_year_has_as_many_sessions_as_the_exchange_counted(year: int, sessions: int) -> None:
    assert sum(1 for _ in calendar.sessions(date(year, 1, 1), date(year, 12, 31))) == sessions


@pytest.mark.parametrize(
    "day",
    [
        date(2012, 10, 29), date(2012, 10, 30), date(2018, 12, 5), date(2025, 1, 9),  # closures
        date(2024, 3, 29), date(2019, 4, 19),  # Good Friday
        date(2022, 6, 20), date(2024, 6, 19),  # Juneteenth, kept on Monday in 2022
        date(2021, 12, 24), date(2020, 7, 3), date(2023, 1, 2),  # kept on another day
        date(2024, 8, 24),  # a Saturday
    ],
)  # fmt: skip
def test_a_closed_day_has_no_hours(day: date) -> None:
    assert calendar.hours(day) is None


@pytest.mark.parametrize("day", [date(2021, 12, 31), date(2021, 6, 18), date(2022, 1, 3), date(2010, 12, 31)])
def test_a_day_beside_a_holiday_is_a_session(day: date) -> None:
    assert calendar.hours(day) is not None


def test_a_usual_day_has_four_edges() -> None:
    session = calendar.hours(date(2024, 8, 26))
    assert session is not None
    edges = (session.pre_ns, session.open_ns, session.close_ns, session.post_ns)
    assert edges == (at("04:00"), at("09:30"), at("16:00"), at("20:00"))


@pytest.mark.parametrize(
    ("day", "early"),
    [
        (date(2019, 12, 24), True), (date(2024, 11, 29), True), (date(2024, 7, 3), True),
        (date(2019, 7, 3), True), (date(2010, 7, 2), False), (date(2015, 7, 2), False),
        (date(2016, 12, 23), False), (date(2024, 12, 31), False), (date(2026, 7, 3), False),
    ],
)  # fmt: skip
def test_early_closes_follow_the_rules(day: date, early: bool) -> None:
    assert calendar.is_early_close(day) is early
    session = calendar.hours(day)
    if early and session is not None:
        assert (session.close_ns - session.open_ns, session.post_ns - session.close_ns) == (
            3.5 * HOUR_NS,
            4 * HOUR_NS,
        )


def test_the_present_session_lasts_until_the_after_hours_end() -> None:
    assert calendar.session_of(at("19:59")).day == "2024-08-26"
    assert calendar.session_of(at("20:00")).day == "2024-08-27"
    assert calendar.session_of(at("2024-08-31 12:00")).day == "2024-09-03"  # over Labor Day


def test_the_previous_session_skips_the_holiday() -> None:
    assert calendar.previous_session(date(2024, 9, 3)) == date(2024, 8, 30)


def test_new_york_keeps_its_hours_when_the_clocks_change() -> None:
    before, after = calendar.hours(date(2011, 3, 11)), calendar.hours(date(2011, 3, 14))
    assert before is not None
    assert after is not None
    assert after.open_ns - before.open_ns == 71 * HOUR_NS


@given(st.integers(1_200_000_000_000_000, 1_830_000_000_000_000))
def test_a_moment_goes_to_new_york_and_back(microseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    t_ns = calendar.to_ns(moment)
    local = calendar.to_datetime(t_ns + 999)  # nanoseconds are cut, never rounded up
    # Not `==`: Python calls moments of two zones unequal in the hour that New York has twice.
    assert local.timestamp() == moment.timestamp()
    assert local.tzinfo is calendar.NEW_YORK
    assert calendar.day_of(t_ns) == local.date()
    assert calendar.ordinals_of(np.array([t_ns]))[0] == local.toordinal()


def test_regular_hours_are_closed_left_and_open_right() -> None:
    assert not calendar.is_regular(at("09:30") - 1)
    assert calendar.is_regular(at("09:30"))
    assert not calendar.is_regular(at("16:00"))
    assert not calendar.is_regular(at("2024-08-25 12:00"))


@pytest.fixture
def rules_only() -> Iterator[None]:
    """Forget what a test told the calendar of the process."""
    yield
    calendar.correct((), ())


def half_of(day: str) -> SessionHours:
    """A session that ends at noon."""
    pre, opens, noon, post = (at(f"{day} {t}") for t in ("04:00", "09:30", "12:00", "17:00"))
    return SessionHours(day, pre, opens, noon, post)


@pytest.mark.usefixtures("rules_only")
def test_the_brokers_calendar_stands_above_the_rules() -> None:
    saturday, monday = "2024-08-24", date(2024, 8, 26)
    calendar.correct([half_of(saturday), half_of("2024-08-27")], [monday])

    assert calendar.hours(date(2024, 8, 24)) == half_of(saturday)
    assert calendar.hours(monday) is None
    assert calendar.is_early_close(date(2024, 8, 27))
    assert calendar.first_session(monday) == half_of("2024-08-27")
    assert calendar.session_of(at("2024-08-26 12:00")) == half_of("2024-08-27")
    assert calendar.previous_session(date(2024, 8, 27)) == date(2024, 8, 24)
    assert [s.day for s in calendar.sessions(date(2024, 8, 24), date(2024, 8, 28))] == [
        saturday, "2024-08-27", "2024-08-28",
    ]  # fmt: skip
    assert not calendar.is_regular(at("2024-08-27 12:00"))


@pytest.mark.usefixtures("rules_only")
def test_a_correction_takes_the_place_of_the_one_before() -> None:
    calendar.correct([], [date(2024, 8, 26)])
    calendar.correct([], [date(2024, 8, 27)])
    assert calendar.hours(date(2024, 8, 26)) is not None
    assert calendar.hours(date(2024, 8, 27)) is None


@pytest.mark.usefixtures("rules_only")
def test_told_the_differences_the_calendar_agrees_with_the_broker() -> None:
    start, end = date(2024, 8, 23), date(2024, 9, 6)
    by_rule = list(calendar.sessions(start, end))
    theirs = [half_of("2024-08-24"), half_of("2024-08-27")]  # a Saturday, and an hour less on a Tuesday
    theirs += [s for s in by_rule if s.day not in ("2024-08-27", "2024-08-30")]  # and no Friday
    other, closed = calendar.differences(theirs, start, end)

    assert other == theirs[:2]
    assert closed == [date(2024, 8, 30)]
    calendar.correct(other, closed)
    assert list(calendar.sessions(start, end)) == sorted(theirs, key=lambda s: s.day)
    assert calendar.differences(by_rule, start, end) == ([], [])  # by the rules, not by what was told before
