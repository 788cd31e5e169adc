"""Scripted servers that speak Polygon's protocol on real sockets of loopback, and builders of messages."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

T0_NS = 1_795_186_800_123_000_000  # 2026-11-20 10:00 in New York, and some
T0_MS = T0_NS // 1_000_000
PAYLOADS = Path(__file__).parents[2] / "../shared/data/api/polygon_rest.jsonl"
"""Answers of Polygon's, recorded, where they are at hand; never part of the project."""

Script = Callable[["Peer"], Awaitable[None]]


def frame(*messages: Any) -> bytes:
    """Write messages as one text frame."""
    return msgspec.json.encode(messages)


def a_trade(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    price = {"p": 100.25, "s": 100, "c": [0, 37], "t": T0_MS, "q": 1}
    return {"ev": "T", "sym": symbol, "i": "7", "x": 4, "z": 3} | price | changes


def a_quote(symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    sides = {"bx": 4, "bp": 100.2, "bs": 200, "ax": 7, "ap": 100.3, "as": 300}
    return {"ev": "Q", "sym": symbol, "c": 1, "i": [604], "t": T0_MS, "q": 2, "z": 3} | sides | changes


def a_bar(symbol: str = "AAPL", ev: str = "AM", **changes: Any) -> dict[str, Any]:
    prices = {"o": 100.0, "h": 101.0, "l": 99.5, "c": 100.5, "vw": 100.2, "op": 99.0, "a": 100.1}
    rest = {"v": 1200, "av": 99_000, "z": 60, "s": 1_795_186_800_000, "e": 1_795_186_860_000}
    return {"ev": ev, "sym": symbol} | prices | rest | changes


def a_status(status: str, message: str = "") -> dict[str, Any]:
    return {"ev": "status", "status": status, "message": message}


def recorded(part: str) -> Any:
    """Find the recorded answer whose path contains this part."""
    rows = [json.loads(line) for line in PAYLOADS.read_text().splitlines()]
    return next(row["payload"] for row in rows if part in row["url"])


class Peer:
    """The server's end of one connection, as a script sees it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    async def hear(self) -> dict[str, Any]:
        """Wait for the client's next message, which must be a text."""
        said = await self.socket.recv()
        assert isinstance(said, str)
        read: dict[str, Any] = json.loads(said)
        return read

    async def say(self, *messages: Any) -> None:
        """Send one frame."""
        await self.socket.send(frame(*messages).decode())

    async def shake_hands(self) -> dict[str, Any]:
        """Greet, take any key; return the auth message."""
        await self.say(a_status("connected", "Connected Successfully"))
        auth = await self.hear()
        await self.say(a_status("auth_success", "authenticated"))
        return auth

    async def grant(self) -> dict[str, Any]:
        """Wait for a subscribe or unsubscribe, grant each topic; return what was asked."""
        asked = await self.hear()
        words = f"{asked['action']}d to: "
        await self.say(*(a_status("success", words + topic) for topic in asked["params"].split(",")))
        return asked


class ScriptedStream:
    """A market data server. The n-th connection is served by the n-th script, further ones by the last."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.connections = 0
        self.faults: list[BaseException] = []
        self._test = asyncio.current_task()

    async def serve(self, socket: ServerConnection) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
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
            yield server, f"ws://127.0.0.1:{port}/stocks"
    finally:
        for fault in server.faults:
            raise fault


async def for_ever(peer: Peer) -> None:
    """Say nothing more; end with the connection."""
    await peer.socket.wait_closed()
