"""DataAPI: the port through which the past and the whole market's present are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from liu_tui.model.clock import Anchor, SessionHours
from liu_tui.model.market import MINUTE_NS, Asset, Bar, Snapshot


class DataAPI(ABC):
    """What a vendor knows of the past, and of all symbols now. Nothing is later than the venue's now."""

    @abstractmethod
    async def bars(
        self, symbols: Iterable[str], start_ns: int, end_ns: int, *, span_ns: int = MINUTE_NS
    ) -> dict[str, list[Bar]]:
        """Bars that start at or after start_ns and end at or before end_ns, oldest first, per symbol.

        Symbols without bars map to an empty list. Raises FeedError.
        """

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
