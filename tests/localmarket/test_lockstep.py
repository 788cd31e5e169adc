"""Lock-step: the market takes a step when all are ready, and waits for who broke off."""

from pathlib import Path
from typing import Any

import pytest

from liu_tui.localmarket.rfc3339 import read_time
from tests.kit.localmarket import (
    DataSocket,
    a_market,
    data_socket,
    flat,
    rest,
    session,
    trade_socket,
    write_day,
)

ALL: dict[str, Any] = {"trades": ["*"], "quotes": ["*"], "bars": ["*"]}


@pytest.fixture
def recording(tmp_path: Path) -> dict[str, Any]:
    """Two quiet minutes of two names after the open, and one before the close."""
    folder = write_day(tmp_path / "day", {"AAA": flat(10.0, 2), "BBB": flat(20.0, 2)})
    return {"source": str(folder), "date": "", "speed": "max"}


async def play(client: DataSocket, n: int = 0) -> list[dict[str, Any]]:
    """Acknowledge until the end; return all that was heard."""
    heard: list[dict[str, Any]] = []
    while True:
        await client.ack(n)
        message = await client.next()
        while message["T"] not in ("step", "end"):
            heard.append(message)
            message = await client.next()
        heard.append(message)
        if message["T"] == "end":
            return heard
        n = message["n"]


async def test_a_day_is_played_step_by_step_to_its_close(recording: dict[str, Any]) -> None:
    async with a_market(**recording) as server, data_socket(server) as client:
        heard = await play(await client.join(**ALL))
        steps = [m for m in heard if m["T"] == "step"]
        # Four moments a minute, its bar at the next minute's start, and the close.
        assert [m["n"] for m in steps] == list(range(1, 12))
        times = [m["t"].to_unix_nano() for m in steps]
        assert times == sorted(times)
        assert times[0] == session().open_ns + 1_000_000_000
        assert times[-1] == session().close_ns
        assert heard[-1] == {"T": "end", "t": steps[-1]["t"]}
        bars = [m for m in heard if m["T"] == "b"]
        assert [(m["S"], m["c"]) for m in bars] == [("AAA", 10.0), ("BBB", 20.0)] * 2


async def test_nothing_is_sent_after_a_step_before_its_ack(recording: dict[str, Any]) -> None:
    async with a_market(**recording) as server, data_socket(server) as client, rest(server) as http:
        await client.join(**ALL)
        assert (await http.get("/admin/status"))["step"] == 0
        await client.ack(0)
        await client.until("step")
        await client.ack(7)
        assert (await client.next())["n"] == 1, "a wrong number is answered with the right one"
        assert (await http.get("/admin/status"))["step"] == 1
        assert (await http.get("/v2/clock"))["lockstep"] is True
        await client.ack(1)
        assert (await client.next("step"))["n"] == 2


async def test_every_client_in_lock_step_is_waited_for(recording: dict[str, Any]) -> None:
    async with a_market(**recording) as server, data_socket(server) as one, data_socket(server) as two:
        await one.join(**ALL)
        await two.join()
        await one.ack(0)
        async with rest(server) as http:
            assert (await http.get("/admin/status"))["step"] == 0
            await two.ack(0)
            assert (await one.next("step"))["n"] == (await two.next("step"))["n"] == 1
            await two.ack(1)
            await two.ws.close()
            assert (await http.get("/admin/status"))["step"] == 1
            await one.ack(1)
            assert (await one.next("step"))["n"] == 2, "who left in order is not waited for"


async def test_a_broken_connection_is_waited_for_and_its_heir_goes_on(recording: dict[str, Any]) -> None:
    async with a_market(**recording) as server, data_socket(server) as stays, rest(server) as http:
        await stays.join(**ALL)
        async with data_socket(server) as breaks:
            await breaks.join()
            for client in (stays, breaks):
                await client.ack(0)
            await breaks.next("step")
            breaks.ws._response.connection.transport.abort()  # type: ignore[union-attr]
        await stays.next("step")
        await stays.ack(1)
        while (await http.get("/admin/status"))["waiting_for"] != 2:
            pass
        async with data_socket(server) as heir:
            await heir.join()
            await heir.ack(0)
            assert (await heir.next())["n"] == 1, "who comes new is told where the market stands"
            await heir.ack(1)
            assert (await stays.next("step"))["n"] == 2


