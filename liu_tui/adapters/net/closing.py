"""Ending at once, whatever is being waited for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Closing:
    """A door that is shut once. Whoever waits through `race` hears of it immediately."""

    def __init__(self) -> None:
        self._shut = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether the door is shut."""
        return self._shut.is_set()

    def set(self) -> None:
        """Shut it. May be called twice."""
        self._shut.set()

    async def race(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do the work; None if the door was shut first: the work is cancelled. Raises what it raises."""
        if self:
            work.close()
            return None
        doing, shut = asyncio.ensure_future(work), asyncio.ensure_future(self._shut.wait())
        try:
            await asyncio.wait({doing, shut}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            doing.cancel()
            shut.cancel()
            await asyncio.gather(doing, shut, return_exceptions=True)

    async def sleep(self, seconds: float) -> None:
        """Sleep, or less if the door is shut."""
        await self.race(asyncio.sleep(seconds))
