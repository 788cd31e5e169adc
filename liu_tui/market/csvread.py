"""One CSV file into checked columns. What the columns are called says what the file holds.

  bars    timestamp,open,high,low,close,volume[,vwap][,trade_count]   timestamp: the bar's start
  trades  timestamp,price,size[,exchange][,conditions]
  quotes  timestamp,bid,bid_size,ask,ask_size[,exchange]

A `symbol` column names the symbol of each row; without it the file's name does, up to its first `_` or `.`.
One letter after that `.` is a class of shares: BRK.B_1min.csv holds BRK.B. Symbols become upper-case, BRK/B
and BRK-B become BRK.B.
Times are ISO 8601 and UTC unless they say otherwise. Bars stamped with days are daily bars; a `date` column
may then stand for `timestamp`. Other columns are ignored.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import numpy.typing as npt

from liu_tui.errors import FeedError
from liu_tui.market.calendar import midnight_ns, to_ns
from liu_tui.model.market import DAY_NS, is_symbol, normal_symbol

Column = npt.NDArray[Any]

_CHUNK: Final = 50_000  # rows read at a time: the text of a big file is never in memory at once
_PRICES: Final = ("open", "high", "low", "close")
_NEEDED: Final = {
    "bars": (*_PRICES, "volume"),
    "trades": ("price", "size"),
    "quotes": ("bid", "bid_size", "ask", "ask_size"),
}
_OPTIONAL: Final = {"bars": ("vwap", "trade_count"), "trades": (), "quotes": ()}
_WORDS: Final = ("exchange", "conditions")
_CLASS_FILE: Final = re.compile(r"([A-Za-z]+[.-][A-Za-z])(?:_|\.csv)")


@dataclass(frozen=True)
class Rows:
    """One symbol's rows of a file, in time order, as columns of equal length. Always has t_ns."""

    kind: str  # bars, daily, trades, quotes
    symbol: str
    columns: dict[str, Column]


def read(path: Path) -> list[Rows]:
    """Read a .csv or .csv.gz file, a Rows for each symbol in it.

    Raises FeedError naming the file, the line and the mend.
    """
    try:
        with _open(path) as text:
            reader = csv.reader(text)
            header = [name.strip().lower() for name in next(reader, [])]
            file = _File(path, header)
            parts = [part for rows, line in _chunks(reader) if (part := file.columns(rows, line))]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as e:
        raise FeedError(f"cannot be read: {e}", where=str(path), mend="Check that it is whole.") from e
    if not parts:
        return []
    return list(file.split({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}))


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _chunks(reader: Iterator[list[str]]) -> Iterator[tuple[list[list[str]], int]]:
    line = 2
    while rows := list(islice(reader, _CHUNK)):
        yield rows, line
        line += len(rows)


