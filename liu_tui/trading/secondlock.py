"""The account's own lock on new orders: what a kill leaves behind at the broker, should this program fail.

It blocks every new order, a closing one too: so it is set only after everything is flat, and lifted before
anything is closed or opened again. Its failure is told, and holds nothing up.
"""

from liu_tui.trading.book import Book
from liu_tui.trading.effects import Suspend
from liu_tui.trading.latches import Latches
from liu_tui.trading.standing import HALTED, Standing


class SecondLock:
    """Sets the lock once the desk is halted and flat."""

    def __init__(self, book: Book, standing: Standing, latches: Latches) -> None:
        self._book, self._standing, self._latches = book, standing, latches
        self._is_set = self._may_be_set = False

    def look(self) -> None:
        """Set it if it is time; after a restart once more, for nobody knows whether it was."""
        standing = self._standing
        if self._is_set or standing.state != HALTED or self._latches.all or self._book.active():
            return
        self._is_set = self._may_be_set = True
        self._book.emit(Suspend(True, f"halted by {standing.by}: {standing.reason}"))

    def lift(self, why: str) -> None:
        """Lift it, if it may be set."""
        if self._may_be_set:
            self._is_set = self._may_be_set = False
            self._book.emit(Suspend(False, why))

    def restore(self, state: str) -> None:
        """After a restart: a halted desk may have set it."""
        self._may_be_set = state == HALTED
