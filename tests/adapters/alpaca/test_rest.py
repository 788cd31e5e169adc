"""Asking: the allowance is kept, what can be tried again is, and everything else is told in words."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from itertools import pairwise

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.alpaca.allowance import LONGEST_WAIT_S, Allowance, retry_after_s, seconds_until
from liu_tui.adapters.alpaca.rest import TRIES, TRIES_AT_429, Rest, said_in
from liu_tui.errors import FeedError
from tests.kit.alpaca import http_server

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Counting:
    """A server with an allowance of `limit` questions in each `period_s`, which says so as Alpaca does."""

    def __init__(self, limit: int, period_s: float) -> None:
        self.limit, self.period_s = limit, period_s
        self.asked, self.refused = 0, 0
        self._period, self._count = -1, 0

    async def answer(self, _: web.Request) -> web.Response:
        now = time.time()  # noqa: TID251 - the server's own clock
        period = int(now / self.period_s)
        if period != self._period:
            self._period, self._count = period, 0
        self._count += 1
        self.asked += 1
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self._count)),
            "X-RateLimit-Reset": f"{(period + 1) * self.period_s + 0.002:.3f}",
        }
        if self._count > self.limit:
            self.refused += 1
            return web.json_response({"message": "too many requests."}, status=429, headers=headers)
        return web.json_response({"n": self.asked}, headers=headers)


def a_rest(**more: object) -> Rest:
    return Rest("key", "secret", first_wait_s=0.001, **more)  # type: ignore[arg-type] # one keyword in one test


async def test_many_tasks_share_one_allowance_and_never_overdraw_it() -> None:
    server = Counting(limit=6, period_s=0.25)
    async with http_server([web.get("/x", server.answer)]) as url:
        rest = a_rest()
        bodies = await asyncio.gather(*(rest.get(f"{url}/x") for _ in range(20)))
        await rest.close()
    assert len(bodies) == server.asked == 20
    assert server.refused == 0


async def test_one_after_another_waits_for_the_reset_before_a_429_comes() -> None:
    server = Counting(limit=3, period_s=0.2)
    async with http_server([web.get("/x", server.answer)]) as url:
        rest = a_rest()
        for _ in range(8):
            await rest.get(f"{url}/x")
        await rest.close()
    assert (server.asked, server.refused) == (8, 0)


async def test_hosts_have_an_allowance_each() -> None:
    used_up = {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}

    async def last(_: web.Request) -> web.Response:
        return web.json_response({}, headers=used_up)

    async with http_server([web.get("/x", last)]) as data, http_server([web.get("/x", last)]) as trading:
        rest = a_rest()
        await rest.get(f"{data}/x")
        async with asyncio.timeout(5):
            await rest.get(f"{trading}/x")
        await rest.close()


async def test_a_429_that_says_nothing_is_waited_out_with_growing_waits() -> None:
    left = [429] * (TRIES_AT_429 - 1)

    async def bucket(_: web.Request) -> web.Response:
        if left:
            return web.json_response({"message": "too many requests."}, status=left.pop())
        return web.json_response({})

    async with http_server([web.get("/x", bucket)]) as url:
        rest = a_rest()
        bodies = await asyncio.gather(*(rest.get(f"{url}/x") for _ in range(5)))
        await rest.close()
    assert bodies == [b"{}"] * 5


async def test_a_429_for_ever_is_given_up_in_words() -> None:
    asked = []

    async def never(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=429)

    async with http_server([web.get("/x", never)]) as url:
        rest = a_rest()
        with pytest.raises(FeedError, match="too many requests") as caught:
            await rest.get(f"{url}/x")
        await rest.close()
    assert len(asked) == TRIES_AT_429
    assert "same keys" in caught.value.mend


async def test_long_waits_are_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    real = asyncio.sleep

    async def quick(seconds: float) -> None:
        nonlocal waits
        waits += [seconds] if seconds else []
        await real(0)

    monkeypatch.setattr("liu_tui.adapters.alpaca.rest.asyncio.sleep", quick)

    async def down(_: web.Request) -> web.Response:
        return web.Response(status=503)

    told: list[str] = []
    async with http_server([web.get("/x", down)]) as url:
        rest = Rest("key", "secret", first_wait_s=8.0, tell=told.append)
        with pytest.raises(FeedError, match="503"):
            await rest.get(f"{url}/x")
        await rest.close()
    assert len(told) == len(waits) == TRIES - 1
    assert "the server answered 503; trying again in" in told[0]
    assert all(1 <= later / before <= 4 for before, later in pairwise(waits))


async def test_a_used_up_allowance_is_told_once_for_all_who_wait() -> None:
    told: list[str] = []
    allowance = Allowance("data", told.append)
    in_a_minute = f"{time.time() + 30:.0f}"  # noqa: TID251 - what a server would say
    allowance.hear(
        {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in_a_minute}
    )

    async def ask() -> None:
        async with allowance.place():
            raise AssertionError("nobody may go yet")

    tasks = [asyncio.create_task(ask()) for _ in range(3)]
    done, waiting = await asyncio.wait(tasks, timeout=0.05)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not done
    assert len(told) == 1
    assert "allowance of 200 a minute is used up" in told[0]


async def test_the_last_place_is_given_once_until_its_answer_brings_news() -> None:
    allowance = Allowance("data", lambda _: None)
    headers = {"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "99999999999"}
    allowance.hear(headers)
    order: list[str] = []

    async def ask(name: str, left: str) -> None:
        async with allowance.place():
            order.append(f"{name} in")
            await asyncio.sleep(0)
            allowance.hear(headers | {"X-RateLimit-Remaining": left, "X-RateLimit-Reset": "99999999998"})
            order.append(f"{name} out")

    async with asyncio.timeout(5):
        # The bucket has been filled again when the first is answered.
        allowance.hear(headers | {"X-RateLimit-Reset": f"{time.time() + 5:.3f}"})  # noqa: TID251 - the server's
        await asyncio.gather(ask("a", "5"), ask("b", "4"))
    assert order == ["a in", "a out", "b in", "b out"]


@pytest.mark.parametrize("broken", ["reset", "gzip", "short", "redirect"])
async def test_a_broken_answer_is_a_feed_error(broken: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        answers = {
            "reset": b"",
            "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
            "short": b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{",
            "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        }
        writer.write(answers[broken])
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    rest = a_rest()
    with pytest.raises(FeedError):
        await rest.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")
    await rest.close()
    server.close()
    await server.wait_closed()


async def test_a_packed_answer_is_unpacked() -> None:
    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})

    async with http_server([web.get("/x", packed)]) as url:
        rest = a_rest()
        assert await rest.get(f"{url}/x") == b"{}"
        await rest.close()


async def test_a_page_of_html_is_told_by_its_words() -> None:
    page = "<html><head><title>401</title></head><body><h1>401 Authorization Required</h1>nginx</body></html>"

    async def refusing(_: web.Request) -> web.Response:
        return web.Response(status=401, text=page, content_type="text/html")

    async with http_server([web.get("/x", refusing)]) as url:
        rest = a_rest()
        with pytest.raises(FeedError, match="401 401 Authorization Required nginx") as caught:
            await rest.get(f"{url}/x")
        await rest.close()
    assert "APCA_API_KEY_ID" in caught.value.mend


@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_any_bytes_as_an_errors_body_are_words(body: bytes) -> None:
    said = said_in(body)
    assert isinstance(said.message, str)
    assert len(said.message) <= 200


@given(st.none() | st.text(max_size=30), st.none() | st.text(max_size=30))
def test_any_header_is_a_bounded_wait_or_none(said: str | None, date: str | None) -> None:
    for seconds in (seconds_until(said, date), retry_after_s(said, date)):
        assert seconds is None or 0 <= seconds <= LONGEST_WAIT_S


def test_the_servers_clock_counts_where_this_machines_is_wrong() -> None:
    an_hour_on = time.time() + 3_600  # noqa: TID251 - a server whose clock is not ours
    wait_s = seconds_until(f"{an_hour_on + 20:.0f}", formatdate(an_hour_on, usegmt=True))
    assert wait_s is not None
    assert 18 <= wait_s <= 22
    assert retry_after_s("7", None) == 7
    late = retry_after_s(formatdate(an_hour_on + 9, usegmt=True), formatdate(an_hour_on, usegmt=True))
    assert late is not None
    assert 8 <= late <= 10
