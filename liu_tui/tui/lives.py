"""The lives of orders, as far as this console has seen them: a picture tells only how each stands now."""

from __future__ import annotations

from dataclasses import dataclass

from liu_tui.engine.snapshot import OrderRow

KEPT = 2_000
STEPS_KEPT = 40


@dataclass(frozen=True)
class Step:
    """An order changed. t_ns: session time, as the desk tells it."""

    t_ns: int
    state: str
    filled_qty: float
    words: str


class Lives:
    """Steps by order. Costs one comparison of tuples while nothing changes."""

    def __init__(self) -> None:
        self._rows: tuple[OrderRow, ...] = ()
        self._steps: dict[str, list[Step]] = {}

    def take(self, rows: tuple[OrderRow, ...]) -> None:
        """See the orders as they are now."""
        if rows == self._rows:
            return
        self._rows = rows
        for row in rows:
            self._see(row)
        while len(self._steps) > KEPT:
            self._steps.pop(next(iter(self._steps)))

    def of(self, order_id: str) -> list[Step]:
        """What has been seen of an order, oldest first."""
        return self._steps.get(order_id, [])

    def _see(self, row: OrderRow) -> None:
        step = Step(row.t_ns, row.state, row.filled_qty, row.words)
        steps = self._steps.setdefault(row.client_order_id, [])
        if not steps or steps[-1] != step:
            steps.append(step)
            del steps[:-STEPS_KEPT]
