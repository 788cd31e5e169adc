"""What the supervisor writes into the books: everything but money. One writer, in the order of asking.

They are written beside the supervisor's turn, one after the other; a fault of the books is said once and does
not stop the session (the desk, which writes the money, does stop).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from liu_tui.store.store import Store

TRIES = 10
RETRY_S = 1.0
"""Somebody else holds the file: wait for him, in order, and lose no row."""

Write = Callable[[Store], Awaitable[object]]


class Records:
    """A queue of writes."""

    def __init__(self, store: Store, on_fault: Callable[[str], None]) -> None:
        self._store = store
        self._on_fault = on_fault
        self._queue: asyncio.Queue[Write | None] = asyncio.Queue()
        self._said = False
        self._task = asyncio.create_task(self._run())

    def put(self, write: Write) -> None:
        """Have something written soon."""
        self._queue.put_nowait(write)

    async def close(self) -> None:
        """Write what is left."""
        self._queue.put_nowait(None)
        await self._task

    async def _run(self) -> None:
        while (write := await self._queue.get()) is not None:
            for attempt in range(TRIES):
                try:
                    await write(self._store)
                    break
                except Exception as e:  # noqa: BLE001 - whatever one row does to us, the next are written
                    self._say(str(e))
                    if "locked" not in str(e) or attempt == TRIES - 1:
                        break
                    await asyncio.sleep(RETRY_S)

    def _say(self, words: str) -> None:
        if not self._said:
            self._said = True
            self._on_fault(words)
