"""How fresh data is: the pulse of each symbol, and the vigil over a stream that may be connected but quiet.

All times are session time at which something was received (not the event's own stamp): it stands still in a
pause and runs faster at speed 120, and so do the gaps that are learned from it. Only what the network and the
machine need has a floor in wall time, which is that many session seconds times the speed.

What is usual is learned from gaps between seconds that had any event, over the last minutes of the present
phase of the day: a burst of a hundred prints is one event here, and symbols that always speak at the same
moment (a recording of minute bars) do not make the stream look busier than it is. An outage is not learned.
"""

from collections.abc import Mapping
from typing import Final

from liu_tui.model.clock import Anchor, SessionHours
from liu_tui.model.market import MINUTE_NS, SECOND_NS

GAPS_FEWEST: Final = 8
"""Gaps that must have been seen before the usual one is believed."""

WINDOW_NS: Final = 5 * MINUTE_NS
WINDOW_GAPS: Final = 16
"""What is usual is what was in the last span of so long and of so many gaps, and in the one before it."""

LONGEST_TIMES: Final = 2.0
MEAN_TIMES: Final = 5.0
"""Patience: twice the longest gap of the window, and no less than five times the mean one. Of gaps that come
at random, one in a few hundred is longer."""

UNKNOWN_NS: Final = 20 * MINUTE_NS
"""Patience with a symbol of which too little is known; with a stream it is shared among its symbols."""

SYMBOL_FLOOR_NS: Final = 10 * SECOND_NS
STREAM_FLOOR_NS: Final = 3 * SECOND_NS
UNKNOWN_FLOOR_NS: Final = 60 * SECOND_NS
"""Wall time: no symbol is stale, no stream silent, none of an unknown rate silent, before so long."""

EXTENDED_TIMES: Final = 3.0
"""Patience before the open and after the close, against that of regular hours."""

JOINT_TIMES: Final = 8.0
"""Patience with a stream, against the gap that its present symbols' rates together make one expect."""

MOST_DOUBLED: Final = 64
"""Patience stops doubling here."""


class Pulse:
    """The heartbeat of one symbol, or of a whole stream.

    count:   events so far; last_ns: when the last one came, 0 before the first
    halted:  set by the caller, as the tape says: nothing is expected then
    born_ns: since when it is listened to
    """

    __slots__ = (
        "_count",
        "_due_ns",
        "_from_ns",
        "_gaps",
        "_longest_ns",
        "_marked_ns",
        "_old_count",
        "_old_from_ns",
        "_old_gaps",
        "_old_longest_ns",
        "born_ns",
        "count",
        "halted",
        "last_ns",
    )

    def __init__(self, born_ns: int) -> None:
        self.born_ns = born_ns
        self.count = self.last_ns = 0
        self.halted = False
        self.forget()

    def beat(self, at_ns: int) -> None:
        """Note an event that is received now."""
        self.count += 1
        self.last_ns = at_ns
        if at_ns >= self._due_ns:
            self._measure(at_ns)

    def forget(self) -> None:
        """Learn anew what is usual: another phase of the day has begun. Count and age go on."""
        self._due_ns = self._marked_ns = 0
        self._from_ns = self._old_from_ns = 0
        self._count = self._old_count = self.count
        self._gaps = self._old_gaps = 0
        self._longest_ns = self._old_longest_ns = 0

    def resume(self, at_ns: int) -> None:
        """Note that an outage ends now: learn nothing from it."""
        if self._marked_ns:
            self._skip(at_ns - self._marked_ns)
            self._marked_ns = at_ns
            self._due_ns = at_ns + SECOND_NS

    def age_ns(self, now_ns: int) -> int:
        """Session time since the last event; -1 before the first."""
        return max(0, now_ns - self.last_ns) if self.last_ns else -1

    @property
    def known(self) -> bool:
        """Whether enough was seen to say what is usual."""
        return self._gaps + self._old_gaps >= GAPS_FEWEST

    @property
    def usual_ns(self) -> int:
        """The mean time between two events, of the last minutes; 0 while unknown."""
        events = self.count - self._old_count
        return (self.last_ns - self._old_from_ns) // events if self.known and events > 0 else 0

    @property
    def mean_gap_ns(self) -> int:
        """The mean gap between seconds that had any event; 0 while there was none."""
        gaps = self._gaps + self._old_gaps
        return (self._marked_ns - self._old_from_ns) // gaps if gaps else 0

    @property
    def patience_ns(self) -> int:
        """How long a gap is no wonder, judged by the gaps of the last minutes alone."""
        longest = max(self._longest_ns, self._old_longest_ns)
        wonder = int(max(LONGEST_TIMES * longest, MEAN_TIMES * self.mean_gap_ns))
        return wonder if self.known else max(UNKNOWN_NS, wonder)

    def stale(
        self, now_ns: int, *, since_ns: int = 0, times: float = 1.0, floor_ns: int = SYMBOL_FLOOR_NS
    ) -> bool:
        """Say whether the last event is older than this symbol's own gaps explain.

        since_ns: before this moment nothing was expected (the market was closed)
        times:    patience against the usual one
        floor_ns: session time; younger than this is never stale
        """
        if self.halted:
            return False
        age_ns = now_ns - max(self.last_ns, self.born_ns, since_ns)
        return age_ns > floor_ns and age_ns > times * self.patience_ns

    def _measure(self, at_ns: int) -> None:
        if self._marked_ns:
            # An outage teaches no more than what was patience before it; the rest of it did not happen.
            gap_ns = min(at_ns - self._marked_ns, self.patience_ns)
            self._skip(at_ns - self._marked_ns - gap_ns)
            self._gaps += 1
            self._longest_ns = max(self._longest_ns, gap_ns)
            if at_ns - self._from_ns >= WINDOW_NS and self._gaps >= WINDOW_GAPS:
                self._turn(at_ns)
        else:
            self._from_ns = self._old_from_ns = at_ns
            self._count = self._old_count = self.count
        self._marked_ns = at_ns
        self._due_ns = at_ns + SECOND_NS

    def _skip(self, outage_ns: int) -> None:
        self._from_ns += outage_ns
        self._old_from_ns += outage_ns

    def _turn(self, at_ns: int) -> None:
        self._old_from_ns, self._from_ns = self._from_ns, at_ns
        self._old_count, self._count = self._count, self.count
        self._old_gaps, self._gaps = self._gaps, 0
        self._old_longest_ns, self._longest_ns = self._longest_ns, 0


