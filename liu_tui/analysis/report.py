"""The report of one batch: its facts, its numbers, its trips, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from liu_tui.analysis.gain_loss import gain_loss
from liu_tui.analysis.stats import Stats, by_hour, by_strategy, by_symbol, stats
from liu_tui.analysis.trips import OpenTrip, RoundTrips
from liu_tui.model.books import Batch, GainLoss, SessionEvent, Trip
from liu_tui.model.orders import Fill, OrderState
from liu_tui.trading.orders import OrderRecord
from liu_tui.trading.positions import EXTERNAL

_NO = frozenset({OrderState.REFUSED, OrderState.FAILED, OrderState.REJECTED})


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An order that never came to be. state: refused (by the desk), failed or rejected (by the broker)."""

    t_ns: int
    strategy: str
    symbol: str
    state: str
    code: str
    words: str


class PortfolioLine(msgspec.Struct, frozen=True, kw_only=True):
    """A portfolio that the batch traded from, as the books have it now, dollars.

    balance: cash; worth: with its shares at the prices of their last fills; result: what it has earned in all
    """

    portfolio: str
    size: float
    balance: float
    worth: float
    result: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that a reader wants to know of one batch.

    fills:          of the batch's own strategies; external_fills are in no sum
    orders:         state -> how many ended or stand there
    total:          over all trips; realized: dollars after fees, with what open positions have realised
    restarts:       log lines that tell of a process that came back
    """

    batch: Batch
    fills: int
    external_fills: int
    orders: dict[str, int]
    realized: float
    total: Stats
    by_strategy: dict[str, Stats]
    by_symbol: dict[str, Stats]
    by_hour: dict[str, Stats]
    gain_loss: tuple[GainLoss, ...]
    trips: tuple[Trip, ...]
    open: tuple[OpenTrip, ...]
    refusals: tuple[Refusal, ...]
    restarts: tuple[SessionEvent, ...]
    portfolios: tuple[PortfolioLine, ...] = ()


def own(fills: Iterable[Fill]) -> list[Fill]:
    """Return the fills that the batch asked for: what somebody else did in the account is not its doing."""
    return [fill for fill in fills if fill.strategy != EXTERNAL]


def build(
    batch: Batch,
    fills: list[Fill],
    trips: RoundTrips,
    orders: Iterable[OrderRecord],
    events: Iterable[SessionEvent],
    portfolios: Iterable[PortfolioLine] = (),
) -> Report:
    """Make the report. trips: of the batch's own fills."""
    orders = list(orders)
    earned = tuple(gain_loss(trips))
    mine = len(own(fills))
    return Report(
        batch=batch,
        fills=mine,
        external_fills=len(fills) - mine,
        orders=dict(sorted(Counter(str(order.state) for order in orders).items())),
        realized=sum(row.gain_value for row in earned),
        total=stats(trips.closed),
        by_strategy=by_strategy(trips.closed),
        by_symbol=by_symbol(trips.closed),
        by_hour=by_hour(trips.closed),
        gain_loss=earned,
        trips=trips.closed,
        open=trips.open,
        refusals=tuple(_refusal(order) for order in orders if order.state in _NO),
        restarts=tuple(event for event in events if event.kind == "restart"),
        portfolios=tuple(portfolios),
    )


def _refusal(order: OrderRecord) -> Refusal:
    return Refusal(
        t_ns=order.updated_ns,
        strategy=order.strategy,
        symbol=order.symbol,
        state=str(order.state),
        code=order.code,
        words=order.words,
    )
