"""The websocket of order updates. It reconnects by itself, and says when it came and went.

Nothing is sent again by the other side after a gap: after each coming the desk must ask what it missed.
Hours may pass between two updates, so silence proves nothing: pings do, and one that is not answered in time
ends the connection. The wait before the next try doubles each time, until a connection has lasted.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from liu_tui.adapters.alpaca.parse_orders import read_update
from liu_tui.adapters.alpaca.times import read_time
from liu_tui.adapters.foreign import UNREADABLE, Count
from liu_tui.adapters.net.backoff import Backoff
from liu_tui.adapters.net.closing import Closing
from liu_tui.adapters.net.dial import BROKEN, Lost, Shut, Socket, dial, in_words
from liu_tui.errors import TraderError
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS, Step
from liu_tui.model.orders import OrderUpdate
from liu_tui.trading.trader import BrokerStatus

log = logging.getLogger(__name__)

WHERE = "alpaca order updates"
UPDATES = "trade_updates"
PING_S, PONG_S = 5.0, 10.0
"""Fills are not to be missed for longer than the two together."""
LOCKSTEP_PONG_S = 60.0
"""A market that computes a step answers no pings."""
_TAKEN = 406  # "connection limit exceeded"
_MEND_KEYS = "Check APCA_API_KEY_ID and APCA_API_SECRET_KEY; paper keys need the paper URL."


class _Envelope(msgspec.Struct, frozen=True):
    """One message: which stream it is of, and its data."""

    stream: str
    data: Any = None


class _StepData(msgspec.Struct, frozen=True):
    n: Count
    t: str | Count


class _Authorization(msgspec.Struct, frozen=True):
    status: str


class _Trouble(msgspec.Struct, frozen=True):
    """What an "error" or a late "authorization" says; anything in it may be missing."""

    status: str = ""
    code: int = 0
    error_message: str = ""
    msg: str = ""


_decoder: msgspec.json.Decoder[_Envelope] = msgspec.json.Decoder(_Envelope)


class TradeStream:
    """One account's order updates.

    refused: messages that could not be read; after each the desk is told to reconcile
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        *,
        lockstep: bool,
        first_wait_s: float,
        longest_wait_s: float,
        answer_s: float = 10.0,
        ping_s: float = PING_S,
        pong_s: float = PONG_S,
    ) -> None:
        self._url, self._key, self._secret, self._lockstep = url, key, secret, lockstep
        self._answer_s = answer_s
        self._ping_s, self._pong_s = ping_s, LOCKSTEP_PONG_S if lockstep else pong_s
        self._backoff, self._lasting_ns = (
            Backoff(first_wait_s, longest_wait_s),
            int(longest_wait_s * SECOND_NS),
        )
        self._since_ns = 0
        self._closing = Closing()
        self._socket: Socket | None = None
        self.refused = 0

    async def items(self) -> AsyncIterator[OrderUpdate | BrokerStatus | Step]:
        """Yield updates, steps, and each coming and going, until close().

        Raises TraderError if the keys are refused.
        """
        try:
            while not self._closing:
                try:
                    early = await self._closing.race(self._connect())
                    if early is None or self._closing:
                        return
                    yield BrokerStatus(True, self._url)
                    for frame in early:
                        for item in self._read(frame):
                            yield item
                    async for frame in self._frames():
                        for item in self._read(frame):
                            yield item
                except Lost as e:
                    words = e.words
                await self._hang_up()
                if not self._closing:
                    wait_s = self._wait_s()
                    yield BrokerStatus(False, f"{words}; trying again in {wait_s:.1f} s")
                    await self._closing.sleep(wait_s)
        except Shut as e:
            yield BrokerStatus(False, e.words)
            raise TraderError(e.words, where=WHERE, mend=e.mend) from e
        finally:
            await self._hang_up()

    async def close(self) -> None:
        """End items(). May be called twice."""
        self._closing.set()
        await self._hang_up()

    async def _connect(self) -> list[bytes]:
        """Dial, authenticate, listen; return updates that came before the answer. Raises Lost or Shut."""
        self._since_ns = 0
        socket = await dial(
            self._url,
            open_s=self._answer_s,
            content_type="application/json",
            ping_s=self._ping_s,
            pong_s=self._pong_s,
        )
        try:
            async with asyncio.timeout(self._answer_s):
                keys = {"key_id": self._key, "secret_key": self._secret}
                await _send(socket, {"action": "authenticate", "data": keys})
                _check(await _hear(socket, "authorization", []))
                await _send(socket, {"action": "listen", "data": {"streams": [UPDATES]}})
                early: list[bytes] = []
                await _hear(socket, "listening", early)
                if self._lockstep:
                    await _send(socket, {"action": "lockstep"})
        except TimeoutError:
            await socket.close()
            raise Lost(f"no answer within {self._answer_s:g} s") from None
        except BaseException:
            await socket.close()
            raise
        self._socket, self._since_ns = socket, monotonic_ns()
        return early

    def _wait_s(self) -> float:
        """Seconds until the next try; short again only after a connection that lasted.

        One that comes and goes would have the desk ask the broker for everything each time.
        """
        if self._since_ns and monotonic_ns() - self._since_ns >= self._lasting_ns:
            self._backoff.reset()
        return self._backoff.next_s()

    async def _frames(self) -> AsyncIterator[bytes]:
        """Yield frames. Ends only by raising Lost."""
        while self._socket is not None:
            yield await _receive(self._socket)
        raise Lost("closed")

    def _read(self, frame: bytes) -> list[OrderUpdate | BrokerStatus | Step]:
        try:
            said = _decoder.decode(frame)
            if said.stream == UPDATES:
                return [read_update(said.data)]
            if said.stream == "step":
                return [_step(said.data)]
            if said.stream in ("authorization", "error"):
                _check_late(said.data)
        except (TraderError, *UNREADABLE) as e:
            # It may have been a fill: the desk must look for itself, as after a gap.
            self.refused += 1
            log.warning("%s: a message could not be read: %s", WHERE, e)
            return [BrokerStatus(True, f"an update could not be read: {e}")]
        return []

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(*BROKEN):
                await socket.close()


