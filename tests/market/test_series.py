"""Series: bars and ticks in; columns, the forming minute and the session's VWAP out."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.errors import DataMissing
from liu_tui.market.series import Series
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from tests.kit.market import a_bar, a_quote, a_trade, at


def a_series(n: int, *, lookback: int | None = None, capacity: int = 4) -> Series:
    series = Series("AAPL", lookback=lookback, capacity=capacity)
    for k in range(n):
        series.append(a_bar(at("09:30") + k * MINUTE_NS, 100.0 + k))
    return series


def test_a_column_reads_like_a_sequence() -> None:
    series = a_series(10)
    assert (series.close[0], series.close[-1], len(series.close), len(series)) == (100.0, 109.0, 10, 10)
    assert series.close[-3:].tolist() == [107.0, 108.0, 109.0]
    assert list(series.count) == [4] * 10
    assert np.asarray(series.high).max() == 109.5
    assert isinstance(series.t_ns[-1], int)


def test_an_index_past_the_end_is_an_index_error() -> None:
    series = a_series(3, lookback=5)
    with pytest.raises(IndexError):
        series.close[3]
    with pytest.raises(IndexError):
        a_series(3).close[-4]


def test_asking_for_more_than_exists_says_how_to_declare_it() -> None:
    with pytest.raises(DataMissing, match="Declare lookback = 250"):
        a_series(3, lookback=2).close[-250]


def test_a_slice_is_cut_to_what_exists() -> None:
    assert a_series(3, lookback=2).close[-250:].size == 3


def test_a_slice_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        a_series(3).close[:][0] = 1.0


def test_the_same_minute_again_with_more_shares_replaces_it() -> None:
    series = a_series(3)
    series.append(a_bar(at("09:32"), 50.0, volume=101.0))
    assert series.close[:].tolist() == [100.0, 101.0, 50.0]
    assert series.price == 50.0


def test_an_older_minute_goes_to_its_place_and_leaves_slices_alone() -> None:
    series = Series("AAPL")
    series.append(a_bar(at("09:30"), 1.0))
    series.append(a_bar(at("09:32"), 3.0))
    held = series.close[:]
    series.append(a_bar(at("09:31"), 2.0))
    assert series.close[:].tolist() == [1.0, 2.0, 3.0]
    assert held.tolist() == [1.0, 3.0]
    assert series.price == 3.0


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=6))
def test_bars_in_any_order_and_twice_end_the_same(order: list[int], again: list[int]) -> None:
    def feed(numbers: list[int]) -> Series:
        series = Series("AAPL", capacity=2)
        for k in numbers:
            series.append(a_bar(at("09:30") + k * MINUTE_NS, 100.0 + k, volume=100.0 + k))
        return series

    straight, mixed = feed(list(range(12))), feed([*order, *again])
    assert mixed.close[:].tolist() == straight.close[:].tolist()
    assert mixed.session_vwap == pytest.approx(straight.session_vwap)


def test_trades_make_the_forming_minute() -> None:
    series = a_series(1)
    for second, price, size in ((0, 101.0, 100.0), (5, 103.0, 50.0), (9, 100.0, 50.0), (20, 102.0, 200.0)):
        series.on_trade(a_trade(at("09:31") + second * SECOND_NS, price, size))
    forming = series.forming
    assert forming is not None
    assert (forming.open, forming.high, forming.low, forming.close) == (101.0, 103.0, 100.0, 102.0)
    assert (forming.volume, forming.count, forming.t_ns) == (400.0, 4, at("09:31"))
    assert forming.vwap == pytest.approx((101 * 100 + 103 * 50 + 100 * 50 + 102 * 200) / 400)
    assert series.price == 102.0


def test_an_odd_lot_counts_for_volume_and_not_for_price() -> None:
    series = a_series(1)
    series.on_trade(a_trade(at("09:31"), 101.0, 100.0, "@"))
    series.on_trade(a_trade(at("09:31") + 1, 140.0, 5.0, "@", "I"))
    assert series.forming is not None
    assert (series.forming.high, series.forming.volume, series.price) == (101.0, 105.0, 101.0)


def test_a_trade_of_a_closed_minute_is_left_to_its_bar() -> None:
    series = a_series(1)
    series.on_trade(a_trade(at("09:30") + 59 * SECOND_NS, 55.0))
    assert series.forming is None
    assert series.price == 100.0


def test_a_bar_closes_its_forming_minute() -> None:
    series = a_series(1)
    series.on_trade(a_trade(at("09:31"), 101.0))
    series.append(a_bar(at("09:31"), 101.0))
    assert series.forming is None


def test_the_price_comes_from_the_quote_only_while_nothing_else_is_known() -> None:
    series = Series("AAPL")
    assert series.price == 0.0
    series.on_quote(a_quote(at("09:30"), 10.0, 11.0))
    assert series.price == 10.5
    series.on_trade(a_trade(at("09:30") + 1, 10.7))
    series.on_quote(a_quote(at("09:30") + 2, 20.0, 21.0))
    assert (series.price, series.quote and series.quote.bid) == (10.7, 20.0)


def test_the_vwap_is_unknown_before_the_first_share() -> None:
    assert math.isnan(Series("AAPL").session_vwap)


def test_the_vwap_restarts_at_the_open() -> None:
    series = Series("AAPL")
    series.append(a_bar(at("2024-08-23 15:59"), 50.0))
    series.append(a_bar(at("09:28"), 90.0))
    assert series.session_vwap == 90.0
    series.on_trade(a_trade(at("09:29"), 80.0))
    series.on_trade(a_trade(at("09:30"), 100.0))
    assert series.session_vwap == 100.0
    series.append(a_bar(at("09:29"), 80.0))
    series.append(a_bar(at("09:30"), 100.0))
    series.append(a_bar(at("09:31"), 110.0, 300.0))
    assert series.session_vwap == pytest.approx(107.5)
    series.append(a_bar(at("16:05"), 500.0))
    assert series.session_vwap == pytest.approx(107.5)


def test_the_vwap_counts_a_minute_once_whether_its_bar_is_late_or_not() -> None:
    random.seed(3)
    trades = [
        a_trade(at("09:30") + k * 7 * SECOND_NS, random.uniform(99, 101), random.randrange(1, 9) * 100.0)
        for k in range(90)
    ]
    notional, volume = sum(t.price * t.size for t in trades), sum(t.size for t in trades)
    only_trades = Series("AAPL")
    late_bars = Series("AAPL")
    waiting = None
    for trade in trades:
        minute = trade.t_ns - trade.t_ns % MINUTE_NS
        if waiting is not None and trade.t_ns >= waiting.end_ns + 3 * SECOND_NS:
            late_bars.append(waiting)
            waiting = None
        only_trades.on_trade(trade)
        late_bars.on_trade(trade)
        forming = late_bars.forming
        if waiting is None and forming is not None and forming.t_ns == minute:
            nexts = [t for t in trades if minute <= t.t_ns < minute + MINUTE_NS]
            if trade is nexts[-1]:
                waiting = forming
    assert only_trades.session_vwap == pytest.approx(notional / volume)
    assert late_bars.session_vwap == pytest.approx(notional / volume)


def test_a_bar_without_a_vwap_counts_with_its_typical_price() -> None:
    series = Series("AAPL")
    bar = a_bar(at("09:30"), 100.0)
    series.append(type(bar)("AAPL", bar.t_ns, 100.0, 103.0, 99.0, 101.0, 100.0))
    assert series.session_vwap == 101.0


def test_today_begins_with_the_regular_session() -> None:
    series = Series("AAPL")
    for moment in ("2024-08-23 15:58", "2024-08-23 15:59", "09:00"):
        series.append(a_bar(at(moment)))
    assert (series.today, series.session_slice()) == (3, slice(3, 3))
    for moment in ("09:30", "09:31", "16:01"):
        series.append(a_bar(at(moment)))
    assert (series.today, series.session_slice()) == (3, slice(3, 5))
