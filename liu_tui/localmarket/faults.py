"""Faults on demand: when each begins and ends, how often it struck, and who does what it asks for.

    waiting ─▶ active ─▶ over        by session time, before the events of the moment are played

What a fault does stands in its hand. Of data: telling (events), mangling (frames), lines (connections and
the clock), halts, splits. Of orders: orderfaults (answers), updatefaults (updates), exchangefaults (fills,
borrow).
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import Any, Protocol

import msgspec

from liu_tui.errors import UsageError
from liu_tui.localmarket.faultform import FOREVER_NS, WHERE, length_ns, moment
from liu_tui.localmarket.rfc3339 import rfc3339
from liu_tui.model.clock import SessionHours
from liu_tui.plan.faults import did_you_mean
from liu_tui.plan.schema import FaultKind, FaultTable

log = logging.getLogger(__name__)

REMEMBERED = 1_000
"""Faults that are over and still listed; of those before them only the totals are kept."""


class State(StrEnum):
    """How far a fault is."""

    WAITING = "waiting"
    ACTIVE = "active"
    OVER = "over"


class Fault:
    """One fault of this market.

    at_ns:    the moment that was asked for; it may be past
    begin_ns: when it begins; end_ns: when it ends
    hits:     the events, frames, connections or symbols that it struck
    """

    def __init__(self, number: int, table: FaultTable, at_ns: int, now_ns: int, seed: int) -> None:
        self.id, self.table = str(number), table
        self.at_ns = at_ns
        self.begin_ns = max(at_ns, now_ns)
        self.end_ns = max(self.begin_ns, min(at_ns + length_ns(table), FOREVER_NS))
        self.state = State.WAITING
        self.hits = 0
        self.symbols = frozenset(table.symbols)
        # A draw of its own for each fault: what one of them strikes does not depend on the others.
        self._seed = f"{seed}:{number}:{table.kind.value}"
        self.random = Random(self._seed)  # noqa: S311 - repeatable on purpose

    def strikes(self, symbol: str) -> bool:
        """Decide for the next event of a symbol, and count it."""
        return not (self.symbols and symbol not in self.symbols) and self.hit()

    def hit(self) -> bool:
        """Decide for the next frame or event, and count it."""
        if self.table.share < 1 and self.random.random() >= self.table.share:
            return False
        self.hits += 1
        return True

    def hit_on(self, name: str) -> bool:
        """Decide for something by its name, and count it.

        What else was decided before does not matter: requests come in the order in which the wall has it.
        """
        if self.table.share < 1 and self.draw(name).random() >= self.table.share:
            return False
        self.hits += 1
        return True

    def draw(self, name: str) -> Random:
        """A draw that is the same for a name in every run."""
        return Random(f"{self._seed}:{name}")  # noqa: S311 - repeatable on purpose

    def in_words(self) -> str:
        """Say what it is, for a log line."""
        of = f" of {', '.join(self.table.symbols)}" if self.symbols else ""
        return f"fault {self.id}: {self.table.kind.value}{of}"

    def told(self) -> dict[str, Any]:
        """The answer of /admin/faults: what was asked, and how it goes."""
        ends = rfc3339(self.end_ns) if self.end_ns < FOREVER_NS else None
        asked: dict[str, Any] = msgspec.to_builtins(self.table)
        went = {"state": self.state.value, "hits": self.hits, "begins": rfc3339(self.begin_ns), "ends": ends}
        return {"id": self.id} | asked | went


class Hand(Protocol):
    """Does what the faults of some kinds ask for."""

    def begin(self, fault: Fault, t_ns: int) -> None:
        """The fault is active from now on."""

    def end(self, fault: Fault, t_ns: int) -> None:
        """It is over."""


class Faults:
    """All faults of one market, past and to come; of those over long ago the totals only.

    hands:   who does what, for each kind
    symbols: what the market lists
    due_ns:  the next moment at which one begins or ends; if none does, so far off that no clock gets there
    """

    def __init__(
        self, hands: Mapping[FaultKind, Hand], hours: SessionHours, symbols: Sequence[str], seed: int
    ) -> None:
        self._hands, self._hours, self._listed, self._seed = hands, hours, frozenset(symbols), seed
        self._known: dict[str, Fault] = {}
        self._open: list[Fault] = []
        self._asked: Counter[FaultKind] = Counter()
        self._forgotten: Counter[FaultKind] = Counter()
        self.due_ns = FOREVER_NS

    @property
    def all(self) -> list[Fault]:
        """Those that are remembered, in the order they were asked for."""
        return list(self._known.values())

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """Kind -> how many were asked for, and what they struck, the forgotten ones too."""
        hits = self._forgotten.copy()
        for fault in self._known.values():
            hits[fault.table.kind] += fault.hits
        return {kind.value: {"faults": n, "hits": hits[kind]} for kind, n in sorted(self._asked.items())}

    @property
    def active(self) -> list[Fault]:
        """Those at work."""
        return [fault for fault in self._open if fault.state is State.ACTIVE]

    def add(self, table: FaultTable, now_ns: int, *, unsaid_ns: int | None = None) -> Fault:
        """Take a fault on; it begins at once if its moment has come.

        One whose time is past is over and has struck nothing. unsaid_ns: what no `at` means; now, if None
        Raises UsageError for a symbol that is not listed, or a moment outside the session.
        """
        for symbol in table.symbols:
            if symbol not in self._listed:
                raise UsageError(
                    f"no symbol {symbol!r}", where=WHERE, mend=did_you_mean(symbol, self._listed)
                )
        unsaid_ns = now_ns if unsaid_ns is None else unsaid_ns
        at_ns = moment(table.at, self._hours) if table.at else unsaid_ns
        fault = Fault(self._asked.total() + 1, table, at_ns, now_ns, self._seed)
        self._asked[table.kind] += 1
        self._remember(fault)
        # A split of this morning holds all day long; the time of every other fault can be past.
        if at_ns + length_ns(table) < now_ns and table.kind is not FaultKind.SPLIT:
            fault.state = State.OVER
            log.warning("%s is over: it was due before this market began", fault.in_words())
        else:
            self._open.append(fault)
            self._look_ahead()
            self.pass_time(now_ns)
        return fault

    def find(self, fault_id: str) -> Fault | None:
        """The fault with this id, if there is one."""
        return self._known.get(fault_id)

    def remove(self, fault: Fault, now_ns: int) -> None:
        """End a fault now, or before it has begun; it stays on the list."""
        if fault.state is not State.OVER:
            self._end(fault, now_ns)
            self._look_ahead()

    def pass_time(self, now_ns: int) -> None:
        """Begin and end what is due by now, in order; at one moment ends come first."""
        while self.due_ns <= now_ns:
            t_ns = self.due_ns
            for fault in list(self._open):
                if fault.state is State.ACTIVE and fault.end_ns <= t_ns:
                    self._end(fault, t_ns)
            for fault in list(self._open):
                if fault.state is State.WAITING and fault.begin_ns <= t_ns:
                    self._begin(fault, t_ns)
            self._look_ahead()

    def _remember(self, fault: Fault) -> None:
        self._known[fault.id] = fault
        if len(self._known) - len(self._open) > REMEMBERED:
            oldest = next(known for known in self._known.values() if known.state is State.OVER)
            self._forgotten[oldest.table.kind] += oldest.hits
            del self._known[oldest.id]

    def _begin(self, fault: Fault, t_ns: int) -> None:
        fault.state = State.ACTIVE
        log.warning("%s begins at %s", fault.in_words(), rfc3339(t_ns))
        self._hands[fault.table.kind].begin(fault, t_ns)

    def _end(self, fault: Fault, t_ns: int) -> None:
        begun, fault.state, fault.end_ns = fault.state is State.ACTIVE, State.OVER, t_ns
        self._open.remove(fault)
        if begun:
            self._hands[fault.table.kind].end(fault, t_ns)
        log.warning("%s is over at %s: it struck %d", fault.in_words(), rfc3339(t_ns), fault.hits)

    def _look_ahead(self) -> None:
        self.due_ns = min(
            (f.begin_ns if f.state is State.WAITING else f.end_ns for f in self._open), default=FOREVER_NS
        )
