"""The session clock at a speed: what it does when the machine is too slow, and at the day's end."""

from pathlib import Path

from liu_tui.localmarket.rfc3339 import read_time
from tests.kit.localmarket import a_market, data_socket, flat, rest, session, write_day


async def test_a_market_that_cannot_keep_its_speed_sets_its_clock_back_and_says_so() -> None:
    async with (
        a_market(speed=50_000.0, symbols=60) as server,
        data_socket(server) as client,
        rest(server) as http,
    ):
        await client.log_in()
        await client.send(action="clock")
        asked_for, *_ = [await client.next("clock"), await client.next("clock")]
        assert asked_for["speed"] == 50_000.0
        await http.post("/admin/pause")
        venue = server.market.venue
        clock = read_time((await http.get("/v2/clock"))["timestamp"])
        assert venue.now_ns <= clock <= venue.now_ns + 2 * 50_000 * 1_000_000_000
        assert venue.tape.next_ns is not None


async def test_at_the_end_day_orders_expire_the_end_is_told_and_the_clock_stands(tmp_path: Path) -> None:
    source = str(write_day(tmp_path / "day", {"AAA": flat(10.0, 5)}, first="20:55"))
    async with (
        a_market(source=source, date="", start="15:55", speed=0.001) as server,
        data_socket(server) as client,
        rest(server) as http,
    ):
        await client.log_in()
        await client.send(action="subscribe", bars=["*"])
        await http.buy("AAA", 1, type="limit", limit_price="1")
        await client.send(action="clock")
        await http.post("/admin/speed", speed=20_000.0)  # not before the order is in
        assert (await client.next("end"))["t"].to_unix_nano() >= session().close_ns
        assert (await http.get("/v2/orders", status="all"))[0]["status"] == "expired"
        while not (await client.next("clock"))["paused"]:
            pass
        clock = await http.get("/v2/clock")
        assert read_time(clock["timestamp"]) >= session().post_ns
        assert (clock["is_open"], clock["next_open"]) == (False, "2024-03-07T09:30:00-05:00")


async def test_the_market_opens_at_the_open_unless_another_start_is_asked_for() -> None:
    for start, clock in (("", "09:30"), ("08:15", "08:15"), ("12:00", "12:00")):
        async with a_market(start=start, symbols=2, speed=0.001) as server, rest(server) as http:
            assert clock in (await http.get("/v2/clock"))["timestamp"]
