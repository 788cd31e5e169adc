"""Comparing the books with the broker, and taking over what the broker knows better.

Three comparisons, of growing cost:

    orders     what works at the broker against what works here; every few seconds
    positions  fills that were missed, then the shares of each symbol; every half minute
    all        every order of the batch, its fills, the shares; at the start and after each reconnect

In this order: the broker's orders settle ours; its executions book the fills that were missed; then the
positions must agree, symbol by symbol. A difference that no order and no fill explains is said and decided by
a person (`differences`): only in a symbol in which this batch has done nothing is it plainly somebody
else's, and shown as EXTERNAL.

The broker answers of a moment that is over. `settled_ns` is the session time before which everything has
arrived: an order that was sent or heard of since is in flight, and so is its symbol. Neither is judged.
"""

from collections.abc import Iterable, Iterator, Sequence

from liu_tui.model.account import BrokerPosition
from liu_tui.model.orders import BrokerOrder, Execution, OrderState, Side
from liu_tui.trading.asking import Asker
from liu_tui.trading.book import Book
from liu_tui.trading.differences import Differences, Found, crossing
from liu_tui.trading.orders import OrderRecord
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.strays import Strays, external_fill

LOOK_UPS = 10
"""Single orders that one comparison asks for at most, so that asking never uses the allowance up.

Source: NautilusTrader's live execution engine (docs/concepts/live.md).
"""

# Brokers round fractions of shares to 9 decimals.
_SAME = 1e-6

S = OrderState


