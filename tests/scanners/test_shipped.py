"""The scanners that ship, on a market written by hand."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from liu_tui import userfiles
from liu_tui.errors import UserFileError
from liu_tui.market.calendar import to_datetime
from liu_tui.model.market import DAY_NS, Asset, Bar, Snapshot
from liu_tui.scanner import Hit, Scanner, hits_of
from tests.kit.session import DAY, at

ROOT = Path(__file__).parents[2]
FILES = {"Momentum": "momentum.py", "MostActive": "most_active.py", "FixedList": "fixed_list.py"}


def a_scanner(name: str, **params: Any) -> Scanner:
    return userfiles.build(userfiles.load(ROOT / "scanners" / FILES[name], name, Scanner), name, params)


def a_day(symbol: str, open: float, close: float, volume: float) -> Bar:
    return Bar(symbol, DAY.pre_ns, open, max(open, close), min(open, close), close, volume, span_ns=DAY_NS)


class Market:
    """A market of fixed snapshots, 39 minutes after the open."""

    def __init__(self, *rows: tuple[str, Bar | None, Bar | None]) -> None:
        self.now: datetime = to_datetime(at(39))
        self.minutes_since_open = 39.0
        self._snapshots = {
            symbol: Snapshot(symbol=symbol, daily_bar=today, previous_daily_bar=before)
            for symbol, today, before in rows
        }

    async def snapshots(self, symbols: Iterable[str] | None = None) -> Mapping[str, Snapshot]:
        return {s: self._snapshots[s] for s in symbols or self._snapshots if s in self._snapshots}

    async def assets(self) -> list[Asset]:
        return [Asset(symbol=symbol) for symbol in sorted(self._snapshots)]

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        rows = [(s, row.daily_bar.volume) for s, row in self._snapshots.items() if row.daily_bar]
        return sorted(rows, key=lambda row: -row[1])[:top]

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        return []

    async def daily_bars(self, symbols: Iterable[str], days: int) -> Mapping[str, list[Bar]]:
        return {}


def a_row(symbol: str, before: float, open: float, close: float, volume: float = 1e6) -> tuple[str, Bar, Bar]:
    return symbol, a_day(symbol, open, close, volume), a_day(symbol, before, before, 5e6)


async def test_momentum_takes_gaps_and_moves_the_strongest_first() -> None:
    market = Market(a_row("FLAT", 100, 100, 101), a_row("GAP", 100, 103, 102), a_row("RUN", 100, 100, 106))
    gap, run = 3.0, 6.0
    assert list(await a_scanner("Momentum").run(market)) == [
        Hit("RUN", {"gap": 0.0, "change": run, "rvol": 2.0}),
        Hit("GAP", {"gap": gap, "change": 2.0, "rvol": 2.0}),
    ]


@pytest.mark.parametrize(
    "params",
    [
        {"min_share_price": 107},
        {"max_share_price": 105},
        {"min_volume": 2_000_000},
        {"min_last_dv": 6e8},
        {"today_change_percent": 6.5},
    ],
)
async def test_every_bound_of_momentum_bounds(params: dict[str, float]) -> None:
    market = Market(a_row("RUN", 100, 100, 106))
    assert list(await a_scanner("Momentum", **params).run(market)) == []


async def test_momentum_passes_over_what_has_no_yesterday_or_no_today() -> None:
    market = Market(("NEW", a_day("NEW", 1, 9, 1e6), None), ("DEAD", None, a_day("DEAD", 9, 9, 1e6)))
    assert list(await a_scanner("Momentum").run(market)) == []


def test_momentum_keeps_the_ancestors_keys() -> None:
    keys = set(userfiles.parameters(type(a_scanner("Momentum"))))
    assert keys >= {
        "min_last_dv",
        "min_share_price",
        "max_share_price",
        "min_volume",
        "today_change_percent",
        "from_market_open",
    }
    assert a_scanner("Momentum", from_market_open=5).from_market_open == 5.0


async def test_most_active_leaves_out_the_cheap() -> None:
    market = Market(
        a_row("CHEAP", 2, 2, 2, 9e6),
        a_row("BIG", 50, 50, 50, 8e6),
        a_row("MID", 50, 50, 51, 7e6),
        a_row("LOW", 50, 50, 51, 6e6),
    )
    picks = list(await a_scanner("MostActive", top=2).run(market))
    assert picks == [Hit("BIG", {"volume": 8e6, "price": 50.0}), Hit("MID", {"volume": 7e6, "price": 51.0})]


async def test_a_fixed_list_is_taken_in_its_order_but_for_what_cannot_be_traded() -> None:
    market = Market(a_row("AAPL", 1, 1, 1), a_row("MSFT", 1, 1, 1))
    assert list(await a_scanner("FixedList", symbols=["msft", "XXXX", "AAPL", "MSFT"]).run(market)) == [
        "MSFT",
        "AAPL",
    ]


@pytest.mark.parametrize("pick", ["", "../x", "A B", "ÅÄÖ", "LONGERTHANANYSYMBOL"])
def test_a_pick_that_is_spelled_like_no_symbol_is_refused_before_a_vendor_refuses_them_all(pick: str) -> None:
    with pytest.raises(UserFileError, match="among its picks"):
        hits_of(["AAPL", pick], None)


def test_picks_are_spelled_as_the_house_does_and_none_comes_twice() -> None:
    picks: list[str | Hit] = ["brk.b", " aapl", "BRK.B", Hit("BRK-B", {"gap": 1.0}), "brk/b"]
    assert hits_of(picks, None) == [Hit("BRK.B"), Hit("AAPL")]
