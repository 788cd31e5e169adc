"""Notes of the tape: what a series makes of halts, bands, corrections and cancellations."""

from __future__ import annotations

import pytest

from liu_tui.market.series import Series
from liu_tui.model.market import SECOND_NS, Halt, PriceBand, Trade, TradeCancel, TradeCorrection
from liu_tui.trading.notes import take_note
from tests.kit.session import a_bar, at

NOON = at(150)


@pytest.fixture
def series() -> Series:
    """A series with a closed minute, and two prints of the next."""
    made = Series("AAPL")
    made.append(a_bar(149))
    for n, price in enumerate((100.0, 104.0)):
        made.on_trade(Trade("AAPL", NOON + n * SECOND_NS, price, 100.0, n + 1, "V"))
    return made


def test_a_halt_stands_until_its_end_and_an_older_word_changes_nothing(series: Series) -> None:
    assert take_note(series, Halt("AAPL", NOON, True))
    assert take_note(series, Halt("AAPL", NOON - 1, False))
    assert series.halted
    take_note(series, Halt("AAPL", NOON + 1, False))
    assert not series.halted


def test_a_price_band_is_kept(series: Series) -> None:
    assert take_note(series, PriceBand("AAPL", NOON, 95.0, 105.0))
    assert (series.limit_down, series.limit_up) == (95.0, 105.0)


def test_a_print_of_the_minute_that_is_being_made_is_put_right_or_taken_out(series: Series) -> None:
    fix = TradeCorrection("AAPL", NOON + 2 * SECOND_NS, "V", 2, 104.0, 100.0, 2, 101.0, 50.0)
    assert take_note(series, fix)
    forming = series.forming
    assert forming is not None
    assert (forming.high, forming.close, forming.volume, series.price) == (101.0, 101.0, 150.0, 101.0)
    assert take_note(series, TradeCancel("AAPL", NOON + 3 * SECOND_NS, "V", 2, 101.0, 50.0))
    forming = series.forming
    assert forming is not None
    assert (forming.high, forming.volume, series.price) == (100.0, 100.0, 100.0)


def test_a_print_that_is_not_there_any_more_is_for_history_to_say(series: Series) -> None:
    before = series.forming
    assert not take_note(series, TradeCancel("AAPL", NOON, "V", 77, 100.0, 100.0))
    assert not take_note(series, TradeCancel("AAPL", NOON, "P", 2, 104.0, 100.0))
    assert series.forming == before
