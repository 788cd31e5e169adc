"""Protective orders that stand by themselves: what rests at the broker for shares whose own legs are gone.

A bracket's legs die with its entry, and an exit takes them away first. Whatever is still held then, and had a
stop or a target, is protected again: by an OCO, or a single stop or limit. Shares that a resting exit of the
strategy's own will sell need nothing beside it: it is a stop itself, or brings one, or says so.
"""

import msgspec

from liu_tui.model.account import Position
from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Operation, OrderState, OrderType, Side, TimeInForce
from liu_tui.trading.book import Book, Key
from liu_tui.trading.ids import Ids
from liu_tui.trading.orders import CLOSING, ENTRY, EXIT, LIQUIDATION, PROTECTIVE, STOP, TARGET, OrderRecord
from liu_tui.trading.prices import moved_stop_limit, target_price, trigger_price

# A broker that refuses a stop refuses it again at once; a little later it may not.
_RETRY_S = (2, 4, 8, 16, 30)


def covered(book: Book, key: Key) -> float:
    """Count the shares that orders rest for, or will rest for without our doing anything.

    An entry's own legs are at work once it is filled completely; until then, and until we have been told
    their names, its filled shares count as covered: a second stop beside them would sell the shares twice.
    """
    groups: dict[str, float] = {}
    live = book.live(key)
    entering = {record.client_order_id for record in live if record.role == ENTRY}
    for record in live:
        exits = record.role in PROTECTIVE or record.role in CLOSING
        if exits and not record.waiting and record.group not in entering:
            groups[record.group] = max(groups.get(record.group, 0.0), record.remaining)
    return sum(groups.values()) + _covered_by_entries(book, key, groups)


def _covered_by_entries(book: Book, key: Key, groups: dict[str, float]) -> float:
    # While a leg has no name nobody knows what it did: the one beside it may have ended because it filled.
    unnamed = {record.client_order_id: record for record in book.unlinked(key)}
    known = {record.client_order_id: record for record in book.live(key)}
    entries = [record for record in (known | unnamed).values() if record.role == ENTRY]
    giving_way = {record.replaces for record in entries if record.live}
    nameless = [
        record
        for record in entries
        if record.protected and not {record.client_order_id} & (groups.keys() | giving_way)
        if record.live or (record.state is OrderState.FILLED and record.client_order_id in unnamed)
    ]
    pairs = sum(r.remaining for cid, r in unnamed.items() if r.role != ENTRY and cid not in groups)
    if not nameless:
        return pairs
    # Fills of an earlier position do not count. By their order, not by time: the broker's clock is not ours.
    makers = book.makers(key)
    return pairs + sum(_filled_in_chain(book, record, makers) for record in nameless)


def _filled_in_chain(book: Book, record: OrderRecord, makers: set[str]) -> float:
    # The legs went over from the order that was replaced: they are for its shares too.
    filled, link = 0.0, book.orders.get(record.client_order_id)
    while link is not None:
        filled += link.filled_qty if link.client_order_id in makers else 0.0
        link = book.orders.get(link.replaces)
    return filled


class _Form(msgspec.Struct, frozen=True):
    """What a protective order looks like. Prices in dollars; worst: the limit of the stop."""

    role: str
    order_type: OrderType
    limit: float | None = None
    trigger: float | None = None
    stop: float | None = None
    target: float | None = None
    worst: float | None = None
    reason: str = ""


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
        if any(_closes_now(record) for record in self._book.live(key)):
            return
        bare = self.bare(key)
        if bare <= 0:
            return
        tries, due_ns = self._tries.get(key, (0, 0))
        if now_ns >= due_ns:
            wait_s = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
            self._tries[key] = tries + 1, now_ns + wait_s * SECOND_NS
            self.place(position, bare, now_ns)

    def bare(self, key: Key) -> float:
        """Count the shares held for which nothing rests."""
        return round(abs(self._book.there(key)) - covered(self._book, key), 9)

    def accepted(self, record: OrderRecord) -> None:
        """See the broker take a protective order: the next one need not wait."""
        if record.state in (OrderState.NEW, OrderState.ACCEPTED, OrderState.HELD):
            self._tries.pop(record.key, None)

    def place(self, position: Position, qty: float, now_ns: int, intent_id: str = "") -> OrderRecord:
        """Put the position's stop and target to the broker, for so many shares of it.

        intent_id: of the PROTECT that asked for it; else that of the entry stands in the record
        """
        key = position.strategy, position.symbol
        form = self._form(position, qty)
        entry = self._book.last_entry(key)
        keeps = position.strategy in self.swing and not qty % 1
        record = OrderRecord(
            client_order_id=self._ids.protection(position.strategy, position.symbol),
            intent_id=intent_id or (entry.intent_id if entry else ""),
            strategy=position.strategy,
            symbol=position.symbol,
            operation=Operation.SELL if position.qty > 0 else Operation.COVER,
            role=form.role,
            order_type=form.order_type,
            qty=qty,
            state=OrderState.INTENT,
            created_ns=now_ns,
            updated_ns=now_ns,
            limit_price=form.limit,
            stop_price=form.trigger,
            stop=form.stop,
            target=form.target,
            tif=TimeInForce.GTC if keeps else TimeInForce.DAY,
            price=form.limit or form.trigger or self._book.prices.get(position.symbol, 0.0),
            reason=form.reason or form.role,
            stop_limit=form.worst,
        )
        record = self._book.send(record, "protection", now_ns)
        words = f"{position.strategy} {position.symbol}: {qty:g} shares protected by a {form.role}"
        self._book.notice("info", words, symbol=position.symbol)
        return record

    def _form(self, position: Position, qty: float) -> _Form:
        long = position.qty > 0
        side = Side.SELL if long else Side.BUY
        stop = None if position.stop is None else trigger_price(position.stop, side)
        target = None if position.target is None else target_price(position.target, side)
        price = self._book.prices.get(position.symbol, 0.0)
        if stop is not None and price > 0 and (price <= stop if long else price >= stop):
            words = f"the price {price:g} is past the stop, and nothing rested at the broker"
            return _Form(STOP, OrderType.MARKET, stop=stop, target=target, reason=words)
        worst = None if stop is None else self._worst((position.strategy, position.symbol), stop, side)
        # A fraction of a share cannot have two orders beside each other: the stop is the one that protects.
        if target is not None and (stop is None or not qty % 1):
            return _Form(TARGET, OrderType.LIMIT, limit=target, stop=stop, target=target, worst=worst)
        kind = OrderType.STOP if worst is None else OrderType.STOP_LIMIT
        return _Form(STOP, kind, limit=worst, trigger=stop, stop=stop, target=target, worst=worst)

    def _worst(self, key: Key, stop: float, side: Side) -> float | None:
        # The limit of the stop lies as far from it as the strategy asked when it entered.
        entry = self._book.last_entry(key)
        if entry is None or entry.stop is None or entry.stop_limit is None:
            return None
        return moved_stop_limit(stop, entry.stop, entry.stop_limit, side)


def _closes_now(record: OrderRecord) -> bool:
    # Not one that rests until a price or an auction comes: what it leaves is protected beside it.
    return record.role == LIQUIDATION or (record.role == EXIT and (record.waiting or not record.rests))
