"""Who is let in to Polygon's face, how often, and every no in its words."""

import logging
import secrets
import uuid
from typing import Any

from aiohttp import web

from liu_tui.errors import LiuError
from liu_tui.localmarket.lines import Refusals
from liu_tui.localmarket.rest import Gate, Handler, reply
from liu_tui.model.clock import monotonic_ns, wall_ns
from liu_tui.model.market import MINUTE_NS
from liu_tui.trading.matching.refusals import ExchangeRefusal

log = logging.getLogger(__name__)

_PATHS = ("/v2/aggs/", "/v2/snapshot/", "/v2/last/", "/v3/", "/vX/", "/v1/marketstatus/", "/v1/open-close/")


class PolygonDoor:
    """Answers the requests of Polygon's paths.

    key:        the only one that is let in; any if empty
    rate_limit: requests a minute of wall time; 0 never refuses. The free plan has 5
    refusals:   what faults refuse, besides; asked by each client of the stream
    last_ns:    monotonic time of the last request
    """

    def __init__(self, key: str, rate_limit: int, refusals: Refusals | None = None) -> None:
        self._key, self._limit = key, rate_limit
        self.refusals = refusals if refusals is not None else Refusals()
        self._minute, self._count = 0, 0
        self.last_ns = monotonic_ns()

    def covers(self, path: str) -> bool:
        """Whether this is one of Polygon's paths."""
        return path.startswith(_PATHS)

    def admits(self, key: str) -> bool:
        """Whether somebody with this key is let in."""
        return bool(key) and (not self._key or secrets.compare_digest(key.encode(), self._key.encode()))

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request."""
        self.last_ns = monotonic_ns()
        return self._refuse(request) or await _answer(request, handler)

    def _refuse(self, request: web.Request) -> web.Response | None:
        key = _key_of(request)
        if not key:
            return no(401, "ERROR", "API Key was not provided")
        if not self.admits(key):
            return no(401, "ERROR", "Unknown API Key")
        minute = wall_ns() // MINUTE_NS
        if minute != self._minute:
            self._minute, self._count = minute, 0
        self._count += 1
        if self._limit and self._count > self._limit:
            words = (
                "You've exceeded the maximum requests per minute, please wait or upgrade your subscription."
            )
            return no(429, "ERROR", words)
        return None


class Doors:
    """Sends each request to its own door."""

    def __init__(self, polygon: PolygonDoor, others: Gate) -> None:
        self._polygon, self._others = polygon, others

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request."""
        door = self._polygon if self._polygon.covers(request.path) else self._others
        return await door(request, handler)


def yes(words: dict[str, Any]) -> web.Response:
    """An answer with Polygon's two usual words in it."""
    return reply({"status": "OK", "request_id": uuid.uuid4().hex} | words)


def no(status: int, word: str, message: str) -> web.Response:
    """A refusal."""
    key = "message" if word == "NOT_FOUND" else "error"
    return reply({"status": word, "request_id": uuid.uuid4().hex, key: message}, status=status)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ExchangeRefusal as e:
        return no(e.http, "NOT_FOUND" if e.http == 404 else "ERROR", e.what)
    except LiuError as e:
        log.error("%s %s failed: %s", request.method, request.path, e)  # noqa: TRY400 - it says what, where, mend
        return no(500, "ERROR", "internal server error")
    except web.HTTPException as e:
        return no(e.status, "NOT_FOUND" if e.status == 404 else "ERROR", e.reason)


def _key_of(request: web.Request) -> str:
    scheme, _, words = request.headers.get("Authorization", "").partition(" ")
    return words.strip() if scheme.lower() == "bearer" else request.query.get("apiKey", "")
