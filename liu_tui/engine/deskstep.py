"""Lock-step at the desk: which step is open, and which updates belong to it."""

from __future__ import annotations

from liu_tui.model.market import Step
from liu_tui.model.orders import OrderUpdate


class StepBook:
    """A step opens when both its marks have come: the market's (prices) and the broker's (updates).

    Updates that come after the broker's mark belong to the next step, so that a replay repeats itself
    however fast the broker's answers were.
    """

    def __init__(self) -> None:
        self._market: Step | None = None
        self._broker = 0
        self._updates: list[OrderUpdate] = []
        self._later: list[OrderUpdate] = []
        self.under_way: Step | None = None
        self._opened = 0

    def market(self, step: Step) -> None:
        """The market's mark of a step has come."""
        self._market = step

    def broker(self, message: OrderUpdate | Step) -> None:
        """An update, or the mark after the last update of a step."""
        if isinstance(message, Step):
            self._broker = message.n
        elif self._broker > self._opened:
            self._later.append(message)
        else:
            self._updates.append(message)

    def open(self) -> tuple[Step, list[OrderUpdate]] | None:
        """Open the next step, if it can be: the step and its updates."""
        step = self._market
        if step is None or self._broker < step.n or self._opened >= step.n or self.under_way is not None:
            return None
        updates, self._updates, self._later = self._updates, self._later, []
        self._opened, self.under_way = step.n, step
        return step, updates

    def close(self) -> None:
        """All intents of the step under way have been decided."""
        self.under_way = None
