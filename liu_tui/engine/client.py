"""The screen's door to a session: connect to its unix socket, receive pictures, send commands.

Knows no Textual; `ctl`, `attach` and tests use it as the console does.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from liu_tui.engine.snapshot import Detail, Picture
from liu_tui.errors import NothingToAttach, WireError

Verb = str
VERBS = (
    "pause",
    "resume",
    "reject",
    "allow",
    "unsubscribe",
    "subscribe",
    "cancel",
    "flatten",
    "kill",
    "reconnect",
    "resolve",
    "release",
    "status",
    "stop",
)


class Hello(msgspec.Struct, frozen=True, tag="hello", array_like=True):
    """A client's first word. watch: send me pictures, this many a second at most."""

    watch: float = 0.0
    log_from: int = 0  # send log lines after this number; 0 means the last few hundred


class Command(msgspec.Struct, frozen=True, tag="command", array_like=True):
    """Do something. id makes it idempotent. symbol "" means all where the verb allows it.

    order: client_order_id for cancel; by: who asks ("console", "ctl")
    flatten: with stop
    choice: of resolve, what to do with a difference: adopt, flatten, ignore; of reject, what to do with a
            position and working orders: keep, cancel, flatten; "" is keep
    until:  of reject: "day" (the end of it), "good" (until a person takes it back), "HH:MM" New York time, or
            minutes as "30m"; "" is "day"
    """

    id: str
    verb: str
    symbol: str = ""
    strategy: str = ""
    order: str = ""
    reason: str = ""
    by: str = "console"
    flatten: bool = False
    choice: str = ""
    until: str = ""


class Reply(msgspec.Struct, frozen=True, tag="reply", array_like=True):
    """How a command went. data: a JSON object, for status."""

    id: str
    ok: bool
    words: str
    data: str = "{}"


class AskDetail(msgspec.Struct, frozen=True, tag="ask_detail", array_like=True):
    """Send me a Detail of this symbol once; ask again for a fresh one."""

    symbol: str


class Farewell(msgspec.Struct, frozen=True, tag="farewell", array_like=True):
    """The session has ended; summary is its JSON."""

    words: str
    summary: str = "{}"


FromClient = Hello | Command | AskDetail
ToClient = Picture | Reply | Detail | Farewell

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[ToClient] = msgspec.msgpack.Decoder(ToClient)
MAX_FRAME = 16 * 1024 * 1024
_MIXED = "The session and this program are different builds."


class Client:
    """One connection to a session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._replies: dict[str, asyncio.Future[Reply]] = {}
        self._over = False

    @classmethod
    async def connect(cls, socket: Path, *, watch: float = 0.0, log_from: int = 0) -> Client:
        """Open the session's socket and say hello.

        Raises NothingToAttach if nobody listens there.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(str(socket))
        except OSError as e:
            raise NothingToAttach(
                "no session answers", where=str(socket), mend="See 'liu-tui sessions'."
            ) from e
        client = cls(reader, writer)
        client._send(Hello(watch, log_from))
        return client

    async def messages(self) -> AsyncIterator[ToClient]:
        """Yield pictures, details, replies and the farewell, until the session or close() ends it.

        Raises WireError if what comes is not of this build.
        """
        while True:
            try:
                message = await self._next()
            except (asyncio.IncompleteReadError, ConnectionError):
                self._end()
                return
            except WireError:
                self._end()
                raise
            waiter = self._replies.get(message.id) if isinstance(message, Reply) else None
            if waiter is not None and isinstance(message, Reply) and not waiter.done():
                waiter.set_result(message)
            yield message

    def send(self, verb: Verb, **words: str | bool) -> str:
        """Send a command without waiting; returns its id. Its Reply comes through messages()."""
        command = Command(secrets.token_hex(6), verb, **words)  # type: ignore[arg-type] # names checked by Command
        self._send(command)
        return command.id

    async def ask(self, verb: Verb, *, timeout: float = 30.0, **words: str | bool) -> Reply:
        """Send a command and wait for its Reply. Somebody must be reading messages() meanwhile.

        Raises TimeoutError, or NothingToAttach if the session goes away first.
        """
        if self._over:
            raise _gone()
        command_id = self.send(verb, **words)
        waiter = self._replies[command_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                reply: Reply = await waiter
        finally:
            del self._replies[command_id]
        return reply

    def ask_detail(self, symbol: str) -> None:
        """Ask for a symbol's Detail; it comes through messages()."""
        self._send(AskDetail(symbol))

    async def close(self) -> None:
        """Hang up. May be called twice."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def _send(self, message: FromClient) -> None:
        frame = _encoder.encode(message)
        self._writer.write(len(frame).to_bytes(4, "big") + frame)

    async def _next(self) -> ToClient:
        size = int.from_bytes(await self._reader.readexactly(4), "big")
        if size > MAX_FRAME:
            raise WireError(f"a frame of {size} bytes", where="session socket", mend=_MIXED)
        frame = await self._reader.readexactly(size)
        try:
            return _decoder.decode(frame)
        except msgspec.MsgspecError as e:
            raise WireError(str(e), where="session socket", mend=_MIXED) from e

    def _end(self) -> None:
        self._over = True
        for waiter in self._replies.values():
            if not waiter.done():
                waiter.set_exception(_gone())


def _gone() -> NothingToAttach:
    return NothingToAttach("the session went away", mend="See 'liu-tui sessions'.")
