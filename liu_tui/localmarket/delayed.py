"""The delayed feed: the same events, a quarter of an hour of session time later."""

from collections import deque
from collections.abc import Sequence

from liu_tui.localmarket.hub import Hub
from liu_tui.model.market import MINUTE_NS, TapeEvent

DELAY_NS = 15 * MINUTE_NS


class DelayedHub(Hub):
    """Holds events back, from the first client's coming on: a market without one pays nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._held: deque[tuple[int, Sequence[TapeEvent]]] = deque()

    def publish(self, events: Sequence[TapeEvent], now_ns: int) -> None:
        """Hold these, and give what has become old enough."""
        if not self.clients:
            self._held.clear()
            return
        if events:
            self._held.append((now_ns, events))
        while self._held and self._held[0][0] <= now_ns - DELAY_NS:
            then_ns, old = self._held.popleft()
            super().publish(old, then_ns)
