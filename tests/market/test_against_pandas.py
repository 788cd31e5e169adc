"""Sessions, resampling, VWAP and bad prints of real recorded days: what the calendars and pandas say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from liu_tui.fincalcs.vwap import session_vwap, typical_price
from liu_tui.market import calendar
from liu_tui.market.block import block_of
from liu_tui.market.csvfiles import open_csv
from liu_tui.market.series import Series
from liu_tui.market.sieve import Sieve
from liu_tui.market.symboldata import SymbolData
from liu_tui.model.market import MINUTE_NS, Bar
from tests.kit.market import DATA, at

BARS = DATA / "bars"
pytestmark = pytest.mark.skipif(not BARS.is_dir(), reason="the recorded days lie beside the repository only")

FILES = {
    "SPY 2019": "intraday-2019/SPY_1min_2019-12-13_2019-12-27.csv.gz",
    "SPY 2011": "pyalgotrade-2011/SPY_1min_2011-03-01_2011-03-31.csv.gz",
    "PPLT 2019": "eqker-2019-02/PPLT_1min_2019-02-11_2019-02-13.csv.gz",
    "UGA 2019": "eqker-2019-02/UGA_1min_2019-02-11_2019-02-13.csv.gz",
    "AAPL 2025": "bhtp-2025-09-26/AAPL_1min_2025-09-26.csv.gz",
}
BAD_PRINTS = {
    "SPY 2024": "money-tree-2024-08/SPY_1min_2024-08-23_2024-08-27.csv.gz",
    "QQQ 2024": "money-tree-2024-08/QQQ_1min_2024-08-23_2024-08-27.csv.gz",
    "MSFT 2024": "money-tree-2024-08/MSFT_1min_2024-08-23_2024-08-27.csv.gz",
}


@lru_cache(maxsize=8)
def rows(name: str) -> SymbolData:
    """Our reading of a file."""
    symbol = name.split()[0]
    bars = open_csv(BARS / (FILES | BAD_PRINTS)[name]).bars(symbol, MINUTE_NS, 0, 1 << 62)
    return SymbolData(symbol, block_of(bars), MINUTE_NS)


@lru_cache(maxsize=8)
def frame(name: str) -> pd.DataFrame:
    """Pandas' reading of the same file, in New York time."""
    data = pd.read_csv(BARS / (FILES | BAD_PRINTS)[name])
    stamps = pd.DatetimeIndex(pd.to_datetime(data["timestamp"], utc=True), name="timestamp")
    data.index = stamps.tz_convert("America/New_York").as_unit("ns")
    columns = data[["open", "high", "low", "close", "volume"]]
    columns = columns.assign(vwap=data.get("vwap", 0.0), count=data.get("trade_count", 0.0))
    return columns.astype("float64")


def days_of(data: pd.DataFrame) -> pd.DatetimeIndex:
    """Each row's New York midnight."""
    return pd.DatetimeIndex(data.index).normalize()


