"""Vetoes: until when, for whom, and which of two stands."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.calendar import first_session
from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import Operation
from liu_tui.trading.book import Book
from liu_tui.trading.effects import Notice
from liu_tui.trading.vetoes import FOR_GOOD, Veto, Vetoes, outlasts, stands, until_of, until_words
from tests.kit.desk import NOON_NS, Rig, an_intent, refusals, sends
from tests.kit.session import DAY, at

ENDS = st.integers(1, 100) | st.just(FOR_GOOD)


def until(moment_ns: int) -> Veto:
    return Veto("ann", "news", moment_ns)


def test_a_veto_is_in_force_until_its_moment_and_for_good_always() -> None:
    vetoes = Vetoes(Book())
    vetoes.set("TSLA", "", until(100))
    vetoes.set("F", "momentum", until(FOR_GOOD))
    assert vetoes.on("TSLA", "vwap", 99) == until(100)
    assert vetoes.on("TSLA", "vwap", 100) is None
    assert vetoes.on("F", "momentum", 1 << 62) == until(FOR_GOOD)
    assert vetoes.on("F", "vwap", 0) is None


def test_one_that_has_ended_hides_no_other() -> None:
    vetoes = Vetoes(Book())
    vetoes.set("TSLA", "", until(100))
    vetoes.set("TSLA", "momentum", until(200))
    assert vetoes.on("TSLA", "momentum", 150) == until(200)


def test_the_end_of_a_veto_is_said_once() -> None:
    book = Book()
    vetoes = Vetoes(book)
    vetoes.set("TSLA", "momentum", until(100))
    book.take()
    vetoes.end_due(99)
    assert book.take() == []
    vetoes.end_due(100)
    vetoes.end_due(101)
    assert [effect.words for effect in book.take() if isinstance(effect, Notice)] == [
        "TSLA may be traded again by momentum: the time of its veto is over"
    ]
    assert vetoes.all == {}


@given(st.lists(ENDS, min_size=1))
def test_of_several_the_one_that_lasts_longest_stands_in_whatever_order_they_come(ends: list[int]) -> None:
    vetoes = Vetoes(Book())
    for end in ends:
        vetoes.set("TSLA", "", until(end))
    assert vetoes.all["TSLA", ""].until_ns == (FOR_GOOD if FOR_GOOD in ends else max(ends))


@given(ENDS, ENDS, st.integers(0, 101))
def test_what_outlasts_another_stands_whenever_that_one_does(one: int, other: int, now: int) -> None:
    if outlasts(one, other):
        assert stands(one, now) or not stands(other, now)
    else:
        assert stands(other, now) or not stands(one, now)


def test_allowing_a_symbol_for_all_takes_every_veto_of_it_back() -> None:
    vetoes = Vetoes(Book())
    for strategy in ("", "momentum"):
        vetoes.set("TSLA", strategy, until(FOR_GOOD))
    vetoes.set("F", "", until(FOR_GOOD))
    vetoes.clear("TSLA", "")
    assert list(vetoes.all) == [("F", "")]


def test_a_desk_refuses_entries_until_the_veto_ends_and_exits_never() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(n=1))
    rig.desk.veto("TSLA", "", "ann", "news", NOON_NS + 10 * MINUTE_NS)
    assert refusals(rig.ask(an_intent(strategy="vwap", n=2))) == ["VETOED"]
    assert sends(rig.ask(an_intent(Operation.SELL, 50, n=3)))
    rig.minutes(10)
    assert sends(rig.ask(an_intent(strategy="vwap", n=4)))


# when it ends


@pytest.mark.parametrize(
    ("words", "moment", "said"),
    [
        ("", DAY.post_ns, "for the day"),
        ("Day", DAY.post_ns, "for the day"),
        ("good", FOR_GOOD, "for good"),
        ("30m", at(90), "until 11:00"),
        ("1.5m", at(61.5), "until 10:31"),
        ("15:45", at(375), "until 15:45"),
    ],
)
def test_an_end_is_read_and_said(words: str, moment: int, said: str) -> None:
    assert until_of(words, at(60), DAY) == moment
    assert until_words(moment, DAY) == said


@pytest.mark.parametrize("words", ["later", "30", "24:00", "9:60", "10:30", "-5m", "1h"])
def test_what_is_no_end_or_is_over_is_refused_in_words(words: str) -> None:
    with pytest.raises(ValueError, match=r"no end of a veto|is over"):
        until_of(words, at(60), DAY)


def test_a_clock_time_is_new_yorks_on_a_short_day_and_in_winter_too() -> None:
    friday = first_session(date(2024, 11, 29))
    assert until_of("12:30", friday.open_ns, friday) == friday.close_ns - 30 * MINUTE_NS
    assert until_of("day", friday.open_ns, friday) == friday.post_ns


def test_before_the_venue_has_told_its_day_only_minutes_and_for_good_can_be_said() -> None:
    assert until_of("good", 5, None) == FOR_GOOD
    assert until_of("1m", 5, None) == 5 + MINUTE_NS
    with pytest.raises(ValueError, match="has not told its day"):
        until_of("day", 5, None)
