"""PolygonStream: live trades, quotes, second and minute bars and price bands from Polygon (now Massive).

A client of our own: the vendor's ends for good after a clean close, fights another holder of the same key
without a pause, gives up after five lost lines in its life, and prints warnings on standard output. This one
connects, authenticates, subscribes and reads; when the line is lost it waits, comes back and subscribes again
by itself. Only when another program took the connection does it stay away.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Set

import msgspec

from liu_tui.adapters.net.backoff import Backoff
from liu_tui.adapters.net.comesback import ComesBack
from liu_tui.adapters.net.dial import Lost
from liu_tui.adapters.polygon.channels import Topics, topics_of
from liu_tui.adapters.polygon.connection import WHERE, Connection
from liu_tui.adapters.polygon.parse import FrameReader
from liu_tui.errors import FeedError
from liu_tui.market.streaming import StreamItem
from liu_tui.model.market import Event


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the stream is, in wall seconds.

    open_s, answer_s: for the connection; for an answer to what we ask on it
    first_wait_s, longest_wait_s: between tries, doubling
    slot_s: how long another connection may keep ours from opening; a line that died unheard may do so
    """

    open_s: float = 10.0
    answer_s: float = 10.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    slot_s: float = 240.0


POLYGON = Pace()
LOCAL = Pace(first_wait_s=0.1, longest_wait_s=2.0)
"""The local market comes back on the same port within a second."""


class PolygonStream(ComesBack):
    """One key's market data.

    url:      wss://socket.massive.com/stocks, or ws://127.0.0.1:PORT/stocks
    local:    the other side is our local market: ask for its clock, which comes as Anchors, and for its end
    delay_ns: how far this feed is behind the market: 15 minutes with delayed.massive.com

    It is never in lock-step: Polygon's protocol has no way to say "go on". When another program takes the
    key's only connection, batches() ends with FeedError.
    """

    def __init__(
        self, url: str, key: str, *, local: bool = False, delay_ns: int = 0, pace: Pace | None = None
    ) -> None:
        super().__init__(url)
        self._key, self._local = key, local
        self._pace = pace or (LOCAL if local else POLYGON)
        self._reader = FrameReader()
        self._wanted: Topics = frozenset()
        self._connection: Connection | None = None
        self._slot_taken_at = 0.0
        self._turn = asyncio.Lock()  # one change of subscriptions at a time: answers name no request
        self._backoff = Backoff(self._pace.first_wait_s, self._pace.longest_wait_s)
        self.refused = 0
        self.slow = 0
        self.delay_ns = delay_ns

    async def subscribe(self, wanted: Mapping[Event, Set[str]]) -> frozenset[str]:
        """Make the subscriptions exactly this; somebody must be reading batches() meanwhile.

        Without any answer within the pace's answer_s the line is cut, and the set sent at the next connect.
        returns: no symbol, ever: Polygon has no allowance
        Raises FeedError if Polygon refuses a topic; what it granted stays subscribed.
        """
        async with self._turn:
            self._wanted = topics_of(wanted)
            connection = self._connection
            if connection is not None:
                try:
                    await self._change(connection, self._wanted)
                except FeedError:
                    self._wanted = connection.subscribed
                    raise
        return frozenset()

    async def acknowledge(self, n: int) -> None:
        """Nothing to do: there is no lock-step here."""

    async def _change(self, connection: Connection, wanted: Topics) -> None:
        refusal: FeedError | None = None
        try:
            answer = await connection.request(wanted)
            try:
                async with asyncio.timeout(self._pace.answer_s):
                    refusal = await asyncio.shield(answer)
            except TimeoutError:
                if not connection.conclude():
                    connection.drop(f"no answer to a subscription within {self._pace.answer_s:g} s")
                    return
                refusal = await answer
        except Lost:
            return
        if refusal is not None:
            raise refusal

    async def _connect(self) -> list[StreamItem]:
        """Connect, subscribe, return what came meanwhile. Raises Lost or FeedError."""
        pace = self._pace
        connection = await Connection.open(
            self._url, self._key, self._reader, open_s=pace.open_s, answer_s=pace.answer_s
        )
        try:
            if self._local:
                await connection.send({"action": "clock"})
            items: list[StreamItem] = []
            # Again if the wish changed meanwhile: subscribe() leaves it to us until we are connected.
            while connection.subscribed != self._wanted:
                items += await self._ask_while_reading(connection, self._wanted)
        except BaseException:
            await connection.close()
            raise
        self._connection, self._slot_taken_at = connection, 0.0
        return items

    async def _ask_while_reading(self, connection: Connection, wanted: Topics) -> list[StreamItem]:
        items: list[StreamItem] = []
        answer = await connection.request(wanted)
        try:
            async with asyncio.timeout(self._pace.answer_s):
                while not answer.done():
                    items += await connection.read()
        except TimeoutError:
            if not connection.conclude():
                raise Lost(f"no answer to a subscription within {self._pace.answer_s:g} s") from None
        if refusal := answer.result():
            raise refusal
        return items

    async def _frames(self) -> AsyncIterator[list[StreamItem]]:
        """Yield the items of each frame. Ends only by raising Lost or FeedError."""
        while self._connection is not None:
            items = await self._connection.read()
            self.refused = self._reader.refused
            if items:
                self._backoff.reset()
                yield items
        raise Lost("closed")

    def _after(self, lost: Lost) -> tuple[str, float]:
        """Say what happened and how long to wait. Raises FeedError if the only place is held too long."""
        now = asyncio.get_running_loop().time()
        self._slot_taken_at = (self._slot_taken_at or now) if lost.slot_taken else 0.0
        if self._slot_taken_at and now - self._slot_taken_at > self._pace.slot_s:
            raise FeedError(lost.words, where=WHERE, mend="End the other program that streams with this key.")
        wait_s = self._backoff.next_s()
        return f"{lost.words}; trying again in {wait_s:.1f} s", wait_s

    def _drop(self, words: str) -> bool:
        if self._connection is not None:
            self._connection.drop(words)
        return self._connection is not None

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self.slow += connection.slow
            await connection.close()
