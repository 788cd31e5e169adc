"""DataLoader: the past by position and by New York time, under Python's slice rules."""

import asyncio
import io
import sys
from collections.abc import Iterable
from datetime import date, datetime

import msgspec
import numpy as np
import pandas as pd
import pytest

from liu_tui.errors import DataMissing, FeedError, UsageError
from liu_tui.market import progress
from liu_tui.market.calendar import hours
from liu_tui.market.loader import DataLoader, TimeScale
from liu_tui.market.ownloop import OwnLoop
from liu_tui.market.symboldata import SymbolData
from liu_tui.market.tape import Tape
from liu_tui.market.tapedata import TapeData
from liu_tui.model.clock import ManualClock
from liu_tui.model.market import DAY_NS, MINUTE_NS, Adjustment, Bar
from tests.kit.loader import Vendor
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


async def test_a_day_of_minutes_is_its_rows_and_a_day_of_days_its_bar() -> None:
    rows = await data()
    assert len(rows["2024-08-26"]) == len(rows[date(2024, 8, 26)]) == 10
    assert rows.close["2024-08-26"].tolist() == [100.0 + k for k in range(10)]
    assert len(rows["2024-08-25"]) == 0
    days = await data(scale=TimeScale.DAY)
    assert days.close["2024-08-22"] == days["2024-08-22"].close == 22.0
    assert days.close["2024-08-25"] == 23.0  # a Sunday: the last bar before it


async def test_a_position_or_a_moment_is_a_bar() -> None:
    rows = await data()
    assert rows[-1] == a_bar(at("09:39"), 109.0)
    assert rows[np.int64(0)] == rows["2024-08-26 09:30:30"] == a_bar(at("09:30"), 100.0)
    assert list(rows) == [a_bar(at("09:30") + k * MINUTE_NS, 100.0 + k) for k in range(10)]
    assert list(rows.close) == [bar.close for bar in rows]
    with pytest.raises(IndexError):
        rows[10]
    with pytest.raises(KeyError, match="before the first bar"):
        rows["2024-08-26 09:29"]


async def test_slices_go_backward_too() -> None:
    rows = await data()
    assert rows.close["2024-08-26 09:38":"2024-08-26 09:30":-4].tolist() == [108.0, 104.0]
    assert rows[::-1].close[0] == 109.0
    assert rows[8:"2024-08-26 09:39"].close[:].tolist() == [108.0]


async def test_symbols_may_be_spelled_in_any_way_and_one_may_be_given_alone() -> None:
    loader = await loaded()
    await loader.prefetch("aapl", "2024-08-26", "2024-08-27")
    await loader.prefetch(["brk-b", "BRK.B"], "2024-08-26", "2024-08-27")
    assert "aapl" in loader
    assert list(loader) == ["AAPL", "BRK.B"]
    assert (loader["aapl"].symbol, loader["BRK/B"].symbol) == ("AAPL", "BRK.B")


async def test_what_has_not_ended_by_now_does_not_exist_and_what_was_given_stays() -> None:
    clock = ManualClock(at("09:35"))
    vendor = Vendor(a_bar(at("09:30") + k * MINUTE_NS, 100.0 + k) for k in range(10))
    loader = DataLoader(vendor, clock=clock)
    await loader.prefetch("AAPL", "2024-08-26", "2024-08-27")
    early = loader["AAPL"]
    assert early is loader["AAPL"]
    assert early.close[:].tolist() == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert early.close["2024-08-26 09:36"] == 104.0
    assert len(early.df) == 5
    clock.at_ns = at("09:36") - 1
    assert len(loader["AAPL"]) == 5
    clock.at_ns = at("09:36")
    assert (len(loader["AAPL"]), len(early)) == (6, 5)
    clock.at_ns = at("09:31")
    assert len(loader["AAPL"]) == 1


async def test_adjusted_bars_of_two_fetches_have_one_scale() -> None:
    vendor = Vendor(a_bar(at("09:30") + k * MINUTE_NS, 100.0 + k) for k in range(10))
    loader = DataLoader(vendor, adjustment=Adjustment.SPLIT)
    await loader.prefetch("AAPL", "2024-08-26 09:30", "2024-08-26 09:34")
    vendor.known = [msgspec.structs.replace(bar, close=bar.close / 2) for bar in vendor.known]
    await loader.prefetch("AAPL", "2024-08-26 09:36", "2024-08-26 09:38")
    assert loader["AAPL"].close[:].tolist() == [(100.0 + k) / 2 for k in range(8)]
    assert {asked[4] for asked in vendor.asked} == {Adjustment.SPLIT}


async def test_many_symbols_are_asked_for_in_portions_and_progress_is_told() -> None:
    names = [f"S{n}" for n in range(250)]
    vendor = Vendor(a_bar(at("09:30"), symbol=name) for name in names)
    told: list[tuple[int, int]] = []
    loader = DataLoader(vendor)
    await loader.prefetch(names, "2024-08-26", "2024-08-27", progress=lambda *done: told.append(done))
    assert [len(asked[0]) for asked in vendor.asked] == [100, 100, 50]
    assert told == [(100, 250), (200, 250), (250, 250)]
    assert len(loader) == 250


