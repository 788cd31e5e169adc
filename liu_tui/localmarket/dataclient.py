"""One client of the market data stream: the conversation of Alpaca's protocol, and our additions to it.

    connected ─▶ auth (by headers, or within 10 s) ─▶ authenticated ─▶ subscribe, unsubscribe ─▶ the whole set

Ours, only for a client that asks: `clock` (hear of pause and speed), `lockstep` and `ack` (see lockstep.py).
Source of words and codes: Alpaca's "Streaming market data" page.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from liu_tui.localmarket.auth import Answer, Keys
from liu_tui.localmarket.hub import CHANNELS, WITH_TRADES, Hub
from liu_tui.localmarket.lines import Refusals
from liu_tui.localmarket.lockstep import LockStep
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.outbox import Outbox
from liu_tui.localmarket.wire import Codec

AUTH_S = 10.0
"""Wall seconds a client has to log in."""
TOO_LATE, TOO_MANY = 404, 406
_SYMBOL = re.compile(r"\*|[A-Z0-9][A-Z0-9./-]{0,14}")
_ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    410: "invalid subscribe action for this feed",
}


class Terms(msgspec.Struct):
    """What all clients of the data stream share.

    symbol_limit, one_connection: see MarketOptions
    refusals: what faults refuse, besides
    """

    keys: Keys
    clock: MarketClock
    lockstep: LockStep
    symbol_limit: int | None = None
    one_connection: bool = False
    refusals: Refusals = msgspec.field(default_factory=Refusals)


class SaidNo(Exception):
    """The protocol's answer to a request that cannot be; code as in Alpaca's table."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def error_frame(codec: Codec, code: int) -> bytes:
    """The frame that says so."""
    return codec.message({"T": "error", "code": code, "msg": _ERRORS[code]})


