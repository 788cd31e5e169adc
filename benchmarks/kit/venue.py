"""The benchmark's venue: one day, and a time that every process can work out by itself.

CLOCK_MONOTONIC is one clock for all processes of a machine; the venue's time is a straight line over it. So
an event's own time says when it was due on the wire, to the nanosecond, wherever it is read.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from liu_tui.market.calendar import first_session
from liu_tui.model.clock import SessionHours, monotonic_ns
from liu_tui.model.market import MINUTE_NS

DAY = date(2024, 3, 5)


class VenueTime(NamedTuple):
    """It was venue_ns when the monotonic clock said at_ns. speed: session seconds a wall second."""

    venue_ns: int
    at_ns: int
    speed: float = 1.0

    def at(self, monotonic: int) -> int:
        """The venue's time at a moment of the monotonic clock."""
        return self.venue_ns + int((monotonic - self.at_ns) * self.speed)


def hours() -> SessionHours:
    """The day's session."""
    return first_session(DAY)


def ten_minutes_in(speed: float = 1.0) -> VenueTime:
    """Begin ten minutes after the open, now."""
    return VenueTime(hours().open_ns + 10 * MINUTE_NS, monotonic_ns(), speed)
