"""One socket of Polygon's: the hand-shake, the frames, and the answers to what was asked on it.

    connected ─▶ auth ─▶ auth_success ─▶ subscribe ─▶ one "success" or "error" for each topic, in any order

Knows nothing of trying again: that is `stream`'s. Whoever asks for a change waits for a future that `read`
fulfils, so somebody must be reading meanwhile.
"""

import asyncio
import logging

import msgspec

from liu_tui.adapters.net.dial import BROKEN, Lost, Shut, Socket, dial, in_words
from liu_tui.adapters.polygon.channels import Topics, message, must_have, some_of
from liu_tui.adapters.polygon.parse import Control, FrameReader
from liu_tui.errors import FeedError
from liu_tui.market.streaming import StreamItem

log = logging.getLogger(__name__)

WHERE = "polygon stream"
_SUBSCRIBED = "subscribed to:"
_MEND_KEY = "Check POLYGON_API_KEY, and that the account's plan has this feed's websocket."
_MEND_PLAN = "Check the symbols, subscribe other events, or upgrade the account's plan."
_MEND_ONE = "End the other program that streams with this key; Polygon gives the newest connection the place."
_LOST = {
    "force_disconnect": "Polygon cut the line (force_disconnect)",
    "auth_timeout": "Polygon did not hear the key in time (auth_timeout)",
}


class _Asked:
    """A subscription on its way. waiting: topics without an answer; errors: answers that were a no."""

    def __init__(self, topics: Topics) -> None:
        self.topics, self.waiting = topics, set(topics)
        self.errors: list[str] = []
        self.answer: asyncio.Future[FeedError | None] = asyncio.get_running_loop().create_future()

    @property
    def heard(self) -> bool:
        """Whether any answer has come."""
        return bool(self.errors) or len(self.waiting) < len(self.topics)

    @property
    def complete(self) -> bool:
        """Whether every topic has been answered; an error does not say which one it is about."""
        return len(self.errors) >= len(self.waiting)

    def settle(self, refusal: FeedError | None) -> None:
        if not self.answer.done():
            self.answer.set_result(refusal)


