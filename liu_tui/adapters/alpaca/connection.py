"""One market data socket: the hand-shake, the frames, and the answers to what was asked on it.

Knows nothing of trying again: that is `stream`'s. Nor of asking for less: that is `bargain`'s.
"""

import asyncio
import logging
from collections import deque

import msgspec

from liu_tui.adapters.alpaca.channels import EVENTS, Channels, message, minus, nothing, plus
from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.adapters.alpaca.wire import Control, Refusal, Subscribed, Success
from liu_tui.adapters.net.dial import BROKEN, Lost, Shut, Socket, dial, in_words
from liu_tui.errors import FeedError
from liu_tui.market.streaming import StreamItem

log = logging.getLogger(__name__)

WHERE = "alpaca stream"

_SLOT_TAKEN = 406
_SLOW = 407
_HARMLESS = 403  # already authenticated
_FINAL = {
    402: ("keys refused", "Check APCA_API_KEY_ID and APCA_API_SECRET_KEY; paper and live keys differ."),
    408: ("this account has no v2 data", "Ask Alpaca to enable it."),
    409: (
        "the account's subscription does not include this feed",
        "Take feed = 'iex' in [alpaca], or upgrade.",
    ),
    411: ("the token's scope does not include market data", "Use an API key pair."),
}
_AGAIN = {
    401: "Alpaca does not take us for logged in",
    404: "Alpaca says that our keys came too late",
    500: "a fault within Alpaca",
}


class _Asked:
    """A request on its way, and who waits for its answer; None if the line was lost first."""

    def __init__(self, action: str, what: Channels) -> None:
        self.action, self.what = action, what
        self.answer: asyncio.Future[Subscribed | Refusal | None] = asyncio.get_running_loop().create_future()

    def settle(self, answer: Subscribed | Refusal | None) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class Connection:
    """An authenticated socket.

    subscribed: what was asked for and granted
    lacking:    channels that this feed has not
    slow:       how often the vendor said that we do not read fast enough
    """

    def __init__(self, socket: Socket, reader: FrameReader, *, answer_s: float) -> None:
        self._socket, self._reader, self._answer_s = socket, reader, answer_s
        self._pending: deque[_Asked] = deque()
        self._words = ""
        self.subscribed = nothing()
        self.lacking: set[str] = set()
        self.slow = 0

    @classmethod
    async def open(
        cls, url: str, key: str, secret: str, reader: FrameReader, *, open_s: float, answer_s: float
    ) -> "Connection":
        """Dial and authenticate. Raises Lost, or FeedError if the vendor refuses for good."""
        try:
            socket = await dial(url, open_s=open_s, content_type="application/msgpack", much=True)
        except Shut as e:
            raise FeedError(e.words, where=WHERE, mend=e.mend) from e
        connection = cls(socket, reader, answer_s=answer_s)
        try:
            await connection._expect("connected")
            await connection.send({"action": "auth", "key": key, "secret": secret})
            await connection._expect("authenticated")
        except BaseException:
            await connection.close()
            raise
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
            await self._socket.send(msgspec.msgpack.encode(what))
        except BROKEN as e:
            raise self._lost(e) from e

    async def ask(
        self, action: str, what: Channels, into: list[StreamItem] | None = None
    ) -> Subscribed | Refusal:
        """Ask to "subscribe" or "unsubscribe", and wait for the answer; after a no the set is as before.

        into: read meanwhile, and put the items there; None: somebody else is reading
        Raises Lost, also without an answer in time; FeedError for good.
        """
        asked = _Asked(action, what)
        try:
            async with asyncio.timeout(self._answer_s):
                self._pending.append(asked)
                await self.send(message(action, what))
                while into is not None and not asked.answer.done():
                    into += await self.read()
                answer = await asked.answer
        except TimeoutError:
            self.drop(f"no answer to a subscription within {self._answer_s:g} s")
            raise Lost(self._words) from None
        if answer is None:
            raise Lost(self._words or "closed")
        return answer

    def drop(self, words: str) -> None:
        """Cut the line at once; `read` will say Lost with these words."""
        self._words = words
        self._socket.transport.abort()

    async def close(self) -> None:
        """Hang up. May be called twice."""
        self._settle_all()
        await self._socket.close()

    async def _read_frame(self) -> tuple[list[StreamItem], list[Control]]:
        try:
            frame = await self._socket.recv(decode=False)
        except BROKEN as e:
            lost = self._lost(e)
            self._settle_all()
            raise lost from e
        return self._reader.read(frame)

    async def _expect(self, word: str) -> None:
        try:
            async with asyncio.timeout(self._answer_s):
                while True:
                    _items, control = await self._read_frame()
                    for said in control:
                        self._hear(said)
                    if any(isinstance(said, Success) and said.msg == word for said in control):
                        return
        except TimeoutError:
            raise Lost(f"no {word!r} within {self._answer_s:g} s") from None

    def _hear(self, said: Control) -> None:
        match said:
            case Subscribed() if self._pending:
                asked = self._pending.popleft()
                self.subscribed = _after(self.subscribed, asked, said)
                asked.settle(said)
            case Refusal():
                self._refused(said)

    def _refused(self, said: Refusal) -> None:
        code = said.code
        if code in _FINAL:
            what, mend = _FINAL[code]
            raise FeedError(f"{what} ({code}: {said.msg})", where=WHERE, mend=mend)
        if code == _SLOW:
            self.slow += 1
            self._words = "Alpaca cut the line: we did not read fast enough (407)"
            log.warning("%s: we do not read fast enough (407)", WHERE)
        elif code == _SLOT_TAKEN:
            raise Lost("another connection holds the account's only slot (406)", slot_taken=True)
        elif code in _AGAIN or (code != _HARMLESS and not self._pending):
            words = _AGAIN.get(code, "Alpaca says no")
            raise Lost(f"{words} ({code}: {said.msg})")
        elif code != _HARMLESS:
            self._pending.popleft().settle(said)

    def _lost(self, e: BaseException) -> Lost:
        return Lost(self._words or in_words(e))

    def _settle_all(self) -> None:
        while self._pending:
            self._pending.popleft().settle(None)


def _after(before: Channels, asked: _Asked, said: Subscribed) -> Channels:
    # Alpaca tells the whole set. In the channels of events nothing else is believed: what it does not name
    # does not come.
    after = (plus if asked.action == "subscribe" else minus)(before, asked.what)
    return after | {name: after[name].intersection(getattr(said, name) or ()) for name in EVENTS}
