"""One client of the market data stream in Polygon's protocol, and our additions to it.

    connected ─▶ auth (within 10 s) ─▶ auth_success ─▶ subscribe, unsubscribe ─▶ a status for each topic

A second connection with a key is let in, and the first is evicted: max_connections, close code 1008. Ours,
only for a client that asks: `clock` (hear of pause and speed, and of the session's end). There is no
lock-step.
Source of words: Massive's "WebSocket quickstart" page, and what its service was seen to send.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from liu_tui.adapters.polygon.spelling import our_symbol
from liu_tui.localmarket.dataclient import AUTH_S
from liu_tui.localmarket.hub import Client
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.outbox import Outbox
from liu_tui.localmarket.polygon_codec import PolygonCodec, read_message
from liu_tui.localmarket.polygon_door import PolygonDoor
from liu_tui.localmarket.polygon_hub import CHANNELS, PolygonHub

_TOPIC = re.compile(r"([A-Z]+)\.(\*|[A-Za-z0-9][A-Za-z0-9./-]{0,14})")
NO_ENTRY = {
    402: ("auth_failed", "authentication failed"),
    404: ("auth_timeout", "Your connection was not authenticated in time."),
    406: ("max_connections", "Maximum number of websocket connections exceeded."),
}
"""By Alpaca's codes, in which faults are asked for."""
SLOW = ("slow_consumer", "Connection closed: the client does not read fast enough.")


class PolygonClient(Client):
    """One connection. `parts` are events waiting for flush()."""

    def __init__(
        self, hub: PolygonHub, door: PolygonDoor, clock: MarketClock, codec: PolygonCodec, outbox: Outbox
    ) -> None:
        self._hub, self._door, self._clock = hub, door, clock
        self.codec: PolygonCodec = codec
        self.outbox = outbox
        self.parts: list[bytes] = []
        self.wants: dict[str, set[str]] = {channel: set() for channel in CHANNELS.values()}
        self.key = ""
        self._authenticated = self._wants_clock = False

    async def talk(self, ws: web.WebSocketResponse) -> None:
        """Hold the conversation until one of the two hangs up."""
        self._status("connected", "Connected Successfully")
        timer = asyncio.get_running_loop().call_later(AUTH_S, self._time_is_up)
        try:
            async for message in ws:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._hear(message.data)
        finally:
            timer.cancel()
            self._leave()

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one control message, after the events that came before it."""
        self.flush()
        self.outbox.put(self.codec.message(message))

    def flush(self) -> None:
        """Send the events that were published to this client."""
        if self.parts:
            for frame in self.codec.frames(self.parts):
                self.outbox.put(frame)
            self.parts.clear()

    def say_clock(self) -> None:
        """Tell how the session clock runs, in nanoseconds, if this client asked to know."""
        if self._wants_clock:
            clock = self._clock
            how = {"speed": clock.speed, "paused": clock.paused, "lockstep": clock.lockstep}
            self.say({"ev": "clock", "t": clock.told_ns()} | how)

    def say_end(self) -> None:
        """Tell that the session is over, if it is and this client asked for the clock."""
        if self._clock.ended_ns and self._wants_clock:
            self.say({"ev": "end", "t": self._clock.ended_ns})

    def evict(self) -> None:
        """Hang up, for another connection has come with the same key."""
        self._leave()
        self._status(*NO_ENTRY[406])
        self.outbox.close(WSCloseCode.POLICY_VIOLATION)

    def _hear(self, data: str | bytes) -> None:
        try:
            said = read_message(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._status("error", "invalid message: not a JSON object")
            return
        action, params = said.get("action"), said.get("params", "")
        if not isinstance(params, str):
            self._status("error", "invalid params: not a string")
        elif action == "auth":
            self._let_in(params)
        elif not self._authenticated:
            self._status("error", "not authenticated")
        elif action in ("subscribe", "unsubscribe"):
            self._change(action, params)
        elif action == "clock":
            self._wants_clock = True
            self.say_clock()
            self.say_end()
        else:
            self._status("error", f"unknown action: {action}")

    def _let_in(self, key: str) -> None:
        if self._authenticated:
            self._status("auth_success", "already authenticated")
            return
        code = self._door.refusals.at_login() if self._door.admits(key) else 402
        if code:
            self._status(*NO_ENTRY[code])
            self.outbox.close()
            return
        for other in list(self._hub.clients):
            if isinstance(other, PolygonClient) and other.key == key:
                other.evict()
        self.key, self._authenticated = key, True
        self._hub.clients.append(self)
        self._status("auth_success", "authenticated")

    def _change(self, action: str, params: str) -> None:
        if action == "subscribe" and self._door.refusals.at_subscription():
            self._status("error", f"not authorized for: {params}")
            return
        wants = {channel: set(symbols) for channel, symbols in self.wants.items()}
        for topic in (part.strip() for part in params.split(",")):
            found = _TOPIC.fullmatch(topic)
            if found is None or found[1] not in CHANNELS:
                self.parts.append(self.codec.status("error", f"invalid topic: {topic}"))
                continue
            have, symbol = wants[CHANNELS[found[1]]], our_symbol(found[2])
            have.add(symbol) if action == "subscribe" else have.discard(symbol)
            self.parts.append(self.codec.status("success", f"{action}d to: {topic}"))
        self.wants = wants
        self._hub.forget_routes()
        self.flush()

    def _status(self, status: str, message: str) -> None:
        self.parts.append(self.codec.status(status, message))
        self.flush()

    def _time_is_up(self) -> None:
        if not self._authenticated:
            self._status(*NO_ENTRY[404])
            self.outbox.close()

    def _leave(self) -> None:
        if self in self._hub.clients:
            self._hub.clients.remove(self)
            self._hub.forget_routes()
