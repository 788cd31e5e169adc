"""Frames on their way to one websocket: putting never waits, the buffer is bounded, the too slow are cut off.

So no client can hold the others, or the clock.
"""

import asyncio
import contextlib
from collections import deque

from aiohttp import WSMsgType, web

FAREWELL_S = 2.0
"""Wall seconds that a client which is cut off has to take the frame that says why."""


class Outbox:
    """One websocket's outgoing frames.

    transport:   of the websocket: a client that takes nothing at all can only be cut off there
    binary:      frames go out as binary, else as text
    limit_bytes: how much may wait
    slow_frame:  the last word to a client that let more than that pile up
    """

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        *,
        binary: bool,
        limit_bytes: int,
        slow_frame: bytes,
    ) -> None:
        self._ws, self._transport = ws, transport
        self._kind = WSMsgType.BINARY if binary else WSMsgType.TEXT
        self._limit, self._slow_frame = limit_bytes, slow_frame
        self._frames: deque[bytes] = deque()
        self._waiting = 0
        self._something = asyncio.Event()
        self._closing = False

    def put(self, frame: bytes) -> None:
        """Queue a frame; nothing is taken any more once the box is closing."""
        if self._closing:
            return
        if self._waiting + len(frame) > self._limit:
            self._cut_off()
            return
        self._frames.append(frame)
        self._waiting += len(frame)
        self._something.set()

    def close(self) -> None:
        """Send what waits, then close the socket; if that takes too long, drop it."""
        self._closing = True
        self._something.set()
        asyncio.get_running_loop().call_later(FAREWELL_S, self._transport.abort)

    async def run(self) -> None:
        """Send until close() or until the client is gone."""
        with contextlib.suppress(ConnectionError):
            while not self._closing or self._frames:
                await self._something.wait()
                self._something.clear()
                while self._frames:
                    frame = self._frames.popleft()
                    await self._ws.send_frame(frame, self._kind)
                    self._waiting -= len(frame)
            await self._ws.close()

    def _cut_off(self) -> None:
        self._frames.clear()
        self._frames.append(self._slow_frame)
        self.close()
