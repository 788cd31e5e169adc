"""The account's day: what it has won or lost, its best, and how many orders were sent.

A loss limit that a restart forgets is none. So the day is kept in the books as it goes (`DayKept`), and a
batch that begins on an account that others have traded today goes on from where they stood.
"""

from collections.abc import Iterable, Sequence

import msgspec

from liu_tui.plan.schema import Limits
from liu_tui.trading.book import Book
from liu_tui.trading.codes import Refusal
from liu_tui.trading.dayrisk import DayRisk
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.effects import DayKept, Effect, ReplaceAtBroker, Send
from liu_tui.trading.guard_states import day_lost
from liu_tui.trading.orders import OrderRecord
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.venuebook import VenueFacts


class AccountDay:
    """Adds this batch to those that were before it today.

    peak: dollars, the best that the day has seen, never under 0
    code, words: of the limit that has tripped today, "" if none has
    """

    def __init__(self, book: Book, venue: VenueFacts, daytime: Daytime, batch_id: str) -> None:
        self._book, self._venue, self._daytime, self._batch_id = book, venue, daytime, batch_id
        self._at_open = 0.0  # what the batch had won before this day
        self._others = (0.0, 0)  # result and orders of the day's other batches
        self._orders = 0
        self._told: DayRisk | None = None
        self._learned = False  # nothing is kept before it is known what was kept
        self.peak = 0.0
        self.code = self.words = ""

    @property
    def own(self) -> float:
        """Dollars that this batch has won (+) or lost (-) today, closed and open trades together, fees in."""
        return self._book.money().total - self._at_open

    @property
    def result(self) -> float:
        """Dollars of the account's day: of this batch and of those before it."""
        return self._others[0] + self.own

    @property
    def orders(self) -> int:
        """How many orders were sent today, exits too."""
        return self._others[1] + self._orders

    def hear(self, effect: Effect) -> None:
        """Count what goes to the broker as an order."""
        if isinstance(effect, Send | ReplaceAtBroker):
            self._orders += 1

    def watch(self, limits: Limits, now_ns: int) -> Refusal | None:
        """Note the day's best, and say which limit is reached now. The first time is kept at once."""
        result = self.result
        self.peak = max(self.peak, result)
        lost = day_lost(limits, result, self.peak)
        if lost is not None and lost.code != self.code:
            self.code, self.words = lost.code, lost.words
            self.keep(now_ns)
        return lost

    def keep(self, now_ns: int) -> None:
        """Have the day stored if it has changed. A backtest learns of no day, and so keeps none."""
        account = self._venue.account
        if account is None or not self._learned:
            return
        row = DayRisk(
            account_id=account.id,
            day=self._day,
            batch_id=self._batch_id,
            result=round(self.own, 4),
            peak=round(self.peak, 4),
            orders=self._orders,
            code=self.code,
            words=self.words,
        )
        if row != self._told:
            self._told = row
            self._book.emit(DayKept(msgspec.structs.replace(row, updated_ns=now_ns)))

    def learn(self, rows: Iterable[DayRisk]) -> bool:
        """Go on from what is kept: the rows of the account's day, and this batch's of days before.

        Returns whether a limit had tripped under this batch today.
        """
        rows, self._learned = list(rows), True
        today = [row for row in rows if row.day == self._day]
        mine = [row for row in rows if row.batch_id == self._batch_id]
        others = [row for row in today if row.batch_id != self._batch_id]
        self._others = sum(row.result for row in others), sum(row.orders for row in others)
        self._at_open = sum(row.result for row in mine if row.day != self._day)
        self.peak = max([0.0, *(row.peak for row in today)])  # what was seen before lacked the others' part
        self.code = self.words = ""
        for row in mine:
            if row.day == self._day:
                self.code, self.words = row.code, row.words
                self._orders = max(self._orders, row.orders)
        return bool(self.code)

    def open_day(self) -> None:
        """Begin another day: what was won or lost before binds nobody."""
        self._at_open = self._book.money().total
        self._others, self._orders, self.peak = (0.0, 0), 0, 0.0
        self.code = self.words = ""

    def restore(self, orders: Sequence[OrderRecord]) -> None:
        """Count the orders that the journal knows of today. Legs came with another order."""
        hours = self._daytime.hours
        since_ns = hours.pre_ns if hours is not None else 0
        self._orders = sum(
            1 for r in orders if r.sent_ns > since_ns and not r.parent and r.strategy != EXTERNAL
        )

    @property
    def _day(self) -> str:
        hours = self._daytime.hours
        return hours.day if hours is not None else ""
