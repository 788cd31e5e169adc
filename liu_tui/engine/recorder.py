"""Recording at the producer: everything as it came, and what was known of each symbol when it was subscribed.

The writing is done by market/recording.py, in a thread of its own. Here the history of new symbols is fetched
beside it, so that a replay knows yesterday's close and the minutes before the recording began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from liu_tui import __version__
from liu_tui.engine.child import Child
from liu_tui.errors import FeedError
from liu_tui.market.calendar import session_of
from liu_tui.market.history import DataAPI
from liu_tui.market.lookback import daily_start, history_start
from liu_tui.market.recording import About, RecordingWriter
from liu_tui.model.market import DAY_NS, MINUTE_NS
from liu_tui.wiring.venue import keys_for, open_data

DAYS = 20
"""Daily bars kept of each symbol: what scanners and strategies usually look back to."""
MINUTES = 390
"""Minute bars kept from before: a session."""


class Recorder:
    """One producer's recording."""

    def __init__(self, child: Child, writer: RecordingWriter, data: DataAPI) -> None:
        self._child, self._writer, self._data = child, writer, data
        self._fetching: set[asyncio.Task[None]] = set()
        self._fault = ""
        self.add = writer.add

    @classmethod
    def of(cls, child: Child) -> Self | None:
        """Begin what this producer was booted to record; None if it was not. Raises FeedError."""
        boot = child.boot
        if not boot.recording:
            return None
        venue = boot.venue
        about = About(
            venue="local market" if venue.kind == "local" else venue.vendor.value,
            feed=venue.feed,
            day=session_of(child.clock.now_ns()).day,
            build=__version__,
            delay_ns=venue.delay_ns,
            lockstep=venue.lockstep,
        )
        writer = RecordingWriter(Path(boot.recording), about=about)
        return cls(child, writer, open_data(venue, keys_for(venue)))

    @property
    def written(self) -> int:
        """Events in the file."""
        return self._writer.written

    @property
    def dropped(self) -> int:
        """Events that the disk had no time for."""
        return self._writer.dropped

    def begin(self, symbols: Sequence[str]) -> None:
        """Keep what is known of symbols that were just subscribed."""
        if symbols:
            self._writer.subscribed(symbols, self._child.clock.now_ns())
            task = asyncio.get_running_loop().create_task(self._fetch(list(symbols)))
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)

    def complain(self) -> None:
        """Say once that the disk fails, and once that it is well again."""
        fault = self._writer.fault
        if bool(fault) != bool(self._fault):
            self._child.say(
                "error" if fault else "good", fault or "the recording goes on", source="recording"
            )
        self._fault = fault

    async def close(self) -> None:
        """Write what waits, and let everything go."""
        for task in self._fetching:
            task.cancel()
        await asyncio.gather(*self._fetching, return_exceptions=True)
        await self._data.close()
        await self._writer.close()

    async def _fetch(self, symbols: list[str]) -> None:
        now = self._child.clock.now_ns()
        try:
            daily = await self._data.bars(symbols, daily_start(now, DAYS), now, span_ns=DAY_NS)
            minutes = await self._data.bars(symbols, history_start(now, MINUTES), now, span_ns=MINUTE_NS)
        except FeedError as e:
            words = f"no history of {len(symbols)} symbols is in the recording: {e}"
            self._child.say("warn", words, source="recording")
            return
        for symbol in symbols:
            self._writer.prior(symbol, [*daily.get(symbol, ()), *minutes.get(symbol, ())])
