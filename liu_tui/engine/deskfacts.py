"""What the desk tells the supervisor: a few times a second, and only when something has changed."""

from __future__ import annotations

from liu_tui.engine.child import Child
from liu_tui.engine.messages import DeskFacts
from liu_tui.engine.snapshot import DifferenceRow, FlattenRow
from liu_tui.model.account import Account
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.orders import Fill, OrderNews
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Differs
from liu_tui.trading.flattens import FlattenState

EVERY_NS = 100_000_000


class FactSheet:
    """Gathers facts between two messages. prices: of what has moved since the last one."""

    def __init__(self, child: Child, desk: Desk) -> None:
        self._child, self._desk = child, desk
        self._orders: dict[str, OrderNews] = {}
        self._fills: list[Fill] = []
        self._moved: set[str] = set()
        self._changed = True
        self._told_ns = 0
        self.broker_state = "away"
        self._broker_words = "connecting"
        self._account: Account | None = None
        self._compared_ns = 0

    def broker(self, state: str, words: str) -> None:
        """How the broker stands: away, reconciling or ready."""
        self.broker_state, self._broker_words = state, words
        self._changed = True

    def compared(self, now_ns: int) -> None:
        """The books and the broker have been compared, and agree. now_ns: session time."""
        self._compared_ns = now_ns
        self._changed = True

    def account(self, account: Account) -> None:
        """The broker's own figures."""
        self._account = account
        self._changed = True

    def moved(self, symbol: str) -> None:
        """A price has moved."""
        self._moved.add(symbol)
        self._changed = True

    def touch(self) -> None:
        """Something else has changed."""
        self._changed = True

    def add_fill(self, fill: Fill) -> None:
        """A fill to be shown."""
        self._fills.append(fill)
        self._changed = True

    def add_order(self, news: OrderNews) -> None:
        """An order to be shown; only its newest state is told."""
        self._orders[news.client_order_id] = news
        self._changed = True

    def tell(self, *, force: bool = False) -> None:
        """Send what has changed, if it is time."""
        now = monotonic_ns()
        if not self._changed or (not force and now - self._told_ns < EVERY_NS):
            return
        self._changed, self._told_ns = False, now
        desk = self._desk
        money = desk.money()
        positions = tuple(
            position for position in desk.positions.values() if position.qty or position.realized
        )
        self._child.tell(
            DeskFacts(
                state=desk.state,
                by=desk.state_by,
                reason=desk.state_reason,
                broker=self.broker_state,
                broker_words=self._broker_words,
                account=self._account,
                realized=money.realized,
                unrealized=money.unrealized,
                exposure=money.exposure,
                positions=positions,
                prices=tuple((symbol, desk.price(symbol)) for symbol in self._moved),
                orders=tuple(self._orders.values()),
                fills=tuple(self._fills),
                fees=money.fees,
                result=desk.day.result,
                peak=desk.day.peak,
                compared_ns=self._compared_ns,
                asking=desk.asking,
                differences=tuple(map(_difference_row, desk.differences.values())),
                flattens=tuple(map(_flatten_row, desk.flattens(self._child.clock.now_ns()))),
            )
        )
        self._orders.clear()
        self._fills.clear()
        self._moved.clear()


def _difference_row(difference: Differs) -> DifferenceRow:
    return DifferenceRow(
        symbol=difference.symbol,
        ours=difference.ours,
        theirs=difference.theirs,
        words=difference.words,
        since_ns=difference.since_ns,
        choice=difference.choice,
    )


def _flatten_row(state: FlattenState) -> FlattenRow:
    return FlattenRow(
        symbol=state.symbol,
        by=state.by,
        reason=state.reason,
        since_ns=state.since_ns,
        begun=state.begun,
        left=state.left,
        working=state.working,
        stuck=state.stuck,
    )
