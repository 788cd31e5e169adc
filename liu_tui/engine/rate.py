"""Events a second, from a count that only grows."""

from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS

RATE_OVER_S = 2.0


class Rate:
    """Events a second, from a count that only grows."""

    def __init__(self) -> None:
        self._at_ns = monotonic_ns()
        self._count = 0
        self.per_s = 0.0

    def tell(self, count: int) -> float:
        """Take the count as it is now; returns the rate over the last seconds."""
        now = monotonic_ns()
        elapsed = (now - self._at_ns) / SECOND_NS
        if elapsed >= RATE_OVER_S:
            self.per_s = max(0.0, (count - self._count) / elapsed)
            self._at_ns, self._count = now, count
        return self.per_s
