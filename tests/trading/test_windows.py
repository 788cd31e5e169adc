"""Windows: a schedule laid on a day."""

from datetime import date

import pytest

from liu_tui.market.calendar import first_session
from liu_tui.model.window import Window
from liu_tui.trading.windows import Windows
from tests.kit.session import DAY, at

TWO = (Window(start=60, duration=30), Window(start=5, duration=10))


@pytest.mark.parametrize(
    ("minutes", "is_open"),
    [(-1, False), (4.99, False), (5, True), (14.99, True), (15, False), (60, True), (90, False)],
)
def test_a_window_is_closed_left_and_open_right(minutes: float, is_open: bool) -> None:
    assert Windows(TWO, DAY).open_at(at(minutes)) is is_open


@pytest.mark.parametrize(("minutes", "is_open"), [(-0.01, False), (0, True), (389.99, True), (390, False)])
def test_no_schedule_is_the_whole_session(minutes: float, is_open: bool) -> None:
    assert Windows((), DAY).open_at(at(minutes)) is is_open


def test_a_window_never_outlasts_the_close_of_a_half_day() -> None:
    half = first_session(date(2024, 7, 3))
    windows = Windows((Window(start=0, duration=390),), half)
    assert windows.open_at(half.close_ns - 1)
    assert not windows.open_at(half.close_ns)


def test_a_bypass_is_always_open() -> None:
    assert Windows(TWO, DAY, always=True).open_at(at(-300))


def test_it_says_in_new_york_time_when_the_next_window_opens() -> None:
    windows = Windows(TWO, DAY)
    assert windows.words(at(0)) == "the next window opens at 09:35"
    assert windows.words(at(20)) == "the next window opens at 10:30"
    assert windows.words(at(100)) == "no window is left today"


def test_a_window_after_the_close_of_a_half_day_never_comes() -> None:
    half = first_session(date(2024, 7, 3))
    windows = Windows((Window(start=300, duration=30),), half)
    assert windows.words(half.open_ns) == "no window is left today"
