"""The strategies of the benchmark: they do nothing, and measure when they were called.

Loaded by the consumers as a user's file. What they measure lies in a shared file for the benchmark to
read, as int64 words: [0] how many lags were written; [1] quotes seen, [2] trades, [3] their shares, [4] bars
(of Fresh; calls, of the ancestor's); then a ring of lags in nanoseconds, and the time of each symbol's newest
quote (of Fresh).
"""

import mmap
import os
from datetime import datetime
from pathlib import Path
from time import monotonic_ns
from typing import ClassVar

from liu_tui import Bar, Context, PositionView, Quote, Series, Strategy, Trade

RING = 1 << 19
HEAD = 8
EVERY = 7  # one call in seven is timed: prime to every frame and share
QUOTES = HEAD + RING
WORDS = QUOTES + 4096


def open_words(path: Path) -> "memoryview[int]":
    """Make such a file, all zero."""
    path.write_bytes(bytes(WORDS * 8))
    with path.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), WORDS * 8)).cast("q")


class _Measured(Strategy):
    folder: str = ""
    venue_ns: int = 0
    at_ns: int = 0
    speed: float = 1.0

    async def on_start(self, ctx: Context) -> None:
        """Make the shared file."""
        self._words = open_words(Path(self.folder) / f"{os.getpid()}.words")
        self._calls = self._timed = 0

    def _time(self, event_ns: int) -> None:
        due_ns = self.at_ns + (event_ns - self.venue_ns) / self.speed
        self._words[HEAD + self._timed % RING] = int(monotonic_ns() - due_ns)
        self._timed += 1
        self._words[0] = self._timed


class Vwap(_Measured):
    """Reads the session's VWAP at every event and asks for nothing."""

    events: ClassVar[set[str]] = {"trade", "quote", "minute"}

    async def run(
        self, symbol: str, now: datetime, bars: Series, position: PositionView, ctx: Context
    ) -> None:
        """Read the VWAP."""
        self.vwap = bars.session_vwap
        self._calls += 1
        if not self._calls % EVERY and ctx.event is not None:
            self._time(ctx.event.t_ns)


class Fresh(_Measured):
    """Tells the newest quote of each symbol, every bar, and all shares traded."""

    events: ClassVar[set[str]] = {"trade", "quote", "minute"}

    async def run(
        self, symbol: str, now: datetime, bars: Series, position: PositionView, ctx: Context
    ) -> None:
        """Note the event."""
        words = self._words
        match ctx.event:
            case Quote(t_ns=t_ns):
                words[QUOTES + int(symbol[1:])] = t_ns
                words[1] += 1
            case Trade(size=size):
                words[2] += 1
                words[3] += int(size)
            case Bar():
                words[4] += 1
                return
        self._calls += 1
        if not self._calls % EVERY and ctx.event is not None:
            self._time(ctx.event.t_ns)
