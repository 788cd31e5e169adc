"""Who takes what of Polygon's stream, and the second bars that only this stream has."""

from collections.abc import Sequence

from liu_tui.localmarket.hub import Hub
from liu_tui.market.bars import SecondBars
from liu_tui.model.market import Bar, TapeEvent, Trade

SECONDS = "seconds"
CHANNELS = {"T": "trades", "Q": "quotes", "A": SECONDS, "AM": "bars", "LULD": "lulds"}
"""Polygon's word for a channel -> the hub's."""


class PolygonHub(Hub):
    """Makes second bars of all trades while anybody takes any; the first is the first whole second."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._seconds: SecondBars | None = None
        self._since_ns = 0

    def publish(self, events: Sequence[TapeEvent], now_ns: int) -> None:
        """Give each event to those who take it, and each second once it is over, before what comes later."""
        if not self.takes(SECONDS):
            self._seconds = None
            super().publish(events, now_ns)
            return
        if self._seconds is None:
            self._seconds = SecondBars()
            # What was traded before in this second nobody has kept.
            self._since_ns = min([now_ns, *(event.t_ns for event in events[:1])]) + 1
        begun = 0
        for n, event in enumerate(events):
            bar = self._seconds.add(event) if type(event) is Trade else None
            if bar is not None:
                super().publish(events[begun:n], now_ns)
                self._give(bar)
                begun = n
        super().publish(events[begun:], now_ns)
        for bar in self._seconds.flush(now_ns):
            self._give(bar)

    def _give(self, bar: Bar) -> None:
        if bar.t_ns < self._since_ns:
            return
        for codec, clients in self._groups(SECONDS, bar.symbol):
            part = codec.event(bar)
            for client in clients:
                client.parts.append(part)
