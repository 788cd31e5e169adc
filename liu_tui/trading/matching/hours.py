"""The trading day: which part of it we are in, and what is due."""

import msgspec

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import TimeInForce
from liu_tui.trading.matching.order import Order

BEFORE, PRE, OPEN, POST, AFTER = range(5)
_EVENING_NS = 15 * 60 * MINUTE_NS
"""From the start of the day, at 4:00, to 19:00."""


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

    def regular(self, t_ns: int) -> bool:
        """Whether a moment lies in regular hours."""
        day = self.today
        return day is None or day.open_ns <= t_ns < day.close_ns

    def refuses_auction(self, tif: TimeInForce, now_ns: int) -> str:
        """Say when orders for an auction are not taken, if that is now: "09:28 and 19:00"; "" if they are.

        Source: Alpaca's order pages: opg from two minutes before the open, cls from ten minutes before the
        close (an early one too), both until 19:00.
        """
        day = self.today
        if day is None or now_ns >= day.pre_ns + _EVENING_NS:
            return ""
        if tif is TimeInForce.OPG and now_ns >= day.open_ns - 2 * MINUTE_NS:
            return "09:28 and 19:00"
        if tif is TimeInForce.CLS and now_ns >= day.close_ns - 10 * MINUTE_NS:
            return "10 minutes before the close and 19:00"
        return ""

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
