"""Comparing the books with the broker, and taking over what the broker knows better.

In this order: the broker's orders settle ours; its executions book the fills that were missed; then the
positions must agree, symbol by symbol. A difference that no order and no fill explains is said, never mended
in silence: only in a symbol in which this batch has done nothing is it plainly somebody else's, and shown as
EXTERNAL.
"""

from collections.abc import Iterable, Iterator, Sequence

from liu_tui.model.account import BrokerPosition
from liu_tui.model.orders import BrokerOrder, Execution, OrderState, Side
from liu_tui.trading.asking import Asker
from liu_tui.trading.book import Book
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.strays import Strays, external_fill

# Brokers round fractions of shares to 9 decimals.
_SAME = 1e-6

S = OrderState


class Reconciler:
    """One comparison at a time."""

    def __init__(self, book: Book, asker: Asker, strays: Strays) -> None:
        self._book, self._asker, self._strays = book, asker, strays
        # What strangers did before is the account's history, not the batch's.
        self._since_ns: int | None = None

    def compare(
        self,
        orders: Sequence[BrokerOrder],
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
    ) -> dict[str, str]:
        """Settle, book, adopt, compare. Returns what does not agree: symbol -> words."""
        if self._since_ns is None:
            self._since_ns = min((r.created_ns for r in self._book.orders.values()), default=now_ns)
        for position in positions:
            if position.price > 0:
                self._book.prices.setdefault(position.symbol, position.price)
        told = {order.id for order in every(orders)}
        filled = {execution.order_id for execution in executions if execution.t_ns >= self._since_ns}
        for order in orders:
            self._settle(order, filled, now_ns)
        self._book_missed([e for e in executions if self._concerns(e, self._since_ns)], now_ns)
        self._strays.claimed(now_ns)
        self._settle_absent(told, now_ns)
        differences = self._missing_fills()
        for symbol, (ours, theirs) in self._unequal(positions).items():
            if symbol in differences:
                continue
            if self._untouched(symbol):
                held = next(p for p in (*positions, _flat(symbol)) if p.symbol == symbol)
                self._adopt_position(held, theirs - ours, now_ns)
            else:
                differences[symbol] = f"the books have {ours:+g} {symbol}, the broker has {theirs:+g}"
        for symbol, words in differences.items():
            self._book.notice("error", f"books and broker do not agree: {words}", symbol=symbol)
        return differences

    def _concerns(self, execution: Execution, since_ns: int) -> bool:
        return execution.t_ns >= since_ns or self._book.by_order_id(execution.order_id) is not None

    def _settle(self, order: BrokerOrder, filled: set[str], now_ns: int) -> None:
        record = self._book.find(order)
        if record is None:
            record = self._strays.link(order, now_ns)
        if record is None:
            if order.status.final and not {o.id for o in every([order])} & filled:
                return  # long over, and nothing of it concerns this batch
            record = self._strays.adopt(order, now_ns)
        record = self._book.hear(record, order, order.status.value, now_ns, asked=True)
        self._asker.settled(record.client_order_id)

    def _book_missed(self, executions: Sequence[Execution], now_ns: int) -> None:
        for execution in sorted(executions, key=lambda e: e.t_ns):
            if self._book.has_booked(execution.execution_id):
                continue
            record = self._book.by_order_id(execution.order_id)
            if record is None:
                held = self._book.held((EXTERNAL, execution.symbol))
                record = external_fill(execution, held, now_ns)
                words = f"a trade made elsewhere: {execution.side} {execution.qty:g} {execution.symbol}"
                self._book.notice("warn", words, symbol=execution.symbol)
            self._book.book_alone(record, execution, now_ns)

    def _settle_absent(self, told: set[str], now_ns: int) -> None:
        for record in list(self._book.all_live()):
            if record.order_id in told or record.waiting:
                continue
            if record.state is S.INTENT:
                self._asker.never_seen(record, now_ns, "never sent: the session ended before")
            elif record.order_id:
                self._asker.look(record, now_ns)

    def _missing_fills(self) -> dict[str, str]:
        return {
            record.symbol: f"the broker filled {record.broker_filled:g} of {record.client_order_id}, "
            f"{record.filled_qty:g} are booked"
            for record in self._book.behind()
        }

    def _unequal(self, positions: Iterable[BrokerPosition]) -> dict[str, tuple[float, float]]:
        theirs = {position.symbol: position.qty for position in positions}
        symbols = sorted({*theirs, *(key[1] for key in self._book.active())})
        pairs = {symbol: (self._book.net(symbol), theirs.get(symbol, 0.0)) for symbol in symbols}
        return {symbol: pair for symbol, pair in pairs.items() if abs(pair[0] - pair[1]) > _SAME}

    def _untouched(self, symbol: str) -> bool:
        return not self._book.touched(symbol)

    def _adopt_position(self, position: BrokerPosition, qty: float, now_ns: int) -> None:
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


def _flat(symbol: str) -> BrokerPosition:
    return BrokerPosition(symbol=symbol, qty=0.0, avg_price=0.0)
