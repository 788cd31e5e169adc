"""Frames on their way to one websocket: putting never waits, the buffer is bounded, the too slow are cut off.

So no client can hold the others, or the clock.
"""

import asyncio
import contextlib
from collections import deque

from aiohttp import WSCloseCode, WSMsgType, web

from liu_tui.localmarket.trickle import PAUSE_S, Pace, pieces

FAREWELL_S = 2.0
"""Wall seconds that a client which is cut off has to take the frame that says why."""


class Outbox:
    """One websocket's outgoing frames.

    transport:   of the websocket: a client that takes nothing at all can only be cut off there
    binary:      frames go out as binary, else as text
    limit_bytes: how much may wait
    slow_frame:  the last word to a client that let more than that pile up
    pace:        how the frames go out; one for all connections that a fault may slow down
    """

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        *,
        binary: bool,
        limit_bytes: int,
        slow_frame: bytes,
        pace: Pace | None = None,
    ) -> None:
        self._ws, self._transport = ws, transport
        self._kind = WSMsgType.BINARY if binary else WSMsgType.TEXT
        self._pace = pace if pace is not None else Pace()
        self._limit, self._slow_frame = limit_bytes, slow_frame
        self._frames: deque[bytes] = deque()
        self._waiting = 0
        self._something = asyncio.Event()
        self._closing = self._aborted = self._frozen = False
        self._close_code: int = WSCloseCode.OK

    def put(self, frame: bytes) -> None:
        """Queue a frame; nothing is taken any more once the box is closing or frozen."""
        if self._closing or self._frozen:
            return
        if self._waiting + len(frame) > self._limit:
            self.cut_off()
            return
        self._frames.append(frame)
        self._waiting += len(frame)
        self._something.set()

    def close(self, code: int = WSCloseCode.OK) -> None:
        """Send what waits, then close the socket; if that takes too long, or it is frozen, drop it."""
        if self._frozen:
            self.abort()
            return
        self._closing, self._close_code = True, code
        self._something.set()
        asyncio.get_running_loop().call_later(FAREWELL_S, self._transport.abort)

    def cut_off(self) -> None:
        """Throw away what waits, say that the client is too slow, and hang up."""
        if self._closing:
            return
        self._frames.clear()
        self._frames.append(self._slow_frame)
        self.close()

    def abort(self) -> None:
        """Drop the connection without a word, and with all that waits."""
        self._closing = self._aborted = True
        self._frames.clear()
        self._something.set()
        self._transport.abort()

    def freeze(self) -> None:
        """Stay connected and do nothing more: what waits is thrown away, and no ping is read or answered."""
        self._frozen = True
        self._frames.clear()
        self._transport.pause_reading()

    async def run(self) -> None:
        """Send until close() or until the client is gone."""
        with contextlib.suppress(ConnectionError):
            while not self._closing or self._frames:
                await self._something.wait()
                self._something.clear()
                while self._frames:
                    frame = self._frames.popleft()
                    await self._send(frame)
                    self._waiting -= len(frame)
            if not self._aborted:
                await self._ws.close(code=self._close_code)

    async def _send(self, frame: bytes) -> None:
        if not self._pace.slow:
            await self._ws.send_frame(frame, self._kind)
            return
        self._pace.count()
        for piece in pieces(frame, binary=self._kind is WSMsgType.BINARY):
            if self._transport.is_closing():
                raise ConnectionResetError
            # Each piece is a whole fragment in one write: a pong of the websocket's own never falls into it.
            self._transport.write(piece)
            if self._pace.slow:
                await asyncio.sleep(PAUSE_S)
