"""Marks: at which price a symbol is valued, and what it is quoted at."""

from __future__ import annotations

import msgspec
import pytest

from liu_tui.market.marks import Mark, Marker, joined, sets_price
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Halt, Quote, TapeEvent, Trade
from tests.kit.market import a_bar, a_quote, at

NOON = at("12:00")


def a_print(price: float, *conditions: str, tape: str = "C") -> Trade:
    return Trade("QQQ", NOON, price, 100.0, conditions=conditions, tape=tape)


def marks_of(*events: TapeEvent) -> tuple[Mark, ...]:
    marker = Marker()
    for event in events:
        marker.note(event)
    return marker.take()


def test_the_last_trade_is_the_mark_and_without_one_the_close_of_the_last_bar() -> None:
    bar, later = a_bar(NOON, 99.0, symbol="QQQ"), a_bar(NOON + MINUTE_NS, 98.0, symbol="QQQ")
    assert marks_of(bar, a_print(100.0), a_print(101.0), later) == (Mark("QQQ", 101.0, t_ns=NOON),)
    assert marks_of(bar) == (Mark("QQQ", 99.0, t_ns=NOON + MINUTE_NS),)
    assert marks_of(later, bar) == (Mark("QQQ", 98.0, t_ns=NOON + 2 * MINUTE_NS),)


def test_a_quote_is_told_beside_the_price_and_is_none_itself() -> None:
    quote = Quote("QQQ", NOON + SECOND_NS, 99.9, 1.0, 100.1, 1.0)
    assert marks_of(quote) == (Mark("QQQ", 0.0, 99.9, 100.1, NOON + SECOND_NS),)
    assert marks_of(a_print(100.0), quote) == (Mark("QQQ", 100.0, 99.9, 100.1, NOON + SECOND_NS),)


def test_halts_and_later_words_mark_nothing() -> None:
    revised = msgspec.structs.replace(a_bar(NOON), revised=True)
    assert marks_of(Halt("QQQ", NOON, True), revised) == ()


def test_what_was_taken_is_not_told_again() -> None:
    marker = Marker()
    marker.note(a_print(100.0))
    marker.note(a_quote(NOON))
    assert len(marker.take()) == 2
    assert marker.take() == ()


def test_of_two_moments_the_newest_of_each_kind_of_word_stays() -> None:
    older = (Mark("A", 10.0, 9.9, 10.1, 1), Mark("B", 5.0, t_ns=1))
    newer = (Mark("A", 0.0, 10.0, 0.0, 3), Mark("C", 7.0, t_ns=2))
    assert joined(older, newer) == (Mark("A", 10.0, 10.0, 0.0, 3), Mark("B", 5.0, t_ns=1), newer[1])
    assert joined(older, (Mark("A", 11.0, t_ns=2),))[0] == Mark("A", 11.0, 9.9, 10.1, 2)


@pytest.mark.parametrize("conditions", [("W",), ("4",), ("@", "I"), ("P",), ("M",)])
def test_a_print_that_may_not_set_a_price_is_no_mark(conditions: tuple[str, ...]) -> None:
    assert marks_of(a_print(60.0, *conditions)) == ()


@pytest.mark.parametrize("conditions", [(), ("@",), (" ",), ("@", "F"), ("@", "T")])
def test_a_regular_sale_is_and_so_is_one_of_extended_hours(conditions: tuple[str, ...]) -> None:
    assert sets_price(conditions, "C")
    assert marks_of(a_print(60.0, *conditions)) == (Mark("QQQ", 60.0, t_ns=NOON),)
