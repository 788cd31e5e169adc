"""What every REST answer has in common: the door (keys, rate), Alpaca's error bodies, its headers."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from liu_tui.errors import LiuError
from liu_tui.localmarket.auth import Answer, Keys
from liu_tui.localmarket.rfc3339 import read_time
from liu_tui.model.clock import monotonic_ns, wall_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS, normal_symbols
from liu_tui.trading.matching.refusals import ExchangeRefusal

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)

UNLIMITED = 10_000
"""What the headers say where nothing is ever refused: Alpaca's largest plan."""


class Gate:
    """Lets requests in, counts them, and words whatever goes wrong as Alpaca does.

    rate_limit: requests a minute of wall time; 0 never refuses
    streams:    paths of the websockets, which have doors of their own
    """

    def __init__(self, keys: Keys, rate_limit: int, streams: frozenset[str]) -> None:
        self._keys, self._limit, self._streams = keys, rate_limit, streams
        self._minute, self._count = 0, 0
        self.last_ns = monotonic_ns()

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request."""
        if request.path in self._streams:
            return await handler(request)
        self.last_ns = monotonic_ns()
        headers = self._count_one()
        response = self._refuse(request) or await _answer(request, handler)
        for name, value in headers.items():
            response.headers.setdefault(name, value)  # a fault may have said that nothing remains
        return response

    def _count_one(self) -> dict[str, str]:
        minute = wall_ns() // MINUTE_NS
        if minute != self._minute:
            self._minute, self._count = minute, 0
        self._count += 1
        limit = self._limit or UNLIMITED
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - self._count)),
            "X-RateLimit-Reset": str((minute + 1) * MINUTE_NS // SECOND_NS),
            "X-Request-ID": uuid.uuid4().hex,
        }

    def _refuse(self, request: web.Request) -> web.Response | None:
        answer = self._keys.check_headers(request.headers)
        if answer is Answer.NO_KEYS:
            return reply({"message": "unauthorized."}, status=401)
        if answer is Answer.WRONG:
            return reply({"message": "forbidden."}, status=403)
        if self._limit and self._count > self._limit:
            return fault(429, 42910000, "too many requests")
        return None


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ExchangeRefusal as e:
        return fault(e.http, e.broker_code, e.what, **e.context)
    except LiuError as e:
        log.error("%s %s failed: %s", request.method, request.path, e)  # noqa: TRY400 - it says what, where, mend
        return fault(500, 50010000, "internal server error occurred")
    except web.HTTPNotFound:
        return fault(404, 40410000, "endpoint not found")
    except web.HTTPMethodNotAllowed:
        return fault(405, 40510000, "method not allowed")
    except web.HTTPException as e:
        return fault(e.status, 0, e.reason.lower())


def reply(words: Any, *, status: int = 200) -> web.Response:
    """An answer with a JSON body."""
    return web.Response(body=msgspec.json.encode(words), status=status, content_type="application/json")


def fault(status: int, code: int, message: str, **context: str) -> web.Response:
    """A no, as Alpaca words it. code: of the trading API; 0 leaves it out, as the data API does."""
    known: dict[str, Any] = {"code": code} if code else {}
    return reply(known | {"message": message} | context, status=status)


def bad_request(message: str) -> ExchangeRefusal:
    """A request that cannot be read (400)."""
    return ExchangeRefusal(400, 40010000, message)


def bad_query(message: str) -> ExchangeRefusal:
    """A question to the data API that cannot be read (400): a text, and no code."""
    return ExchangeRefusal(400, 0, message)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; an empty body is an empty one. Raises ExchangeRefusal (400)."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError as e:
        raise bad_request(f"request body is not a JSON object: {e}") from e


def whole(request: web.Request, key: str, default: int, *, most: int) -> int:
    """A whole number from 1 to `most` of the query. Raises ExchangeRefusal (400)."""
    said = request.query.get(key)
    if said is None:
        return default
    if not said.isdecimal() or not 1 <= int(said) <= most:
        raise bad_request(f"invalid {key}: a number from 1 to {most}, was {said!r}")
    return int(said)


def moment(request: web.Request, key: str) -> int | None:
    """A time of the query in UTC nanoseconds; None if it is not there. Raises ExchangeRefusal (400)."""
    said = request.query.get(key)
    if not said:
        return None
    try:
        return read_time(said)
    except ValueError as e:
        raise bad_request(f"invalid {key}: an RFC 3339 time, was {said!r}") from e


def truth(request: web.Request, key: str) -> bool:
    """A yes or no of the query; alpaca-py writes `True`."""
    return request.query.get(key, "").lower() == "true"


def names(request: web.Request) -> list[str]:
    """The query's `symbols` in the house's spelling, in its order, each once; [] if it is not there."""
    said = request.query.get("symbols", "")
    return normal_symbols(symbol for symbol in said.split(",") if symbol.strip())
