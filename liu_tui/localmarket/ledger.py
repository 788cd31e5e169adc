"""The local market's books: one exchange and its SQLite file, which outlives the process.

Each save is one transaction, so a kill at any moment leaves the file as it was after one save or the next.
The tables are for whoever wants to compare (dollars, shares, UTC nanoseconds in columns named `*_ns`); the
exchange itself comes back from `state.core`, `orders.record` and `executions`. Orders and executions are only
added or updated, so a save costs what changed and not what is there. An execution that was taken back or
repriced stays as it was: the row that stands for it now names it in `corrects`, with qty 0 if it was taken
back. Updates that nobody has fetched are not kept: as at the broker, what a stream has missed is asked for
again.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from liu_tui.errors import StoreError
from liu_tui.localmarket.requestbook import RequestBook
from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Execution, Side
from liu_tui.trading.matching.exchange import Exchange, ExchangeOptions
from liu_tui.trading.matching.order import Order
from liu_tui.trading.matching.state import Core, State

_VERSION = 2
_SCHEMA = """
CREATE TABLE account (
    id TEXT PRIMARY KEY, starting_cash REAL NOT NULL, cash REAL NOT NULL, realized REAL NOT NULL,
    equity REAL NOT NULL, as_of_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE orders (
    n INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, client_order_id TEXT NOT NULL UNIQUE,
    parent_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, qty REAL NOT NULL,
    filled_qty REAL NOT NULL, filled_avg_price REAL NOT NULL, order_type TEXT NOT NULL,
    tif TEXT NOT NULL, order_class TEXT NOT NULL, limit_price REAL, stop_price REAL, status TEXT NOT NULL,
    submitted_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL, replaces TEXT NOT NULL,
    replaced_by TEXT NOT NULL, record BLOB NOT NULL
) STRICT;
CREATE TABLE executions (
    n INTEGER PRIMARY KEY, execution_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL REFERENCES orders (order_id), client_order_id TEXT NOT NULL, symbol TEXT NOT NULL,
    side TEXT NOT NULL, qty REAL NOT NULL, price REAL NOT NULL, at_ns INTEGER NOT NULL,
    corrects TEXT NOT NULL DEFAULT '', fee REAL NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE positions (
    symbol TEXT PRIMARY KEY, qty REAL NOT NULL, avg_price REAL NOT NULL, price REAL NOT NULL
) STRICT;
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1), venue_ns INTEGER NOT NULL, day TEXT NOT NULL
) STRICT;
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), core BLOB NOT NULL) STRICT;
"""
_FROM_1 = """
ALTER TABLE executions ADD COLUMN corrects TEXT NOT NULL DEFAULT '';
ALTER TABLE executions ADD COLUMN fee REAL NOT NULL DEFAULT 0;
"""
_ORDER = """
INSERT INTO orders (
    order_id, client_order_id, parent_id, symbol, side, qty, filled_qty, filled_avg_price, order_type, tif,
    order_class, limit_price, stop_price, status, submitted_ns, updated_ns, replaces, replaced_by, record
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (order_id) DO UPDATE SET
    parent_id = excluded.parent_id, qty = excluded.qty, filled_qty = excluded.filled_qty,
    filled_avg_price = excluded.filled_avg_price, stop_price = excluded.stop_price, status = excluded.status,
    updated_ns = excluded.updated_ns, replaced_by = excluded.replaced_by, record = excluded.record
"""
_EXECUTION = """
INSERT INTO executions (
    execution_id, order_id, client_order_id, symbol, side, qty, price, at_ns, corrects, fee
)
SELECT ?, order_id, client_order_id, ?, ?, ?, ?, ?, ?, ? FROM orders WHERE order_id = ?
"""
_record = msgspec.msgpack.Decoder(Order)
_core = msgspec.msgpack.Decoder(Core)


class Ledger:
    """An exchange and its file. Use it from one thread.

    exchange: yours to turn; nothing of it is on disk before `save`
    saved_ns: venue time of the last save, 0 if there was none
    resumed:  the file was there before
    requests: how often each order was asked for; on disk as soon as it is noted
    """

    def __init__(
        self, db: sqlite3.Connection, path: Path, exchange: Exchange, *, saved_ns: int, resumed: bool
    ) -> None:
        self.exchange, self.path, self.saved_ns, self.resumed = exchange, path, saved_ns, resumed
        self._db = db
        self.requests = RequestBook(db, path)
        self._unsaved: dict[str, Order] = {}
        self._executions = len(exchange.executions_from(0))

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        cash: float,
        seed: int,
        partial_fills: float,
        account_id: str,
        options: ExchangeOptions | None = None,
    ) -> "Ledger":
        """Open the file, or make it.

        An existing file goes on with what it says: cash, seed and partial_fills count for a new one only.
        The exchange's manners are those of this start; those of the file if nobody says any.
        Raises StoreError if the file is not a ledger of this build, or of another account.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None)
        try:
            _prepare(db, path)
            fresh = Exchange(
                cash=cash, seed=seed, partial_fills=partial_fills, account_id=account_id, options=options
            )
            return cls._resume(db, path, account_id, options) or cls(
                db, path, fresh, saved_ns=0, resumed=False
            )
        except (sqlite3.Error, msgspec.DecodeError) as e:
            db.close()
            raise _unreadable(path, str(e)) from e
        except StoreError:
            db.close()
            raise

    @classmethod
    def _resume(
        cls, db: sqlite3.Connection, path: Path, account_id: str, options: ExchangeOptions | None
    ) -> "Ledger | None":
        saved = db.execute("SELECT venue_ns, core FROM clock JOIN state USING (id)").fetchone()
        if saved is None:
            return None
        core = _core.decode(saved[1])
        if core.account_id != account_id:
            raise StoreError(
                f"a ledger of account {core.account_id!r}, was opened for {account_id!r}",
                where=str(path),
                mend="Name another file, or the account it belongs to.",
            )
        exchange = Exchange.resume(_read(db, core), options)
        return cls(db, path, exchange, saved_ns=saved[0], resumed=True)

    def save(self, now_ns: int) -> None:
        """Commit what changed since the last save; call it before an answer or an update goes out.

        When no order changed, the clock and the marks are written once a second of venue time.
        Raises StoreError; what was not written is written by the next save.
        """
        self._collect()
        if self._unsaved or now_ns - self.saved_ns >= SECOND_NS:
            self._commit(now_ns)

    def close(self, now_ns: int) -> None:
        """Save all, with the marks of this moment, and let the file go."""
        self._collect()
        try:
            self._commit(now_ns)
        finally:
            self._db.close()

    def _collect(self) -> None:
        for order in self.exchange.changed():
            self._unsaved[order.id] = order

    def _commit(self, now_ns: int) -> None:
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                written = self._write(now_ns)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except sqlite3.Error as e:
            mend = "Free some disk space, or see who else holds the file."
            raise StoreError(f"the ledger cannot be written: {e}", where=str(self.path), mend=mend) from e
        self._executions, self.saved_ns = written, now_ns
        self._unsaved.clear()

    def _write(self, now_ns: int) -> int:
        db, exchange, account = self._db, self.exchange, self.exchange.account()
        db.executemany(_ORDER, (_order_row(order) for order in self._unsaved.values()))
        executions = exchange.executions_from(self._executions)
        db.executemany(_EXECUTION, (_execution_row(done) for done in executions))
        money = (account.id, exchange.starting_cash, account.cash, exchange.realized, account.equity, now_ns)
        db.execute("INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, ?)", money)
        db.execute("DELETE FROM positions")
        held = ((p.symbol, p.qty, p.avg_price, p.price) for p in exchange.positions())
        db.executemany("INSERT INTO positions VALUES (?, ?, ?, ?)", held)
        core = exchange.core()
        day = core.hours.today.day if core.hours.today is not None else ""
        db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?)", (now_ns, day))
        db.execute("INSERT OR REPLACE INTO state VALUES (1, ?)", (msgspec.msgpack.encode(core),))
        return self._executions + len(executions)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    """Set the connection up, and bring the file's tables to this build's."""
    version = _version_of(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA busy_timeout = 5000")
    if version < _VERSION:
        # One transaction, with its version: a kill in between leaves the file as it was.
        steps = _FROM_1 if version else _SCHEMA
        db.executescript(f"BEGIN; {steps} PRAGMA user_version = {_VERSION}; COMMIT;")


def _version_of(db: sqlite3.Connection, path: Path) -> int:
    """The version of the file's tables; 0 for a new file."""
    # Asked before anything is set: a file of somebody else's is left as it was.
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    full = db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    if version > _VERSION or (full and not version):
        raise _unreadable(path, f"its version is {version}, this build knows {_VERSION}")
    return version


def _read(db: sqlite3.Connection, core: Core) -> State:
    orders = [_record.decode(raw) for (raw,) in db.execute("SELECT record FROM orders ORDER BY n")]
    columns = "execution_id, order_id, symbol, side, qty, price, at_ns, corrects, fee"
    rows: Iterable[tuple[str, str, str, str, float, float, int, str, float]]
    rows = db.execute(f"SELECT {columns} FROM executions ORDER BY n")  # noqa: S608 - our own column names
    return State(core=core, orders=orders, executions=[_execution(*row) for row in rows])


def _execution(
    execution_id: str,
    order_id: str,
    symbol: str,
    side: str,
    qty: float,
    price: float,
    at_ns: int,
    corrects: str,
    fee: float,
) -> Execution:
    return Execution(
        execution_id=execution_id,
        order_id=order_id,
        symbol=symbol,
        side=Side(side),
        qty=qty,
        price=price,
        t_ns=at_ns,
        corrects=corrects,
        fee=fee,
    )


def _order_row(order: Order) -> tuple[str | float | int | bytes | None, ...]:
    seen = order.view()
    return (
        seen.id,
        seen.client_order_id,
        seen.parent_id,
        seen.symbol,
        seen.side.value,
        seen.qty,
        seen.filled_qty,
        seen.filled_avg_price,
        seen.order_type.value,
        seen.tif.value,
        seen.order_class.value,
        seen.limit_price,
        seen.stop_price,
        seen.status.value,
        seen.submitted_ns,
        seen.updated_ns,
        seen.replaces,
        seen.replaced_by,
        msgspec.msgpack.encode(order),
    )


def _execution_row(done: Execution) -> tuple[str | float | int, ...]:
    return (
        done.execution_id,
        done.symbol,
        done.side.value,
        done.qty,
        done.price,
        done.t_ns,
        done.corrects,
        done.fee,
        done.order_id,
    )


def _unreadable(path: Path, why: str) -> StoreError:
    return StoreError(
        f"not a ledger that this build can read: {why}",
        where=str(path),
        mend="Move the file away; a new one is made at the next start.",
    )
