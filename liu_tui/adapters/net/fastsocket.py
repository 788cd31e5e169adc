"""The websocket of much data, by picows where the extra `fast` is installed.

A frame costs it a third to a fifth of what it costs `websockets`. It raises what that library raises, so that
nobody needs to know which of them he has. It is taken past no proxy: `dial` takes the other library there.
"""

import asyncio
import contextlib
import socket
from types import ModuleType
from typing import Any, Literal

from websockets.exceptions import (
    ConnectionClosedError,
    InvalidStatus,
    WebSocketException,
)
from websockets.frames import Close, CloseCode
from websockets.uri import parse_uri

from liu_tui.settings import Settings


def library() -> ModuleType | None:
    """Return picows' socket module; None if it is not installed, or the environment says LIU_PLAIN."""
    if Settings.read().plain:
        return None
    try:
        from picows import websockets
    except ImportError:
        return None
    return websockets


class Line:
    """The bare socket below a connection, which picows does not show: only so can it be cut at once."""

    def __init__(self, open_s: float) -> None:
        self._open_s = open_s
        self._sock: socket.socket | None = None

    async def open(self, url: Any) -> socket.socket:
        """Connect to the url's host, at the first of its addresses that answers.

        Raises OSError, TimeoutError among them.
        """
        async with asyncio.timeout(self._open_s):
            return await self._open(url)

    async def _open(self, url: Any) -> socket.socket:
        loop = asyncio.get_running_loop()
        refused: OSError = OSError(f"no address of {url.host}")
        found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _name, address in found:
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, address)
            except OSError as e:
                sock.close()
                refused = e
            except BaseException:
                sock.close()
                raise
            else:
                self._sock = sock
                return sock
        raise refused

    def abort(self) -> None:
        """Cut it: whoever reads hears the end."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)


class FastSocket:
    """A connection by picows, with as much of the surface of websockets' ClientConnection as is used here."""

    def __init__(self, connection: Any, fault: type[Exception], line: Line) -> None:
        self._connection, self._fault = connection, fault
        self._recv = connection.recv
        self.transport = line

    @classmethod
    async def connect(cls, picows: ModuleType, url: str, **options: Any) -> "FastSocket":
        """Open one; options as `websockets.connect` has them. Raises what that raises."""
        parse_uri(url)  # or it would be a fault of picows' own
        open_s = options["open_timeout"]
        line = Line(open_s)
        if url.startswith("wss:"):
            options["ssl_handshake_timeout"] = open_s
        try:
            connection = await picows.connect(url, proxy=None, socket_factory=line.open, **options)
            return cls(connection, picows.WebSocketException, line)
        except asyncio.CancelledError:
            line.abort()  # picows would leave it to the garbage collector
            raise
        except picows.WebSocketException as e:
            raise _translated(e) from e
        except TimeoutError as e:
            raise TimeoutError("timed out during opening handshake") from e

    async def recv(self, decode: Literal[False]) -> bytes:
        """Wait for the next message, as bytes. Raises ConnectionClosedError."""
        try:
            frame: bytes = await self._recv(decode)
        except self._fault as e:
            raise _translated(e) from e
        return frame

    async def send(self, message: str | bytes) -> None:
        """Send one message. Raises ConnectionClosedError."""
        try:
            await self._connection.send(message)
        except self._fault as e:
            raise _translated(e) from e

    async def close(self) -> None:
        """Hang up. May be called twice."""
        await self._connection.close()


def _close(said: Any) -> Close | None:
    # 1005: a close without a code (RFC 6455, 7.4.1).
    return Close(int(said.code or CloseCode.NO_STATUS_RCVD), said.reason or "") if said is not None else None


def _translated(e: Exception) -> Exception:
    # The two libraries call their faults by the same names, and give them the same fields.
    match type(e).__name__:
        case "ConnectionClosedError" | "ConnectionClosedOK":
            rcvd, sent = _close(e.rcvd), _close(e.sent)  # type: ignore[attr-defined]
            return ConnectionClosedError(rcvd, sent, True if rcvd and sent else None)
        case "InvalidStatus":
            return InvalidStatus(e.response)  # type: ignore[attr-defined]
    return WebSocketException(str(e) or type(e).__name__)
