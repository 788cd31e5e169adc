"""Answers that are lost, and errors that do not say what was done, as a trading client meets them."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.kit.localmarket import KEYS, Rest, a_market, rest, trade_socket
from tests.kit.orderfaults import LOST, buy, known, status_of


async def begin(http: Rest, kind: str, **table: Any) -> dict[str, Any]:
    told: dict[str, Any] = await http.post("/admin/faults", kind=kind, **table)
    return told


async def struck(http: Rest, fault: dict[str, Any]) -> int:
    hits: int = (await http.get(f"/admin/faults/{fault['id']}"))["hits"]
    return hits


async def test_a_lost_answer_leaves_an_order_that_is_taken_stored_and_told() -> None:
    async with a_market() as server, rest(server) as http, trade_socket(server) as trades:
        await trades.listen()
        fault = await begin(http, "lost_answer")
        assert await buy(http, "a") == LOST
        assert await trades.events(2) == ["new", "fill"]
        assert (await known(http))["a"]["status"] == "filled"
        found = await http.get("/v2/orders:by_client_order_id", client_order_id="a")
        assert found["filled_qty"] == "10"
        assert await struck(http, fault) == 1, "looking up is answered"


async def test_the_answers_to_a_replacement_a_cancel_and_a_closing_are_lost_too() -> None:
    async with a_market() as server, rest(server) as http:
        limit = {"type": "limit", "limit_price": "1.50"}
        order = await http.buy("AAPL", 10, client_order_id="old", **limit)
        await http.buy("NVDA", 10)
        await begin(http, "lost_answer")
        change = {"limit_price": "1.60", "client_order_id": "new"}
        assert await status_of(http, "PATCH", f"/v2/orders/{order['id']}", json=change) == LOST
        orders = await known(http)
        assert (orders["old"]["status"], orders["new"]["status"]) == ("replaced", "new")
        assert await status_of(http, "DELETE", f"/v2/orders/{orders['new']['id']}") == LOST
        assert (await known(http))["new"]["status"] == "canceled"
        assert await status_of(http, "DELETE", "/v2/positions/NVDA") == LOST
        assert await http.get("/v2/positions") == []


async def test_a_refusal_may_be_lost_as_well() -> None:
    async with a_market() as server, rest(server) as http:
        await begin(http, "lost_answer")
        assert await buy(http, "a", symbol="NOPE") == LOST
        assert await known(http) == {}


@pytest.mark.parametrize("code", [429, 500, 502, 503])
async def test_an_error_that_says_no_means_it_and_nothing_is_done(code: int) -> None:
    async with a_market() as server, rest(server) as http:
        await begin(http, "http_error", code=code)
        assert await buy(http, "a") == code
        books = await http.get("/admin/books")
        assert books["orders"] == []
        assert (books["requests"], books["turned_away"]) == ({}, {"a": 1})


async def test_a_gateway_that_does_not_wait_lies_and_the_order_is_done() -> None:
    async with a_market() as server, rest(server) as http:
        await begin(http, "http_error", code=504)
        assert await buy(http, "a") == 504
        assert await buy(http, "a") == 504, "a duplicate is refused, and nobody hears it"
        books = await http.get("/admin/books")
        assert [order["client_order_id"] for order in books["orders"]] == ["a"]
        assert (books["requests"], books["turned_away"]) == ({"a": 2}, {})


@pytest.mark.parametrize(
    ("code", "kind"), [(502, "text/html"), (504, "text/html"), (503, "application/json")]
)
async def test_a_proxy_answers_with_a_page_and_the_api_in_json(code: int, kind: str) -> None:
    async with a_market() as server, rest(server) as http:
        await begin(http, "http_error", code=code)
        async with http.http.get(f"{server.url}/v2/orders") as answer:
            assert (answer.status, answer.content_type) == (code, kind)
            assert await answer.text()


async def test_too_many_requests_says_when_to_ask_again() -> None:
    async with a_market() as server, rest(server) as http:
        await begin(http, "http_error", code=429)
        async with http.http.get(f"{server.url}/v2/positions") as answer:
            assert answer.headers["X-RateLimit-Remaining"] == "0"
            assert int(answer.headers["X-RateLimit-Reset"]) > 0
            assert await answer.json() == {"code": 42910000, "message": "too many requests"}


async def test_an_error_without_a_code_is_500_and_strikes_look_ups_too_but_neither_data_nor_admin() -> None:
    async with a_market() as server, rest(server) as http:
        fault = await begin(http, "http_error")
        for path in ("/v2/orders", "/v2/positions", "/v2/account", "/v2/account/activities/FILL"):
            status, said = await http.ask("GET", path)
            assert (status, said["code"]) == (500, 50010000)
        for path in ("/v2/clock", "/v2/assets/AAPL", "/v2/stocks/AAPL/quotes/latest", "/admin/status"):
            assert (await http.ask("GET", path))[0] == 200
        await http.ask("DELETE", f"/admin/faults/{fault['id']}")
        assert (await http.ask("GET", "/v2/orders"))[0] == 200


async def outcomes(seed: int, *, lookups: bool) -> list[int]:
    """What forty orders are answered with; with or without look-ups between them."""
    async with a_market(seed=seed) as server, rest(server) as http:
        await begin(http, "lost_answer", share=0.3)
        await begin(http, "http_error", share=0.3, code=504)
        statuses = []
        for n in range(40):
            statuses.append(await buy(http, f"o{n}"))
            if lookups:
                await status_of(http, "GET", "/v2/orders")
        assert len(await known(http)) == 40
        return statuses


async def test_a_share_strikes_the_same_orders_in_every_run_whatever_else_is_asked() -> None:
    first = await outcomes(5, lookups=False)
    assert first == await outcomes(5, lookups=True)
    assert first != await outcomes(6, lookups=False)
    assert {LOST, 200, 504} == set(first)


async def test_what_was_asked_for_how_often_is_known_after_a_restart(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with a_market(ledger=ledger) as server, rest(server) as http:
        assert [await buy(http, "a"), await buy(http, "a")] == [200, 422]
        order = await http.buy("AAPL", 10, client_order_id="b", type="limit", limit_price="1.50")
        change = {"limit_price": "1.60", "client_order_id": "c"}
        assert (await http.ask("PATCH", f"/v2/orders/{order['id']}", json=change))[0] == 200
    async with a_market(ledger=ledger) as server, rest(server) as http:
        assert await buy(http, "a") == 422
        books = await http.get("/admin/books")
        assert books["requests"] == {"a": 3, "b": 1, "c": 1}


async def test_what_is_no_order_is_refused_and_not_counted() -> None:
    async with a_market() as server, rest(server) as http:
        for body in (b"no", b"[]", b'{"client_order_id": 5}'):
            async with http.http.post(f"{server.url}/v2/orders", data=body) as answer:
                assert 400 <= answer.status < 500
        assert (await http.get("/admin/books"))["requests"] == {}


async def test_the_books_are_what_rest_tells_legs_among_them() -> None:
    async with a_market() as server, rest(server) as http:
        price = (await http.get("/v2/stocks/AAPL/quotes/latest"))["quote"]["ap"]
        legs = {
            "order_class": "bracket",
            "take_profit": {"limit_price": round(price * 1.2, 2)},
            "stop_loss": {"stop_price": round(price * 0.8, 2)},
        }
        await http.buy("AAPL", 3, client_order_id="entry", **legs)
        books = await http.get("/admin/books")
        assert len(books["orders"]) == 3
        (fill,) = books["executions"]
        entry = next(order for order in books["orders"] if order["client_order_id"] == "entry")
        assert (entry["status"], entry["filled_qty"], fill["order_id"]) == ("filled", 3, entry["id"])
        (held,) = books["positions"]
        assert (held["symbol"], held["qty"]) == ("AAPL", 3)
        assert books["cash"] == pytest.approx(100_000 - 3 * fill["price"])
        assert books["requests"] == {"entry": 1}


async def test_whoever_has_no_keys_is_turned_away_before_any_fault() -> None:
    async with a_market(key="key", secret="right") as server, rest(server, KEYS) as http:
        async with aiohttp.ClientSession(headers=KEYS | {"APCA-API-SECRET-KEY": "right"}) as good:
            await Rest(good, server.url).post("/admin/faults", kind="lost_answer")
        assert await buy(http, "a") == 403
