"""What strategies ask, turned into orders, refusals, cancels and changes.

The same intent twice changes nothing.
"""

from collections.abc import Iterable

import msgspec

from liu_tui.model.market import Asset
from liu_tui.model.orders import AskKind, Intent, OrderRequest, OrderState
from liu_tui.trading.asking import Cancels
from liu_tui.trading.book import Book
from liu_tui.trading.brokerrules import ALPACA, BrokerRules, Moment, adapted, cannot
from liu_tui.trading.closing import Closer
from liu_tui.trading.codes import Refusal
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.effects import News
from liu_tui.trading.gate import Gate
from liu_tui.trading.ids import Ids
from liu_tui.trading.intake import ask_of, exit_of, record_of
from liu_tui.trading.moving import Mover
from liu_tui.trading.orders import ENTRY, EXIT, STOP, OrderRecord, news, request
from liu_tui.trading.replacing import Replacer
from liu_tui.trading.risk import increases_exposure
from liu_tui.trading.terms import new_terms, why_no_other_terms
from liu_tui.trading.venuebook import VenueFacts

# The kinds that are answered by one order's news, and the role under which a refusal is written down.
_ROLES = {AskKind.REPLACE: ENTRY, AskKind.PROTECT: STOP}


class Asks:
    """Takes intents in."""

    def __init__(
        self,
        book: Book,
        ids: Ids,
        gate: Gate,
        closer: Closer,
        cancels: Cancels,
        replacer: Replacer,
        mover: Mover,
        venue: VenueFacts,
        day: Daytime,
        rules: BrokerRules = ALPACA,
    ) -> None:
        self._book, self._ids, self._gate, self._closer, self._cancels = book, ids, gate, closer, cancels
        self._replacer, self._mover, self._venue = replacer, mover, venue
        self._day, self._rules = day, rules
        self._orders: dict[str, str] = {}  # intent id -> client order id

    def take(self, intent: Intent, now_ns: int) -> None:
        """Do, hold back or refuse what is asked; an intent that is known is answered again."""
        if intent.kind is AskKind.CANCEL:
            self._cancel(intent, now_ns)
        elif (known := self._orders.get(intent.id)) is not None:
            answer = msgspec.structs.replace(self._book.orders[known], intent_id=intent.id)
            self._book.emit(News(news(answer)))
        elif intent.kind is AskKind.ORDER:
            self._order(intent, now_ns)
        else:
            self._change(intent, now_ns)

    def restore(self, orders: Iterable[OrderRecord]) -> None:
        """Know the intents that the journal has answered."""
        # Legs carry the intent of their entry, which comes first and answers for it.
        said = sorted(orders, key=lambda r: (r.role not in (ENTRY, EXIT), r.created_ns))
        for record in said:
            if record.intent_id:
                self._orders.setdefault(record.intent_id, record.client_order_id)

    def _cancel(self, intent: Intent, now_ns: int) -> None:
        entries = [r for r in self._book.live((intent.strategy, intent.symbol)) if r.role == ENTRY]
        self._cancels.withdraw(entries, intent.reason or f"canceled by {intent.strategy}", now_ns)

    def _order(self, intent: Intent, now_ns: int) -> None:
        ask = ask_of(intent, self._book.prices)
        record = record_of(intent, ask, self._ids.of(intent), now_ns)
        self._orders[intent.id] = record.client_order_id
        if not increases_exposure(intent.operation, ask.qty, self._book.held(record.key)):
            self._exit(record, now_ns)
            return
        no = self._gate.no_entry(ask, now_ns) or self._cannot(request(record), record, now_ns)
        if no is not None:
            self._refuse(record, no, now_ns)
        else:
            self._book.send(record, "intent", now_ns)

    # exits

    def _exit(self, record: OrderRecord, now_ns: int) -> None:
        held = self._book.held(record.key)
        no = self._gate.no_exit(record, held)
        if no is not None and no.code != "ALREADY_CLOSING":
            self._refuse(record, no, now_ns)
            return
        position = self._book.positions[record.key]
        last = self._book.prices.get(record.symbol, 0.0)
        cut = exit_of(record, position, last)
        cut, changes = adapted(cut, self._moment(cut, now_ns), self._rules)
        if no is not None and not self._takes_over(cut, now_ns):
            self._refuse(record, no, now_ns)
            return
        for words in changes:
            self._book.notice("warn", f"{record.strategy} {record.symbol} exit: {words}", symbol=record.symbol)
        self._closer.exit(cut, now_ns)

    def _takes_over(self, new: OrderRecord, now_ns: int) -> bool:
        # The last word of a strategy counts: an exit that rests gives way to another one.
        old = self._closer.on_its_way(new.key)
        if old is None or old.role != EXIT or not old.rests or _terms(old) == _terms(new):
            return False
        self._cancels.withdraw([old], "another exit takes its place", now_ns)
        return True

    # changes

    def _change(self, intent: Intent, now_ns: int) -> None:
        answer = self._replace(intent, now_ns) if intent.kind is AskKind.REPLACE else self._mover.move(intent, now_ns)
        if isinstance(answer, Refusal):
            ask = ask_of(intent, self._book.prices)
            record = record_of(intent, ask, self._ids.of(intent), now_ns)
            answer = msgspec.structs.replace(record, role=_ROLES[intent.kind])
            self._refuse(answer, no := answer_of, now_ns)
        self._orders[intent.id] = answer.client_order_id
