"""The frame clock: the one timer that paints. A frame is skipped while the terminal lags behind.

Without that a slow link fills the driver's queue of writes, and its blocking put stops the whole screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App


def output_backlog(app: App[Any]) -> int:
    """Tell how many writes the terminal has not taken yet; 0 where the driver cannot tell."""
    thread = getattr(app._driver, "_writer_thread", None)  # private in Textual 8.2, hence the care
    queue = getattr(thread, "_queue", None)
    return int(queue.qsize()) if queue is not None else 0


class FrameClock:
    """Calls `paint` a few times a second, unless the terminal lags behind."""

    def __init__(self, app: App[Any], fps: float, paint: Callable[[], None]) -> None:
        self._app, self._paint = app, paint
        self.fps = fps
        self.frames = self.skipped = 0

    def start(self) -> None:
        """Begin."""
        self._app.set_interval(1 / self.fps, self.tick)

    def tick(self) -> None:
        """One frame, or none."""
        if output_backlog(self._app):
            self.skipped += 1
            return
        self.frames += 1
        self._paint()
