"""Numbers over round trips: how often, how much, how far down, and how long in the market.

Money is net of fees. A rate that has nothing to divide by is None and never 0: no trade has no win rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from liu_tui.market.calendar import to_datetime
from liu_tui.model.books import Trip
from liu_tui.model.market import SECOND_NS


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What some trips amount to.

    wins, losses:   trips that ended above and below 0; the rest ended at 0
    win_rate_pct:   wins of all trips, 0-100
    average_win, average_loss: dollars; the loss is negative
    profit_factor:  dollars won over dollars lost; None if none were lost
    expectancy:     dollars a trip
    expectancy_r:   R a trip, of those that have an R
    max_drawdown:   dollars, positive: the deepest fall of the summed net from its height; it begins at 0
    exposure_s:     seconds during which at least one of the trips was open
    """

    trips: int = 0
    wins: int = 0
    losses: int = 0
    longs: int = 0
    shorts: int = 0
    gross: float = 0.0
    fees: float = 0.0
    net: float = 0.0
    win_rate_pct: float | None = None
    average_win: float | None = None
    average_loss: float | None = None
    best: float | None = None
    worst: float | None = None
    profit_factor: float | None = None
    expectancy: float | None = None
    expectancy_r: float | None = None
    max_drawdown: float = 0.0
    exposure_s: float = 0.0


def stats(trips: Iterable[Trip]) -> Stats:
    """Work the numbers out. trips: in any order."""
    done = sorted(trips, key=_ended)
    nets = [trip.net for trip in done]
    won, lost = [net for net in nets if net > 0], [net for net in nets if net < 0]
    longs = sum(trip.direction > 0 for trip in done)
    return Stats(
        trips=len(done),
        wins=len(won),
        losses=len(lost),
        longs=longs,
        shorts=len(done) - longs,
        gross=sum(trip.gross for trip in done),
        fees=sum(trip.fees for trip in done),
        net=sum(nets),
        win_rate_pct=100 * len(won) / len(done) if done else None,
        average_win=_mean(won),
        average_loss=_mean(lost),
        best=max(nets, default=None),
        worst=min(nets, default=None),
        profit_factor=sum(won) / -sum(lost) if lost else None,
        expectancy=_mean(nets),
        expectancy_r=_mean([trip.r_units for trip in done if trip.r_units is not None]),
        max_drawdown=_max_drawdown(nets),
        exposure_s=_exposure_ns(done) / SECOND_NS,
    )


def by_strategy(trips: Iterable[Trip]) -> dict[str, Stats]:
    """Strategy -> its numbers, sorted."""
    return _by(trips, lambda trip: trip.strategy)


def by_symbol(trips: Iterable[Trip]) -> dict[str, Stats]:
    """Symbol -> its numbers, sorted."""
    return _by(trips, lambda trip: trip.symbol)


def by_hour(trips: Iterable[Trip]) -> dict[str, Stats]:
    """Hour of the entry in New York, as "09:00" -> its numbers, sorted."""
    return _by(trips, lambda trip: f"{to_datetime(trip.start_ns):%H}:00")


def realized_curve(trips: Iterable[Trip]) -> list[tuple[int, float]]:
    """Return (end_ns, net dollars so far) after each trip, oldest first."""
    total, curve = 0.0, []
    for trip in sorted(trips, key=_ended):
        total += trip.net
        curve.append((trip.end_ns, total))
    return curve


def _by(trips: Iterable[Trip], key: Callable[[Trip], str]) -> dict[str, Stats]:
    groups: dict[str, list[Trip]] = defaultdict(list)
    for trip in trips:
        groups[key(trip)].append(trip)
    return {name: stats(groups[name]) for name in sorted(groups)}


def _ended(trip: Trip) -> tuple[int, str, str, int]:
    return trip.end_ns, trip.strategy, trip.symbol, trip.n


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _max_drawdown(nets: Sequence[float]) -> float:
    total = height = deepest = 0.0
    for net in nets:
        total += net
        height = max(height, total)
        deepest = max(deepest, height - total)
    return deepest


def _exposure_ns(trips: Iterable[Trip]) -> int:
    total, seen_until = 0, 0
    for start, end in sorted((trip.start_ns, trip.end_ns) for trip in trips):
        total += max(end - max(start, seen_until), 0)
        seen_until = max(seen_until, end)
    return total
