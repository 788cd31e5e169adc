"""The account's REST allowance: when a request may go, and when it had better not. No I/O, no clock.

Alpaca counts 200 requests a minute for one account, whoever sends them. Two rules keep the desk off the wall:

 - after a 429 nothing leaves until the moment that the answer named, or for 1, 2, 4 ... s if it named none
 - the last tenth of the allowance is for orders, cancels and the look-up of an order whose answer was lost:
   positions, the account and lists wait for the next minute
"""

from collections.abc import Mapping
from enum import IntEnum

import msgspec

LONGEST_S = 60.0
"""The allowance is by the minute: no hold is longer, whatever a clock that is wrong makes of the answer."""
RESERVE = 10
"""One in so many requests is kept for orders."""


class Need(IntEnum):
    """What a request is for."""

    ORDER = 0  # orders, replacements, cancels, and the look-up of one order
    LOOK = 1  # what is asked on a timetable, and may be asked later


class Rate(msgspec.Struct, frozen=True):
    """The allowance as last told; 0 if unknown. limit, remaining: requests; reset_s: Unix time."""

    limit: int = 0
    remaining: int = 0
    reset_s: int = 0


class RateGate:
    """Remembers what the answers said of the allowance. All times are Unix seconds, passed in.

    longest_s: no hold is longer
    """

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self.rate = Rate()
        self._longest_s = longest_s
        self._until_s = 0.0
        self._refusals = 0

    def heard(self, headers: Mapping[str, str], *, refused: bool, now_s: float) -> None:
        """Take an answer's headers. refused: it was a 429."""
        numbers = [headers.get(f"X-RateLimit-{name}", "") for name in ("Limit", "Remaining", "Reset")]
        if all(number.isascii() and number.isdecimal() for number in numbers):
            self.rate = Rate(*(int(number) for number in numbers))
        if refused:
            self._until_s = now_s + self._hold_s(headers.get("X-RateLimit-Reset", ""), now_s)
            self._refusals += 1
        elif now_s >= self._until_s:
            self._refusals = 0

    def wait_s(self, need: Need, now_s: float) -> float:
        """Seconds until a request may go; 0 if it may go now."""
        wait_s = max(0.0, self._until_s - now_s)
        rate = self.rate
        if need is Need.LOOK and rate.limit and rate.remaining <= rate.limit // RESERVE:
            wait_s = max(wait_s, min(rate.reset_s - now_s, self._longest_s))
        return max(0.0, wait_s)

    def _hold_s(self, reset: str, now_s: float) -> float:
        # At least a second, and twice as long each time in a row: the clock here may be ahead of theirs.
        least_s = 2.0 ** min(self._refusals, 6)
        named_s = int(reset) - now_s if reset.isascii() and reset.isdecimal() else 0.0
        return min(max(named_s, least_s), self._longest_s)