class Connection:
    """An authenticated socket.

    subscribed: the topics that were asked for and granted; price bands also where they were refused, for
                nobody needs them
    slow:       how often the vendor said that we do not read fast enough
    """

    def __init__(self, socket: Socket, reader: FrameReader, *, answer_s: float) -> None:
        self._socket, self._reader, self._answer_s = socket, reader, answer_s
        self._asked: _Asked | None = None
        self._live = False
        self._words = ""
        self.subscribed: Topics = frozenset()
        self.frames = 0
        self.slow = 0

    @classmethod
    async def open(
        cls, url: str, key: str, reader: FrameReader, *, open_s: float, answer_s: float
    ) -> "Connection":
        """Dial and authenticate. Raises Lost, or FeedError if the vendor refuses for good."""
        try:
            socket = await dial(url, open_s=open_s, much=True)
        except Shut as e:
            raise FeedError(e.words, where=WHERE, mend=e.mend) from e
        connection = cls(socket, reader, answer_s=answer_s)
        try:
            await connection._expect("connected")
            await connection.send({"action": "auth", "params": key})
            await connection._expect("auth_success")
        except BaseException:
            await connection.close()
            raise
        connection._live = True
        return connection

    async def read(self) -> list[StreamItem]:
        """Wait for the next frame; return what it says of the market. Raises Lost, or FeedError for good."""
        items, control = await self._read_frame()
        for said in control:
            self._hear(said)
        return items

    async def send(self, what: object) -> None:
        """Send one message. Raises Lost."""
        try:
            await self._socket.send(msgspec.json.encode(what).decode())
        except BROKEN as e:
            raise Lost(self._words or in_words(e)) from e

    async def request(self, wanted: Topics) -> "asyncio.Future[FeedError | None]":
        """Ask for exactly this set: at most one message for what is gone and one for what is new.

        The future holds None when granted (or when the connection was lost), or the vendor's refusal, after
        which the set is what was granted. Raises Lost.
        """
        self._give_up()
        gone, new = self.subscribed - wanted, wanted - self.subscribed
        asked = _Asked(new)
        if gone:
            # Not waited for: nothing is wrong with a topic that still comes for a moment.
            await self.send(message("unsubscribe", gone))
            self.subscribed -= gone
        if new:
            self._asked = asked
            await self.send(message("subscribe", new))
        else:
            asked.settle(None)
        return asked.answer

    def conclude(self) -> bool:
        """Wait for answers no longer. Returns whether any has come: if none has, the line is dead.

        If the vendor said no to something, all that it did not grant is refused; else what it did not mention
        is taken for granted.
        """
        asked = self._asked
        if asked is None or not asked.heard:
            return asked is None
        self._finish(asked)
        return True

    def drop(self, words: str) -> None:
        """Cut the line at once; `read` will say Lost with these words."""
        self._words = words
        self._socket.transport.abort()

    async def close(self) -> None:
        """Hang up. May be called twice."""
        self._give_up()
        await self._socket.close()

    async def _read_frame(self) -> tuple[list[StreamItem], list[Control]]:
        try:
            frame = await self._socket.recv(decode=False)
        except BROKEN as e:
            self._give_up()
            raise Lost(self._words or in_words(e)) from e
        self.frames += 1
        return self._reader.read(frame)

    async def _expect(self, word: str) -> None:
        try:
            async with asyncio.timeout(self._answer_s):
                while True:
                    _items, control = await self._read_frame()
                    for said in control:
                        self._hear(said)
                    if any(said.status == word for said in control):
                        return
        except TimeoutError:
            raise Lost(f"no {word!r} within {self._answer_s:g} s") from None

    def _hear(self, said: Control) -> None:
        match said.status:
            case "success":
                self._granted(said.message)
            case "error" | "auth_failed" if self._asked is not None:
                self._asked.errors.append(said.message)
                self._look_whether_complete()
            case "auth_failed":
                raise FeedError(f"key refused: {said.message}", where=WHERE, mend=_MEND_KEY)
            case "max_connections":
                self._evicted(said.message)
            case "slow_consumer":
                self.slow += 1
                self._words = "Polygon cut the line: we did not read fast enough (slow_consumer)"
                log.warning("%s: we do not read fast enough (slow_consumer)", WHERE)
            case "error" if not self._live:
                raise Lost(said.message or "an error without words")
            case "force_disconnect" | "auth_timeout":
                raise Lost(_LOST[said.status])
            case "error":
                log.warning("%s: %s", WHERE, said.message)

    def _granted(self, words: str) -> None:
        asked = self._asked
        if asked is None or not words.startswith(_SUBSCRIBED):
            return  # of an unsubscription, or of one that is not waited for any more
        asked.waiting -= {topic.strip() for topic in words.removeprefix(_SUBSCRIBED).split(",")}
        self._look_whether_complete()

    def _look_whether_complete(self) -> None:
        if self._asked is not None and self._asked.complete:
            self._finish(self._asked)

    def _finish(self, asked: _Asked) -> None:
        refused = must_have(asked.waiting) if asked.errors else frozenset()
        self.subscribed |= asked.topics - refused
        self._asked = None
        if refused:
            words = f"{some_of(refused)} refused: {asked.errors[0] or 'no reason given'}"
            asked.settle(FeedError(words, where=WHERE, mend=_MEND_PLAN))
        else:
            asked.settle(None)

    def _evicted(self, words: str) -> None:
        if self._live:
            # Coming back would evict the other one, which would come back too.
            what = f"another program took the only connection with this key ({words or 'max_connections'})"
            raise FeedError(what, where=WHERE, mend=_MEND_ONE)
        raise Lost("another connection holds the key's only place (max_connections)", slot_taken=True)

    def _give_up(self) -> None:
        if self._asked is not None:
            self._asked.settle(None)
            self._asked = None
