"""The local market's Polygon face by hand: the conversation, the refusals, and how things are spelled."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import WSMsgType

from liu_tui.adapters.polygon.parse import FrameReader
from liu_tui.localmarket.polygon_codec import PolygonCodec
from liu_tui.localmarket.polygon_hub import PolygonHub
from liu_tui.localmarket.server import MarketServer
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, Halt, PriceBand, Quote, TapeEvent, Trade
from tests.kit.localmarket import PATIENCE_S, a_market, rest

KEY = {"Authorization": "Bearer anything"}
T0_NS = 1_795_186_800 * SECOND_NS
STOCKS = "/v2/snapshot/locale/us/markets/stocks"


class Socket:
    """A client of /stocks written by hand."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.waiting: list[dict[str, Any]] = []

    async def send(self, **message: Any) -> None:
        await self.ws.send_str(msgspec.json.encode(message).decode())

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next message, of these kinds if any are named."""
        while True:
            while not self.waiting:
                message = await self.ws.receive(timeout=PATIENCE_S)
                assert message.type is WSMsgType.TEXT, message
                self.waiting = msgspec.json.decode(message.data)
                assert all(next(iter(m)) == "ev" for m in self.waiting), "ev is the first key"
            said = self.waiting.pop(0)
            if not kinds or said["ev"] in kinds:
                return said

    async def status(self) -> tuple[str, str]:
        said = await self.next("status")
        return said["status"], said["message"]

    async def log_in(self, key: str = "key") -> None:
        assert await self.status() == ("connected", "Connected Successfully")
        await self.send(action="auth", params=key)
        assert await self.status() == ("auth_success", "authenticated")


@contextlib.asynccontextmanager
async def socket(server: MarketServer) -> AsyncIterator[Socket]:
    url = server.url.replace("http", "ws") + "/stocks"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as ws:
        yield Socket(ws)


async def test_each_topic_is_answered_by_itself_and_a_star_takes_everybody() -> None:
    async with a_market(start="10:00") as server, rest(server) as ask, socket(server) as client:
        await ask.post("/admin/pause")
        await client.log_in()
        await client.send(action="subscribe", params="T.*, AM.AAPL,X.AAPL,T.not it")
        assert [await client.status() for _ in range(4)] == [
            ("success", "subscribed to: T.*"),
            ("success", "subscribed to: AM.AAPL"),
            ("error", "invalid topic: X.AAPL"),
            ("error", "invalid topic: T.not it"),
        ]
        await ask.post("/admin/step", seconds=61)
        seen = {(m["ev"], m["sym"]) for m in [await client.next("T") for _ in range(50)]}
        assert len(seen) > 5
        assert (await client.next("AM"))["sym"] == "AAPL"
        await client.send(action="unsubscribe", params="T.*,AM.AAPL")
        assert await client.status() == ("success", "unsubscribed to: T.*")
        assert await client.status() == ("success", "unsubscribed to: AM.AAPL")
        await ask.post("/admin/step", seconds=60)
        await client.send(action="subscribe", params="Q.AAPL")
        assert (await client.next())["message"] == "subscribed to: Q.AAPL"


async def test_who_has_not_said_a_key_hears_nothing() -> None:
    async with a_market() as server, socket(server) as client:
        await client.status()
        await client.send(action="subscribe", params="T.*")
        assert await client.status() == ("error", "not authenticated")
        await client.send(action="auth", params="")
        assert await client.status() == ("auth_failed", "authentication failed")
        assert (await client.ws.receive(timeout=PATIENCE_S)).type is WSMsgType.CLOSE


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("no json", "invalid message: not a JSON object"),
        ("[1]", "invalid message: not a JSON object"),
        ('{"action":"subscribe","params":["T.AAPL"]}', "invalid params: not a string"),
        ('{"action":"dance"}', "unknown action: dance"),
    ],
)
async def test_what_makes_no_sense_is_answered_and_nothing_breaks(said: str, words: str) -> None:
    async with a_market() as server, socket(server) as client:
        await client.log_in()
        await client.ws.send_str(said)
        assert await client.status() == ("error", words)
        await client.send(action="auth", params="key")
        assert (await client.status())[0] == "auth_success"


async def test_a_second_connection_evicts_the_first_of_the_same_key_only() -> None:
    async with a_market() as server, socket(server) as old, socket(server) as other, socket(server) as new:
        await old.log_in("one")
        await other.log_in("two")
        await new.log_in("one")
        assert (await old.status())[0] == "max_connections"
        farewell = await old.ws.receive(timeout=PATIENCE_S)
        assert (farewell.type, farewell.data) == (WSMsgType.CLOSE, 1008)
        for client in (other, new):
            await client.send(action="subscribe", params="T.AAPL")
            assert (await client.status())[0] == "success"


async def test_the_clock_is_told_to_who_asks_and_to_nobody_else() -> None:
    async with a_market(speed=5.0) as server, rest(server) as ask, socket(server) as a, socket(server) as b:
        await a.log_in("a")
        await b.log_in("b")
        await a.send(action="clock")
        clock = await a.next()
        assert (clock["ev"], clock["speed"], clock["paused"]) == ("clock", 5.0, False)
        await ask.post("/admin/pause")
        assert (await a.next())["paused"] is True
        await b.send(action="subscribe", params="T.AAPL")
        assert (await b.next())["ev"] == "status"


async def test_price_bands_go_to_who_takes_them() -> None:
    async with a_market() as server, rest(server) as ask, socket(server) as client:
        await ask.post("/admin/pause")
        await client.log_in()
        await client.send(action="subscribe", params="LULD.AAPL")
        await client.status()
        hub = next(hub for hub in server.market.venue.hubs if isinstance(hub, PolygonHub))
        hub.publish([Halt("AAPL", T0_NS, True), PriceBand("AAPL", T0_NS, 90.0, 110.0, "17")], T0_NS)
        hub.flush()
        band = await client.next()
    assert {key: band[key] for key in ("ev", "T", "l", "h", "i")} == {
        "ev": "LULD", "T": "AAPL", "l": 90.0, "h": 110.0, "i": [17]
    }  # fmt: skip


def spelled(*events: TapeEvent) -> tuple[list[dict[str, Any]], list[Any]]:
    """The events on the wire, and what our reader makes of them."""
    day = Bar("AAPL", 0, 99.0, 110.0, 90.0, 100.0, 5_000_000, 101.5)
    codec = PolygonCodec({"AAPL": "C", "IBM": "A"}, lambda symbol: day if symbol == "AAPL" else None)
    (frame,) = codec.frames([codec.event(event) for event in events])
    return msgspec.json.decode(frame), FrameReader().read(frame)[0]


def test_what_is_spelled_is_read_again() -> None:
    events: list[TapeEvent] = [
        Trade("AAPL", T0_NS, 100.25, 30, 7, "11", ("@", "I"), "C"),
        Trade("IBM", T0_NS, 200.0, 0.5, 8, "10", ("B",), "A"),
        Quote("BAC.PRK", T0_NS, 25.0, 250, 25.1, 100),
        Quote("AAPL", 1_600_000_000 * SECOND_NS, 115.0, 250, 115.1, 300),
        Bar("AAPL", T0_NS, 100, 101, 99, 100.5, 1200.5, 100.1, 0, MINUTE_NS),
        Bar("AAPL", T0_NS, 100, 101, 99, 100.5, 1200, 100.1, 0, SECOND_NS),
        PriceBand("AAPL", T0_NS, 90.0, 110.0, "21,17"),
    ]
    words, read = spelled(*events)
    assert read == events
    assert words[2]["sym"] == "BACpK"
    assert (words[3]["bs"], words[3]["as"]) == (2.5, 3)  # in lots, at that time
    assert (words[4]["av"], words[4]["op"], words[4]["a"]) == (5_000_000, 99.0, 101.5)
    assert [words[n]["q"] for n in (0, 3, 6)] == [1, 2, 3]


def test_an_exchange_and_a_condition_have_their_numbers() -> None:
    (words,), _ = spelled(Trade("IBM", T0_NS, 1.0, 1, exchange="N", conditions=("B", "?")))
    assert (words["x"], words["c"], words["z"], words["i"]) == (10, [2], 1, "0")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{STOCKS}/tickers/NOPE", 404),
        (f"{STOCKS}/sideways", 400),
        ("/v2/last/trade/NOPE", 404),
        ("/v3/reference/tickers/NOPE", 404),
        ("/vX/reference/tickers/NOPE/events", 404),
        ("/v1/open-close/NOPE/2026-11-20", 404),
        ("/v1/open-close/AAPL/someday", 400),
        ("/v2/aggs/ticker/AAPL/range/0/minute/1/2", 400),
        ("/v2/aggs/ticker/AAPL/range/1/eon/1/2", 400),
        ("/v2/aggs/ticker/AAPL/range/5/month/1/2", 400),
        ("/v2/aggs/ticker/AAPL/range/2/day/1/2", 400),
        ("/v2/aggs/ticker/AAPL/range/1/minute/x/2", 400),
        ("/v3/trades/AAPL?order=up", 400),
        ("/v3/trades/AAPL?limit=none", 400),
        ("/v3/trades/AAPL?cursor=xx", 400),
        ("/v3/nothing", 404),
    ],
)
async def test_a_question_that_cannot_be_answered_gets_polygons_words(path: str, status: int) -> None:
    async with a_market() as server, rest(server, KEY) as ask:
        said, body = await ask.ask("GET", path)
    assert said == status
    assert body["status"] == ("NOT_FOUND" if status == 404 else "ERROR")
    assert body["request_id"]


async def test_a_key_is_needed_and_may_stand_in_the_query() -> None:
    async with a_market(key="right", secret="s") as server, rest(server, {}) as ask:
        path = "/v1/marketstatus/now"
        assert (await ask.ask("GET", path))[0] == 401
        assert (await ask.ask("GET", path, params={"apiKey": "wrong"}))[0] == 401
        assert (await ask.ask("GET", path, params={"apiKey": "right"}))[0] == 200


async def test_who_asks_too_often_is_told_to_wait() -> None:
    async with a_market(rate_limit=2) as server, rest(server, KEY) as ask:
        statuses = [(await ask.ask("GET", "/v1/marketstatus/now"))[0] for _ in range(5)]
    # The minute may turn between two of them, so only the last is certain.
    assert statuses[0] == 200
    assert 429 in statuses


async def test_a_cursor_never_holds_the_key() -> None:
    async with a_market() as server, rest(server, {}) as ask:
        _, body = await ask.ask("GET", "/v3/reference/tickers", params={"apiKey": "hush", "limit": "3"})
        following = body["next_url"]
        status, page = await ask.ask("GET", following.removeprefix(server.url), params={})
    assert len(body["results"]) == 3
    assert status == 401
    assert page["error"] == "API Key was not provided"
    assert "hush" not in following


async def test_longer_spans_are_folded() -> None:
    async with a_market(start="11:00") as server, rest(server, KEY) as ask:
        for unit, count in (("hour", 1), ("week", 1), ("month", 1), ("quarter", 1), ("year", 1)):
            path = f"/v2/aggs/ticker/AAPL/range/{count}/{unit}/2026-11-02/2026-11-23"
            body = await ask.get(path)
            assert body["resultsCount"] == len(body["results"]) > 0
        falling = await ask.get("/v2/aggs/ticker/AAPL/range/1/day/2026-11-02/2026-11-23", sort="desc")
    times = [row["t"] for row in falling["results"]]
    assert times == sorted(times, reverse=True)
