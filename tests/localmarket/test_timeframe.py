"""Timeframes: their spelling, and what folding keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.localmarket.rfc3339 import read_time
from liu_tui.localmarket.timeframe import Timeframe
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar
from liu_tui.trading.matching.refusals import ExchangeRefusal

OPEN_NS = read_time("2024-03-06T14:30:00Z")
BARS = st.lists(st.tuples(st.integers(1, 99), st.integers(1, 50)), min_size=1, max_size=60).map(
    lambda rows: [
        Bar("A", OPEN_NS + n * MINUTE_NS, p, p + 1, p - 0.5, p, float(v), float(p), 1)
        for n, (p, v) in enumerate(rows)
    ]
)


@pytest.mark.parametrize("text", ["1Min", "59T", "1Hour", "23H", "1Day", "1D", "1Week", "3Month"])
def test_alpacas_spellings_are_read(text: str) -> None:
    assert Timeframe.read(text).count == int("".join(c for c in text if c.isdigit()))


@pytest.mark.parametrize("text", ["", "60Min", "24H", "2Day", "2W", "5Month", "0Min", "Min", "1min", "1Min "])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ExchangeRefusal, match="invalid timeframe"):
        Timeframe.read(text)


@given(BARS, st.sampled_from(["1Min", "5Min", "7Min", "1Hour"]))
def test_folding_keeps_volume_count_extremes_and_the_ends(bars: list[Bar], text: str) -> None:
    frame = Timeframe.read(text)
    folded = frame.fold(bars)
    assert sum(b.volume for b in folded) == sum(b.volume for b in bars)
    assert sum(b.count for b in folded) == len(bars)
    assert max(b.high for b in folded) == max(b.high for b in bars)
    assert min(b.low for b in folded) == min(b.low for b in bars)
    assert (folded[0].open, folded[-1].close) == (bars[0].open, bars[-1].close)
    assert [b.t_ns for b in folded] == sorted({frame.start_of(b.t_ns) for b in bars})
    assert all(b.low <= b.vwap <= b.high for b in folded)


def test_weeks_begin_on_monday_and_quarters_in_january_in_new_york() -> None:
    wednesday = read_time("2024-03-06")
    assert Timeframe.read("1Week").start_of(wednesday) == read_time("2024-03-04")
    assert Timeframe.read("3Month").start_of(wednesday) == read_time("2024-01-01")
    assert Timeframe.read("1Day").start_of(wednesday + DAY_NS // 2) == wednesday


@given(
    st.sampled_from(
        ["1Min", "7Min", "1Hour", "23H", "1Day", "1Week", "1Month", "2Month", "3M", "6Month", "12M"]
    ),
    st.integers(read_time("2023-01-01"), read_time("2027-12-31")),
)
def test_the_next_bar_begins_where_this_one_ends(text: str, t_ns: int) -> None:
    frame = Timeframe.read(text)
    after = frame.next_start(t_ns)
    assert frame.start_of(t_ns) <= t_ns < after
    assert frame.start_of(after) == after
    assert frame.start_of(after - 1) == frame.start_of(t_ns)
