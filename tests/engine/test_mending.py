"""Mending: history puts right what differs, and does not bring back what the sieve has cut."""

from __future__ import annotations

import msgspec

from liu_tui.engine.mending import differs, sifted
from liu_tui.market.series import Series
from liu_tui.model.market import MINUTE_NS, Bar

T0 = 28_333_334 * MINUTE_NS


def a_bar(n: int, *, low: float = 99.5, close: float = 100.0, volume: float = 1_000.0) -> Bar:
    return Bar("TSLA", T0 + n * MINUTE_NS, 100.0, 100.5, low, close, volume)


def a_series(*bars: Bar) -> Series:
    series = Series("TSLA")
    for bar in bars:
        series.append(bar)
    return series


def wrong(series: Series, *history: Bar) -> list[Bar]:
    return [bar for bar in sifted(series, history) if differs(series, bar)]


def test_a_minute_that_is_as_history_has_it_is_left_alone() -> None:
    series = a_series(a_bar(0), a_bar(1))
    assert wrong(series, a_bar(0), a_bar(1)) == []


def test_a_minute_that_is_missing_or_otherwise_is_put_right() -> None:
    other = msgspec.structs.replace(a_bar(1), volume=2_000.0)
    assert wrong(a_series(a_bar(0), a_bar(1)), a_bar(0), other, a_bar(2)) == [other, a_bar(2)]


def test_a_wick_that_was_cut_does_not_come_back_from_history() -> None:
    assert wrong(a_series(a_bar(0), a_bar(1)), a_bar(0), a_bar(1, low=80.0)) == []


def test_a_missing_minute_comes_without_a_wick_that_nothing_vouches_for() -> None:
    (bar,) = wrong(a_series(a_bar(0)), a_bar(0), a_bar(1, low=80.0))
    assert bar.low == 100.0


def test_a_deep_low_that_prints_have_reached_is_kept() -> None:
    deep = a_bar(1, low=80.0)
    assert wrong(a_series(a_bar(0), deep), a_bar(0), deep) == []
