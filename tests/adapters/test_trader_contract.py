"""AlpacaTrader keeps the port's promises, at a local market over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from liu_tui.adapters.alpaca.history import AlpacaData
from liu_tui.adapters.alpaca.trader import AlpacaTrader
from liu_tui.localmarket.server import MarketServer
from tests.kit.localmarket import KEYS, a_market
from tests.kit.traders import Bench, TraderContract


class LocalBench(Bench):
    """An AlpacaTrader at a local market of this process."""

    symbol = "AAPL"

    def __init__(self, server: MarketServer) -> None:
        self._url = server.url
        updates = server.url.replace("http", "ws") + "/stream"
        self.trader = AlpacaTrader(server.url, updates, "local", "local", local=True)

    async def price(self) -> float:
        data = AlpacaData(self._url, self._url, "local", "local")
        try:
            return (await data.snapshots([self.symbol]))[self.symbol].price
        finally:
            await data.close()

    async def lose_the_next_answer(self) -> None:
        await self._fault({"kind": "lost_answer"})

    async def cut_the_updates(self) -> None:
        await self._fault({"kind": "updates_cut"})

    async def _fault(self, words: dict[str, object]) -> None:
        async with (
            aiohttp.ClientSession(headers=KEYS) as http,
            http.post(f"{self._url}/admin/faults", json=words) as answer,
        ):
            assert answer.status == 200, await answer.text()


class TestAlpacaTrader(TraderContract):
    """The suite of the port."""

    @pytest.fixture
    async def bench(self) -> AsyncIterator[Bench]:
        async with a_market(symbols=20, start="10:00", speed=60.0, seed=3) as server:
            bench = LocalBench(server)
            yield bench
            await bench.trader.close()
