"""The trading day: which part of it we are in, and what is due."""

import msgspec

from liu_tui.model.clock import SessionHours
from liu_tui.model.orders import TimeInForce
from liu_tui.trading.matching.order import Order

BEFORE, PRE, OPEN, POST, AFTER = range(5)


class Hours(msgspec.Struct):
    """One day, and how far it has gone. The phase moves a step at a time, so that no boundary is skipped.

    phase: BEFORE, PRE, OPEN, POST or AFTER; without a day the market is always open
    """

    today: SessionHours | None = None
    phase: int = OPEN

    def set(self, today: SessionHours) -> None:
        """Begin a day, or learn better hours of the one that runs."""
        if self.today is None or self.today.day != today.day:
            self.phase = BEFORE
        self.today = today

    @property
    def due_ns(self) -> int | None:
        """When the next part of the day begins; None after the last."""
        day = self.today
        if day is None or self.phase == AFTER:
            return None
        return (day.pre_ns, day.open_ns, day.close_ns, day.post_ns)[self.phase]

    def admits(self, order: Order) -> bool:
        """Whether the order may trade now."""
        return self.phase == OPEN or (order.extended_hours and self.phase in (PRE, POST))

    def begins(self, order: Order) -> bool:
        """Whether a waiting order goes on the book in this part of the day; those for the close never do."""
        return order.tif is not TimeInForce.CLS and self.admits(order)

    def ends(self, order: Order) -> bool:
        """Whether the order's time is over when this part of the day is. Orders for the next open wait on."""
        if order.tif is TimeInForce.GTC or (order.tif is TimeInForce.OPG and not order.live):
            return False
        return self.phase == (POST if order.extended_hours else OPEN)
