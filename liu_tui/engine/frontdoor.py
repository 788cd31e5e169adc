"""The session's unix socket: screens and `ctl` come and go here. Private to the user; owns nothing.

A screen that does not read is not waited for: it misses pictures, and is hung up on when too much is owed
to it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from liu_tui.engine.client import MAX_FRAME, AskDetail, Command, Farewell, FromClient, Hello, Reply, ToClient
from liu_tui.engine.snapshot import Detail, LogLine, Picture
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS, normal_symbol

MAX_RATE = 10.0
MIN_RATE = 0.01
"""Pictures a second. A guest may ask for anything; what it gets lies between these."""
OWED_BYTES = 1024 * 1024
HANG_UP_BYTES = 32 * 1024 * 1024
FAREWELL_S = 1.0

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[FromClient] = msgspec.msgpack.Decoder(FromClient)


class Guest:
    """One connection. watch: pictures a second it asked for; logged: the last log line it has."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.watch = 0.0
        self.logged = 0
        self.next_ns = 0

    @property
    def owed(self) -> int:
        """Bytes it has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    def send(self, message: ToClient) -> None:
        """Send, or hang up if it has long stopped reading."""
        if self.owed > HANG_UP_BYTES:
            self._writer.transport.abort()
            return
        frame = _encoder.encode(message)
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._writer.write(len(frame).to_bytes(4, "big") + frame)

    def due(self, now_ns: int) -> bool:
        """Whether it wants a picture now, and takes them."""
        return self.watch > 0 and now_ns >= self.next_ns and self.owed < OWED_BYTES

    async def close(self) -> None:
        """Hang up, once it has taken what it is owed."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Hang up now, whatever it is owed."""
        if self.owed:
            self._writer.transport.abort()


class FrontDoor:
    """Serves the socket. The supervisor gives it commands' handler, pictures and log lines."""

    def __init__(
        self,
        path: Path,
        on_command: Callable[[Command, Guest], Awaitable[None]],
        on_detail: Callable[[str, Guest], None],
    ) -> None:
        self._path = path
        self._on_command, self._on_detail = on_command, on_detail
        self._guests: set[Guest] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. A socket left by a dead supervisor is taken over."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    def watched(self) -> bool:
        """Whether anybody wants a picture now."""
        now = monotonic_ns()
        return any(guest.due(now) for guest in self._guests)

    def show(self, picture: Picture, log_after: Callable[[int], tuple[LogLine, ...]]) -> None:
        """Send the picture to whoever is due, each with the log lines it lacks."""
        now = monotonic_ns()
        for guest in self._guests:
            if not guest.due(now):
                continue
            lines = log_after(guest.logged)
            if lines:
                guest.logged = lines[-1].n
            guest.next_ns = now + int(SECOND_NS / guest.watch)
            guest.send(msgspec.structs.replace(picture, log=lines))

    def tell(self, guest: Guest, message: Reply | Detail) -> None:
        """Answer one guest, if it is still there."""
        if guest in self._guests:
            guest.send(message)

    async def close(self, farewell: Farewell) -> None:
        """Say farewell to everybody and stop listening."""
        guests = list(self._guests)
        for guest in guests:
            guest.send(farewell)
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(*(guest.close() for guest in guests))
        for guest in guests:
            guest.abort()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = Guest(writer)
        self._guests.add(guest)
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(4), "big")
                if size > MAX_FRAME:
                    return
                await self._hear(guest, _decoder.decode(await reader.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError):
            pass  # it went away, or is no client of this build: its connection ends, nothing else does
        finally:
            self._guests.discard(guest)
            writer.close()

    async def _hear(self, guest: Guest, message: FromClient) -> None:
        match message:
            case Hello(watch=watch, log_from=log_from):
                guest.watch = min(max(watch, MIN_RATE), MAX_RATE) if watch > 0 else 0.0
                guest.logged = log_from
            case AskDetail(symbol=symbol):
                self._on_detail(normal_symbol(symbol), guest)
            case Command():
                await self._on_command(message, guest)
