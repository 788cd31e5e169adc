"""What each strategy earned in each symbol: what is realised, and apart from it what is still open."""

from __future__ import annotations

from collections import defaultdict

from liu_tui.analysis.trips import OpenTrip, RoundTrips
from liu_tui.model.books import GainLoss, Trip


def gain_loss(trips: RoundTrips) -> list[GainLoss]:
    """Sum up by strategy and symbol, sorted by both. An open position's profit is in no sum; its fees are."""
    closed: dict[tuple[str, str], list[Trip]] = defaultdict(list)
    for trip in trips.closed:
        closed[trip.strategy, trip.symbol].append(trip)
    open_ = {(trip.strategy, trip.symbol): trip for trip in trips.open}
    return [_sum(key, closed[key], open_.get(key)) for key in sorted({*closed, *open_})]


def _sum(key: tuple[str, str], closed: list[Trip], open_: OpenTrip | None) -> GainLoss:
    fees = sum(trip.fees for trip in closed)
    gross = sum(trip.gross for trip in closed)
    cost = sum(trip.cost for trip in closed)
    if open_ is not None:
        fees, gross, cost = fees + open_.fees, gross + open_.realized, cost + open_.closed_cost
    value = gross - fees
    return GainLoss(
        strategy=key[0],
        symbol=key[1],
        gain_value=value,
        gain_percentage=100 * value / cost if cost else 0.0,
        fees=fees,
        trips=len(closed),
        open_qty=open_.qty if open_ is not None else 0.0,
        open_avg_price=open_.avg_price if open_ is not None else 0.0,
    )
