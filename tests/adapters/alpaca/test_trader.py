"""AlpacaTrader: what becomes of a request, and what is asked of the broker."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from liu_tui.adapters.alpaca.times import read_time, write_time
from liu_tui.adapters.alpaca.trader import FILLS_A_PAGE, ORDERS_A_PAGE, AlpacaTrader
from liu_tui.adapters.alpaca.warm import CONNECTIONS
from liu_tui.errors import BrokerAway, LiuError, OrderRefused, OrderUnknown, TraderError
from liu_tui.model.clock import wall_ns
from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import OrderRequest, OrderState, OrderType, Side
from tests.kit.alpaca import http_server

T0 = "2026-10-08T13:30:00.5Z"
T0_NS = read_time(T0)
REQUEST = OrderRequest(
    client_order_id="c1", symbol="AAPL", side=Side.BUY, qty=10, order_type=OrderType.MARKET
)


def an_order(order_id: str = "o1", t_ns: int = T0_NS, **changes: Any) -> dict[str, Any]:
    plain = {
        "id": order_id,
        "client_order_id": "c1",
        "symbol": "AAPL",
        "side": "buy",
        "qty": "10",
        "type": "market",
    }
    return plain | {"status": "new", "submitted_at": write_time(t_ns)} | changes


@contextlib.asynccontextmanager
async def trading_at(url: str, *, answer_s: float = 5.0) -> AsyncIterator[AlpacaTrader]:
    trader = AlpacaTrader(url, "ws://127.0.0.1:1/stream", "key", "secret", local=True, answer_s=answer_s)
    try:
        yield trader
    finally:
        await trader.close()
        await trader.close()


@contextlib.asynccontextmanager
async def broken_server(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Read a whole request, write these bytes, and cut the line."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        heard.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    finally:
        server.close()
        await server.wait_closed()


def answering(
    status: int, body: Any = None, *, text: str = ""
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(_: web.Request) -> web.Response:
        return (
            web.Response(status=status, text=text) if body is None else web.json_response(body, status=status)
        )

    return handler


async def test_an_order_is_sent_as_a_form_and_comes_back_as_an_order() -> None:
    forms: list[Any] = []

    async def submit(request: web.Request) -> web.Response:
        assert request.headers["APCA-API-SECRET-KEY"] == "secret"
        forms.append(await request.json())
        headers = {
            "X-RateLimit-Limit": "200",
            "X-RateLimit-Remaining": "199",
            "X-RateLimit-Reset": "1790000000",
        }
        return web.json_response(an_order(status="pending_new"), headers=headers)

    async with http_server([web.post("/v2/orders", submit)]) as url, trading_at(url) as trader:
        order = await trader.submit(REQUEST)
        assert trader.rate.remaining == 199
    assert (order.id, order.status, order.submitted_ns) == ("o1", OrderState.PENDING_NEW, T0_NS)
    assert forms == [
        {
            "symbol": "AAPL",
            "qty": "10",
            "side": "buy",
            "type": "market",
            "time_in_force": "day",
            "client_order_id": "c1",
        }
    ]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"code": 40010000, "message": "bad"}, OrderRefused),
        (401, {"message": "unauthorized."}, OrderRefused),
        (403, {"code": 40310000, "message": "insufficient buying power"}, OrderRefused),
        (404, {"code": 40410000, "message": "endpoint not found"}, OrderRefused),
        (422, {"code": "42210000", "message": "sub-penny"}, OrderRefused),
        (429, {"code": 42910000, "message": "too many requests"}, BrokerAway),
        (408, {}, OrderUnknown),
        (500, {"message": "oops"}, OrderUnknown),
        (504, {}, OrderUnknown),
        (200, {"odd": True}, OrderUnknown),
        (200, ["odd"], OrderUnknown),
    ],
)
async def test_each_answer_to_an_order_has_its_meaning(
    status: int, body: Any, kind: type[TraderError]
) -> None:
    asked = 0

    async def submit(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response(body, status=status)

    async with http_server([web.post("/v2/orders", submit)]) as url, trading_at(url) as trader:
        with pytest.raises(TraderError) as caught:
            await trader.submit(REQUEST)
    assert type(caught.value) is kind
    assert asked == 1  # never sent again here
    if status >= 400:
        assert caught.value.status == status
        assert caught.value.broker_code == int(body.get("code", 0))


@pytest.mark.parametrize(("status", "kind"), [(502, OrderUnknown), (403, OrderRefused), (200, OrderUnknown)])
async def test_a_page_of_html_is_an_answer_too(status: int, kind: type[TraderError]) -> None:
    page = web.post("/v2/orders", answering(status, text="<html>Bad\nGateway</html>"))
    async with http_server([page]) as url, trading_at(url) as trader:
        with pytest.raises(TraderError) as caught:
            await trader.submit(REQUEST)
    assert type(caught.value) is kind


async def test_an_empty_answer_leaves_the_order_unknown() -> None:
    async with http_server([web.post("/v2/orders", answering(200))]) as url, trading_at(url) as trader:
        with pytest.raises(OrderUnknown):
            await trader.submit(REQUEST)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"HTTP/1.1 ", b"nonsense\r\n\r\n"],
    ids=["nothing", "half a body", "half a head", "nonsense"],
)
async def test_a_line_cut_after_sending_leaves_the_order_unknown(answer: bytes) -> None:
    async with broken_server(answer) as (url, heard), trading_at(url) as trader:
        with pytest.raises(OrderUnknown):
            await trader.submit(REQUEST)
        assert len(heard) == 1


async def test_an_answer_that_does_not_come_leaves_the_order_unknown() -> None:
    release = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with http_server([web.post("/v2/orders", never)]) as url, trading_at(url, answer_s=0.2) as trader:
        with pytest.raises(OrderUnknown, match="Timeout"):
            await trader.submit(REQUEST)
        release.set()


async def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        async with trading_at(f"http://127.0.0.1:{taken.getsockname()[1]}") as trader:
            with pytest.raises(BrokerAway):
                await trader.submit(REQUEST)
            with pytest.raises(BrokerAway):
                await trader.account()


async def test_the_proxy_of_the_environment_is_not_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with http_server([web.get("/v2/positions", answering(200, []))]) as url, trading_at(url) as trader:
        assert await trader.positions() == []


async def test_a_number_that_is_none_never_leaves() -> None:
    async with trading_at("http://127.0.0.1:1") as trader:
        with pytest.raises(OrderRefused, match="qty"):
            await trader.submit(
                OrderRequest(
                    client_order_id="c",
                    symbol="A",
                    side=Side.BUY,
                    qty=float("nan"),
                    order_type=OrderType.MARKET,
                )
            )


async def test_keys_that_are_none_are_told_as_a_trader_error() -> None:
    trader = AlpacaTrader("http://127.0.0.1:1", "ws://127.0.0.1:1/stream", "", "")
    with pytest.raises(TraderError, match="cannot be started"):
        await trader.account()
    await trader.close()
    with pytest.raises(BrokerAway, match="closed"):
        await trader.account()


@pytest.mark.parametrize(
    ("status", "kind"), [(422, OrderRefused), (404, OrderRefused), (500, BrokerAway), (429, BrokerAway)]
)
async def test_a_cancel_is_refused_or_may_be_asked_again(status: int, kind: type[TraderError]) -> None:
    cancel = web.delete("/v2/orders/{id}", answering(status, {"code": 42210000, "message": "no"}))
    async with http_server([cancel]) as url, trading_at(url) as trader:
        with pytest.raises(TraderError) as caught:
            await trader.cancel("o/1")
    assert type(caught.value) is kind
    assert caught.value.status == status


async def test_a_cancel_that_is_taken_says_nothing() -> None:
    ids: list[str] = []

    async def cancel(request: web.Request) -> web.Response:
        ids.append(request.match_info["id"])
        return web.Response(status=204)

    async with http_server([web.delete("/v2/orders/{id}", cancel)]) as url, trading_at(url) as trader:
        await trader.cancel("o1")
    assert ids == ["o1"]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, {"code": 40410000, "message": "order not found for c1"}, None),
        (404, {"message": "no such page"}, TraderError),
        (401, {"message": "unauthorized."}, TraderError),
        (500, {}, BrokerAway),
    ],
)
async def test_only_the_broker_itself_can_say_that_an_order_was_never_seen(
    status: int, body: Any, expected: type[TraderError] | None
) -> None:
    look_up = web.get("/v2/orders:by_client_order_id", answering(status, body))
    async with http_server([look_up]) as url, trading_at(url) as trader:
        if expected is None:
            assert await trader.order_by_client_id("c1") is None
        else:
            with pytest.raises(TraderError) as caught:
                await trader.order_by_client_id("c1")
            assert type(caught.value) is expected


async def test_orders_are_paged_and_those_of_one_moment_told_once() -> None:
    # More than a page, and the border lies within orders of one moment.
    everything = [an_order(f"o{n:04d}", T0_NS + n // 7 * SECOND_NS) for n in range(ORDERS_A_PAGE * 2 + 3)]
    asked: list[dict[str, str]] = []

    async def orders(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        after = read_time(request.query["after"]) if "after" in request.query else -1
        found = [order for order in everything if read_time(order["submitted_at"]) > after]
        return web.json_response(found[: int(request.query["limit"])])

    async with http_server([web.get("/v2/orders", orders)]) as url, trading_at(url) as trader:
        found = await trader.orders()
    assert [order.id for order in found] == [order["id"] for order in everything]
    assert asked[0] == {"status": "all", "nested": "true", "direction": "asc", "limit": "500"}


async def test_more_orders_of_one_moment_than_a_page_do_not_hang() -> None:
    same = [an_order(f"o{n}") for n in range(ORDERS_A_PAGE + 1)]

    async def orders(request: web.Request) -> web.Response:
        after = read_time(request.query["after"]) if "after" in request.query else -1
        return web.json_response([o for o in same if read_time(o["submitted_at"]) > after][:ORDERS_A_PAGE])

    async with http_server([web.get("/v2/orders", orders)]) as url, trading_at(url) as trader:
        assert len(await trader.orders()) == ORDERS_A_PAGE


async def test_a_working_leg_of_a_filled_parent_is_among_the_open_orders() -> None:
    stop = an_order("sl", group_id="o1", group_role="stop_loss", side="sell", type="stop")

    async def orders(request: web.Request) -> web.Response:
        assert request.query["status"] == "open"
        return web.json_response([] if request.query.get("nested") == "true" else [stop])

    async with http_server([web.get("/v2/orders", orders)]) as url, trading_at(url) as trader:
        (found,) = await trader.orders(open_only=True)
    assert (found.id, found.parent_id) == ("sl", "o1")


async def test_fills_are_paged_by_token_and_none_of_the_border_is_missed() -> None:
    def row(n: int) -> dict[str, Any]:
        at = write_time(T0_NS + n * 1_000_000)
        fill = {"id": f"x::e{n}", "order_id": "o1", "symbol": "AAPL", "side": "buy", "qty": "1", "price": "2"}
        return fill | {"transaction_time": at}

    rows = [row(n) for n in range(FILLS_A_PAGE + 5)]

    async def fills(request: web.Request) -> web.Response:
        token = request.query.get("page_token")
        first = 0 if token is None else [r["id"] for r in rows].index(token) + 1
        return web.json_response(rows[first : first + FILLS_A_PAGE])

    async with http_server([web.get("/v2/account/activities/FILL", fills)]) as url, trading_at(url) as trader:
        found = await trader.executions(0)
        later = await trader.executions(T0_NS + 3 * 1_000_000 + 456)
    assert [fill.execution_id for fill in found] == [f"e{n}" for n in range(len(rows))]
    # The stream told microseconds of the fourth fill: the history's millisecond lies before them.
    assert later[0].execution_id == "e3"


async def test_calls_do_not_hold_up_the_loop() -> None:
    async def slowly(_: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return web.json_response([])

    async with http_server([web.get("/v2/positions", slowly)]) as url, trading_at(url) as trader:
        # The server lives in this very loop: a blocking call would never be answered.
        assert await asyncio.gather(*(trader.positions() for _ in range(6))) == [[]] * 6


async def test_nothing_but_the_family_of_errors_leaves() -> None:
    async with trading_at("no address at all") as trader:
        with pytest.raises(LiuError):
            await trader.submit(REQUEST)


@contextlib.asynccontextmanager
async def hangs_up_on(request: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Keep the connection alive, and cut it on the n-th request, once that has been read whole."""
    heard: list[bytes] = []
    body = json.dumps(an_order()).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)

    ended: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                heard.append(head + await reader.readexactly(length))
                if len(heard) == request:
                    break
                writer.write(answer + body)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    finally:
        server.close()
        await asyncio.gather(*(task for task in ended if task is not None))


