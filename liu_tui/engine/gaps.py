"""What a producer knows to be missing, told to those who can fetch it.

Something is missing from the last good event before a line was lost, before messages came that could not be
read, or since a predecessor died, until the line is good again. It may be missing of a symbol that was quiet
for longer than is usual for it and speaks again. Consumers fetch that from history; what they are told here
says from when. In lock-step nothing is missing: the market waits for the line.
"""

from __future__ import annotations

from liu_tui.engine.messages import GapBegin
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS

TELL_EVERY_NS = SECOND_NS
"""Unreadable messages in a row are one gap a second, not one each: every gap costs a question to history."""
KEPT_NS = 3 * SECOND_NS
"""A consumer whose link comes so soon after a gap is told of it too: it was started with us."""


class Gaps:
    """One producer's gaps. Times are session nanoseconds less the feed's declared delay.

    lost_ns: when a predecessor of this producer died, 0 if it had none
    count:   how many gaps were told
    """

    def __init__(self, lost_ns: int = 0) -> None:
        self._from_ns, self._words = lost_ns, "a producer was started again" if lost_ns else ""
        self._good_ns = 0  # when the last readable batch came
        self._told_at = self._last_at = 0
        self._unreadable = 0
        self._last: GapBegin | None = None
        self.count = 0

    def good(self, now_ns: int) -> None:
        """A batch came that could be read."""
        self._good_ns = now_ns

    def lost(self, now_ns: int, words: str) -> None:
        """The line is gone: nothing came since the last good batch."""
        if not self._from_ns:
            self._from_ns, self._words = self._good_ns or now_ns, words

    def live(self, now_ns: int, quiet_ns: int | None = None) -> GapBegin | None:
        """The line is there again; returns the gap, if there was a line before.

        quiet_ns: since when some symbols were quiet before it was lost
        """
        if not self._from_ns:
            return None
        if quiet_ns is not None:
            self._from_ns = min(self._from_ns, quiet_ns)
        return self._tell(now_ns)

    def unreadable(self, count: int, now_ns: int) -> None:
        """Messages came that could not be read."""
        self._unreadable += count
        if not self._from_ns:
            self._from_ns = self._good_ns or now_ns

    def due(self, now_ns: int) -> GapBegin | None:
        """Return the gap that unreadable messages made, at most one a second."""
        if not self._unreadable or monotonic_ns() - self._told_at < TELL_EVERY_NS:
            return None
        self._told_at = monotonic_ns()
        self._words = f"{self._unreadable} messages could not be read"
        self._unreadable = 0
        return self._tell(now_ns)

    @property
    def recent(self) -> GapBegin | None:
        """The gap that was told a moment ago."""
        return self._last if monotonic_ns() - self._last_at < KEPT_NS else None

    def quiet(self, symbols: tuple[str, ...], since_ns: int, now_ns: int) -> GapBegin:
        """Symbols that were quieter than usual, or whose line was, speak again."""
        self.count += 1
        more = f" and {len(symbols) - 1} more" if len(symbols) > 1 else ""
        words = f"{symbols[0]}{more} quiet for longer than usual"
        return GapBegin(from_ns=since_ns, to_ns=now_ns, symbols=symbols, words=words)

    def _tell(self, now_ns: int) -> GapBegin:
        self._last = GapBegin(from_ns=self._from_ns, to_ns=now_ns, words=self._words)
        self._last_at = monotonic_ns()
        self._from_ns = 0
        self.count += 1
        return self._last
