"""All orders, by id and by symbol, and what is known of each symbol's market."""

from collections.abc import Iterable, Iterator

from liu_tui.model.orders import BrokerOrder
from liu_tui.trading.matching.mark import Mark
from liu_tui.trading.matching.order import EXIT_PAIRS, Order


class Slot:
    """One symbol: its mark, and its open orders by id, oldest first."""

    __slots__ = ("mark", "open")

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.open: dict[str, Order] = {}


class Book:
    """Every order ever taken. Orders are never removed; finished ones leave `open`."""

    def __init__(self, orders: Iterable[Order] = (), marks: dict[str, Mark] | None = None) -> None:
        self.orders: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.slots = {symbol: Slot(mark) for symbol, mark in (marks or {}).items()}
        self._by_client: dict[str, Order] = {}
        self._changed: dict[str, None] = {}
        for order in orders:
            self.add(order)
        self._changed.clear()

    def slot(self, symbol: str) -> Slot:
        """Return the symbol's place; made when it is first heard of."""
        slot = self.slots.get(symbol)
        if slot is None:
            slot = self.slots[symbol] = Slot(Mark())
        return slot

    def add(self, order: Order) -> None:
        """Take an order in."""
        self.orders[order.id] = order
        self._by_client[order.client_order_id] = order
        if order.open:
            self.open[order.id] = self.slot(order.symbol).open[order.id] = order
        self.touch(order)

    def touch(self, order: Order) -> None:
        """Note that the order has changed; a finished one is no longer open."""
        self._changed[order.id] = None
        if not order.open and self.open.pop(order.id, None) is not None:
            del self.slot(order.symbol).open[order.id]

    def changed(self) -> list[Order]:
        """Orders added or changed since the last call, each once."""
        orders = [self.orders[order_id] for order_id in self._changed]
        self._changed.clear()
        return orders

    def by_client_id(self, client_order_id: str) -> Order | None:
        """Return the order under our own id, finished or not."""
        return self._by_client.get(client_order_id)

    def top(self) -> Iterator[Order]:
        """Orders that are nobody's leg, oldest first."""
        return (order for order in self.orders.values() if not order.parent_id)

    def legs(self, order: Order) -> list[Order]:
        """Return the order's legs; replaced ones too."""
        return [self.orders[leg_id] for leg_id in order.leg_ids]

    def family(self, order: Order) -> list[Order]:
        """Return the order's whole group, the parent first; itself alone if it has none."""
        parent = self.orders[order.group_id]
        return [parent, *self.legs(parent)]

    def partners(self, order: Order) -> list[Order]:
        """Return the open exits that share their shares with this exit."""
        if order.order_class not in EXIT_PAIRS or order.enters:
            return []
        return [
            other for other in self.family(order) if other.open and other is not order and not other.enters
        ]

    def view(self, order: Order) -> BrokerOrder:
        """Return the order with its legs nested."""
        return order.view(tuple(leg.view() for leg in self.legs(order)))

    def group_open(self, order: Order) -> bool:
        """Whether the order or one of its legs is open."""
        return order.open or any(leg.open for leg in self.legs(order))

    def marks_in_use(self, held: Iterable[str]) -> dict[str, Mark]:
        """Return the marks of the symbols held, and of those with open orders."""
        wanted = {*held, *(order.symbol for order in self.open.values())}
        return {symbol: self.slot(symbol).mark for symbol in sorted(wanted)}
