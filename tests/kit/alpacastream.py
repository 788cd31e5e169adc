"""A reader of an AlpacaStream, as the producer is one, for tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from liu_tui.adapters.alpaca.stream import AlpacaStream, Pace
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState, FeedStatus, StreamItem

QUICK = Pace(open_s=5, answer_s=5, first_wait_s=0.01, longest_wait_s=0.02, slot_s=5)
HASTY = Pace(answer_s=0.1, first_wait_s=0.01, longest_wait_s=0.01)


class Listener:
    """Reads a stream in a task of its own, as the producer does."""

    def __init__(self, stream: AlpacaStream) -> None:
        self.stream = stream
        self.items: list[StreamItem] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for batch in self.stream.batches():
                self.items += batch
                self._news.set()
        finally:
            self._news.set()

    async def until(self, kind: type[StreamItem], count: int = 1) -> list[Any]:
        """Wait for so many items of a kind."""
        while len(found := [item for item in self.items if isinstance(item, kind)]) < count:
            if self.task.done():
                self.task.result()
                raise AssertionError(f"the stream ended with {self.items}")
            self._news.clear()
            await self._news.wait()
        return found

    async def until_state(self, state: FeedState, count: int = 1) -> list[str]:
        """Wait for so many statuses of a state; return their words."""
        seen = 0
        while True:
            seen += 1
            statuses = await self.until(FeedStatus, seen)
            found = [status.words for status in statuses if status.state is state]
            if len(found) >= count:
                return found


@contextlib.asynccontextmanager
async def listening(url: str, **more: Any) -> AsyncIterator[Listener]:
    """Open a stream and read it; close both at the end."""
    listener = Listener(AlpacaStream(url, "key", "secret", **{"pace": QUICK, **more}))
    try:
        yield listener
    finally:
        await listener.stream.close()
        with contextlib.suppress(FeedError):
            await listener.task
