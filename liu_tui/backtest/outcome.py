"""What a backtest came to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from liu_tui.analysis.stats import Stats
from liu_tui.backtest.house import House
from liu_tui.model.orders import Fill, Intent

_LISTS = ("intents", "fills")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A run in numbers. Dollars; `win_rate` is a fraction (0-1), None where no trip ended.

    bars, events: minute bars of all symbols; events of watched symbols that the strategies' house took
    symbols:      all that were ever watched
    orders:       state -> how many stand there at the end
    realized_pnl, unrealized_pnl: without fees, which stand beside them
    intents:      in the order in which the desk decided them
    fills:        in the order of booking
    positions:    symbol -> signed shares still held
    equity:       of the exchange's account, at the last prices
    faults:       what went wrong in user code, one line each
    wall_s:       seconds from the first step to the last row in the books
    """

    batch_id: str
    environment: str
    days: tuple[str, ...]
    bars: int
    events: int
    symbols: tuple[str, ...]
    scanner_hits: int
    orders: dict[str, int]
    intents: list[Intent]
    fills: list[Fill]
    realized_pnl: float
    unrealized_pnl: float
    fees: float
    positions: dict[str, float]
    trips: int
    win_rate: float | None
    stats: Stats
    equity: float
    faults: tuple[str, ...]
    wall_s: float

    def in_json(self) -> dict[str, Any]:
        """Say it as one JSON object: lists of fills and intents as their numbers."""
        said: dict[str, Any] = {
            name: getattr(self, name) for name in self.__struct_fields__ if name not in _LISTS
        }
        return said | {name: len(getattr(self, name)) for name in _LISTS}


def outcome_of(house: House, days: tuple[str, ...], stats: Stats, wall_s: float) -> Outcome:
    """Sum a house up after its last day. Dollars are rounded to a hundredth of a cent."""
    desk, money = house.desk, house.desk.money()
    held = {p.symbol: p.qty for p in house.exchange.positions()}
    return Outcome(
        batch_id=house.batch_id,
        environment="BACKTEST",
        days=days,
        bars=house.bars,
        events=house.events,
        symbols=tuple(sorted(house.symbols)),
        scanner_hits=house.record.hits,
        orders=dict(sorted(Counter(order.state.value for order in desk.orders.values()).items())),
        intents=house.record.intents,
        fills=house.record.fills,
        realized_pnl=round(money.realized, 4),
        unrealized_pnl=round(money.unrealized, 4),
        fees=round(money.fees, 4),
        positions=held,
        trips=stats.trips,
        win_rate=None if stats.win_rate_pct is None else stats.win_rate_pct / 100,
        stats=stats,
        equity=round(house.exchange.account().equity, 4),
        faults=tuple(house.record.faults),
        wall_s=round(wall_s, 3),
    )
