"""AlpacaStream: live trades, quotes, bars and halts from Alpaca, or from the local market.

A client of our own: alpaca-py's decodes into dictionaries, loses the rest of a frame to one bad message,
tries refused keys for ever, and cannot subscribe from its own loop. This one connects, authenticates by
message, subscribes and reads; when the line is lost it waits, comes back and subscribes again by itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Set

import msgspec

from liu_tui.adapters.alpaca.bargain import Ask, Bargain, left_out, raise_if_lacking
from liu_tui.adapters.alpaca.channels import EVENTS, Channels, channels_of, nothing, only, some, symbols_of
from liu_tui.adapters.alpaca.connection import WHERE, Connection
from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.adapters.alpaca.wire import Refusal, Subscribed
from liu_tui.adapters.net.backoff import Backoff
from liu_tui.adapters.net.comesback import ComesBack
from liu_tui.adapters.net.dial import Lost
from liu_tui.errors import FeedError
from liu_tui.market.streaming import StreamItem
from liu_tui.model.market import Event, Step

log = logging.getLogger(__name__)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the stream is, in wall seconds.

    open_s, answer_s: for the connection; for an answer to what we ask on it
    first_wait_s, longest_wait_s: between tries, doubling
    steady_s: how long data must have flowed before the waits begin with the first again; a server that takes
              us in and throws us out is not dialled every second
    slot_s:   how long another connection may hold the only slot; a line that died unheard holds it for 90 s
    """

    open_s: float = 10.0
    answer_s: float = 10.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    steady_s: float = 30.0
    slot_s: float = 240.0


ALPACA = Pace()
LOCAL = Pace(first_wait_s=0.1, longest_wait_s=2.0, steady_s=1.0)
"""The local market comes back on the same port within a second."""


class AlpacaStream(ComesBack):
    """One account's market data.

    A line that is up but quiet is the caller's to judge, who knows the calendar: see reconnect().

    url:      wss://stream.data.alpaca.markets/v2/ and iex, sip, delayed_sip or test; ws://127.0.0.1:PORT/v2/iex
    local:    the other side is our local market: ask for its clock, which comes as Anchors
    lockstep: the local market waits at each Step until it is acknowledged; acknowledge(0) starts it
    delay_ns: how far this feed is behind the market by its own declaration
    left_out: symbols that are not subscribed for every event that was asked: there was no room for them
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
        delay_ns: int = 0,
    ) -> None:
        super().__init__(url)
        self._key, self._secret = key, secret
        self._local, self._lockstep = local or lockstep, lockstep
        self._pace = pace or (LOCAL if self._local else ALPACA)
        self._reader = FrameReader()
        self._wanted = nothing()
        self._had: frozenset[str] = frozenset()
        self._acknowledged: int | None = None
        self._connection: Connection | None = None
        self._flowing_since = 0.0
        self._slot_taken_at = 0.0
        self._turn = asyncio.Lock()  # one change of subscriptions at a time
        self._backoff = Backoff(self._pace.first_wait_s, self._pace.longest_wait_s)
        self._slow_before = 0
        self.refused = 0
        self.slow = 0
        self.delay_ns = delay_ns
        self.left_out = frozenset()

    async def subscribe(self, wanted: Mapping[Event, Set[str]]) -> frozenset[str]:
        """Make the subscriptions this, or what the account has room for; return what was left out.

        Somebody must be reading batches() meanwhile. What is subscribed keeps its place; of what is new the
        first by symbol get one, and the next call tries again. Without an answer within the pace's answer_s
        the line is cut, and the set sent at the next connect.
        Raises FeedError if Alpaca refuses for another reason; the subscriptions are then what they were, less
        what went away, and more by what was granted.
        """
        async with self._turn:
            self._wanted = channels_of(wanted)
            connection = self._connection
            if connection is None:
                return frozenset()
            try:
                await self._agree(connection, connection.ask)
                raise_if_lacking(self._wanted, connection)
            except Lost:
                return frozenset()
            except FeedError:
                self._wanted = connection.subscribed
                raise
            return self.left_out

    async def acknowledge(self, n: int) -> None:
        """Lock-step: let the local market go on after step n; 0 starts it. A real venue is sent nothing."""
        if not self._lockstep:
            return
        self._acknowledged = n
        if self._connection is not None:
            with contextlib.suppress(Lost):  # the last one is sent again at the next connect
                await self._connection.send({"action": "ack", "n": n})

    async def _connect(self) -> list[StreamItem]:
        """Connect, subscribe, return what came meanwhile. Raises Lost or FeedError."""
        pace = self._pace
        connection = await Connection.open(
            self._url, self._key, self._secret, self._reader, open_s=pace.open_s, answer_s=pace.answer_s
        )
        try:
            await self._greet(connection)
            items: list[StreamItem] = []

            async def ask(action: str, what: Channels) -> Subscribed | Refusal:
                return await connection.ask(action, what, into=items)

            # Again if the wish changed meanwhile: subscribe() leaves it to us until we are connected.
            wish: Channels | None = None
            while wish is not self._wanted:
                wish = self._wanted
                await self._agree(connection, ask)
                if self._lockstep:
                    items[:] = await self._without_old_steps(connection, items)
        except BaseException:
            await connection.close()
            raise
        self._connection, self._slot_taken_at, self._flowing_since = connection, 0.0, 0.0
        return items

    async def _agree(self, connection: Connection, ask: Ask) -> None:
        wish, before = self._wanted, self.left_out
        try:
            await Bargain(connection, ask, first=self._had).make(wish)
        finally:
            self.left_out = left_out(wish, connection)
        if self.left_out - before:
            number = len(self.left_out)
            log.warning("%s: no room for %d symbols: %s", WHERE, number, some(self.left_out))

    async def _greet(self, connection: Connection) -> None:
        if self._local:
            await connection.send({"action": "clock"})
        if self._lockstep:
            await connection.send({"action": "lockstep"})
            if self._acknowledged is not None:
                await connection.send({"action": "ack", "n": self._acknowledged})

    async def _frames(self) -> AsyncIterator[list[StreamItem]]:
        """Yield the items of each frame. Ends only by raising Lost or FeedError."""
        while self._connection is not None:
            items = await self._connection.read()
            self.refused, self.slow = self._reader.refused, self._slow_before + self._connection.slow
            if self._lockstep:
                items = await self._without_old_steps(self._connection, items)
            if items:
                if not self._flowing_since:
                    self._flowing_since = asyncio.get_running_loop().time()
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
        if self._flowing_since and now - self._flowing_since >= self._pace.steady_s:
            self._backoff.reset()
        self._flowing_since = 0.0
        wait_s = self._backoff.next_s()
        words = f"{lost.words}; trying again in {wait_s:.1f} s"
        if not lost.slot_taken:
            self._slot_taken_at = 0.0
            return words, wait_s
        self._slot_taken_at = self._slot_taken_at or now
        left_s = self._slot_taken_at + self._pace.slot_s - now
        if left_s < 0:
            raise FeedError(
                lost.words, where=WHERE, mend="End the other program that streams with these keys."
            )
        return f"{words}, and giving up in {left_s:.0f} s if it stays", wait_s

    def _drop(self, words: str) -> bool:
        if self._connection is not None:
            self._connection.drop(words)
        return self._connection is not None

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        self.refused = self._reader.refused
        if connection is not None:
            self._had = symbols_of(only(connection.subscribed, EVENTS))
            self._slow_before += connection.slow
            self.slow = self._slow_before
            await connection.close()
