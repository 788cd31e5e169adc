"""The conversation of the market data stream, frame by frame, in both codecs."""

import asyncio
from typing import Any

import msgpack  # type: ignore[import-untyped] # alpaca-py's own decoder
import pytest

from liu_tui.localmarket import dataclient
from tests.kit.localmarket import KEYS, a_market, data_socket, rest

CODECS = pytest.mark.parametrize("binary", [True, False])
NOTHING: dict[str, Any] = {
    channel: []
    for channel in (
        *("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds"),
        *("corrections", "cancelErrors"),
    )
}


def error(code: int, words: str) -> dict[str, Any]:
    return {"T": "error", "code": code, "msg": words}


@CODECS
async def test_a_subscription_is_answered_with_the_whole_set(binary: bool) -> None:
    async with a_market() as server, data_socket(server, binary=binary) as client:
        await client.log_in()
        await client.send(action="subscribe", trades=["B"], quotes=["A", "*"])
        with_trades = {"corrections": ["B"], "cancelErrors": ["B"]}
        heard = await client.next("subscription")
        assert heard == {"T": "subscription"} | NOTHING | with_trades | {
            "trades": ["B"],
            "quotes": ["*", "A"],
        }
        await client.send(action="subscribe", bars=["C"], trades=["A"])
        assert (await client.next("subscription"))["trades"] == ["A", "B"]
        await client.send(action="unsubscribe", quotes=["*", "A", "Z"], trades=["B", "A"], bars=["C"])
        assert await client.next("subscription") == {"T": "subscription"} | NOTHING


@CODECS
async def test_events_of_the_channels_and_symbols_asked_for_arrive(binary: bool) -> None:
    async with a_market(speed=50.0) as server, data_socket(server, binary=binary) as client:
        await client.log_in()
        await client.send(action="subscribe", quotes=["AAPL"], trades=["*"], bars=["*"], dailyBars=["*"])
        heard = await client.until("d")
        kinds = {m["T"] for m in heard}
        assert {"q", "t", "b", "d"} <= kinds
        assert {m["S"] for m in heard if m["T"] == "q"} == {"AAPL"}
        assert len({m["S"] for m in heard if m["T"] == "t"}) > 1
        times = [m["t"] for m in heard if m["T"] in ("q", "t")]
        assert all(isinstance(t, msgpack.Timestamp if binary else str) for t in times)


async def test_keys_in_the_headers_log_in_without_a_message() -> None:
    async with a_market() as server, data_socket(server, headers=KEYS) as client:
        assert (await client.next())["msg"] == "connected"
        assert (await client.next())["msg"] == "authenticated"
        await client.send(action="auth", key="key", secret="secret")
        assert await client.next() == error(403, "already authenticated")


@CODECS
async def test_a_message_that_cannot_be_read_is_invalid_syntax(binary: bool) -> None:
    async with a_market() as server, data_socket(server, binary=binary) as client:
        await client.log_in()
        bad = b"\xc1" if binary else "{"
        await (client.ws.send_bytes(bad) if isinstance(bad, bytes) else client.ws.send_str(bad))
        assert await client.next() == error(400, "invalid syntax")


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"action": "subscribe", "trades": ["not a symbol"]}, error(400, "invalid syntax")),
        ({"action": "subscribe", "trades": "AAPL"}, error(400, "invalid syntax")),
        (
            {"action": "subscribe", "orderbooks": ["BTC/USD"]},
            error(410, "invalid subscribe action for this feed"),
        ),
        ({"action": "sing"}, error(400, "invalid syntax")),
        ({"action": ["auth"]}, error(400, "invalid syntax")),
        ({"action": "ack", "n": "one"}, error(400, "invalid syntax")),
    ],
)
async def test_a_request_that_cannot_be_is_refused_by_code(
    message: dict[str, Any], answer: dict[str, Any]
) -> None:
    async with a_market() as server, data_socket(server) as client:
        await client.log_in()
        await client.send(**message)
        assert await client.next() == answer


async def test_before_authentication_nothing_but_authentication_is_heard() -> None:
    async with a_market(key="key", secret="secret") as server, data_socket(server, binary=False) as client:
        await client.next()
        await client.send(action="subscribe", trades=["*"])
        assert await client.next() == error(401, "not authenticated")
        await client.send(action="auth", key="key", secret="wrong")
        assert await client.next() == error(402, "auth failed")
        await client.send(action="auth", key="key")
        assert await client.next() == error(402, "auth failed")
        await client.send(action="auth", key="key", secret="secret")
        assert (await client.next())["msg"] == "authenticated"


