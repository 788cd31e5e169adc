"""Silence is a fault: how quiet the producer's stream and each of its symbols are, told once a second.

Every symbol is measured by its own usual gap (market/freshness.py). A stream that is connected but quieter
than its symbols explain is cut, so that it connects anew; each time without avail doubles the patience.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from liu_tui.engine.child import Child
from liu_tui.engine.lanes import Lanes
from liu_tui.engine.messages import Freshness
from liu_tui.market.freshness import Vigil
from liu_tui.model.market import SECOND_NS

LOOK_S = 1.0


class FeedWatch:
    """Watches one producer's lanes."""

    def __init__(self, child: Child, lanes: Lanes) -> None:
        self._child, self._lanes = child, lanes
        self._vigil = Vigil(lanes.pulses, child.boot.hours, child.anchor.anchor)
        self.beat = self._vigil.beat

    def restart(self, now_ns: int) -> None:
        """The line was made anew, or other symbols were asked for: patience begins here."""
        self._vigil.restart(now_ns)

    async def run(self, cut: Callable[[str], None]) -> None:
        """Look once a second until cancelled. cut: ends the line, with words."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look(cut)

    def look(self, cut: Callable[[str], None]) -> None:
        """Tell how fresh everything is; cut the line if it is silent."""
        child, vigil = self._child, self._vigil
        anchor = vigil.anchor = child.anchor.anchor
        now = child.clock.now_ns() - child.boot.venue.delay_ns
        silent_s = vigil.silent_ns(now) / SECOND_NS / anchor.speed
        lanes = self._lanes.values()
        rows = tuple(lane.health(now, anchor.speed, stale=vigil.stale(lane.pulse, now)) for lane in lanes)
        child.tell(Freshness(silent_s=silent_s, rows=rows))
        if vigil.should_reconnect(now):
            cut(f"connected, but no event for {silent_s:.0f} s")
