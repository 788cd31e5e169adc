"""How long to wait before trying again."""

from secrets import SystemRandom

_random = SystemRandom()


class Backoff:
    """Waits that double up to a cap, each cut by a random part: clients lost together come back apart.

    first_s: the first wait's upper bound, seconds
    cap_s:   no wait is longer
    """

    def __init__(self, first_s: float, cap_s: float) -> None:
        self._first_s, self._cap_s = first_s, cap_s
        self._tries = 0

    def next_s(self) -> float:
        """Seconds to wait now: between half of the bound and the bound. The next bound is twice this one."""
        bound_s = min(self._cap_s, self._first_s * 2.0**self._tries)
        self._tries = min(self._tries + 1, 32)
        return _random.uniform(bound_s / 2, bound_s)

    def reset(self) -> None:
        """Begin with the first wait again: the other side works."""
        self._tries = 0
