"""A progress bar for what takes long: on the error output, and only where that is a terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 2.0
"""Nobody needs a bar for what is done sooner."""

Told = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


@contextmanager
def progress_bar(words: str, total: int) -> Iterator[Told]:
    """Show a bar from PATIENCE_S on until the block ends; give what to tell it. Needs a running loop.

    Imports rich when it shows, not before.
    """
    bar = _Bar(words, total)
    timer = asyncio.get_running_loop().call_later(PATIENCE_S, bar.show)
    try:
        yield bar.told
    finally:
        timer.cancel()
        bar.hide()


class _Bar:
    def __init__(self, words: str, total: int) -> None:
        self._words, self._total, self._done = words, total, 0
        self._shown: tuple[Progress, TaskID] | None = None

    def told(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        if self._shown is not None:
            progress, task = self._shown
            progress.update(task, completed=done, total=total)

    def show(self) -> None:
        if sys.stderr is None or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import Progress

        progress = Progress(console=Console(stderr=True), transient=True)
        self._shown = progress, progress.add_task(self._words, total=self._total, completed=self._done)
        progress.start()

    def hide(self) -> None:
        if self._shown is not None:
            self._shown[0].stop()
