"""The pump: turns the market on, as its clock says, and sends what happened.

At a speed it wakes every TURN_S, plays the tape up to now, and sends one batch. In lock-step it takes a step
when all clients have finished the last:

    wait for acks of n ─▶ step n+1 ─▶ exchange ─▶ stored ─▶ trade updates, their mark ─▶ events, their mark

Orders that come in between are taken at the time of step n; their updates go out before the mark of step n+1.
Faults begin and end between two moments, before the events of the second are played.
"""

import asyncio
import logging
from collections.abc import Sequence

from liu_tui.localmarket.faults import Faults
from liu_tui.localmarket.hub import Client, Hub
from liu_tui.localmarket.lockstep import LockStep
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.venue import Venue
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS, TapeEvent

log = logging.getLogger(__name__)

TURN_S = 0.02
"""Wall seconds between two turns; half of it above FAST."""
FAST = 20.0
BATCH_S = 0.05
"""The longest wall time for which the tape is played without a pause: REST and pings get their turn too."""
BEHIND_S = 1.0
"""So far behind the clock, in wall seconds, the clock is set back: this machine cannot play so fast."""


class Clockwork:
    """One session's pump. hubs: those whose clients may ask for the clock."""

    def __init__(
        self, venue: Venue, clock: MarketClock, lockstep: LockStep, hubs: Sequence[Hub], faults: Faults
    ) -> None:
        self._venue, self._clock, self._lockstep, self._hubs = venue, clock, lockstep, hubs
        self._faults = faults
        self._day_closed = False
        self._allowed_steps, self._allowed_ns = 0, 0
        clock.listeners += [lockstep.nudge, self._tell_clock]

    async def run(self) -> None:
        """Turn until cancelled. The session's end is not the pump's: the clock goes on, and REST answers."""
        while True:
            if self._clock.lockstep:
                await self._step_when_ready()
            else:
                begun = monotonic_ns()
                self.catch_up()
                await asyncio.sleep(max(0.001, self._turn_s() - (monotonic_ns() - begun) / SECOND_NS))

    def catch_up(self) -> None:
        """Play up to the clock's now, or for BATCH_S of wall time; in lock-step there is nothing to do."""
        clock, venue = self._clock, self._venue
        now_ns = clock.now_ns()
        if clock.lockstep or now_ns <= venue.now_ns:
            return
        self._tell(self._play_to(now_ns))
        if not clock.paused and now_ns - venue.now_ns > clock.speed * BEHIND_S * SECOND_NS:
            log.warning("the market cannot run at speed %g here: its clock was set back", clock.speed)
            clock.fall_back(venue.now_ns)
        self._see_end()

    def tell_ours(self) -> None:
        """Send at once what a fault has just said; in lock-step it belongs to the next step."""
        if not self._clock.lockstep:
            self._venue.show([])

    async def play_seconds(self, seconds: float) -> None:
        """Paused: play so much session time, and stand still again. In lock-step it is played as it comes."""
        await self._play_until(self._clock.now_ns() + int(seconds * SECOND_NS))

    async def play_moments(self, count: int) -> None:
        """Paused: play the next moments of the tape, and stand still again. In lock-step, as they come."""
        if self._clock.lockstep:
            self._allowed_steps += count
            self._lockstep.nudge()
            return
        for _ in range(count):
            next_ns = self._venue.tape.next_ns
            if next_ns is None:
                return
            await self._play_until(next_ns)

    async def _play_until(self, t_ns: int) -> None:
        if self._clock.lockstep:
            self._allowed_ns = max(self._allowed_ns, t_ns)
            self._lockstep.nudge()
            return
        self._clock.jump(t_ns)
        while self._clock.paused and self._venue.now_ns < min(t_ns, self._clock.now_ns()):
            self.catch_up()
            await asyncio.sleep(0)

    def _play_to(self, now_ns: int) -> list[TapeEvent]:
        venue, tape = self._venue, self._venue.tape
        deadline_ns = monotonic_ns() + int(BATCH_S * SECOND_NS)
        shown: list[TapeEvent] = []
        while tape.next_ns is not None and tape.next_ns <= now_ns:
            if monotonic_ns() > deadline_ns:
                return shown
            if tape.next_ns >= self._faults.due_ns:
                shown = self._turn_faults(tape.next_ns, shown)
            for t_ns, events in tape.advance(tape.next_ns):
                shown += venue.play(t_ns, events)
        if now_ns >= self._faults.due_ns:
            shown = self._turn_faults(now_ns, shown)
        tape.advance(now_ns)
        venue.pass_time(now_ns)
        return shown

    def _turn_faults(self, t_ns: int, shown: list[TapeEvent]) -> list[TapeEvent]:
        """Let faults begin and end up to a moment; what happened before is told before, and none is left."""
        self._tell(shown)
        self._faults.pass_time(t_ns)
        return []

    def _tell(self, shown: Sequence[TapeEvent]) -> None:
        self._venue.settle()
        self._venue.show(shown)

    def _see_end(self) -> None:
        clock, venue = self._clock, self._venue
        if not clock.ended_ns and venue.tape.next_ns is None and venue.now_ns >= venue.hours.close_ns:
            self._end()
        if venue.now_ns >= venue.hours.post_ns and not clock.paused:
            # There is no tomorrow on this tape, and no clock may run into it.
            clock.pause()

    async def _step_when_ready(self) -> None:
        if self._stands() or self._clock.ended_ns or not self._lockstep.ready:
            await self._lockstep.changed()
            return
        self._allowed_steps = max(0, self._allowed_steps - 1)
        step = self._venue.tape.next_step()
        if step is not None:
            self._take(*step)
        elif not self._day_closed:
            # Wherever the tape ends, one step more closes the day: day orders expire in it.
            self._day_closed = True
            self._venue.release()
            self._take(max(self._venue.hours.close_ns, self._venue.now_ns), [])
        else:
            self._end()
        # One step is one turn: requests and pings are heard between two steps.
        await asyncio.sleep(0)

    def _stands(self) -> bool:
        """Whether the clock is paused, and nobody has allowed the next step."""
        if not self._clock.paused or self._allowed_steps:
            return False
        next_ns = self._venue.tape.next_ns
        return next_ns is None or next_ns > self._allowed_ns

    def _take(self, t_ns: int, events: Sequence[TapeEvent]) -> None:
        venue, lockstep = self._venue, self._lockstep
        if t_ns >= self._faults.due_ns:
            self._faults.pass_time(t_ns)
        happened = venue.play(t_ns, events)
        self._clock.step_to(t_ns)
        venue.settle()
        lockstep.advance(t_ns)
        venue.trades.mark_step()
        venue.show(happened)
        for client in lockstep.clients:
            client.say_step()

    def _end(self) -> None:
        self._venue.show_rest()
        self._clock.ended_ns = self._venue.now_ns
        for client in self._clients():
            client.say_end()

    def _tell_clock(self) -> None:
        for client in self._clients():
            client.say_clock()

    def _clients(self) -> list[Client]:
        return [client for hub in self._hubs for client in hub.clients]

    def _turn_s(self) -> float:
        return TURN_S / 2 if self._clock.speed > FAST else TURN_S
