"""AlpacaStream: live trades, quotes, bars and halts from Alpaca, or from the local market.

A client of our own: alpaca-py's decodes into dictionaries, loses the rest of a frame to one bad message,
tries refused keys for ever, and cannot subscribe from its own loop. This one connects, authenticates by
message, subscribes and reads; when the line is lost it waits, comes back and subscribes again by itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Set

import msgspec

from liu_tui.adapters.alpaca.backoff import Backoff
from liu_tui.adapters.alpaca.channels import Channels, channels_of, nothing
from liu_tui.adapters.alpaca.closing import Closing
from liu_tui.adapters.alpaca.connection import WHERE, Connection
from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.adapters.alpaca.sockets import Lost
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState, FeedStatus, StreamingAPI, StreamItem
from liu_tui.model.market import Event, Step


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the stream is, in wall seconds.

    open_s, answer_s: for the connection; for an answer to what we ask on it
    first_wait_s, longest_wait_s: between tries, doubling
    silence_s: after so long without a frame the line is taken for dead, if something is subscribed; doubles
               each time until data flow again, because a closed market is silent too. 0 waits for ever
    slot_s:    how long another connection may hold the only slot; a line that died unheard holds it for 90 s
    """

    open_s: float = 10.0
    answer_s: float = 10.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    silence_s: float = 120.0
    slot_s: float = 240.0


ALPACA = Pace()
LOCAL = Pace(first_wait_s=0.1, longest_wait_s=2.0, silence_s=0.0)
"""The local market may be paused for hours, and comes back on the same port within a second."""


