"""orders and order_events: the journal. An intent is committed here before its order is sent.

`orders` has one row an order, as it stands; `order_events` one row for each change of it, for good.
An order's new state, the event that brought it and the fill that came with it are one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from liu_tui.model.clock import wall_ns
from liu_tui.model.orders import Fill, OrderState
from liu_tui.store.accounts import INSERT_TRANSACTION, transaction_row
from liu_tui.store.db import Database, Row
from liu_tui.store.new_trades import INSERT_FILL, fill_rows
from liu_tui.store.portfolio import transaction_of
from liu_tui.store.table import Table
from liu_tui.trading.effects import Moved
from liu_tui.trading.orders import OrderRecord

Entry = tuple[OrderRecord, str, int, str]
"""An order as it now is, the event that made it so, its session time in UTC nanoseconds, and words."""


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one order.

    t_ns:    session time; wall_ns: this machine's time at which it was written
    event:   the desk's or the broker's word for what happened; the rest is the order after it
    """

    client_order_id: str
    t_ns: int
    wall_ns: int
    event: str
    state: OrderState
    filled_qty: float
    avg_price: float
    words: str


_ORDERS = Table("orders", OrderRecord, key=("batch_id", "client_order_id"))
_EVENTS = Table(
    "order_events",
    OrderEvent,
    key=("batch_id", "client_order_id", "t_ns", "event", "state", "filled_qty"),
)


class Journal:
    """The orders and all that happened to them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def write(
        self,
        batch_id: str,
        entries: Sequence[Entry],
        *,
        fills: Sequence[Fill] = (),
        moves: Sequence[Moved] = (),
    ) -> int:
        """Write orders as they now are, what made them so, and the fills that came with it; all or nothing.

        moves: what the fills moved in portfolios

        Written again, it changes nothing. Returns how many of the fills were new.

        Raises StoreError; then nothing of it is in the books.
        """
        at_ns = wall_ns()
        orders = [_ORDERS.values(record, batch_id) for record, _, _, _ in entries]
        events = [_event_row(batch_id, entry, at_ns) for entry in entries]
        statements = [(_ORDERS.upsert, orders), (_EVENTS.insert, events)] if entries else []
        if moves:
            rows = [transaction_row(transaction_of(batch_id, moved)) for moved in moves]
            statements.append((INSERT_TRANSACTION, rows))
        if fills:
            statements.append((INSERT_FILL, fill_rows(batch_id, fills)))
        changed = await self._db.at_once(statements)
        return changed[-1] if fills else 0

    async def load(self, batch_id: str) -> list[OrderRecord]:
        """Return the batch's orders as they stand, in the order in which they were first written."""
        rows = await self._db.rows(f"{_ORDERS.select} WHERE batch_id = ? ORDER BY rowid", (batch_id,))
        return [_ORDERS.read(row) for row in rows]

    async def events(self, batch_id: str, client_order_id: str = "") -> list[OrderEvent]:
        """Return what happened to one order, or to all of the batch, in the order of writing."""
        where = "WHERE batch_id = ?1 AND ?2 IN ('', client_order_id) ORDER BY event_id"
        rows = await self._db.rows(f"{_EVENTS.select} {where}", (batch_id, client_order_id))
        return [_EVENTS.read(row) for row in rows]


def _event_row(batch_id: str, entry: Entry, at_ns: int) -> Row:
    record, event, t_ns, words = entry
    changed = OrderEvent(
        client_order_id=record.client_order_id,
        t_ns=t_ns,
        wall_ns=at_ns,
        event=event,
        state=record.state,
        filled_qty=record.filled_qty,
        avg_price=record.avg_price,
        words=words,
    )
    return _EVENTS.values(changed, batch_id)
