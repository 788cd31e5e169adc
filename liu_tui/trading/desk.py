"""The desk: intents in, orders or refusals out; the broker's words in, fills and positions out.

No I/O and no clock. A driver (the desk's process, a replay, a backtest) turns it, tells it the time, and
carries out the effects that every call returns, in their order. The way of an intent: `asks` -> `gate` (the
guards of `risk`) -> `Book.send` (journal, then the wire) -> `answers` (acceptance, updates, fills) ->
`progress` (protection, waiting exits, flattens).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec

from liu_tui.model.account import Account
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import SECOND_NS, Asset
from liu_tui.model.orders import BrokerOrder, Fill, Intent, OrderState, OrderUpdate
from liu_tui.trading.allocation import Allocations, Pot
from liu_tui.trading.dayrisk import DayRisk
from liu_tui.trading.deskcompare import Compared
from liu_tui.trading.effects import Differs, Effect, Latched
from liu_tui.trading.orders import OrderRecord
from liu_tui.trading.standing import ACTIVE
from liu_tui.trading.vetoes import Veto

S = OrderState


class Desk(Compared):
    """One batch's orders, fills, positions and limits.

    Its rooms and what may be asked of them: `deskrooms`. What people say: `deskverbs`. The comparison with
    the broker: `deskcompare`. Here: what strategies, broker and market say, time, and the start.
    """

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

    # what the market and the venue say

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

    def open_portfolios(self, pots: Sequence[Pot], fills: Iterable[Fill]) -> list[Effect]:
        """Bind strategies to what their portfolios have, before anything is traded.

        pots:  as they stood before this batch; fills: the batch's so far, in the order of booking
        """
        self.allocations = Allocations(self._book, pots)
        self._memory.allocations = self.allocations
        effects: list[Effect] = list(self.allocations.open(fills))
        self._book.hearers.append(self.allocations.hear)
        return effects

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
        self._day.say_begun(self._book, now_ns)
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
