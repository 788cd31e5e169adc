"""alpaca-py's TradingClient in threads of its own: the desk awaits a request, and each is sent but once.

The client is made in a thread at once (`warm`); what its answers say of the allowance is obeyed (`rategate`);
whatever goes wrong is judged in the thread where it happens (`outcomes`).
"""

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from liu_tui.adapters.alpaca.rategate import LONGEST_S, Need, Rate, RateGate
from liu_tui.adapters.alpaca.warm import CONNECTIONS, hang_up, keep_warm, make_client
from liu_tui.errors import BrokerAway, TraderError
from liu_tui.model.clock import wall_ns
from liu_tui.model.market import SECOND_NS

ANSWER_S = 15.0
PATIENCE_S = 1.0
"""A question waits no longer for the allowance: the desk has other things to do, and asks again."""
WARM_S = 10.0
"""Between two looks at the connections."""
CLOSE_S = 1.0
_WHERE = "alpaca trading"
Query = Mapping[str, str | int]


class Calls:
    """GET, POST, PATCH and DELETE under /v2.

    longest_hold_s: how long a 429 may keep everything back
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        *,
        answer_s: float = ANSWER_S,
        longest_hold_s: float = LONGEST_S,
    ) -> None:
        self._gate = RateGate(longest_hold_s)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="alpaca-rest")
        self._url = url.rstrip("/")
        self._client: Future[Any] = self._threads.submit(
            make_client, self._url, key, secret, answer_s, self._heard
        )
        self._closed = threading.Event()
        self._warmer: threading.Thread | None = None

    @property
    def rate(self) -> Rate:
        """The allowance as the last answer told it."""
        return self._gate.rate

    async def get(self, path: str, query: Query | None = None, *, need: Need = Need.LOOK) -> Any:
        """Ask; return the answer's JSON. Raises BrokerAway, or TraderError for a definite no."""
        return await self._call("get", path, dict(query or {}), ordering=False, need=need)

    async def post(self, path: str, form: Mapping[str, object]) -> Any:
        """Order; return the answer's JSON. Raises BrokerAway, OrderRefused or OrderUnknown."""
        return await self._call("post", path, dict(form), ordering=True)

    async def patch(self, path: str, form: Mapping[str, object], *, ordering: bool) -> Any:
        """Change something; return the answer's JSON. ordering: it makes an order. Raises as `post`."""
        return await self._call("patch", path, dict(form), ordering=ordering)

    async def delete(self, path: str) -> None:
        """Take back; asking twice does no harm. Raises BrokerAway, or TraderError for a definite no."""
        await self._call("delete", path, None, ordering=False)

    def stay_warm(self) -> None:
        """Open the connections now, and again whenever the venue has closed them. May be called twice."""
        if self._warmer is None:
            # Nobody waits for it at the process's end: it may be in the middle of a handshake.
            self._warmer = threading.Thread(target=self._keep_warm, name="alpaca-warm", daemon=True)
            self._warmer.start()

    async def close(self) -> None:
        """Take no more calls; those under way end by themselves. May be called twice."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._warmer is not None:
            await asyncio.to_thread(self._warmer.join, CLOSE_S)
        self._client.add_done_callback(self._hang_up)
        self._threads.shutdown(wait=False)

    async def _call(
        self, verb: str, path: str, data: object, *, ordering: bool, need: Need = Need.ORDER
    ) -> Any:
        if self._closed.is_set():
            raise BrokerAway("the broker's end was closed", where=_WHERE)
        await self._pass_gate(verb, need)
        work = partial(self._work, verb, path, data, ordering)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _pass_gate(self, verb: str, need: Need) -> None:
        """Let a request go, now or in a moment. Raises BrokerAway: nothing has left.

        An order is not kept waiting: whoever wants it shall know at once, and decide by the price of then.
        """
        wait_s = self._gate.wait_s(need, _now_s())
        if not wait_s:
            return
        if verb != "get" or wait_s > PATIENCE_S:
            words = f"the allowance of requests is used up: nothing is sent for {wait_s:.1f} s"
            raise BrokerAway(words, where=_WHERE, mend=f"{self.rate.limit or 200} a minute are allowed.")
        await asyncio.sleep(wait_s)
        if self._gate.wait_s(need, _now_s()) > PATIENCE_S:
            raise BrokerAway("the allowance of requests is used up", where=_WHERE)

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
            raise TraderError(f"alpaca-py cannot be started: {e}", where=_WHERE) from e

    def _keep_warm(self) -> None:
        with contextlib.suppress(ImportError, ValueError):  # told to whoever sends the first request
            client = self._client.result()
            while not self._closed.is_set():
                keep_warm(client, self._url)
                self._closed.wait(WARM_S)

    def _hang_up(self, made: Future[Any]) -> None:
        if made.exception() is None:
            hang_up(made.result(), self._url)

    def _heard(self, status: int, headers: Mapping[str, str]) -> None:
        self._gate.heard(headers, refused=status == 429, now_s=_now_s())


def _now_s() -> float:
    # Reset is Unix time, so the wall's clock it is.
    return wall_ns() / SECOND_NS
