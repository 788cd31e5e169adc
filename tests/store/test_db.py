"""The file: private, guarded, written in whole transactions, read beside a writer."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from liu_tui.errors import StoreError
from liu_tui.store.db import CHUNK, Database
from liu_tui.store.store import Store
from tests.kit.store import BATCH, T0, a_batch, a_fill, an_order

INSERT = "INSERT INTO t VALUES (?) ON CONFLICT DO NOTHING"


async def a_table(path: Path) -> Database:
    """Open a database with one table."""
    db = await Database.open(path)
    async with db.transaction() as tx:
        await tx.execute("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT")
    return db


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def widen(path: Path) -> None:
    """Let others read a file."""
    path.chmod(0o644)


async def test_the_books_are_the_owners_alone(store: Store, path: Path) -> None:
    await store.journal.write(BATCH, [(an_order(), "intent", T0, "")])
    assert mode(path.parent) == 0o700
    files = sorted(path.parent.iterdir())
    assert [f.name for f in files] == ["liu.db", "liu.db-shm", "liu.db-wal"]
    assert {mode(f) for f in files} == {0o600}


async def test_books_that_others_could_read_are_closed_to_them(path: Path) -> None:
    async with await Store.open(path):
        pass
    widen(path)
    async with await Store.open(path):
        assert mode(path) == 0o600


async def test_the_connection_is_set_as_promised(path: Path) -> None:
    for durable, synchronous in ((True, 2), (False, 1)):
        db = await Database.open(path, durable=durable)
        try:
            assert await db.rows("PRAGMA journal_mode") == [("wal",)]
            assert await db.rows("PRAGMA synchronous") == [(synchronous,)]
            assert await db.rows("PRAGMA foreign_keys") == [(1,)]
        finally:
            await db.close()


async def test_a_transaction_that_raises_leaves_nothing(path: Path) -> None:
    db = await a_table(path)

    async def broken() -> None:
        async with db.transaction() as tx:
            await tx.execute(INSERT, (1,))
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        await broken()
    assert await db.rows("SELECT n FROM t") == []
    assert await db.write(INSERT, [(2,)]) == 1
    await db.close()


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(path: Path) -> None:
    db = await a_table(path)
    inside = asyncio.Event()

    async def stuck() -> None:
        async with db.transaction() as tx:
            await tx.execute(INSERT, (1,))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await db.write(INSERT, [(2,)]) == 1
    assert await db.rows("SELECT n FROM t") == [(2,)]
    await db.close()


@pytest.mark.parametrize("turns", range(12))
async def test_a_write_cancelled_at_any_moment_is_whole_or_absent(path: Path, turns: int) -> None:
    db = await a_table(path)
    task = asyncio.create_task(db.write(INSERT, [(1,), (2,), (3,)]))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(await db.rows("SELECT n FROM t")) in (0, 3)
    assert await db.write(INSERT, [(9,)]) == 1
    await db.close()


async def test_writers_of_one_process_take_turns(path: Path) -> None:
    db = await a_table(path)
    done = await asyncio.gather(*(db.write(INSERT, [(n,), (n + 1,)]) for n in range(0, 40, 2)))
    assert sum(done) == 40
    assert await db.rows("SELECT count(*) FROM t") == [(40,)]
    await db.close()


async def test_many_rows_go_in_many_transactions(path: Path) -> None:
    db = await a_table(path)
    assert await db.write(INSERT, ((n,) for n in range(2 * CHUNK + 1))) == 2 * CHUNK + 1
    assert await db.write(INSERT, ((n,) for n in range(2 * CHUNK + 2))) == 1
    await db.close()


async def test_two_processes_writers_wait_for_each_other(path: Path) -> None:
    one, two = await a_table(path), await Database.open(path)
    async with one.transaction() as tx:
        await tx.execute(INSERT, (1,))
        other = asyncio.create_task(two.write(INSERT, [(1,), (2,)]))
        await asyncio.sleep(0)
    assert await other == 1
    await one.close()
    await two.close()


async def test_a_reader_sees_the_last_commit_while_a_writer_works(store: Store, path: Path) -> None:
    async with await Store.open(path, read_only=True) as reader:
        async with store._db.transaction() as tx:
            await tx.execute("UPDATE batches SET venue = 'elsewhere'")
            seen = await reader.batches.get(BATCH)
            assert seen is not None
            assert seen.venue == "local market"
        seen = await reader.batches.get(BATCH)
        assert seen is not None
        assert seen.venue == "elsewhere"


async def test_a_reader_cannot_write(store: Store, path: Path) -> None:
    async with await Store.open(path, read_only=True) as reader:
        with pytest.raises(StoreError, match="opened for reading"):
            await reader.batches.begin(a_batch("b-2"))


async def test_a_reader_makes_no_file(path: Path) -> None:
    with pytest.raises(StoreError, match="there are no books"):
        await Store.open(path, read_only=True)
    assert not path.parent.exists()


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        await Store.open(path)
    assert path.read_text() == "dear diary " * 1000


async def test_a_locked_file_is_an_error_with_the_mend(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liu_tui.store.db.BUSY_MS", 1)
    db = await a_table(path)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program holds the file"):
            await db.write(INSERT, [(1,)])
    finally:
        other.close()
        await db.close()


async def test_closing_twice_is_no_fault(path: Path) -> None:
    db = await a_table(path)
    await db.close()
    await db.close()


WRITER = """
import asyncio, pathlib, sys
from liu_tui.store.store import Store
from tests.kit.store import BATCH, T0, a_batch, a_fill, an_order

async def main():
    store = await Store.open(pathlib.Path(sys.argv[1]))
    await store.batches.begin(a_batch())
    n = 0
    while True:
        n += 1
        fills = [a_fill(f"x-{n}-a"), a_fill(f"x-{n}-b")]
        await store.journal.write(BATCH, [(an_order(f"c-{n}"), "fill", T0, "")], fills=fills)
        print(n, flush=True)

asyncio.run(main())
"""


def write_until_killed(path: Path) -> int:
    """Kill a process in the middle of its writing; return how many writes it said were done."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = 0
        while told < 50:
            told = int(writer.stdout.readline())
        writer.kill()
        whole_lines = writer.stdout.read().rpartition("\n")[0].split()
        return int(whole_lines[-1]) if whole_lines else told


async def test_a_process_killed_while_it_writes_leaves_whole_writes_and_all_that_it_told(path: Path) -> None:
    told = write_until_killed(path)
    async with await Store.open(path) as store:
        orders = await store.journal.load(BATCH)
        fills = await store.new_trades.load(BATCH)
        assert told <= len(orders) <= told + 1
        assert len(fills) == 2 * len(orders)
        assert len(await store.journal.events(BATCH)) == len(orders)
        assert (
            await store.journal.write(BATCH, [(an_order("c-1"), "fill", T0, "")], fills=[a_fill("x-1-a")])
            == 0
        )