async def _send(socket: Socket, what: object) -> None:
    try:
        await socket.send(msgspec.json.encode(what).decode())
    except BROKEN as e:
        raise Lost(in_words(e)) from e


async def _receive(socket: Socket) -> bytes:
    # The paper service sends JSON in binary frames, the live one in text; as bytes they are the same.
    try:
        return await socket.recv(decode=False)
    except BROKEN as e:
        raise Lost(in_words(e)) from e


async def _hear(socket: Socket, stream: str, early: list[bytes]) -> Any:
    """Wait for the answer of a stream; what else comes goes to `early`."""
    while True:
        frame = await _receive(socket)
        try:
            said = _decoder.decode(frame)
        except UNREADABLE as e:
            raise Lost(f"an answer that cannot be read: {e}") from e
        if said.stream in (stream, "authorization"):
            return said.data
        early.append(frame)


def _check(data: Any) -> None:
    try:
        status = msgspec.convert(data, _Authorization).status
    except msgspec.ValidationError as e:
        raise Lost(f"an answer that cannot be read: {e}") from e
    if status != "authorized":
        raise Shut(f"keys refused ({status})", mend=_MEND_KEYS)


def _check_late(data: Any) -> None:
    """Read what is said against us while we listen. Raises Lost."""
    said = msgspec.convert(data, _Trouble)
    words = said.error_message or said.msg or said.status
    if said.status == "authorized":
        return
    if said.code == _TAKEN or "connection limit" in words:
        raise Lost(f"another client took the connection ({words})")
    if said.status == "unauthorized":
        raise Lost("the broker has ended our login: another client took it, or the keys were revoked")
    log.warning("%s: the broker says: %s", WHERE, words)


def _step(data: Any) -> Step:
    said = msgspec.convert(data, _StepData)
    return Step(said.n, read_time(said.t) if isinstance(said.t, str) else said.t)
