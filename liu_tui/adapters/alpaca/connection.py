"""One market data socket: the hand-shake, the frames, and the answers to what was asked on it.

Knows nothing of trying again: that is `stream`'s. Whoever asks for a change waits for a future that `read`
fulfils, so somebody must be reading meanwhile.
"""

import asyncio
import logging
from collections import deque

import msgspec
from websockets.asyncio.client import ClientConnection

from liu_tui.adapters.alpaca.channels import Channels, message, minus, nothing, some_symbols
from liu_tui.adapters.alpaca.parse import Control, FrameReader, Refusal, Subscribed, Success
from liu_tui.adapters.alpaca.sockets import BROKEN, Lost, Shut, dial, in_words
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
_ANSWERS = {
    400: ("a symbol that Alpaca cannot read", "Check the spelling of the symbols."),
    405: (
        "the account's symbol allowance is exceeded",
        "Lower max_symbols in the plan, or upgrade (Basic has 30).",
    ),
    410: ("a channel that this feed does not have", "Subscribe other events, or take another feed."),
}


class _Asked:
    """A request on its way: what was asked, what is subscribed if granted, and who waits for the answer."""

    def __init__(self, asked: Channels, then: Channels) -> None:
        self.asked, self.then = asked, then
        self.answer: asyncio.Future[FeedError | None] = asyncio.get_running_loop().create_future()

    def settle(self, refusal: FeedError | None) -> None:
        if not self.answer.done():
            self.answer.set_result(refusal)


class Connection:
    """An authenticated socket.

    subscribed: what was asked for and granted
    slow:       how often the vendor said that we do not read fast enough
    """

    def __init__(self, socket: ClientConnection, reader: FrameReader, *, answer_s: float) -> None:
        self._socket, self._reader, self._answer_s = socket, reader, answer_s
        self._pending: deque[_Asked] = deque()
        self._words = ""
        self.subscribed = nothing()
        self.frames = 0
        self.slow = 0

    @classmethod
    async def open(
        cls, url: str, key: str, secret: str, reader: FrameReader, *, open_s: float, answer_s: float
    ) -> "Connection":
        """Dial and authenticate. Raises Lost, or FeedError if the vendor refuses for good."""
        try:
            socket = await dial(url, open_s=open_s, content_type="application/msgpack")
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
            raise Lost(self._words or in_words(e)) from e

    async def request(self, wanted: Channels) -> list[asyncio.Future[FeedError | None]]:
        """Ask for exactly this set: at most one message for what is gone and one for what is new.

        Each future holds None when granted (or when the connection was lost), or the vendor's refusal, after
        which the set is as before that message. Raises Lost.
        """
        gone, new = minus(self.subscribed, wanted), minus(wanted, self.subscribed)
        asked = []
        # First what is gone: the allowance may not hold both.
        if any(gone.values()):
            asked.append(await self._ask("unsubscribe", gone, minus(self.subscribed, gone)))
        if any(new.values()):
            asked.append(await self._ask("subscribe", new, wanted))
        return asked

    def drop(self, words: str) -> None:
        """Cut the line at once; `read` will say Lost with these words."""
        self._words = words
        self._socket.transport.abort()

    async def close(self) -> None:
        """Hang up. May be called twice."""
        self._settle_all()
        await self._socket.close()

    async def _ask(self, action: str, what: Channels, then: Channels) -> asyncio.Future[FeedError | None]:
        asked = _Asked(what, then)
        self._pending.append(asked)
        await self.send(message(action, what))
        return asked.answer

    async def _read_frame(self) -> tuple[list[StreamItem], list[Control]]:
        try:
            frame = await self._socket.recv(decode=False)
        except BROKEN as e:
            self._settle_all()
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
                    if any(isinstance(said, Success) and said.msg == word for said in control):
                        return
        except TimeoutError:
            raise Lost(f"no {word!r} within {self._answer_s:g} s") from None

    def _hear(self, said: Control) -> None:
        match said:
            case Subscribed() if self._pending:
                asked = self._pending.popleft()
                self.subscribed = asked.then
                asked.settle(None)
            case Refusal():
                self._refused(said)

    def _refused(self, said: Refusal) -> None:
        code, words = said.code, f"{said.msg} ({said.code})"
        if code in _ANSWERS and self._pending:
            asked = self._pending.popleft()
            what, mend = _ANSWERS[code]
            asked.settle(FeedError(f"{what} ({code}): {some_symbols(asked.asked)}", where=WHERE, mend=mend))
        elif code in _FINAL:
            what, mend = _FINAL[code]
            raise FeedError(f"{what} ({code}: {said.msg})", where=WHERE, mend=mend)
        elif code == _SLOW:
            self.slow += 1
            self._words = "Alpaca cut the line: we did not read fast enough (407)"
            log.warning("%s: we do not read fast enough (407)", WHERE)
        elif code == _SLOT_TAKEN:
            raise Lost("another connection holds the account's only slot (406)", slot_taken=True)
        elif code != _HARMLESS:
            raise Lost(words)

    def _settle_all(self) -> None:
        while self._pending:
            self._pending.popleft().settle(None)