async def test_who_does_not_log_in_in_time_is_told_and_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataclient, "AUTH_S", 0.05)
    async with a_market() as server, data_socket(server) as client:
        await client.next()
        assert await client.next() == error(404, "auth timeout")
        assert (await client.ws.receive()).data in (None, 1000, 1006)


async def test_the_symbol_limit_leaves_the_subscriptions_as_they_were() -> None:
    async with a_market(symbol_limit=3) as server, data_socket(server) as client:
        await client.log_in()
        await client.send(action="subscribe", trades=["A", "B"], bars=["A", "B", "C", "D", "E"])
        await client.next("subscription")
        await client.send(action="subscribe", trades=["A"], quotes=["A", "B"])
        assert await client.next() == error(405, "symbol limit exceeded")
        await client.send(action="subscribe", quotes=["A"])
        heard = await client.next("subscription")
        assert (heard["trades"], heard["quotes"]) == (["A", "B"], ["A"])


async def test_where_one_connection_is_allowed_the_first_one_wins_until_it_leaves() -> None:
    async with a_market(one_connection=True) as server, data_socket(server) as second:
        async with data_socket(server) as first:
            await first.log_in()
            await second.next()
            await second.send(action="auth", key="key", secret="secret")
            assert await second.next() == error(406, "connection limit exceeded")
            await second.send(action="subscribe", trades=["*"])
            assert await second.next() == error(401, "not authenticated")
            async with data_socket(server, "/v2/sip") as other_endpoint:
                await other_endpoint.log_in()
            await first.send(action="subscribe", trades=["*"])
            await first.next("subscription")
        heard: dict[str, Any] = {}
        while heard.get("msg") != "authenticated":
            await second.send(action="auth", key="key", secret="secret")
            heard = await second.next()


async def test_the_clock_is_told_to_who_asks_and_to_nobody_else() -> None:
    async with (
        a_market() as server,
        data_socket(server) as asks,
        data_socket(server) as other,
        rest(server) as http,
    ):
        await asks.log_in()
        await other.log_in()
        await asks.send(action="clock")
        assert await asks.next() == {"T": "success", "msg": "clock"}
        first = await asks.next()
        assert (first["T"], first["speed"], first["paused"], first["lockstep"]) == (
            "clock",
            1.0,
            False,
            False,
        )
        for path, body in (
            ("pause", {}),
            ("speed", {"speed": 5}),
            ("resume", {}),
            ("speed", {"speed": "max"}),
        ):
            await http.post(f"/admin/{path}", **body)
        heard = [await asks.next("clock") for _ in range(4)]
        assert [m["paused"] for m in heard] == [True, True, False, False]
        assert [m["speed"] for m in heard] == [1.0, 5.0, 5.0, 5.0]
        assert [m["lockstep"] for m in heard] == [False, False, False, True]
        assert heard[0]["t"] == heard[1]["t"]
        await other.send(action="subscribe")
        assert (await other.next())["T"] == "subscription"


async def test_the_delayed_feed_is_a_quarter_of_an_hour_behind() -> None:
    async with (
        a_market(speed="max") as server,
        data_socket(server) as leader,
        data_socket(server, "/v2/delayed_sip", binary=False) as delayed,
    ):
        await delayed.log_in()
        await delayed.send(action="subscribe", quotes=["*"])
        await delayed.next("subscription")
        await leader.join()
        first, now = asyncio.create_task(delayed.next("q")), None
        n = 0
        while not first.done():
            await leader.ack(n)
            step = await leader.next("step")
            n, now = step["n"], step["t"]
        assert now is not None
        open_ns = server.market.venue.hours.open_ns
        assert now.to_unix_nano() >= open_ns + 15 * 60_000_000_000
        assert first.result()["t"].startswith("2026-11-23T14:30:0")


async def test_the_test_feed_sends_its_one_symbol_at_any_hour() -> None:
    async with a_market(speed="max") as server, data_socket(server, "/v2/test") as client:
        await client.log_in()
        await client.send(action="subscribe", trades=["FAKEPACA"], quotes=["FAKEPACA"])
        heard = [await client.next("q"), await client.next("t")]
        assert [m["S"] for m in heard] == ["FAKEPACA", "FAKEPACA"]
        assert heard[0]["bp"] < heard[1]["p"] < heard[0]["ap"]
