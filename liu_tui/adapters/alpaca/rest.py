"""Asking Alpaca over REST: keys, time-outs, trying again, and every no in words.

Only for questions: an order is never sent from here, so asking twice does no harm.
"""

import asyncio
import contextlib
from collections.abc import Mapping

import aiohttp
import msgspec

from liu_tui.adapters.alpaca.backoff import Backoff
from liu_tui.adapters.alpaca.loopback import is_loopback
from liu_tui.errors import FeedError
from liu_tui.model.clock import wall_ns
from liu_tui.model.market import SECOND_NS

TRIES = 5
ANSWER_S = 30.0
CONNECT_S = 10.0
LONGEST_WAIT_S = 65.0  # the allowance is counted by the minute
_MEND_KEYS = "Check APCA_API_KEY_ID and APCA_API_SECRET_KEY; paper and live keys differ."
_MEND_AWAY = "Check the network; see 'liu-tui doctor'."


class Said(msgspec.Struct, frozen=True):
    """An error's body; anything in it may be missing."""

    code: int = 0
    message: str = ""


class _Again(Exception):
    """Worth another try. wait_s: at least so long, as the server asks."""

    def __init__(self, words: str, wait_s: float = 0.0) -> None:
        super().__init__(words)
        self.words, self.wait_s = words, wait_s


class Rest:
    """GET with one pair of keys. Opens its connections at the first question."""

    def __init__(self, key: str, secret: str, *, first_wait_s: float = 0.5) -> None:
        self._headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret, "User-Agent": "liu-tui"}
        self._first_wait_s = first_wait_s
        # One session for loopback, one for the world: only the second goes through the environment's proxy.
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def get(self, url: str, query: Mapping[str, str | int] | None = None) -> bytes:
        """Return the answer's body. Tries again on 429, 5xx, time-outs and broken connections.

        Raises FeedError in words: refused at once, or still without an answer after the last try.
        """
        backoff = Backoff(self._first_wait_s, LONGEST_WAIT_S)
        tries = 0
        while True:
            try:
                return await self._get_once(url, query or {})
            except _Again as e:
                tries += 1
                if tries == TRIES:
                    raise FeedError(f"no answer: {e.words}", where=url, mend=_MEND_AWAY) from e
                await asyncio.sleep(e.wait_s + backoff.next_s())

    async def close(self) -> None:
        """Let the connections go. May be called twice."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _get_once(self, url: str, query: Mapping[str, str | int]) -> bytes:
        try:
            async with self._session(url).get(url, params=query, allow_redirects=False) as answer:
                body = await answer.read()
                status, reset = answer.status, answer.headers.get("X-RateLimit-Reset")
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise _Again(str(e) or type(e).__name__) from e
        if status == 200:
            return body
        if status == 429:
            raise _Again("too many requests (429)", _until(reset))
        if status >= 500 or status == 408:
            raise _Again(f"the server answered {status}")
        raise _refusal(url, status, body)

    def _session(self, url: str) -> aiohttp.ClientSession:
        local = is_loopback(url)
        if local not in self._sessions:
            self._sessions[local] = aiohttp.ClientSession(
                headers=self._headers,
                trust_env=not local,
                timeout=aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S),
                connector=aiohttp.TCPConnector(limit_per_host=8),
            )
        return self._sessions[local]


def said_in(body: bytes) -> Said:
    """Read an error's body; an HTML page or nothing gives an empty one."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(body, type=Said, strict=False)
    return Said(message=body[:200].decode(errors="replace").strip())


def _until(reset: str | None) -> float:
    """Count the seconds to X-RateLimit-Reset (Unix time), when the allowance is full again; 0 if not said."""
    if reset is None or not (reset.isascii() and reset.isdecimal()):
        return 0.0
    return min(max(0.0, int(reset) - wall_ns() / SECOND_NS), LONGEST_WAIT_S)


def _refusal(url: str, status: int, body: bytes) -> FeedError:
    said = said_in(body)
    words = f"{said.message or 'no reason given'} ({status})"
    mend = ""
    if "SIP" in said.message:
        mend = "Take feed = 'iex' in [alpaca], or end 15 minutes before now."
    elif status in (401, 403):
        mend = _MEND_KEYS
    return FeedError(words, where=url, mend=mend)