async def test_who_never_comes_back_can_be_forgotten(recording: dict[str, Any]) -> None:
    async with a_market(**recording) as server, data_socket(server) as stays, rest(server) as http:
        await stays.join(**ALL)
        async with data_socket(server) as breaks:
            await breaks.join()
            breaks.ws._response.connection.transport.abort()  # type: ignore[union-attr]
        await stays.ack(0)
        while (await http.get("/admin/status"))["waiting_for"] != 2:
            pass
        assert (await http.get("/admin/status"))["step"] == 0
        await http.post("/admin/forget")
        assert (await stays.next("step"))["n"] == 1


async def test_a_paused_market_takes_no_step(recording: dict[str, Any]) -> None:
    async with a_market(**recording) as server, data_socket(server) as client, rest(server) as http:
        await client.join(**ALL)
        await http.post("/admin/pause")
        await client.ack(0)
        assert (await http.get("/admin/status"))["step"] == 0
        await http.post("/admin/resume")
        assert (await client.next("step"))["n"] == 1


async def test_orders_between_two_steps_are_taken_at_the_first_and_told_before_the_second(
    recording: dict[str, Any],
) -> None:
    async with (
        a_market(**recording) as server,
        data_socket(server) as data,
        trade_socket(server) as trades,
        rest(server) as http,
    ):
        await trades.listen()
        await trades.send(action="lockstep")
        await data.join(**ALL)
        await data.ack(0)
        await data.until("step")
        mark = await trades.next()
        assert (mark["stream"], mark["data"]["n"]) == ("step", 1)
        order = await http.buy("AAA", 5)
        assert read_time(order["submitted_at"]) == read_time(mark["data"]["t"]) == session().open_ns + 10**9
        await data.ack(1)
        assert await trades.events(2) == ["new", "fill"]
        mark = await trades.next()
        assert (mark["stream"], mark["data"]["n"]) == ("step", 2)


async def test_what_a_steps_events_fill_is_told_before_its_mark(tmp_path: Path) -> None:
    falling = [(10.0, 10.0, 10.0, 10.0, 4000.0), (9.0, 9.0, 9.0, 9.0, 4000.0)]
    source = str(write_day(tmp_path / "day", {"AAA": falling}))
    async with (
        a_market(source=source, date="", speed="max") as server,
        data_socket(server) as data,
        trade_socket(server) as trades,
        rest(server) as http,
    ):
        await trades.listen()
        await trades.send(action="lockstep")
        await data.join(**ALL)
        await data.ack(0)
        n = (await data.next("step"))["n"]
        assert (await trades.next())["data"]["n"] == 1
        await http.buy("AAA", 5, type="limit", limit_price="9.50")
        assert await trades.events(1) == ["new"]
        heard: list[dict[str, Any]] = []
        while not any(m["stream"] == "trade_updates" for m in heard):
            await data.ack(n)
            n = (await data.next("step"))["n"]
            heard = [await trades.next()]
            while heard[-1]["stream"] != "step":
                heard.append(await trades.next())
            assert heard[-1]["data"]["n"] == n
        assert heard[0]["data"]["event"] == "fill"
        assert heard[0]["data"]["timestamp"] == "2024-03-06T14:31:01Z"


async def test_the_last_step_expires_day_orders(recording: dict[str, Any]) -> None:
    async with (
        a_market(**recording) as server,
        data_socket(server) as data,
        trade_socket(server) as trades,
        rest(server) as http,
    ):
        await trades.listen()
        await data.join()
        await data.ack(0)
        n = (await data.next("step"))["n"]
        await http.buy("AAA", 5, type="limit", limit_price="5")
        await play(data, n)
        assert await trades.events(2) == ["new", "expired"]
        assert (await http.get("/v2/orders", status="closed"))[0]["status"] == "expired"
        assert (await http.get("/v2/clock"))["is_open"] is False
        assert (await http.get("/admin/status"))["ended"] is True
        async with data_socket(server) as late:
            await late.log_in()
            await late.send(action="clock")
            assert [(await late.next())["T"] for _ in range(3)] == ["success", "clock", "end"]


async def test_two_runs_of_a_day_are_alike(recording: dict[str, Any]) -> None:
    runs = []
    for _ in range(2):
        async with a_market(**recording) as server, data_socket(server, binary=False) as client:
            runs.append(await play(await client.join(**ALL)))
    assert runs[0] == runs[1]
