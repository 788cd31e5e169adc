"""The producer's end of a market link: batches while the reader keeps up, merges while it does not.

A producer never waits for a reader. While a link is full, only the newest quote and one trade per symbol
are kept (the trade carries the summed size of those it stands for), and everything else is kept whole:
bars, steps, halts, gaps. When there is room again, what was kept goes out in the order of its time.
"""

from __future__ import annotations

import msgspec

from liu_tui.engine.links import Link, pack
from liu_tui.engine.messages import GapBegin, Marks, OnMarketLink
from liu_tui.market.streaming import Halt
from liu_tui.model.market import Bar, Quote, Step, Trade

FRAME_EVENTS = 512
"""Events of one frame at most: about 40 kB, what one receive takes."""


class Outlet:
    """One reader's events. merged: how many trades and quotes were folded into newer ones."""

    def __init__(self, link: Link[object]) -> None:
        self._link = link
        self._batch: list[OnMarketLink] = []
        self._rest = memoryview(b"")
        self._kept: list[OnMarketLink] = []
        self._quotes: dict[str, Quote] = {}
        self._trades: dict[str, Trade] = {}
        self.merged = 0
        self.merged_by_symbol: dict[str, int] = {}

    @property
    def behind(self) -> bool:
        """The reader has not taken all that was sent."""
        return bool(self._rest)

    @property
    def waiting(self) -> int:
        """Events kept back."""
        return len(self._kept) + len(self._quotes) + len(self._trades)

    def put(self, event: OnMarketLink) -> None:
        """Take an event; it leaves with flush()."""
        self._batch.append(event)

    def flush(self) -> None:
        """Send what was put, or keep it merged if the reader is behind."""
        batch = self._batch
        if not batch:
            return
        self._batch = []
        for start in range(0, len(batch), FRAME_EVENTS):
            part = batch[start : start + FRAME_EVENTS]
            if self._rest:
                self._keep(part)
            else:
                self._offer(part)

    def close(self) -> None:
        """Let the link go."""
        self._link.close()

    def _offer(self, events: list[OnMarketLink]) -> None:
        self._rest = self._link.offer(pack(events))
        if self._rest:
            self._link.on_writable(self._on_room)

    def _on_room(self) -> None:
        self._rest = self._link.offer(bytes(self._rest))
        while not self._rest and self.waiting:
            self._offer(self._release())
        if not self._rest:
            self._link.on_writable(None)

    def _release(self) -> list[OnMarketLink]:
        events = [*self._kept, *self._trades.values(), *self._quotes.values()]
        events.sort(key=_moment)
        self._kept, self._trades, self._quotes = events[FRAME_EVENTS:], {}, {}
        return events[:FRAME_EVENTS]

    def _keep(self, events: list[OnMarketLink]) -> None:
        for event in events:
            if type(event) is Quote:
                if event.symbol in self._quotes:
                    self._count(event.symbol)
                self._quotes[event.symbol] = event
            elif type(event) is Trade:
                older = self._trades.get(event.symbol)
                if older is not None:
                    self._count(event.symbol)
                    event = msgspec.structs.replace(event, size=event.size + older.size)
                self._trades[event.symbol] = event
            else:
                self._kept.append(event)

    def _count(self, symbol: str) -> None:
        self.merged += 1
        self.merged_by_symbol[symbol] = self.merged_by_symbol.get(symbol, 0) + 1


def _moment(event: OnMarketLink) -> int:
    """When an event was known. Steps and marks close what came before them, so they sort after it."""
    match event:
        case Bar():
            return event.end_ns
        case Trade() | Quote() | Step() | Halt():
            return event.t_ns
        case GapBegin():
            return event.to_ns
        case Marks():
            return 2**62
    raise AssertionError(f"{type(event).__name__} on a market link")
