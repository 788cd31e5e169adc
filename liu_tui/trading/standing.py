"""The desk's state: what may be done now, who or what said so, and why."""

from liu_tui.plan.schema import Limits
from liu_tui.trading.book import Book
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.effects import Changed
from liu_tui.trading.latches import Latches

ACTIVE, REDUCING, HALTED = "ACTIVE", "REDUCING", "HALTED"
BY_LIMITS = "limits"


class Standing:
    """ACTIVE, REDUCING (no entries) or HALTED (no entries, everything is closed). by: who or what set it."""

    def __init__(self, book: Book, latches: Latches) -> None:
        self._book, self._latches = book, latches
        self.state, self.by, self.reason = ACTIVE, "", ""
        self._at_open = 0.0

    @property
    def result(self) -> float:
        """Dollars won (+) or lost (-) since the day began, closed and open trades together."""
        return self._book.money().total - self._at_open

    def open_day(self) -> None:
        """Begin another day: its loss counts from here, and yesterday's binds nobody."""
        self._at_open = self._book.money().total
        if self.state == REDUCING and self.by == BY_LIMITS:
            self.change(ACTIVE, BY_LIMITS, "another day")

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
        if loss := self.loss(limits):
            return loss.words
        latch = self._latches.all.get("")
        return f"{latch.words} is not done" if latch is not None else ""

    def watch_loss(self, limits: Limits) -> None:
        """Refuse entries once the daily loss is reached; only a person takes that back."""
        if self.state == ACTIVE and (loss := self.loss(limits)):
            self.change(REDUCING, BY_LIMITS, loss.words)

    def loss(self, limits: Limits) -> Refusal | None:
        """Say that the daily loss is reached; None if it is not."""
        limit = limits.max_daily_loss
        if limit is None or (result := self.result) > -limit:
            return None
        return refusal("DAILY_LOSS_REACHED", loss=-result, limit=limit)

    def restore(self, state: str, by: str, reason: str) -> None:
        """Take over what was in force."""
        self.state, self.by, self.reason = state, by, reason
