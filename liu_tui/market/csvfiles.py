"""Recorded days from CSV: a file, or a folder and all below it. What a file may hold: see csvread."""

from collections import defaultdict
from pathlib import Path

from liu_tui.errors import FeedError
from liu_tui.market.csvread import Rows, read
from liu_tui.market.record import Record
from liu_tui.market.recorded import RecordedSource
from liu_tui.market.source import Source

_SUFFIXES = (".csv", ".csv.gz")


def open_csv(path: Path) -> Source:
    """Read the .csv and .csv.gz files of a file or folder; files of one symbol are joined.

    Raises FeedError if there are none, or one is wrong: with the file, the line and the mend.
    """
    by_symbol: dict[str, list[Rows]] = defaultdict(list)
    for file in _files(path):
        for rows in read(file):
            by_symbol[rows.symbol].append(rows)
    if not by_symbol:
        raise FeedError("there is no row in it", where=str(path), mend="Name a file or folder with data.")
    return RecordedSource((Record(symbol, rows) for symbol, rows in by_symbol.items()), where=str(path))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FeedError("there is no such file or folder", where=str(path), mend="Check the path.")
    found = sorted(file for file in path.rglob("*.csv*") if file.name.endswith(_SUFFIXES))
    if not found:
        what = "no recording and no .csv or .csv.gz lies in it"
        raise FeedError(what, where=str(path), mend="Name another folder.")
    return found
