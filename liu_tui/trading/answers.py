"""What the broker says of our orders, taken into the books: answers to requests, and its stream of updates.

In any order, any number of times: an update may come before the answer to the request that caused it.
"""

import msgspec

from liu_tui.model.orders import BrokerOrder, OrderState, OrderUpdate
from liu_tui.trading.asking import Asker, Cancels
from liu_tui.trading.book import Book, execution_of
from liu_tui.trading.orders import PROTECTIVE, OrderRecord
from liu_tui.trading.progress import Progress
from liu_tui.trading.replacing import Replacer
from liu_tui.trading.strays import Strays

DUPLICATE_ID = 40010001
"""Source: Alpaca's 422 "client_order_id must be unique": the broker has this order already."""

S = OrderState
# The broker says that a cancel or a replace came to nothing, but not what the order is now.
_CAME_TO_NOTHING = ("order_cancel_rejected", "order_replace_rejected")


class Answers:
    """Joins the broker's words to the orders that they are about."""

    def __init__(
        self,
        book: Book,
        asker: Asker,
        cancels: Cancels,
        strays: Strays,
        progress: Progress,
        replacer: Replacer,
    ) -> None:
        self._book, self._asker, self._cancels = book, asker, cancels
        self._strays, self._progress, self._replacer = strays, progress, replacer

    def told(self, cid: str, order: BrokerOrder, now_ns: int, *, asked: bool) -> None:
        """Take the broker's description of an order. asked: it answers a question of ours."""
        record = self._book.orders.get(cid) or self._book.find(order)
        if record is None:
            record = self._strays.adopt(order, now_ns)
        record = self._book.hear(record, order, order.status.value, now_ns, asked=asked)
        self._asker.settled(record.client_order_id)
        self._changed(record, now_ns)

    def unseen(self, cid: str, now_ns: int) -> None:
        """Take the answer that the broker has never seen this order."""
        record = self._book.orders.get(cid)
        if record is not None:
            self._asker.unseen(record, now_ns)
            self._replacer.after(self._book.orders[cid], now_ns)
            self._progress.advance(record.key, now_ns)

    def failed(self, cid: str, words: str, *, unknown: bool, now_ns: int, code: int, away: bool) -> None:
        """Take the failure of a Send or a look-up.

        unknown: the answer was lost, so the order may live
        away:    it never left: the moment it was meant for is over, so it has failed. Who wants it still (an
                 exit of the desk's own, protection) tries again with a new order
        """
        record = self._book.orders.get(cid)
        if record is None or not record.live:
            return
        if unknown or code == DUPLICATE_ID:
            self._asker.lost(record, words, now_ns)
        elif record.state in (S.INTENT, S.SUBMITTED):
            said = f"{words} ({code})" if code else words
            self._refused(record, "not sent" if away else "the broker refused", said, now_ns)

    def cancel_failed(self, cid: str, words: str, now_ns: int) -> None:
        """Take the failure of a cancel: ask the broker how the order stands."""
        record = self._book.orders.get(cid)
        if record is not None:
            self._cancels.failed(record, words, now_ns)

    def updated(self, update: OrderUpdate, now_ns: int) -> None:
        """Take one message of the trade-updates stream."""
        order = update.order
        record = self._book.find(order) or self._strays.link(order, now_ns)
        if record is None:
            self._strays.keep(update, now_ns)
            return
        record = self._book.hear(record, order, update.event, now_ns, execution=execution_of(update))
        if update.event in _CAME_TO_NOTHING:
            self._asker.look(record, now_ns)
        elif record.state is not S.UNKNOWN:
            self._asker.settled(record.client_order_id)
        self._changed(record, now_ns)

    def _refused(self, record: OrderRecord, what: str, said: str, now_ns: int) -> None:
        record = self._book.put(msgspec.structs.replace(record, state=S.FAILED), "failed", now_ns, words=said)
        line = f"{record.strategy} {record.symbol} {record.role}: {what}: {said}"
        level = "error" if record.role in PROTECTIVE else "warn"
        self._book.notice(level, line, kind="refusal", symbol=record.symbol)
        self._changed(record, now_ns)

    def _changed(self, record: OrderRecord, now_ns: int) -> None:
        self._progress.claim(now_ns)
        self._replacer.after(record, now_ns)
        self._progress.after(record.client_order_id, now_ns)
