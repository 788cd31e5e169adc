"""Time as the venue tells it, and the only reader of the wall clock.

Every process derives session time from an `Anchor`; nothing below a process's edge may ask the machine for
the time. CLOCK_MONOTONIC is one clock for all processes of a machine, so an anchor may be sent between them.
"""

import time
from typing import Protocol

import msgspec


class Anchor(msgspec.Struct, frozen=True, array_like=True, tag="anchor", gc=False):
    """What time it was at the venue when this machine's monotonic clock said `monotonic_ns`.

    speed:    session seconds per wall second; 1 with a real venue
    paused:   venue time stands still at venue_ns
    lockstep: venue time moves only with Step marks, whatever speed says
    """

    venue_ns: int
    monotonic_ns: int
    speed: float = 1.0
    paused: bool = False
    lockstep: bool = False


class SessionHours(msgspec.Struct, frozen=True, array_like=True, tag="hours", gc=False):
    """One trading day in UTC nanoseconds: pre-market open, open, close, after-hours close."""

    day: str  # ISO date in New York
    pre_ns: int
    open_ns: int
    close_ns: int
    post_ns: int

    def phase(self, now_ns: int) -> str:
        """One of "before", "pre", "open", "post", "after"."""
        if now_ns < self.pre_ns:
            return "before"
        if now_ns < self.open_ns:
            return "pre"
        if now_ns < self.close_ns:
            return "open"
        return "post" if now_ns < self.post_ns else "after"


class Clock(Protocol):
    """Anything that can tell the session's time."""

    def now_ns(self) -> int:
        """UTC nanoseconds of the venue's time."""


class SessionClock:
    """The venue's time in one process: an anchor and this machine's monotonic clock."""

    def __init__(self, anchor: Anchor | None = None) -> None:
        self.anchor = anchor if anchor is not None else Anchor(wall_ns(), monotonic_ns())

    def now_ns(self) -> int:
        """UTC nanoseconds of the venue's time."""
        anchor = self.anchor
        if anchor.paused or anchor.lockstep:
            return anchor.venue_ns
        return anchor.venue_ns + int((monotonic_ns() - anchor.monotonic_ns) * anchor.speed)

    def set(self, anchor: Anchor) -> None:
        """Take a newer anchor."""
        self.anchor = anchor

    def step_to(self, t_ns: int) -> None:
        """Lock-step: it is now t_ns, until told otherwise."""
        self.anchor = msgspec.structs.replace(self.anchor, venue_ns=t_ns, lockstep=True)


class ManualClock:
    """A clock that somebody turns by hand: the backtest, and tests."""

    def __init__(self, now_ns: int = 0) -> None:
        self.at_ns = now_ns

    def now_ns(self) -> int:
        """The time last set."""
        return self.at_ns


def wall_ns() -> int:
    """UTC nanoseconds by this machine; for heartbeats, log lines and anchors, never for a rule."""
    return time.time_ns()  # noqa: TID251 - the one reader


def monotonic_ns() -> int:
    """Nanoseconds that never go back; the same clock in every process of this machine."""
    return time.monotonic_ns()
