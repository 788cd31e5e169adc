"""What the books know, and how it is found: orders, positions, and who has to do with which symbol.

A batch may have thousands of orders that have ended, so everything that is asked often has an index: what it
costs depends on what lives. Nothing here decides anything, and nothing here tells anybody.
"""

import math
from collections.abc import Iterator

from liu_tui.model.account import Position
from liu_tui.model.orders import BrokerOrder, OrderState
from liu_tui.trading.orders import ENTRY, EXIT, LIQUIDATION, TARGET, OrderRecord
from liu_tui.trading.positions import EXTERNAL

Key = tuple[str, str]
"""(strategy, symbol)"""


class Shelf:
    """Orders by our id, positions by (strategy, symbol)."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderRecord] = {}
        self.positions: dict[Key, Position] = {}
        self._cids: dict[str, str] = {}  # the broker's order id -> our id
        self._live: dict[Key, dict[str, None]] = {}  # no key is there without a live order
        self._held: dict[Key, None] = {}  # whose position is not flat
        self._every: dict[Key, dict[str, None]] = {}  # all but the refused ones
        self._keys: dict[str, dict[Key, None]] = {}  # a symbol -> all that ever had to do with it
        self._won: float | None = None  # what all positions have realised, None when one has changed since
        self._touched: set[str] = set()  # symbols in which this batch has sent an order
        self._legless: dict[str, dict[str, None]] = {}  # a symbol -> orders whose legs have no names yet
        self._alone: set[str] = set()  # exits that brought nothing with them, by the broker's own word
        self._moved_ns: dict[str, int] = {}  # a symbol -> when anything last changed in it
        self._entries: dict[Key, dict[str, None]] = {}
        self._legs: dict[str, dict[str, None]] = {}  # an order's client id -> those of the orders it brought
        self._behind: dict[str, Key] = {}  # orders with fills that the broker told of and we have not seen

    def find(self, order: BrokerOrder) -> OrderRecord | None:
        """Find our record of what the broker describes, by our id or by its own."""
        return self.orders.get(order.client_order_id) or self.by_order_id(order.id)

    def by_order_id(self, order_id: str) -> OrderRecord | None:
        """Find our record by the broker's order id."""
        return self.orders.get(self._cids.get(order_id, ""))

    def live(self, key: Key) -> list[OrderRecord]:
        """List the orders of this strategy and symbol to which something may still happen, oldest first."""
        return [self.orders[cid] for cid in self._live.get(key, ())]

    def touched(self, symbol: str) -> bool:
        """Whether this batch has ever sent an order in the symbol."""
        return symbol in self._touched

    def legless(self, symbol: str) -> list[OrderRecord]:
        """List the orders that brought protective orders of which at least one has no name yet."""
        return [self.orders[cid] for cid in self._legless.get(symbol, ())]

    def sent_or_waiting(self, key: Key) -> list[OrderRecord]:
        """List the orders of this strategy and symbol that were not refused, oldest first."""
        return sorted((self.orders[cid] for cid in self._every.get(key, ())), key=lambda r: r.created_ns)

    def moved_ns(self, symbol: str) -> int:
        """When an order of the symbol was last sent, heard of or changed; 0 if never."""
        return self._moved_ns.get(symbol, 0)

    def last_entry(self, key: Key) -> OrderRecord | None:
        """Find the newest entry order, None if there never was one."""
        cids = self._entries.get(key)
        return self.orders[next(reversed(cids))] if cids else None

    def legs(self, cid: str) -> list[OrderRecord]:
        """List the protective orders that came with the order of this id, as far as they are known."""
        return [self.orders[leg] for leg in self._legs.get(cid, ())]

    def all_live(self) -> Iterator[OrderRecord]:
        """Walk the orders to which something may still happen."""
        for cids in list(self._live.values()):
            for cid in list(cids):
                yield self.orders[cid]

    def active(self, symbol: str = "") -> list[Key]:
        """Every (strategy, symbol) with a position or a live order; of one symbol if it is named."""
        if symbol:
            return [key for key in self._keys.get(symbol, ()) if key in self._held or key in self._live]
        return list(self._held | dict.fromkeys(self._live))

    def holders(self, symbol: str) -> list[Key]:
        """Every (strategy, symbol) that holds shares of the symbol, EXTERNAL too."""
        return [key for key in self._keys.get(symbol, ()) if key in self._held]

    def held(self, key: Key) -> float:
        """Signed shares of one strategy in one symbol."""
        position = self.positions.get(key)
        return position.qty if position else 0.0

    def net(self, symbol: str) -> float:
        """Signed shares of the account in the symbol, as far as our fills tell."""
        return round(sum(self.positions[key].qty for key in self.holders(symbol)), 9) + 0.0

    def sides(self, symbol: str) -> tuple[float, float]:
        """Signed shares in the symbol of strangers, and of this batch's strategies together."""
        external = self.held((EXTERNAL, symbol))
        return external, round(self.net(symbol) - external, 9)

    def crossed(self) -> list[str]:
        """Symbols in which strangers have traded against what strategies hold."""
        symbols = [symbol for strategy, symbol in self._held if strategy == EXTERNAL]
        return [symbol for symbol in symbols if math.prod(self.sides(symbol)) < 0]

    def there(self, key: Key) -> float:
        """Signed shares of a position that the account still has.

        An account cannot be long and short at once: where strangers have traded against a strategy, as many
        of its shares are gone. To sell them again would open a position the other way.
        """
        external, own = self.sides(key[1])
        held, gone = self.held(key), min(abs(external), abs(own))
        if not held or external * own >= 0:
            return held
        if key[0] != EXTERNAL:
            before = self.holders(key[1])
            for owner in before[: before.index(key)]:
                if owner[0] != EXTERNAL and self.held(owner) * own > 0:
                    gone -= min(gone, abs(self.held(owner)))
            gone = min(gone, abs(held)) if held * own > 0 else 0.0
        return round(math.copysign(abs(held) - gone, held), 9) + 0.0

    def behind(self, key: Key | None = None) -> list[OrderRecord]:
        """Orders of which a fill is missing: the broker counts more shares than are booked."""
        return [self.orders[cid] for cid, owner in self._behind.items() if key is None or owner == key]

    def lacks_fill(self, cid: str) -> bool:
        """Whether a fill of this order is missing."""
        return cid in self._behind

    def unlinked(self, key: Key) -> list[OrderRecord]:
        """List those of this strategy and symbol whose protection is alone by now, and not all of it named.

        An entry that is full, or an OCO's first order that has ended: what the leg without a name did, nobody
        knows yet.
        """
        ended = (OrderState.CANCELED, OrderState.EXPIRED)
        return [
            record
            for record in self.legless(key[1])
            if record.key == key
            if (record.state is OrderState.FILLED if record.role == ENTRY else record.state in ended)
        ]

    # what is put there

    def keep(self, record: OrderRecord) -> None:
        """Store the record and its place in the indexes."""
        cid, key = record.client_order_id, record.key
        self.orders[cid] = record
        self._keys.setdefault(record.symbol, {})[key] = None
        if record.order_id:
            self._cids[record.order_id] = cid
        if record.state is not OrderState.REFUSED:
            self._every.setdefault(key, {})[cid] = None
            self._moved_ns[record.symbol] = max(record.updated_ns, self.moved_ns(record.symbol))
            if record.role == ENTRY:
                self._entries.setdefault(key, {})[cid] = None
        elsewhere = record.strategy == EXTERNAL and record.role != LIQUIDATION  # else we close it ourselves
        if record.sent_ns and not elsewhere:
            self._touched.add(record.symbol)
        if record.parent:
            self._legs.setdefault(record.parent, {})[cid] = None
            if parent := self.orders.get(record.parent):
                self._keep_legless(parent)
        self._keep_legless(record)
        self._keep_live(record)
        # A stranger's order may have been filled in part before this batch began.
        if record.broker_filled > record.filled_qty and not elsewhere:
            self._behind[cid] = record.key
        else:
            self._behind.pop(cid, None)

    def _keep_live(self, record: OrderRecord) -> None:
        cid, key = record.client_order_id, record.key
        if record.live:
            self._live.setdefault(key, {})[cid] = None
        elif key in self._live:
            self._live[key].pop(cid, None)
            if not self._live[key]:
                del self._live[key]

    def _keep_legless(self, record: OrderRecord) -> None:
        stop, target = record.stop is not None, record.target is not None
        wanted = {ENTRY: stop + target, TARGET: int(stop), EXIT: int(stop)}.get(record.role, 0)
        if not wanted or record.parent:
            return
        cid = record.client_order_id
        wanted = 0 if cid in self._alone else wanted
        legless = self._legless.setdefault(record.symbol, {})
        if record.sent_ns and len(self._legs.get(cid, ())) < wanted:
            legless[cid] = None
        else:
            legless.pop(cid, None)

    def _hold(self, position: Position) -> None:
        key = position.strategy, position.symbol
        self.positions[key] = position
        self._won = None
        self._keys.setdefault(position.symbol, {})[key] = None
        if position.qty:
            self._held[key] = None
        else:
            self._held.pop(key, None)

    def _position(self, key: Key) -> Position:
        return self.positions.get(key) or Position(strategy=key[0], symbol=key[1], qty=0.0, avg_price=0.0)
