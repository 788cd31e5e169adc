"""One SQLite file: opened, guarded, and written in transactions. Knows no table.

A process has one Database on a file. aiosqlite gives it a thread of its own, so no disk wait reaches the
event loop; that thread takes statements in the order in which they were asked for, and the roll-back below
leans on it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import aiosqlite

from liu_tui.errors import StoreError

BUSY_MS = 5_000
"""How long a writer waits for another process's transaction; none of ours lasts over 20 ms."""
_WAL_PAUSE_MS = 10
CHUNK = 1_000
"""Rows a transaction: measured at 3 to 8 ms, so that other writers seldom wait."""

Value = str | int | float | None
Row = tuple[Any, ...]
Statement = tuple[str, Sequence[Sequence[Any]]]
"""SQL, and the rows to run it for."""


class Database:
    """One connection. Use `Database.open`; close it, or its thread keeps the process alive."""

    def __init__(self, connection: aiosqlite.Connection, path: Path, *, read_only: bool) -> None:
        self._connection, self.path, self.read_only = connection, path, read_only
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, *, durable: bool = False, read_only: bool = False) -> Database:
        """Open the file, making it (0600) and its folder (0700) if they are not there.

        durable:   a commit survives a power cut (an fsync each: 0.3 to 4 ms); else it survives a crash of the
                   process only
        read_only: make and change nothing

        Raises StoreError if it cannot be opened or is no database.
        """
        try:
            connection = await _connect(path, read_only=read_only)
        except (OSError, sqlite3.Error) as e:
            raise _opening(e, path) from e
        try:
            if not read_only:
                await _switch_to_wal(connection)
            for pragma in _pragmas(durable=durable, read_only=read_only):
                await connection.execute_fetchall(pragma)
        except BaseException as e:
            await connection.close()
            if isinstance(e, sqlite3.Error):
                raise _opening(e, path) from e
            raise
        return cls(connection, path, read_only=read_only)

    async def close(self) -> None:
        """Finish what was asked for and let the file go. May be called twice."""
        await self._connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """Hold the only writing transaction of the file; commit at the end, roll back if anything is raised.

        A caller that is cancelled while the commit is on its way finds it done: writes are idempotent by key.
        Inside, use the connection that is given, never this object: it waits for the same lock.

        Raises StoreError for any fault of SQLite's.
        """
        if self.read_only:
            raise StoreError("the books were opened for reading", where=str(self.path))
        async with self._lock:
            try:
                await self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                await self._connection.execute("COMMIT")
            except BaseException as e:
                # Queued behind the statement that failed or was cancelled; does nothing after a COMMIT.
                await self._connection.rollback()
                if isinstance(e, sqlite3.Error):
                    raise _fault(e, self.path) from e
                raise

    async def at_once(self, statements: Sequence[Statement]) -> list[int]:
        """Run statements, each for all of its rows, in one transaction and one visit to the file's thread.

        All or nothing. Each await of `transaction` costs two hand-overs between threads, which on busy cores
        are a millisecond or more: what an order waits for is written here.

        Returns how many rows each changed. Raises StoreError; then nothing is written.
        """
        if self.read_only:
            raise StoreError("the books were opened for reading", where=str(self.path))
        async with self._lock:
            connection = self._connection
            try:
                # Private, and the only way to have more than one statement run there; hence the pinned minor.
                work = connection._execute(_run_all, connection._conn, statements)  # type: ignore[no-untyped-call] # aiosqlite is typed in parts
                # A caller that is cancelled meanwhile finds it done, or not begun: never the half of it.
                return list(await asyncio.shield(asyncio.ensure_future(work)))
            except sqlite3.Error as e:
                raise _fault(e, self.path) from e

    async def rows(self, sql: str, args: Sequence[Value] = ()) -> list[Row]:
        """Read; never the half of a transaction of this process. Raises StoreError."""
        async with self._lock:
            try:
                return [tuple(row) for row in await self._connection.execute_fetchall(sql, args)]
            except sqlite3.Error as e:
                raise _fault(e, self.path) from e

    async def write(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run one statement for each row, in short transactions; returns how many rows it changed.

        Raises StoreError; transactions before the fault stay committed.
        """
        changed, todo = 0, iter(rows)
        while chunk := list(islice(todo, CHUNK)):
            async with self.transaction() as tx:
                changed += (await tx.executemany(sql, chunk)).rowcount
        return changed


def _run_all(connection: sqlite3.Connection, statements: Sequence[Statement]) -> list[int]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        changed = [connection.executemany(sql, rows).rowcount for sql, rows in statements]
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return changed


async def _connect(path: Path, *, read_only: bool) -> aiosqlite.Connection:
    # Tried here first: where aiosqlite fails to open, its thread lives on and talks to a closed loop.
    _try_to_read(path) if read_only else _make_private(path)
    uri = _uri(path, "ro" if read_only else "rw")
    return await aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=BUSY_MS / 1000)


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


def _try_to_read(path: Path) -> None:
    if not path.is_file():
        raise StoreError(
            "there are no books", where=str(path), mend="Start a session first, or check LIU_HOME."
        )
    with path.open("rb"):
        pass


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite does, so that it is never wider; the -wal and -shm files take its mode.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)


def _pragmas(*, durable: bool, read_only: bool) -> list[str]:
    last = "query_only = ON" if read_only else f"synchronous = {'FULL' if durable else 'NORMAL'}"
    return [f"PRAGMA busy_timeout = {BUSY_MS}", "PRAGMA foreign_keys = ON", f"PRAGMA {last}"]


async def _switch_to_wal(connection: aiosqlite.Connection) -> None:
    # SQLite does not wait here when two processes open a new file at once (seen in 1 of 240 openings): we do.
    for _ in range(BUSY_MS // _WAL_PAUSE_MS):
        try:
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as e:
            if "locked" not in str(e):
                raise
            await asyncio.sleep(_WAL_PAUSE_MS / 1000)
        else:
            return
    await connection.execute_fetchall("PRAGMA journal_mode = WAL")


def _opening(error: Exception, path: Path) -> StoreError:
    return StoreError(f"the books cannot be opened: {error}", where=str(path), mend=_mend(error))


def _fault(error: sqlite3.Error, path: Path) -> StoreError:
    return StoreError(f"the books refuse: {error}", where=str(path), mend=_mend(error))


_MENDS = {
    "locked": "Another program holds the file: end it, or copy the file and open the copy.",
    "not a database": "Move the file away: it is not ours, or it is damaged.",
    "malformed": "The file is damaged: move it away with its -wal and -shm files, and restore a copy.",
    "unable to open": "Check that the path is right and that it may be read and written.",
    "Permission denied": "Check that the path is right and that it may be read and written.",
    "disk is full": "Free some disk space.",
    "readonly": "Check that the file and its folder may be written.",
    "FOREIGN KEY": "Begin the batch in the books first.",
}


def _mend(error: Exception) -> str:
    words = str(error)
    return next((mend for sign, mend in _MENDS.items() if sign in words), "")
