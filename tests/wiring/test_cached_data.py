"""Which histories are cached, under which name, and what a loader is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from liu_tui.adapters.alpaca.history import AlpacaData
from liu_tui.market.history import DataAPI
from liu_tui.settings import Keys, Secret, Settings, Workspace
from liu_tui.store.cacheddata import CachedData
from liu_tui.wiring import venue as wiring
from liu_tui.wiring.venue import (
    Venue,
    alpaca_paper,
    data_loader_factory,
    local_venue,
    open_cached_data,
    with_polygon,
)
from tests.kit.loader import ActiveVendor
from tests.kit.market import a_bar, at

KEYS = Keys(Secret("id"), Secret("secret"), Secret("polygon"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.nearest(tmp_path, Settings())


async def test_the_local_market_is_not_cached(workspace: Workspace) -> None:
    data = open_cached_data(local_venue("http://127.0.0.1:1"), KEYS, workspace)
    assert isinstance(data, AlpacaData)
    await data.close()


def test_a_vendors_feed_is_kept_under_its_name_in_the_workspace(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = ActiveVendor([a_bar(at("09:30"))], now="2024-08-28 12:00")
    monkeypatch.setattr(wiring, "open_data", lambda venue, keys: vendor)
    for venue in (alpaca_paper("iex"), with_polygon(alpaca_paper("iex"), "delayed")):
        loader = data_loader_factory(venue, KEYS, workspace)
        loader.load("AAPL", "2024-08-26", "2024-08-27")
        assert loader["AAPL"].close[:].tolist() == [100.0]
        loader.close()
    minutes = workspace.cache_db.parent / "minutes"
    files = sorted(str(path.relative_to(minutes)) for path in minutes.rglob("*.bars"))
    assert files == ["alpaca-iex/AAPL/2024-08-26.bars", "polygon-delayed/AAPL/2024-08-26.bars"]
    assert workspace.cache_db.exists()
    assert not workspace.db.exists()


def test_a_loader_without_a_workspace_keeps_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def opened(venue: Venue, keys: Keys) -> DataAPI:
        return ActiveVendor([a_bar(at("09:30"))])

    monkeypatch.setattr(wiring, "open_data", opened)
    monkeypatch.chdir(tmp_path)
    loader = data_loader_factory(alpaca_paper("iex"), KEYS, daily=True)
    loader.load("AAPL", "2024-08-26", "2024-08-27")
    loader.close()
    assert list(tmp_path.iterdir()) == []


async def test_only_a_vendor_that_maps_names_is_asked_by_the_present_one(workspace: Workspace) -> None:
    for venue, maps in ((alpaca_paper("iex"), True), (with_polygon(alpaca_paper("iex"), "realtime"), False)):
        data = open_cached_data(venue, KEYS, workspace)
        assert isinstance(data, CachedData)
        assert data._maps_names is maps
        await data.close()
