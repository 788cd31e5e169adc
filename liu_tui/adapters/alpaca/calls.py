"""alpaca-py's TradingClient, made fit for a desk: in threads of its own, with time-outs, asking only once.

Untouched it blocks, waits for ever, sleeps three seconds between tries, and repeats even the POST of an order
after a 504. So private fields of its are set here, which is why its minor version is pinned.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec

from liu_tui.adapters.net.loopback import is_loopback
from liu_tui.errors import BrokerAway, TraderError

THREADS = 4
CONNECT_S = 5.0
ANSWER_S = 15.0
Query = Mapping[str, str | int]


class Rate(msgspec.Struct, frozen=True):
    """The allowance as last told; 0 if unknown. limit, remaining: requests; reset_s: Unix time."""

    limit: int = 0
    remaining: int = 0
    reset_s: int = 0


class Calls:
    """GET, POST and DELETE under /v2. The import of alpaca-py, over a second, begins in a thread at once."""

    def __init__(self, url: str, key: str, secret: str, *, answer_s: float = ANSWER_S) -> None:
        self.rate = Rate()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="alpaca-rest")
        self._client: Future[Any] = self._threads.submit(
            _client, url.rstrip("/"), key, secret, answer_s, self._hear
        )
        self._closed = False

    async def get(self, path: str, query: Query | None = None) -> Any:
        """Ask; return the answer's JSON. Raises BrokerAway, or TraderError for a definite no."""
        return await self._call("get", path, dict(query or {}), ordering=False)

    async def post(self, path: str, form: Mapping[str, object]) -> Any:
        """Order; return the answer's JSON. Raises BrokerAway, OrderRefused or OrderUnknown."""
        return await self._call("post", path, dict(form), ordering=True)

    async def patch(self, path: str, form: Mapping[str, object], *, ordering: bool) -> Any:
        """Change something; return the answer's JSON. ordering: it makes an order. Raises as `post`."""
        return await self._call("patch", path, dict(form), ordering=ordering)

    async def delete(self, path: str) -> None:
        """Take back; asking twice does no harm. Raises BrokerAway, or TraderError for a definite no."""
        await self._call("delete", path, None, ordering=False)

    def close(self) -> None:
        """Take no more calls; those under way end by themselves. May be called twice."""
        if not self._closed:
            self._closed = True
            self._client.add_done_callback(_hang_up)
            self._threads.shutdown(wait=False)

    async def _call(self, verb: str, path: str, data: object, *, ordering: bool) -> Any:
        if self._closed:
            raise BrokerAway("the broker's end was closed", where="alpaca trading")
        work = partial(self._work, verb, path, data, ordering)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _work(self, verb: str, path: str, data: object, ordering: bool) -> Any:
        """Do one call, in a thread. Whatever it raises is judged here, so that nothing foreign leaves."""
        client = self._wait_for_client()
        # Not at the top: these bring alpaca-py and requests along.
        from alpaca.common.exceptions import APIError
        from urllib3.exceptions import HTTPError

        from liu_tui.adapters.alpaca.outcomes import after_answer, after_fault

        try:
            return getattr(client, verb)(path, data)
        except APIError as e:
            answer = e.response
            reset = answer.headers.get("X-RateLimit-Reset", "")
            raise after_answer(answer.status_code, answer.text, ordering=ordering, reset=reset) from e
        # The exceptions of requests are OSErrors; a body that is no JSON is a ValueError.
        except (OSError, ValueError, HTTPError) as e:
            raise after_fault(e, ordering=ordering) from e

    def _wait_for_client(self) -> Any:
        try:
            return self._client.result()
        except (ImportError, ValueError) as e:
            raise TraderError(f"alpaca-py cannot be started: {e}", where="alpaca trading") from e

    def _hear(self, headers: Mapping[str, str]) -> None:
        numbers = [headers.get(f"X-RateLimit-{name}", "") for name in ("Limit", "Remaining", "Reset")]
        if all(number.isascii() and number.isdecimal() for number in numbers):
            self.rate = Rate(*(int(number) for number in numbers))


def _hang_up(made: Future[Any]) -> None:
    if made.exception() is None:
        made.result()._session.close()


def _client(url: str, key: str, secret: str, answer_s: float, hear: Any) -> Any:
    from alpaca.trading.client import TradingClient

    client = TradingClient(key, secret, raw_data=True, url_override=url)
    client._retry = 0
    session = client._session
    session.trust_env = not is_loopback(url)
    session.request = partial(session.request, timeout=(CONNECT_S, answer_s))
    session.hooks["response"].append(lambda answer, *_args, **_kwargs: hear(answer.headers))
    return client
