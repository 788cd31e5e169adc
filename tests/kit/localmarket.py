"""A local market in this process, small days for it to play, and clients that speak its protocols by hand."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Self

import aiohttp
import msgpack  # type: ignore[import-untyped] # alpaca-py's own decoder: the wire is judged by it, not by ours
import msgspec

from liu_tui.localmarket.options import MarketOptions
from liu_tui.localmarket.server import MarketServer
from liu_tui.market.calendar import hours
from liu_tui.model.clock import SessionHours

KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
DAY = "2024-03-06"
Minute = tuple[float, float, float, float, float]
"""open, high, low, close, volume"""
PATIENCE_S = 20.0


def session(day: str = DAY) -> SessionHours:
    """The hours of a session day."""
    found = hours(date.fromisoformat(day))
    assert found is not None
    return found


def write_day(
    folder: Path, minutes: Mapping[str, Sequence[Minute]], *, first: str = "14:30", day: str = DAY
) -> Path:
    """Write one CSV a symbol, its minutes one after the other from `first` (UTC) on."""
    folder.mkdir(parents=True, exist_ok=True)
    hour, minute = (int(part) for part in first.split(":"))
    for symbol, rows in minutes.items():
        lines = ["timestamp,open,high,low,close,volume"]
        for n, row in enumerate(rows):
            at = hour * 60 + minute + n
            lines.append(f"{day}T{at // 60:02d}:{at % 60:02d}:00Z," + ",".join(f"{value:g}" for value in row))
        (folder / f"{symbol}_1min_{day}.csv").write_text("\n".join(lines) + "\n")
    return folder


def flat(price: float, minutes: int, volume: float = 4_000) -> list[Minute]:
    """Minutes in which the price stands still."""
    return [(price, price, price, price, volume)] * minutes


@asynccontextmanager
async def a_market(**what: Any) -> AsyncIterator[MarketServer]:
    """A market of a few simulated names at the open, or of what `what` says."""
    said: dict[str, Any] = {"symbols": 10, "date": "2026-11-23", "partial_fills": 0.0} | what
    server = MarketServer(MarketOptions(**said))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@contextmanager
def a_market_in_a_thread(**what: Any) -> Iterator[MarketServer]:
    """The same in a thread of its own, for clients that block."""
    ready, servers, faults = threading.Event(), [], []

    async def run() -> None:
        try:
            async with a_market(**what) as server:
                servers.append(server)
                loops.append(asyncio.get_running_loop())
                ready.set()
                await server.ended()
        except BaseException as e:
            faults.append(e)
            raise
        finally:
            ready.set()

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S)
    assert not faults, faults
    try:
        yield servers[0]
    finally:
        loops[0].call_soon_threadsafe(servers[0].end)
        thread.join(PATIENCE_S)


class Rest:
    """Requests with keys, answers as (status, body)."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url = http, url

    async def ask(self, method: str, path: str, **what: Any) -> tuple[int, Any]:
        """Send a request; the body is None if there is none."""
        async with self.http.request(method, self.url + path, **what) as answer:
            raw = await answer.read()
            return answer.status, msgspec.json.decode(raw) if raw else None

    async def get(self, path: str, **query: Any) -> Any:
        """GET; anything but 200 fails the test."""
        status, body = await self.ask("GET", path, params=query)
        assert status == 200, (path, status, body)
        return body

    async def post(self, path: str, **body: Any) -> Any:
        """POST; anything but a success fails the test."""
        status, said = await self.ask("POST", path, json=body)
        assert status < 300, (path, status, said)
        return said

    async def buy(self, symbol: str, qty: float = 10, **more: Any) -> Any:
        """A market day order, or what `more` makes of it."""
        order = {"symbol": symbol, "qty": str(qty), "side": "buy", "type": "market", "time_in_force": "day"}
        return await self.post("/v2/orders", **order | more)


@asynccontextmanager
async def rest(server: MarketServer, headers: Mapping[str, str] = KEYS) -> AsyncIterator[Rest]:
    """A session of requests."""
    async with aiohttp.ClientSession(headers=headers) as http:
        yield Rest(http, server.url)