class AlpacaStream(StreamingAPI):
    """One account's market data.

    url:      wss://stream.data.alpaca.markets/v2/iex, or ws://127.0.0.1:PORT/v2/iex
    local:    the other side is our local market: ask for its clock, which comes as Anchors
    lockstep: the local market waits at each Step until it is acknowledged; acknowledge(0) starts it
    slow:     how often Alpaca said that we do not read fast enough
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        *,
        local: bool = False,
        lockstep: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self._url, self._key, self._secret = url, key, secret
        self._local, self._lockstep = local or lockstep, lockstep
        self._pace = pace or (LOCAL if self._local else ALPACA)
        self._reader = FrameReader()
        self._wanted = nothing()
        self._acknowledged: int | None = None
        self._connection: Connection | None = None
        self._watch: asyncio.Task[None] | None = None
        self._slot_taken_at = 0.0
        self._turn = asyncio.Lock()  # one change of subscriptions at a time: answers come in order
        self._closing = Closing()
        self._silence_s = self._pace.silence_s
        self._backoff = Backoff(self._pace.first_wait_s, self._pace.longest_wait_s)
        self.refused = 0
        self.slow = 0

    async def batches(self) -> AsyncIterator[list[StreamItem]]:
        """Yield what each frame held, and each change of the connection, until close().

        Raises FeedError, after a REFUSED status, when there is no use in trying again.
        """
        try:
            while not self._closing:
                yield [FeedStatus(FeedState.CONNECTING, self._url)]
                try:
                    first = await self._closing.race(self._connect())
                    if first is None or self._closing:
                        return
                    yield [FeedStatus(FeedState.LIVE, self._url), *first]
                    async for items in self._frames():
                        yield items
                except Lost as e:
                    words, wait_s = self._after(e)
                await self._hang_up()
                if not self._closing:
                    yield [FeedStatus(FeedState.LOST, words)]
                    await self._closing.sleep(wait_s)
        except FeedError as e:
            yield [FeedStatus(FeedState.REFUSED, str(e))]
            raise
        finally:
            await self._hang_up()

    async def subscribe(self, wanted: Mapping[Event, Set[str]]) -> frozenset[str]:
        """Make the subscriptions exactly this; somebody must be reading batches() meanwhile.

        Without an answer within the pace's answer_s the line is cut, and the set sent at the next connect.
        Raises FeedError if Alpaca refuses; the subscriptions are then what they were, less what went away.
        """
        async with self._turn:
            self._wanted = channels_of(wanted)
            connection = self._connection
            if connection is None:
                return frozenset()
            try:
                await self._change(connection, self._wanted)
            except FeedError:
                self._wanted = connection.subscribed
                raise
            return frozenset()

    def reconnect(self, words: str) -> None:
        """Cut the line; it is made anew at once."""
        if self._connection is not None:
            self._connection.drop(words)

    async def acknowledge(self, n: int) -> None:
        """Lock-step: let the local market go on after step n; 0 starts it. A real venue is sent nothing."""
        if not self._lockstep:
            return
        self._acknowledged = n
        if self._connection is not None:
            with contextlib.suppress(Lost):  # the last one is sent again at the next connect
                await self._connection.send({"action": "ack", "n": n})

    async def close(self) -> None:
        """End batches(). May be called twice."""
        self._closing.set()
        await self._hang_up()

    async def _change(self, connection: Connection, wanted: Channels) -> None:
        try:
            async with asyncio.timeout(self._pace.answer_s):
                refusals = [await answer for answer in await connection.request(wanted)]
        except TimeoutError:
            connection.drop(f"no answer to a subscription within {self._pace.answer_s:g} s")
            return
        except Lost:
            return
        for refusal in refusals:
            if refusal is not None:
                raise refusal

    async def _connect(self) -> list[StreamItem]:
        """Connect, subscribe, return what came meanwhile. Raises Lost or FeedError."""
        pace = self._pace
        connection = await Connection.open(
            self._url, self._key, self._secret, self._reader, open_s=pace.open_s, answer_s=pace.answer_s
        )
        try:
            await self._greet(connection)
            items: list[StreamItem] = []
            # Again if the wish changed meanwhile: subscribe() leaves it to us until we are connected.
            while connection.subscribed != self._wanted:
                items += await self._ask_while_reading(connection, self._wanted)
            if self._lockstep:
                items = await self._without_old_steps(connection, items)
        except BaseException:
            await connection.close()
            raise
        self._connection, self._slot_taken_at = connection, 0.0
        self._watch = asyncio.create_task(self._cut_if_silent(connection), name="silence")
        return items

    async def _greet(self, connection: Connection) -> None:
        if self._local:
            await connection.send({"action": "clock"})
        if self._lockstep:
            await connection.send({"action": "lockstep"})
            if self._acknowledged is not None:
                await connection.send({"action": "ack", "n": self._acknowledged})

    async def _ask_while_reading(self, connection: Connection, wanted: Channels) -> list[StreamItem]:
        items: list[StreamItem] = []
        try:
            async with asyncio.timeout(self._pace.answer_s):
                answers = await connection.request(wanted)
                while not all(answer.done() for answer in answers):
                    items += await connection.read()
        except TimeoutError:
            raise Lost(f"no answer to a subscription within {self._pace.answer_s:g} s") from None
        for answer in answers:
            if refusal := answer.result():
                raise refusal
        return items

    async def _frames(self) -> AsyncIterator[list[StreamItem]]:
        """Yield the items of each frame. Ends only by raising Lost or FeedError."""
        while self._connection is not None:
            items = await self._connection.read()
            self.refused = self._reader.refused
            if self._lockstep:
                items = await self._without_old_steps(self._connection, items)
            if items:
                self._backoff.reset()
                self._silence_s = self._pace.silence_s
                yield items
        raise Lost("closed")

    async def _without_old_steps(self, connection: Connection, items: list[StreamItem]) -> list[StreamItem]:
        # Who comes back is told the step under way once more, and a market that was killed may come back some
        # steps behind. What was acknowledged before is answered here and told to nobody twice.
        done = -1 if self._acknowledged is None else self._acknowledged
        for item in items:
            if isinstance(item, Step) and item.n <= done:
                await connection.send({"action": "ack", "n": item.n})
        return [item for item in items if not (isinstance(item, Step) and item.n <= done)]

    def _after(self, lost: Lost) -> tuple[str, float]:
        """Say what happened and how long to wait. Raises FeedError if the only slot is held too long."""
        now = asyncio.get_running_loop().time()
        self._slot_taken_at = (self._slot_taken_at or now) if lost.slot_taken else 0.0
        if self._slot_taken_at and now - self._slot_taken_at > self._pace.slot_s:
            raise FeedError(
                lost.words, where=WHERE, mend="End the other program that streams with these keys."
            )
        wait_s = self._backoff.next_s()
        return f"{lost.words}; trying again in {wait_s:.1f} s", wait_s

    async def _cut_if_silent(self, connection: Connection) -> None:
        # One look per period: a time-out around every frame would cost more than reading it.
        while self._silence_s:
            before = connection.frames
            await asyncio.sleep(self._silence_s)
            if connection.frames == before and connection.subscribed != nothing():
                connection.drop(f"no data for {self._silence_s:g} s")
                self._silence_s = min(self._silence_s * 2, 3600.0)

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
        if connection is not None:
            self.slow += connection.slow
            await connection.close()
