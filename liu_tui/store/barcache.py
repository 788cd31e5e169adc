"""What was fetched and can be fetched again: daily bars in `stock_ohlc`, which days they cover, actions.

A file of its own, never the books: it may be deleted at any time. Everything is kept by feed, so that one
vendor's bars never stand for another's. Several processes may read and write at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from liu_tui.market.calendar import day_of
from liu_tui.market.coverage import Known, heard
from liu_tui.model.market import DAY_NS, Bar, CorporateAction
from liu_tui.store.db import CHUNK, Database
from liu_tui.store.schema import Migration, migrate

MIGRATIONS: Final = (
    Migration(
        1,
        "the cache",
        (
            """
            CREATE TABLE stock_ohlc (
                feed   TEXT NOT NULL,
                symbol TEXT NOT NULL,
                t_ns   INTEGER NOT NULL,
                open   REAL NOT NULL,
                high   REAL NOT NULL,
                low    REAL NOT NULL,
                close  REAL NOT NULL,
                volume REAL NOT NULL,
                vwap   REAL NOT NULL,
                count  INTEGER NOT NULL,
                PRIMARY KEY (feed, symbol, t_ns)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE known_days (
                feed   TEXT NOT NULL,
                symbol TEXT NOT NULL,
                spans  TEXT NOT NULL CHECK (json_valid(spans)),
                PRIMARY KEY (feed, symbol)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE known_actions (
                feed    TEXT NOT NULL,
                symbol  TEXT NOT NULL,
                since   TEXT NOT NULL,
                asked   TEXT NOT NULL,
                actions TEXT NOT NULL CHECK (json_valid(actions)),
                PRIMARY KEY (feed, symbol)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)

_COLUMNS: Final = "symbol, t_ns, open, high, low, close, volume, vwap, count"
_OF_SYMBOLS: Final = "feed = ? AND symbol IN (SELECT value FROM json_each(?))"
_BARS: Final = f"""
    SELECT {_COLUMNS} FROM stock_ohlc WHERE {_OF_SYMBOLS} AND t_ns >= ? AND t_ns < ? ORDER BY symbol, t_ns
"""  # noqa: S608 - names of ours only
_SPANS: Final = f"SELECT symbol, spans FROM known_days WHERE {_OF_SYMBOLS}"  # noqa: S608 - the same
_ACTIONS: Final = f"""
    SELECT symbol, since, asked, actions FROM known_actions WHERE {_OF_SYMBOLS}
"""  # noqa: S608 - names of ours only
_KEEP_BAR: Final = f"INSERT OR REPLACE INTO stock_ohlc (feed, {_COLUMNS}) VALUES (?{', ?' * 9})"  # noqa: S608
_KEEP_SPANS: Final = "INSERT OR REPLACE INTO known_days (feed, symbol, spans) VALUES (?, ?, ?)"
_KEEP_ACTIONS: Final = """
    INSERT OR REPLACE INTO known_actions (feed, symbol, since, asked, actions) VALUES (?, ?, ?, ?, ?)
"""

_read_spans = msgspec.json.Decoder(list[Known]).decode
_read_actions = msgspec.json.Decoder(list[CorporateAction]).decode
_text = msgspec.json.encode


class KnownActions(msgspec.Struct, frozen=True):
    """Corporate actions of one symbol. since: ISO date from which was asked; asked: the day of asking."""

    since: str
    asked: str
    actions: list[CorporateAction]


class BarCache:
    """One feed's part of the cache file: `async with BarCache.opened(path, feed) as cache`."""

    def __init__(self, db: Database, feed: str) -> None:
        self._db, self._feed = db, feed

    @classmethod
    @asynccontextmanager
    async def opened(cls, path: Path, feed: str) -> AsyncIterator[BarCache]:
        """Open the file for one question, making it if it is not there. Raises StoreError.

        Not for longer: an open database has a thread, and who forgets to close a loader should not hang.
        """
        db = await Database.open(path)
        try:
            await migrate(db, MIGRATIONS)
            yield cls(db, feed)
        finally:
            await db.close()

    async def bars(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Bar]]:
        """Return daily bars that start at or after start_ns and before end_ns, oldest first.

        Symbols without any are absent. Raises StoreError.
        """
        rows = await self._db.rows(_BARS, (self._feed, _list(symbols), start_ns, end_ns))
        found: dict[str, list[Bar]] = defaultdict(list)
        for symbol, t_ns, open_, high, low, close, volume, vwap, count in rows:
            bar = Bar(symbol, t_ns, open_, high, low, close, volume, vwap, count, DAY_NS)
            found[symbol].append(bar)
        return dict(found)

    async def known(self, symbols: Iterable[str]) -> dict[str, list[Known]]:
        """Return which days were asked for; symbols that never were are absent. Raises StoreError."""
        rows = await self._db.rows(_SPANS, (self._feed, _list(symbols)))
        return {symbol: _read_spans(spans) for symbol, spans in rows}

    async def keep(self, bars: Mapping[str, Sequence[Bar]], first: int, last: int, asked_ns: int) -> None:
        """Remember an answer: daily bars by symbol, for the days from first to last (ordinals, included).

        Symbols with no bars are remembered as such. Raises StoreError; what was kept before it stays.
        """
        for some in _portions(bars):
            async with self._db.transaction() as tx:
                await tx.executemany(_KEEP_BAR, (self._row(bar) for name in some for bar in bars[name]))
                rows = await tx.execute_fetchall(_SPANS, (self._feed, _list(some)))
                known = {symbol: _read_spans(spans) for symbol, spans in rows}
                told = [
                    (name, heard(known.get(name, ()), first, last, _days(bars[name]), asked_ns))
                    for name in some
                ]
                await tx.executemany(
                    _KEEP_SPANS, ((self._feed, name, _text(spans).decode()) for name, spans in told)
                )

    async def actions(self, symbols: Iterable[str]) -> dict[str, KnownActions]:
        """Return the corporate actions known; symbols never asked for are absent. Raises StoreError."""
        rows = await self._db.rows(_ACTIONS, (self._feed, _list(symbols)))
        return {
            symbol: KnownActions(since, asked, _read_actions(text)) for symbol, since, asked, text in rows
        }

    async def keep_actions(self, known: Mapping[str, KnownActions]) -> None:
        """Remember corporate actions in place of those before. Raises StoreError."""
        await self._db.write(
            _KEEP_ACTIONS,
            ((self._feed, name, k.since, k.asked, _text(k.actions).decode()) for name, k in known.items()),
        )

    def _row(self, bar: Bar) -> tuple[Any, ...]:
        prices = (bar.open, bar.high, bar.low, bar.close)
        return (self._feed, bar.symbol, bar.t_ns, *prices, bar.volume, bar.vwap, bar.count)


def _list(symbols: Iterable[str]) -> str:
    return _text(list(symbols)).decode()


def _days(bars: Iterable[Bar]) -> frozenset[int]:
    return frozenset(day_of(bar.t_ns).toordinal() for bar in bars)


def _portions(bars: Mapping[str, Sequence[Bar]]) -> Iterable[list[str]]:
    # Short transactions: other processes write, too.
    some: list[str] = []
    rows = 0
    for name, own in bars.items():
        some.append(name)
        rows += 1 + len(own)
        if rows >= CHUNK:
            yield some
            some, rows = [], 0
    if some:
        yield some