class DataSocket:
    """A data client written by hand, in either codec. Frames are judged, not only read."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, *, binary: bool) -> None:
        self.ws, self.binary = ws, binary
        self.waiting: list[dict[str, Any]] = []

    async def send(self, **message: Any) -> None:
        """Send one message."""
        if self.binary:
            await self.ws.send_bytes(msgpack.packb(message))
        else:
            await self.ws.send_str(msgspec.json.encode(message).decode())

    async def frame(self) -> list[dict[str, Any]]:
        """The next frame."""
        async with asyncio.timeout(PATIENCE_S):
            message = await self.ws.receive()
        kind = aiohttp.WSMsgType.BINARY if self.binary else aiohttp.WSMsgType.TEXT
        assert message.type is kind, message
        read = msgpack.unpackb(message.data) if self.binary else msgspec.json.decode(message.data)
        assert isinstance(read, list)
        assert read
        assert all(next(iter(m)) == "T" for m in read), "T must be the first key"
        return read

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next message, of these kinds if any are named; others are thrown away."""
        while True:
            while not self.waiting:
                self.waiting = await self.frame()
            message = self.waiting.pop(0)
            if not kinds or message["T"] in kinds:
                return message

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """All messages up to and including the next of this kind."""
        heard = [await self.next()]
        while heard[-1]["T"] != kind:
            heard.append(await self.next())
        return heard

    async def log_in(self) -> Self:
        """Be greeted and authenticated by message."""
        assert await self.next() == {"T": "success", "msg": "connected"}
        await self.send(action="auth", key="key", secret="secret")
        assert await self.next() == {"T": "success", "msg": "authenticated"}
        return self

    async def join(self, **channels: Any) -> Self:
        """Log in, subscribe, follow the clock, and take part in lock-step."""
        await self.log_in()
        if channels:
            await self.send(action="subscribe", **channels)
            await self.next("subscription")
        await self.send(action="lockstep")
        assert await self.next() == {"T": "success", "msg": "lockstep"}
        return self

    async def ack(self, n: int) -> None:
        """Finish a step."""
        await self.send(action="ack", n=n)


@asynccontextmanager
async def data_socket(
    server: MarketServer,
    path: str = "/v2/iex",
    *,
    binary: bool = True,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[DataSocket]:
    """A connection that has said nothing yet."""
    kind = {"Content-Type": "application/msgpack"} if binary else {}
    url = server.url.replace("http", "ws") + path
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, headers={**kind, **(headers or {})}) as ws,
    ):
        yield DataSocket(ws, binary=binary)


class TradeSocket:
    """A trade-updates client written by hand."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def send(self, **message: Any) -> None:
        """Send one message."""
        await self.ws.send_str(msgspec.json.encode(message).decode())

    async def next(self) -> dict[str, Any]:
        """The next message; frames are binary, as the paper service's."""
        async with asyncio.timeout(PATIENCE_S):
            message = await self.ws.receive()
        assert message.type is aiohttp.WSMsgType.BINARY, message
        read: dict[str, Any] = msgspec.json.decode(message.data)
        return read

    async def events(self, count: int) -> list[str]:
        """The words of the next updates."""
        return [(await self.next())["data"]["event"] for _ in range(count)]

    async def listen(self) -> Self:
        """Log in and listen."""
        await self.send(action="authenticate", data={"key_id": "key", "secret_key": "secret"})
        assert (await self.next())["data"]["status"] == "authorized"
        await self.send(action="listen", data={"streams": ["trade_updates"]})
        assert (await self.next())["stream"] == "listening"
        return self


@asynccontextmanager
async def trade_socket(
    server: MarketServer, headers: Mapping[str, str] | None = None
) -> AsyncIterator[TradeSocket]:
    """A connection to /stream that has said nothing yet."""
    url = server.url.replace("http", "ws") + "/stream"
    async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=headers) as ws:
        yield TradeSocket(ws)
