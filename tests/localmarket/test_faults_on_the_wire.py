"""Each fault as a client of the data stream meets it; what REST tells stays true."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgpack  # type: ignore[import-untyped] # alpaca-py's own decoder
import msgspec
import pytest

from liu_tui.localmarket.faultform import read_fault
from liu_tui.localmarket.rfc3339 import read_time
from liu_tui.localmarket.server import MarketServer
from tests.kit.faults import EVERYTHING, Rehearsal, a_rehearsal, kinds
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

MINUTE = "qtqt" * 4
"""What two flat names tell in a minute, before their bars."""


async def cut(client: DataSocket) -> bool:
    """Whether the connection broke without a word of goodbye."""
    while (message := await client.ws.receive()).type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
        pass
    return (
        message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR) and client.ws.close_code != 1000
    )


@asynccontextmanager
async def a_rehearsal_in_lockstep(
    source: str, faults: Sequence[Mapping[str, Any]], *, binary: bool = True
) -> AsyncIterator[tuple[MarketServer, DataSocket]]:
    """A market in lock-step, and a client that takes part."""
    plan = tuple(map(read_fault, faults))
    async with (
        a_market(source=source, date="", speed="max", faults=plan) as server,
        data_socket(server, binary=binary) as client,
    ):
        await client.join(**EVERYTHING)
        yield server, client


async def true_bars(rehearsal: Rehearsal, symbol: str = "AAA") -> list[tuple[float, float]]:
    """Close and volume of each minute as history has them."""
    told = await rehearsal.http.get("/v2/stocks/bars", symbols=symbol, timeframe="1Min")
    return [(bar["c"], bar["v"]) for bar in told["bars"].get(symbol, [])]


async def test_without_a_fault_two_flat_minutes_are_told_as_they_happen(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        assert kinds(await day.hear(seconds=119.5)) == MINUTE + "bb" + MINUTE


async def test_drop_cuts_every_data_connection_and_leaves_the_order_updates_alone(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day, trade_socket(day.server) as trades:
        await trades.listen()
        async with data_socket(day.server, "/v2/sip") as other:
            fault = await day.fault(kind="drop")
            assert await cut(day.client)
            assert await cut(other)
        assert (fault["state"], fault["hits"]) == ("over", 2)
        await day.step(events=1)
        await day.http.buy("AAA", 1)
        assert await trades.events(2) == ["new", "fill"]
        async with data_socket(day.server) as again:
            await again.log_in()


async def test_silence_answers_pings_and_tells_nothing_then_or_later(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        fault = await day.fault(kind="silence", lasts=59.9)
        assert await day.hear(seconds=59.5) == []
        await day.client.ws.ping()
        assert (await day.look(fault))["state"] == "active"
        assert kinds(await day.hear(seconds=60)) == "bb" + MINUTE
        told = await day.look(fault)
        assert (told["state"], told["hits"]) == ("over", len(MINUTE))
        assert await true_bars(day) == [(10.0, 4000)]


async def test_silence_of_one_symbol_leaves_the_others(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.fault(kind="silence", symbols=["aaa"])
        assert {m["S"] for m in await day.hear(seconds=70)} == {"BBB"}


async def test_delay_tells_everything_so_much_later_and_nothing_is_lost(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.fault(kind="delay", seconds=5, lasts=30)
        assert await day.hear(seconds=5.5) == []
        assert kinds(await day.hear(seconds=1)) == "qtqt"  # of the first second
        assert kinds(await day.hear(seconds=18)) == ""  # that of 20 s waits
        assert kinds(await day.hear(seconds=1)) == "qtqt"
        assert kinds(await day.hear(seconds=15)) == "qtqt"  # the fault is over: that of 40 s comes at once
        assert kinds(await day.hear(seconds=20)) == "qtqt" + "bb"


async def test_what_is_late_at_the_end_of_the_day_comes_before_the_end(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path, {"AAA": flat(10.0, 1)}, first="20:59", start="15:59") as day:
        await day.client.send(action="clock")
        await day.fault(kind="delay", seconds=600)
        await day.step(seconds=120)
        heard = await day.client.until("end")
        assert kinds([m for m in heard if m["T"] in "qtb"]) == "qt" * 4 + "b"


async def test_duplicate_tells_events_twice(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        fault = await day.fault(kind="duplicate", symbols=["AAA"])
        heard = await day.hear(events=1)
        assert [(m["S"], m["T"]) for m in heard] == [
            *(("AAA", kind) for kind in "qqtt"),
            *(("BBB", kind) for kind in "qt"),
        ]
        assert heard[0] == heard[1]
        assert (await day.look(fault))["hits"] == 2


async def test_reorder_tells_the_events_of_a_moment_in_another_order(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.fault(kind="reorder")
        heard = await day.hear(events=1)
        assert sorted(kinds(heard)) == sorted("qtqt")
        assert [(m["S"], m["T"]) for m in heard] != [("AAA", "q"), ("AAA", "t"), ("BBB", "q"), ("BBB", "t")]


@pytest.mark.parametrize("binary", [True, False])
async def test_corrupt_breaks_whole_frames_of_data_and_no_answer(tmp_path: Path, binary: bool) -> None:
    decode = msgpack.unpackb if binary else msgspec.json.decode
    async with a_rehearsal(tmp_path, binary=binary) as day:
        fault = await day.fault(kind="corrupt", lasts=59.9)
        for _ in range(4):
            await day.step(events=1)
            frame = (await day.client.ws.receive()).data
            with pytest.raises((ValueError, msgspec.MsgspecError)):
                msgspec.convert(decode(frame), list[dict[str, Any]])
        assert await day.heard() == []
        assert kinds(await day.hear(seconds=10)) == "bbqtqt"
        assert (await day.look(fault))["hits"] == 4


@pytest.mark.parametrize("binary", [True, False])
async def test_wrong_types_are_well_formed_frames(tmp_path: Path, binary: bool) -> None:
    async with a_rehearsal(tmp_path, binary=binary) as day:
        right = await day.hear(events=1)
        fault = await day.fault(kind="wrong_types", symbols=["AAA"])
        wrong = await day.hear(events=1)
        assert kinds(wrong) == kinds(right)
        for before, after in zip(right, wrong, strict=True):
            changed = [key for key in before if type(before[key]) is not type(after[key])]
            assert len(changed) == (before["S"] == "AAA"), (before, after)
        assert (await day.look(fault))["hits"] == 2


@pytest.mark.parametrize("code", [402, 406])
async def test_logins_are_refused_and_the_refused_may_try_again(tmp_path: Path, code: int) -> None:
    async with a_rehearsal(tmp_path) as day, data_socket(day.server) as client:
        fault = await day.fault(kind="refuse", code=code)
        await client.next("success")
        await client.send(action="auth", key="key", secret="secret")
        assert (await client.next())["code"] == code
        assert kinds(await day.hear(events=1)) == "qtqt", "who is in stays in"
        await day.http.ask("DELETE", f"/admin/faults/{fault['id']}")
        await client.send(action="auth", key="key", secret="secret")
        assert (await client.next())["msg"] == "authenticated"
        assert (await day.look(fault))["hits"] == 1


async def test_a_login_that_times_out_is_told_and_hung_up_on(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day, data_socket(day.server) as client:
        await day.fault(kind="refuse", code=404)
        await client.next("success")
        await client.send(action="auth", key="key", secret="secret")
        assert (await client.next())["code"] == 404
        assert (await client.ws.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_405_leaves_the_subscriptions_as_they_were(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.fault(kind="refuse", code=405)
        await day.client.send(action="subscribe", dailyBars=["AAA"])
        assert (await day.client.next())["code"] == 405
        await day.client.send(action="unsubscribe", quotes=["*"])
        assert (await day.client.next("subscription"))["dailyBars"] == []


async def test_407_is_said_and_the_line_is_cut(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        fault = await day.fault(kind="refuse", code=407)
        assert await day.client.next() == {"T": "error", "code": 407, "msg": "slow client"}
        assert (await day.client.ws.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert (fault["state"], fault["hits"]) == ("over", 1)


@pytest.mark.parametrize("binary", [True, False])
async def test_a_slow_line_starves_its_receiver_and_is_alive(
    tmp_path: Path, binary: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liu_tui.localmarket.outbox.PAUSE_S", 3600.0)
    async with a_rehearsal(tmp_path, binary=binary) as day:
        fault = await day.fault(kind="slow")
        await day.step(events=1)
        receiving = day.client.ws.receive(timeout=0.05)
        with pytest.raises(TimeoutError):
            await receiving
        # A ping goes through between two pieces of the frame, and its answer does not break it.
        await day.client.ws.ping(b"alive")
        assert (await day.look(fault))["hits"] == 1


async def test_a_slow_line_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liu_tui.localmarket.outbox.PAUSE_S", 0.0)
    async with a_rehearsal(tmp_path) as day:
        fault = await day.fault(kind="slow")
        assert kinds(await day.hear(seconds=70)) == MINUTE + "bb" + "qtqt"
        await day.http.ask("DELETE", "/admin/faults")
        assert kinds(await day.hear(seconds=20)) == "qtqt"
        assert (await day.look(fault))["hits"] > 0


async def test_skew_is_told_by_clock_header_and_message_and_moves_nothing(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.client.send(action="clock")
        right = (await day.client.next("clock"))["t"].to_unix_nano()
        await day.fault(kind="skew", seconds=90, lasts=10)
        wrong = (await day.client.next("clock"))["t"].to_unix_nano()
        assert wrong - right == 90 * 10**9
        told = read_time((await day.http.get("/v2/clock"))["timestamp"])
        assert told == wrong
        async with day.http.http.get(day.http.url + "/v2/clock") as answer:
            shown = answer.headers["Date"]
        assert (await day.http.get("/admin/status"))["time"] != told
        heard = [m for m in await day.hear(events=1) if m["T"] == "t"]
        assert heard[0]["t"].to_unix_nano() == session().open_ns + 10**9
        await day.step(seconds=30)
        assert read_time((await day.http.get("/v2/clock"))["timestamp"]) < wrong
        async with day.http.http.get(day.http.url + "/v2/clock") as answer:
            assert answer.headers["Date"] != shown


async def test_a_halt_is_told_and_nothing_trades_or_fills_until_it_ends(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day, trade_socket(day.server) as trades:
        await trades.listen()
        await day.step(events=1)
        await day.heard()
        await day.fault(kind="halt", symbols=["AAA"], lasts=60)
        (halt,) = await day.heard()
        assert (halt["T"], halt["S"], halt["sc"]) == ("s", "AAA", "H")
        await day.http.buy("AAA", 1)
        await day.http.buy("AAA", 1, type="limit", limit_price="11")
        assert await trades.events(2) == ["new", "new"]
        heard = await day.hear(seconds=59.5)
        assert [m["T"] for m in heard if m["S"] == "AAA"] == ["b"], "bars are history's, and come"
        assert kinds([m for m in heard if m["S"] == "BBB"]) == "qtqtqtb"
        assert (await day.http.get("/v2/positions")) == []
        after = await day.hear(seconds=20)
        resumed = next(m for m in after if m["S"] == "AAA")
        assert (resumed["T"], resumed["sc"]) == ("s", "T")
        assert await trades.events(2) == ["fill", "fill"]
        assert await true_bars(day) == [(10.0, 4000)]


async def test_a_split_divides_prices_and_multiplies_sizes_from_the_open_on(tmp_path: Path) -> None:
    fault = {"kind": "split", "symbols": ["AAA"], "ratio": 4, "at": "09:29:30"}
    async with a_rehearsal(tmp_path, first="14:29", start="09:29", faults=[fault]) as day:
        before = [m for m in await day.hear(seconds=59.5) if m["S"] == "AAA" and m["T"] == "t"]
        assert {(m["p"], m["s"]) for m in before} == {(10.0, 1000)}
        after = await day.hear(seconds=61)
        assert {(m["p"], m["s"]) for m in after if m["S"] == "AAA" and m["T"] == "t"} == {(2.5, 4000)}
        assert [(m["c"], m["v"]) for m in after if m["S"] == "AAA" and m["T"] == "b"] == [
            (10.0, 4000),
            (2.5, 16000),
        ]
        assert {m["p"] for m in after if m["S"] == "BBB" and m["T"] == "t"} == {20.0}
        assert await true_bars(day) == [(10.0, 4000), (2.5, 16000)]
        (action,) = day.server.market.venue.actions
        assert (action.kind, action.symbol, action.day, action.ratio) == ("split", "AAA", "2024-03-06", 4.0)
        await day.http.buy("AAA", 4)
        assert 2 < float((await day.http.get("/v2/positions/AAA"))["avg_entry_price"]) < 3


async def test_a_split_after_the_open_is_announced_for_the_next_session(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.step(events=1)
        await day.heard()
        await day.fault(kind="split", symbols=["AAA"], ratio=0.1)
        assert {m["p"] for m in await day.hear(events=1) if m["T"] == "t"} == {10.0, 20.0}
        assert [(a.symbol, a.day) for a in day.server.market.venue.actions] == [("AAA", "2024-03-07")]


async def test_a_bad_print_is_in_the_stream_and_nowhere_else(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.step(events=1)
        await day.heard()
        await day.fault(kind="bad_print", symbols=["AAA"], percent=-20)
        (bad,) = await day.heard()
        assert (bad["T"], bad["S"], bad["p"], bad["s"]) == ("t", "AAA", 8.0, 1000)
        assert bad["i"] not in {m["i"] for m in await day.hear(seconds=70) if m["T"] == "t"}
        trades = await day.http.get("/v2/stocks/trades", symbols="AAA")
        assert {t["p"] for t in trades["trades"]["AAA"]} == {10.0}
        assert day.server.market.venue.exchange.price("AAA") == 10.0


async def test_a_true_print_is_told_wrong_and_corrected_a_second_later(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.fault(kind="correct", symbols=["AAA"])
        wrong = next(m for m in await day.hear(events=1) if m["T"] == "t" and m["S"] == "AAA")
        assert wrong["p"] == 10.02
        (fix,) = await day.hear(seconds=1)
        assert (fix["T"], fix["oi"], fix["op"], fix["os"]) == ("c", wrong["i"], 10.02, 1000)
        true = (await day.http.get("/v2/stocks/trades", symbols="AAA"))["trades"]["AAA"][0]
        assert (fix["ci"], fix["cp"], fix["cs"], fix["cc"]) == (true["i"], 10.0, 1000, true["c"])
        assert kinds(await day.hear(seconds=30)) == "qtqt"


async def test_a_print_is_told_and_cancelled_a_second_later(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        await day.step(events=1)
        await day.heard()
        fault = await day.fault(kind="cancel", symbols=["BBB"])
        (stray,) = await day.heard()
        assert (stray["T"], stray["S"], stray["p"]) == ("t", "BBB", 20.04)
        (cancel,) = await day.hear(seconds=1)
        assert {key: cancel[key] for key in ("T", "S", "i", "p", "s", "a")} == {
            **{key: stray[key] for key in ("S", "i", "p", "s")},
            "T": "x",
            "a": "C",
        }
        assert (await day.look(fault))["state"] == "over"
        trades = await day.http.get("/v2/stocks/trades", symbols="BBB")
        assert len(trades["trades"]["BBB"]) == 1


async def test_faults_of_a_plan_begin_and_end_at_their_moments(tmp_path: Path) -> None:
    plan: list[dict[str, Any]] = [
        {"kind": "silence", "at": "09:30:10", "for": 20},
        {"kind": "duplicate", "at": "09:30:45", "for": 10, "symbols": ["AAA"]},
    ]
    async with a_rehearsal(tmp_path, faults=plan) as day:
        assert [f["state"] for f in await day.http.get("/admin/faults")] == ["waiting", "waiting"]
        assert kinds(await day.hear(seconds=15)) == "qtqt"
        status = await day.http.get("/admin/status")
        assert [(f["kind"], f["state"]) for f in status["faults"]] == [("silence", "active")]
        assert kinds(await day.hear(seconds=42)) == "qtqt"  # of 40 s; nobody heard the one of 20 s
        await day.step(seconds=1)
        assert [f["state"] for f in await day.http.get("/admin/faults")] == ["over", "over"]
        assert [f["hits"] for f in await day.http.get("/admin/faults")] == [4, 0]


async def test_a_market_that_begins_in_a_fault_is_in_it(tmp_path: Path) -> None:
    plan: list[dict[str, Any]] = [
        {"kind": "silence", "at": "09:29", "for": 120},
        {"kind": "duplicate", "at": "09:29", "for": 30},
        {"kind": "drop", "at": "09:29"},
    ]
    async with a_rehearsal(tmp_path, faults=plan) as day:
        assert [f["state"] for f in await day.http.get("/admin/faults")] == ["active", "over", "over"]
        assert await day.hear(seconds=59.5) == []


async def test_in_lock_step_silence_goes_by_and_the_market_with_it(tmp_path: Path) -> None:
    source = str(write_day(tmp_path / "day", {"AAA": flat(10.0, 2)}))
    plan = {"kind": "silence", "at": "09:30:10", "for": 60}
    heard: list[str] = []
    async with a_rehearsal_in_lockstep(source, [plan]) as (_, client):
        n = 0
        while True:
            await client.ack(n)
            while (message := await client.next())["T"] not in ("step", "end"):
                heard.append(message["T"])
            if message["T"] == "end":
                break
            n = message["n"]
    assert "".join(heard) == "qt" + "qtqtqt" + "b"


async def test_in_lock_step_a_dropped_client_is_waited_for_until_it_is_back_or_forgotten(
    tmp_path: Path,
) -> None:
    source = str(write_day(tmp_path / "day", {"AAA": flat(10.0, 2)}))
    plan = {"kind": "drop", "at": "09:30:10"}
    async with a_rehearsal_in_lockstep(source, [plan]) as (server, client), rest(server) as http:
        await client.ack(0)
        await client.ack((await client.next("step"))["n"])
        assert await cut(client)
        while not (status := await http.get("/admin/status"))["waiting_for"]:
            pass
        async with data_socket(server) as heir:
            await heir.join(trades=["*"])
            await heir.ack(1)
            told = await heir.next("step")
            assert told["n"] == status["step"] == 2, "who comes back is told where the market stands"
            await heir.ack(2)
            assert (await heir.next("step"))["n"] == 3
            heir.ws._response.connection.transport.abort()  # type: ignore[union-attr]
        async with data_socket(server) as stranger:
            while not (await http.get("/admin/status"))["waiting_for"]:
                pass
            await http.post("/admin/forget")
            await stranger.join()
            await stranger.ack(3)
            assert (await stranger.next("step"))["n"] == 4


async def test_two_lock_step_runs_with_shares_are_alike(tmp_path: Path) -> None:
    source = str(write_day(tmp_path / "day", {"AAA": flat(10.0, 3), "BBB": flat(20.0, 3)}))
    plan = [
        {"kind": "duplicate", "share": 0.5},
        {"kind": "reorder", "share": 0.7},
        {"kind": "silence", "share": 0.3, "symbols": ["BBB"]},
        {"kind": "wrong_types", "share": 0.2},
        {"kind": "delay", "share": 0.2, "seconds": 30},
    ]
    runs: list[list[dict[str, Any]]] = []
    for _ in range(2):
        heard: list[dict[str, Any]] = []
        async with a_rehearsal_in_lockstep(source, plan, binary=False) as (_, client):
            n = 0
            while not heard or heard[-1]["T"] != "end":
                await client.ack(n)
                heard.append(await client.next())
                while heard[-1]["T"] not in ("step", "end"):
                    heard.append(await client.next())
                n = heard[-1].get("n", 0)
        runs.append(heard)
    assert runs[0] == runs[1]
    assert any(isinstance(m.get("p"), str) or isinstance(m.get("t"), int) for m in runs[0])
