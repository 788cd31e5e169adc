"""Times as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.localmarket.rfc3339 import new_york, read_time, rfc3339

NOON_NS = 1_709_744_400_000_000_000  # 2024-03-06T17:00:00Z


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_what_is_written_is_read_back_to_the_nanosecond(t_ns: int) -> None:
    assert read_time(rfc3339(t_ns)) == t_ns
    assert read_time(new_york(t_ns)) == t_ns


def test_idle_zeros_are_left_away() -> None:
    assert rfc3339(NOON_NS) == "2024-03-06T17:00:00Z"
    assert rfc3339(NOON_NS + 500_000_000) == "2024-03-06T17:00:00.5Z"


@pytest.mark.parametrize(
    "text",
    ["2024-03-06T12:00:00-05:00", "2024-03-06T17:00:00", "2024-03-06T17:00:00 00:00", "2024-03-06T17:00:00Z"],
)
def test_offsets_are_honoured_and_their_absence_is_utc(text: str) -> None:
    assert read_time(text) == NOON_NS


def test_a_date_is_a_whole_day_in_new_york() -> None:
    assert read_time("2024-03-06") == read_time("2024-03-06T00:00:00-05:00")
    assert read_time("2024-03-06", end_of_day=True) == read_time("2024-03-07T00:00:00-05:00") - 1


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "2024-03-06T25:00:00Z"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_time(text)
