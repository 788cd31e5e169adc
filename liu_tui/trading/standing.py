"""The desk's state: what may be done now, who or what said so, and why."""

from collections.abc import Iterable

from liu_tui.plan.schema import Limits
from liu_tui.trading.accountday import AccountDay
from liu_tui.trading.book import Book
from liu_tui.trading.dayrisk import DayRisk
from liu_tui.trading.effects import Changed
from liu_tui.trading.guard_states import day_lost
from liu_tui.trading.latches import Latches

ACTIVE, REDUCING, HALTED = "ACTIVE", "REDUCING", "HALTED"
BY_LIMITS = "limits"


class Standing:
    """ACTIVE, REDUCING (no entries) or HALTED (no entries, everything is closed). by: who or what set it.

    In none of them is an exit refused: what a strategy sells of what it holds only makes the risk smaller.
    """

    def __init__(self, book: Book, latches: Latches, day: AccountDay) -> None:
        self._book, self._latches, self._day = book, latches, day
        self.state, self.by, self.reason = ACTIVE, "", ""

    def open_day(self) -> None:
        """Begin another day: yesterday's loss binds nobody."""
        if self.state == REDUCING and self.by == BY_LIMITS:
            self.change(ACTIVE, BY_LIMITS, "another day")

    def learn_day(self, rows: Iterable[DayRisk], limits: Limits, now_ns: int) -> None:
        """Go on from what the books keep of the account's day; what a day before has set is over."""
        tripped = self._day.learn(rows)
        lost = self._day.watch(limits, now_ns)
        if self.state == REDUCING and self.by == BY_LIMITS and not tripped and lost is None:
            self.change(ACTIVE, BY_LIMITS, "another day")
        self.watch_loss(limits, now_ns)

    def change(self, state: str, by: str, reason: str) -> None:
        """Set the state, and say so."""
        self.state, self.by, self.reason = state, by, reason
        self._book.emit(Changed(state, by, reason))
        said = f": {reason}" if reason else ""
        self._book.notice("good" if state == ACTIVE else "warn", f"{state} by {by}{said}")

    def pause(self, by: str, reason: str) -> None:
        """Refuse entries, unless that or more is in force already."""
        if self.state == ACTIVE:
            self.change(REDUCING, by, reason)
        else:
            self._book.notice("info", f"already {self.state} by {self.by}: {self.reason}")

    def resume(self, by: str, reason: str, limits: Limits) -> None:
        """Allow entries again, where nothing stands against it."""
        if why := self.resume_refused(limits):
            self._book.notice("warn", f"resume refused: {why}", kind="refusal")
        elif self.state != ACTIVE:
            self.change(ACTIVE, by, reason)

    def resume_refused(self, limits: Limits) -> str:
        """Say why resume would be refused now; "" if it would not."""
        if lost := day_lost(limits, self._day.result, self._day.peak):
            return lost.words
        latch = self._latches.all.get("")
        return f"{latch.words} is not done" if latch is not None else ""

    def watch_loss(self, limits: Limits, now_ns: int) -> None:
        """Refuse entries once the day's loss or drawdown is reached; only a person takes that back."""
        lost = self._day.watch(limits, now_ns)
        if lost is not None and self.state == ACTIVE:
            self.change(REDUCING, BY_LIMITS, lost.words)

    def restore(self, state: str, by: str, reason: str) -> None:
        """Take over what was in force."""
        self.state, self.by, self.reason = state, by, reason
