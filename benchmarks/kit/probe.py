"""The strategies of the benchmark: they do nothing, and measure when they were called.

Loaded by the consumers as a user's file. What they measure lies in a shared file for the benchmark to
read: int64 words, [0] how many lags were written, [1] bars seen, [2] shares traded, then a ring of lags in
nanoseconds and, of Fresh, the time of each symbol's newest quote.
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


class _Measured(Strategy):
    folder: str = ""
    venue_ns: int = 0
    at_ns: int = 0
    speed: float = 1.0

    async def on_start(self, ctx: Context) -> None:
        """Make the shared file."""
        path = Path(self.folder) / f"{os.getpid()}.words"
        path.write_bytes(bytes(WORDS * 8))
        with path.open("r+b") as file:
            self._words = memoryview(mmap.mmap(file.fileno(), WORDS * 8)).cast("q")
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
            case Trade(size=size):
                words[2] += int(size)
            case Bar():
                words[1] += 1
                return
        self._calls += 1
        if not self._calls % EVERY and ctx.event is not None:
            self._time(ctx.event.t_ns)
