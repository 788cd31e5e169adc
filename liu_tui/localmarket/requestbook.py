"""How often each order was asked for: a table of the ledger that knows no order, only what came in.

Whoever wants to know that nothing was sent twice looks here: the exchange refuses a duplicate, and its orders
alone would not show that somebody tried.
"""

import sqlite3
from pathlib import Path

from liu_tui.errors import StoreError

_TABLE = """
CREATE TABLE IF NOT EXISTS requests (
    client_order_id TEXT PRIMARY KEY, times INTEGER NOT NULL, turned_away INTEGER NOT NULL
) STRICT
"""
_COUNT = """
INSERT INTO requests (client_order_id, times, turned_away) VALUES (?, ?, ?)
ON CONFLICT (client_order_id) DO UPDATE SET
    times = times + excluded.times, turned_away = turned_away + excluded.turned_away
"""


class RequestBook:
    """The table `requests` of one ledger: submissions and replacements, by the id that they bring along.

    times:       that the exchange heard, refused ones and duplicates included
    turned_away: that a fault answered with an error before the exchange heard of them
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path
        db.execute(_TABLE)

    def note(self, client_order_id: str, *, turned_away: bool = False) -> None:
        """Count one request, on disk. Raises StoreError."""
        try:
            self._db.execute(_COUNT, (client_order_id, int(not turned_away), int(turned_away)))
        except sqlite3.Error as e:
            mend = "Free some disk space, or see who else holds the file."
            what = f"a request cannot be counted: {e}"
            raise StoreError(what, where=str(self._path), mend=mend) from e

    def times(self) -> dict[str, int]:
        """Client order id -> requests that the exchange heard."""
        rows = self._db.execute("SELECT client_order_id, times FROM requests WHERE times ORDER BY rowid")
        return dict(rows.fetchall())

    def turned_away(self) -> dict[str, int]:
        """Client order id -> requests that it never heard."""
        rows = self._db.execute(
            "SELECT client_order_id, turned_away FROM requests WHERE turned_away ORDER BY rowid"
        )
        return dict(rows.fetchall())
