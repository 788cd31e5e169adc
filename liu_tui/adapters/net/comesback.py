"""A stream that comes back by itself: the life of its line, the same at every vendor."""

from abc import abstractmethod
from collections.abc import AsyncIterator

from liu_tui.adapters.net.closing import Closing
from liu_tui.adapters.net.dial import Lost
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState, FeedStatus, StreamingAPI, StreamItem


class ComesBack(StreamingAPI):
    """Connects, reads, tells each change of the line, and tries again until close().

    How one connects, reads, waits and hangs up is the vendor's: its stream says so in the methods below.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._closing = Closing()
        self._attempt: Closing | None = None  # shut by reconnect() while there is no connection yet
        self._cut_words = ""

    async def batches(self) -> AsyncIterator[list[StreamItem]]:
        """Yield what each frame held, and each change of the connection, until close().

        Raises FeedError, after a REFUSED status, when there is no use in trying again.
        """
        try:
            while not self._closing:
                yield [FeedStatus(FeedState.CONNECTING, self._url)]
                try:
                    first = await self._closing.race(self._try_to_connect())
                    if first is None or self._closing:
                        return
                    yield [FeedStatus(FeedState.LIVE, self._url), *first]
                    async for items in self._frames():
                        yield items
                except Lost as e:
                    words, wait_s = self._after(e)
                await self._hang_up()
                if not self._closing:
                    yield [FeedStatus(FeedState.LOST, words)]
                    await self._closing.sleep(wait_s)
        except FeedError as e:
            yield [FeedStatus(FeedState.REFUSED, str(e))]
            raise
        finally:
            await self._hang_up()

    def reconnect(self, words: str) -> None:
        """Cut the line, or the attempt at one; it is made anew. Nothing happens between two attempts."""
        if not self._drop(words) and self._attempt is not None:
            self._cut_words = words
            self._attempt.set()

    async def close(self) -> None:
        """End batches(). May be called twice."""
        self._closing.set()
        await self._hang_up()

    async def _try_to_connect(self) -> list[StreamItem]:
        self._attempt = Closing()
        try:
            items = await self._attempt.race(self._connect())
        finally:
            self._attempt = None
        if items is None:
            raise Lost(self._cut_words)
        return items

    @abstractmethod
    async def _connect(self) -> list[StreamItem]:
        """Connect, subscribe, return what came meanwhile. Raises Lost or FeedError."""

    @abstractmethod
    def _frames(self) -> AsyncIterator[list[StreamItem]]:
        """Yield the items of each frame. Ends only by raising Lost or FeedError."""

    @abstractmethod
    def _after(self, lost: Lost) -> tuple[str, float]:
        """Say what happened and how long to wait. Raises FeedError if waiting has lost its sense."""

    @abstractmethod
    def _drop(self, words: str) -> bool:
        """Cut the connection, if there is one: reading it raises Lost with these words."""

    @abstractmethod
    async def _hang_up(self) -> None:
        """Let the connection go, if there is one."""
