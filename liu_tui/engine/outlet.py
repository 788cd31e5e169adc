"""The producer's end of a market link: batches while the reader keeps up, merges while it does not.

A producer never waits for a reader. While a link is full, only the newest quote of each symbol is kept, and
its trades are folded into one for each set of sale conditions (sizes summed), since those say what a trade
may set. Everything else is kept whole: bars, steps, halts, gaps. What was kept goes out in the order in which
it came, a merged event in the place of its newest part; what has not gone yet can still be merged.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import count

import msgspec

from liu_tui.engine.links import Link, pack
from liu_tui.engine.messages import Marks, OnMarketLink
from liu_tui.market.marks import joined
from liu_tui.model.market import Quote, Trade

FRAME_EVENTS = 512
"""Events of one frame at most: about 40 kB, what one receive takes."""


class Outlet:
    """One reader's events.

    put:     take an event; it leaves with flush(). The list's own method: it is called for every event
    merging: fold trades and quotes while the reader is behind; False in lock-step, where the market waits
             for the reader and a replay must not depend on anybody's pace
    merged:  how many trades and quotes were folded into newer ones
    """

    def __init__(self, link: Link[object], *, merging: bool = True) -> None:
        self._link = link
        self._merging = merging
        self._batch: list[OnMarketLink] = []
        self.put = self._batch.append
        self._rest = memoryview(b"")
        self._kept: OrderedDict[object, OnMarketLink] = OrderedDict()  # in the order of leaving
        self._places = count()
        self.merged = 0
        self.merged_by_symbol: dict[str, int] = {}

    @property
    def behind(self) -> bool:
        """The reader has not taken all that was sent."""
        return bool(self._rest)

    @property
    def waiting(self) -> int:
        """Events kept back."""
        return len(self._kept)

    def flush(self) -> None:
        """Send what was put, or keep it merged if the reader is behind."""
        batch = self._batch
        if not batch:
            return
        if self._link.closed:  # its reader is dead; the next one has a link of its own, and asks for history
            self._rest = memoryview(b"")
            self._kept.clear()
        elif len(batch) <= FRAME_EVENTS:
            self._send(batch)
        else:
            for start in range(0, len(batch), FRAME_EVENTS):
                self._send(batch[start : start + FRAME_EVENTS])
        batch.clear()

    def close(self) -> None:
        """Let the link go."""
        self._link.close()

    def _send(self, events: list[OnMarketLink]) -> None:
        if self._rest:
            self._keep(events)
        else:
            self._offer(events)

    def _offer(self, events: list[OnMarketLink]) -> None:
        self._rest = self._link.offer(pack(events))
        if self._rest:
            self._link.on_writable(self._on_room)

    def _on_room(self) -> None:
        self._rest = self._link.offer(bytes(self._rest))
        while not self._rest and self._kept:
            self._offer(self._release())
        if not self._rest:
            self._link.on_writable(None)

    def _release(self) -> list[OnMarketLink]:
        kept = self._kept
        return [kept.popitem(last=False)[1] for _ in range(min(FRAME_EVENTS, len(kept)))]

    def _keep(self, events: list[OnMarketLink]) -> None:
        for event in events:
            if not self._merging:
                self._kept[next(self._places)] = event
            elif type(event) is Quote:
                if self._kept.pop((Quote, event.symbol), None) is not None:
                    self._count(event.symbol)
                self._kept[Quote, event.symbol] = event
            elif type(event) is Trade:
                self._keep_trade(event)
            elif type(event) is Marks:
                self._keep_marks(event)
            else:
                self._kept[next(self._places)] = event

    def _keep_trade(self, trade: Trade) -> None:
        key = (Trade, trade.symbol, trade.conditions)
        older = self._kept.pop(key, None)
        if type(older) is Trade:
            self._count(trade.symbol)
            trade = msgspec.structs.replace(trade, size=trade.size + older.size)
        self._kept[key] = trade

    def _keep_marks(self, marks: Marks) -> None:
        older = self._kept.pop(Marks, None)
        if type(older) is Marks:
            marks = Marks(prices=joined(older.prices, marks.prices))
        self._kept[Marks] = marks

    def _count(self, symbol: str) -> None:
        self.merged += 1
        self.merged_by_symbol[symbol] = self.merged_by_symbol.get(symbol, 0) + 1
