"""How many questions a host still takes: its own count, shared by everybody who asks it.

Alpaca says with each answer how many requests are left (X-RateLimit-Remaining) and when that changes
(X-RateLimit-Reset, Unix time). At nothing left the next one waits for that moment, before a 429 comes. It
is a bucket that fills again, 200 a minute on the free plan, and a 429 itself may say nothing. Data and
trading have a bucket each.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

from liu_tui.model.clock import monotonic_ns, wall_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS

LONGEST_WAIT_S = 65.0  # the allowance is counted by the minute
WORTH_TELLING_S = 2.0
_TRUSTED_NS = 2 * SECOND_NS


class Allowance:
    """The allowance of one host. tell: hears in words of each wait that is longer than two seconds."""

    def __init__(self, host: str, tell: Callable[[str], None]) -> None:
        self._host, self._tell = host, tell
        self._limit = 0
        self._left: int | None = None  # as last told; None: nothing is known yet
        self._reset = ""  # when that changes, as told
        self._until_ns = 0  # the same on the monotonic clock
        self._told_ns = 0
        self._asking = 0
        self._is_new = True
        self._news = asyncio.Event()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place for one request, as soon as there is one."""
        while not self._is_free():
            await self._wait()
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            self._is_new = False
            self._wake()

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the count from an answer. One without a count, or with nonsense, ends only what is over."""
        limit, left = _whole(headers.get("X-RateLimit-Limit")), _whole(headers.get("X-RateLimit-Remaining"))
        reset = headers.get("X-RateLimit-Reset", "")
        wait_s = seconds_until(reset, headers.get("Date"))
        if left is None or wait_s is None:
            # After a 429 that said nothing either, the count would stay at nothing for good.
            self._left = None if monotonic_ns() >= self._until_ns else self._left
            return
        self._limit = limit or 0
        until_ns = monotonic_ns() + int(wait_s * SECOND_NS)
        if not left and not wait_s and self._limit:
            # Reset is told in whole seconds and may have passed: one more drops into the bucket after this.
            until_ns += MINUTE_NS // self._limit
        # Answers may overtake each other: of one period the least that is left is the newest.
        same = self._left is not None and reset == self._reset
        self._left = min(left, self._left or 0) if same else left
        self._reset, self._until_ns = reset, until_ns

    def refuse(self, wait_s: float) -> None:
        """Let nobody go for so long: the host has said 429."""
        self._left, self._until_ns = 0, max(self._until_ns, monotonic_ns() + int(wait_s * SECOND_NS))

    def _is_free(self) -> bool:
        # Where nobody knows what is left, at first or after the reset, one goes ahead and brings the news.
        if self._left is None:
            return self._asking == 0 or not self._is_new
        return self._left > self._asking or (self._asking == 0 and monotonic_ns() >= self._until_ns)

    async def _wait(self) -> None:
        left_s = (self._until_ns - monotonic_ns()) / SECOND_NS if self._left is not None else 0.0
        if left_s > WORTH_TELLING_S and self._asking == 0 and self._told_ns != self._until_ns:
            self._told_ns = self._until_ns
            of = f" of {self._limit} a minute" if self._limit else ""
            self._tell(f"{self._host}: the allowance{of} is used up; going on in {left_s:.0f} s")
        # Whoever holds the last place brings the news, or else the time does.
        news = self._news
        try:
            async with asyncio.timeout(left_s if left_s > 0 else None):
                await news.wait()
        except TimeoutError:
            return

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def seconds_until(reset: str | None, date: str | None) -> float | None:
    """Count the seconds to a Unix time that a server has said; None if it cannot be read.

    date: the server's own clock, as its answer's Date header says: whole seconds. It is asked only if this
          machine's is more than two seconds away from it
    """
    if reset is None or not (reset.isascii() and reset.replace(".", "", 1).isdecimal() and len(reset) < 20):
        return None
    now_ns, theirs_ns = wall_ns(), _date_ns(date)
    if theirs_ns is not None and abs(theirs_ns - now_ns) > _TRUSTED_NS:
        now_ns = theirs_ns
    return min(max(0.0, float(reset) - now_ns / SECOND_NS), LONGEST_WAIT_S)


def retry_after_s(said: str | None, date: str | None) -> float | None:
    """Count the seconds that a Retry-After header asks for: a number of them, or a date."""
    seconds = _whole(said)
    if seconds is not None:
        return min(float(seconds), LONGEST_WAIT_S)
    at_ns = _date_ns(said)
    return None if at_ns is None else seconds_until(str(at_ns // SECOND_NS), date)


def _whole(said: str | None) -> int | None:
    return int(said) if said and said.isascii() and said.isdecimal() and len(said) < 19 else None


def _date_ns(said: str | None) -> int | None:
    try:
        return int(parsedate_to_datetime(said).timestamp()) * SECOND_NS if said else None
    except (ValueError, TypeError, OverflowError):
        return None
