"""Order updates that are lost, doubled, late, mixed up or silent; what REST tells stays true."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.localmarket.auth import Keys
from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.lockstep import LockStep
from liu_tui.localmarket.tradestream import TradeStream
from liu_tui.localmarket.updatefaults import UpdateFaults
from liu_tui.model.market import SECOND_NS
from liu_tui.plan.schema import FaultKind, FaultTable
from tests.kit.faults import a_rehearsal
from tests.kit.localmarket import KEYS, DataSocket, TradeSocket, a_market, data_socket, rest, trade_socket
from tests.kit.orderfaults import known

FILLED = ["new", "fill"]


async def cut(trades: TradeSocket) -> bool:
    """Whether the line broke without a goodbye, after whatever it said before."""
    async with asyncio.timeout(10):
        while (await trades.ws.receive()).type is aiohttp.WSMsgType.BINARY:
            pass
    return trades.ws.close_code != 1000


async def test_lost_updates_never_come_and_rest_knows_the_fill(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day, trade_socket(day.server) as trades:
        await trades.listen()
        await day.step(events=1)
        fault = await day.fault(kind="updates_lost", lasts=5, symbols=["AAA"])
        await day.http.buy("AAA", 1)
        await day.http.buy("BBB", 1)
        assert (await trades.next())["data"]["order"]["symbol"] == "BBB"
        assert await trades.events(1) == ["fill"]
        assert (await day.look(fault))["hits"] == 2
        assert {order["status"] for order in (await known(day.http)).values()} == {"filled"}
        await day.step(seconds=6)
        await day.http.buy("AAA", 1)
        assert await trades.events(2) == FILLED


async def test_updates_come_twice_one_after_the_other_and_word_for_word(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day, trade_socket(day.server) as trades:
        await trades.listen()
        await day.step(events=1)
        await day.fault(kind="updates_twice")
        await day.http.buy("AAA", 1)
        told = [await trades.next() for _ in range(4)]
        assert [update["data"]["event"] for update in told] == ["new", "new", "fill", "fill"]
        assert (told[0], told[2]) == (told[1], told[3])


async def test_late_updates_come_so_many_session_seconds_later_behind_younger_ones(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day, trade_socket(day.server) as trades:
        await trades.listen()
        await day.step(events=1)
        fault = await day.fault(kind="updates_late", seconds=5, lasts=2)
        await day.http.buy("AAA", 1, client_order_id="late")
        await day.step(seconds=3)
        assert (await day.look(fault))["state"] == "over"
        await day.http.buy("AAA", 1, client_order_id="young")
        await day.step(seconds=3)
        told = [(await trades.next())["data"] for _ in range(4)]
        assert [(u["order"]["client_order_id"], u["event"]) for u in told] == [
            ("young", "new"),
            ("young", "fill"),
            ("late", "new"),
            ("late", "fill"),
        ]


async def test_the_updates_of_a_moment_come_in_another_order(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day, trade_socket(day.server) as trades:
        await trades.listen()
        await day.step(events=1)
        fault = await day.fault(kind="updates_disordered")
        await day.http.buy("AAA", 1)
        assert await trades.events(2) == ["fill", "new"]
        assert (await day.look(fault))["hits"] == 1


async def answers_pings(ws: aiohttp.ClientWebSocketResponse) -> bool:
    """Whether a ping comes back; what is on loopback comes at once."""
    await ws.ping()
    try:
        return (await ws.receive(timeout=0.2)).type is aiohttp.WSMsgType.PONG
    except TimeoutError:
        return False


async def test_a_silent_stream_is_connected_tells_nothing_and_answers_no_ping_while_a_new_one_does() -> None:
    async with a_market() as server, rest(server) as http, aiohttp.ClientSession(headers=KEYS) as session:
        url = f"{server.url.replace('http', 'ws')}/stream"
        async with session.ws_connect(url, autoping=False) as dead:
            trades = TradeSocket(dead)
            await trades.send(action="listen", data={"streams": ["trade_updates"]})
            assert (await trades.next())["stream"] == "listening"
            assert await answers_pings(dead)
            fault = await http.post("/admin/faults", kind="updates_silent")
            assert (fault["state"], fault["hits"]) == ("active", 1)
            async with session.ws_connect(url, autoping=False) as live:
                assert await answers_pings(live)
                await TradeSocket(live).listen()
                await http.buy("AAPL", 1)
                assert await TradeSocket(live).events(2) == FILLED
            assert not await answers_pings(dead)
            assert not dead.closed
            assert (await http.ask("DELETE", "/admin/faults"))[0] == 200
            assert await cut(trades), "a dead line breaks in the end"


async def test_a_market_ends_though_a_stream_is_silent() -> None:
    async with a_market() as server, rest(server) as http, trade_socket(server) as trades:
        await trades.listen()
        await http.post("/admin/faults", kind="updates_silent")
        await server.stop()
        assert await cut(trades)


async def test_cut_breaks_every_trade_connection_and_no_data_connection() -> None:
    async with (
        a_market() as server,
        rest(server) as http,
        trade_socket(server) as one,
        trade_socket(server) as two,
        data_socket(server) as data,
    ):
        await one.listen()
        await two.listen()
        await data.log_in()
        fault = await http.post("/admin/faults", kind="updates_cut")
        assert (fault["state"], fault["hits"]) == ("over", 2)
        assert await cut(one)
        assert await cut(two)
        await data.send(action="unsubscribe")
        await data.next("subscription")


async def a_stepped_order(tmp_path: Path, kind: str, steps: int, **table: Any) -> list[str]:
    """What a client in lock-step hears of an order given after step 1; "|" is the mark of a step."""
    async with a_rehearsal(tmp_path, speed="max") as day, trade_socket(day.server) as trades:
        await trades.listen()
        await trades.send(action="lockstep")
        await day.client.send(action="lockstep")
        await day.client.next("success")
        await day.http.post("/admin/resume")
        await take(day.client, trades, 1)
        await day.fault(kind=kind, **table)
        await day.http.buy("AAA", 1)
        return [said for n in range(2, steps + 2) for said in await take(day.client, trades, n)]


async def take(client: DataSocket, trades: TradeSocket, n: int) -> list[str]:
    """Let step n come; returns what the trade stream said up to its mark."""
    await client.ack(n - 1)
    assert (await client.next("step"))["n"] == n
    heard = []
    while (message := await trades.next())["stream"] != "step":
        heard.append(message["data"]["event"])
    assert message["data"]["n"] == n
    return [*heard, "|"]


async def test_in_lock_step_late_updates_come_before_the_mark_of_a_later_step(tmp_path: Path) -> None:
    on_time = await a_stepped_order(tmp_path / "a", "updates_lost", 3, symbols=["BBB"])
    assert on_time == ["new", "fill", "|", "|", "|"]
    late = await a_stepped_order(tmp_path / "b", "updates_late", 3, seconds=25)
    assert late == ["|", "new", "fill", "|", "|"]


async def test_in_lock_step_a_silent_stream_keeps_its_marks(tmp_path: Path) -> None:
    assert await a_stepped_order(tmp_path, "updates_silent", 2, lasts=0.5) == ["|", "|"]


def update(n: int, event: str = "new") -> dict[str, Any]:
    return {"event": event, "order": {"client_order_id": f"o{n}", "symbol": "AAA"}}


def a_telling(*tables: FaultTable, seed: int = 1) -> UpdateFaults:
    telling = UpdateFaults(TradeStream(Keys("", ""), LockStep(0, 0)))
    for number, table in enumerate(tables, 1):
        telling.begin(Fault(number, table, 0, 0, seed), 0)
    return telling


LOST_SOME = FaultTable(kind=FaultKind.UPDATES_LOST, share=0.4)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=8))
def test_the_same_updates_are_lost_however_they_are_parted_into_moments(sizes: list[int]) -> None:
    updates = [update(n) for n in range(sum(sizes))]
    whole = a_telling(LOST_SOME).tell(updates, 0)
    telling, told, rest_of = a_telling(LOST_SOME), [], updates
    for now_ns, size in enumerate(sizes):
        told += telling.tell(rest_of[:size], now_ns)
        rest_of = rest_of[size:]
    assert told == whole


KINDS_THAT_LOSE_NOTHING = (
    FaultTable(kind=FaultKind.UPDATES_LATE, share=0.5, seconds=3),
    FaultTable(kind=FaultKind.UPDATES_TWICE, share=0.5),
    FaultTable(kind=FaultKind.UPDATES_DISORDERED, share=0.5),
)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=10), st.integers(1, 9))
def test_late_doubled_and_mixed_up_together_lose_nothing(sizes: list[int], seed: int) -> None:
    telling, n, told = a_telling(*KINDS_THAT_LOSE_NOTHING, seed=seed), 0, []
    for second, size in enumerate(sizes):
        told += telling.tell([update(n + i) for i in range(size)], second * SECOND_NS)
        n += size
    telling.release()
    told += telling.tell([], len(sizes) * SECOND_NS)
    assert {u["order"]["client_order_id"] for u in told} == {f"o{i}" for i in range(n)}
    assert all(told.count(u) <= 2 for u in told)
