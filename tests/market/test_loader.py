"""DataLoader: the past by position and by New York time, under Python's slice rules."""

from datetime import date, datetime

import pandas as pd
import pytest

from liu_tui.errors import DataMissing
from liu_tui.market.calendar import hours
from liu_tui.market.loader import DataLoader, TimeScale
from liu_tui.market.symboldata import SymbolData
from liu_tui.market.tape import Tape
from liu_tui.market.tapedata import TapeData
from liu_tui.model.market import DAY_NS, MINUTE_NS
from tests.kit.market import MONDAY, a_bar, at, recorded


async def loaded(now: str = "16:00", scale: TimeScale = TimeScale.MINUTE) -> DataLoader:
    """Load ten minutes from 09:30, closing at 100, 101, ..., and two earlier days, as far as known by now."""
    minutes = [a_bar(at("09:30") + k * MINUTE_NS, 100.0 + k) for k in range(10)]
    days = [a_bar(at(f"2024-08-{d} 00:00"), float(d), span_ns=DAY_NS) for d in (22, 23)]
    session = hours(date.fromisoformat(MONDAY))
    assert session is not None
    tape = Tape(recorded(*minutes, *days), MONDAY, session)
    tape.advance(at(now))
    loader = DataLoader(TapeData(tape), scale=scale)
    await loader.prefetch(["AAPL"], "2024-08-01", "2024-08-27")
    return loader


async def data(now: str = "16:00", scale: TimeScale = TimeScale.MINUTE) -> SymbolData:
    return (await loaded(now, scale))["AAPL"]


async def test_a_column_is_read_by_position() -> None:
    close = (await data()).close
    assert (close[-1], close[0], len(close)) == (109.0, 100.0, 10)
    assert close[-2:].tolist() == [108.0, 109.0]
    with pytest.raises(IndexError):
        close[10]


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ("2024-08-26 09:31", "2024-08-26 09:33", [101.0, 102.0]),
        (datetime(2024, 8, 26, 9, 38), None, [108.0, 109.0]),  # noqa: DTZ001 - naive is New York's
        (date(2024, 8, 26), "2024-08-26 09:31", [100.0]),
        ("2024-08-26", date(2024, 8, 27), [100.0 + k for k in range(10)]),
        (None, "2024-08-26", []),
        ("1999-01-01", "2000-01-01", []),
        (8, None, [108.0, 109.0]),
    ],
)
async def test_a_slice_of_moments_is_closed_left_and_open_right(
    start: object, stop: object, expected: list[float]
) -> None:
    rows = await data()
    assert rows.close[start:stop].tolist() == expected
    assert rows[start:stop].close[:].tolist() == expected


async def test_a_moment_stands_for_the_bar_that_started_last() -> None:
    close = (await data()).close
    assert close["2024-08-26 09:33"] == close["2024-08-26 09:33:59"] == 103.0
    with pytest.raises(KeyError, match="before the first bar"):
        close["2024-08-26 09:29:59"]


async def test_nothing_later_than_now_is_loaded() -> None:
    assert (await data("09:35")).close[-1] == 104.0


async def test_days_have_a_scale_of_their_own() -> None:
    rows = await data(scale=TimeScale.DAY)
    assert rows.close["2024-08-22":"2024-08-23"].tolist() == [22.0]
    assert rows.close[-1] == 23.0


async def test_a_second_fetch_adds_to_the_first() -> None:
    loader = await loaded("09:35")
    await loader.prefetch(["AAPL", "NONE"], "2024-08-26 09:30", "2024-08-26 09:32")
    assert len(loader["AAPL"]) == 5
    assert len(loader["NONE"]) == 0


async def test_a_symbol_that_was_not_fetched_says_how_to() -> None:
    loader = await loaded()
    assert "MSFT" not in loader
    with pytest.raises(DataMissing, match=r"await loader\.prefetch"):
        loader["MSFT"]


async def test_a_data_frame_has_floats_and_new_york_time() -> None:
    frame = (await data()).df
    assert list(frame.columns) == ["open", "high", "low", "close", "volume", "vwap", "count"]
    assert set(map(str, frame.dtypes)) == {"float64"}
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert str(frame.index.tz) == "America/New_York"
    assert frame.index[0] == pd.Timestamp("2024-08-26 09:30", tz="America/New_York")
    assert frame.close.iloc[-1] == 109.0