class _File:
    """What a header says, and the reading of rows by it."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self._path, self._header = path, header
        self._symbol = _symbol_of(path.name)
        self._time = "date" if "date" in header and "timestamp" not in header else "timestamp"
        kind = next((k for k, needed in _NEEDED.items() if set(needed) <= set(header)), "")
        if not kind or self._time not in header:
            raise FeedError(
                f"these columns are no bars, trades or quotes: {', '.join(header) or 'none'}",
                where=f"{path}:1",
                mend="Name them, e.g. timestamp,open,high,low,close,volume, or move the file away.",
            )
        self._kind = kind
        if "symbol" not in header and not is_symbol(self._symbol):
            mend = "Add a symbol column, or name the file as AAPL_2019.csv."
            raise FeedError(f"{self._symbol!r} is no symbol", where=str(path), mend=mend)

    def columns(self, rows: list[list[str]], line: int) -> dict[str, Column]:
        """Turn rows of text into columns. line: the first row's line in the file."""
        width = len(self._header)
        for n, row in enumerate(rows):
            if len(row) != width and row:
                raise self._bad(line + n, f"{width} columns were expected, {len(row)} are there")
        numbers = [line + n for n, row in enumerate(rows) if row]
        if not numbers:
            return {}
        texts = dict(zip(self._header, zip(*filter(None, rows), strict=True), strict=True))
        out: dict[str, Column] = {"t_ns": self._times(texts[self._time], numbers)}
        for name in _NEEDED[self._kind]:
            out[name] = self._parse(name, texts[name], float, np.float64, numbers)
        for name in _OPTIONAL[self._kind]:
            if name in texts:
                out[name] = self._parse(name, texts[name], _number_or_0, np.float64, numbers)
        for name in _WORDS:
            if name in texts:
                out[name] = np.array(texts[name])
        if "symbol" in texts:
            out["symbol"] = self._symbols(texts["symbol"], numbers)
        self._check(out, numbers)
        return out

    def split(self, columns: dict[str, Column]) -> Iterator[Rows]:
        """Yield each symbol's rows in time order."""
        kind = self._kind
        if kind == "bars" and (days := _days(columns["t_ns"])) is not None:
            kind, columns["t_ns"] = "daily", days
        symbols = columns.pop("symbol", None)
        if symbols is None:
            yield Rows(kind, self._symbol, _sorted(columns, kind))
            return
        names, which = np.unique(symbols, return_inverse=True)
        by_symbol = np.argsort(which, kind="stable")
        cuts = np.searchsorted(which[by_symbol], np.arange(1, names.size))
        for name, rows in zip(names.tolist(), np.split(by_symbol, cuts), strict=True):
            yield Rows(kind, name, _sorted({key: column[rows] for key, column in columns.items()}, kind))

    def _symbols(self, texts: Sequence[str], numbers: list[int]) -> Column:
        spelled = {text: normal_symbol(text) for text in set(texts)}
        wrong = {text for text, symbol in spelled.items() if not is_symbol(symbol)}
        if wrong:
            row = next(n for n, text in enumerate(texts) if text in wrong)
            raise self._bad(numbers[row], f"symbol is {texts[row]!r}")
        return np.array([spelled[text] for text in texts])

    def _times(self, texts: Sequence[str], numbers: list[int]) -> Column:
        if all(text.endswith("Z") for text in texts):
            try:
                return np.array([text[:-1] for text in texts], "datetime64[ns]").astype(np.int64)
            except ValueError:
                pass  # the slow way finds the row
        return self._parse(self._time, texts, _moment, np.int64, numbers)

    def _parse(
        self,
        name: str,
        texts: Sequence[str],
        how: Callable[[str], float],
        dtype: npt.DTypeLike,
        numbers: list[int],
    ) -> Column:
        try:
            return np.fromiter(map(how, texts), dtype, len(texts))
        except (ValueError, OverflowError):
            pass
        for text, line in zip(texts, numbers, strict=True):
            try:
                how(text)
            except (ValueError, OverflowError) as e:
                raise self._bad(line, f"{name} is {text!r}") from e
        raise self._bad(numbers[0], f"{name} cannot be read")

    def _check(self, columns: dict[str, Column], numbers: list[int]) -> None:
        for name in (*_NEEDED[self._kind], *_OPTIONAL[self._kind]):
            column = columns.get(name)
            if column is not None:
                least = np.nextafter(0, 1) if name in (*_PRICES, "price") else 0.0
                self._refuse(~(np.isfinite(column) & (column >= least)), columns, name, numbers)
        if self._kind == "bars":
            high, low = columns["high"], columns["low"]
            inside = [(low <= columns[name]) & (columns[name] <= high) for name in _PRICES]
            self._refuse(~np.logical_and.reduce(inside), columns, "high", numbers)

    def _refuse(
        self, bad: npt.NDArray[np.bool_], columns: dict[str, Column], name: str, numbers: list[int]
    ) -> None:
        if not bad.any():
            return
        at = int(bad.argmax())
        shown = ", ".join(f"{key} {columns[key][at]:g}" for key in _NEEDED[self._kind])
        raise self._bad(numbers[at], f"{name} cannot be so: {shown}")

    def _bad(self, line: int, what: str) -> FeedError:
        return FeedError(what, where=f"{self._path}:{line}", mend="Correct the row or remove it.")


def _symbol_of(name: str) -> str:
    found = _CLASS_FILE.match(name)
    return normal_symbol(found[1] if found else name.split("_")[0].split(".")[0])


def _sorted(columns: dict[str, Column], kind: str) -> dict[str, Column]:
    """Order by time; of bars with the same stamp keep the last, as a vendor's correction comes later."""
    t_ns = columns["t_ns"]
    order = np.argsort(t_ns, kind="stable")
    if kind in ("bars", "daily"):
        order = order[np.append(np.diff(t_ns[order]) > 0, True)]
    return {name: column[order] for name, column in columns.items()}


def _days(t_ns: Column) -> Column | None:
    """Return New York midnights if all stamps are days, else None."""
    if t_ns.size == 0 or (t_ns % DAY_NS).any():
        return None
    days = (date.fromordinal(int(n) + date(1970, 1, 1).toordinal()) for n in t_ns // DAY_NS)
    return np.array([midnight_ns(day) for day in days], np.int64)


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return to_ns(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _number_or_0(text: str) -> float:
    return float(text) if text else 0.0
