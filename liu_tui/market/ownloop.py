"""OwnLoop: an event loop in a thread of its own, so that a notebook may wait for what is asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from liu_tui.errors import UsageError

T = TypeVar("T")


class OwnLoop:
    """Runs coroutines for callers who block. The thread is a daemon: it never keeps the process alive."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def run(self, job: Coroutine[Any, Any, T]) -> T:
        """Run to the end and return what came out; an interrupt of the caller (Ctrl-C) cancels it.

        Raises what the job raises; UsageError if called from the loop itself, which would wait for ever.
        """
        if threading.current_thread() is self._thread:
            job.close()
            raise UsageError(
                "this would wait for itself", where=self._thread.name, mend="Use `await` inside a coroutine."
            )
        future = asyncio.run_coroutine_threadsafe(job, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._loop.is_closed()

    def close(self) -> None:
        """End the loop and the thread. May be called twice."""
        if not self.closed:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
