"""The desk: intents in, orders or refusals out; the broker's words in, fills and positions out.

No I/O and no clock. A driver (the desk's process, a replay, a backtest) turns it, tells it the time, and
carries out the effects that every call returns, in their order. The way of an intent: `risk.refuse` ->
`Book.send` (journal, then the wire) -> `on_accepted` -> `on_update` ... -> `Book._book` -> `Closer.advance`
(protection, waiting exits).
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from liu_tui.model.account import BrokerPosition, Position
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import SECOND_NS
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
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.effects import Effect, News
from liu_tui.trading.facts import gather
from liu_tui.trading.ids import Ids
from liu_tui.trading.intake import ask_of, exit_of, record_of
from liu_tui.trading.orders import ENTRY, EXIT, PROTECTIVE, OrderRecord, news
from liu_tui.trading.positions import Money
from liu_tui.trading.protection import Protector
from liu_tui.trading.reconcile import Reconciler
from liu_tui.trading.risk import Ask, Refusal, increases_exposure, refusal, refuse
from liu_tui.trading.standing import ACTIVE, HALTED, Latch, Standing, Veto
from liu_tui.trading.strays import Strays

# Source: Alpaca's 422 "client_order_id must be unique": the broker has this order already.
DUPLICATE_ID = 40010001

S = OrderState


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
        self.limits = limits
        self.entries_allowed = entries_allowed
        self.needs_reconcile = False
        self._looked_s = -1
        self._day = Daytime(hours, swing, liquidate_min)
        self._book = Book()
        self._standing = Standing(self._book)
        self._ids = Ids(batch_id)
        self._asker = Asker(self._book)
        self._cancels = Cancels(self._book, self._asker)
        self._strays = Strays(self._book)
        self._protector = Protector(self._book, self._ids, swing)
        self._closer = Closer(self._book, self._ids, self._cancels, self._protector)
        self._reconciler = Reconciler(self._book, self._asker, self._strays)
        self._intents: dict[str, str] = {}  # intent id -> client order id

    # what it knows

    @property
    def hours(self) -> SessionHours | None:
        """The trading day; set it when another begins."""
        return self._day.hours

    @hours.setter
    def hours(self, hours: SessionHours | None) -> None:
        self._day.hours = hours

    @property
    def swing(self) -> frozenset[str]:
        """Strategies whose positions are kept over the close; set it when they are known."""
        return self._day.swing

    @swing.setter
    def swing(self, names: frozenset[str]) -> None:
        self._day.swing = self._protector.swing = names

    @property
    def state(self) -> str:
        """ACTIVE, REDUCING (no entries) or HALTED (no entries, and everything is closed)."""
        return self._standing.state

    @property
    def state_by(self) -> str:
        """Who or what set the state; "limits" for the daily loss."""
        return self._standing.by

    @property
    def state_reason(self) -> str:
        """Why the state is as it is."""
        return self._standing.reason

    @property
    def latches(self) -> Mapping[str, Latch]:
        """The flattens that are not done, by symbol, "" for everything."""
        return self._standing.latches

    @property
    def vetoes(self) -> Mapping[tuple[str, str], Veto]:
        """The vetoes in force by (symbol, strategy), strategy "" for all."""
        return self._standing.vetoes

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
        self._standing.watch_loss(self.limits)
        ask = ask_of(intent, self._book.prices)
        record = record_of(intent, ask, self._ids.of(intent), now_ns)
        self._intents[intent.id] = record.client_order_id
        held = self._book.held(record.key)
        enters = increases_exposure(intent.operation, intent.qty, held)
        no = self._refusal(ask, now_ns) if enters else self._cannot_close(record, held)
        if no is not None:
            self._refuse(record, no, now_ns)
        elif enters:
            self._book.send(record, "intent", now_ns)
        else:
            self._closer.exit(exit_of(record, held), now_ns)
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
            self._standing.watch_loss(self.limits)
        return self._book.take()

    def on_price(self, symbol: str, price: float) -> None:
        """Remember the last price. Called for every trade: it does nothing else."""
        self._book.prices[symbol] = price

    # time

    def on_time(self, now_ns: int) -> list[Effect]:
        """Do what is due. Call it as often as you like: it looks once in each second of session time."""
        if now_ns // SECOND_NS == self._looked_s:
            return self._book.take()
        self._looked_s = now_ns // SECOND_NS
        self._asker.on_time(now_ns)
        self._cancels.on_time(now_ns)
        for key in [*self._strays.on_time(now_ns), *self._book.active()]:
            self._advance(key, now_ns)
        self._standing.watch_loss(self.limits)
        self._release_latches()
        self._day.say_kept(self._book, now_ns)
        self.needs_reconcile = bool(self._book.behind()) or any(self._unlinked())
        return self._book.take()

    def open_day(self, hours: SessionHours) -> list[Effect]:
        """Begin another day with the same orders and positions: a new daily loss, no veto stands."""
        self.hours = hours
        self._standing.open_day()
        return self._book.take()

    # what people say

    def pause(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Refuse entries from now on; exits and protection go on."""
        self._standing.pause(by, reason)
        return self._book.take()

    def resume(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Allow entries again, unless the daily loss stands or a flatten is not done."""
        self._standing.resume(by, reason, self.limits)
        return self._book.take()

    def resume_refused(self) -> str:
        """Say why resume would be refused now; "" if it would not."""
        return self._standing.resume_refused(self.limits)

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
        self._standing.change(HALTED, by, reason)
        self._latch("", by, reason or "kill", now_ns)
        return self._book.take()

    def veto(self, symbol: str, strategy: str, by: str, reason: str) -> list[Effect]:
        """Refuse entries in the symbol, of one strategy or ("") of all; exits and protection go on."""
        self._standing.veto(symbol, strategy, by, reason)
        return self._book.take()

    def allow(self, symbol: str, strategy: str) -> list[Effect]:
        """Take a veto back."""
        self._standing.allow(symbol, strategy)
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
        self._cancels.restore(self._book.all_live())
        self._closer.ready = False
        last_ns = max((r.updated_ns for r in orders), default=0)
        self._standing.restore(state, by, reason, vetoes, last_ns)
        for symbol, why in self._closer.begun().items():
            self._standing.latches.setdefault(symbol, Latch("the desk, before the restart", why, last_ns))

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
            if record.state is S.UNKNOWN and not self._asker.asking(record.client_order_id):
                self._asker.lost(record, "the answer was lost", now_ns)
        if not differences:
            self._closer.ready = True
            self.needs_reconcile = False
        for key in self._book.active():
            self._advance(key, now_ns)
        self._standing.watch_loss(self.limits)
        return not differences, self._book.take()

    # inside

    def _refusal(self, ask: Ask, now_ns: int) -> Refusal | None:
        key = ask.strategy, ask.symbol
        latch = self._standing.latch_on(ask.symbol)
        facts = msgspec.structs.replace(
            gather(self._book, ask, self.limits, now_ns),
            result=self._standing.result,
            state=self.state,
            state_by=self.state_by,
            state_reason=self.state_reason,
            ready=self.entries_allowed and self._closer.ready,
            exiting=self._closer.on_its_way(key) is not None,
            closing=latch.words if latch else "",
            closing_soon=self._day.over(key, now_ns),
            liquidate_min=self._day.liquidate_min,
            veto=self._standing.veto_on(ask.symbol, ask.strategy),
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
        latch = self._standing.latch_on(key[1])
        if latch is not None:
            self._closer.press(key, latch.words, now_ns, can_trade=self._day.open(now_ns))
        elif self._day.liquidates(key, now_ns):
            self._closer.press(key, "before the close", now_ns, can_trade=True)
        else:
            self._closer.advance(key, now_ns, protect=not self._day.over(key, now_ns))

    def _latch(self, symbol: str, by: str, reason: str, now_ns: int) -> None:
        latch = self._standing.latches.setdefault(symbol, Latch(by, reason, now_ns))
        keys = self._book.active(symbol)
        held = sum(1 for key in keys if self._book.held(key))
        wait = "" if self._day.open(now_ns) else "; the market is closed, positions are closed when it opens"
        scope = symbol or "everything"
        self._book.notice("warn", f"{latch.words}: {scope}, {held} positions to close{wait}", symbol=symbol)
        for key in keys:
            self._advance(key, now_ns)
        self._release_latches()

    def _release_latches(self) -> None:
        if self._closer.ready:
            self._standing.release()

    def _unlinked(self) -> Iterable[OrderRecord]:
        # A filled entry whose legs have no names yet: only the broker's list can tell them.
        return (
            record
            for key in self._book.active()
            if self._book.held(key)
            for record in self._book.entries(key)
            if record.protected and record.state is S.FILLED and not self._book.legs(record.client_order_id)
        )
