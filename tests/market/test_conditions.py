"""Conditions: the SIP tables, row by row, as the vendors apply them to minute bars."""

import pytest

from liu_tui.market.conditions import ALL, HIGH_LOW, VOLUME, effect

TAPES = ("A", "B", "C")


@pytest.mark.parametrize("letter", "CHINRV7")  # cash, variation, odd lot, next day, seller, contingent (2)
@pytest.mark.parametrize("tape", TAPES)
@pytest.mark.parametrize("regular", [True, False])
def test_these_sales_set_no_price_and_count_for_volume(letter: str, tape: str, regular: bool) -> None:
    assert effect((letter,), tape, regular) == VOLUME
    assert effect(("@", letter), tape, regular) == VOLUME


@pytest.mark.parametrize("letter", "MQ9")  # official close and open, corrected close
@pytest.mark.parametrize("tape", TAPES)
def test_these_repeat_what_was_printed_and_set_nothing_at_all(letter: str, tape: str) -> None:
    assert effect((letter,), tape, True) == 0
    assert effect((letter, "I"), tape, True) == 0


@pytest.mark.parametrize("letter", "GPZ4L")  # bunched sold, prior reference, late, derivative, sold last
@pytest.mark.parametrize("tape", TAPES)
def test_these_set_high_and_low_but_neither_open_nor_close(letter: str, tape: str) -> None:
    assert effect((letter,), tape, True) == VOLUME | HIGH_LOW
    assert effect(("@", letter), tape, True) == VOLUME | HIGH_LOW


@pytest.mark.parametrize("letter", "TU")
@pytest.mark.parametrize("tape", TAPES)
def test_sales_of_extended_hours_make_the_bars_of_those_hours_only(letter: str, tape: str) -> None:
    assert effect((letter,), tape, True) == VOLUME
    assert effect((letter,), tape, False) == ALL
    assert effect((letter, "I"), tape, False) == VOLUME
    assert effect((letter, "Z"), tape, False) == VOLUME | HIGH_LOW


@pytest.mark.parametrize(
    ("letter", "tape", "expected"),
    [
        ("B", "A", VOLUME),
        ("B", "B", VOLUME),
        ("B", "C", ALL),
        ("B", "O", ALL),
        ("W", "A", ALL),
        ("W", "B", ALL),
        ("W", "C", VOLUME),
        ("W", "O", VOLUME),
        ("B", "", VOLUME),
        ("W", "", VOLUME),
    ],
)
def test_the_letter_of_an_average_price_depends_on_the_tape(letter: str, tape: str, expected: int) -> None:
    assert effect((letter,), tape, True) == expected


@pytest.mark.parametrize(
    "conditions", [(), ("@",), ("@", "F"), ("F",), ("O",), ("5",), ("6",), ("X",), ("1",)]
)
def test_all_other_sales_set_everything(conditions: tuple[str, ...]) -> None:
    assert effect(conditions, "C", True) == ALL


def test_of_several_letters_the_strictest_counts() -> None:
    assert effect(("Z", "I"), "C", True) == VOLUME
    assert effect(("Z", "M"), "C", True) == 0
