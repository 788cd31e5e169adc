"""The desk's books: every order, fill and position of the batch, and what must be told when one changes.

A position is the sum of its fills and nothing else: it changes where one comes to stand, or is taken back.
What changes becomes effects in an outbox, which the desk hands to its driver.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from liu_tui.model.account import Position
from liu_tui.model.orders import (
    BrokerOrder,
    Execution,
    Fill,
    Operation,
    OrderState,
    OrderUpdate,
    ReplaceRequest,
)
from liu_tui.plan.schema import FeesTable
from liu_tui.trading.amending import Ledger, Line, heir_of, row_id, told_after, without
from liu_tui.trading.costs import Costs
from liu_tui.trading.effects import Booked, Effect, Journal, News, Notice, ReplaceAtBroker, Send
from liu_tui.trading.orders import ENTRY, OrderRecord, heard, leg_of, news, request, with_fill
from liu_tui.trading.positions import EXTERNAL, Money, filled, money, won
from liu_tui.trading.shelf import Key, Shelf

__all__ = ["Book", "Key", "execution_of"]

ADOPTED = "adopted-"
"""Begins the name of a fill that stands in for one of which the broker has only told the effect."""

_MINUTE_NS = 60_000_000_000

_DONE = {
    Operation.BUY: "bought",
    Operation.SELL: "sold",
    Operation.SHORT: "sold short",
    Operation.COVER: "bought back",
}


class Book(Shelf):
    """The shelf, what changes it, and the outbox. fees: what a fill costs where the venue does not say."""

    def __init__(self, fees: FeesTable | None = None) -> None:
        super().__init__()
        self.prices: dict[str, float] = {}
        self._executions: set[str] = set()
        self._ledger = Ledger()
        self._costs = Costs(fees or FeesTable())
        self._stand_ins: dict[str, str] = {}  # client order id -> an adopted fill
        self._sent: deque[int] = deque()
        self._out: list[Effect] = []
        self.hearers: list[Callable[[Effect], None]] = []  # are told of each effect as it is made
        self.fees = 0.0  # dollars, of the batch's own fills

    # what is told

    def emit(self, effect: Effect) -> None:
        """Put an effect into the outbox."""
        self._out.append(effect)
        for hear in self.hearers:
            hear(effect)

    def notice(self, level: str, words: str, *, kind: str = "", symbol: str = "") -> None:
        """Put a line for the log into the outbox."""
        self._out.append(Notice(level, words, kind, symbol))

    def take(self) -> list[Effect]:
        """Empty the outbox."""
        out, self._out = self._out, []
        return out

    # what is known

    def has_booked(self, execution_id: str) -> bool:
        """Whether this fill is in the books."""
        return execution_id in self._executions

    def makers(self, key: Key) -> set[str]:
        """Name the orders that made the position what it is, since it was last flat."""
        return self._ledger.makers(key)

    def money(self) -> Money:
        """Sum the batch up at the last prices."""
        if self._won is None:  # asked at every update, and most of what was ever held is flat
            self._won = won(self.positions.values())
        held = (self.positions[key] for key in self._held)
        return money(held, self.prices, realized=self._won, fees=self.fees)

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

    def replace(self, old: OrderRecord, new: OrderRecord, terms: ReplaceRequest, now_ns: int) -> OrderRecord:
        """Journal both orders of a replacement in one transaction, then hand it to the wire."""
        pending, intent = OrderState.PENDING_REPLACE, OrderState.INTENT
        old = msgspec.structs.replace(old, state=pending, updated_ns=now_ns, words="")
        new = msgspec.structs.replace(new, state=intent, sent_ns=now_ns, updated_ns=now_ns, words="")
        self.emit(Journal(old, "replace", now_ns))
        self.emit(Journal(new, "intent", now_ns))
        new = msgspec.structs.replace(new, state=OrderState.SUBMITTED)
        self._sent.append(now_ns)
        for record in (old, new):
            self.keep(record)
            self.emit(News(news(record)))
        self.emit(ReplaceAtBroker(terms))
        return new

    def protect(self, key: Key, stop: float | None, target: float | None) -> None:
        """Move the stop and the target of what is held."""
        self._hold(msgspec.structs.replace(self._position(key), stop=stop, target=target))

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
        if execution is not None and self._ledger.taken_back(execution.execution_id):
            return record  # said again, or late: the order as it was before the broker thought better of it
        record = heard(record, order, asked=asked)
        # What was told before a fill was taken back counts no more; an earlier state of it says nothing.
        if asked and order.status is record.state:
            count = max(record.filled_qty, order.filled_qty)
            record = msgspec.structs.replace(record, broker_filled=count)
        if asked and not order.legs and record.role != ENTRY:
            self._alone.add(record.client_order_id)
        if execution is not None:
            record = self._take(record, execution)
            record = told_after(record, order) if execution.corrects else record
        if record != before:
            words = "" if before is not None and before.state is not record.state else record.words
            record = self.put(record, event, now_ns, words=words)
        elif asked:  # nothing to tell, but what it brought with it may be known only now
            self.keep(record)
        for leg in order.legs:
            self.link(record, leg, now_ns, asked=asked)
        return record

    def book_alone(
        self,
        record: OrderRecord,
        execution: Execution,
        now_ns: int,
        *,
        event: str = "fill",
        words: str = "found in the broker's history",
    ) -> OrderRecord:
        """Book a fill that the broker's stream did not tell: its history lists it, or a person adopts it."""
        after = self._take(record, execution)
        return self.put(after, event, now_ns, words=words) if after != record else record

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
        stored = dict(self.orders)
        for fill in fills:
            self._restore_fill(fill)
        for fill in fills:
            amended = self.orders.get(fill.client_order_id) if fill.amends else None
            if amended is not None:  # counting up again has made it filled; the broker said otherwise since
                was = stored[amended.client_order_id]
                self.keep(msgspec.structs.replace(amended, state=was.state, broker_filled=was.broker_filled))

    def _take(self, record: OrderRecord, execution: Execution) -> OrderRecord:
        """Book one execution once, or the one that it puts right; the true one takes a stand-in's place."""
        if not self.has_booked(execution.execution_id):
            stand_in = self._stand_ins.pop(record.client_order_id, "")
            if stand_in and not execution.corrects:
                execution = msgspec.structs.replace(execution, corrects=stand_in)
        if execution.corrects:
            record = self._take_back(record, execution)
        return self._book(record, execution) if execution.qty > 0 else record

    def _take_back(self, record: OrderRecord, execution: Execution) -> OrderRecord:
        """Book that an execution did not happen; one that was not heard of is only not booked any more.

        Of that there is no row: after a restart the broker's history says both again.
        """
        corrects = execution.corrects
        if self._ledger.taken_back(corrects):
            return record
        heir = execution.execution_id if execution.qty > 0 else ""
        line = self._ledger.take_back(corrects, heir)
        row = row_id(corrects, heir)
        self._executions |= {corrects, row}
        before = self._position(record.key)
        if line is None:
            return record
        after = self._ledger.position(record.key, before)
        self._hold(after)
        fill = msgspec.structs.replace(
            self._row(record, execution, after, after.realized - before.realized),
            execution_id=row,
            qty=-line.qty,
            price=line.price,
            reason="taken back by the broker",
            fee=-self._costs.give_back(record.client_order_id, corrects, heir) + 0.0,
            amends=corrects,
        )
        self._count_fee(fill)
        self.emit(Booked(fill))
        words = f"{fill.symbol}: the broker took back {abs(fill.qty):g} at {fill.price:g} of {fill.strategy}"
        self.notice("warn", words, kind="fill", symbol=fill.symbol)
        return without(record, line)

    def _book(self, record: OrderRecord, execution: Execution) -> OrderRecord:
        if execution.execution_id in self._executions:
            return record
        self._executions.add(execution.execution_id)
        signed = record.operation.side.sign * execution.qty
        held = self._position(record.key)
        opens = record.role == ENTRY
        after, realized = self._stand(
            Line(
                execution.execution_id, record.client_order_id, record.key, signed, execution.price,
                execution.t_ns, record.stop if opens else None, record.target if opens else None,
            )
        )  # fmt: skip
        record = with_fill(record, execution.qty, execution.price)
        fill = msgspec.structs.replace(
            self._row(record, execution, after, realized),
            stop=record.stop if opens else held.stop,
            target=record.target if opens else held.target,
            fee=self._cost(record, execution),
        )
        self._count_fee(fill)
        self.emit(Booked(fill))
        self._tell_fill(fill, held.qty)
        return record

    def _stand(self, line: Line) -> tuple[Position, float]:
        """Let a fill stand, and move the position: here, and where one is taken back, and nowhere else."""
        if line.execution_id.startswith(ADOPTED):
            self._stand_ins[line.cid] = line.execution_id
        held = self._position(line.key)
        if self._ledger.add(line):
            after = self._ledger.position(line.key, held)
            realized = after.realized - held.realized
        else:
            after, realized = filled(
                held, line.qty, line.price, line.t_ns, stop=line.stop, target=line.target
            )
        self._hold(after)
        return after, realized

    def _row(self, record: OrderRecord, execution: Execution, after: Position, realized: float) -> Fill:
        return Fill(
            execution_id=execution.execution_id,
            client_order_id=record.client_order_id,
            order_id=record.order_id or execution.order_id,
            intent_id=record.intent_id,
            strategy=record.strategy,
            symbol=record.symbol,
            operation=record.operation,
            qty=record.operation.side.sign * execution.qty,
            price=execution.price,
            t_ns=execution.t_ns,
            position=after.qty,
            avg_price=after.avg_price,
            realized=realized,
            reason=record.reason,
            indicators=record.indicators,
        )

    def _cost(self, record: OrderRecord, execution: Execution) -> float:
        if record.strategy == EXTERNAL:  # somebody else's
            return 0.0
        return self._costs.add(record.client_order_id, execution, record.operation.side)

    def _count_fee(self, fill: Fill) -> None:
        if fill.strategy != EXTERNAL:
            self.fees += fill.fee

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
        self._count_fee(fill)
        self._costs.restore(fill)
        record = self.orders.get(fill.client_order_id)
        if fill.amends:
            self._restore_amendment(fill, record)
            return
        opens = record is None or record.role == ENTRY
        stop, target = (fill.stop, fill.target) if opens else (None, None)
        key = fill.strategy, fill.symbol
        self._stand(
            Line(fill.execution_id, fill.client_order_id, key, fill.qty, fill.price, fill.t_ns, stop, target)
        )
        if record is not None:
            self.keep(with_fill(record, abs(fill.qty), fill.price))

    def _restore_amendment(self, fill: Fill, record: OrderRecord | None) -> None:
        self._executions.add(fill.amends)
        if fill.amends.startswith(ADOPTED):
            self._stand_ins.pop(fill.client_order_id, None)
        line = self._ledger.take_back(fill.amends, heir_of(fill.execution_id, fill.amends))
        if line is None:
            return
        key = fill.strategy, fill.symbol
        self._hold(self._ledger.position(key, self._position(key)))
        if record is not None:
            self.keep(without(record, line))


def execution_of(update: OrderUpdate) -> Execution | None:
    """Read the fill that an update tells of, takes back or puts right, if any.

    Where a broker names no execution, it is named for its order and the shares filled by then: the same fill
    gets the same name again.
    """
    amends = update.amends and bool(update.corrects)
    if not amends and (not update.fills or update.qty <= 0):
        return None
    order = update.order
    named = f"{update.corrects}:put right" if amends else f"{order.id}:{order.filled_qty:g}"
    return Execution(
        execution_id=update.execution_id or named,
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        qty=0.0 if update.event == "trade_bust" else update.qty,
        price=update.price,
        t_ns=update.t_ns,
        corrects=update.corrects if amends else "",
    )
