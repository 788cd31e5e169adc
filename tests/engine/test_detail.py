"""The symbol detail: today's bars, the quote, the last trade, and yesterday's close."""

from __future__ import annotations

from datetime import date

import pytest

from liu_tui.engine.detail import TODAY_BARS, detail_of
from liu_tui.market.calendar import first_session, previous_session
from liu_tui.model.market import MINUTE_NS, Bar
from liu_tui.trading.session import Session
from tests.kit.session import DAY, OPEN, a_bar, a_quote, a_session, a_trade, at

MONDAY = first_session(previous_session(date.fromisoformat(DAY.day)))


def yesterday(minutes: float, close: float) -> Bar:
    """Make a bar so many minutes after Monday's open."""
    return a_bar(close=close, t_ns=MONDAY.open_ns + round(minutes * MINUTE_NS))


def watching(*bars: Bar) -> Session:
    session = a_session(symbols=())
    session.add_symbol("AAPL", history=bars)
    return session


def test_a_symbol_that_is_not_served_has_words_instead_of_numbers() -> None:
    detail = detail_of(a_session(symbols=()), "AAPL")
    assert detail.words == "AAPL is not subscribed"
    assert detail.bars == ()


def test_a_symbol_of_which_nothing_is_known_yet_has_no_numbers() -> None:
    detail = detail_of(watching(), "AAPL")
    assert (detail.words, detail.bars, detail.tape) == ("", (), ())
    assert (detail.last, detail.previous_close, detail.bid) == (0.0, 0.0, 0.0)


def test_todays_bars_are_shown_and_yesterdays_only_as_its_close() -> None:
    session = watching(
        yesterday(388, 90.0), yesterday(389, 91.0), a_bar(0, 100.0), a_bar(1, 101.0, high=103.0)
    )
    detail = detail_of(session, "AAPL")
    assert [(bar.t_ns, bar.close, bar.high) for bar in detail.bars] == [
        (at(0), 100.0, 100.0),
        (at(1), 101.0, 103.0),
    ]
    assert (detail.previous_close, detail.last) == (91.0, 101.0)
    assert detail.vwap == pytest.approx((100.0 + (101 + 101 + 103) / 3) / 2)


def test_what_traded_after_yesterdays_close_or_before_todays_open_is_not_its_close() -> None:
    session = watching(yesterday(389, 91.0), yesterday(420, 95.0), a_bar(-30, 97.0), a_bar(0, 100.0))
    assert detail_of(session, "AAPL").previous_close == 91.0


@pytest.mark.parametrize(
    "before", [(), (Bar("AAPL", OPEN - 40 * 1440 * MINUTE_NS, 1.0, 1.0, 1.0, 1.0, 1.0),)], ids=["none", "old"]
)
def test_a_series_that_does_not_reach_back_to_yesterday_knows_no_previous_close(
    before: tuple[Bar, ...],
) -> None:
    assert detail_of(watching(*before, a_bar(0)), "AAPL").previous_close == 0.0


def test_over_a_weekend_the_previous_close_is_fridays() -> None:
    friday = first_session(previous_session(date.fromisoformat(MONDAY.day)))
    closing = a_bar(close=88.0, t_ns=friday.close_ns - MINUTE_NS)
    assert detail_of(watching(closing, yesterday(0, 90.0)), "AAPL").previous_close == 88.0


async def test_the_quote_and_the_last_trade_are_shown_as_they_are_now() -> None:
    session = watching(a_bar(0, 100.0))
    await session.on_event(a_quote(1.1), at(1.1))
    await session.on_event(a_trade(1.2, 100.5), at(1.2))
    detail = detail_of(session, "AAPL")
    assert (detail.bid, detail.bid_size, detail.ask, detail.ask_size) == (99.9, 100.0, 100.1, 100.0)
    assert detail.tape == ((at(1.2), 100.5, 100.0),)
    assert detail.last == 100.5


def test_no_more_bars_are_sent_than_a_day_has() -> None:
    assert (DAY.post_ns - DAY.pre_ns) // MINUTE_NS <= TODAY_BARS
    bars = [a_bar(minutes, 100.0 + minutes) for minutes in range(390)]
    assert len(detail_of(watching(*bars), "AAPL").bars) == 390
