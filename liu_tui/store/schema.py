"""The tables, as numbered migrations. Add one at the end; never change one that has left the house.

Said once for all tables: `*_ns` are UTC nanoseconds; prices and money are dollars; `qty` is shares, signed
where no side or operation stands beside it; JSON lies in text. Tables are STRICT: a column keeps its type.
"""

from __future__ import annotations

from collections.abc import Sequence

import aiosqlite
import msgspec

from liu_tui.errors import StoreError
from liu_tui.model.clock import wall_ns
from liu_tui.store.db import Database

APPLICATION_ID = 0x4C495554
"""Written into the file's head ("LIUT"), so that a stranger's database is never migrated."""


class Migration(msgspec.Struct, frozen=True):
    """One step of the schema. statements run in order, in one transaction with the step's own record."""

    version: int
    name: str
    statements: tuple[str, ...]


_SESSION = (
    """
    CREATE TABLE batches (
        batch_id     TEXT PRIMARY KEY CHECK (batch_id <> ''),
        plan         TEXT NOT NULL,
        plan_text    TEXT NOT NULL,
        environment  TEXT NOT NULL CHECK (environment IN ('PAPER', 'BACKTEST', 'PROD')),
        venue        TEXT NOT NULL,
        account_id   TEXT NOT NULL,
        code_version TEXT NOT NULL,
        day          TEXT NOT NULL,
        start_ns     INTEGER NOT NULL,
        end_ns       INTEGER,
        end_reason   TEXT NOT NULL,
        state        TEXT NOT NULL CHECK (state IN ('ACTIVE', 'REDUCING', 'HALTED')),
        state_by     TEXT NOT NULL,
        state_reason TEXT NOT NULL,
        state_ns     INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX batches_by_plan ON batches (plan, start_ns)",
    """
    CREATE TABLE algo_run (
        run_id       INTEGER PRIMARY KEY,
        batch_id     TEXT NOT NULL REFERENCES batches,
        strategy     TEXT NOT NULL,
        consumer     TEXT NOT NULL,
        environment  TEXT NOT NULL,
        start_ns     INTEGER NOT NULL,
        end_ns       INTEGER,
        end_reason   TEXT NOT NULL,
        code_version TEXT NOT NULL,
        parameters   TEXT NOT NULL CHECK (json_valid(parameters)),
        UNIQUE (batch_id, strategy, consumer, start_ns)
    ) STRICT
    """,
    """
    CREATE TABLE trending_tickers (
        batch_id  TEXT NOT NULL REFERENCES batches,
        symbol    TEXT NOT NULL,
        scanner   TEXT NOT NULL,
        strategy  TEXT NOT NULL,
        t_ns      INTEGER NOT NULL,
        "values"  TEXT NOT NULL CHECK (json_valid("values")),
        UNIQUE (batch_id, scanner, symbol, t_ns)
    ) STRICT
    """,
    """
    CREATE TABLE vetoes (
        batch_id TEXT NOT NULL REFERENCES batches,
        symbol   TEXT NOT NULL,
        strategy TEXT NOT NULL,
        "by"     TEXT NOT NULL,
        reason   TEXT NOT NULL,
        since_ns INTEGER NOT NULL,
        PRIMARY KEY (batch_id, symbol, strategy)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE session_events (
        batch_id TEXT NOT NULL REFERENCES batches,
        n        INTEGER NOT NULL,
        t_ns     INTEGER NOT NULL,
        wall_ns  INTEGER NOT NULL,
        level    TEXT NOT NULL,
        source   TEXT NOT NULL,
        words    TEXT NOT NULL,
        kind     TEXT NOT NULL,
        PRIMARY KEY (batch_id, n)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE strategy_state (
        batch_id   TEXT NOT NULL REFERENCES batches,
        strategy   TEXT NOT NULL,
        symbol     TEXT NOT NULL,
        state      TEXT NOT NULL CHECK (json_valid(state)),
        updated_ns INTEGER NOT NULL,
        PRIMARY KEY (batch_id, strategy, symbol)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE keystore (
        strategy   TEXT NOT NULL,
        key        TEXT NOT NULL,
        value      TEXT NOT NULL,
        updated_ns INTEGER NOT NULL,
        PRIMARY KEY (strategy, key)
    ) STRICT, WITHOUT ROWID
    """,
)

_MONEY = (
    """
    CREATE TABLE orders (
        batch_id        TEXT NOT NULL REFERENCES batches,
        client_order_id TEXT NOT NULL CHECK (client_order_id <> ''),
        intent_id       TEXT NOT NULL,
        strategy        TEXT NOT NULL,
        symbol          TEXT NOT NULL,
        operation       TEXT NOT NULL,
        role            TEXT NOT NULL,
        order_type      TEXT NOT NULL,
        qty             REAL NOT NULL,
        state           TEXT NOT NULL,
        created_ns      INTEGER NOT NULL,
        updated_ns      INTEGER NOT NULL,
        order_id        TEXT NOT NULL,
        limit_price     REAL,
        stop_price      REAL,
        stop            REAL,
        target          REAL,
        tif             TEXT NOT NULL,
        filled_qty      REAL NOT NULL,
        avg_price       REAL NOT NULL,
        broker_filled   REAL NOT NULL,
        price           REAL NOT NULL,
        reason          TEXT NOT NULL,
        indicators      TEXT NOT NULL,
        parent          TEXT NOT NULL,
        sent_ns         INTEGER NOT NULL,
        all_held        INTEGER NOT NULL CHECK (all_held IN (0, 1)),
        code            TEXT NOT NULL,
        words           TEXT NOT NULL,
        PRIMARY KEY (batch_id, client_order_id)
    ) STRICT
    """,
    """
    CREATE TABLE order_events (
        event_id        INTEGER PRIMARY KEY,
        batch_id        TEXT NOT NULL,
        client_order_id TEXT NOT NULL,
        t_ns            INTEGER NOT NULL,
        wall_ns         INTEGER NOT NULL,
        event           TEXT NOT NULL,
        state           TEXT NOT NULL,
        filled_qty      REAL NOT NULL,
        avg_price       REAL NOT NULL,
        words           TEXT NOT NULL,
        FOREIGN KEY (batch_id, client_order_id) REFERENCES orders,
        UNIQUE (batch_id, client_order_id, t_ns, event, state, filled_qty)
    ) STRICT
    """,
    """
    CREATE TABLE new_trades (
        trade_id        INTEGER PRIMARY KEY,
        batch_id        TEXT NOT NULL REFERENCES batches,
        execution_id    TEXT NOT NULL CHECK (execution_id <> ''),
        client_order_id TEXT NOT NULL,
        order_id        TEXT NOT NULL,
        intent_id       TEXT NOT NULL,
        strategy        TEXT NOT NULL,
        symbol          TEXT NOT NULL,
        operation       TEXT NOT NULL,
        qty             REAL NOT NULL CHECK (qty <> 0),
        price           REAL NOT NULL,
        t_ns            INTEGER NOT NULL,
        position        REAL NOT NULL,
        avg_price       REAL NOT NULL,
        realized        REAL NOT NULL,
        stop            REAL,
        target          REAL,
        reason          TEXT NOT NULL,
        indicators      TEXT NOT NULL,
        fee             REAL NOT NULL,
        UNIQUE (batch_id, execution_id)
    ) STRICT
    """,
    "CREATE INDEX new_trades_by_symbol ON new_trades (symbol, t_ns)",
)

_ANALYSIS = (
    """
    CREATE TABLE gain_loss (
        batch_id        TEXT NOT NULL REFERENCES batches,
        strategy        TEXT NOT NULL,
        symbol          TEXT NOT NULL,
        gain_value      REAL NOT NULL,
        gain_percentage REAL NOT NULL,
        fees            REAL NOT NULL,
        trips           INTEGER NOT NULL,
        open_qty        REAL NOT NULL,
        open_avg_price  REAL NOT NULL,
        PRIMARY KEY (batch_id, strategy, symbol)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE trade_analysis (
        batch_id     TEXT NOT NULL REFERENCES batches,
        strategy     TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        n            INTEGER NOT NULL,
        direction    INTEGER NOT NULL CHECK (direction IN (-1, 1)),
        qty          REAL NOT NULL,
        start_ns     INTEGER NOT NULL,
        end_ns       INTEGER NOT NULL,
        entry_price  REAL NOT NULL,
        exit_price   REAL NOT NULL,
        cost         REAL NOT NULL,
        gross        REAL NOT NULL,
        fees         REAL NOT NULL,
        fills        INTEGER NOT NULL,
        stop         REAL,
        target       REAL,
        r_units      REAL,
        mae          REAL,
        mfe          REAL,
        entry_reason TEXT NOT NULL,
        exit_reason  TEXT NOT NULL,
        gain_value      REAL AS (gross - fees) VIRTUAL,
        gain_percentage REAL AS (100 * (gross - fees) / nullif(cost, 0)) VIRTUAL,
        PRIMARY KEY (batch_id, strategy, symbol, n)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE optimizer_run (
        session_id TEXT NOT NULL,
        batch_id   TEXT NOT NULL REFERENCES batches,
        parameters TEXT NOT NULL CHECK (json_valid(parameters)),
        score      REAL,
        t_ns       INTEGER NOT NULL,
        PRIMARY KEY (session_id, batch_id)
    ) STRICT, WITHOUT ROWID
    """,
)

_ACCOUNTS = (
    """
    CREATE TABLE accounts (
        account_id  TEXT PRIMARY KEY CHECK (account_id <> ''),
        credit_line REAL NOT NULL CHECK (credit_line >= 0),
        details     TEXT NOT NULL CHECK (json_valid(details)),
        created_ns  INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE account_transactions (
        account_id     TEXT NOT NULL REFERENCES accounts,
        transaction_id TEXT NOT NULL CHECK (transaction_id <> ''),
        amount         REAL NOT NULL,
        t_ns           INTEGER NOT NULL,
        details        TEXT NOT NULL CHECK (json_valid(details)),
        PRIMARY KEY (account_id, transaction_id)
    ) STRICT
    """,
    """
    CREATE TABLE portfolio (
        portfolio_id TEXT PRIMARY KEY CHECK (portfolio_id <> ''),
        size         REAL NOT NULL,
        account_id   TEXT REFERENCES accounts,
        parameters   TEXT NOT NULL CHECK (json_valid(parameters)),
        created_ns   INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE portfolio_batch_ids (
        portfolio_id TEXT NOT NULL REFERENCES portfolio,
        batch_id     TEXT NOT NULL REFERENCES batches,
        PRIMARY KEY (portfolio_id, batch_id)
    ) STRICT, WITHOUT ROWID
    """,
)

_MARKET = (
    """
    CREATE TABLE stock_ohlc (
        symbol TEXT NOT NULL,
        t_ns   INTEGER NOT NULL,
        open   REAL NOT NULL,
        high   REAL NOT NULL,
        low    REAL NOT NULL,
        close  REAL NOT NULL,
        volume REAL NOT NULL,
        vwap   REAL NOT NULL,
        count  INTEGER NOT NULL,
        PRIMARY KEY (symbol, t_ns)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE ticker_data (
        symbol     TEXT PRIMARY KEY CHECK (symbol <> ''),
        facts      TEXT NOT NULL CHECK (json_valid(facts)),
        updated_ns INTEGER NOT NULL
    ) STRICT
    """,
)

_ORDERS_2 = (
    *(
        f"ALTER TABLE orders ADD COLUMN {column}"
        for column in (
            "numbers TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(numbers))",
            "notional REAL",
            "trail_price REAL",
            "trail_percent REAL",
            "stop_limit REAL",
            "extended_hours INTEGER NOT NULL DEFAULT 0 CHECK (extended_hours IN (0, 1))",
            "replaces TEXT NOT NULL DEFAULT ''",
        )
    ),
    "ALTER TABLE new_trades ADD COLUMN amends TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE vetoes ADD COLUMN until_ns INTEGER NOT NULL DEFAULT 0",
    # What stood before was said for one batch: a day on it is over, and nothing of it is for good.
    "UPDATE vetoes SET until_ns = since_ns + 86400000000000",
    """
    CREATE TABLE flattens (
        batch_id TEXT NOT NULL REFERENCES batches,
        symbol   TEXT NOT NULL,
        since_ns INTEGER NOT NULL,
        "by"     TEXT NOT NULL,
        reason   TEXT NOT NULL,
        begun    INTEGER NOT NULL,
        ended_ns INTEGER NOT NULL,
        outcome  TEXT NOT NULL,
        PRIMARY KEY (batch_id, symbol, since_ns)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE day_risk (
        account_id TEXT NOT NULL,
        day        TEXT NOT NULL,
        batch_id   TEXT NOT NULL REFERENCES batches,
        result     REAL NOT NULL,
        peak       REAL NOT NULL,
        orders     INTEGER NOT NULL,
        code       TEXT NOT NULL,
        words      TEXT NOT NULL,
        updated_ns INTEGER NOT NULL,
        PRIMARY KEY (account_id, day, batch_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE differences (
        batch_id TEXT NOT NULL REFERENCES batches,
        symbol   TEXT NOT NULL,
        since_ns INTEGER NOT NULL,
        ours     REAL NOT NULL,
        theirs   REAL NOT NULL,
        words    TEXT NOT NULL,
        choice   TEXT NOT NULL,
        "by"     TEXT NOT NULL,
        ended_ns INTEGER NOT NULL,
        PRIMARY KEY (batch_id, symbol, since_ns)
    ) STRICT, WITHOUT ROWID
    """,
)

MIGRATIONS = (
    Migration(1, "the books", (*_SESSION, *_MONEY, *_ANALYSIS, *_ACCOUNTS, *_MARKET)),
    Migration(2, "orders that are never lost", _ORDERS_2),
)


_WHOSE = "SELECT application_id, EXISTS (SELECT 1 FROM sqlite_schema) FROM pragma_application_id"


async def version(db: Database) -> int:
    """Say which migration the file has reached; 0 if it is empty. Writes nothing.

    Raises StoreError if the file is another program's.
    """
    # One statement sees one moment: another process may be making the tables meanwhile.
    ((application_id, used),) = await db.rows(_WHOSE)
    if application_id == APPLICATION_ID:
        ((reached,),) = await db.rows("SELECT coalesce(max(version), 0) FROM migrations")
        return int(reached)
    if used or application_id:
        raise StoreError(
            "this database is another program's", where=str(db.path), mend="Name another file for the books."
        )
    return 0


async def migrate(db: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the file to this build's schema. May be called twice, and by two processes at once.

    Raises StoreError if the file is newer than this build, or another program's.
    """
    latest = migrations[-1].version
    reached = await version(db)
    _refuse_newer(db, reached, latest)
    if reached < latest:
        for migration in migrations:
            async with db.transaction() as tx:
                await _apply(tx, migration)


async def check(db: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Refuse a file that this build cannot read as it is. Writes nothing. Raises StoreError."""
    latest = migrations[-1].version
    reached = await version(db)
    _refuse_newer(db, reached, latest)
    if reached < latest:
        raise StoreError(
            f"the books have schema {reached}, this program reads {latest}",
            where=str(db.path),
            mend="Start a session once: it brings the file up to date.",
        )


def _refuse_newer(db: Database, reached: int, latest: int) -> None:
    if reached > latest:
        raise StoreError(
            f"the books have schema {reached}, this program knows {latest}",
            where=str(db.path),
            mend="Upgrade liu-tui, or name another file for the books.",
        )


async def _apply(tx: aiosqlite.Connection, migration: Migration) -> None:
    # Asked again inside the transaction: another process may have applied it meanwhile.
    await tx.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ns INTEGER NOT NULL) STRICT"
    )
    done = await tx.execute_fetchall("SELECT 1 FROM migrations WHERE version = ?", (migration.version,))
    if list(done):
        return
    for statement in migration.statements:
        await tx.execute(statement)
    await tx.execute(
        "INSERT INTO migrations VALUES (?, ?, ?)", (migration.version, migration.name, wall_ns())
    )
    await tx.execute(f"PRAGMA application_id = {APPLICATION_ID}")
