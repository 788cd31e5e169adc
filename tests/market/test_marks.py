"""Marks: at which price a symbol is valued."""

from __future__ import annotations

import msgspec
import pytest

from liu_tui.market.marks import mark, sets_price
from liu_tui.model.market import Halt, TapeEvent, Trade
from tests.kit.market import a_bar, a_quote, at

NOON = at("12:00")


def a_print(price: float, *conditions: str, tape: str = "C") -> Trade:
    return Trade("QQQ", NOON, price, 100.0, conditions=conditions, tape=tape)


def marks_of(*events: TapeEvent) -> dict[str, float]:
    marks: dict[str, float] = {}
    for event in events:
        mark(marks, event)
    return marks


def test_the_last_trade_is_the_mark_and_without_one_the_close_of_the_bar() -> None:
    assert marks_of(
        a_bar(NOON, 99.0, symbol="QQQ"), a_print(100.0), a_print(101.0), a_bar(NOON, 98.0, symbol="QQQ")
    ) == {"QQQ": 101.0}
    assert marks_of(a_bar(NOON, 99.0, symbol="QQQ")) == {"QQQ": 99.0}


def test_quotes_halts_and_later_words_mark_nothing() -> None:
    revised = msgspec.structs.replace(a_bar(NOON), revised=True)
    assert marks_of(a_quote(NOON), Halt("QQQ", NOON, True), revised) == {}


@pytest.mark.parametrize("conditions", [("W",), ("4",), ("@", "I"), ("P",), ("M",)])
def test_a_print_that_may_not_set_a_price_is_no_mark(conditions: tuple[str, ...]) -> None:
    assert marks_of(a_print(60.0, *conditions)) == {}


@pytest.mark.parametrize("conditions", [(), ("@",), (" ",), ("@", "F"), ("@", "T")])
def test_a_regular_sale_is_and_so_is_one_of_extended_hours(conditions: tuple[str, ...]) -> None:
    assert sets_price(conditions, "C")
    assert marks_of(a_print(60.0, *conditions)) == {"QQQ": 60.0}
