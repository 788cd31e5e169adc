"""What strategies ask, turned into orders, refusals, cancels and changes.

The same intent twice changes nothing.
"""

from collections.abc import Iterable

import msgspec

from liu_tui.model.orders import AskKind, Intent, OrderState
from liu_tui.trading.asking import Cancels
from liu_tui.trading.book import Book
from liu_tui.trading.closing import Closer
from liu_tui.trading.codes import Refusal
from liu_tui.trading.effects import News
from liu_tui.trading.gate import Gate
from liu_tui.trading.ids import Ids
from liu_tui.trading.intake import ask_of, exit_of, record_of
from liu_tui.trading.orders import ENTRY, EXIT, OrderRecord, news
from liu_tui.trading.risk import increases_exposure


class Asks:
    """Takes intents in."""

    def __init__(self, book: Book, ids: Ids, gate: Gate, closer: Closer, cancels: Cancels) -> None:
        self._book, self._ids, self._gate, self._closer, self._cancels = book, ids, gate, closer, cancels
        self._orders: dict[str, str] = {}  # intent id -> client order id

    def take(self, intent: Intent, now_ns: int) -> None:
        """Do, hold back or refuse what is asked; an intent that is known is answered again."""
        if intent.kind is AskKind.CANCEL:
            self._cancel(intent, now_ns)
        elif (known := self._orders.get(intent.id)) is not None:
            self._book.emit(News(news(self._book.orders[known])))
        else:
            self._order(intent, now_ns)

    def restore(self, orders: Iterable[OrderRecord]) -> None:
        """Know the intents that the journal has answered."""
        self._orders = {
            r.intent_id: r.client_order_id for r in orders if r.intent_id and r.role in (ENTRY, EXIT)
        }

    def _cancel(self, intent: Intent, now_ns: int) -> None:
        entries = [r for r in self._book.live((intent.strategy, intent.symbol)) if r.role == ENTRY]
        self._cancels.withdraw(entries, intent.reason or f"canceled by {intent.strategy}", now_ns)

    def _order(self, intent: Intent, now_ns: int) -> None:
        ask = ask_of(intent, self._book.prices)
        record = record_of(intent, ask, self._ids.of(intent), now_ns)
        self._orders[intent.id] = record.client_order_id
        held = self._book.held(record.key)
        enters = increases_exposure(intent.operation, intent.qty, held)
        no = self._gate.no_entry(ask, now_ns) if enters else self._gate.no_exit(record, held)
        if no is not None:
            self._refuse(record, no, now_ns)
        elif enters:
            self._book.send(record, "intent", now_ns)
        else:
            self._closer.exit(exit_of(record, held), now_ns)

    def _refuse(self, record: OrderRecord, no: Refusal, now_ns: int) -> None:
        refused = msgspec.structs.replace(record, state=OrderState.REFUSED, code=no.code, numbers=no.numbers)
        self._book.put(refused, "refused", now_ns, words=no.words)
        words = f"{record.strategy} {record.operation} {record.symbol} refused: {no.words}"
        self._book.notice("warn", words, kind="refusal", symbol=record.symbol)
