"""The end of a trading day: the early close, what is kept over it, and what could not be closed in time."""

from __future__ import annotations

from datetime import date

import pytest

from liu_tui.market.calendar import first_session, is_early_close
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from liu_tui.trading.book import Book
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.effects import Notice
from liu_tui.trading.positions import EXTERNAL
from tests.kit.desk import Rig, an_intent, refusals
from tests.kit.exchange import HOUR_NS, MIDNIGHT_NS

KEY = "momentum", "TSLA"
CLOSE_NS = MIDNIGHT_NS + 16 * HOUR_NS
HALF_DAY = first_session(date(2024, 11, 29))


def test_day_trades_are_liquidated_before_the_early_close() -> None:
    assert is_early_close(date(2024, 11, 29))
    day = Daytime(HALF_DAY, frozenset({"swing"}), 15.0)
    begins = HALF_DAY.close_ns - 15 * MINUTE_NS
    assert [day.liquidates(KEY, moment) for moment in (begins - 1, begins, HALF_DAY.close_ns)] == [
        False,
        True,
        False,
    ]
    assert not day.liquidates(("swing", "TSLA"), begins)
    assert not day.liquidates((EXTERNAL, "TSLA"), begins)


@pytest.mark.parametrize("moment", [0, CLOSE_NS, 1 << 62])
def test_without_hours_no_day_ends(moment: int) -> None:
    day = Daytime(None, frozenset(), 15.0)
    assert (day.open(moment), day.over(KEY, moment), day.liquidates(KEY, moment)) == (True, False, False)
    book = Book()
    day.say_kept(book, moment, lambda _key: "")
    assert book.take() == []


@pytest.mark.parametrize(
    ("halted", "why"),
    [(True, ": halted"), (False, ": refused by the broker (halted)")],
    ids=["tape", "broker"],
)
def test_what_could_not_be_closed_in_time_is_listed_with_why(halted: bool, why: str) -> None:
    rig = Rig(hours=True)
    for symbol in ("TSLA", "F"):
        rig.quote(100.0, symbol)
        rig.ask(an_intent(symbol=symbol))
    rig.now_ns = CLOSE_NS - 15 * MINUTE_NS - SECOND_NS
    rig.halted = {"TSLA"}
    if halted:
        rig.desk.on_halt("TSLA", halted=True)
    rig.wait()
    assert (rig.held(), rig.held("F")) == (100, 0)
    assert refusals(rig.ask(an_intent(symbol="GE", n=5))) == ["CLOSING_SOON"]
    rig.now_ns = CLOSE_NS
    said = [effect.words for effect in rig.wait() if isinstance(effect, Notice)]
    assert said == [f"momentum TSLA: +100 shares could not be closed before the market did{why}"]
