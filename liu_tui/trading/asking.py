"""What is asked of the broker again and again until it is settled: lost answers, and cancels.

Ambiguity is a state: an order whose answer was lost is UNKNOWN until the broker's own word settles it. It is
never sent again, under this id or another.
"""

from collections.abc import Iterable

import msgspec

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import OrderState
from liu_tui.trading.book import Book
from liu_tui.trading.effects import AskBroker, CancelAtBroker
from liu_tui.trading.orders import OrderRecord

# Five empty answers settle it, as NautilusTrader's in-flight check does (docs/concepts/live.md).
ASKS = 5
_SPACING_S = (1, 2, 4, 8)
# Nobody answered the question itself: the driver's call was lost.
_PATIENCE_S = 10
# A request has been given up by then (the adapter's time-outs are 20 s together), so its answer was lost.
_ACKNOWLEDGED_S = 30
_CANCEL_PATIENCE_S = (5, 10, 20, 30)

S = OrderState


class _Question(msgspec.Struct):
    """number: how often it was asked, for a lost answer 1 to ASKS; due_ns: when it is asked (again)."""

    number: int
    due_ns: int


class Asker:
    """Looks orders up whose answer was lost.

    pace: session seconds in a second of the wall, at least 1: a broker is as slow as it is, however fast a
          session is replayed
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._questions: dict[str, _Question] = {}
        self.pace = 1.0

    @property
    def unknown(self) -> int:
        """How many orders are asked for whose fate nobody knows."""
        return sum(1 for cid in self._questions if self._book.orders[cid].state is S.UNKNOWN)

    def lost(self, record: OrderRecord, words: str, now_ns: int) -> None:
        """Ask about a submit whose answer was lost; if it was the look-up that failed, ask again later."""
        cid = record.client_order_id
        known = self._questions.get(cid)
        if known is not None:
            known.due_ns = self.later(now_ns, _SPACING_S[min(known.number, len(_SPACING_S)) - 1])
            return
        self._questions[cid] = _Question(1, now_ns)
        if record.state in (S.INTENT, S.SUBMITTED):
            record = msgspec.structs.replace(record, state=S.UNKNOWN)
            self._book.put(record, "unknown", now_ns, words=words)
        self._ask(cid, now_ns)

    def asking(self, cid: str) -> bool:
        """Whether a question about the order is open."""
        return cid in self._questions

    def look(self, record: OrderRecord, now_ns: int) -> None:
        """Ask what became of an order that the broker knows, once."""
        if record.client_order_id not in self._questions:
            self._questions[record.client_order_id] = _Question(1, now_ns)
            self._ask(record.client_order_id, now_ns)

    def absent(self, record: OrderRecord, now_ns: int) -> None:
        """Ask for an order that the broker did not list: it may have ended, or its answer never came."""
        if record.order_id and record.state is not S.UNKNOWN:
            self.look(record, now_ns)
        elif not self.asking(record.client_order_id):
            self.lost(record, "the broker does not list it", now_ns)

    def at_once(self, now_ns: int) -> None:
        """Ask all that is open again, now: the broker is back."""
        for cid in list(self._questions):
            self._ask(cid, now_ns)

    def settled(self, cid: str) -> None:
        """Ask no more: the broker has spoken."""
        self._questions.pop(cid, None)

    def unseen(self, record: OrderRecord, now_ns: int) -> None:
        """Take the answer that the broker has never seen the order; the fifth ends it."""
        cid = record.client_order_id
        question = self._questions.get(cid)
        if question is None:
            return
        if record.state is not S.UNKNOWN:
            # It has named the order before, so this answer is wrong: what it says next will count.
            del self._questions[cid]
        elif question.number >= ASKS:
            del self._questions[cid]
            self.never_seen(record, now_ns, "the broker never saw it")
        else:
            question.due_ns = self.later(now_ns, _SPACING_S[question.number - 1])
            question.number += 1

    def never_seen(self, record: OrderRecord, now_ns: int, words: str) -> None:
        """End an order that has not reached the broker."""
        self._book.put(msgspec.structs.replace(record, state=S.FAILED), "failed", now_ns, words=words)
        self._book.notice(
            "warn", f"{record.symbol} {record.role} {record.client_order_id}: {words}", symbol=record.symbol
        )

    def on_time(self, now_ns: int) -> None:
        """Ask what is due, and what was sent and never answered."""
        silent = self.later(now_ns, -_ACKNOWLEDGED_S)
        for record in self._book.all_live():
            if record.state is S.SUBMITTED and 0 < record.sent_ns <= silent:
                self.lost(record, "no answer came", now_ns)
        for cid, question in list(self._questions.items()):
            if question.due_ns <= now_ns:
                self._ask(cid, now_ns)

    def later(self, now_ns: int, seconds: int) -> int:
        """Say which moment of the session is so many seconds of the wall away."""
        return now_ns + int(seconds * self.pace * SECOND_NS)

    def _ask(self, cid: str, now_ns: int) -> None:
        question, record = self._questions[cid], self._book.orders[cid]
        if not record.live and not self._book.lacks_fill(cid):
            del self._questions[cid]
            return
        question.due_ns = self.later(now_ns, _PATIENCE_S)
        words = f"asking the broker ({question.number}/{ASKS})"
        if record.state is S.UNKNOWN and record.words != words:
            self._book.put(record, "asking", now_ns, words=words)
        self._book.emit(AskBroker(cid))


class Cancels:
    """Withdraws orders at the broker, and does not forget until each has ended.

    Orders of one group (a bracket, an OCO) fall together, so one cancel is sent for the group; only what
    lives on afterwards is canceled by itself.
    """

    def __init__(self, book: Book, asker: Asker) -> None:
        self._book, self._asker = book, asker
        self._wanted: dict[str, str] = {}  # client order id -> why
        self._sent: dict[str, _Question] = {}  # group -> how often it was asked to end

    def withdraw(self, records: Iterable[OrderRecord], why: str, now_ns: int) -> None:
        """Ask for the end of each. Again changes nothing."""
        groups: dict[str, OrderRecord] = {}
        for record in records:
            if record.waiting:
                self._book.put(
                    msgspec.structs.replace(record, state=S.CANCELED), "withdrawn", now_ns, words=why
                )
                continue
            self._wanted.setdefault(record.client_order_id, why)
            best = groups.get(record.group)
            if best is None or _rank(record) < _rank(best):
                groups[record.group] = record
        for group, record in groups.items():
            if group not in self._sent:
                self._send(record, now_ns)

    def wanted(self, cid: str) -> bool:
        """Whether the end of this order has been asked for."""
        return cid in self._wanted

    def failed(self, record: OrderRecord, words: str, now_ns: int) -> None:
        """Ask about a cancel that was refused, or lost: most often the order has just been filled."""
        self._book.notice("info", f"cancel of {record.symbol} {record.role}: {words}", symbol=record.symbol)
        if record.live:
            self._asker.look(record, now_ns)

    def after(self, record: OrderRecord, now_ns: int) -> None:
        """See an order change: forget one that ended, cancel one that can only now be named to the broker."""
        cid, group = record.client_order_id, record.group
        if cid not in self._wanted:
            return
        if not record.live:
            del self._wanted[cid]
            if not any(self._book.orders[other].group == group for other in self._wanted):
                self._sent.pop(group, None)
        elif group not in self._sent:
            self._send(record, now_ns)

    def on_time(self, now_ns: int) -> None:
        """Ask about cancels that have not ended, and cancel again what lives on, ever less often."""
        for cid in list(self._wanted):
            record = self._book.orders[cid]
            sent = self._sent.get(record.group)
            if not record.live or sent is None:
                self.after(record, now_ns)
            elif now_ns < sent.due_ns:
                continue
            elif record.state is S.PENDING_CANCEL:
                self._wait(sent, now_ns)
                self._asker.look(record, now_ns)
            else:
                self._send(record, now_ns)

    def at_once(self, now_ns: int) -> None:
        """Be patient no longer: the broker is back."""
        for sent in self._sent.values():
            sent.number, sent.due_ns = 0, now_ns

    def restore(self, records: Iterable[OrderRecord]) -> None:
        """After a restart: a cancel that was asked for is still wanted."""
        self._wanted = {r.client_order_id: r.words for r in records if r.state is S.PENDING_CANCEL}

    def _send(self, record: OrderRecord, now_ns: int) -> None:
        if not record.order_id or record.state is S.UNKNOWN:
            return  # it cannot be named yet; `after` comes back to it
        sent = self._sent.setdefault(record.group, _Question(0, now_ns))
        sent.number += 1
        self._wait(sent, now_ns)
        cid = record.client_order_id
        if record.state is not S.PENDING_CANCEL:
            pending = msgspec.structs.replace(record, state=S.PENDING_CANCEL)
            self._book.put(pending, "cancel", now_ns, words=self._wanted.get(cid, ""))
        self._book.emit(CancelAtBroker(record.order_id, cid))

    def _wait(self, sent: _Question, now_ns: int) -> None:
        patience_s = _CANCEL_PATIENCE_S[min(max(sent.number, 1), len(_CANCEL_PATIENCE_S)) - 1]
        sent.due_ns = self._asker.later(now_ns, patience_s)


def _rank(record: OrderRecord) -> tuple[bool, bool]:
    # The order that the others came with first; last a held leg, which is not at the exchange yet, and one
    # whose place another is taking.
    return bool(record.parent), record.state in (S.HELD, S.PENDING_REPLACE)
