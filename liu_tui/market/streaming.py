"""StreamingAPI: the port through which live market data enters."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Set
from enum import StrEnum

import msgspec

from liu_tui.model.clock import Anchor
from liu_tui.model.market import Event, Halt, MarketEvent, MarketNote, Step

__all__ = ["FeedState", "FeedStatus", "Halt", "SessionEnd", "StreamItem", "StreamingAPI", "Unreadable"]


class FeedState(StrEnum):
    """How the connection stands; shown on the console."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    REFUSED = "refused"  # keys or entitlement: no use in trying again


class FeedStatus(msgspec.Struct, frozen=True, array_like=True, tag="feed", gc=False):
    """A change of the connection, in words."""

    state: FeedState
    words: str = ""


class SessionEnd(msgspec.Struct, frozen=True, array_like=True, tag="end", gc=False):
    """A recorded or simulated session is over: nothing more comes, though the connection stays."""

    t_ns: int


class Unreadable(msgspec.Struct, frozen=True, array_like=True, tag="unreadable", gc=False):
    """Messages came that could not be read: something may be missing here. words: the first fault."""

    count: int
    words: str = ""


StreamItem = MarketEvent | MarketNote | Step | Anchor | FeedStatus | SessionEnd | Unreadable
"""What a feed yields. Minute bars may come again `revised`; a bar of DAY_NS is today's so far; second bars
come only from a vendor that has them."""


class StreamingAPI(ABC):
    """One connection to a vendor's live data. It reconnects and subscribes again by itself.

    Anything else than a StreamItem never leaves the adapter: what cannot be read is counted in `refused`, and
    an Unreadable stands in its place.

    refused:  messages that could not be read
    slow:     how often the vendor said that we do not read fast enough
    delay_ns: how far this feed is behind the market by its own declaration
    left_out: symbols of the wanted set that the vendor's allowance has no room for
    """

    refused: int = 0
    slow: int = 0
    delay_ns: int = 0
    left_out: frozenset[str] = frozenset()

    @abstractmethod
    def batches(self) -> AsyncIterator[list[StreamItem]]:
        """Yield what each frame held, in order, until close(); connects at the first step.

        Raises FeedError if the vendor refuses for good (keys, entitlement), in words with the mend.
        """

    @abstractmethod
    async def subscribe(self, wanted: Mapping[Event, Set[str]]) -> frozenset[str]:
        """Make the subscriptions exactly these symbols for these events; sends only the difference.

        SECOND means trades where the vendor has no second bars. Halts, price bands, corrections and revised
        bars come with any event of a symbol, where the vendor has them. Returns when the vendor has
        confirmed, or at once if the connection is down: the set is then sent at the next connect.

        returns: the symbols left out because the vendor's allowance was full; those that come first in each
                 set (sets keep no order: by symbol) are kept
        Raises FeedError if the vendor refuses for another reason, naming it.
        """

    @abstractmethod
    def reconnect(self, words: str) -> None:
        """Cut the line because it is quiet; batches() says LOST with these words, and tries again."""

    @abstractmethod
    async def acknowledge(self, n: int) -> None:
        """Lock-step: everybody has finished step n; the market may go on."""

    @abstractmethod
    async def close(self) -> None:
        """End batches(). May be called twice."""
