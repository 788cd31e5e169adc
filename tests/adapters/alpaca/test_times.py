"""Alpaca's spellings of time."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.alpaca.times import new_york_day, new_york_ns, read_time, read_time_or_zero, write_time


@pytest.mark.parametrize(
    ("text", "t_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2022-04-11T12:00:36.002951946Z", 1_649_678_436_002_951_946),
        ("2021-02-22T15:51:44.208Z", 1_614_009_104_208_000_000),
        ("2022-04-19T13:45:04.981350886-04:00", 1_650_390_304_981_350_886),
        ("2021-04-20T13:01:57.123456789", 1_618_923_717_123_456_789),
    ],
)
def test_every_spelling_seen_is_read_to_the_nanosecond(text: str, t_ns: int) -> None:
    assert read_time(text) == t_ns


@pytest.mark.parametrize("text", ["", "today", "2021-02-30T00:00:00Z", "2021-02-22", "2021-02-22T15:51:44.Z"])
def test_what_is_no_time_is_refused_by_name_or_zero(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|day|range"):
        read_time(text)
    assert read_time_or_zero(text) == 0


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_a_written_time_reads_the_same(t_ns: int) -> None:
    assert read_time(write_time(t_ns)) == t_ns


def test_new_york_keeps_its_summer_time() -> None:
    assert new_york_ns(date(2026, 1, 5), "09:30") == read_time("2026-01-05T14:30:00Z")
    assert new_york_ns(date(2026, 7, 6), "0930") == read_time("2026-07-06T13:30:00Z")
    assert new_york_day(read_time("2026-01-06T03:00:00Z")) == date(2026, 1, 5)


@pytest.mark.parametrize("clock", ["", "9", "24:00", "ab:cd", "09:60"])
def test_what_is_no_time_of_day_is_refused(clock: str) -> None:
    with pytest.raises(ValueError, match=r"time of day|must be in"):
        new_york_ns(date(2026, 1, 5), clock)
