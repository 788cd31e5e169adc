"""DataAPI: the port through which the past and the whole market's present are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import date

from liu_tui.errors import FeedError
from liu_tui.model.clock import Anchor, SessionHours
from liu_tui.model.market import (
    MINUTE_NS,
    Adjustment,
    Asset,
    Bar,
    CorporateAction,
    Quote,
    Snapshot,
    Trade,
)


class DataAPI(ABC):
    """What a vendor knows of the past, and of all symbols now. Nothing is later than the venue's now.

    What is not abstract here not every vendor has: one that has not raises FeedError.
    """

    @abstractmethod
    async def bars(
        self,
        symbols: Iterable[str],
        start_ns: int,
        end_ns: int,
        *,
        span_ns: int = MINUTE_NS,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> dict[str, list[Bar]]:
        """Bars that start at or after start_ns and end at or before end_ns, oldest first, per symbol.

        Symbols without bars map to an empty list. Raises FeedError, also for a span or an adjustment that
        the vendor does not have.
        """

    async def trades(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Trade]]:
        """Prints of a span, both ends included, oldest first; none map to an empty list. Raises FeedError."""
        raise self._absent("prints of the past")

    async def quotes(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Quote]]:
        """Best bids and asks of a span, both ends included, oldest first. Raises FeedError."""
        raise self._absent("quotes of the past")

    async def latest_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """The last print of each symbol; unknown symbols are absent. Raises FeedError."""
        raise self._absent("latest prints")

    async def latest_quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """The quote of each symbol as it stands; unknown symbols are absent. Raises FeedError."""
        raise self._absent("latest quotes")

    async def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> list[CorporateAction]:
        """Splits, dividends and renames of the days from start to end, both included, by day.

        Raises FeedError.
        """
        raise self._absent("corporate actions")

    async def sessions(self, start: date, end: date) -> list[SessionHours]:
        """The venue's own calendar: its sessions from start to end, both included. Raises FeedError."""
        raise self._absent("calendar")

    @abstractmethod
    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        """The latest of each symbol; unknown symbols are absent. Raises FeedError."""

    @abstractmethod
    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """(symbol, shares traded today), most first. Raises FeedError."""

    @abstractmethod
    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """(symbol, percent against yesterday's close): `top` gainers, then `top` losers. Raises FeedError."""

    @abstractmethod
    async def assets(self) -> list[Asset]:
        """Every tradable name, sorted by symbol. Raises FeedError."""

    @abstractmethod
    async def hours(self) -> SessionHours:
        """The venue's present session, or the next if none is under way. Raises FeedError."""

    @abstractmethod
    async def anchor(self) -> Anchor:
        """The venue's time now. Raises FeedError."""

    @abstractmethod
    async def close(self) -> None:
        """Let the connections go. May be called twice."""

    def _absent(self, what: str) -> FeedError:
        return FeedError(f"this vendor has no {what}", where=type(self).__name__, mend="Take another vendor.")
