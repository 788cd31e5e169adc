"""What may be spent yet: the account's buying power, less entries that the account does not know of."""

from liu_tui.trading.book import Book
from liu_tui.trading.effects import Effect, Journal
from liu_tui.trading.orders import ENTRY, OrderRecord
from liu_tui.trading.venuebook import VenueFacts


class Purse:
    """The broker takes an order's value from the buying power as it accepts it: until we hear, we do."""

    def __init__(self, book: Book, venue: VenueFacts) -> None:
        self._book, self._venue = book, venue
        self._fresh: dict[str, None] = {}  # entries sent since the account was told

    def hear(self, effect: Effect) -> None:
        """Note an entry that goes out."""
        if not isinstance(effect, Journal):
            return
        order = effect.order
        if order.role == ENTRY and order.sent_ns and not order.order_id:
            self._fresh[order.client_order_id] = None

    def told(self) -> None:
        """The account has just been told: it knows every order that had its broker's id before we asked."""
        orders = self._book.orders
        self._fresh = {cid: None for cid in self._fresh if not orders[cid].order_id and orders[cid].live}

    def left(self) -> float | None:
        """Dollars that may be spent yet, None where the account is not known."""
        account = self._venue.account
        return None if account is None else account.buying_power - self._spent()

    def _spent(self) -> float:
        records = (self._book.orders[cid] for cid in self._fresh)
        return sum(_worth(r) for r in records)


def _worth(record: OrderRecord) -> float:
    if not record.live:
        return record.filled_qty * record.price
    return record.qty * record.price if record.qty else record.notional or 0.0
