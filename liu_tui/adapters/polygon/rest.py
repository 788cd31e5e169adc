"""Asking Polygon over REST: the key, time-outs, trying again, pages, and every no in words."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from liu_tui.adapters.net.backoff import Backoff
from liu_tui.adapters.net.loopback import is_loopback
from liu_tui.errors import FeedError

TRIES = 5
ANSWER_S = 30.0
CONNECT_S = 10.0
LONGEST_WAIT_S = 65.0  # the free plan's five calls are counted by the minute
RATE_WAIT_S = 15.0  # after a 429 that does not say how long: TRIES of them reach over a minute
_MEND_KEY = "Check POLYGON_API_KEY."
_MEND_PLAN = "The account's plan does not include it: upgrade it, or take another vendor."
_MEND_AWAY = "Check the network; see 'liu-tui doctor'."
_MEND_RATE = "The free plan has 5 calls a minute: ask for fewer symbols at a time, or upgrade."

Query = Mapping[str, str | int]


class Said(msgspec.Struct, frozen=True):
    """An error's body; anything in it may be missing."""

    status: str = ""
    error: str = ""
    message: str = ""


class _Next(msgspec.Struct, frozen=True):
    """The part of a page that says where the next one is."""

    next_url: str | None = None


class _Again(Exception):
    """Worth another try. wait_s: at least so long."""

    def __init__(self, words: str, wait_s: float = 0.0, mend: str = _MEND_AWAY) -> None:
        super().__init__(words)
        self.words, self.wait_s, self.mend = words, wait_s, mend


class Rest:
    """GET with one key. Opens its connections at the first question.

    base:         https://api.massive.com, or http://127.0.0.1:PORT; the key is sent nowhere else
    first_wait_s: before the second try, doubling
    rate_wait_s:  after a 429 that does not say how long to wait
    """

    def __init__(
        self, base: str, key: str, *, first_wait_s: float = 0.5, rate_wait_s: float = RATE_WAIT_S
    ) -> None:
        self.base = base.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": "liu-tui"}
        self._first_wait_s, self._rate_wait_s = first_wait_s, rate_wait_s
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, query: Query | None = None) -> bytes:
        """Return the answer's body. Raises FeedError, also if there is no such thing."""
        body = await self.find(path, query)
        if body is None:
            raise FeedError("not found (404)", where=self.base + path, mend="Check the symbol and the day.")
        return body

    async def find(self, path: str, query: Query | None = None) -> bytes | None:
        """As get; None if there is no such thing (404).

        Tries again on 429, 5xx, time-outs and broken connections, waiting as long as the server asks, within
        LONGEST_WAIT_S. Raises FeedError in words.
        """
        backoff = Backoff(self._first_wait_s, LONGEST_WAIT_S)
        tries = 0
        while True:
            try:
                return await self._get_once(path, query or {})
            except _Again as e:
                tries += 1
                if tries == TRIES:
                    raise FeedError(f"no answer: {e.words}", where=self.base + path, mend=e.mend) from e
                await asyncio.sleep(e.wait_s + backoff.next_s())

    async def pages(self, path: str, query: Query) -> AsyncIterator[bytes]:
        """Yield the answer's pages. Raises FeedError."""
        seen = {path}
        body = await self.get(path, query)
        while True:
            yield body
            following = self._following(body, path)
            if not following:
                return
            if following in seen:
                raise FeedError("a page that names itself as the next", where=self.base + path)
            seen.add(following)
            body = await self.get(following)

    async def close(self) -> None:
        """Let the connections go. May be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _following(self, body: bytes, path: str) -> str:
        """Path and query of the next page; "" if this was the last. Whatever its host: we ask ours."""
        try:
            parts = urlsplit(msgspec.json.decode(body, type=_Next).next_url or "")
        except (msgspec.MsgspecError, ValueError, RecursionError) as e:
            raise FeedError(f"an answer that cannot be read: {e}", where=self.base + path) from e
        if not parts.path.startswith("/"):
            return ""
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    async def _get_once(self, path: str, query: Query) -> bytes | None:
        # A next page's query is sent as it was given: encoded once more, its cursor would be another.
        url = URL(self.base + path, encoded=not query)
        try:
            async with self._open().get(url, params=query or None, allow_redirects=False) as answer:
                body = await answer.read()
                status, wait = answer.status, answer.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as e:
            raise _Again(str(e) or type(e).__name__) from e
        if status == 200:
            return body
        if status == 404:
            return None
        if status == 429:
            raise _Again("too many requests (429)", self._after_429(wait), _MEND_RATE)
        if status >= 500 or status == 408:
            raise _Again(f"the server answered {status}")
        raise _refusal(self.base + path, status, body)

    def _after_429(self, wait: str | None) -> float:
        """Count the seconds that a 429 asks us to wait, or take our own."""
        if wait is None or not (wait.isascii() and wait.isdecimal()):
            return self._rate_wait_s
        return min(float(wait), LONGEST_WAIT_S)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                trust_env=not is_loopback(self.base),
                timeout=aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S),
                connector=aiohttp.TCPConnector(limit_per_host=8),
            )
        return self._session


def said_in(body: bytes) -> Said:
    """Read an error's body; an HTML page or nothing gives what can be made of it."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body, type=Said, strict=False)
    return Said(message=body[:200].decode(errors="replace").strip())


def _refusal(url: str, status: int, body: bytes) -> FeedError:
    said = said_in(body)
    words = f"{said.error or said.message or 'no reason given'} ({status})"
    mend = ""
    if said.status == "NOT_AUTHORIZED" or status == 403:
        mend = _MEND_PLAN
    elif status == 401:
        mend = _MEND_KEY
    return FeedError(words, where=url, mend=mend)
