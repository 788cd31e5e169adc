"""Broker orders that the books do not know: legs whose names come later, and orders made elsewhere.

A leg's update may arrive before the answer that names the leg. It is kept, not judged, until it can be
linked; what nobody claims after a while was made elsewhere, and is booked under EXTERNAL with its effect on
the account.
"""

import msgspec

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import BrokerOrder, Execution, Operation, OrderState, OrderUpdate, Side
from liu_tui.trading.book import Book, Key, execution_of
from liu_tui.trading.orders import ENTRY, EXIT, STOP, TARGET, OrderRecord, leg_of
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.prices import is_price

# The answer to a submit comes within a second; a lost one is asked for at once.
_PATIENCE_S = 5

S = OrderState


class _Stray(msgspec.Struct):
    since_ns: int
    updates: list[OrderUpdate]


class Strays:
    """Keeps what cannot be linked yet."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._kept: dict[str, _Stray] = {}

    def keep(self, update: OrderUpdate, now_ns: int) -> None:
        """Hold an update of an unknown order."""
        self._kept.setdefault(update.order.id, _Stray(now_ns, [])).updates.append(update)

    def keeps(self, order_id: str) -> bool:
        """Whether updates of this unknown order are being held."""
        return order_id in self._kept

    def expects(self, symbol: str) -> bool:
        """Whether updates of an unknown order in the symbol are being held."""
        return any(stray.updates[-1].order.symbol == symbol for stray in self._kept.values())

    def link(self, order: BrokerOrder, now_ns: int) -> OrderRecord | None:
        """Begin the record of an unknown order that says what it belongs to; None if it does not say."""
        parent = self._book.by_order_id(order.parent_id) if order.parent_id else None
        if parent is not None:
            return self._book.link(parent, order, now_ns)
        replaced = self._book.by_order_id(order.replaces) if order.replaces else None
        if replaced is not None:
            return self._book.hear(successor(replaced, order, now_ns), order, "replaces", now_ns)
        return None

    def claimed(self, now_ns: int) -> list[Key]:
        """Replay what was kept for orders that are known by now; returns whose positions may have changed."""
        keys: dict[Key, None] = {}
        for order_id in list(self._kept):
            record = self._book.by_order_id(order_id)
            if record is not None:
                self._replay(record, self._kept.pop(order_id), now_ns)
                keys[record.key] = None
        return list(keys)

    def on_time(self, now_ns: int) -> list[Key]:
        """Decide about what nobody has claimed for a while: a leg by its prices, or made elsewhere."""
        keys: dict[Key, None] = {}
        for order_id, stray in list(self._kept.items()):
            order = stray.updates[-1].order
            if now_ns - stray.since_ns < _PATIENCE_S * SECOND_NS or self._awaited(order.symbol):
                continue
            record = self.adopt(order, now_ns)
            self._replay(record, self._kept.pop(order_id), now_ns)
            keys[record.key] = None
        return list(keys)

    def adopt(self, order: BrokerOrder, now_ns: int) -> OrderRecord:
        """Give an unknown order a record: of the one leg that is missing and looks like it, else EXTERNAL."""
        parents = [r for r in self._book.legless(order.symbol) if _misses(self._book, r, order)]
        if len(parents) == 1:
            return self._book.link(parents[0], order, now_ns)
        record = external(order, self._book.held((EXTERNAL, order.symbol)), now_ns)
        words = f"an order made elsewhere: {order.side} {order.qty:g} {order.symbol} ({order.status})"
        self._book.notice("warn", words, symbol=order.symbol)
        return self._book.hear(record, order, "external", now_ns)

    def _awaited(self, symbol: str) -> bool:
        """Whether an answer is still to come that may name the order as one of ours, or as a leg of one."""
        waiting = (S.SUBMITTED, S.UNKNOWN, S.INTENT)
        return any(
            record.state in waiting and not record.waiting
            for key in self._book.active(symbol)
            for record in self._book.live(key)
        )

    def _replay(self, record: OrderRecord, stray: _Stray, now_ns: int) -> None:
        for update in stray.updates:
            record = self._book.hear(
                record, update.order, update.event, now_ns, execution=execution_of(update)
            )


def successor(old: OrderRecord, order: BrokerOrder, now_ns: int) -> OrderRecord:
    """Begin the record of an order that took another's place at the broker."""
    return msgspec.structs.replace(
        old,
        client_order_id=order.client_order_id or order.id,
        order_id=order.id,
        qty=order.qty,
        state=S.SUBMITTED,
        filled_qty=0.0,
        avg_price=0.0,
        broker_filled=0.0,
        created_ns=now_ns,
        updated_ns=now_ns,
        words="",
    )


def external(order: BrokerOrder, held: float, now_ns: int) -> OrderRecord:
    """Begin the record of an order that this batch did not ask for. held: signed shares held so already."""
    if order.side is Side.BUY:
        operation = Operation.COVER if held < 0 else Operation.BUY
    else:
        operation = Operation.SELL if held > 0 else Operation.SHORT
    return OrderRecord(
        client_order_id=order.client_order_id or order.id,
        intent_id="",
        strategy=EXTERNAL,
        symbol=order.symbol,
        operation=operation,
        role=ENTRY if operation.enters else EXIT,
        order_type=order.order_type,
        qty=order.qty,
        state=S.SUBMITTED,
        created_ns=now_ns,
        updated_ns=now_ns,
        tif=order.tif,
        price=order.limit_price or order.stop_price or order.filled_avg_price,
        reason="made elsewhere",
        sent_ns=now_ns,
    )


def external_fill(execution: Execution, held: float, now_ns: int) -> OrderRecord:
    """Begin the record of an order of which only a fill is known."""
    order = BrokerOrder(
        id=execution.order_id,
        client_order_id=f"external-{execution.order_id}",
        symbol=execution.symbol,
        side=execution.side,
        qty=execution.qty,
        limit_price=execution.price,
    )
    return msgspec.structs.replace(external(order, held, now_ns), order_id=execution.order_id)


def _misses(book: Book, record: OrderRecord, order: BrokerOrder) -> bool:
    # The answer that names the legs was lost: symbol, side, shares and price say whose leg this is.
    if record.symbol != order.symbol or record.qty != order.qty or not record.protected:
        return False
    leg = leg_of(record, order, 0)
    if leg.operation.side is not order.side or record.role == leg.role:
        return False
    if any(known.role == leg.role for known in book.legs(record.client_order_id)):
        return False
    wanted, price = {TARGET: (record.target, order.limit_price), STOP: (record.stop, order.stop_price)}[
        leg.role
    ]
    return is_price(wanted) and wanted == price
