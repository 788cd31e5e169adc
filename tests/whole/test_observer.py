"""alpaca-py's own clients beside a running session see the orders, fills and positions of our books."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import GetOrdersRequest
from alpaca.trading.stream import TradingStream

from tests.kit.house import LIVE, House

PLAN = LIVE.replace("speed = 30", "speed = 120")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("NO_PROXY", "*")
    house = House(tmp_path, PLAN)
    yield house
    house.close()


class Watcher:
    """alpaca-py's TradingStream in a thread of its own; `fills` by execution id, as it told them."""

    def __init__(self, url: str) -> None:
        self.fills: dict[str, tuple[str, float, float]] = {}
        self._stream = TradingStream("key", "secret", url_override=url.replace("http", "ws") + "/stream")
        self._stream.subscribe_trade_updates(self._hear)
        self._thread = threading.Thread(target=self._stream.run, daemon=True)
        self._thread.start()

    async def _hear(self, update: Any) -> None:
        if update.event in ("fill", "partial_fill"):
            sign = 1 if update.order.side == "buy" else -1
            fill = (update.order.symbol, sign * float(update.qty), float(update.price))
            self.fills[str(update.execution_id)] = fill

    def stop(self) -> None:
        """End it; its loop looks once in five seconds, or at the next message."""
        asyncio.run_coroutine_threadsafe(self._stream.stop_ws(), self._stream._loop)
        self._thread.join(15)


def test_alpacas_own_clients_see_the_same_orders_fills_and_positions(house: House) -> None:
    house.start()
    batch, url = house.status()["batch_id"], house.status()["market"]["url"]
    watcher = Watcher(url)
    house.wait("some orders were filled", lambda: house.status()["fills"] >= 6)
    # Nothing moves any more: entries paused, working ones withdrawn.
    assert house.run("ctl", "pause").returncode == 0
    assert house.run("ctl", "flatten").returncode == 0
    house.wait("it is flat", lambda: not house.status()["positions"])

    client = TradingClient("key", "secret", url_override=url)
    theirs = client.get_orders(GetOrdersRequest(status="all", limit=500, nested=False))
    ours = dict(
        house.books(
            "SELECT client_order_id, state FROM orders "
            "WHERE batch_id = ? AND state NOT IN ('refused', 'failed')",
            batch,
        )
    )
    assert {order.client_order_id: order.status.value for order in theirs} == ours
    filled = {order.client_order_id: float(order.filled_qty) for order in theirs}
    booked = house.books(
        "SELECT client_order_id, sum(abs(qty)) FROM new_trades WHERE batch_id = ? GROUP BY 1", batch
    )
    assert {name: qty for name, qty in filled.items() if qty} == pytest.approx(dict(booked))
    assert client.get_all_positions() == []

    fills = {
        row[0]: row[1:] for row in house.books("SELECT execution_id, symbol, qty, price FROM new_trades")
    }
    assert watcher.fills
    assert {key: fills[key] for key in watcher.fills} == watcher.fills
    cash = sum(-qty * price for _, qty, price in fills.values())
    assert float(client.get_account().cash) == pytest.approx(100_000 + cash, abs=0.01)
    house.stop()
    watcher.stop()
