"""PROTECT: moving the stop and the target of what is held.

The position's own stop and target say what is wanted, and are written on every protective order from then on;
so a restart finds them. Orders that rest where they should not are replaced in place: the broker keeps a stop
all the while. Where it cannot (an order that is missing beside the other, one that cannot be replaced now, a
stop that the price has passed), they are taken away and placed anew, and what is past its stop sells at once.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from liu_tui.model.account import Position
from liu_tui.model.orders import Fill, Intent, OrderState, OrderType
from liu_tui.trading.asking import Cancels
from liu_tui.trading.book import Book, Key
from liu_tui.trading.brokerrules import ALPACA, BrokerRules, cannot_replace
from liu_tui.trading.closing import closing_operation
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.intake import protection_prices
from liu_tui.trading.orders import CLOSING, ENTRY, PROTECTIVE, STOP, TARGET, OrderRecord
from liu_tui.trading.prices import moved_stop_limit
from liu_tui.trading.protection import Protector, covered
from liu_tui.trading.replacing import Replacer

S = OrderState
_UNSETTLED = (S.INTENT, S.SUBMITTED, S.UNKNOWN, S.PENDING_NEW, S.PENDING_REPLACE, S.PENDING_CANCEL)


class Mover:
    """Moves protection; says which order answers for it, or why it cannot be moved."""

    def __init__(
        self,
        book: Book,
        cancels: Cancels,
        replacer: Replacer,
        protector: Protector,
        rules: BrokerRules = ALPACA,
    ) -> None:
        self._book, self._cancels, self._replacer = book, cancels, replacer
        self._protector, self._rules = protector, rules

    def move(self, intent: Intent, now_ns: int) -> Refusal | OrderRecord:
        """Do what a PROTECT asks; returns an order that carries the intent's id."""
        key = intent.strategy, intent.symbol
        position = self._book.positions.get(key)
        if position is None or not position.qty:
            return refusal("NOTHING_TO_PROTECT", strategy=intent.strategy, symbol=intent.symbol)
        moved = _moved(position, intent)
        live = self._book.live(key)
        resting = [r for r in live if r.role in PROTECTIVE]
        if no := self._why_not(moved, live, resting):
            return no
        anew = not self._in_place(moved, resting)
        if anew and any(r.role == ENTRY for r in live):
            why = (
                "its entry still works, and the stop or target that came with it cannot be moved in its place"
            )
            return refusal("PROTECTION_BUSY", symbol=intent.symbol, why=why)
        self._book.protect(key, moved.stop, moved.target)
        if not anew:
            return self._replace(moved, resting, intent, now_ns)
        return self._anew(moved, resting, intent, now_ns)

    def restore(self, fills: Sequence[Fill]) -> None:
        """After a restart: find in the newest protective order what was wanted last."""
        since = _opened(fills, self._book.orders)
        newest: dict[Key, OrderRecord] = {}
        for record in sorted(self._book.orders.values(), key=lambda r: r.created_ns):
            said = record.role in PROTECTIVE and record.state is not S.REFUSED and record.protected
            if said and record.created_ns >= since.get(record.key, 0):
                newest[record.key] = record
        for key, record in newest.items():
            held = self._book.held(key)
            # A fill that was taken back may have turned the position round: those were of another.
            if held and closing_operation(held) is record.operation:
                self._book.protect(key, record.stop, record.target)

    def _why_not(
        self, moved: Position, live: Iterable[OrderRecord], resting: Sequence[OrderRecord]
    ) -> Refusal | None:
        symbol, stop, target = moved.symbol, moved.stop, moved.target
        if any(r.role in CLOSING for r in live):
            return refusal("EXIT_PENDING", symbol=symbol)
        if stop is not None and target is not None and (target - stop) * moved.qty <= 0:
            side = "above" if moved.qty > 0 else "below"
            return refusal("BAD_PRICES", why=f"the target {target:g} must be {side} the stop {stop:g}")
        if self._book.behind((moved.strategy, symbol)):
            why = "the broker has told of a fill that is not in the books yet"
            return refusal("PROTECTION_BUSY", symbol=symbol, why=why)
        if any(self._moves(record) for record in resting):
            return refusal("PROTECTION_BUSY", symbol=symbol, why="they are being placed or moved already")
        if not resting and covered(self._book, (moved.strategy, symbol)) >= abs(moved.qty):
            return refusal("PROTECTION_BUSY", symbol=symbol, why="the broker has not named them yet")
        return None

    def _moves(self, record: OrderRecord) -> bool:
        sells = record.order_type is OrderType.MARKET
        return sells or record.state in _UNSETTLED or self._cancels.wanted(record.client_order_id)

    def _in_place(self, moved: Position, resting: Sequence[OrderRecord]) -> bool:
        # Whether replacing alone brings everything where it is wanted.
        price = self._book.prices.get(moved.symbol, 0.0)
        sign = 1 if moved.qty > 0 else -1
        if moved.stop is not None and price > 0 and (price - moved.stop) * sign <= 0:
            return False
        wanted = {role for role, level in ((STOP, moved.stop), (TARGET, moved.target)) if level is not None}
        if not resting or wanted - {r.role for r in resting}:
            return False
        return not any(cannot_replace(r, self._rules) for r in resting if not _at(r, moved))

    def _replace(
        self, moved: Position, resting: Sequence[OrderRecord], intent: Intent, now_ns: int
    ) -> OrderRecord:
        away = [record for record in resting if not _at(record, moved)]
        answer = [self._replacer.send(r, _with_level(r, moved, intent), now_ns) for r in away]
        if answer:
            return answer[-1]
        there = msgspec.structs.replace(resting[-1], intent_id=intent.id)
        return self._book.put(there, "protect", now_ns)

    def _anew(
        self, moved: Position, resting: Sequence[OrderRecord], intent: Intent, now_ns: int
    ) -> OrderRecord:
        if not resting:
            key = moved.strategy, moved.symbol
            return self._protector.place(moved, self._protector.bare(key), now_ns, intent.id)
        for record in resting:
            # What is wanted is in the journal before the old order goes.
            said = msgspec.structs.replace(record, stop=moved.stop, target=moved.target, intent_id=intent.id)
            self._book.put(said, "protect", now_ns)
        named = [self._book.orders[r.client_order_id] for r in resting]
        self._cancels.withdraw(named, "makes way for another stop or target", now_ns)
        return self._book.orders[named[-1].client_order_id]


