"""Why a position cannot be closed now, from facts: the tape's, the clock's, and the broker's answers."""

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import OrderState
from liu_tui.trading.book import Book, Key
from liu_tui.trading.closing import Closer
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.orders import LIQUIDATION, OrderRecord

OUTSIDE_HOURS = "outside market hours"
# A market order is filled, and a cancel answered, in far less.
_SLOW_NS = 5 * SECOND_NS

S = OrderState


class Obstacles:
    """What stands in a position's way.

    halted: symbols that the tape says are halted
    away:   why the broker cannot be reached, "" while it can
    """

    def __init__(self, book: Book, closer: Closer, day: Daytime) -> None:
        self._book, self._closer, self._day = book, closer, day
        self.halted: set[str] = set()
        self.away = ""

    def why(self, key: Key, now_ns: int, *, of_hours: bool = True) -> str:
        """Say what keeps this position from being closed now; "" if nothing does.

        of_hours: whether the market's being closed counts; false to look for what there was beside that
        """
        if self.away:
            return f"the broker is away ({self.away})"
        if of_hours and not self._day.open(now_ns):
            return OUTSIDE_HOURS
        if key[1] in self.halted:
            return "halted"
        if not self._closer.ready:
            return "books and broker do not agree yet"
        return self._of_orders(key, now_ns)

    def _of_orders(self, key: Key, now_ns: int) -> str:
        live = self._book.live(key)
        for record in live:
            if record.state is S.UNKNOWN:
                return f"asking the broker what became of its {record.role} order"
        closing = next((record for record in live if record.role == LIQUIDATION), None)
        if closing is not None and (why := _slow(closing, now_ns)):
            return why
        tried = self._closer.last_try(key)
        if tried is None or tried.state not in (S.FAILED, S.REJECTED):
            return ""
        return f"refused by the broker ({tried.words})" if tried.words else "refused by the broker"


def _slow(closing: OrderRecord, now_ns: int) -> str:
    if now_ns - closing.updated_ns < _SLOW_NS:
        return ""
    if closing.waiting:
        return "its other orders are still being canceled"
    return "its closing order waits at the broker"
