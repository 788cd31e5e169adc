"""The verbs of whoever runs the market: stepping a paused clock, and faults by request."""

from pathlib import Path
from typing import Any

import pytest

from liu_tui.localmarket.rfc3339 import read_time
from tests.kit.faults import a_rehearsal, kinds
from tests.kit.localmarket import a_market, data_socket, flat, rest, session, write_day

OPEN = session().open_ns


async def test_a_paused_clock_is_stepped_by_seconds_and_stays_paused(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        status = await day.http.post("/admin/step", seconds=60)
        assert status["paused"] is True
        assert OPEN + 60 * 10**9 <= read_time(status["time"]) < OPEN + 61 * 10**9
        assert kinds(await day.heard()) == "qtqt" * 4 + "bb"
        assert (await day.http.get("/admin/status"))["time"] == status["time"]
        assert (await day.http.get("/v2/clock"))["paused"] is True


async def test_a_paused_clock_is_stepped_by_moments(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        for n, told in ((1, "qtqt"), (2, "qtqt" * 2), (2, "qtqt" + "bb")):
            assert kinds(await day.hear(events=n)) == told
        status = await day.http.get("/admin/status")
        assert read_time(status["time"]) == OPEN + 60 * 10**9


async def test_stepping_past_the_tapes_end_stops_there(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path, {"AAA": flat(10.0, 1)}) as day:
        status = await day.http.post("/admin/step", events=100_000)
        assert read_time(status["time"]) == OPEN + 60 * 10**9
        assert (await day.http.post("/admin/step", seconds=80_000))["ended"] is True


async def test_stepping_fills_what_the_market_reaches(tmp_path: Path) -> None:
    falling = {"AAA": [(10.0, 10.0, 10.0, 10.0, 4000.0), (9.0, 9.0, 9.0, 9.0, 4000.0)]}
    async with a_rehearsal(tmp_path, falling) as day:
        await day.step(events=1)
        await day.http.buy("AAA", 1, type="limit", limit_price="9.50")
        await day.step(events=4)
        assert await day.http.get("/v2/positions") == []
        await day.step(events=1)
        assert [p["symbol"] for p in await day.http.get("/v2/positions")] == ["AAA"]


@pytest.mark.parametrize(
    "body",
    [{}, {"seconds": 1, "events": 1}, {"seconds": 0}, {"seconds": "1"}, {"events": 1.5}, {"events": True}],
)
async def test_a_step_that_cannot_be_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async with a_rehearsal(tmp_path) as day:
        assert (await day.http.ask("POST", "/admin/step", json=body))[0] == 400
        assert await day.heard() == []


async def test_a_running_clock_is_not_stepped() -> None:
    async with a_market() as server, rest(server) as http:
        status, said = await http.ask("POST", "/admin/step", json={"seconds": 1})
        assert (status, said["message"]) == (400, "the clock runs: pause it first")


async def test_in_lock_step_a_paused_market_takes_so_many_steps_as_the_clients_are_ready(
    tmp_path: Path,
) -> None:
    source = str(write_day(tmp_path / "day", {"AAA": flat(10.0, 2)}))
    async with (
        a_market(source=source, date="", speed="max") as server,
        data_socket(server) as client,
        rest(server) as http,
    ):
        await client.join(trades=["*"])
        await http.post("/admin/pause")
        await client.ack(0)
        await http.post("/admin/step", events=2)
        for n in (1, 2):
            assert (await client.next("step"))["n"] == n
            await client.ack(n)
        assert (await http.get("/admin/status"))["step"] == 2
        await http.post("/admin/step", seconds=30)  # the clock is at 20 s: one more step lies before 50 s
        assert (await client.next("step"))["n"] == 3
        await client.ack(3)
        assert (await http.get("/admin/status"))["step"] == 3


async def test_faults_are_listed_found_and_taken_away(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        one = await day.fault(kind="silence", at="10:00", lasts=5)
        two = await day.fault(kind="duplicate", share=0.5)
        assert (one["state"], two["state"]) == ("waiting", "active")
        assert (one["begins"], one["ends"]) == ("2024-03-06T15:00:00Z", "2024-03-06T15:00:05Z")
        assert two["ends"] is None
        assert await day.http.get("/admin/faults") == [one, two]
        status, gone = await day.http.ask("DELETE", f"/admin/faults/{one['id']}")
        assert (status, gone["state"]) == (200, "over")
        _, all_gone = await day.http.ask("DELETE", "/admin/faults")
        assert [fault["state"] for fault in all_gone] == ["over", "over"]
        assert (await day.http.get("/admin/status"))["faults"] == []
        assert (await day.http.ask("GET", "/admin/faults/77"))[0] == 404
        assert (await day.http.ask("DELETE", "/admin/faults/77"))[0] == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "silens"}, "kind was 'silens'. Did you mean 'silence'?"),
        ({"kind": "halt", "symbols": ["AAB"]}, "no symbol 'AAB'. Did you mean 'AAA'?"),
        ({"kind": "drop", "at": "21:00"}, "at = '21:00' lies outside the session of 2024-03-06."),
    ],
)
async def test_a_fault_that_cannot_be_is_refused_in_words(
    tmp_path: Path, body: dict[str, Any], words: str
) -> None:
    async with a_rehearsal(tmp_path) as day:
        status, said = await day.http.ask("POST", "/admin/faults", json=body)
        assert status == 400
        assert said["message"].startswith(words)
        assert await day.http.get("/admin/faults") == []
