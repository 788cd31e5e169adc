"""The lookback: how far back the bars of a first call are fetched."""

from __future__ import annotations

from datetime import date

import pytest

from liu_tui.market import calendar
from liu_tui.market.lookback import daily_start, history_start
from tests.kit.market import at

NOON = at("2024-08-28 12:00")  # a Wednesday


@pytest.mark.parametrize(
    ("lookback", "start"),
    [
        (0, "2024-08-28 04:00"),
        (1, "2024-08-27 09:30"),
        (390, "2024-08-27 09:30"),
        (391, "2024-08-26 09:30"),
        (781, "2024-08-23 09:30"),
    ],
)
def test_whole_sessions_are_loaded_before_the_present_one_across_a_weekend(lookback: int, start: str) -> None:
    assert history_start(NOON, lookback) == at(start)


def test_before_the_open_the_present_session_is_todays() -> None:
    assert history_start(at("2024-08-28 05:00"), 1) == at("2024-08-27 09:30")


def test_a_holiday_is_no_session() -> None:
    assert history_start(at("2024-09-03 12:00"), 1) == at("2024-08-30 09:30")  # Labor Day lies between


@pytest.mark.parametrize(("days", "first"), [(1, "2024-08-27"), (3, "2024-08-23"), (5, "2024-08-21")])
def test_daily_bars_start_so_many_finished_sessions_back_and_no_further(days: int, first: str) -> None:
    """A daily bar is stamped at New York's midnight."""
    assert daily_start(NOON, days) == at(f"{first} 00:00")


def test_a_day_that_the_broker_has_closed_is_no_session() -> None:
    calendar.correct([], [date(2024, 8, 27)])
    try:
        assert history_start(NOON, 1) == at("2024-08-26 09:30")
        assert daily_start(NOON, 1) == at("2024-08-26 00:00")
    finally:
        calendar.correct((), ())