def _moved(position: Position, intent: Intent) -> Position:
    side = closing_operation(position.qty).side
    stop, target = protection_prices(intent.stop, intent.target, side)
    return msgspec.structs.replace(
        position,
        stop=position.stop if stop is None else stop,
        target=position.target if target is None else target,
    )


def _at(record: OrderRecord, moved: Position) -> bool:
    """Whether a protective order rests where it is wanted."""
    if record.role == TARGET:
        return record.limit_price == moved.target
    return record.stop_price == moved.stop


def _with_level(record: OrderRecord, moved: Position, intent: Intent) -> OrderRecord:
    limit, stop = record.limit_price, record.stop_price
    if record.role == TARGET:
        limit = moved.target
    elif limit is not None and stop is not None and moved.stop is not None:
        limit = moved_stop_limit(moved.stop, stop, limit, record.operation.side)
    return msgspec.structs.replace(
        record,
        intent_id=intent.id,
        qty=record.remaining,
        limit_price=limit,
        stop_price=moved.stop if record.role == STOP else stop,
        stop=moved.stop,
        target=moved.target,
        reason=intent.reason or record.reason,
    )


def _opened(fills: Sequence[Fill], orders: Mapping[str, OrderRecord]) -> dict[Key, int]:
    """When each position was opened, by our own clock: the broker's may go before it."""
    since: dict[Key, int] = {}
    for fill in fills:
        opens = (fill.position - fill.qty) * fill.position <= 0
        if fill.position and opens and not fill.amends and fill.client_order_id in orders:
            since[fill.strategy, fill.symbol] = orders[fill.client_order_id].created_ns
    return since
