"""The market as a scanner sees it: at the venue's moment, and asked for no more than needed."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from liu_tui.market.history import DataAPI
from liu_tui.market.view import VenueView
from liu_tui.model.clock import Anchor, ManualClock, SessionHours
from liu_tui.model.market import DAY_NS, MINUTE_NS, Adjustment, Asset, Bar, Snapshot
from tests.kit.market import a_bar, at

HOURS = SessionHours("2024-08-28", at("2024-08-28 04:00"), at("2024-08-28 09:30"), at("2024-08-28 16:00"), 0)
NAMES = [Asset(symbol="AAPL"), Asset(symbol="DEAD", tradable=False), Asset(symbol="TSLA")]


class Library(DataAPI):
    """A small vendor that notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def bars(
        self,
        symbols: Iterable[str],
        start_ns: int,
        end_ns: int,
        *,
        span_ns: int = MINUTE_NS,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> dict[str, list[Bar]]:
        names = list(symbols)
        self.asked.append((names, start_ns, end_ns, span_ns))
        days = ["2024-08-22", "2024-08-23", "2024-08-26", "2024-08-27"]
        known = [a_bar(at(f"{day} 00:00"), span_ns=DAY_NS) for day in days]
        return {
            name: [bar for bar in known if bar.t_ns >= start_ns] if name == "AAPL" else [] for name in names
        }

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        return {symbol: Snapshot(symbol=symbol) for symbol in symbols}

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        return [("TSLA", 9.0), ("AAPL", 8.0)][:top]

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        return [("TSLA", 5.0)][:top] + [("AAPL", -3.0)][:top]

    async def assets(self) -> list[Asset]:
        self.asked.append(("assets",))
        return NAMES

    async def hours(self) -> SessionHours:
        return HOURS

    async def anchor(self) -> Anchor:
        return Anchor(HOURS.open_ns, 0)

    async def close(self) -> None: ...


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at("2024-08-28 10:00"))


@pytest.fixture
def view(library: Library, clock: ManualClock) -> VenueView:
    return VenueView(library, clock, HOURS)


def test_now_is_the_venues_time_in_new_york(view: VenueView, clock: ManualClock) -> None:
    assert f"{view.now:%H:%M}" == "10:00"
    assert view.minutes_since_open == 30.0
    clock.at_ns = at("2024-08-28 09:00")
    assert view.minutes_since_open == -30.0


async def test_assets_are_the_tradable_ones_and_are_asked_for_once(view: VenueView, library: Library) -> None:
    assert [asset.symbol for asset in await view.assets()] == ["AAPL", "TSLA"]
    await view.assets()
    assert library.asked == [("assets",)]


async def test_snapshots_are_of_the_symbols_named_or_of_all_that_can_be_traded(view: VenueView) -> None:
    assert list(await view.snapshots(["F"])) == ["F"]
    assert list(await view.snapshots([])) == []
    assert list(await view.snapshots()) == ["AAPL", "TSLA"]


async def test_daily_bars_are_the_last_finished_ones_and_never_later_than_now(
    view: VenueView, library: Library, clock: ManualClock
) -> None:
    bars = await view.daily_bars(["AAPL", "F"], 2)
    assert [bar.t_ns for bar in bars["AAPL"]] == [at("2024-08-26 00:00"), at("2024-08-27 00:00")]
    assert bars["F"] == []
    ((names, _start, end, span),) = library.asked
    assert (names, end, span) == (["AAPL", "F"], clock.now_ns(), DAY_NS)


async def test_the_screeners_lists_are_passed_on(view: VenueView) -> None:
    assert await view.most_active(1) == [("TSLA", 9.0)]
    assert await view.movers(1) == [("TSLA", 5.0), ("AAPL", -3.0)]
