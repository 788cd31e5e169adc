"""StreamingAPI: the port through which live market data enters."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Set
from enum import StrEnum

import msgspec

from liu_tui.model.clock import Anchor
from liu_tui.model.market import Bar, Event, Quote, Step, Trade


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


class Halt(msgspec.Struct, frozen=True, array_like=True, tag="halt", gc=False):
    """A symbol stopped (halted=True) or resumed trading."""

    symbol: str
    t_ns: int
    halted: bool
    words: str = ""


class SessionEnd(msgspec.Struct, frozen=True, array_like=True, tag="end", gc=False):
    """A recorded or simulated session is over: nothing more comes, though the connection stays."""

    t_ns: int


StreamItem = Trade | Quote | Bar | Halt | Step | Anchor | FeedStatus | SessionEnd
"""What a feed yields. Bars have span_ns MINUTE_NS; nobody sends second bars but a vendor that has them."""


class StreamingAPI(ABC):
    """One connection to a vendor's live data. It reconnects and subscribes again by itself.

    Anything else than a StreamItem never leaves the adapter: what cannot be read is counted in `refused`.
    """

    refused: int = 0
    """Messages that could not be read."""

    @abstractmethod
    def batches(self) -> AsyncIterator[list[StreamItem]]:
        """Yield what each frame held, in order, until close(); connects at the first step.

        Raises FeedError if the vendor refuses for good (keys, entitlement), in words with the mend.
        """

    @abstractmethod
    async def subscribe(self, wanted: Mapping[Event, Set[str]]) -> None:
        """Make the subscriptions exactly these symbols for these events; sends only the difference.

        SECOND means trades where the vendor has no second bars. Returns when the vendor has confirmed, or at
        once if the connection is down: the set is then sent at the next connect.
        Raises FeedError if the vendor refuses, e.g. a symbol allowance, naming it.
        """

    @abstractmethod
    async def acknowledge(self, n: int) -> None:
        """Lock-step: everybody has finished step n; the market may go on."""

    @abstractmethod
    async def close(self) -> None:
        """End batches(). May be called twice."""
