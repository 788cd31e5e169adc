"""Several questions at a time: all end when one fails, and its fault is told as it was."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from liu_tui.errors import LiuError

T = TypeVar("T")


async def together(jobs: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run jobs side by side, and end the others when one fails. Raises the first LiuError as it was.

    returns: what they gave, in the order of the jobs
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
    except* LiuError as faults:
        raise _first(faults) from None
    return [task.result() for task in tasks]


class SideBySide:
    """Lets a few questions run at once, however many are asked from wherever. most: so many."""

    def __init__(self, most: int) -> None:
        self._gate = asyncio.Semaphore(most)

    async def each(self, things: Iterable[T], ask: Callable[[T], Awaitable[None]]) -> None:
        """Ask about each thing. Raises the first LiuError as it was."""

        async def guarded(thing: T) -> None:
            async with self._gate:
                await ask(thing)

        await together(guarded(thing) for thing in list(things))


def _first(faults: BaseExceptionGroup[LiuError]) -> LiuError:
    one: BaseException = faults
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    assert isinstance(one, LiuError)  # noqa: S101 - except* caught nothing else
    return one
