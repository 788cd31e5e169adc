"""RecordingSource: a recording played again, exactly as it was received.

Each event is played at the session time at which it came (less what its feed was behind by declaration), and
never before it is over; events of one moment keep their order. Opening reads the file once, for its symbols,
days and bars; the ticks are read again as they are played, a block at a time. What is damaged is passed over,
and the log says where.
"""

import heapq
from collections.abc import Iterable, Iterator, Set
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from liu_tui.errors import FeedError
from liu_tui.market.calendar import hours, midnight_ns
from liu_tui.market.framing import is_recording
from liu_tui.market.recordingindex import Index
from liu_tui.market.source import Batch, Source
from liu_tui.model.market import MINUTE_NS, Asset, Bar


class RecordingSource(Source):
    """The days of one recording, or of several.

    Raises FeedError if one cannot be read.
    """

    complete = True

    def __init__(self, paths: Iterable[Path], *, where: str) -> None:
        self._where = where
        self._index = Index()
        for path in paths:
            self._index.read(path)
        self._days = sorted(day for day in self._index.days if hours(date.fromisoformat(day)) is not None)

    def assets(self) -> list[Asset]:
        """Return every name. A recording does not say where it was listed; Nasdaq stands for any."""
        return [Asset(symbol=symbol, exchange="NASDAQ") for symbol in sorted(self._index.symbols)]

    def days(self) -> list[str]:
        """Return the sessions of which something was received."""
        return list(self._days)

    def steps(self, day: str, start_ns: int = 0, wanted: Set[str] | None = None) -> Iterator[Batch]:
        """Yield the day's steps, whatever is wanted. See Source.steps."""
        if day not in self._days:
            raise FeedError(
                f"there is no recorded day {day}",
                where=self._where,
                mend=f"It has {', '.join(self._days)}." if self._days else "Nothing was received.",
            )
        begin, end = _bounds(day)
        parts = [part for part in self._index.parts if part.lies_in(begin, end)]
        if len(files := sorted({str(part.path) for part in parts})) > 1:
            raise FeedError(
                f"{day} was recorded more than once: {', '.join(files)}",
                where=self._where,
                mend="Name one of these files.",
            )
        streams = [part.moments(max(begin, start_ns), end) for part in parts]
        played = heapq.merge(*streams, key=itemgetter(0))
        return (
            (moment, [event for _, event in some if event is not None])
            for moment, some in groupby(played, itemgetter(0))
        )

    def bars(
        self, symbol: str, span_ns: int, start_ns: int, end_ns: int, now_ns: int | None = None
    ) -> list[Bar]:
        """Return the minutes that were received or fetched, or the daily bars. See Source.bars."""
        told = self._index.bars.get((symbol, span_ns))
        return told.bars(start_ns, end_ns, now_ns) if told is not None else []

    def untold(self, day: str) -> list[Bar]:
        """Return the minutes that were fetched when a symbol was subscribed, and not received."""
        bounds = _bounds(day)
        minutes = [told for (_, span_ns), told in self._index.bars.items() if span_ns == MINUTE_NS]
        found = [bar for told in minutes for bar in told.untold(*bounds)]
        return sorted(found, key=lambda bar: (bar.end_ns, bar.symbol))


def recordings_in(path: Path) -> list[Path]:
    """Find the recordings that a path names: itself, or those in a folder and below it; [] if there are none.

    Raises FeedError if a file cannot be read.
    """
    if path.is_file():
        return [path] if is_recording(path) else []
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    return [file for file in files if is_recording(file)]


def _bounds(day: str) -> tuple[int, int]:
    date_ = date.fromisoformat(day)
    return midnight_ns(date_), midnight_ns(date_ + timedelta(days=1))
