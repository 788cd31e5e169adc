"""Silence is a fault: how quiet the producer's stream and each of its symbols are, told once a second.

Every symbol is measured by its own usual gap (market/freshness.py). A stream that is connected but quieter
than its symbols explain is cut, so that it connects anew; each time without avail doubles the patience. What
was quiet and speaks again may have said something that nobody heard: its lane is marked for that.

All moments are those of the tape: session time less the feed's declared delay.
"""

from __future__ import annotations

import asyncio

from liu_tui.engine.child import Child
from liu_tui.engine.lanes import Lane, Lanes
from liu_tui.engine.line import Line
from liu_tui.engine.messages import Freshness, SymbolHealth
from liu_tui.market.freshness import Vigil
from liu_tui.market.streaming import FeedState
from liu_tui.model.market import SECOND_NS

LOOK_S = 1.0


class FeedWatch:
    """Watches one producer's lanes and line."""

    def __init__(self, child: Child, lanes: Lanes, line: Line) -> None:
        self._child, self._lanes, self._line = child, lanes, line
        self._vigil = Vigil(lanes.pulses, child.boot.hours, child.anchor.anchor)
        self.beat = self._vigil.beat

    def restart(self, now_ns: int) -> None:
        """The line was made anew, or other symbols were asked for: patience begins here."""
        self._vigil.restart(now_ns)

    async def run(self) -> None:
        """Look once a second until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Tell how fresh everything is; cut the line if it is up and silent."""
        child, vigil, lanes = self._child, self._vigil, self._lanes
        anchor = vigil.anchor = child.anchor.anchor
        now = child.clock.now_ns() - child.boot.venue.delay_ns
        up = self._line.state is FeedState.LIVE
        silent_ns = vigil.silent_ns(now) if up else 0
        silent_s = silent_ns / SECOND_NS / anchor.speed
        rows = tuple(self._look_at(lane, now, silent=silent_ns > 0) for lane in lanes.values())
        child.tell(Freshness(silent_s=silent_s, rows=rows))
        if up and vigil.should_reconnect(now):
            self._line.cut(f"connected, but no event for {silent_s:.0f} s")

    def _look_at(self, lane: Lane, now: int, *, silent: bool) -> SymbolHealth:
        stale = self._vigil.stale(lane.pulse, now)
        if stale or silent:
            lane.hush()
        return lane.health(now, self._vigil.anchor.speed, stale=stale)
