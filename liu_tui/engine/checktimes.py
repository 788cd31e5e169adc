"""When the broker is asked what, in seconds of the wall; and how much asking there may be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from liu_tui.trading.trader import Trader

EVERY_S = {"orders": 5.0, "shares": 30.0, "account": 2.0, "listing": 86_400.0}
"""Source: NautilusTrader recommends 5 to 10 s for open orders, 30 to 60 s for positions."""

COSTS = {"all": 6, "now": 4, "orders": 2, "shares": 2, "account": 1, "listing": 1}
"""Requests to the broker that each question takes, as a rule."""

SOON_S = (0.5, 1.0, 2.0, 4.0, 8.0)
A_MINUTE = 100
"""Requests for comparing, of the 200 a minute that Alpaca allows: the rest is for orders."""


class _Allowance(Protocol):
    @property
    def limit(self) -> int:
        """Requests a minute, 0 if unknown."""


@runtime_checkable
class Rated(Protocol):
    """A trader that knows its allowance."""

    @property
    def rate(self) -> _Allowance:
        """The allowance as the broker told it last."""


class CheckTimes:
    """Says what is due. What was seen and is not explained is asked for soon, then less and less often.

    wall: a clock that only goes forward, nanoseconds
    """

    def __init__(self, trader: Trader, wall: Callable[[], int] = monotonic_ns) -> None:
        self._trader, self._wall = trader, wall
        self._due_ns = dict.fromkeys(EVERY_S, 0)
        self._spent: deque[tuple[int, int]] = deque()
        self._tries = 0
        self._soon_ns = 0

    def due(self, names: tuple[str, ...]) -> str:
        """Name the first question whose time has come and for which there is allowance; "" if none."""
        now, left = self._wall(), self.left()
        return next((name for name in names if now >= self._due_ns[name] and COSTS[name] <= left), "")

    def soon(self) -> bool:
        """Whether a question out of turn may be asked now."""
        return self._wall() >= self._soon_ns and self.left() >= COSTS["now"]

    def hurry(self) -> None:
        """Let the next question out of turn be asked at once."""
        self._tries = self._soon_ns = 0

    def quiet(self) -> None:
        """Nothing waits for an explanation: the next time it is asked at once again."""
        self._tries = 0

    def asked(self, name: str) -> None:
        """Note that a question is asked now."""
        now = self._wall()
        self.spend(COSTS[name])
        covers = {"all": ("orders", "shares", "account"), "now": ("orders", "shares")}.get(name, (name,))
        for one in covers:
            self._due_ns[one] = now + int(EVERY_S[one] * SECOND_NS)
        if name in ("all", "now"):
            self._soon_ns = now + int(SOON_S[min(self._tries, len(SOON_S) - 1)] * SECOND_NS)
            self._tries += 1

    def again(self, name: str, seconds: float) -> None:
        """Ask this again after so long: nobody answered."""
        self._due_ns[name] = self._wall() + int(seconds * SECOND_NS)

    def spend(self, requests: int) -> None:
        """Count requests."""
        self._spent.append((self._wall(), requests))

    def left(self) -> int:
        """How many requests may still be made in this minute; half of what the broker allows, if it said."""
        horizon = self._wall() - MINUTE_NS
        while self._spent and self._spent[0][0] <= horizon:
            self._spent.popleft()
        told = self._trader.rate.limit // 2 if isinstance(self._trader, Rated) else 0
        return (told or A_MINUTE) - sum(requests for _, requests in self._spent)
