"""BarCache: daily bars, days and actions come back as they were put in, by feed."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from liu_tui.errors import StoreError
from liu_tui.market.calendar import midnight_ns
from liu_tui.market.coverage import Known
from liu_tui.model.market import DAY_NS, Bar, CorporateAction
from liu_tui.store.barcache import BarCache, KnownActions
from liu_tui.store.store import Store
from tests.kit.market import a_bar

FIRST = date(2024, 8, 26).toordinal()


def a_day(n: int, close: float = 100.0, symbol: str = "AAPL") -> Bar:
    return a_bar(midnight_ns(date.fromordinal(FIRST + n)), close, symbol=symbol, span_ns=DAY_NS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


async def test_bars_come_back_oldest_first_within_the_span(file: Path) -> None:
    async with BarCache.opened(file, "sip") as cache:
        await cache.keep({"AAPL": [a_day(0), a_day(1), a_day(2)], "NONE": []}, FIRST, FIRST + 2, 7)
        assert await cache.bars(["AAPL", "NONE"], a_day(1).t_ns, a_day(2).t_ns) == {"AAPL": [a_day(1)]}
        assert await cache.known(["AAPL", "NONE", "NEW"]) == {
            "AAPL": [Known(FIRST, FIRST + 2, 7)],
            "NONE": [Known(FIRST, FIRST + 2, 7, empty=True)],
        }


async def test_feeds_are_apart(file: Path) -> None:
    async with BarCache.opened(file, "sip") as sip, BarCache.opened(file, "iex") as iex:
        await sip.keep({"AAPL": [a_day(0, 1.0)]}, FIRST, FIRST, 7)
        await iex.keep({"AAPL": [a_day(0, 2.0)]}, FIRST, FIRST, 8)
        for cache, close in ((sip, 1.0), (iex, 2.0)):
            assert (await cache.bars(["AAPL"], 0, a_day(5).t_ns))["AAPL"][0].close == close
            assert len((await cache.known(["AAPL"]))["AAPL"]) == 1


async def test_two_who_keep_at_once_lose_neither_word(file: Path) -> None:
    async def keep(n: int) -> None:
        async with BarCache.opened(file, "sip") as cache:
            await cache.keep({"AAPL": [a_day(n, float(n))]}, FIRST + n, FIRST + n, n)

    await asyncio.gather(*(keep(n) for n in range(5)))
    async with BarCache.opened(file, "sip") as cache:
        assert [bar.close for bar in (await cache.bars(["AAPL"], 0, a_day(9).t_ns))["AAPL"]] == [
            0,
            1,
            2,
            3,
            4,
        ]
        (known,) = (await cache.known(["AAPL"]))["AAPL"]
        assert (known.first, known.last, known.empty) == (FIRST, FIRST + 4, False)


async def test_thousands_of_symbols_are_kept_and_found(file: Path) -> None:
    bars = {f"S{n}": [a_day(0, float(n + 1), f"S{n}")] for n in range(2500)}
    async with BarCache.opened(file, "sip") as cache:
        await cache.keep(bars, FIRST, FIRST, 7)
        assert await cache.bars(bars, 0, a_day(1).t_ns) == bars
        assert len(await cache.known(bars)) == 2500


async def test_actions_come_back_as_they_were_put_in(file: Path) -> None:
    split = CorporateAction(kind="split", symbol="AAPL", day="2024-08-28", ratio=4.0)
    known = {
        "AAPL": KnownActions("2024-01-01", "2024-08-29", [split]),
        "F": KnownActions("2024-01-01", "2024-08-29", []),
    }
    async with BarCache.opened(file, "sip") as cache:
        await cache.keep_actions(known)
        assert await cache.actions(["AAPL", "F", "NEW"]) == known
        later = {"AAPL": KnownActions("2023-01-01", "2024-08-30", [])}
        await cache.keep_actions(later)
        assert await cache.actions(["AAPL"]) == later


async def test_it_is_a_file_of_its_own_and_never_the_books(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "liu.db") as store:
        await store.stock_ohlc.save([a_day(0)])
    with pytest.raises(StoreError):
        async with BarCache.opened(tmp_path / "liu.db", "sip") as cache:
            await cache.bars(["AAPL"], 0, 1)


def test_the_file_is_private(file: Path) -> None:
    async def make() -> None:
        async with BarCache.opened(file, "sip"):
            pass

    asyncio.run(make())
    assert file.stat().st_mode & 0o777 == 0o600
