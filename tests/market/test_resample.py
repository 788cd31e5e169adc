"""Resampling: the rules that recorded days do not show (see test_against_pandas for those)."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from liu_tui.market import calendar
from liu_tui.market.block import EMPTY, block_of
from liu_tui.market.resample import WEEK_NS, resample, span_of
from liu_tui.market.symboldata import SymbolData
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar
from tests.kit.market import a_bar, at


def rows(*bars: Bar) -> SymbolData:
    return SymbolData("AAPL", block_of(bars), bars[0].span_ns)


def starts(data: SymbolData) -> list[str]:
    return [f"{calendar.to_datetime(t):%m-%d %H:%M}" for t in data.t_ns.tolist()]


def test_a_bucket_has_the_first_the_highest_the_lowest_the_last_and_sums() -> None:
    one = Bar("AAPL", at("09:30"), 10, 12, 9, 11, 100, 10.5, 3)
    two = Bar("AAPL", at("09:34"), 11, 11, 7, 8, 300, 0.0, 5)  # without a VWAP
    (bar,) = rows(one, two).resample("5min")
    vwap = (10.5 * 100 + (11 + 7 + 8) / 3 * 300) / 400
    assert bar == Bar("AAPL", at("09:30"), 10, 12, 7, 8, 400, vwap, 8, 5 * MINUTE_NS)


def test_without_a_share_there_is_no_vwap() -> None:
    (bar,) = rows(a_bar(at("09:30"), volume=0.0)).resample("5min")
    assert bar.vwap == 0.0


def test_every_session_begins_a_bucket_at_half_past_nine() -> None:
    """Seven hours do not divide a day: counted from the first day the second would begin elsewhere."""
    data = rows(
        *(a_bar(at(f"2024-08-{d} {t}")) for d in (26, 27) for t in ("04:00", "09:29", "09:30", "16:30"))
    )
    assert starts(data.resample("7h")) == [
        "08-26 02:30", "08-26 09:30", "08-26 16:30", "08-27 02:30", "08-27 09:30", "08-27 16:30",
    ]  # fmt: skip
    assert starts(data.resample("12h")) == ["08-26 00:00", "08-26 09:30", "08-27 00:00", "08-27 09:30"]


def test_hours_are_counted_from_the_open_that_the_broker_knows() -> None:
    pre, late, close, post = (at(f"2024-08-26 {t}") for t in ("04:00", "10:15", "16:00", "20:00"))
    calendar.correct([SessionHours("2024-08-26", pre, late, close, post)], [])
    try:
        assert starts(rows(a_bar(at("10:20")), a_bar(at("11:15"))).resample("1h")) == [
            "08-26 10:15",
            "08-26 11:15",
        ]
    finally:
        calendar.correct((), ())


def test_a_day_takes_all_rows_of_its_date_and_the_exchanges_day_the_regular_ones() -> None:
    data = rows(a_bar(at("04:00"), 90.0), a_bar(at("09:30"), 100.0), a_bar(at("16:00"), 130.0))
    (whole,), (regular,) = data.resample("1d"), data.regular.resample("1D")
    assert (whole.open, whole.close, whole.t_ns) == (90.0, 130.0, at("2024-08-26 00:00"))
    assert (regular.open, regular.close, regular.span_ns) == (100.0, 100.0, DAY_NS)


def test_weeks_begin_on_monday_as_pandas_does_it() -> None:
    days = pd.date_range("2024-08-01", "2024-09-30", freq="B", tz="America/New_York")
    bars = [a_bar(stamp.value, float(n), span_ns=DAY_NS) for n, stamp in enumerate(days, 10)]
    found = rows(*bars).resample("1w").df
    expected = rows(*bars).df.resample("W-MON", closed="left", label="left")
    assert found.index.tolist() == expected["close"].last().index.tolist()
    assert found["close"].tolist() == expected["close"].last().tolist()
    assert found["high"].tolist() == expected["high"].max().tolist()


def test_weeks_of_minutes_are_weeks_of_days() -> None:
    data = rows(*(a_bar(at(f"2024-08-{d} 10:00"), float(d)) for d in range(19, 31)))
    assert np.array_equal(data.resample("1w").t_ns, data.resample("1d").resample("1w").t_ns)


def test_nothing_makes_nothing() -> None:
    assert len(resample(EMPTY, WEEK_NS)) == 0
    assert len(SymbolData("AAPL", EMPTY, MINUTE_NS).resample("1h").df) == 0


@pytest.mark.parametrize(
    ("rule", "span"),
    [
        ("5min", 5),
        ("15Min", 15),
        ("1h", 60),
        ("90min", 90),
        ("h", 60),
        ("60s", 1),
        ("12H", 720),
        ("1d", 1440),
    ],
)
def test_a_length_is_spelled_as_pandas_does(rule: str, span: int) -> None:
    assert span_of(rule, MINUTE_NS) == span * MINUTE_NS


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "is no length"), ("5 minutes", "is no length"), ("0min", "is no length"),
        ("-5min", "is no length"),
        ("30s", "does not hold whole bars of 60 s"), ("90s", "does not hold whole bars"),
        ("2d", "take up to 12 hours"), ("13h", "take up to 12 hours"), ("2w", "take up to 12 hours"),
    ],
)  # fmt: skip
def test_a_length_that_cannot_be_had_is_refused_in_words(rule: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        span_of(rule, MINUTE_NS)


def test_regular_hours_of_days_without_a_session_are_none() -> None:
    saturday = rows(a_bar(at("2024-08-24 10:00")), a_bar(at("2024-08-26 10:00")))
    assert starts(saturday.regular) == ["08-26 10:00"]
    assert len(rows(a_bar(at("2024-08-24 00:00"), span_ns=DAY_NS)).regular) == 1
    assert calendar.hours(date(2024, 8, 24)) is None
