"""Scripted servers that speak Alpaca's protocols on real sockets of loopback, and builders of messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web
from msgspec.msgpack import Ext
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from liu_tui.adapters.alpaca.channels import NAMES

T0_NS = 1_572_881_400_123_456_789  # 2019-11-04 10:30 in New York, and some

Script = Callable[["Peer"], Awaitable[None]]


def stamp(t_ns: int = T0_NS) -> Ext:
    """Spell a time as Alpaca's binary frames do: 30 bits of nanoseconds, 34 of seconds; or 4 and 8 bytes."""
    seconds, nanoseconds = divmod(t_ns, 1_000_000_000)
    if 0 <= seconds < 2**34:
        return Ext(-1, (nanoseconds << 34 | seconds).to_bytes(8, "big"))
    return Ext(-1, nanoseconds.to_bytes(4, "big") + seconds.to_bytes(8, "big", signed=True))


def frame(*messages: Mapping[str, Any]) -> bytes:
    """Pack messages into one binary frame."""
    return msgspec.msgpack.encode(messages)


def a_trade(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    price = {"p": 100.25, "s": 100, "c": ["@", "I"]}
    return {"T": "t", "S": symbol, "i": 7, "x": "V", "t": stamp(), "z": "C"} | price | changes


def a_quote(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    sides = {"bx": "V", "bp": 100.2, "bs": 200, "ax": "Q", "ap": 100.3, "as": 300}
    return {"T": "q", "S": symbol, "c": ["R"], "t": stamp(), "z": "C"} | sides | changes


def a_bar(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    prices = {"o": 100.0, "h": 101.0, "l": 99.5, "c": 100.5, "vw": 100.2}
    return {"T": "b", "S": symbol, "v": 1200, "n": 9, "t": stamp()} | prices | changes


def a_band(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    return {"T": "l", "S": symbol, "u": 105.0, "d": 95.0, "i": "B", "t": stamp(), "z": "C"} | changes


def a_correction(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    was = {"oi": 7, "op": 100.25, "os": 100, "oc": ["@"]}
    now = {"ci": 8, "cp": 100.5, "cs": 90, "cc": ["@"]}
    return {"T": "c", "S": symbol, "x": "V", "t": stamp(), "z": "C"} | was | now | changes


def a_cancel(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    print_ = {"i": 7, "x": "V", "p": 100.25, "s": 100}
    return {"T": "x", "S": symbol, "a": "C", "t": stamp(), "z": "C"} | print_ | changes


class Peer:
    """The server's end of one connection, as a script sees it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.channels: dict[str, set[str]] = {name: set() for name in (*NAMES, "corrections", "cancelErrors")}

    async def hear(self) -> dict[str, Any]:
        """Wait for the client's next message."""
        return msgspec.msgpack.decode(await self.socket.recv(decode=False), type=dict[str, Any])

    async def say(self, *messages: dict[str, Any]) -> None:
        """Send one frame."""
        await self.socket.send(frame(*messages))

    async def shake_hands(self) -> dict[str, Any]:
        """Greet, take any keys; return the auth message."""
        await self.say({"T": "success", "msg": "connected"})
        auth = await self.hear()
        await self.say({"T": "success", "msg": "authenticated"})
        return auth

    async def grant(self) -> dict[str, Any]:
        """Wait for a subscribe or unsubscribe, grant it, answer with the whole set; return what was asked."""
        asked = await self.hear()
        for name, have in self.channels.items():
            symbols = set(asked.get(name, ()))
            have.__ior__(symbols) if asked["action"] == "subscribe" else have.__isub__(symbols)
        whole = {name: sorted(have) for name, have in self.channels.items()}
        await self.say({"T": "subscription"} | whole)
        return asked

    async def refuse(self, code: int, words: str) -> None:
        await self.say({"T": "error", "code": code, "msg": words})


class ScriptedStream:
    """A market data server. The n-th connection is served by the n-th script, further ones by the last."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.connections = 0
        self.headers: list[dict[str, str]] = []
        self.faults: list[BaseException] = []
        self._test = asyncio.current_task()

    async def serve(self, socket: ServerConnection) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        if socket.request is not None:
            self.headers.append(dict(socket.request.headers.raw_items()))
        try:
            await script(Peer(socket))
        except ConnectionClosed:
            pass
        except Exception as e:  # noqa: BLE001 - a wrong script must fail the test, not only the server
            self.faults.append(e)
            if self._test is not None:
                self._test.cancel()


@contextlib.asynccontextmanager
async def scripted_stream(*scripts: Script) -> AsyncIterator[tuple[ScriptedStream, str]]:
    """Run a ScriptedStream; yields it and its ws:// address. Raises what a script raised."""
    server = ScriptedStream(*scripts)
    try:
        async with serve(server.serve, "127.0.0.1", 0, close_timeout=0.1) as running:
            port = next(iter(running.sockets)).getsockname()[1]
            yield server, f"ws://127.0.0.1:{port}/v2/iex"
    finally:
        for fault in server.faults:
            raise fault


async def for_ever(peer: Peer) -> None:
    """Say nothing more; end with the connection."""
    await peer.socket.wait_closed()


@contextlib.asynccontextmanager
async def http_server(routes: Iterable[web.RouteDef]) -> AsyncIterator[str]:
    """Run an aiohttp server of these routes; yields its http:// address."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
