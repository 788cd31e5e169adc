"""Which symbols are watched, for which strategies, and which of the vendor's streams that takes.

The supervisor and the backtest keep the same list, so that a replay subscribes what a live day would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liu_tui.model.market import Event

ALWAYS = frozenset({Event.TRADE, Event.MINUTE})
"""Trades mark positions and series between two bars; minute bars close them."""


def wanted_events(declared: Iterable[str], plan_events: Iterable[Event]) -> frozenset[Event]:
    """The streams of a watched symbol: what strategies declare, what the plan adds, and ALWAYS."""
    return ALWAYS | {Event(name) for name in declared} | set(plan_events)


def events_of(
    watched: Watched, declared: Mapping[str, Iterable[str]], plan_events: Iterable[Event]
) -> frozenset[Event]:
    """The streams of one watched symbol.

    declared: strategy -> the events that it declares. Those of the strategies whose symbol it is count, and
              what its scanners need
    """
    names = watched.strategies() or frozenset(declared)
    theirs = {event for name in names & declared.keys() for event in declared[name]}
    return wanted_events(theirs | watched.events, plan_events)


class Watched:
    """One symbol.

    targets: the strategies that get it; all is True when an untargeted scanner picked it
    events:  the data that its scanners need beside what strategies declare
    """

    __slots__ = ("all", "events", "symbol", "targets")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.all = False
        self.targets: set[str] = set()
        self.events: set[str] = set()

    def strategies(self) -> frozenset[str]:
        """Names of the strategies; empty means all of them."""
        return frozenset() if self.all else frozenset(self.targets)


class Watchlist:
    """The symbols of the day, in the order in which they were first picked.

    max_symbols: the most that are watched at one time
    """

    def __init__(self, max_symbols: int) -> None:
        self._max = max_symbols
        self._watched: dict[str, Watched] = {}
        self._dropped: set[str] = set()

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._watched

    def __len__(self) -> int:
        return len(self._watched)

    @property
    def symbols(self) -> list[str]:
        """What is watched, first picked first."""
        return list(self._watched)

    def get(self, symbol: str) -> Watched | None:
        """A watched symbol; None if it is not."""
        return self._watched.get(symbol)

    def pick(self, symbol: str, target: str = "", events: Iterable[str] = ()) -> str:
        """A scanner (or a person) picked a symbol for a strategy, "" for all.

        events:  data that the scanner needs of it
        returns: "new" (to subscribe), "wider" (more strategies or data), "known", "full" (over max_symbols)
                 or "dropped" (it was unsubscribed today)
        """
        if symbol in self._dropped:
            return "dropped"
        watched = self._watched.get(symbol)
        if watched is None:
            if len(self._watched) >= self._max:
                return "full"
            watched = self._watched[symbol] = Watched(symbol)
            _widen(watched, target, events)
            return "new"
        return "wider" if _widen(watched, target, events) else "known"

    def drop(self, symbol: str) -> bool:
        """Unsubscribe for the rest of the day; says whether it was watched (else nothing changes)."""
        if self._watched.pop(symbol, None) is None:
            return False
        self._dropped.add(symbol)
        return True

    def ban(self, symbol: str) -> None:
        """Take no pick of a symbol that was unsubscribed earlier in the day."""
        self._dropped.add(symbol)

    def restore(self, symbol: str) -> None:
        """A person subscribes again what was unsubscribed."""
        self._dropped.discard(symbol)


def _widen(watched: Watched, target: str, events: Iterable[str]) -> bool:
    wider = not watched.events.issuperset(events)
    watched.events.update(events)
    if watched.all or target in watched.targets:
        return wider
    if target:
        watched.targets.add(target)
    else:
        watched.all = True
    return True
