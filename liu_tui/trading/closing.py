"""Getting out: exits that wait for protective orders, and closing that goes on until it is done.

An exit is written down first. While anything else of its strategy works in the symbol (legs reserve the
shares at the broker, an entry may still fill), that is withdrawn, and the exit waits as an INTENT with
`sent_ns` 0: so the journal alone tells, after a crash, that it has yet to be sent. Then it goes out for what
is still held.

The house's own closing (flatten, kill, the end of the day) presses each position: it withdraws what works,
sends a market order, and tries again with growing patience until the position is flat.
"""

from collections.abc import Iterable

import msgspec

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Operation, OrderState, OrderType
from liu_tui.trading.asking import Cancels
from liu_tui.trading.book import Book, Key
from liu_tui.trading.ids import Ids
from liu_tui.trading.orders import CLOSING, ENTRY, EXIT, LIQUIDATION, OrderRecord
from liu_tui.trading.protection import Protector

_RETRY_S = (1, 2, 4, 8, 16, 30)

S = OrderState


def closing_operation(held: float) -> Operation:
    """Say what takes a position away."""
    return Operation.SELL if held > 0 else Operation.COVER


class Closer:
    """Moves exits forward. `ready` is false until the books and the broker agree: nothing is sent before."""

    def __init__(self, book: Book, ids: Ids, cancels: Cancels, protector: Protector) -> None:
        self._book, self._ids, self._cancels, self._protector = book, ids, cancels, protector
        self._tries: dict[Key, tuple[int, int]] = {}  # how many in a row, and when the next may be
        self._tried: dict[Key, list[str]] = {}  # client order ids, oldest first
        self.ready = True

    def on_its_way(self, key: Key) -> OrderRecord | None:
        """Find the exit or liquidation of this strategy and symbol that has not ended."""
        return next((r for r in self._book.live(key) if r.role in CLOSING and not self._leaving(r)), None)

    def exit(self, record: OrderRecord, now_ns: int) -> None:
        """Send an exit now if nothing is in its way, else write it down and clear the way."""
        if self.ready and not self._others(record) and not self._book.behind(record.key):
            self._release(record, "intent", now_ns)
            return
        words = "waiting until other orders have made way"
        self._book.put(record, "intent", now_ns, words=words)
        self.advance(record.key, now_ns)

    def advance(self, key: Key, now_ns: int, *, protect: bool = True) -> None:
        """Do what is next for this position: clear the way, send the exit, or protect what is held."""
        if not self.ready:
            return
        waiting = next((r for r in self._book.live(key) if r.waiting), None)
        if waiting is not None:
            others = self._others(waiting)
            self._cancels.withdraw(others, f"makes way for the {waiting.role}", now_ns)
            if not others and not self._book.behind(key):
                self._release(waiting, "released", now_ns)
        elif protect and not self._book.behind(key):
            self._protector.look(key, now_ns)

    def press(self, key: Key, reason: str, now_ns: int, *, can_trade: bool) -> None:
        """Bring one position nearer to flat.

        can_trade: false outside market hours, where closing orders would queue: protection stays till then
        """
        live = self._book.live(key)
        self._cancels.withdraw([r for r in live if r.role == ENTRY], reason, now_ns)
        if not can_trade:
            return
        resting = [r for r in live if r.role == EXIT and (r.waiting or r.order_type is not OrderType.MARKET)]
        self._cancels.withdraw(resting, reason, now_ns)
        held = self._book.there(key)
        if not held:
            self._tries.pop(key, None)
            self._tried.pop(key, None)
            if not self._book.behind(key):
                self._cancels.withdraw([r for r in live if r.role not in CLOSING], reason, now_ns)
        elif self.on_its_way(key) is None and self._due(key, now_ns):
            closing = self._liquidation(key, held, reason, now_ns)
            self._tried.setdefault(key, []).append(closing.client_order_id)
            self.exit(closing, now_ns)
            return
        self.advance(key, now_ns, protect=False)

    def last_try(self, key: Key) -> OrderRecord | None:
        """Find the newest closing order of the house's own that has ended, None if there was none.

        One that is on its way says nothing yet: what held up the try before it may still do so.
        """
        tried = (self._book.orders[cid] for cid in reversed(self._tried.get(key, ())))
        return next((record for record in tried if not record.live), None)

    def hurry(self, symbol: str) -> None:
        """Try again soon what was refused, as if for the first time: the symbol trades again."""
        for key in self._book.active(symbol):
            self._tries.pop(key, None)
            self._tried.pop(key, None)

    def drop(self, symbol: str, why: str, now_ns: int) -> None:
        """Withdraw the house's own closing orders in a symbol, "" for all: a person keeps the positions."""
        for key in self._book.active(symbol):
            mine = [r for r in self._book.live(key) if r.role == LIQUIDATION]
            self._cancels.withdraw(mine, why, now_ns)
            self._tries.pop(key, None)

    def restore(self, orders: Iterable[OrderRecord]) -> None:
        """After a restart: know what was tried last."""
        for record in orders:
            if record.role == LIQUIDATION:
                self._tried.setdefault(record.key, []).append(record.client_order_id)

    def _due(self, key: Key, now_ns: int) -> bool:
        tries, due_ns = self._tries.get(key, (0, 0))
        if now_ns < due_ns:
            return False
        self._tries[key] = tries + 1, now_ns + _RETRY_S[min(tries, len(_RETRY_S) - 1)] * SECOND_NS
        return True

    def _liquidation(self, key: Key, held: float, reason: str, now_ns: int) -> OrderRecord:
        strategy, symbol = key
        return OrderRecord(
            client_order_id=self._ids.liquidation(strategy, symbol),
            intent_id="",
            strategy=strategy,
            symbol=symbol,
            operation=closing_operation(held),
            role=LIQUIDATION,
            order_type=OrderType.MARKET,
            qty=abs(held),
            state=S.INTENT,
            created_ns=now_ns,
            updated_ns=now_ns,
            price=self._book.prices.get(symbol, 0.0),
            reason=reason,
            all_held=True,
        )

    def _others(self, record: OrderRecord) -> list[OrderRecord]:
        mine = [r for r in self._book.live(record.key) if r.client_order_id != record.client_order_id]
        if record.order_type is not OrderType.MARKET:
            return mine
        # A broker refuses a market exit beside a working entry on the other side: it might trade with itself.
        return mine + [
            r
            for key in self._book.active(record.symbol)
            if key != record.key
            for r in self._book.live(key)
            if r.role == ENTRY and r.operation.side is not record.operation.side
        ]

    def _leaving(self, record: OrderRecord) -> bool:
        return record.state is S.PENDING_CANCEL or self._cancels.wanted(record.client_order_id)

    def _release(self, record: OrderRecord, event: str, now_ns: int) -> None:
        held = self._book.there(record.key)
        if not held or closing_operation(held) is not record.operation:
            gone = msgspec.structs.replace(record, state=S.CANCELED)
            self._book.put(
                gone, "dropped", now_ns, words="nothing was left to close: the shares were gone first"
            )
            return
        qty = abs(held) if record.all_held else min(record.qty, abs(held))
        self._book.send(msgspec.structs.replace(record, qty=qty), event, now_ns)
