"""The desk: intents in, orders or refusals out; the broker's words in, fills and positions out.

No I/O and no clock. A driver (the desk's process, a replay, a backtest) turns it, tells it the time, and
carries out the effects that every call returns, in their order. The way of an intent: `risk.refuse` ->
`Book.send` (journal, then the wire) -> `on_accepted` -> `on_update` ... -> `Book._book` -> `Closer.advance`
(protection, waiting exits).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from liu_tui.model.account import BrokerPosition, Position
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import (
    BrokerOrder,
    Execution,
    Fill,
    Intent,
    Operation,
    OrderNews,
    OrderState,
    OrderUpdate,
)
from liu_tui.plan.schema import Limits
from liu_tui.trading.asking import Asker, Cancels
from liu_tui.trading.book import Book, Key, execution_of
from liu_tui.trading.closing import Closer, closing_operation
from liu_tui.trading.effects import Changed, Effect, News
from liu_tui.trading.facts import ask_of, gather
from liu_tui.trading.ids import Ids
from liu_tui.trading.orders import ENTRY, EXIT, PROTECTIVE, OrderRecord, news, order_type
from liu_tui.trading.positions import EXTERNAL, Money
from liu_tui.trading.prices import is_price
from liu_tui.trading.protection import Protector
from liu_tui.trading.reconcile import Reconciler
from liu_tui.trading.risk import Refusal, increases_exposure, refusal, refuse
from liu_tui.trading.strays import Strays

ACTIVE, REDUCING, HALTED = "ACTIVE", "REDUCING", "HALTED"
BY_LIMITS = "limits"

# Source: Alpaca's 422 "client_order_id must be unique": the broker has this order already.
DUPLICATE_ID = 40010001

S = OrderState


class Latch(msgspec.Struct, frozen=True):
    """A flatten that goes on until all of it is flat."""

    by: str
    reason: str
    since_ns: int

    @property
    def words(self) -> str:
        """Why orders in its scope are sent or refused."""
        return f"flatten by {self.by}: {self.reason}" if self.reason else f"flatten by {self.by}"


class Veto(msgspec.Struct, frozen=True):
    """Entries in a symbol are refused."""

    by: str
    reason: str


class Desk:
    """One batch's orders, fills, positions and limits.

    swing:            strategies whose positions are kept over the close
    liquidate_min:    minutes before the close at which day trades are liquidated
    entries_allowed:  the driver's: false until books and broker agree, or where nothing may be opened
    needs_reconcile:  a fill or a leg that the broker told of has not come: the driver should reconcile soon
    """

    def __init__(
        self,
        *,
        batch_id: str,
        limits: Limits,
        hours: SessionHours | None = None,
        swing: frozenset[str] = frozenset(),
        liquidate_min: float = 15.0,
        entries_allowed: bool = True,
    ) -> None:
        self.limits, self.hours, self.swing, self.liquidate_min = limits, hours, swing, liquidate_min
        self.entries_allowed = entries_allowed
        self.needs_reconcile = False
        self.state, self.state_by, self.state_reason = ACTIVE, "", ""
        self.vetoes: dict[tuple[str, str], Veto] = {}
        self.latches: dict[str, Latch] = {}
        self._book = Book()
        self._ids = Ids(batch_id)
        self._asker = Asker(self._book)
        self._cancels = Cancels(self._book, self._asker)
        self._strays = Strays(self._book)
        self._protector = Protector(self._book, self._ids, swing)
        self._closer = Closer(self._book, self._ids, self._cancels, self._protector)
        self._reconciler = Reconciler(self._book, self._asker, self._strays)
        self._intents: dict[str, str] = {}  # intent id -> client order id
        self._kept_over: set[Key] = set()

    # what it knows

    @property
    def positions(self) -> Mapping[Key, Position]:
        """Every position of the batch by (strategy, symbol), flat ones with what they earned."""
        return self._book.positions

    @property
    def orders(self) -> Mapping[str, OrderRecord]:
        """Every order of the batch by client order id, refused ones too."""
        return self._book.orders

    def live_news(self) -> list[OrderNews]:
        """Tell of every order to which something may still happen, for who starts again."""
        return [news(record) for record in self._book.all_live()]

    def price(self, symbol: str) -> float:
        """Tell the last price, 0 if none is known."""
        return self._book.prices.get(symbol, 0.0)

    def net(self, symbol: str) -> float:
        """Signed shares of the account in the symbol."""
        return self._book.net(symbol)

    def money(self) -> Money:
        """Sum up what the batch has earned and holds, at the last prices."""
        return self._book.money()

    # what strategies ask

    def on_intent(self, intent: Intent, now_ns: int) -> list[Effect]:
        """Send, hold back or refuse what a strategy asks; the second time the same intent changes nothing."""
        if intent.cancels:
            key = intent.strategy, intent.symbol
            entries = [r for r in self._book.live(key) if r.role == ENTRY]
            self._cancels.withdraw(entries, intent.reason or f"canceled by {intent.strategy}", now_ns)
            return self._book.take()
        known = self._intents.get(intent.id)
        if known is not None:
            self._book.emit(News(news(self._book.orders[known])))
            return self._book.take()
        self._watch_loss(now_ns)
        record = self._record(intent, now_ns)
        self._intents[intent.id] = record.client_order_id
        held = self._book.held(record.key)
        enters = increases_exposure(intent.operation, intent.qty, held)
        no = self._refusal(intent, now_ns) if enters else self._cannot_close(record, held)
        if no is not None:
            self._refuse(record, no, now_ns)
        elif enters:
            self._book.send(record, "intent", now_ns)
        else:
            self._closer.exit(_exit(record, held), now_ns)
        return self._book.take()

    # what the broker says

    def on_accepted(self, client_order_id: str, order: BrokerOrder, now_ns: int) -> list[Effect]:
        """Take the answer to a Send; the order's updates may have come before it."""
        return self._told(client_order_id, order, now_ns, asked=False)

    def on_broker_order(self, client_order_id: str, order: BrokerOrder | None, now_ns: int) -> list[Effect]:
        """Take the answer to an AskBroker; None if the broker has never seen the order."""
        if order is not None:
            return self._told(client_order_id, order, now_ns, asked=True)
        record = self._book.orders.get(client_order_id)
        if record is not None:
            self._asker.unseen(record, now_ns)
            self._advance(record.key, now_ns)
        return self._book.take()

    def on_failed(
        self, client_order_id: str, words: str, *, unknown: bool, now_ns: int, code: int = 0
    ) -> list[Effect]:
        """Take the failure of a Send or a look-up. unknown: the answer was lost, so the order may live."""
        record = self._book.orders.get(client_order_id)
        if record is None or not record.live:
            return self._book.take()
        if unknown or code == DUPLICATE_ID:
            self._asker.lost(record, words, now_ns)
        elif record.state in (S.INTENT, S.SUBMITTED):
            said = f"{words} ({code})" if code else words
            self._book.put(msgspec.structs.replace(record, state=S.FAILED), "failed", now_ns, words=said)
            line = f"{record.strategy} {record.symbol} {record.role}: the broker refused: {said}"
            level = "error" if record.role in PROTECTIVE else "warn"
            self._book.notice(level, line, kind="refusal", symbol=record.symbol)
            self._after(client_order_id, now_ns)
        return self._book.take()

    def on_cancel_failed(self, client_order_id: str, words: str, now_ns: int) -> list[Effect]:
        """Take the failure of a CancelAtBroker: ask the broker how the order stands."""
        record = self._book.orders.get(client_order_id)
        if record is not None:
            self._cancels.failed(record, words, now_ns)
        return self._book.take()

    def on_update(self, update: OrderUpdate, now_ns: int) -> list[Effect]:
        """Take one message of the trade-updates stream: in any order, any number of times."""
        order = update.order
        record = self._book.find(order) or self._strays.link(order, now_ns)
        if record is None:
            self._strays.keep(update, now_ns)
            return self._book.take()
        record = self._book.hear(record, order, update.event, now_ns, execution=execution_of(update))
        if record.state is not S.UNKNOWN:
            self._asker.settled(record.client_order_id)
        self._claim(now_ns)
        self._after(record.client_order_id, now_ns)
        if update.fills:
            self._watch_loss(now_ns)
        return self._book.take()

    def on_price(self, symbol: str, price: float) -> None:
        """Remember the last price. Called for every trade: it does nothing else."""
        self._book.prices[symbol] = price

    # time

    def on_time(self, now_ns: int) -> list[Effect]:
        """Do what is due. Call it about every second of session time."""
        self._asker.on_time(now_ns)
        self._cancels.on_time(now_ns)
        for key in [*self._strays.on_time(now_ns), *self._book.active()]:
            self._advance(key, now_ns)
        self._watch_loss(now_ns)
        self._release_latches(now_ns)
        self._say_kept_over(now_ns)
        self.needs_reconcile = bool(self._book.behind()) or any(self._unlinked())
        return self._book.take()

    # what people say

    def pause(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Refuse entries from now on; exits and protection go on."""
        if self.state == ACTIVE:
            self._change(REDUCING, by, reason)
        else:
            self._book.notice("info", f"already {self.state} by {self.state_by}: {self.state_reason}")
        return self._book.take()

    def resume(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Allow entries again, unless the daily loss stands or a flatten is not done."""
        if why := self.resume_refused():
            self._book.notice("warn", f"resume refused: {why}", kind="refusal")
        elif self.state != ACTIVE:
            self._change(ACTIVE, by, reason)
        return self._book.take()

    def resume_refused(self) -> str:
        """Say why resume would be refused now; "" if it would not."""
        loss = self._loss()
        if loss is not None:
            return loss.words
        latch = self.latches.get("")
        return f"{latch.words} is not done" if latch is not None else ""

    def cancel(
        self, now_ns: int, *, symbol: str = "", client_order_id: str = "", by: str = ""
    ) -> list[Effect]:
        """Withdraw working entry orders: all, of one symbol, or one. Protective orders and exits stay."""
        chosen = [
            r
            for r in self._book.all_live()
            if r.role == ENTRY
            and (not symbol or r.symbol == symbol)
            and (not client_order_id or r.client_order_id == client_order_id)
        ]
        self._cancels.withdraw(chosen, f"canceled by {by or 'the desk'}", now_ns)
        self._book.notice("info", f"cancel by {by or 'the desk'}: {len(chosen)} entry orders", symbol=symbol)
        return self._book.take()

    def flatten(self, now_ns: int, *, symbol: str = "", by: str = "", reason: str = "") -> list[Effect]:
        """Cancel what works and close what is held, of all or of one symbol; goes on until it is flat."""
        self._latch(symbol, by or "the desk", reason, now_ns)
        return self._book.take()

    def kill(self, now_ns: int, *, by: str, reason: str) -> list[Effect]:
        """Halt: no entries, everything canceled, everything closed."""
        self._change(HALTED, by, reason)
        self._latch("", by, reason or "kill", now_ns)
        return self._book.take()

    def veto(self, symbol: str, strategy: str, by: str, reason: str) -> list[Effect]:
        """Refuse entries in the symbol, of one strategy or ("") of all; exits and protection go on."""
        self.vetoes[symbol, strategy] = Veto(by, reason)
        whom = strategy or "all strategies"
        said = f": {reason}" if reason else ""
        self._book.notice("info", f"{symbol} rejected for {whom} by {by}{said}", symbol=symbol)
        return self._book.take()

    def allow(self, symbol: str, strategy: str) -> list[Effect]:
        """Take a veto back."""
        if self.vetoes.pop((symbol, strategy), None) is not None:
            whom = strategy or "all strategies"
            self._book.notice("info", f"{symbol} allowed again for {whom}", symbol=symbol)
        return self._book.take()

    # start

    def restore(
        self,
        orders: Sequence[OrderRecord],
        fills: Sequence[Fill],
        state: str = ACTIVE,
        by: str = "",
        reason: str = "",
        vetoes: Iterable[tuple[str, str, str, str]] = (),
    ) -> None:
        """Take the journal over at the start, before anything else; nothing is sent until `reconcile` agrees.

        fills:  in the order in which they were booked
        vetoes: (symbol, strategy, by, reason)
        """
        lost = msgspec.structs.replace
        self._book.restore((lost(r, state=S.UNKNOWN) if r.state is S.SUBMITTED else r for r in orders), fills)
        self._ids.seen(self._book.orders)
        self._intents = {
            r.intent_id: r.client_order_id for r in orders if r.intent_id and r.role in (ENTRY, EXIT)
        }
        self.state, self.state_by, self.state_reason = state, by, reason
        self.vetoes = {(symbol, strategy): Veto(who, why) for symbol, strategy, who, why in vetoes}
        self._closer.ready = False
        self._latch_again(max((r.updated_ns for r in orders), default=0))

    def reconcile(
        self,
        orders: Sequence[BrokerOrder],
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
    ) -> tuple[bool, list[Effect]]:
        """Compare with the broker, take over what it knows better; true if nothing is left that differs.

        orders, executions: the batch's at least, ended orders too, legs nested. Ask for positions last: a
        fill between the questions shows as a difference, and is none at the next comparison.
        """
        differences = self._reconciler.compare(orders, executions, positions, now_ns)
        for record in list(self._book.all_live()):
            if record.state is S.UNKNOWN:
                self._asker.lost(record, "the answer was lost", now_ns)
        if not differences:
            self._closer.ready = True
            self.needs_reconcile = False
        for key in self._book.active():
            self._advance(key, now_ns)
        self._watch_loss(now_ns)
        return not differences, self._book.take()

    # inside

    def _record(self, intent: Intent, now_ns: int) -> OrderRecord:
        ask = ask_of(intent, self._book.prices)
        return OrderRecord(
            client_order_id=self._ids.of(intent),
            intent_id=intent.id,
            strategy=intent.strategy,
            symbol=intent.symbol,
            operation=intent.operation,
            role=ENTRY if intent.operation.enters else EXIT,
            order_type=order_type(ask.limit, ask.trigger),
            qty=intent.qty,
            state=S.INTENT,
            created_ns=now_ns,
            updated_ns=now_ns,
            limit_price=ask.limit,
            stop_price=ask.trigger,
            stop=ask.stop,
            target=ask.target,
            tif=intent.tif,
            price=ask.price,
            reason=intent.reason,
            indicators=intent.indicators,
        )

    def _refusal(self, intent: Intent, now_ns: int) -> Refusal | None:
        key = intent.strategy, intent.symbol
        ask = ask_of(intent, self._book.prices)
        veto = self.vetoes.get((intent.symbol, "")) or self.vetoes.get((intent.symbol, intent.strategy))
        facts = gather(self._book, ask, self.limits, now_ns)
        latch = self._latch_on(intent.symbol)
        facts = msgspec.structs.replace(
            facts,
            state=self.state,
            state_by=self.state_by,
            state_reason=self.state_reason,
            ready=self.entries_allowed and self._closer.ready,
            exiting=self._closer.on_its_way(key) is not None,
            closing=latch.words if latch else "",
            closing_soon=self._day_ends(key, now_ns, after_close=True),
            liquidate_min=self.liquidate_min,
            veto=(veto.by, veto.reason) if veto else None,
        )
        return refuse(ask, facts)

    def _cannot_close(self, record: OrderRecord, held: float) -> Refusal | None:
        # Not guards: there is nothing to close, or it is being closed. No limit is looked at here.
        if not held or closing_operation(held).side is not record.operation.side:
            words = "sell" if record.operation is Operation.SELL else "cover"
            return refusal(
                "NOTHING_TO_CLOSE", strategy=record.strategy, held=held, symbol=record.symbol, operation=words
            )
        other = self._closer.on_its_way(record.key)
        if other is not None:
            words = f"{other.client_order_id} ({other.state})"
            return refusal("ALREADY_CLOSING", symbol=record.symbol, other=words)
        return None

    def _refuse(self, record: OrderRecord, no: Refusal, now_ns: int) -> None:
        refused = msgspec.structs.replace(record, state=S.REFUSED, code=no.code)
        self._book.put(refused, "refused", now_ns, words=no.words)
        words = f"{record.strategy} {record.operation} {record.symbol} refused: {no.words}"
        self._book.notice("warn", words, kind="refusal", symbol=record.symbol)

    def _told(self, cid: str, order: BrokerOrder, now_ns: int, *, asked: bool) -> list[Effect]:
        record = self._book.orders.get(cid) or self._book.find(order)
        if record is None:
            record = self._strays.adopt(order, now_ns)
        record = self._book.hear(record, order, order.status.value, now_ns, asked=asked)
        self._asker.settled(record.client_order_id)
        self._claim(now_ns)
        self._after(record.client_order_id, now_ns)
        return self._book.take()

    def _claim(self, now_ns: int) -> None:
        for key in self._strays.claimed(now_ns):
            self._advance(key, now_ns)

    def _after(self, cid: str, now_ns: int) -> None:
        record = self._book.orders[cid]
        for changed in (record, *self._book.legs(cid)):
            self._cancels.after(changed, now_ns)
        self._protector.accepted(record)
        self._advance(record.key, now_ns)
        if record.role == ENTRY and not record.live:  # exits of others in the symbol may have waited for it
            for key in self._book.active(record.symbol):
                if key != record.key:
                    self._advance(key, now_ns)

    def _advance(self, key: Key, now_ns: int) -> None:
        latch = self._latch_on(key[1])
        if latch is not None:
            self._closer.press(key, latch.words, now_ns, can_trade=self._open(now_ns))
        elif self._day_ends(key, now_ns):
            self._closer.press(key, "before the close", now_ns, can_trade=True)
        else:
            self._closer.advance(key, now_ns, protect=not self._day_ends(key, now_ns, after_close=True))

    def _day_ends(self, key: Key, now_ns: int, *, after_close: bool = False) -> bool:
        # Day trades only. After the close nothing is opened, and nothing can be closed.
        if self.hours is None or key[0] in self.swing or key[0] == EXTERNAL:
            return False
        begins = self.hours.close_ns - int(self.liquidate_min * MINUTE_NS)
        return begins <= now_ns and (after_close or now_ns < self.hours.close_ns)

    def _open(self, now_ns: int) -> bool:
        return self.hours is None or self.hours.phase(now_ns) == "open"

    def _latch_on(self, symbol: str) -> Latch | None:
        return self.latches.get("") or self.latches.get(symbol)

    def _latch(self, symbol: str, by: str, reason: str, now_ns: int) -> None:
        latch = self.latches.setdefault(symbol, Latch(by, reason, now_ns))
        keys = self._book.active(symbol)
        held = sum(1 for key in keys if self._book.held(key))
        wait = "" if self._open(now_ns) else "; the market is closed, positions are closed when it opens"
        scope = symbol or "everything"
        self._book.notice("warn", f"{latch.words}: {scope}, {held} positions to close{wait}", symbol=symbol)
        for key in keys:
            self._advance(key, now_ns)
        self._release_latches(now_ns)

    def _latch_again(self, now_ns: int) -> None:
        # Derived from the journal: a halted desk closes everything, and a liquidation that was begun goes on.
        if self.state == HALTED:
            self.latches[""] = Latch(self.state_by, self.state_reason, now_ns)
        for symbol, reason in self._closer.begun().items():
            self.latches.setdefault(symbol, Latch("the desk, before the restart", reason, now_ns))

    def _release_latches(self, now_ns: int) -> None:
        for symbol, latch in list(self.latches.items()):
            if self._book.active(symbol) or not self._closer.ready:
                continue
            del self.latches[symbol]
            self._book.notice("good", f"{symbol or 'everything'} is flat ({latch.words})", symbol=symbol)

    def _say_kept_over(self, now_ns: int) -> None:
        if self.hours is None or now_ns < self.hours.close_ns or not self.liquidate_min:
            return
        for key in self._book.active():
            held = self._book.held(key)
            if held and key not in self._kept_over and self._day_ends(key, now_ns, after_close=True):
                self._kept_over.add(key)
                words = f"{key[0]} {key[1]}: {held:+g} shares could not be closed before the market did"
                self._book.notice("error", words, symbol=key[1])

    def _unlinked(self) -> Iterable[OrderRecord]:
        # A filled entry whose legs have no names yet: only the broker's list can tell them.
        return (
            record
            for key in self._book.active()
            if self._book.held(key)
            for record in self._book.entries(key)
            if record.protected and record.state is S.FILLED and not self._book.legs(record.client_order_id)
        )

    def _loss(self) -> Refusal | None:
        limit, result = self.limits.max_daily_loss, self._book.money().total
        if limit is None or result > -limit:
            return None
        return refusal("DAILY_LOSS_REACHED", loss=-result, limit=limit)

    def _watch_loss(self, now_ns: int) -> None:
        if self.state == ACTIVE and (loss := self._loss()):
            self._change(REDUCING, BY_LIMITS, loss.words)

    def _change(self, state: str, by: str, reason: str) -> None:
        self.state, self.state_by, self.state_reason = state, by, reason
        self._book.emit(Changed(state, by, reason))
        said = f": {reason}" if reason else ""
        self._book.notice("good" if state == ACTIVE else "warn", f"{state} by {by}{said}")


def _exit(record: OrderRecord, held: float) -> OrderRecord:
    """Cut an exit down to what is held. A wrong price does not hold it up: it goes to the market."""
    limit = record.limit_price if is_price(record.limit_price) else None
    trigger = record.stop_price if is_price(record.stop_price) else None
    every = not math.isfinite(record.qty) or record.qty <= 0 or record.qty >= abs(held)
    return msgspec.structs.replace(
        record,
        operation=closing_operation(held),
        role=EXIT,
        qty=abs(held) if every else record.qty,
        all_held=every,
        order_type=order_type(limit, trigger),
        limit_price=limit,
        stop_price=trigger,
        stop=None,
        target=None,
    )
