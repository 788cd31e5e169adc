"""The trade-updates stream: what happens to the account's orders, told to everybody who listens.

Source: Alpaca's "Websocket streaming" page of the trading API. Frames are JSON in binary, as the paper
service sends them; msgpack for a client whose `Content-Type` asks for it. Ours: `lockstep` asks for a mark
after each step.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from liu_tui.localmarket.auth import Answer, Keys
from liu_tui.localmarket.lockstep import LockStep
from liu_tui.localmarket.outbox import Outbox
from liu_tui.localmarket.rfc3339 import rfc3339

STREAM = "trade_updates"


class TradeStream:
    """All connections of the trade-updates stream."""

    def __init__(self, keys: Keys, lockstep: LockStep) -> None:
        self.keys, self.lockstep = keys, lockstep
        self.clients: list[TradeClient] = []

    def cut(self) -> int:
        """Cut every connection without a word; return how many there were."""
        clients = list(self.clients)
        for client in clients:
            client.hang_up()
        return len(clients)

    def publish(self, update: Mapping[str, Any]) -> None:
        """Tell one update, in Alpaca's words, to those who listen."""
        for client in self.clients:
            if STREAM in client.streams and not client.silent:
                client.say(STREAM, update)

    def mark_step(self) -> None:
        """Everything of the present step has been told."""
        for client in self.clients:
            client.say_step()


class TradeClient:
    """One connection.

    silent: a fault keeps the updates from it
    """

    def __init__(self, stream: TradeStream, outbox: Outbox, *, msgpack: bool) -> None:
        self._stream, self._outbox, self._msgpack = stream, outbox, msgpack
        self._in_lockstep = False
        self.authorized = self.silent = False
        self.streams: list[str] = []

    async def talk(self, ws: web.WebSocketResponse, headers: Mapping[str, str]) -> None:
        """Hold the conversation until one of the two hangs up."""
        self.authorized = self._stream.keys.check_headers(headers) is Answer.IN
        self._stream.clients.append(self)
        try:
            async for message in ws:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._hear(message.data)
        finally:
            self._stream.clients.remove(self)

    def say(self, stream: str, data: Mapping[str, Any]) -> None:
        """Send one message."""
        message = {"stream": stream, "data": data}
        encode = msgspec.msgpack.encode if self._msgpack else msgspec.json.encode
        self._outbox.put(encode(message))

    def say_step(self) -> None:
        """Mark the end of the present step, if this client asked for it."""
        if self._in_lockstep:
            step = self._stream.lockstep
            self.say("step", {"n": step.n, "t": rfc3339(step.t_ns)})

    def fall_silent(self) -> None:
        """Tell no more updates. Outside lock-step nothing else either, and no ping is answered.

        In lock-step the marks and the pongs go on: the market would wait for a client that waits for it.
        """
        self.silent = True
        if not self._in_lockstep:
            self._outbox.freeze()

    def end_silence(self) -> None:
        """Tell updates again; a line that was dead is cut, as dead lines are in the end."""
        self.silent = False
        if not self._in_lockstep:
            self.hang_up()

    def hang_up(self) -> None:
        """Cut the connection without a word."""
        self._outbox.abort()

    def _hear(self, data: str | bytes) -> None:
        try:
            message = read_message(data, msgpack=self._msgpack)
        except msgspec.MsgspecError as e:
            self.say("error", {"action": "error", "error_message": f"not a message: {e}"})
            return
        match message.get("action"):
            case "authenticate" | "auth" as action:
                self._authorize(action, message)
            case "listen" | "lockstep" as action if not self.authorized:
                self.say("authorization", {"status": "unauthorized", "action": action})
            case "listen":
                self._listen(message.get("data"))
            case "lockstep":
                self._in_lockstep = True
                if self._stream.lockstep.n:
                    self.say_step()
            case other:
                self.say("error", {"action": str(other), "error_message": "unknown action"})

    def _authorize(self, action: str, message: dict[str, Any]) -> None:
        words = message.get("data") if action == "authenticate" else message
        words = words if isinstance(words, dict) else {}
        key, secret = words.get("key_id", words.get("key")), words.get("secret_key", words.get("secret"))
        self.authorized = self._stream.keys.check(key, secret) is Answer.IN
        status = "authorized" if self.authorized else "unauthorized"
        self.say("authorization", {"status": status, "action": "authenticate"})

    def _listen(self, words: Any) -> None:
        asked = words.get("streams") if isinstance(words, dict) else None
        self.streams = [s for s in asked if s == STREAM] if isinstance(asked, list) else []
        self.say("listening", {"streams": self.streams})


def read_message(data: str | bytes, *, msgpack: bool) -> dict[str, Any]:
    """Read what a client sent; text is always JSON. Raises msgspec.MsgspecError if it is no object."""
    if msgpack and isinstance(data, bytes):
        return msgspec.msgpack.decode(data, type=dict[str, Any])
    return msgspec.json.decode(data, type=dict[str, Any])
