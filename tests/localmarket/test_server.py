"""The market as a process: its first line, its exit codes, its end."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from liu_tui.errors import UsageError
from liu_tui.localmarket.options import MarketOptions
from liu_tui.localmarket.server import serve
from tests.kit.localmarket import KEYS, PATIENCE_S, a_market

_RUN = """
import asyncio, sys
from pathlib import Path
from liu_tui.localmarket.options import MarketOptions
from liu_tui.localmarket.server import serve
import msgspec
options = msgspec.json.decode(sys.argv[1], type=MarketOptions, dec_hook=lambda _, text: Path(text))
sys.exit(asyncio.run(serve(options)))
"""


@asynccontextmanager
async def a_process(**what: Any) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    options = {"symbols": 2, "date": "2026-11-23"} | what
    line = msgspec.json.encode(options).decode()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _RUN, line, stdout=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield process, msgspec.json.decode(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_it_says_where_it_listens_and_ends_in_order(number: signal.Signals, code: int) -> None:
    async with a_process() as (process, said):
        assert said == {"url": f"http://127.0.0.1:{said['port']}", "port": said["port"]}
        async with (
            aiohttp.ClientSession(headers=KEYS) as http,
            http.ws_connect(said["url"] + "/v2/iex") as ws,
        ):
            await ws.receive()
            process.send_signal(number)
            while not (await ws.receive()).type.name.startswith("CLOS"):
                pass
        assert await process.wait() == code


async def test_shutdown_is_answered_and_then_done() -> None:
    async with a_process() as (process, said):
        async with (
            aiohttp.ClientSession(headers=KEYS) as http,
            http.post(said["url"] + "/admin/shutdown") as answer,
        ):
            assert answer.status == 202
        assert await process.wait() == 0


async def test_a_killed_market_comes_back_on_its_port_with_all_it_had_told(tmp_path: Path) -> None:
    order = {"symbol": "SPY", "qty": 3, "side": "buy", "type": "market", "time_in_force": "day"}
    ledger = str(tmp_path / "ledger.db")
    async with a_process(ledger=ledger, start="10:00", partial_fills=0) as (process, said):
        async with aiohttp.ClientSession(headers=KEYS) as http:
            async with http.post(said["url"] + "/v2/orders", json=order) as answer:
                told = await answer.json()
            process.kill()
        await process.wait()
    async with a_process(ledger=ledger, start="10:00", port=said["port"]) as (_, again):
        assert again == said
        async with aiohttp.ClientSession(headers=KEYS) as http:
            async with http.get(f"{said['url']}/v2/orders/{told['id']}") as answer:
                assert (await answer.json())["status"] == "filled"
            async with http.get(f"{said['url']}/v2/positions/SPY") as answer:
                assert (await answer.json())["qty"] == "3"


async def test_it_ends_by_itself_when_nobody_has_been_there() -> None:
    async with a_market(idle_exit_s=0.05) as server:
        await server.ended()


async def test_it_stays_while_somebody_is_there() -> None:
    async with a_market(idle_exit_s=0.05) as server, aiohttp.ClientSession() as http:
        async with http.ws_connect(server.url + "/stream"):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(server.ended(), 0.3)
        await server.ended()


async def test_a_port_that_is_taken_is_said_in_words() -> None:
    async with a_market() as server:
        with pytest.raises(UsageError, match=f"port {server.port} cannot be had"):
            await serve(MarketOptions(port=server.port, symbols=2))


async def test_a_ledger_that_cannot_be_written_ends_the_market_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_market() as server:

        def broken(now_ns: int) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(server.market.venue.ledger, "save", broken)
        with pytest.raises(OSError, match="the disk is full"):
            await server.ended()