def by_day(data: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Each New York day's rows."""
    for _, day in data.groupby(days_of(data)):
        yield day


def resampled(data: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Pandas' buckets of one day, counted from 09:30 (a day's from midnight), without the empty ones."""
    price = data["vwap"].where(data["vwap"] > 0, data[["high", "low", "close"]].sum(axis=1) / 3)
    data = data.assign(notional=price * data["volume"])
    origin = days_of(data)[0] + pd.Timedelta(hours=9, minutes=30)
    # A day is pandas' own from midnight to midnight: it knows no other origin for it.
    buckets = data.resample(rule) if rule == "1D" else data.resample(rule, origin=origin)
    how = {"open": "first", "high": "max", "low": "min", "close": "last"}
    out = buckets.agg({**how, "volume": "sum", "notional": "sum", "count": "sum"}).dropna(subset=["open"])
    vwap = (out["notional"] / out["volume"]).fillna(0.0)
    return out.assign(vwap=vwap)[["open", "high", "low", "close", "volume", "vwap", "count"]]


@pytest.mark.parametrize("name", FILES)
def test_a_frame_is_what_pandas_reads_from_the_file(name: str) -> None:
    pd.testing.assert_frame_equal(rows(name).df, frame(name), check_freq=False)


@pytest.mark.parametrize("rule", ["5min", "15min", "1h", "1D"])
@pytest.mark.parametrize("name", FILES)
def test_resampling_is_pandas_cell_for_cell(name: str, rule: str) -> None:
    expected = pd.concat([resampled(day, rule) for day in by_day(frame(name))])
    found = rows(name).resample(rule).df
    pd.testing.assert_frame_equal(
        found.drop(columns="vwap"), expected.drop(columns="vwap"), check_exact=True, check_freq=False
    )
    np.testing.assert_allclose(found["vwap"], expected["vwap"], rtol=1e-13)


@pytest.mark.parametrize("name", FILES)
def test_regular_hours_are_those_of_pandas(name: str) -> None:
    data = frame(name)
    lasts = {date(2019, 12, 24): "12:59"}  # the half day
    expected = [day.between_time("09:30", lasts.get(day.index[0].date(), "15:59")) for day in by_day(data)]
    pd.testing.assert_frame_equal(rows(name).regular.df, pd.concat(expected), check_freq=False)


@pytest.mark.parametrize("name", FILES)
def test_session_vwap_is_pandas_running_one(name: str) -> None:
    data = rows(name).regular.df
    price = data["vwap"].where(data["vwap"] > 0, data[["high", "low", "close"]].sum(axis=1) / 3)
    day = days_of(data)
    notional = (price * data["volume"]).groupby(day).cumsum()
    expected = (notional / data["volume"].groupby(day).cumsum()).to_numpy()

    ours = session_vwap(price.to_numpy(), data["volume"].to_numpy(), day.to_numpy(dtype="datetime64[ns]"))
    np.testing.assert_allclose(ours, expected, rtol=1e-9)

    series = Series(name.split()[0])
    running = []
    for bar in rows(name).regular:
        series.append(bar)
        running.append(series.session_vwap)
    np.testing.assert_allclose(running, expected, rtol=1e-12)


def test_a_typical_price_is_the_mean_of_three() -> None:
    data = frame("SPY 2011")
    ours = typical_price(data["high"], data["low"], data["close"])
    np.testing.assert_allclose(ours, data[["high", "low", "close"]].mean(axis=1).to_numpy(), rtol=1e-15)


def test_the_recorded_sessions_are_the_calendars() -> None:
    days = sorted({stamp.date() for stamp in frame("SPY 2019").index})
    known = [date.fromisoformat(s.day) for s in calendar.sessions(date(2019, 12, 13), date(2019, 12, 27))]
    assert days == known
    assert date(2019, 12, 25) not in known


def test_the_half_day_ends_at_one() -> None:
    session = calendar.hours(date(2019, 12, 24))
    assert session is not None
    assert session.close_ns == at("2019-12-24 13:00")
    day = rows("SPY 2019")["2019-12-24"]
    # The recording has the closing print too: a bar stamped 13:00, which is after the close.
    assert int(day.t_ns[-1]) == session.close_ns
    assert len(day.regular) == 210
    assert rows("SPY 2019")["2019-12-23"].regular.t_ns[-1] == at("2019-12-23 15:59")


def test_the_open_stays_at_half_past_nine_when_the_clocks_change() -> None:
    """At the open the volume leaps: at 14:30 in UTC before 2011-03-13, at 13:30 after it."""
    for day in by_day(frame("SPY 2011")):
        session = calendar.hours(day.index[0].date())
        assert session is not None
        opens = pd.Timestamp(session.open_ns, tz="America/New_York")
        assert (opens.hour, opens.minute) == (9, 30)
        half_an_hour = pd.Timedelta(minutes=30)
        before = day["volume"].loc[opens - half_an_hour : opens - pd.Timedelta(minutes=1)]
        after = day["volume"].loc[opens : opens + half_an_hour]
        assert after.median() > 3 * before.median(), opens
        assert opens.tz_convert("UTC").hour == (14 if opens.date() < date(2011, 3, 13) else 13)


def test_a_thin_symbols_empty_buckets_are_absent() -> None:
    five = rows("UGA 2019").resample("5min")
    assert len(five) < 3 * 78
    assert (np.diff(five.t_ns) >= 5 * MINUTE_NS).all()
    assert five.volume[:].sum() == rows("UGA 2019").volume[:].sum()


def level(data: pd.DataFrame) -> pd.Series:
    """The median close around each bar."""
    return data["close"].rolling(21, center=True, min_periods=5).median()


def bad_wicks(data: pd.DataFrame) -> pd.Series:
    """Which bars reach over 5 % beyond their own close, the close before and the level around."""
    closes = data[["close"]].assign(before=data["close"].shift(), around=level(data))
    return (data["low"] < 0.95 * closes.min(axis=1)) | (0.95 * data["high"] > closes.max(axis=1))


@pytest.mark.parametrize("name", BAD_PRINTS)
def test_bad_prints_lie_outside_regular_hours_and_are_what_the_sieve_cuts(name: str) -> None:
    data = frame(name)
    strays = data[["high", "low"]].sub(level(data), axis=0).abs().max(axis=1) / level(data) > 0.0105
    assert strays.sum() >= 4
    assert not strays.loc[rows(name).regular.df.index].any()

    sieve = Sieve(name.split()[0])
    cut = []
    for bar in rows(name):
        if not sieve.admit(bar):
            (amended,) = sieve.released
            assert isinstance(amended, Bar)
            assert (amended.t_ns, amended.close) == (bar.t_ns, bar.close)
            cut.append(bar.t_ns)
        sieve.released.clear()
    located = rows(name).t_ns[bad_wicks(data).to_numpy()]
    assert cut == located.tolist()
    assert sieve.held_back == len(cut)


def test_bad_prints_were_looked_for_where_there_are_some() -> None:
    assert [int(bad_wicks(frame(name)).sum()) for name in BAD_PRINTS] == [2, 0, 3]
