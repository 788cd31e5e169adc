"""The session clock: what time it is at this market, how fast it runs, and who must hear of a change."""

from collections.abc import Callable

import msgspec

from liu_tui.localmarket.options import Speed
from liu_tui.model.clock import Anchor, SessionClock, monotonic_ns


class MarketClock(SessionClock):
    """A session clock that can be paused, set to another speed, and turned by hand in lock-step.

    listeners: called after each change
    ended_ns:  when the session was over, 0 while it is not; time goes on all the same
    skew_ns:   how much more than it is everybody is told; the market itself goes by now_ns()
    """

    def __init__(self, start_ns: int, speed: Speed) -> None:
        lockstep = speed == "max"
        super().__init__(
            Anchor(start_ns, monotonic_ns(), 1.0 if speed == "max" else speed, lockstep=lockstep)
        )
        self.ended_ns = self.skew_ns = 0
        self.listeners: list[Callable[[], None]] = []

    @property
    def paused(self) -> bool:
        """Whether time stands still until resume()."""
        return self.anchor.paused

    @property
    def lockstep(self) -> bool:
        """Whether time moves only with steps."""
        return self.anchor.lockstep

    @property
    def speed(self) -> float:
        """Session seconds per wall second; says nothing in lock-step."""
        return self.anchor.speed

    def told_ns(self) -> int:
        """What everybody is told that it is."""
        return self.now_ns() + self.skew_ns

    def skew(self, by_ns: int) -> None:
        """Tell so much more from now on than until now."""
        self.skew_ns += by_ns
        self._change()

    def jump(self, t_ns: int) -> None:
        """Go on to a later moment at once."""
        self._change(venue_ns=t_ns)

    def pause(self) -> None:
        """Stop the clock where it is."""
        self._change(paused=True)

    def resume(self) -> None:
        """Let it run on from there."""
        self._change(paused=False)

    def set_speed(self, speed: Speed) -> None:
        """Run at another speed from now on; "max" turns lock-step on."""
        if speed == "max":
            self._change(lockstep=True)
        else:
            self._change(lockstep=False, speed=speed)

    def fall_back(self, t_ns: int) -> None:
        """Set the clock back: the tape could not be played as fast as was asked."""
        self._change(venue_ns=t_ns)

    def _change(self, **what: float | bool) -> None:
        now = {"venue_ns": self.now_ns(), "monotonic_ns": monotonic_ns()}
        self.set(msgspec.structs.replace(self.anchor, **(now | what)))
        for tell in self.listeners:
            tell()
