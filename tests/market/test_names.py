"""Names: under which one a symbol's days lie."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from liu_tui.market.names import Stretch, stretches
from liu_tui.model.market import CorporateAction

FIRST, LAST = date(2021, 6, 1), date(2023, 6, 1)
TO_METV, TO_META = date(2022, 1, 31), date(2022, 6, 9)


def rename(old: str, new: str, day: date) -> CorporateAction:
    return CorporateAction(kind="rename", symbol=old, day=day.isoformat(), new_symbol=new)


META = [rename("FB", "META", TO_META), rename("META", "METV", TO_METV)]


def names(symbol: str, *, first: date = FIRST, last: date = LAST) -> list[tuple[str, str, str]]:
    """(first day, name then, name today) of each stretch."""
    found = stretches(symbol, first, last, META)
    assert found[0].first == first
    assert found[-1].last == last
    for one, other in pairwise(found):
        assert (other.first - one.last).days == 1
    return [(part.first.isoformat(), part.name, part.now_named) for part in found]


def test_without_renames_there_is_one_stretch() -> None:
    split = CorporateAction(kind="split", symbol="AAPL", day="2022-01-03", ratio=4.0)
    assert stretches("AAPL", FIRST, LAST, [split]) == [Stretch(FIRST, LAST, "AAPL", "AAPL")]


def test_before_a_rename_the_old_name_counts_whoever_had_the_new_one_then() -> None:
    assert names("META") == [("2021-06-01", "FB", "META"), ("2022-06-09", "META", "META")]


def test_the_one_before_keeps_its_own_past() -> None:
    assert names("METV") == [("2021-06-01", "META", "METV"), ("2022-01-31", "METV", "METV")]


def test_a_name_that_was_given_up_is_asked_for_by_the_new_one() -> None:
    assert names("FB") == [("2021-06-01", "FB", "META"), ("2022-06-09", "FB", "FB")]


def test_days_after_all_renames_need_none() -> None:
    assert names("META", first=TO_META) == [("2022-06-09", "META", "META")]


def test_a_span_that_ends_before_a_rename_has_the_name_of_then() -> None:
    """What is called META today was FB then; META of that day was somebody else."""
    last = date(2022, 6, 8)
    assert [part.name for part in stretches("META", FIRST, last, META)] == ["META", "META"]


def test_chains_are_followed() -> None:
    chain = [rename("A", "B", date(2022, 1, 3)), rename("B", "C", date(2022, 7, 1))]
    found = stretches("C", FIRST, LAST, chain)
    assert [(part.name, part.now_named) for part in found] == [("A", "C"), ("B", "C"), ("C", "C")]


def test_a_name_taken_back_ends() -> None:
    there_and_back = [rename("A", "B", date(2022, 1, 3)), rename("B", "A", date(2022, 7, 1))]
    found = stretches("A", FIRST, LAST, there_and_back)
    assert [(part.name, part.now_named) for part in found] == [("A", "A"), ("B", "A"), ("A", "A")]
