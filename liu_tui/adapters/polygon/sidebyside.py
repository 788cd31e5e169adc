"""Several questions at a time, but only a few."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from liu_tui.errors import FeedError

T = TypeVar("T")
MOST = 8


class SideBySide:
    """Lets MOST questions of one vendor run at once."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(MOST)

    async def each(self, things: Iterable[T], ask: Callable[[T], Awaitable[None]]) -> None:
        """Ask about each thing, a few questions side by side. Raises the first FeedError."""

        async def guarded(thing: T) -> None:
            async with self._gate:
                await ask(thing)

        try:
            async with asyncio.TaskGroup() as tasks:
                for thing in list(things):
                    tasks.create_task(guarded(thing))
        except* FeedError as faults:
            raise _first(faults) from None


def _first(faults: BaseExceptionGroup[FeedError]) -> FeedError:
    one: BaseException = faults
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    assert isinstance(one, FeedError)  # noqa: S101 - except* caught nothing else
    return one
