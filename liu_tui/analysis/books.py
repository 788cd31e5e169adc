"""The port to the books, and the two jobs that need it: fill in the analysis, and gather a report.

`Store` satisfies `Books`; this room does not know it, and opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from liu_tui.analysis.gain_loss import gain_loss
from liu_tui.analysis.report import PortfolioLine, Report, build, own
from liu_tui.analysis.trips import Bars, RoundTrips, round_trips
from liu_tui.errors import UsageError
from liu_tui.model.books import Batch, GainLoss, SessionEvent, Trip
from liu_tui.model.orders import Fill
from liu_tui.trading.orders import OrderRecord


class BatchTable(Protocol):
    """Where batches are found."""

    async def get(self, batch_id: str) -> Batch | None:
        """Return the batch, None if there is none."""


class FillTable(Protocol):
    """Where fills are found."""

    async def load(self, batch_id: str) -> list[Fill]:
        """Return the batch's fills in the order of booking."""


class OrderTable(Protocol):
    """Where orders are found."""

    async def load(self, batch_id: str) -> list[OrderRecord]:
        """Return the batch's orders as they stand."""


class EventTable(Protocol):
    """Where log lines are found."""

    async def load(self, batch_id: str) -> list[SessionEvent]:
        """Return the batch's log lines, oldest first."""


class GainLossTable(Protocol):
    """Where gain and loss are kept."""

    async def save(self, batch_id: str, rows: Iterable[GainLoss]) -> None:
        """Replace what the batch had."""


class TripTable(Protocol):
    """Where trips are kept."""

    async def save(self, batch_id: str, trips: Iterable[Trip]) -> None:
        """Replace what the batch had."""

    async def load(self, batch_id: str) -> list[Trip]:
        """Return the batch's trips in the order in which they ended."""


class PortfolioStanding(Protocol):
    """How a portfolio stands, dollars."""

    @property
    def portfolio_id(self) -> str:
        """Its name, and whose money it is."""

    @property
    def size(self) -> float:
        """What it began with."""

    @property
    def balance(self) -> float:
        """Its cash."""

    @property
    def worth(self) -> float:
        """Its cash and its shares."""


class PortfolioTable(Protocol):
    """Where portfolios are kept."""

    async def of_batch(self, batch_id: str) -> Sequence[PortfolioStanding]:
        """Say how the portfolios stand that the batch traded from."""


class Books(Protocol):
    """The tables that an analysis reads and fills."""

    @property
    def batches(self) -> BatchTable:
        """The sessions and backtests."""

    @property
    def new_trades(self) -> FillTable:
        """The fills."""

    @property
    def journal(self) -> OrderTable:
        """The orders."""

    @property
    def session_events(self) -> EventTable:
        """The log."""

    @property
    def gain_loss(self) -> GainLossTable:
        """Gain and loss by strategy and symbol."""

    @property
    def trade_analysis(self) -> TripTable:
        """The round trips."""

    @property
    def portfolio(self) -> PortfolioTable:
        """The portfolios."""


async def consolidate(books: Books, batch_id: str, bars: Bars | None = None) -> RoundTrips:
    """Fill gain_loss and trade_analysis of a batch from its fills; may be done again at any time.

    bars: symbol -> the day's bars, for mae and mfe; without them these stay empty
    """
    trips = round_trips(own(await books.new_trades.load(batch_id)), bars)
    await books.trade_analysis.save(batch_id, trips.closed)
    await books.gain_loss.save(batch_id, gain_loss(trips))
    return trips


async def load_report(books: Books, batch_id: str) -> Report:
    """Gather the report of a batch, ended or not. Reads only.

    Raises UsageError if there is no such batch.
    """
    batch = await books.batches.get(batch_id)
    if batch is None:
        raise UsageError(f"no batch {batch_id!r}", where="the books", mend="See 'liu-tui batches'.")
    fills = await books.new_trades.load(batch_id)
    trips = round_trips(own(fills))
    kept = await books.trade_analysis.load(batch_id)
    if len(kept) == len(trips.closed):  # fills are only ever added, so as many trips are the same trips
        trips = RoundTrips(tuple(kept), trips.open)  # these have their mae and mfe
    return build(
        batch,
        fills,
        trips,
        await books.journal.load(batch_id),
        await books.session_events.load(batch_id),
        [_line(stands) for stands in await books.portfolio.of_batch(batch_id)],
    )


def _line(stands: PortfolioStanding) -> PortfolioLine:
    return PortfolioLine(
        portfolio=stands.portfolio_id,
        size=stands.size,
        balance=stands.balance,
        worth=stands.worth,
        result=stands.worth - stands.size,
    )
