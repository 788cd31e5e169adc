"""The desk's books: every order, fill and position of the batch, and what must be told when one changes.

A position is the sum of its fills and nothing else: the only place that changes one is `_book`. What changes
becomes effects in an outbox, which the desk hands to its driver.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from liu_tui.model.account import Position
from liu_tui.model.orders import BrokerOrder, Execution, Fill, Operation, OrderState, OrderUpdate
from liu_tui.trading.effects import Booked, Effect, Journal, News, Notice, Send
from liu_tui.trading.orders import ENTRY, OrderRecord, heard, leg_of, news, request, with_fill
from liu_tui.trading.positions import EXTERNAL, Money, filled, money

Key = tuple[str, str]
"""(strategy, symbol)"""

_MINUTE_NS = 60_000_000_000


_DONE = {
    Operation.BUY: "bought",
    Operation.SELL: "sold",
    Operation.SHORT: "sold short",
    Operation.COVER: "bought back",
}


class Book:
    """Orders by our id, positions by (strategy, symbol), and the outbox."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderRecord] = {}
        self.positions: dict[Key, Position] = {}
        self.prices: dict[str, float] = {}
        self._cids: dict[str, str] = {}  # the broker's order id -> our id
        self._live: dict[Key, dict[str, None]] = {}
        self._entries: dict[Key, dict[str, None]] = {}
        self._legs: dict[str, dict[str, None]] = {}  # an order's client id -> those of the orders it brought
        self._behind: dict[str, Key] = {}  # orders with fills that the broker told of and we have not seen
        self._executions: set[str] = set()
        self._sent: deque[int] = deque()
        self._out: list[Effect] = []

    # what is told

    def emit(self, effect: Effect) -> None:
        """Put an effect into the outbox."""
        self._out.append(effect)

    def notice(self, level: str, words: str, *, kind: str = "", symbol: str = "") -> None:
        """Put a line for the log into the outbox."""
        self._out.append(Notice(level, words, kind, symbol))

    def take(self) -> list[Effect]:
        """Empty the outbox."""
        out, self._out = self._out, []
        return out

    # what is known

    def find(self, order: BrokerOrder) -> OrderRecord | None:
        """Find our record of what the broker describes, by our id or by its own."""
        return self.orders.get(order.client_order_id) or self.by_order_id(order.id)

    def by_order_id(self, order_id: str) -> OrderRecord | None:
        """Find our record by the broker's order id."""
        return self.orders.get(self._cids.get(order_id, ""))

    def live(self, key: Key) -> list[OrderRecord]:
        """List the orders of this strategy and symbol to which something may still happen, oldest first."""
        return [self.orders[cid] for cid in self._live.get(key, ())]

    def entries(self, key: Key) -> list[OrderRecord]:
        """Every entry order of this strategy and symbol that was ever sent, oldest first."""
        return [self.orders[cid] for cid in self._entries.get(key, ())]

    def sent(self) -> Iterator[OrderRecord]:
        """Every order that was ever handed to the wire."""
        return (record for record in self.orders.values() if record.sent_ns)

    def sent_or_waiting(self, key: Key) -> list[OrderRecord]:
        """List the orders of this strategy and symbol that were not refused, oldest first."""
        mine = (r for r in self.orders.values() if r.key == key and r.state is not OrderState.REFUSED)
        return sorted(mine, key=lambda r: r.created_ns)

    def has_booked(self, execution_id: str) -> bool:
        """Whether this fill is in the books."""
        return execution_id in self._executions

    def last_entry(self, key: Key) -> OrderRecord | None:
        """Find the newest entry order, None if there never was one."""
        cids = self._entries.get(key)
        return self.orders[next(reversed(cids))] if cids else None

    def legs(self, cid: str) -> list[OrderRecord]:
        """List the protective orders that came with the order of this id, as far as they are known."""
        return [self.orders[leg] for leg in self._legs.get(cid, ())]

    def all_live(self) -> Iterator[OrderRecord]:
        """Walk the orders to which something may still happen."""
        for cids in list(self._live.values()):
            for cid in list(cids):
                yield self.orders[cid]

    def active(self, symbol: str = "") -> list[Key]:
        """Every (strategy, symbol) with a position or a live order; of one symbol if it is named."""
        held = (key for key, position in self.positions.items() if position.qty)
        every = dict.fromkeys(held) | dict.fromkeys(key for key, cids in self._live.items() if cids)
        return [key for key in every if not symbol or key[1] == symbol]

    def held(self, key: Key) -> float:
        """Signed shares of one strategy in one symbol."""
        position = self.positions.get(key)
        return position.qty if position else 0.0

    def net(self, symbol: str) -> float:
        """Signed shares of the account in the symbol, as far as our fills tell."""
        return round(sum(p.qty for (_, name), p in self.positions.items() if name == symbol), 9) + 0.0

    def behind(self, key: Key | None = None) -> list[OrderRecord]:
        """Orders of which a fill is missing: the broker counts more shares than are booked."""
        return [self.orders[cid] for cid, owner in self._behind.items() if key is None or owner == key]

    def money(self) -> Money:
        """Sum the batch up at the last prices."""
        return money(self.positions.values(), self.prices)

    def sent_since_a_minute(self, now_ns: int) -> int:
        """How many orders were handed to the wire in the last minute."""
        while self._sent and self._sent[0] <= now_ns - _MINUTE_NS:
            self._sent.popleft()
        return len(self._sent)

    # what changes

    def put(self, record: OrderRecord, event: str, now_ns: int, *, words: str | None = None) -> OrderRecord:
        """Keep the record as it is now, and tell the store, the strategy and the screen."""
        said = record.words if words is None else words
        record = msgspec.structs.replace(record, updated_ns=now_ns, words=said)
        self.keep(record)
        self.emit(Journal(record, event, now_ns, said))
        self.emit(News(news(record)))
        return record

    def send(self, record: OrderRecord, event: str, now_ns: int) -> OrderRecord:
        """Journal the order as an intent, then hand it to the wire.

        The store has an INTENT: after a crash nobody can know whether it left, so the broker is asked.
        """
        record = msgspec.structs.replace(
            record, state=OrderState.INTENT, sent_ns=now_ns, updated_ns=now_ns, words=""
        )
        self.emit(Journal(record, event, now_ns))
        record = msgspec.structs.replace(record, state=OrderState.SUBMITTED)
        self.keep(record)
        self._sent.append(now_ns)
        self.emit(News(news(record)))
        self.emit(Send(request(record)))
        return record

    def hear(
        self,
        record: OrderRecord,
        order: BrokerOrder,
        event: str,
        now_ns: int,
        *,
        asked: bool = False,
        execution: Execution | None = None,
    ) -> OrderRecord:
        """Take the broker's word on an order, with its execution if there is one; link the legs it names."""
        before = self.orders.get(record.client_order_id)
        record = heard(record, order, asked=asked)
        if execution is not None:
            record = self._book(record, execution)
        if record != before:
            words = "" if before is not None and before.state is not record.state else record.words
            record = self.put(record, event, now_ns, words=words)
        for leg in order.legs:
            self.link(record, leg, now_ns, asked=asked)
        return record

    def book_alone(self, record: OrderRecord, execution: Execution, now_ns: int) -> OrderRecord:
        """Book a fill that the broker's history lists and its stream did not tell."""
        after = self._book(record, execution)
        return (
            self.put(after, "fill", now_ns, words="found in the broker's history")
            if after != record
            else record
        )

    def link(self, parent: OrderRecord, leg: BrokerOrder, now_ns: int, *, asked: bool = False) -> OrderRecord:
        """Tie a protective order to the order that it came with; again changes nothing."""
        known = self.find(leg)
        record = known or leg_of(parent, leg, now_ns)
        return self.hear(record, leg, leg.status.value if known else "leg", now_ns, asked=asked)

    def restore(self, orders: Iterable[OrderRecord], fills: Sequence[Fill]) -> None:
        """Fill empty books from the store; fills in the order in which they were booked. Tells nobody."""
        for record in orders:
            # Booked shares are counted again below: a crash may have come between a fill and its order's row.
            fresh = msgspec.structs.replace(record, filled_qty=0.0, avg_price=0.0)
            self.keep(fresh)
            if record.sent_ns:
                self._sent.append(record.sent_ns)
        self._sent = deque(sorted(self._sent))
        for fill in fills:
            self._restore_fill(fill)

    def keep(self, record: OrderRecord) -> None:
        """Store the record and its place in the indexes."""
        cid = record.client_order_id
        self.orders[cid] = record
        if record.order_id:
            self._cids[record.order_id] = cid
        if record.role == ENTRY and record.state is not OrderState.REFUSED:
            self._entries.setdefault(record.key, {})[cid] = None
        if record.parent:
            self._legs.setdefault(record.parent, {})[cid] = None
        live = self._live.setdefault(record.key, {})
        if record.live:
            live[cid] = None
        else:
            live.pop(cid, None)
        # A stranger's order may have been filled in part before this batch began.
        if record.broker_filled > record.filled_qty and record.strategy != EXTERNAL:
            self._behind[cid] = record.key
        else:
            self._behind.pop(cid, None)

    def _book(self, record: OrderRecord, execution: Execution) -> OrderRecord:
        """Book one execution once: the only place where a position changes."""
        if execution.execution_id in self._executions:
            return record
        self._executions.add(execution.execution_id)
        signed = record.operation.side.sign * execution.qty
        held = self._position(record.key)
        opens = record.role == ENTRY
        stop, target = (record.stop, record.target) if opens else (held.stop, held.target)
        after, realized = filled(
            held, signed, execution.price, execution.t_ns,
            stop=record.stop if opens else None, target=record.target if opens else None,
        )  # fmt: skip
        self.positions[record.key] = after
        record = with_fill(record, execution.qty, execution.price)
        fill = Fill(
            execution_id=execution.execution_id,
            client_order_id=record.client_order_id,
            order_id=record.order_id or execution.order_id,
            intent_id=record.intent_id,
            strategy=record.strategy,
            symbol=record.symbol,
            operation=record.operation,
            qty=signed,
            price=execution.price,
            t_ns=execution.t_ns,
            position=after.qty,
            avg_price=after.avg_price,
            realized=realized,
            stop=stop,
            target=target,
            reason=record.reason,
            indicators=record.indicators,
        )
        self.emit(Booked(fill))
        self._tell_fill(fill, held.qty)
        return record

    def _tell_fill(self, fill: Fill, before: float) -> None:
        earned = f", {fill.realized:+,.2f} dollars" if before * fill.qty < 0 else ""
        what = f"{abs(fill.qty):g} {fill.symbol} at {fill.price:g}{earned}"
        words = f"{fill.strategy} {_DONE[fill.operation]} {what}"
        self.notice("info" if fill.realized < 0 else "good", words, kind="fill", symbol=fill.symbol)
        if before * fill.position < 0 and fill.strategy != EXTERNAL:
            words = (
                f"{fill.strategy} {fill.symbol} went through zero: {before:+g} to {fill.position:+g} shares"
            )
            self.notice("error", words, symbol=fill.symbol)

    def _restore_fill(self, fill: Fill) -> None:
        if fill.execution_id in self._executions:
            return
        self._executions.add(fill.execution_id)
        key = fill.strategy, fill.symbol
        record = self.orders.get(fill.client_order_id)
        opens = record is None or record.role == ENTRY
        stop, target = (fill.stop, fill.target) if opens else (None, None)
        self.positions[key], _ = filled(
            self._position(key), fill.qty, fill.price, fill.t_ns, stop=stop, target=target
        )
        if record is not None:
            self.keep(with_fill(record, abs(fill.qty), fill.price))

    def _position(self, key: Key) -> Position:
        return self.positions.get(key) or Position(strategy=key[0], symbol=key[1], qty=0.0, avg_price=0.0)


def execution_of(update: OrderUpdate) -> Execution | None:
    """Read the fill that an update tells of, if any.

    Where a broker names no execution, it is named for its order and the shares filled by then: the same fill
    gets the same name again.
    """
    if not update.fills or update.qty <= 0:
        return None
    order = update.order
    return Execution(
        execution_id=update.execution_id or f"{order.id}:{order.filled_qty:g}",
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        qty=update.qty,
        price=update.price,
        t_ns=update.t_ns,
    )
