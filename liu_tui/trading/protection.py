"""Protective orders that stand by themselves: what rests at the broker for shares whose own legs are gone.

A bracket's legs die with its entry, and an exit takes them away first. Whatever is still held then, and had a
stop or a target when it was opened, is protected again: by an OCO, or a single stop or limit.
"""

from liu_tui.model.account import Position
from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Operation, OrderState, OrderType, Side, TimeInForce
from liu_tui.trading.book import Book, Key
from liu_tui.trading.ids import Ids
from liu_tui.trading.orders import CLOSING, ENTRY, PROTECTIVE, STOP, TARGET, OrderRecord
from liu_tui.trading.prices import target_price, trigger_price

# A broker that refuses a stop refuses it again at once; a little later it may not.
_RETRY_S = (2, 4, 8, 16, 30)


def covered(book: Book, key: Key) -> float:
    """Count the shares that protective orders rest for, or will rest for without our doing anything.

    An entry's own legs are at work once it is filled completely; until then, and until we have been told
    their names, its filled shares count as covered: a second stop beside them would sell the shares twice.
    """
    groups: dict[str, float] = {}
    entering = {record.client_order_id for record in book.live(key) if record.role == ENTRY}
    for record in book.live(key):
        if record.role in PROTECTIVE and record.group not in entering:
            groups[record.group] = max(groups.get(record.group, 0.0), record.remaining)
    total = sum(groups.values())
    opened_ns = book.positions[key].opened_ns if key in book.positions else 0
    for record in book.entries(key):
        cid = record.client_order_id
        if not record.protected or cid in groups or record.updated_ns < opened_ns:
            continue
        if record.live or (record.state is OrderState.FILLED and not book.legs(cid)):
            total += record.filled_qty
    return total


class Protector:
    """Places protection for what is held without it."""

    def __init__(self, book: Book, ids: Ids, swing: frozenset[str]) -> None:
        self._book, self._ids, self.swing = book, ids, swing
        self._tries: dict[Key, tuple[int, int]] = {}  # how many in a row, and when the next may be

    def look(self, key: Key, now_ns: int) -> None:
        """Protect what this strategy holds in this symbol, if it should be and is not."""
        position = self._book.positions.get(key)
        if position is None or not position.qty or (position.stop is None and position.target is None):
            self._tries.pop(key, None)
            return
        if any(record.role in CLOSING for record in self._book.live(key)):
            return
        bare = round(abs(position.qty) - covered(self._book, key), 9)
        if bare <= 0:
            return
        tries, due_ns = self._tries.get(key, (0, 0))
        if now_ns >= due_ns:
            wait_s = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
            self._tries[key] = tries + 1, now_ns + wait_s * SECOND_NS
            self._place(position, bare, now_ns)

    def accepted(self, record: OrderRecord) -> None:
        """See the broker take a protective order: the next one need not wait."""
        if record.state in (OrderState.NEW, OrderState.ACCEPTED, OrderState.HELD):
            self._tries.pop(record.key, None)

    def _place(self, position: Position, qty: float, now_ns: int) -> None:
        long = position.qty > 0
        side = Side.SELL if long else Side.BUY
        stop = None if position.stop is None else trigger_price(position.stop, side)
        target = None if position.target is None else target_price(position.target, side)
        price = self._book.prices.get(position.symbol, 0.0)
        if stop is not None and price > 0 and (price <= stop if long else price >= stop):
            order_type, limit, trigger, stop, role = OrderType.MARKET, None, None, None, STOP
            reason = f"the price {price:g} is past the stop, and nothing rested at the broker"
        elif target is not None:
            order_type, limit, trigger, role, reason = OrderType.LIMIT, target, None, TARGET, TARGET
        else:
            order_type, limit, trigger, role, reason = OrderType.STOP, None, stop, STOP, STOP
        entry = self._book.last_entry((position.strategy, position.symbol))
        record = OrderRecord(
            client_order_id=self._ids.protection(position.strategy, position.symbol),
            intent_id=entry.intent_id if entry else "",
            strategy=position.strategy,
            symbol=position.symbol,
            operation=Operation.SELL if long else Operation.COVER,
            role=role,
            order_type=order_type,
            qty=qty,
            state=OrderState.INTENT,
            created_ns=now_ns,
            updated_ns=now_ns,
            limit_price=limit,
            stop_price=trigger,
            stop=stop if role == TARGET else None,
            target=target if role == TARGET and stop is not None else None,
            tif=TimeInForce.GTC if position.strategy in self.swing else TimeInForce.DAY,
            price=limit or trigger or price,
            reason=reason,
        )
        self._book.send(record, "protection", now_ns)
        words = f"{position.strategy} {position.symbol}: {qty:g} shares protected again by a {role}"
        self._book.notice("info", words, symbol=position.symbol)