class Reconciler:
    """Compares. incomplete: a fill of an unknown order was seen; only the comparison of all can say whose."""

    def __init__(self, book: Book, asker: Asker, strays: Strays, differences: Differences) -> None:
        self._book, self._asker, self._strays, self._differences = book, asker, strays, differences
        # What strangers did before is the account's history, not the batch's.
        self._since_ns: int | None = None
        self._seen_once: set[str] = set()  # unknown orders of the last comparison
        self._strangers: dict[str, Found] = {}  # what differed last time where this batch has done nothing
        self._looked: dict[str, None] = {}  # absent orders that were looked up, the longest ago first
        self.incomplete = False

    def since_ns(self, now_ns: int) -> int:
        """When the batch began: nothing before it is the batch's."""
        if self._since_ns is None:
            self._since_ns = min((r.created_ns for r in self._book.orders.values()), default=now_ns)
        return self._since_ns

    @property
    def urgent(self) -> bool:
        """Whether something was seen that should be looked at again soon."""
        return self.incomplete or bool(self._strangers) or self._differences.suspected

    # the comparisons

    def compare(
        self,
        orders: Sequence[BrokerOrder],
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
        *,
        settled_ns: int,
        at_once: bool,
    ) -> None:
        """Compare all: settle, book, adopt, compare. at_once: what differs is said at first sight."""
        since_ns = self.since_ns(now_ns)
        told = {order.id for order in every(orders)}
        filled = {execution.order_id for execution in executions if execution.t_ns >= since_ns}
        for order in orders:
            self._settle(order, filled, now_ns, settled_ns)
        self.incomplete = False
        self._book_missed(executions, now_ns, settled_ns, strangers=True)
        self._strays.claimed(now_ns)
        self._ask_absent(told, now_ns, settled_ns, most=len(self._book.orders))
        self._judge(positions, now_ns, settled_ns, at_once=at_once)

    def check_orders(
        self, orders: Sequence[BrokerOrder], now_ns: int, *, settled_ns: int, most: int = LOOK_UPS
    ) -> None:
        """Compare what works at the broker with what works here. orders: those that are open, legs nested.

        most: how many orders of ours that are not among them may be asked for
        """
        unknown: set[str] = set()
        for order in orders:
            record = self._book.find(order) or self._strays.link(order, now_ns)
            if record is not None:
                self._hear(record, order, now_ns, settled_ns)
            elif order.id in self._seen_once:
                self._strays.adopt(order, now_ns)
            elif not self._strays.keeps(order.id):
                unknown.add(order.id)
        self._seen_once = unknown
        self._strays.claimed(now_ns)
        self._ask_absent({order.id for order in every(orders)}, now_ns, settled_ns, most=most)

    def check_positions(
        self,
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
        *,
        settled_ns: int,
    ) -> None:
        """Book missed fills, then compare the shares. executions: those since a while ago."""
        self._book_missed(executions, now_ns, settled_ns, strangers=False)
        self._judge(positions, now_ns, settled_ns, at_once=False)

    # orders

    def _settle(self, order: BrokerOrder, filled: set[str], now_ns: int, settled_ns: int) -> None:
        record = self._book.find(order) or self._strays.link(order, now_ns)
        if record is None:
            if order.status.final and not {o.id for o in every([order])} & filled:
                return  # long over, and nothing of it concerns this batch
            record = self._strays.adopt(order, now_ns)
        self._hear(record, order, now_ns, settled_ns)

    def _hear(self, record: OrderRecord, order: BrokerOrder, now_ns: int, settled_ns: int) -> None:
        # Of an order in flight the answer may be older than what we did or heard since: it settles nothing.
        asked = record.updated_ns < settled_ns
        record = self._book.hear(record, order, order.status.value, now_ns, asked=asked)
        self._asker.settled(record.client_order_id)
        for told in every([order]):
            known = self._book.find(told)
            if known is not None and known.broker_filled > known.filled_qty:
                self._differences.averages[known.client_order_id] = told.filled_avg_price

    def _ask_absent(self, told: set[str], now_ns: int, settled_ns: int, *, most: int) -> None:
        """Ask for orders of ours that should work and were not listed, the longest not asked for first.

        And for those that are over and lack a fill: what was told of it late may have been taken back since.
        """
        absent = {
            record.client_order_id: record
            for record in [*self._book.all_live(), *self._book.behind()]
            if record.order_id not in told and not record.waiting and record.updated_ns < settled_ns
        }
        again = [cid for cid in self._looked if cid in absent]
        turn = [cid for cid in absent if cid not in self._looked] + again
        for cid in turn[:most]:
            self._looked.pop(cid, None)
            self._looked[cid] = None
            self._asker.absent(absent[cid], now_ns)
        self._looked = {cid: None for cid in self._looked if cid in absent}

    # fills

    def _book_missed(
        self, executions: Sequence[Execution], now_ns: int, settled_ns: int, *, strangers: bool
    ) -> None:
        # What a later row puts right is not booked first: of a correction that came before its fill, and was
        # booked before a restart, nothing else says whose place it took.
        corrected = {execution.corrects for execution in executions if execution.corrects}
        for execution in sorted(executions, key=lambda e: e.t_ns):
            name = execution.execution_id
            if not execution.corrects and (name in corrected or self._book.has_booked(name)):
                continue
            record = self._book.by_order_id(execution.order_id)
            if record is not None:
                self._book.book_alone(record, execution, now_ns)
            elif execution.t_ns < self.since_ns(now_ns) or not execution.qty:
                continue
            elif strangers and execution.t_ns < settled_ns and not self._strays.keeps(execution.order_id):
                self._book_strangers(execution, now_ns)
            else:
                self.incomplete = True

    def _book_strangers(self, execution: Execution, now_ns: int) -> None:
        record = external_fill(execution, self._book.held((EXTERNAL, execution.symbol)), now_ns)
        words = f"a trade made elsewhere: {execution.side} {execution.qty:g} {execution.symbol}"
        self._book.notice("warn", words, symbol=execution.symbol)
        self._book.book_alone(record, execution, now_ns)

    # shares

    def _judge(
        self, positions: Sequence[BrokerPosition], now_ns: int, settled_ns: int, *, at_once: bool
    ) -> None:
        theirs = {position.symbol: position for position in positions}
        for position in positions:
            if position.price > 0:
                self._book.prices.setdefault(position.symbol, position.price)
        symbols = sorted({*theirs, *(key[1] for key in self._book.active())})
        moving = frozenset(symbol for symbol in symbols if self._moves(symbol, settled_ns))
        found = {
            symbol: what
            for symbol in symbols
            if symbol not in moving
            and (what := self._look(symbol, theirs[symbol].qty if symbol in theirs else 0.0)) is not None
        }
        strangers = {symbol: found.pop(symbol) for symbol in [*found] if not self._book.touched(symbol)}
        for symbol, what in [*strangers.items()]:
            if at_once or self._strangers.get(symbol) == what:
                position = theirs.get(symbol) or BrokerPosition(symbol=symbol, qty=0.0, avg_price=0.0)
                self._take_for_external(position, what.gap, now_ns)
                del strangers[symbol]
        self._strangers = strangers
        self._differences.compared(found, moving, now_ns, at_once=at_once)

    def _moves(self, symbol: str, settled_ns: int) -> bool:
        """Whether something is on its way that could explain any figure."""
        return (
            self._book.moved_ns(symbol) >= settled_ns
            or self._strays.expects(symbol)
            or any(
                record.state in (S.SUBMITTED, S.UNKNOWN) and record.sent_ns
                for key in self._book.active(symbol)
                for record in self._book.live(key)
            )
        )

    def _look(self, symbol: str, theirs: float) -> Found | None:
        """Say what differs in a symbol; None if nothing does."""
        net = self._book.net(symbol)
        gap = round(theirs - net, 9)
        for record in self._book.behind():
            if record.symbol == symbol:
                words = (
                    f"the broker filled {record.broker_filled:g} of {record.client_order_id}, "
                    f"{record.filled_qty:g} are booked"
                )
                return Found(record.filled_qty, record.broker_filled, words, gap)
        if abs(gap) > _SAME:
            return Found(net, theirs, f"the books have {net:+g} {symbol}, the broker has {theirs:+g}", gap)
        return crossing(self._book, symbol) if symbol in self._book.crossed() else None

    def _take_for_external(self, position: BrokerPosition, qty: float, now_ns: int) -> None:
        # Told once: the store has the fill before the next comparison, which then finds no difference.
        before = self._book.held((EXTERNAL, position.symbol))
        execution = Execution(
            execution_id=f"external-{position.symbol}-{before:g}-{before + qty:g}-{now_ns}",
            order_id=f"external-{position.symbol}-{now_ns}",
            symbol=position.symbol,
            side=Side.BUY if qty > 0 else Side.SELL,
            qty=abs(qty),
            price=position.avg_price or self._book.prices.get(position.symbol, 0.0),
            t_ns=now_ns,
        )
        self._book.book_alone(external_fill(execution, before, now_ns), execution, now_ns)
        words = f"{position.symbol}: the account holds {position.qty:+g} shares that this batch did not buy"
        self._book.notice("warn", words, symbol=position.symbol)


def every(orders: Iterable[BrokerOrder]) -> Iterator[BrokerOrder]:
    """Walk orders and the legs nested in them."""
    for order in orders:
        yield order
        yield from every(order.legs)
