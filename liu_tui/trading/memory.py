"""What the limits remember between two orders: the day, losses, orders sent, quotes, money that is left."""

from collections.abc import Mapping, Sequence

from liu_tui.model.orders import Fill
from liu_tui.trading.accountday import AccountDay
from liu_tui.trading.book import Book
from liu_tui.trading.cooldown import Cooldowns
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.duplicates import Duplicates
from liu_tui.trading.effects import Booked, Effect
from liu_tui.trading.orders import OrderRecord
from liu_tui.trading.purse import Purse
from liu_tui.trading.quotes import Quotes
from liu_tui.trading.venuebook import VenueFacts


class Memory:
    """One object for the gate and the standing. It hears every effect of the desk as it is made.

    allocations: strategy -> dollars that its portfolio lets it have at work; who is not in it is not bound
    """

    def __init__(self, book: Book, venue: VenueFacts, daytime: Daytime, batch_id: str) -> None:
        self.day = AccountDay(book, venue, daytime, batch_id)
        self.cooldowns = Cooldowns()
        self.duplicates = Duplicates()
        self.quotes = Quotes()
        self.purse = Purse(book, venue)
        self.allocations: Mapping[str, float] = {}
        book.hearers.append(self._hear)

    def restore(self, orders: Sequence[OrderRecord], fills: Sequence[Fill]) -> None:
        """Take the journal over; fills in the order in which they were booked."""
        self.day.restore(orders)
        self.duplicates.restore(orders)
        self.cooldowns.restore(fills)

    def open_day(self) -> None:
        """Begin another day."""
        self.day.open_day()
        self.cooldowns.open_day()

    def _hear(self, effect: Effect) -> None:
        if isinstance(effect, Booked):
            self.cooldowns.hear(effect.fill)
        self.day.hear(effect)
        self.duplicates.hear(effect)
        self.purse.hear(effect)
