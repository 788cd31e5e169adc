"""The websockets: one handler for each path, and the writer that goes with each connection."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from liu_tui.localmarket.dataclient import DataClient, Terms, error_frame
from liu_tui.localmarket.hub import Hub
from liu_tui.localmarket.outbox import Outbox
from liu_tui.localmarket.polygon_face import PolygonFace
from liu_tui.localmarket.tradestream import TradeClient, TradeStream
from liu_tui.localmarket.trickle import Pace
from liu_tui.localmarket.wire import JsonCodec, MsgpackCodec
from liu_tui.model.clock import monotonic_ns

MSGPACK = "application/msgpack"
SLOW_CLIENT = 407
_MAX_MESSAGE = 4 * 1024 * 1024


class Sockets:
    """All open websockets of the market.

    buffer_bytes: how much may wait for one client
    last_ns:      monotonic time at which the last one closed; 0 if none has
    pace:         how those send that carry market data
    """

    def __init__(
        self, terms: Terms, trades: TradeStream, json: JsonCodec, msgpack: MsgpackCodec, *, buffer_bytes: int
    ) -> None:
        self._terms, self._trades, self._json, self._msgpack = terms, trades, json, msgpack
        self._buffer_bytes = buffer_bytes
        self._open: set[Outbox] = set()
        self._data: set[Outbox] = set()
        self.pace = Pace()
        self.last_ns = 0

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def data(self, hub: Hub) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of one data endpoint."""

        async def handle(request: web.Request) -> web.StreamResponse:
            codec = self._msgpack if _wants_msgpack(request) else self._json

            async def talk(ws: web.WebSocketResponse, outbox: Outbox) -> None:
                await DataClient(hub, self._terms, codec, outbox).talk(ws, request.headers)

            return await self._converse(
                request, talk, binary=codec.binary, slow=error_frame(codec, SLOW_CLIENT)
            )

        return handle

    def polygon(self, face: PolygonFace) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of Polygon's data endpoint."""

        async def handle(request: web.Request) -> web.StreamResponse:
            async def talk(ws: web.WebSocketResponse, outbox: Outbox) -> None:
                await face.client(outbox).talk(ws)

            return await self._converse(request, talk, binary=False, slow=face.slow)

        return handle

    async def trading(self, request: web.Request) -> web.StreamResponse:
        """The handler of the trade-updates endpoint."""

        async def talk(ws: web.WebSocketResponse, outbox: Outbox) -> None:
            client = TradeClient(self._trades, outbox, msgpack=_wants_msgpack(request))
            await client.talk(ws, request.headers)

        slow = b'{"stream":"error","data":{"error_message":"slow client"}}'
        return await self._converse(request, talk, binary=True, slow=slow, trades=True)

    def drop_data(self) -> int:
        """Cut every connection of market data without a word; return how many there were."""
        return self._each_of_data(Outbox.abort)

    def cut_off_data(self) -> int:
        """Tell every client of market data that it is too slow, and hang up; return how many there were."""
        return self._each_of_data(Outbox.cut_off)

    def close(self) -> None:
        """Send what waits, and hang up."""
        for outbox in list(self._open):
            outbox.close()

    def _each_of_data(self, do: Callable[[Outbox], None]) -> int:
        outboxes = list(self._data)
        for outbox in outboxes:
            do(outbox)
        return len(outboxes)

    async def _converse(
        self,
        request: web.Request,
        talk: Callable[[web.WebSocketResponse, Outbox], Awaitable[None]],
        *,
        binary: bool,
        slow: bytes,
        trades: bool = False,
    ) -> web.StreamResponse:
        ws = web.WebSocketResponse(compress=False, timeout=1.0, max_msg_size=_MAX_MESSAGE)
        await ws.prepare(request)
        transport = request.transport
        if transport is None:  # the client left while we shook hands
            return ws
        outbox = Outbox(
            ws,
            transport,
            binary=binary,
            limit_bytes=self._buffer_bytes,
            slow_frame=slow,
            pace=None if trades else self.pace,
        )
        self._open.add(outbox)
        if not trades:
            self._data.add(outbox)
        sending = asyncio.create_task(outbox.run(), name="outbox")
        try:
            await talk(ws, outbox)
        finally:
            self._open.discard(outbox)
            self._data.discard(outbox)
            self.last_ns = monotonic_ns()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return ws


def _wants_msgpack(request: web.Request) -> bool:
    return request.headers.get("Content-Type", "").startswith(MSGPACK)
