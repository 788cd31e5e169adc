"""What a storm's store keeps, as the tables do: the newest row of each order, every fill once, the rest."""

from __future__ import annotations

from collections.abc import Sequence

from liu_tui.model.orders import Fill, OrderState
from liu_tui.trading.dayrisk import DayRisk
from liu_tui.trading.effects import Changed, DayKept, Differs, Journal, Latched
from liu_tui.trading.lifecycle import AMENDED, ASKED, TRANSITIONS
from liu_tui.trading.orders import OrderRecord


class Rows:
    """The tables. vetoes: the supervisor's, (symbol, strategy) -> (by, reason, until)."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderRecord] = {}
        self.fills: dict[str, Fill] = {}
        self.state = ("ACTIVE", "", "")
        self.flattens: dict[tuple[str, int], Latched] = {}
        self.differences: dict[tuple[str, int], Differs] = {}
        self.days: dict[tuple[str, str], DayRisk] = {}
        self.vetoes: dict[tuple[str, str], tuple[str, str, int]] = {}
        self.events: list[tuple[str, str, OrderState]] = []

    def commit(self, entries: Sequence[Journal], fills: Sequence[Fill]) -> None:
        """Write orders and fills in one transaction. An order moves only as the tables of its life allow."""
        for entry in entries:
            order, known = entry.order, self.orders.get(entry.order.client_order_id)
            if known is not None and known.state is not order.state:
                tables = (TRANSITIONS, ASKED, AMENDED)
                allowed = any(order.state in table[known.state] for table in tables)
                assert allowed, f"{order.client_order_id}: {known.state} -> {order.state} ({entry.event})"
            self.orders[order.client_order_id] = order
            self.events.append((order.client_order_id, entry.event, order.state))
        for fill in fills:
            assert fill.execution_id not in self.fills, f"{fill.execution_id} was booked twice"
            self.fills[fill.execution_id] = fill

    def keep(self, effect: Changed | Differs | Latched | DayKept) -> None:
        """Write one of the other rows."""
        match effect:
            case Changed(state=state, by=by, reason=reason):
                self.state = (state, by, reason)
            case Latched(symbol=symbol, since_ns=since_ns):
                self.flattens[symbol, since_ns] = effect
            case Differs(symbol=symbol, since_ns=since_ns):
                self.differences[symbol, since_ns] = effect
            case DayKept(day=day):
                self.days[day.day, day.batch_id] = day

    def standing_differences(self) -> list[Differs]:
        """List those that have not ended, as they are read at a start."""
        return [one for one in self.differences.values() if not one.ended_ns]

    def assert_written(self, cid: str) -> None:
        """An order may only leave once it is written down, as an intent that nobody has answered."""
        assert self.orders[cid].state is OrderState.INTENT, f"{cid} left before it was written down"
