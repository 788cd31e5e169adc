"""From a plan to a venue, from a venue to its ends."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from liu_tui.errors import RefusedError, UsageError
from liu_tui.plan.schema import (
    AlpacaTable,
    DataVendor,
    Environment,
    MarketTable,
    PolygonTable,
    TradePlan,
)
from liu_tui.settings import Keys, Secret
from liu_tui.wiring.venue import (
    Venue,
    data_loader_factory,
    keys_for,
    keys_from_env,
    open_data,
    open_feed,
    open_trader,
    venue_of,
)

URL = "http://127.0.0.1:4321"


def test_a_plan_with_a_market_trades_on_the_local_one() -> None:
    venue = venue_of(TradePlan(market=MarketTable(speed="max")), URL + "/")
    assert venue == Venue(
        kind="local",
        rest_url=URL,
        data_url=URL,
        stream_url="ws://127.0.0.1:4321/v2/sip",
        updates_url="ws://127.0.0.1:4321/stream",
        feed="sip",
        lockstep=True,
        connections=8,
    )


def test_a_plan_without_one_trades_at_alpacas_paper_account() -> None:
    venue = venue_of(TradePlan(alpaca=AlpacaTable(feed="sip")))
    assert venue.kind == "alpaca"
    assert venue.stream_url == "wss://stream.data.alpaca.markets/v2/sip"
    assert venue.rest_url == "https://paper-api.alpaca.markets"
    assert not venue.lockstep


def test_real_money_is_traded_at_alpacas_live_account_and_never_on_the_local_market() -> None:
    live = venue_of(TradePlan(environment=Environment.PROD))
    assert (live.kind, live.rest_url) == ("alpaca", "https://api.alpaca.markets")
    assert live.updates_url == "wss://api.alpaca.markets/stream"
    assert live.data_url == venue_of(TradePlan()).data_url
    with pytest.raises(RefusedError, match="real money"):
        venue_of(TradePlan(environment=Environment.PROD, market=MarketTable()), URL)


def test_an_unknown_feed_and_a_market_without_address_are_told() -> None:
    with pytest.raises(UsageError, match="no feed 'opra'"):
        venue_of(TradePlan(alpaca=AlpacaTable(feed="opra")))
    with pytest.raises(UsageError, match="no local market"):
        venue_of(TradePlan(market=MarketTable()))


def test_a_venue_crosses_a_process_as_plain_values() -> None:
    venue = venue_of(TradePlan())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(venue), type=Venue) == venue


def test_the_local_market_is_never_sent_the_real_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "real")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "hush-hush")
    assert keys_for(venue_of(TradePlan(market=MarketTable()), URL)).alpaca_id.reveal() == "local"
    assert keys_for(venue_of(TradePlan())).alpaca_secret.reveal() == "hush-hush"
    assert "hush" not in repr(keys_from_env())


def test_missing_keys_are_told_with_the_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match="no keys for Alpaca") as caught:
        keys_from_env()
    assert "APCA_API_KEY_ID" in caught.value.mend


async def test_every_end_can_be_opened_and_closed_without_a_network() -> None:
    venue = venue_of(TradePlan(market=MarketTable()), "http://127.0.0.1:1")
    keys = keys_for(venue)
    for end in (open_feed(venue, keys), open_data(venue, keys), open_trader(venue, keys)):
        await end.close()
    assert "AAPL" not in data_loader_factory(venue, keys)


@pytest.mark.parametrize(
    "module",
    [
        "liu_tui.wiring.venue",
        "liu_tui.adapters.alpaca.stream",
        "liu_tui.adapters.alpaca.history",
        "liu_tui.adapters.polygon.stream",
        "liu_tui.adapters.polygon.history",
        "liu_tui.adapters.alpaca.trader",
    ],
)
def test_nobody_pays_for_pandas_or_alpaca_by_an_import(module: str) -> None:
    names = "('pandas', 'alpaca', 'massive', 'requests', 'textual')"
    code = f"import {module}, sys; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wiring_loads_no_vendor_by_itself() -> None:
    vendors = "[m for m in sys.modules if 'adapters' in m or m == 'websockets']"
    code = f"import liu_tui.wiring.venue, sys; print({vendors})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def polygon_plan(**more: Any) -> TradePlan:
    return TradePlan(data=DataVendor.POLYGON, **more)


async def test_a_plan_may_take_its_data_from_polygon_here_and_there() -> None:
    local = venue_of(polygon_plan(market=MarketTable()), URL)
    assert (local.stream_url, local.connections) == ("ws://127.0.0.1:4321/stocks", 1)
    far = venue_of(polygon_plan(polygon=PolygonTable(feed="delayed")))
    keys = Keys(Secret("a"), Secret("b"), Secret("c"))
    for venue in (local, far):
        feed, data = open_feed(venue, keys), open_data(venue, keys)
        assert type(feed).__name__ == "PolygonStream"
        assert type(data).__name__ == "PolygonData"
        assert feed.delay_ns == venue.delay_ns
        await feed.close()
        await data.close()


def test_polygons_data_have_no_lock_step() -> None:
    with pytest.raises(UsageError, match="no lock-step"):
        venue_of(polygon_plan(market=MarketTable(speed="max")), URL)


def test_polygons_key_is_asked_for_where_it_is_needed_and_never_sent_to_the_local_market(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "real")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "hush-hush")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("POLYGON_API_KEY", raising=False)
    assert keys_for(venue_of(TradePlan())).alpaca
    with pytest.raises(UsageError, match="no key for Polygon") as caught:
        keys_for(venue_of(polygon_plan()))
    assert "POLYGON_API_KEY" in caught.value.mend
    monkeypatch.setenv("POLYGON_API_KEY", "poly")
    assert keys_for(venue_of(polygon_plan())).polygon.reveal() == "poly"
    assert keys_for(venue_of(polygon_plan(market=MarketTable()), URL)).polygon.reveal() == "local"
