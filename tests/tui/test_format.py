"""Values as a trader reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.tui import format as form


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "-"), (0.0, "-"), (0.1234, "0.1234"), (1.0, "1.00"), (131.2, "131.20"), (4321.5, "4,321.50")],
)
def test_a_price_has_two_decimals_and_four_below_a_dollar(value: float | None, said: str) -> None:
    assert form.price(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0.00"), (-0.004, "0.00"), (438.0, "+438.00"), (-1234.5, "-1,234.50")]
)
def test_money_is_signed_and_nought_is_not(value: float, said: str) -> None:
    assert form.money(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (999, "999"),
        (999.6, "1.0k"),
        (1234, "1.2k"),
        (48_200, "48.2k"),
        (157_000, "157k"),
        (999_950, "1.0M"),
        (5_500_000, "5.5M"),
        (2.1e9, "2.1B"),
        (-1500, "-1.5k"),
    ],
)
def test_a_count_takes_few_signs(value: float, said: str) -> None:
    assert form.compact(value) == said


@given(st.floats(min_value=0, max_value=9e11))
def test_a_count_never_takes_more_than_five_signs(value: float) -> None:
    assert len(form.compact(value)) <= 5


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0s"), (0.2, "0.2s"), (7.4, "7s"), (59.4, "59s"), (190, "3m"), (7500, "2h05")],
)
def test_an_age_is_short(seconds: float, said: str) -> None:
    assert form.age(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(751, "12:31"), (4351, "1:12:31"), (-3, "0:00"), (59.9, "0:59")]
)
def test_a_countdown_shows_hours_only_if_there_are_any(seconds: float, said: str) -> None:
    assert form.countdown(seconds) == said


@pytest.mark.parametrize(("ms", "said"), [(0, "0ms"), (0.42, "0.4ms"), (34.2, "34ms"), (2900, "2.9s")])
def test_a_lag_has_its_unit(ms: float, said: str) -> None:
    assert form.millis(ms) == said


@pytest.mark.parametrize(("qty", "said"), [(200, "200"), (-1500, "-1,500"), (0.5, "0.5"), (1.25, "1.25")])
def test_a_quantity_shows_decimals_only_if_there_are_any(qty: float, said: str) -> None:
    assert form.shares(qty) == said


def test_times_are_new_yorks_in_summer_and_in_winter() -> None:
    winter, summer = 1_767_623_400_000_000_000, 1_783_344_600_000_000_000
    assert (form.clock(winter), form.clock(summer), form.clock(0)) == ("09:30:00", "09:30:00", "-")


def test_what_would_move_the_cursor_never_reaches_the_terminal() -> None:
    assert form.clean("a\x1b[31mb\nc\td\u202ee") == "a [31mb c d e"


@given(st.text(max_size=40), st.integers(1, 30))
def test_a_fitted_text_takes_exactly_its_cells(text: str, width: int) -> None:
    fitted = form.fit(form.clean(text), width)
    assert form.width_of(fitted) == width


def test_what_is_cut_says_so() -> None:
    assert form.fit("MomentumBreakout", 8) == "Momentu~"
    assert form.fit("7", 3, right=True) == "  7"
