"""The desk: intents in, orders or refusals out; the broker's words in, fills and positions out.

No I/O and no clock. A driver (the desk's process, a replay, a backtest) turns it, tells it the time, and
carries out the effects that every call returns, in their order. The way of an intent: `asks` -> `gate` (the
guards of `risk`) -> `Book.send` (journal, then the wire) -> `answers` (acceptance, updates, fills) ->
`progress` (protection, waiting exits, flattens).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec

from liu_tui.model.account import Account, BrokerPosition, Position
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import SECOND_NS, Asset
from liu_tui.model.orders import BrokerOrder, Execution, Fill, Intent, OrderNews, OrderState, OrderUpdate
from liu_tui.plan.schema import FeesTable, Limits
from liu_tui.trading.accountday import AccountDay
from liu_tui.trading.answers import Answers
from liu_tui.trading.asking import Asker, Cancels
from liu_tui.trading.asks import Asks
from liu_tui.trading.book import Book, Key
from liu_tui.trading.closing import Closer
from liu_tui.trading.dayrisk import DayRisk
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.differences import FLATTEN, Differences
from liu_tui.trading.effects import Differs, Effect, Latched
from liu_tui.trading.flattens import Flattens, FlattenState
from liu_tui.trading.gate import Gate
from liu_tui.trading.ids import Ids
from liu_tui.trading.latches import Latch, Latches
from liu_tui.trading.memory import Memory
from liu_tui.trading.moving import Mover
from liu_tui.trading.obstacles import Obstacles
from liu_tui.trading.orders import ENTRY, OrderRecord, news
from liu_tui.trading.positions import Money
from liu_tui.trading.progress import Progress
from liu_tui.trading.protection import Protector
from liu_tui.trading.reconcile import LOOK_UPS, Reconciler
from liu_tui.trading.replacing import Replacer
from liu_tui.trading.secondlock import SecondLock
from liu_tui.trading.standing import ACTIVE, HALTED, Standing
from liu_tui.trading.strays import Strays
from liu_tui.trading.venuebook import VenueFacts
from liu_tui.trading.vetoes import FOR_GOOD, Veto, Vetoes

S = OrderState


class Desk:
    """One batch's orders, fills, positions and limits.

    swing:            strategies whose positions are kept over the close
    liquidate_min:    minutes before the close at which day trades are liquidated
    entries_allowed:  the driver's: false until books and broker agree, or where nothing may be opened
    needs_reconcile:  a fill or a leg that the broker told of has not come: the driver should reconcile soon
    fees:             what a fill costs where the venue does not say
    venue:            what is known of listings and of the account
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
        fees: FeesTable | None = None,
    ) -> None:
        self.needs_reconcile = False
        self._looked_s = -1
        self._day = Daytime(hours, swing, liquidate_min)
        self.venue = VenueFacts()
        self._book = book = Book(fees)
        self._ids = ids = Ids(batch_id)
        self._latches, self._vetoes = Latches(book), Vetoes(book)
        self._memory = Memory(book, self.venue, self._day, batch_id)
        self._standing = Standing(book, self._latches, self._memory.day)
        self._asker = Asker(book)
        self._cancels = Cancels(book, self._asker)
        self._strays = Strays(book)
        self._protector = Protector(book, ids, swing)
        self._closer = Closer(book, ids, self._cancels, self._protector)
        self._obstacles = Obstacles(book, self._closer, self._day)
        self._flattens = Flattens(book, self._latches, self._closer, self._obstacles)
        self._lock = SecondLock(book, self._standing, self._latches)
        self._differences = Differences(book, self._cancels)
        self._reconciler = Reconciler(book, self._asker, self._strays, self._differences)
        self._agreed = False
        self._gate = Gate(
            book,
            limits,
            self._standing,
            self._vetoes,
            self._latches,
            self._closer,
            self._day,
            self._memory,
            self._differences,
            entries_allowed=entries_allowed,
        )
        self._replacer = replacer = Replacer(book, ids, self._asker, self._cancels)
        self._mover = Mover(book, self._cancels, replacer, self._protector)
        self._asks = Asks(
            book, ids, self._gate, self._closer, self._cancels, replacer, self._mover, self.venue, self._day
        )
        self._progress = Progress(
            book, self._cancels, self._strays, self._protector, self._closer, self._day, self._latches
        )
        self._answers = Answers(book, self._asker, self._cancels, self._strays, self._progress, replacer)

    # what it knows

    @property
    def limits(self) -> Limits:
        """What is refused; a new one binds the next intent."""
        return self._gate.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._gate.limits = limits

    @property
    def entries_allowed(self) -> bool:
        """The driver's own yes to entries; false where nothing may be opened."""
        return self._gate.entries_allowed

    @entries_allowed.setter
    def entries_allowed(self, allowed: bool) -> None:
        self._gate.entries_allowed = allowed

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
        return self._latches.all

    def flattens(self, now_ns: int) -> tuple[FlattenState, ...]:
        """Tell how far each flatten that is not done has come, and what cannot be closed now, and why."""
        return self._flattens.states(now_ns)

    @property
    def proves_flat(self) -> bool:
        """Whether a flatten is done only when the broker too names no position: where the driver asks it."""
        return self._flattens.proves

    @proves_flat.setter
    def proves_flat(self, proves: bool) -> None:
        self._flattens.proves = proves

    @property
    def vetoes(self) -> Mapping[tuple[str, str], Veto]:
        """The vetoes in force by (symbol, strategy), strategy "" for all."""
        return self._vetoes.all

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

    @property
    def day(self) -> AccountDay:
        """The account's day so far: its result and its best, dollars with fees in, and the orders sent."""
        return self._memory.day

    def money(self) -> Money:
        """Sum up what the batch has earned and holds, at the last prices."""
        return self._book.money()

    # what strategies ask

    def on_intent(self, intent: Intent, now_ns: int) -> list[Effect]:
        """Send, hold back or refuse what a strategy asks; the second time the same intent changes nothing."""
        self._standing.watch_loss(self.limits, now_ns)
        self._asks.take(intent, now_ns)
        return self._book.take()

    # what the broker says

    def on_accepted(self, client_order_id: str, order: BrokerOrder, now_ns: int) -> list[Effect]:
        """Take the answer to a Send or a ReplaceAtBroker; the order's updates may have come before it."""
        self._answers.told(client_order_id, order, now_ns, asked=False)
        return self._book.take()

    def on_broker_order(self, client_order_id: str, order: BrokerOrder | None, now_ns: int) -> list[Effect]:
        """Take the answer to an AskBroker; None if the broker has never seen the order."""
        if order is None:
            self._answers.unseen(client_order_id, now_ns)
        else:
            self._answers.told(client_order_id, order, now_ns, asked=True)
        return self._book.take()

    def on_failed(
        self,
        client_order_id: str,
        words: str,
        *,
        unknown: bool,
        now_ns: int,
        code: int = 0,
        away: bool = False,
    ) -> list[Effect]:
        """Take the failure of a Send or a look-up.

        unknown: the answer was lost, so the order may live; away: it never left this machine
        """
        self._answers.failed(client_order_id, words, unknown=unknown, now_ns=now_ns, code=code, away=away)
        return self._book.take()

    def on_cancel_failed(self, client_order_id: str, words: str, now_ns: int) -> list[Effect]:
        """Take the failure of a CancelAtBroker: ask the broker how the order stands."""
        self._answers.cancel_failed(client_order_id, words, now_ns)
        return self._book.take()

    def on_update(self, update: OrderUpdate, now_ns: int) -> list[Effect]:
        """Take one message of the trade-updates stream: in any order, any number of times."""
        self._answers.updated(update, now_ns)
        if update.fills:
            self._differences.watch(now_ns)
            self._standing.watch_loss(self.limits, now_ns)
        return self._book.take()

    def on_price(self, symbol: str, price: float, t_ns: int = 0, bid: float = 0.0, ask: float = 0.0) -> None:
        """Remember what the market says now. Called for every mark: it does nothing else.

        price: dollars, 0 where only a quote came; bid, ask: dollars, both 0 where none did
        """
        if price:
            self._book.prices[symbol] = price
        self._memory.quotes.hear(symbol, t_ns, bid, ask)

    def on_halt(self, symbol: str, *, halted: bool) -> None:
        """Take the tape's word that a symbol is halted, or trades again: then what waits is tried anew."""
        if halted:
            self._obstacles.halted.add(symbol)
        elif symbol in self._obstacles.halted:
            self._obstacles.halted.discard(symbol)
            self._closer.hurry(symbol)

    def broker_away(self, words: str) -> None:
        """Know that the broker cannot be reached, and why; "" when it can."""
        self._obstacles.away = words

    def learn_assets(self, assets: Mapping[str, Asset]) -> None:
        """Take the venue's listings by symbol, in place of those known; they bind the next intent."""
        self.venue.assets = assets

    def learn_account(self, account: Account) -> None:
        """Take the account as the broker has just told it."""
        self.venue.account = account
        self._memory.purse.told()

    def learn_allocations(self, dollars: Mapping[str, float]) -> None:
        """Take what each strategy's portfolio lets it have at work; who is not named is not bound."""
        self._memory.allocations = dollars

    def learn_day(self, rows: Iterable[DayRisk], now_ns: int) -> list[Effect]:
        """Go on from what the books keep of the account's day, before anything is traded.

        rows: of the account and the day, every batch's; and this batch's own of days before
        """
        self._standing.learn_day(rows, self.limits, now_ns)
        return self._book.take()

    # time

    def on_time(self, now_ns: int) -> list[Effect]:
        """Do what is due. Call it as often as you like: it looks once in each second of session time."""
        if now_ns // SECOND_NS == self._looked_s:
            return self._book.take()
        self._looked_s = now_ns // SECOND_NS
        self._asker.on_time(now_ns)
        self._cancels.on_time(now_ns)
        self._replacer.on_time(now_ns)
        self._progress.everything(now_ns)
        self._differences.watch(now_ns)
        self._standing.watch_loss(self.limits, now_ns)
        self._memory.day.keep(now_ns)
        self._asks.refusals.on_time(now_ns)
        self._flattens.look(now_ns)
        self._lock.look()
        self._day.say_kept(self._book, now_ns, partial(self._obstacles.why, now_ns=now_ns, of_hours=False))
        self._vetoes.end_due(now_ns)
        self.needs_reconcile = self._unsettled()
        return self._book.take()

    def open_day(self, hours: SessionHours) -> list[Effect]:
        """Begin another day with the same orders and positions: a new daily loss."""
        self.hours = hours
        self._standing.open_day()
        self._memory.open_day()
        return self._book.take()

    # what people say

    def pause(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Refuse entries from now on; exits and protection go on."""
        self._standing.pause(by, reason)
        return self._book.take()

    def resume(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Allow entries again, unless the daily loss stands or a flatten is not done."""
        if not self.resume_refused():
            self._lock.lift(f"resumed by {by}")
        self._standing.resume(by, reason, self.limits)
        return self._book.take()

    def resume_refused(self) -> str:
        """Say why resume would be refused now; "" if it would not."""
        return self._standing.resume_refused(self.limits)

    def cancel(
        self, now_ns: int, *, symbol: str = "", strategy: str = "", client_order_id: str = "", by: str = ""
    ) -> list[Effect]:
        """Withdraw working entry orders: all, of one symbol or strategy, or one.

        Protective orders and exits stay.
        """
        chosen = [
            r
            for r in self._book.all_live()
            if r.role == ENTRY
            and symbol in ("", r.symbol)
            and strategy in ("", r.strategy)
            and (not client_order_id or r.client_order_id == client_order_id)
        ]
        self._cancels.withdraw(chosen, f"canceled by {by or 'the desk'}", now_ns)
        self._book.notice("info", f"cancel by {by or 'the desk'}: {len(chosen)} entry orders", symbol=symbol)
        return self._book.take()

    def flatten(self, now_ns: int, *, symbol: str = "", by: str = "", reason: str = "") -> list[Effect]:
        """Cancel what works and close what is held, of all or of one symbol; goes on until it is flat."""
        self._latch(symbol, by or "the desk", reason, now_ns)
        return self._book.take()

    def release(self, now_ns: int, *, symbol: str = "", by: str = "") -> list[Effect]:
        """Let go a flatten that is not done: closing orders are withdrawn, what is held is protected again.

        symbol: as it was said when it began, "" for everything. Where there is none nothing changes
        """
        state = next((one for one in self.flattens(now_ns) if one.symbol == symbol), None)
        if state is not None:
            self._latches.end(symbol, f"released by {by or 'the desk'}", now_ns)
            words = f"the flatten of {symbol or 'everything'} is released by {by or 'the desk'}"
            self._book.notice("warn", f"{words}: {self.held_words(symbol)}", symbol=symbol)
            self._closer.drop(symbol, words, now_ns)
            self._progress.everything(now_ns)
        return self._book.take()

    def held_words(self, symbol: str = "") -> str:
        """Say what is held, of all or of one symbol: "held are MSFT +100, TSLA -50"."""
        held: dict[str, float] = {}
        for key in self._book.active(symbol):
            if qty := self._book.held(key):
                held[key[1]] = held.get(key[1], 0.0) + qty
        named = ", ".join(f"{name} {qty:+g}" for name, qty in sorted(held.items()))
        return f"held are {named}" if named else "nothing is held"

    def kill(self, now_ns: int, *, by: str, reason: str) -> list[Effect]:
        """Halt: no entries, everything canceled, everything closed, then the account's own lock is set."""
        # The latch is stored before the state: a crash between the two leaves a flatten that goes on.
        self._latches.set("", by, reason or "kill", now_ns)
        self._standing.change(HALTED, by, reason)
        self._latch("", by, reason or "kill", now_ns)
        return self._book.take()

    def veto(
        self, symbol: str, strategy: str, by: str, reason: str, until_ns: int = FOR_GOOD
    ) -> list[Effect]:
        """Refuse entries in the symbol, of one strategy or ("") of all; exits and protection go on."""
        self._vetoes.set(symbol, strategy, Veto(by, reason, until_ns))
        return self._book.take()

    def allow(self, symbol: str, strategy: str) -> list[Effect]:
        """Take a veto back; without a strategy every one of the symbol."""
        self._vetoes.clear(symbol, strategy)
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
        flattens: Iterable[Latched] = (),
        differences: Iterable[Differs] = (),
    ) -> None:
        """Take the journal over at the start, before anything else; nothing is sent until `reconcile` agrees.

        fills:  in the order in which they were booked
        vetoes: (symbol, strategy, by, reason)
        flattens: as they were stored; those that have not ended go on
        differences: those that stood, with what was decided; the first comparison says whether they still do
        """
        lost = msgspec.structs.replace
        self._book.restore((lost(r, state=S.UNKNOWN) if r.state is S.SUBMITTED else r for r in orders), fills)
        self._ids.seen(self._book.orders)
        self._asks.restore(orders)
        self._replacer.restore()
        self._mover.restore(fills)
        self._memory.restore(orders, fills)
        self._cancels.restore(self._book.all_live())
        self._closer.restore(orders)
        self._closer.ready = False
        self._standing.restore(state, by, reason)
        for symbol, strategy, who, why in vetoes:
            self._vetoes.all[symbol, strategy] = Veto(who, why)
        self._latches.restore(flattens)
        self._differences.restore(differences)
        self._lock.restore(state)

    def reconcile(
        self,
        orders: Sequence[BrokerOrder],
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
        *,
        settled_ns: int | None = None,
    ) -> tuple[bool, list[Effect]]:
        """Compare all with the broker, and take over what it knows better.

        orders, executions: the batch's at least, ended orders too, legs nested. Ask for positions last: a
        fill between the questions shows as a difference, and is none at the next comparison.
        settled_ns: session time before which nothing is on its way any more; None: nothing is
        returns: whether nothing is left that differs and about which nobody has decided. Before the first
                 yes nothing is opened; what is held may be closed
        """
        self._reconciler.compare(
            orders, executions, positions, now_ns,
            settled_ns=now_ns + 1 if settled_ns is None else settled_ns, at_once=not self._agreed,
        )  # fmt: skip
        self._flattens.broker_said(positions)
        for record in list(self._book.all_live()):
            if record.state is S.UNKNOWN and not self._asker.asking(record.client_order_id):
                self._asker.lost(record, "the answer was lost", now_ns)
        agreed = not self._differences.undecided
        self._agreed = self._agreed or agreed
        self._differences.holds_up = not self._agreed
        self._closer.ready = True  # what is held may be closed and protected, whatever else differs
        return agreed, self._compared(now_ns)

    def check_orders(
        self,
        orders: Sequence[BrokerOrder],
        now_ns: int,
        *,
        settled_ns: int | None = None,
        look_ups: int = LOOK_UPS,
    ) -> list[Effect]:
        """Compare what works at the broker with what works here, while the desk trades.

        orders:   those that are open, legs nested
        look_ups: how many of ours that are not among them may be asked for
        """
        settled = now_ns + 1 if settled_ns is None else settled_ns
        self._reconciler.check_orders(orders, now_ns, settled_ns=settled, most=look_ups)
        return self._compared(now_ns)

    def check_positions(
        self,
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
        *,
        settled_ns: int | None = None,
    ) -> list[Effect]:
        """Book missed fills and compare the shares, while the desk trades. executions: since a while ago."""
        settled = now_ns + 1 if settled_ns is None else settled_ns
        self._reconciler.check_positions(executions, positions, now_ns, settled_ns=settled)
        self._flattens.broker_said(positions)
        return self._compared(now_ns)

    @property
    def differences(self) -> Mapping[str, Differs]:
        """Where books and broker do not agree, by symbol, with what was decided."""
        return self._differences.all

    @property
    def asking(self) -> int:
        """How many orders are asked for whose fate nobody knows."""
        return self._asker.unknown

    @property
    def needs_all(self) -> bool:
        """Whether only the comparison of all can explain what was seen."""
        return self._reconciler.incomplete

    def since_ns(self, now_ns: int) -> int:
        """When the batch began: nothing before it is the batch's."""
        return self._reconciler.since_ns(now_ns)

    def set_pace(self, speed: float) -> None:
        """Say how many session seconds go by in a second of the wall: a broker does not answer faster."""
        self._asker.pace = max(speed, 1.0)

    def ask_again(self, now_ns: int) -> list[Effect]:
        """Ask at once for every order whose fate nobody knows: the broker is back."""
        self._asker.at_once(now_ns)
        return self._book.take()

    def resolve_refused(self, symbol: str, choice: str) -> str:
        """Say why this difference cannot be decided so; "" if it can."""
        return self._differences.refused(symbol, choice)

    def resolve(self, symbol: str, choice: str, by: str, now_ns: int) -> list[Effect]:
        """Decide a difference: adopt the broker's figure, adopt it and flatten, or ignore it."""
        for key in self._differences.decide(symbol, choice, by, now_ns):
            self._progress.advance(key, now_ns)
        if choice == FLATTEN:
            self._latch(symbol, by, "books and broker differed", now_ns)
        self.needs_reconcile = True
        return self._book.take()

    # inside

    def _compared(self, now_ns: int) -> list[Effect]:
        if self._agreed:
            self._differences.watch(now_ns)
        for key in self._book.active():
            self._progress.advance(key, now_ns)
        self._standing.watch_loss(self.limits, now_ns)
        self.needs_reconcile = self._unsettled()
        return self._book.take()

    def _unsettled(self) -> bool:
        """Whether the broker should be asked before it is time."""
        behind = bool(self._book.behind()) or any(self._unlinked())
        return behind or self._reconciler.urgent or self._flattens.unproved

    def _latch(self, symbol: str, by: str, reason: str, now_ns: int) -> None:
        latch = self._latches.set(symbol, by, reason, now_ns)
        self._lock.lift(f"{latch.words}: closing orders are new orders too")
        self._flattens.begin(symbol, latch, now_ns)
        if not self._book.active(symbol):
            self._flattens.look(now_ns)
        for key in self._book.active(symbol):
            self._progress.advance(key, now_ns)

    def _unlinked(self) -> Iterable[OrderRecord]:
        # A filled entry whose legs have no names yet: only the broker's list can tell them.
        return (
            record
            for key in self._book.active()
            if self._book.held(key)
            for record in self._book.legless(key[1])
            if record.key == key and record.role == ENTRY and record.state is S.FILLED
            if not self._book.legs(record.client_order_id)
        )
