"""Migrations: numbered, whole, done once; and columns that fit their structs."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import liu_tui.store
from liu_tui.errors import StoreError
from liu_tui.store import schema
from liu_tui.store.db import Database
from liu_tui.store.schema import MIGRATIONS, Migration, migrate
from liu_tui.store.store import Store
from liu_tui.store.table import Table

STEPS = (
    Migration(1, "one", ("CREATE TABLE a (n INTEGER) STRICT",)),
    Migration(2, "two", ("CREATE TABLE b (n INTEGER) STRICT", "INSERT INTO b SELECT n FROM a")),
    Migration(3, "three", ("ALTER TABLE a ADD COLUMN words TEXT NOT NULL DEFAULT ''",)),
)


async def shape(db: Database) -> list[Any]:
    """Return every table and index as SQL."""
    return await db.rows("SELECT type, name, sql FROM sqlite_schema ORDER BY name")


async def migrated(path: Path, *stops: Sequence[Migration]) -> list[Any]:
    """Migrate in these stages and return the shape."""
    db = await Database.open(path)
    try:
        for steps in stops:
            await migrate(db, steps)
        return await shape(db)
    finally:
        await db.close()


async def test_step_by_step_is_the_same_as_all_at_once(tmp_path: Path) -> None:
    staged = await migrated(tmp_path / "staged.db", STEPS[:1], STEPS[:2], STEPS[:2], STEPS)
    assert staged == await migrated(tmp_path / "fresh.db", STEPS)


async def test_opening_again_changes_nothing(store: Store, path: Path) -> None:
    before = await shape(store._db), await store._db.rows("SELECT * FROM migrations")
    async with await Store.open(path) as again:
        assert (await shape(again._db), await again._db.rows("SELECT * FROM migrations")) == before


async def test_a_migration_that_fails_leaves_nothing_of_itself(path: Path) -> None:
    broken = (
        *STEPS[:1],
        Migration(2, "two", ("CREATE TABLE b (n INTEGER) STRICT", "CREATE TABLE a (n INTEGER)")),
    )
    db = await Database.open(path)
    with pytest.raises(StoreError, match="already exists"):
        await migrate(db, broken)
    assert await db.rows("SELECT version FROM migrations") == [(1,)]
    await migrate(db, STEPS)
    assert await db.rows("SELECT version FROM migrations") == [(1,), (2,), (3,)]
    await db.close()


async def test_processes_that_open_a_new_file_at_once_agree(path: Path) -> None:
    stores = await asyncio.gather(*(Store.open(path) for _ in range(4)))
    assert await stores[0]._db.rows("SELECT count(*) FROM migrations") == [(len(MIGRATIONS),)]
    for store in stores:
        await store.close()


async def test_a_newer_file_is_refused_with_words(store: Store, path: Path) -> None:
    async with store._db.transaction() as tx:
        await tx.execute("INSERT INTO migrations VALUES (999, 'tomorrow', 0)")
    with pytest.raises(StoreError, match=r"schema 999, this program knows \d+.* Upgrade"):
        await Store.open(path)
    with pytest.raises(StoreError, match="Upgrade"):
        await Store.open(path, read_only=True)


async def test_an_older_file_is_not_read_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await Store.open(path):
        pass
    later = (*MIGRATIONS, Migration(MIGRATIONS[-1].version + 1, "later", ("CREATE TABLE later (n INTEGER)",)))
    db = await Database.open(path, read_only=True)
    with pytest.raises(StoreError, match="Start a session once"):
        await schema.check(db, later)
    await db.close()


async def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (n INTEGER)")
    other.close()
    with pytest.raises(StoreError, match="another program's"):
        await Store.open(path)
    other = sqlite3.connect(path)
    assert [name for (name,) in other.execute("SELECT name FROM sqlite_schema")] == ["recipes"]
    other.close()


def test_versions_count_up_from_one() -> None:
    assert [m.version for m in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def tables() -> list[Table[Any]]:
    """Return every Table of the room."""
    found = []
    for module in pkgutil.iter_modules(liu_tui.store.__path__):
        names = vars(importlib.import_module(f"liu_tui.store.{module.name}")).values()
        found += [thing for thing in names if isinstance(thing, Table)]
    return found


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.name)
async def test_every_field_has_its_column(store: Store, table: Table[Any]) -> None:
    columns = {
        name
        for _, name, *_, hidden in await store._db.rows(f"PRAGMA table_xinfo({table.name})")
        if not hidden
    }
    house_keys = {"order_events": {"event_id"}, "new_trades": {"trade_id"}}
    assert set(table.columns) == columns - house_keys.get(table.name, set())


async def test_every_table_of_the_books_is_there_and_strict(store: Store) -> None:
    rows = await store._db.rows("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    strict = {name: bool(flag) for name, flag in rows if not name.startswith("sqlite_")}
    assert all(strict.values())
    assert set(strict) == {
        "account_transactions", "accounts", "algo_run", "batches", "day_risk", "differences",
        "flattens", "gain_loss", "keystore", "migrations", "new_trades", "optimizer_run", "order_events",
        "orders", "portfolio", "portfolio_batch_ids", "session_events", "stock_ohlc",
        "strategy_state", "ticker_data", "trade_analysis", "trending_tickers", "vetoes",
    }  # fmt: skip
