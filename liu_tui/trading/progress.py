"""Moving on: what is next for a position, after something happened to one of its orders, or with time."""

from liu_tui.trading.asking import Cancels
from liu_tui.trading.book import Book, Key
from liu_tui.trading.closing import Closer
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.latches import Latches
from liu_tui.trading.orders import ENTRY
from liu_tui.trading.protection import Protector
from liu_tui.trading.strays import Strays


class Progress:
    """Presses what is to be closed, protects what is to be kept."""

    def __init__(
        self,
        book: Book,
        cancels: Cancels,
        strays: Strays,
        protector: Protector,
        closer: Closer,
        day: Daytime,
        latches: Latches,
    ) -> None:
        self._book, self._cancels, self._strays = book, cancels, strays
        self._protector, self._closer, self._day, self._latches = protector, closer, day, latches

    def advance(self, key: Key, now_ns: int) -> None:
        """Do what is next for one strategy's position in one symbol."""
        latch = self._latches.on(key[1])
        if latch is not None:
            self._closer.press(key, latch.words, now_ns, can_trade=self._day.open(now_ns))
        elif self._day.liquidates(key, now_ns):
            self._closer.press(key, "before the close", now_ns, can_trade=True)
        else:
            self._closer.advance(key, now_ns, protect=not self._day.over(key, now_ns))

    def after(self, cid: str, now_ns: int) -> None:
        """See that an order has changed, and those of its group perhaps."""
        record = self._book.orders[cid]
        for changed in (record, *self._book.legs(cid)):
            self._cancels.after(changed, now_ns)
        self._protector.accepted(record)
        self.advance(record.key, now_ns)
        if record.role == ENTRY and not record.live:  # exits of others in the symbol may have waited for it
            for key in self._book.active(record.symbol):
                if key != record.key:
                    self.advance(key, now_ns)

    def claim(self, now_ns: int) -> None:
        """Replay updates that came before their order was known."""
        for key in self._strays.claimed(now_ns):
            self.advance(key, now_ns)

    def everything(self, now_ns: int) -> None:
        """Do what is due by now, in every position."""
        for key in [*self._strays.on_time(now_ns), *self._book.active()]:
            self.advance(key, now_ns)