async def test_an_order_on_a_connection_that_the_venue_closes_at_that_moment_is_unknown_and_sent_once() -> (
    None
):
    async with hangs_up_on(2) as (url, heard), trading_at(url) as trader:
        await trader.submit(REQUEST)
        with pytest.raises(OrderUnknown, match="RemoteDisconnected"):
            await trader.submit(REQUEST)
        assert len(heard) == 2
        # And the next one has a connection of its own again.
        assert (await trader.submit(REQUEST)).id == "o1"


async def test_a_redirection_is_followed_by_nobody_and_proves_nothing() -> None:
    elsewhere = {"Location": "http://127.0.0.1:1/v2/orders"}

    async def moved(_: web.Request) -> web.Response:
        return web.json_response(an_order(), status=307, headers=elsewhere)

    routes = [web.post("/v2/orders", moved), web.delete("/v2/orders/{id}", moved)]
    async with http_server(routes) as url, trading_at(url) as trader:
        with pytest.raises(OrderUnknown, match="redirects"):
            await trader.submit(REQUEST)
        with pytest.raises(BrokerAway, match="redirects"):
            await trader.cancel("o1")


async def test_after_a_429_nothing_is_sent_until_the_moment_that_it_named() -> None:
    asked: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        asked.append(request.method)
        reset = str(wall_ns() // SECOND_NS + 30)
        return web.json_response({"code": 42910000}, status=429, headers={"X-RateLimit-Reset": reset})

    routes = [web.post("/v2/orders", refuse), web.get("/v2/positions", refuse)]
    async with http_server(routes) as url:
        trader = AlpacaTrader(url, "ws://127.0.0.1:1/stream", "key", "secret")
        with pytest.raises(BrokerAway, match="too many requests"):
            await trader.submit(REQUEST)
        with pytest.raises(BrokerAway, match="allowance"):
            await trader.submit(REQUEST)
        with pytest.raises(BrokerAway, match="allowance"):
            await trader.positions()
        await trader.close()
    assert asked == ["POST"]


async def test_a_question_waits_a_moment_for_the_allowance() -> None:
    answers = [web.json_response({}, status=429), web.json_response([])]

    async def busy(_: web.Request) -> web.Response:
        return answers.pop(0)

    async with http_server([web.get("/v2/positions", busy)]) as url, trading_at(url) as trader:
        with pytest.raises(BrokerAway):
            await trader.positions()
        assert await trader.positions() == []  # a second later, of itself


async def test_connections_are_open_before_the_first_order() -> None:
    opened, ready = [], asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        if len(opened) == CONNECTIONS:
            ready.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with trading_at(url) as trader:
        trader.updates()
        async with asyncio.timeout(20):
            await ready.wait()
    server.close()
    for writer in opened:
        writer.close()
        await writer.wait_closed()
