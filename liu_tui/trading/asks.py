"""What strategies ask, turned into orders, refusals, cancels and changes.

The same intent twice changes nothing. An entry passes the guards, then the broker's rules; an exit passes
neither: what of it is impossible is changed, and the log says so.
"""

from collections.abc import Iterable

import msgspec

from liu_tui.model.market import Asset
from liu_tui.model.orders import AskKind, Intent, OrderState, OrderType
from liu_tui.trading.asking import Cancels
from liu_tui.trading.book import Book
from liu_tui.trading.brokerrules import ALPACA, BrokerRules, Moment, adapted, cannot
from liu_tui.trading.closing import Closer, closing_operation
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.effects import News
from liu_tui.trading.gate import Gate
from liu_tui.trading.ids import Ids
from liu_tui.trading.intake import ask_of, exit_of, record_of
from liu_tui.trading.moving import Mover
from liu_tui.trading.orders import ENTRY, EXIT, STOP, OrderRecord, news, request
from liu_tui.trading.refusals import Refusals
from liu_tui.trading.replacing import Replacer
from liu_tui.trading.risk import increases_exposure
from liu_tui.trading.terms import ask_for, grows, why_no_other_terms, with_terms
from liu_tui.trading.venuebook import VenueFacts


class Asks:
    """Takes intents in. refusals: what is said of those that are refused."""

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
        self._replacer, self._mover = replacer, mover
        self._venue, self._day, self._rules = venue, day, rules
        self.refusals = Refusals(book)
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
        for record in sorted(orders, key=lambda r: (r.role not in (ENTRY, EXIT), r.created_ns)):
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
            no = self._exit(record, now_ns)
        elif (no := self._gate.no_entry(ask, now_ns) or self._cannot(record, now_ns)) is None:
            self._book.send(record, "intent", now_ns)
        if no is not None:
            self._refuse(record, no, now_ns)

    def _exit(self, record: OrderRecord, now_ns: int) -> Refusal | None:
        no = self._gate.no_exit(record, self._book.held(record.key))
        if no is not None and no.code != "ALREADY_CLOSING":
            return no
        last = self._book.prices.get(record.symbol, 0.0)
        cut = exit_of(record, self._book.positions[record.key], last)
        cut, changes = adapted(cut, self._moment(cut, now_ns), self._rules)
        if no is not None:
            other = self._closer.on_its_way(cut.key)
            if other is None or not _gives_way(other, cut):
                return no
            self._cancels.withdraw([other], "another exit takes its place", now_ns)
        for words in changes:
            line = f"{record.strategy} {record.symbol} exit: {words}"
            self._book.notice("warn", line, symbol=record.symbol)
        self._closer.exit(cut, now_ns)
        return None

    def _change(self, intent: Intent, now_ns: int) -> None:
        move = self._replace if intent.kind is AskKind.REPLACE else self._mover.move
        answer = move(intent, now_ns)
        if isinstance(answer, Refusal):
            answer = self._refuse(self._unchanged(intent, now_ns), answer, now_ns)
        self._orders[intent.id] = answer.client_order_id

    def _replace(self, intent: Intent, now_ns: int) -> Refusal | OrderRecord:
        strategy, symbol = key = intent.strategy, intent.symbol
        working = [
            r for r in self._book.live(key) if r.role == ENTRY and not self._cancels.wanted(r.client_order_id)
        ]
        if not working:
            return refusal("NOTHING_TO_REPLACE", strategy=strategy, symbol=symbol)
        old = working[-1]
        if why := why_no_other_terms(old, intent, self._rules):
            return refusal("CANNOT_REPLACE", symbol=symbol, why=why)
        new = with_terms(old, intent, self._book.prices.get(symbol, 0.0))
        no = self._gate.no_entry(ask_for(new, old), now_ns) if grows(old, new) else None
        no = no or self._cannot(new, now_ns)
        return no if no is not None else self._replacer.send(old, new, now_ns)

    def _unchanged(self, intent: Intent, now_ns: int) -> OrderRecord:
        # The record under which a refused change is written down.
        record = record_of(intent, ask_of(intent, self._book.prices), self._ids.of(intent), now_ns)
        if intent.kind is AskKind.REPLACE:
            entry = self._book.last_entry(record.key)
            return msgspec.structs.replace(record, operation=entry.operation) if entry else record
        operation = closing_operation(self._book.held(record.key))
        return msgspec.structs.replace(record, role=STOP, operation=operation)

    def _cannot(self, record: OrderRecord, now_ns: int) -> Refusal | None:
        return cannot(request(record), self._moment(record, now_ns), self._rules)

    def _moment(self, record: OrderRecord, now_ns: int) -> Moment:
        symbol, assets = record.symbol, self._venue.assets
        unlisted = Asset(symbol=symbol, tradable=False) if assets else None
        return Moment(
            now_ns=now_ns,
            asset=assets.get(symbol, unlisted),
            account=self._venue.account,
            hours=self._day.hours,
            price=self._book.prices.get(symbol, 0.0),
            held=self._book.net(symbol),
            working=tuple(
                other
                for key in self._book.active(symbol)
                for other in self._book.live(key)
                if not other.waiting and record.client_order_id not in (other.client_order_id, other.parent)
            ),
        )

    def _refuse(self, record: OrderRecord, no: Refusal, now_ns: int) -> OrderRecord:
        refused = msgspec.structs.replace(record, state=OrderState.REFUSED, code=no.code, numbers=no.numbers)
        refused = self._book.put(refused, "refused", now_ns, words=no.words)
        self.refusals.tell(record, no, now_ns)
        return refused


def _gives_way(old: OrderRecord, new: OrderRecord) -> bool:
    # A strategy's last word counts: its exit that rests gives way to another one. Asked for again, it stays.
    return old.role == EXIT and old.rests and _terms(old) != _terms(new)


def _terms(record: OrderRecord) -> tuple[object, ...]:
    trailing = record.order_type is OrderType.TRAILING_STOP  # its stop price follows the market
    return (
        record.order_type,
        record.limit_price,
        None if trailing else record.stop_price,
        record.trail_price,
        record.trail_percent,
        record.tif,
        record.extended_hours,
        None if record.all_held else record.qty,
    )
