"""Asking Alpaca over REST: keys, time-outs, the allowance, trying again, and every no in words.

Only for questions: an order is never sent from here, so asking twice does no harm.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import aiohttp
import msgspec

from liu_tui.adapters.alpaca.allowance import (
    LONGEST_WAIT_S,
    WORTH_TELLING_S,
    Allowance,
    retry_after_s,
    seconds_until,
)
from liu_tui.adapters.net.backoff import Backoff
from liu_tui.adapters.net.loopback import is_loopback
from liu_tui.errors import FeedError

TRIES = 5
TRIES_AT_429 = 8  # with a first wait of half a second: about a minute, by which any allowance is counted
ANSWER_S = 30.0
CONNECT_S = 10.0
_MEND_KEYS = "Check APCA_API_KEY_ID and APCA_API_SECRET_KEY; paper and live keys differ."
_MEND_AWAY = "Check the network; see 'liu-tui doctor'."
_MEND_OFTEN = "Another program may be using the same keys."
Query = Mapping[str, str | int]

log = logging.getLogger(__name__)


class Said(msgspec.Struct, frozen=True):
    """An error's body; anything in it may be missing."""

    code: int = 0
    message: str = ""


class _Again(Exception):
    """Worth another try. wait_s: what the server asks for, if it has said so."""

    def __init__(self, words: str, *, often: bool = False, wait_s: float | None = None) -> None:
        super().__init__(words)
        self.words, self.often, self.wait_s = words, often, wait_s


class Rest:
    """GET with one pair of keys. Opens its connections at the first question.

    first_wait_s: the first wait before another try, at most; each further one is up to twice as long
    tell:         hears in words of each wait that is longer than two seconds; a log line if None
    """

    def __init__(
        self, key: str, secret: str, *, first_wait_s: float = 0.5, tell: Callable[[str], None] | None = None
    ) -> None:
        self._headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret, "User-Agent": "liu-tui"}
        self._first_wait_s = first_wait_s
        self._tell = tell if tell is not None else log.warning
        # One session for loopback, one for the world: only the second goes through the environment's proxy.
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._allowances: dict[str, Allowance] = {}

    async def get(self, url: str, query: Query | None = None) -> bytes:
        """Return the answer's body. Tries again on 429, 5xx, time-outs and broken connections.

        Raises FeedError in words: refused at once, or still without an answer after the last try.
        """
        allowance = self._allowance(url)
        backoff = Backoff(self._first_wait_s, LONGEST_WAIT_S)
        tries = tries_at_429 = 0
        while True:
            try:
                async with allowance.place():
                    return await self._get_once(url, query or {}, allowance)
            except _Again as e:
                tries, tries_at_429 = tries + (not e.often), tries_at_429 + e.often
                if tries == TRIES or tries_at_429 == TRIES_AT_429:
                    mend = _MEND_OFTEN if e.often else _MEND_AWAY
                    raise FeedError(f"no answer: {e.words}", where=url, mend=mend) from e
                await self._pause(url, e, backoff.next_s(), allowance)

    async def close(self) -> None:
        """Let the connections go. May be called twice."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _pause(self, url: str, why: _Again, wait_s: float, allowance: Allowance) -> None:
        if why.often:
            # The others wait too; at the allowance's door, which tells of it.
            allowance.refuse(wait_s if why.wait_s is None else why.wait_s)
            wait_s = wait_s if why.wait_s is not None else 0.0
        if wait_s > WORTH_TELLING_S:
            self._tell(f"{urlsplit(url).netloc}: {why.words}; trying again in {wait_s:.0f} s")
        await asyncio.sleep(wait_s)

    async def _get_once(self, url: str, query: Query, allowance: Allowance) -> bytes:
        try:
            async with self._session(url).get(url, params=query, allow_redirects=False) as answer:
                body, status, headers = await answer.read(), answer.status, answer.headers
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, TimeoutError, OSError) as e:
            raise _Again(str(e) or type(e).__name__) from e
        allowance.hear(headers)
        if status == 200:
            return body
        if status == 429:
            raise _Again("too many requests (429)", often=True, wait_s=_asked_wait(headers))
        if status >= 500 or status == 408:
            raise _Again(f"the server answered {status}")
        raise _refusal(url, status, body)

    def _allowance(self, url: str) -> Allowance:
        host = urlsplit(url).netloc
        if host not in self._allowances:
            self._allowances[host] = Allowance(host, self._tell)
        return self._allowances[host]

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
    """Read an error's body: its code and message. A page of HTML gives its text, nothing an empty one."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body, type=Said, strict=False)
    return Said(message=_text(body[:2_000].decode(errors="replace")))


def _text(page: str) -> str:
    """Take the tags out of a page: "<h1>502 Bad Gateway</h1>" says no more than its words."""
    words, inside = [], False
    for piece in page.replace("<", "\0<").replace(">", ">\0").split("\0"):
        inside = piece.startswith("<")
        words += [] if inside else piece.split()
    return " ".join(words)[:200]


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Count the seconds that a 429 asks for: Retry-After, or X-RateLimit-Reset; None if it says neither."""
    date = headers.get("Date")
    asked = retry_after_s(headers.get("Retry-After"), date)
    return asked if asked is not None else seconds_until(headers.get("X-RateLimit-Reset"), date)


def _refusal(url: str, status: int, body: bytes) -> FeedError:
    said = said_in(body)
    words = f"{said.message or 'no reason given'} ({status})"
    mend = ""
    if "SIP" in said.message:
        mend = "Take feed = 'iex' in [alpaca], or end 15 minutes before now."
    elif status in (401, 403):
        mend = _MEND_KEYS
    return FeedError(words, where=url, mend=mend)
