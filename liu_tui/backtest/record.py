"""What a backtest writes down: gathered in memory, put into the books at a day's end."""

from __future__ import annotations

from itertools import islice

from liu_tui.model.books import SessionEvent
from liu_tui.model.clock import Clock, wall_ns
from liu_tui.model.orders import Fill, Intent
from liu_tui.scanner import Hit
from liu_tui.store.journal import Entry
from liu_tui.store.store import Store
from liu_tui.trading.effects import Moved

CHUNK = 300
"""Orders and their events a transaction: some 3 ms, so that a live session beside us seldom waits."""

Scan = tuple[str, str, int, list[Hit]]
"""Scanner, the strategy it picks for ("" for all), session time, picks."""


class Record:
    """One batch's rows, and what the run itself wants to know afterwards.

    clock:   the session's
    intents: all that reached the desk, in the order in which it decided them
    fills:   all that were booked, in that order
    moves:   what fills moved in portfolios, until it is written
    hits:    how many symbols the scanners picked, a symbol counted at each pick
    faults:  what went wrong in user code, one line each
    """

    def __init__(self, batch_id: str, clock: Clock) -> None:
        self._batch_id, self._clock = batch_id, clock
        self._entries: list[Entry] = []
        self._scans: list[Scan] = []
        self._lines: list[SessionEvent] = []
        self._said = self._booked = 0
        self.intents: list[Intent] = []
        self.fills: list[Fill] = []
        self.moves: list[Moved] = []
        self.hits = 0
        self.faults: list[str] = []

    def journal(self, entry: Entry) -> None:
        """An order has changed."""
        self._entries.append(entry)

    def scanned(self, scanner: str, target: str, t_ns: int, hits: list[Hit]) -> None:
        """A scanner has picked."""
        self.hits += len(hits)
        self._scans.append((scanner, target, t_ns, hits))

    def say(self, level: str, words: str, *, source: str, kind: str = "") -> None:
        """Keep a line of the session's log."""
        self._said += 1
        now = self._clock.now_ns()
        self._lines.append(
            SessionEvent(
                n=self._said,
                t_ns=now,
                wall_ns=wall_ns(),
                level=level,
                source=source,
                words=words,
                kind=kind,
            )
        )

    def fault(self, words: str, *, source: str) -> None:
        """Keep what went wrong in user code."""
        self.faults.append(f"{source}: {words}")
        self.say("error", words, source=source)

    async def flush(self, store: Store) -> None:
        """Write what was gathered since the last time. Raises StoreError."""
        entries, self._entries = iter(self._entries), []
        while chunk := list(islice(entries, CHUNK)):
            await store.journal.write(self._batch_id, chunk)
        fresh, self._booked = self.fills[self._booked :], len(self.fills)
        await store.new_trades.add(self._batch_id, fresh)
        await store.portfolio.book(self._batch_id, self.moves)
        for scanner, target, t_ns, hits in self._scans:
            await store.trending_tickers.add(self._batch_id, scanner, t_ns, hits, strategy=target)
        await store.session_events.add(self._batch_id, self._lines)
        self._scans, self._lines, self.moves = [], [], []
