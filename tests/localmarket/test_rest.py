"""What REST answers have in common, and the endpoints that alpaca-py does not reach."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.kit.localmarket import KEYS, a_market, flat, rest, write_day


async def test_without_keys_there_is_401_and_with_wrong_ones_403_and_neither_has_a_code() -> None:
    async with a_market(key="key", secret="right") as server:
        for headers, status, words in (({}, 401, "unauthorized."), (KEYS, 403, "forbidden.")):
            async with rest(server, headers) as http:
                for path in ("/v2/account", "/admin/status", "/v2/nowhere"):
                    assert await http.ask("GET", path) == (status, {"message": words})
        async with rest(server, {**KEYS, "APCA-API-SECRET-KEY": "right"}) as http:
            assert (await http.ask("GET", "/v2/account"))[0] == 200


async def test_every_answer_counts_down_the_rate_limit_and_past_it_there_is_429() -> None:
    async with a_market(rate_limit=2) as server, aiohttp.ClientSession(headers=KEYS) as http:
        left, statuses = [], []
        for _ in range(4):
            async with http.get(server.url + "/v2/clock") as answer:
                assert answer.headers["X-RateLimit-Limit"] == "2"
                assert int(answer.headers["X-RateLimit-Reset"]) > 0
                assert answer.headers["X-Request-ID"]
                left.append(answer.headers["X-RateLimit-Remaining"])
                statuses.append(answer.status)
        # A new minute may begin in between.
        assert (left, statuses) == (["1", "0", "0", "0"], [200, 200, 429, 429]) or "1" in left[1:]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "words"),
    [
        ("GET", "/v2/nowhere", 404, 40410000, "endpoint not found"),
        ("PUT", "/v2/orders", 405, 40510000, "method not allowed"),
        ("GET", "/v2/orders/none", 404, 40410000, "order not found for none"),
        ("GET", "/v2/orders:by_client_order_id?client_order_id=x", 404, 40410000, "order not found for x"),
        ("DELETE", "/v2/orders/none", 404, 40410000, "order not found for none"),
        ("DELETE", "/v2/positions/AAPL", 404, 40410000, "position does not exist"),
        ("GET", "/v2/orders?status=half", 400, 40010000, "invalid status"),
        ("GET", "/v2/orders?limit=501", 400, 40010000, "invalid limit: a number from 1 to 500, was '501'"),
        ("GET", "/v2/orders?after=then", 400, 40010000, "invalid after"),
        ("GET", "/v2/calendar?start=then", 400, 40010000, "invalid start"),
        ("GET", "/v2/stocks/bars?timeframe=1Min", 400, 0, "query parameter 'symbols' is required"),
        ("GET", "/v2/stocks/bars?symbols=AAPL&timeframe=30Sec", 400, 0, "invalid timeframe: 30Sec"),
        (
            "GET",
            "/v2/stocks/AAPL/trades?start=2026-11-24&end=2026-11-20",
            400,
            0,
            "end should not be before start",
        ),
        ("GET", "/v2/stocks/AAPL/trades?page_token=x", 400, 0, "invalid page_token"),
        ("GET", "/v1beta1/screener/stocks/movers?top=51", 400, 40010000, "invalid top"),
        ("GET", "/v1beta1/screener/stocks/most-actives?by=name", 400, 0, "invalid by"),
        ("GET", "/v2/account/portfolio/history?timeframe=1W", 400, 40010000, "invalid timeframe"),
        ("GET", "/v2/account/activities?page_token=x", 400, 40010000, "invalid page_token"),
    ],
)
async def test_a_fault_is_worded_with_a_code(
    method: str, path: str, status: int, code: int, words: str
) -> None:
    async with a_market() as server, rest(server) as http:
        got, body = await http.ask(method, path)
        assert (got, body.get("code", 0)) == (status, code)
        assert words in body["message"]


async def test_a_body_that_is_no_object_is_refused() -> None:
    async with a_market() as server, rest(server) as http:
        for raw in (b"[1]", b"{", b"\xff"):
            status, body = await http.ask("POST", "/v2/orders", data=raw)
            assert (status, body["code"]) == (400, 40010000)
        assert (await http.ask("POST", "/admin/speed", json={"speed": 0}))[0] == 400
        assert (await http.ask("POST", "/admin/speed", json={"speed": "fast"}))[0] == 400
        assert (await http.ask("PATCH", "/v2/account/configurations", json={"no_shorting": 1}))[0] == 400


async def test_one_symbol_and_many_symbols_are_answered_in_their_own_shapes() -> None:
    async with a_market(start="10:00") as server, rest(server) as http:
        many = await http.get("/v2/stocks/bars", symbols="AAPL,SPY", timeframe="1Min", limit="3")
        one = await http.get("/v2/stocks/AAPL/bars", timeframe="1Min", limit="3")
        assert one == {
            "bars": many["bars"]["AAPL"],
            "symbol": "AAPL",
            "next_page_token": one["next_page_token"],
        }
        last = await http.get("/v2/stocks/AAPL/bars", timeframe="1Min", limit="1", sort="desc")
        assert last["bars"][0]["t"] == "2026-11-23T14:59:00Z"
        assert set(await http.get("/v2/stocks/quotes/latest", symbols="SPY,NOSUCH")) == {"quotes"}
        assert set(await http.get("/v2/stocks/SPY/snapshot")) >= {"symbol", "latestQuote", "prevDailyBar"}
        assert (await http.get("/v2/stocks/meta/conditions/trade"))["@"] == "Regular Sale"
        assert (await http.ask("GET", "/v2/stocks/meta/conditions/fish"))[0] == 400
        assert (await http.get("/v2/stocks/meta/exchanges"))["V"] == "IEX"


async def test_the_ledger_page_adds_up_to_the_cent(tmp_path: Path) -> None:
    source = str(write_day(tmp_path / "day", {"AAA": flat(10.0, 30), "BBB": flat(20.0, 30)}))
    async with a_market(source=source, date="", speed=300.0) as server, rest(server) as http:
        while (await http.get("/v2/stocks/AAA/quotes/latest"))["quote"] is None:
            pass
        await http.buy("AAA", 7)
        await http.buy("BBB", 3, side="sell")
        await http.ask("DELETE", "/v2/positions/AAA?qty=2")
        page = await http.get("/admin/ledger")
        assert round(page["starting_cash"] + page["realized"] + page["unrealized"], 2) == round(
            page["equity"], 2
        )
        worth = sum(p["qty"] * p["price"] for p in page["positions"])
        assert round(page["cash"] + worth, 2) == round(page["equity"], 2)
        assert {p["symbol"]: p["qty"] for p in page["positions"]} == {"AAA": 5.0, "BBB": -3.0}


async def test_a_paused_market_takes_orders_against_the_quotes_as_they_stand() -> None:
    async with a_market(start="10:00") as server, rest(server) as http:
        await http.post("/admin/pause")
        before = await http.get("/v2/clock")
        order = await http.buy("AAPL", 1)
        assert (await http.get(f"/v2/orders/{order['id']}"))["status"] == "filled"
        after = await http.get("/v2/clock")
        assert (before["paused"], before["timestamp"]) == (True, after["timestamp"])


async def test_a_suspended_account_takes_no_orders_until_it_is_resumed() -> None:
    async with a_market() as server, rest(server) as http:
        for suspended, expected in ((True, 403), (False, 200)):
            await http.ask("PATCH", "/v2/account/configurations", json={"suspend_trade": suspended})
            order: dict[str, Any] = {"symbol": "AAPL", "qty": 1, "side": "buy", "type": "market"}
            status, _ = await http.ask("POST", "/v2/orders", json=order | {"time_in_force": "day"})
            assert status == expected


async def test_a_query_may_name_every_symbol_there_is() -> None:
    async with a_market() as server, rest(server) as http:
        names = ["AAPL", *(f"N{n:05d}" for n in range(12_000))]
        assert set(await http.get("/v2/stocks/snapshots", symbols=",".join(names))) == {"AAPL"}