class Vigil:
    """Watch over one stream: say when it is silent though it should speak, and when to cut the line.

    pulses: of the symbols that are subscribed now; the caller's own mapping, read at every question
    hours:  of the session; set it anew for another day
    anchor: the venue's time; set it anew when it changes (paused and lock-step: nothing is ever silent)
    """

    __slots__ = ("_cut_ns", "_phase", "_pulse", "_times", "anchor", "hours", "pulses")

    def __init__(self, pulses: Mapping[str, Pulse], hours: SessionHours, anchor: Anchor) -> None:
        self.pulses = pulses
        self.hours = hours
        self.anchor = anchor
        self._pulse = Pulse(0)
        self._phase = ""
        self._times = 1
        self._cut_ns = 0

    def beat(self, now_ns: int) -> None:
        """Note that a frame with events was received; once a frame is enough."""
        if self._times > 1:
            self._pulse.resume(now_ns)
            self._times = 1
        self._pulse.beat(now_ns)

    def restart(self, now_ns: int) -> None:
        """Note that the line was made anew, or that other symbols were asked for: patience begins here."""
        self._cut_ns = now_ns

    def stale(self, pulse: Pulse, now_ns: int) -> bool:
        """Say whether one symbol is older than its own gaps explain, in a session that is open."""
        since_ns, times = self._expected(now_ns)
        if not times:
            return False
        floor_ns = int(SYMBOL_FLOOR_NS * self.anchor.speed)
        return pulse.stale(now_ns, since_ns=since_ns, times=times, floor_ns=floor_ns)

    def silent_ns(self, now_ns: int) -> int:
        """Session time for which the stream has said nothing, if that is longer than is usual; else 0."""
        since_ns, times = self._expected(now_ns)
        if not times or not self._listening():
            return 0
        quiet_ns = now_ns - max(self._pulse.last_ns or self._cut_ns, since_ns)
        return quiet_ns if quiet_ns > self._patience_ns(times) else 0

    def should_reconnect(self, now_ns: int) -> bool:
        """Say whether to cut the line now; each time without data since, the next takes twice as long.

        A yes counts as the cut.
        """
        since_ns, times = self._expected(now_ns)
        if not times or not self._listening():
            return False
        quiet_ns = now_ns - max(self._pulse.last_ns, self._cut_ns, since_ns)
        if quiet_ns <= self._patience_ns(times) * self._times:
            return False
        self._times = min(2 * self._times, MOST_DOUBLED)
        self._cut_ns = now_ns
        return True

    def _expected(self, now_ns: int) -> tuple[int, float]:
        # Since when events are expected, and the patience of this phase; (0, 0.0) if none are.
        hours, anchor = self.hours, self.anchor
        if anchor.paused or anchor.lockstep:
            return 0, 0.0
        phase = hours.phase(now_ns)
        if phase != self._phase:
            self._begin(phase, now_ns)
        if phase == "open":
            return hours.open_ns, 1.0
        if phase == "pre":
            return hours.pre_ns, EXTENDED_TIMES
        return (hours.close_ns, EXTENDED_TIMES) if phase == "post" else (0, 0.0)

    def _begin(self, phase: str, now_ns: int) -> None:
        if self._phase:
            self._pulse.forget()
            for pulse in self.pulses.values():
                pulse.forget()
        self._cut_ns = max(self._cut_ns, now_ns)
        self._phase = phase

    def _listening(self) -> bool:
        return any(not pulse.halted for pulse in self.pulses.values())

    def _patience_ns(self, times: float) -> float:
        speed = self.anchor.speed
        awake = [pulse for pulse in self.pulses.values() if not pulse.halted]
        if not self._pulse.known:
            return max(UNKNOWN_FLOOR_NS * speed, times * UNKNOWN_NS / len(awake))
        rate = sum(1 / pulse.mean_gap_ns for pulse in awake if pulse.known)
        expected_ns = JOINT_TIMES / rate if rate else UNKNOWN_NS / len(awake)
        return max(STREAM_FLOOR_NS * speed, times * max(self._pulse.patience_ns, expected_ns))