class DataClient:
    """One connection. `parts` are events waiting for flush()."""

    def __init__(self, hub: Hub, terms: Terms, codec: Codec, outbox: Outbox) -> None:
        self.hub, self.terms, self.codec, self.outbox = hub, terms, codec, outbox
        self.parts: list[bytes] = []
        self.wants: dict[str, set[str]] = {channel: set() for channel in CHANNELS}
        self.authenticated = False
        self.refused = False
        self.wants_clock = False

    async def talk(self, ws: web.WebSocketResponse, headers: Mapping[str, str]) -> None:
        """Hold the conversation until one of the two hangs up."""
        self.say({"T": "success", "msg": "connected"})
        by_header = self.terms.keys.check_headers(headers)
        if by_header is not Answer.NO_KEYS:
            self._attempt(self._let_in, by_header)
        timer = asyncio.get_running_loop().call_later(AUTH_S, self._time_is_up)
        broken = True
        try:
            async for message in ws:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._attempt(self._hear, message.data)
            broken = ws.close_code in (None, WSCloseCode.ABNORMAL_CLOSURE)
        finally:
            timer.cancel()
            self._leave(broken)

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
        """Tell how the session clock runs, if this client asked to know."""
        if self.wants_clock:
            clock = self.terms.clock
            self.say(
                {
                    "T": "clock",
                    "t": self.codec.stamp(clock.told_ns()),
                    "speed": clock.speed,
                    "paused": clock.paused,
                    "lockstep": clock.lockstep,
                }
            )

    def say_step(self) -> None:
        """Mark the end of the present step."""
        step = self.terms.lockstep
        self.say({"T": "step", "n": step.n, "t": self.codec.stamp(step.t_ns)})

    def say_end(self) -> None:
        """Tell that the session is over, if it is and this client knows our additions."""
        ended_ns = self.terms.clock.ended_ns
        if ended_ns and (self.wants_clock or self in self.terms.lockstep.clients):
            self.say({"T": "end", "t": self.codec.stamp(ended_ns)})

    def _attempt(self, do: Any, *words: Any) -> None:
        try:
            do(*words)
        except SaidNo as e:
            self.outbox.put(error_frame(self.codec, e.code))

    def _hear(self, data: str | bytes) -> None:
        try:
            message = self.codec.read(data)
        except msgspec.MsgspecError as e:
            raise SaidNo(400) from e
        if not isinstance(message, dict):
            raise SaidNo(400)
        action = message.get("action")
        if action == "auth":
            self._let_in(self.terms.keys.check(message.get("key"), message.get("secret")))
            return
        if not self.authenticated:
            raise SaidNo(401)
        answer = _ANSWERS.get(action) if isinstance(action, str) else None
        if answer is None:
            raise SaidNo(400)
        answer(self, message)

    def _let_in(self, answer: Answer) -> None:
        if self.authenticated:
            raise SaidNo(403)
        if answer is not Answer.IN:
            raise SaidNo(402)
        if code := self.terms.refusals.at_login():
            self._refuse(code)
        if self.terms.one_connection and self.hub.clients:
            self.refused = True
            raise SaidNo(406)
        self.authenticated = True
        self.hub.clients.append(self)
        self.say({"T": "success", "msg": "authenticated"})

    def _refuse(self, code: int) -> None:
        if code == TOO_LATE:
            self._time_is_up()
            return
        self.refused = code == TOO_MANY
        raise SaidNo(code)

    def _time_is_up(self) -> None:
        if not self.authenticated:
            if not self.refused:
                self.outbox.put(error_frame(self.codec, 404))
            self.outbox.close()

    def _leave(self, broken: bool) -> None:
        if self.authenticated:
            self.hub.clients.remove(self)
            self.hub.forget_routes()
        self.terms.lockstep.leave(self, broken=broken)

    def _subscribe(self, message: dict[str, Any]) -> None:
        asked = _symbols(message)
        if code := self.terms.refusals.at_subscription():
            raise SaidNo(code)
        wants = {channel: old | asked.get(channel, set()) for channel, old in self.wants.items()}
        limit = self.terms.symbol_limit
        if limit is not None and len(wants["trades"]) + len(wants["quotes"]) > limit:
            raise SaidNo(405)
        self._now_wants(wants)

    def _unsubscribe(self, message: dict[str, Any]) -> None:
        asked = _symbols(message)
        self._now_wants({channel: old - asked.get(channel, set()) for channel, old in self.wants.items()})

    def _now_wants(self, wants: dict[str, set[str]]) -> None:
        self.wants = wants | dict.fromkeys(WITH_TRADES, wants["trades"])
        self.hub.forget_routes()
        self.say({"T": "subscription"} | {channel: sorted(some) for channel, some in self.wants.items()})

    def _follow_clock(self, _: dict[str, Any]) -> None:
        self.say({"T": "success", "msg": "clock"})
        self.wants_clock = True
        self.say_clock()
        self.say_end()

    def _join(self, _: dict[str, Any]) -> None:
        self.say({"T": "success", "msg": "lockstep"})
        self.terms.lockstep.join(self)

    def _acknowledge(self, message: dict[str, Any]) -> None:
        n, step = message.get("n"), self.terms.lockstep
        if not isinstance(n, int):
            raise SaidNo(400)
        if n != step.n and self in step.clients:
            # It came back, or came new, and does not know which step is being waited for.
            self.say_step()
        step.acknowledge(self, n)


_ANSWERS = {
    "subscribe": DataClient._subscribe,
    "unsubscribe": DataClient._unsubscribe,
    "clock": DataClient._follow_clock,
    "lockstep": DataClient._join,
    "ack": DataClient._acknowledge,
}


def _symbols(message: dict[str, Any]) -> dict[str, set[str]]:
    asked: dict[str, set[str]] = {}
    for channel, symbols in message.items():
        if channel == "action":
            continue
        if channel not in CHANNELS:
            raise SaidNo(410)
        if not isinstance(symbols, list) or not all(
            isinstance(s, str) and _SYMBOL.fullmatch(s) for s in symbols
        ):
            raise SaidNo(400)
        asked[channel] = set(symbols)
    return asked
