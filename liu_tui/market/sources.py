"""What a plan or the command line calls a source, opened."""

from pathlib import Path
from typing import Final

from liu_tui.errors import FeedError
from liu_tui.market.csvfiles import open_csv
from liu_tui.market.recordedfile import RecordingSource, recordings_in
from liu_tui.market.simulation import SimulatedSource
from liu_tui.market.source import Source

SIMULATED: Final = "simulated"


def open_source(source: str, *, base: Path, symbols: int, seed: int, day: str) -> Source:
    """Open "simulated", a recording, a CSV file, or a folder of recordings or of CSV files.

    base:    what a relative path starts from: the workspace
    symbols, seed: of the simulation
    day:     ISO date; of the simulation, or which of the recorded days is meant; "" for any recorded one

    Raises FeedError.
    """
    if source == SIMULATED:
        return _simulated(symbols, seed, day)
    opened = _recorded(base / Path(source).expanduser())
    days = opened.days()
    if not days:
        raise FeedError(
            "it has no minutes, trades or quotes", where=source, mend="Daily bars cannot be played."
        )
    if day and day not in days:
        raise FeedError(f"there is no recorded day {day}", where=source, mend=f"It has {', '.join(days)}.")
    return opened


def _recorded(path: Path) -> Source:
    if found := recordings_in(path):
        return RecordingSource(found, where=str(path))
    return open_csv(path)


def _simulated(symbols: int, seed: int, day: str) -> Source:
    try:
        return SimulatedSource(symbols, seed, day)
    except ValueError as e:
        mend = "Give a date as 2026-01-05 and 1 to 2,000 symbols."
        raise FeedError(str(e), where="simulated market", mend=mend) from e
