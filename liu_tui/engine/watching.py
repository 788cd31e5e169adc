"""Watching symbols: from a scanner's picks to consumers' tasks and the producer's routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liu_tui.engine.messages import Route, StrategyProfile, SymbolTask
from liu_tui.engine.shards import shard_of
from liu_tui.plan.schema import TradePlan
from liu_tui.trading.watchlist import Watchlist, events_of


class Watching:
    """The watchlist, and who serves what of it. Places are those of the consumers: 0, 1, ..."""

    def __init__(self, plan: TradePlan, consumers: int) -> None:
        self._plan = plan
        self._consumers = consumers
        self.list = Watchlist(plan.max_symbols)
        self.profiles: dict[str, StrategyProfile] = {
            name: StrategyProfile(name=name, filename=table.filename)
            for name, table in plan.strategies.items()
        }

    def know(self, profiles: Iterable[StrategyProfile]) -> bool:
        """Learn what the loaded strategies declare; says whether anything watched is concerned.

        One that failed to load keeps what was known of it.
        """
        fresh = {profile.name: profile for profile in profiles if not profile.fault}
        changed = any(self.profiles.get(name) != profile for name, profile in fresh.items())
        self.profiles.update(fresh)
        return changed and len(self.list) > 0

    def tasks_of(self, symbol: str) -> dict[int, SymbolTask]:
        """Which consumer serves a watched symbol, for which strategies."""
        watched = self.list.get(symbol)
        if watched is None:
            return {}
        names = watched.strategies() or frozenset(self.profiles)
        places: dict[int, list[str]] = {}
        for name in sorted(names & set(self.profiles)):
            home = shard_of(name if self.profiles[name].run_all else symbol, self._consumers)
            places.setdefault(home, []).append(name)
        return {place: SymbolTask(symbol=symbol, strategies=tuple(those)) for place, those in places.items()}

    def tasks_for(self, place: int) -> list[SymbolTask]:
        """All that one consumer serves; for its start."""
        tasks = (self.tasks_of(symbol).get(place) for symbol in self.list.symbols)
        return [task for task in tasks if task is not None]

    def routes(self, place: int = 0, producers: int = 1) -> tuple[Route, ...]:
        """The whole table of one of the producers. Each symbol has its own events: see events_of."""
        return tuple(
            Route(symbol=symbol, events=self.events_of(symbol), consumers=tuple(self.tasks_of(symbol)))
            for symbol in self.list.symbols
            if shard_of(symbol, producers) == place
        )

    def events_of(self, symbol: str) -> tuple[str, ...]:
        """What is subscribed of a symbol: what its strategies declare, and what its scanners need."""
        watched = self.list.get(symbol)
        if watched is None:
            return ()
        declared = {name: profile.events for name, profile in self.profiles.items()}
        return tuple(sorted(events_of(watched, declared, self._plan.events)))

    def owner(self, symbol: str) -> int:
        """The consumer that can tell most of a symbol."""
        tasks = self.tasks_of(symbol)
        home = shard_of(symbol, self._consumers)
        return home if home in tasks or not tasks else next(iter(tasks))


def split(tasks: Iterable[Mapping[int, SymbolTask]]) -> dict[int, tuple[SymbolTask, ...]]:
    """Gather tasks per consumer."""
    gathered: dict[int, list[SymbolTask]] = {}
    for row in tasks:
        for place, task in row.items():
            gathered.setdefault(place, []).append(task)
    return {place: tuple(rows) for place, rows in gathered.items()}
