"""A producer's line to its vendor: one feed, and another in its place when a person wants it after a refusal.

A feed comes back by itself after a loss. Once the vendor has refused for good (keys, entitlement) it does not
ask again, nor does the watch over silence have it ask: that is for a person to say.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState, FeedStatus, StreamingAPI, StreamItem
from liu_tui.model.market import Event


class Line:
    """One producer's line. open_: makes a feed that is not connected yet.

    state: how the line stands
    """

    def __init__(self, open_: Callable[[], StreamingAPI]) -> None:
        self._open = open_
        self._feed = open_()
        self._wanted: Mapping[Event, set[str]] = {}
        self._acknowledged: int | None = None
        self._again = asyncio.Event()
        self._refused = self._slow = 0  # counted by feeds that are no more
        self.state = FeedState.CONNECTING

    @property
    def refused(self) -> int:
        """Messages that could not be read, since the start."""
        return self._refused + self._feed.refused

    @property
    def slow(self) -> int:
        """How often the vendor said that we do not read fast enough, since the start."""
        return self._slow + self._feed.slow

    @property
    def left_out(self) -> frozenset[str]:
        """Symbols that the vendor's allowance has no room for."""
        return self._feed.left_out

    async def batches(self) -> AsyncIterator[list[StreamItem]]:
        """Yield what comes. After a refusal for good nothing does, until renew()."""
        while True:
            try:
                async for batch in self._feed.batches():
                    for item in batch:
                        if isinstance(item, FeedStatus):
                            self.state = item.state
                    yield batch
            except FeedError as e:
                if self.state is not FeedState.REFUSED:
                    self.state = FeedState.REFUSED
                    yield [FeedStatus(FeedState.REFUSED, str(e))]
            else:
                return
            await self._again.wait()
            self._again.clear()
            await self._replace()

    async def subscribe(self, wanted: Mapping[Event, set[str]]) -> None:
        """Make the subscriptions exactly these. Raises FeedError if the vendor refuses."""
        self._wanted = wanted
        await self._feed.subscribe(wanted)

    async def acknowledge(self, n: int) -> None:
        """Lock-step: everybody has finished step n."""
        self._acknowledged = n
        await self._feed.acknowledge(n)

    def cut(self, words: str) -> None:
        """Cut a line that is up but silent; it is made anew. Nothing happens while it is not up."""
        if self.state is FeedState.LIVE:
            self._feed.reconnect(words)

    def renew(self, words: str) -> None:
        """A person wants the line made anew: cut what is there, or ask again where we were refused."""
        if self.state is FeedState.REFUSED:
            self._again.set()
        else:
            self._feed.reconnect(words)

    async def close(self) -> None:
        """End batches()."""
        await self._feed.close()

    async def _replace(self) -> None:
        old = self._feed
        await old.close()
        self._refused, self._slow = self._refused + old.refused, self._slow + old.slow
        self._feed = self._open()
        self.state = FeedState.CONNECTING
        if self._acknowledged is not None:
            await self._feed.acknowledge(self._acknowledged)
        with contextlib.suppress(FeedError):  # what cannot be wanted was said when it was asked for
            await self._feed.subscribe(self._wanted)