async def test_a_vendors_fault_is_raised_as_it_is() -> None:
    vendor = Vendor()
    vendor.fault = FeedError("429", where="vendor", mend="Wait.")
    with pytest.raises(FeedError, match="429"):
        await DataLoader(vendor).prefetch(["A", "B"], "2024-08-26", "2024-08-27")


def test_a_script_waits() -> None:
    loader = DataLoader(Vendor([a_bar(at("09:30"))]))
    loader.load("AAPL", "2024-08-26", "2024-08-27")
    loader.load("MSFT", "2024-08-26", "2024-08-27")
    assert loader["AAPL"].close[-1] == 100.0
    loader.close()
    loader.close()


async def test_a_notebook_waits_although_a_loop_runs() -> None:
    loader = DataLoader(Vendor([a_bar(at("09:30"))]))
    loader.load(["AAPL"], "2024-08-26", "2024-08-27")
    assert loader["AAPL"].close[-1] == 100.0
    loader.close()


async def test_one_history_lives_in_one_loop() -> None:
    loader = DataLoader(Vendor())
    await loader.prefetch("AAPL", "2024-08-26", "2024-08-27")
    with pytest.raises(UsageError, match="Keep to prefetch or to load"):
        loader.load("AAPL", "2024-08-26", "2024-08-27")
    loader.close()


async def test_a_function_opens_one_history_for_each_loop_and_they_are_closed() -> None:
    opened: list[Vendor] = []

    def opens() -> Vendor:
        opened.append(Vendor([a_bar(at("09:30"))]))
        return opened[-1]

    loader = DataLoader(opens)
    for _ in range(2):
        await loader.prefetch("AAPL", "2024-08-26", "2024-08-27")
        loader.load("AAPL", "2024-08-26", "2024-08-27")
    assert [len(vendor.asked) for vendor in opened] == [2, 2]
    loader.close()
    await loader.aclose()
    await loader.aclose()
    assert [vendor.closed for vendor in opened] == [1, 1]


def test_waiting_within_its_own_loop_is_refused_and_not_for_ever() -> None:
    own = OwnLoop("test loop")

    async def inner() -> int:
        return 1

    async def outer() -> int:
        return own.run(inner())

    with pytest.raises(UsageError, match="test loop: this would wait for itself"):
        own.run(outer())
    assert own.run(inner()) == 1
    own.close()
    own.close()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class SlowVendor(Vendor):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()

    async def bars(
        self,
        symbols: Iterable[str],
        start_ns: int,
        end_ns: int,
        *,
        span_ns: int = MINUTE_NS,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> dict[str, list[Bar]]:
        await self.may.wait()
        return {symbol: [] for symbol in symbols}


@pytest.mark.parametrize(("screen", "shown"), [(Terminal(), True), (io.StringIO(), False)])
async def test_what_takes_long_shows_a_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, screen: io.StringIO, shown: bool
) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    monkeypatch.setattr(sys, "stderr", screen)
    vendor = SlowVendor()
    asyncio.get_running_loop().call_later(0.05, vendor.may.set)
    await DataLoader(vendor).prefetch("AAPL", "2024-08-26", "2024-08-27")
    assert ("bars" in screen.getvalue()) is shown


async def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    await DataLoader(Vendor()).prefetch("AAPL", "2024-08-26", "2024-08-27")
    assert screen.getvalue() == ""


async def test_a_frame_is_no_copy_until_it_is_written_to() -> None:
    rows = await data()
    frame, again = rows.df, rows.df
    close = np.asarray(rows.close)
    assert np.shares_memory(frame["close"].to_numpy(), close)
    frame["close"] *= 2
    frame.iloc[0, 0] = -1.0
    frame["mine"] = 1.0
    assert again.close.iloc[-1] == close[-1] == rows.df.close.iloc[-1] == 109.0
    assert "mine" not in rows.df
    with pytest.raises(ValueError, match="read-only"):
        close[0] = 1.0


async def test_all_symbols_are_one_frame() -> None:
    vendor = Vendor(a_bar(at("09:30"), price, symbol=name) for name, price in (("B", 2.0), ("A", 1.0)))
    loader = DataLoader(vendor)
    assert len(loader.df) == 0
    await loader.prefetch(["B", "A", "C"], "2024-08-26", "2024-08-27")
    frame = loader.df
    assert frame.index.names == ["symbol", "timestamp"]
    assert frame.loc["A"]["close"].tolist() == [1.0]
    assert frame["close"].tolist() == [1.0, 2.0]


async def test_a_data_frame_has_floats_and_new_york_time() -> None:
    frame = (await data()).df
    assert list(frame.columns) == ["open", "high", "low", "close", "volume", "vwap", "count"]
    assert set(map(str, frame.dtypes)) == {"float64"}
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert str(frame.index.tz) == "America/New_York"
    assert frame.index[0] == pd.Timestamp("2024-08-26 09:30", tz="America/New_York")
    assert frame.close.iloc[-1] == 109.0
