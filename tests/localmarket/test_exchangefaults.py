"""Fills that the exchange takes back or corrects, and shares that nobody lends any more."""

from pathlib import Path
from typing import Any

import pytest

from tests.kit.localmarket import Rest, a_market, rest, trade_socket
from tests.kit.orderfaults import known

SHORT = {"side": "sell"}


async def fault(http: Rest, kind: str, **table: Any) -> dict[str, Any]:
    told: dict[str, Any] = await http.post("/admin/faults", kind=kind, **table)
    return told


async def test_a_bust_takes_the_last_fill_back_and_says_so() -> None:
    async with a_market() as server, rest(server) as http, trade_socket(server) as trades:
        await trades.listen()
        await http.buy("AAPL", 10, client_order_id="a")
        await http.buy("NVDA", 10, client_order_id="b")
        assert await trades.events(4) == ["new", "fill"] * 2
        told = await fault(http, "bust")
        assert (told["state"], told["hits"]) == ("over", 1)
        said = (await trades.next())["data"]
        assert (said["event"], said["order"]["client_order_id"]) == ("trade_bust", "b")
        books = await http.get("/admin/books")
        assert [(p["symbol"], p["qty"]) for p in books["positions"]] == [("AAPL", 10)]
        fill_a, fill_b, bust = books["executions"]
        assert (bust["corrects"], bust["qty"]) == (fill_b["execution_id"], 0)
        assert books["cash"] == pytest.approx(100_000 - 10 * fill_a["price"])


async def test_each_bust_takes_the_last_fill_that_still_stands_of_the_symbols_that_are_named() -> None:
    async with a_market() as server, rest(server) as http:
        for symbol in ("AAPL", "AAPL", "NVDA"):
            await http.buy(symbol, 10)
        assert (await fault(http, "bust", symbols=["AAPL"]))["hits"] == 1
        assert [p["qty"] for p in await http.get("/v2/positions")] == ["10", "10"]
        for _ in range(2):
            assert (await fault(http, "bust"))["hits"] == 1
        assert await http.get("/v2/positions") == []
        assert (await fault(http, "bust"))["hits"] == 0, "no fill is left"
        assert (await http.get("/admin/books"))["cash"] == 100_000


async def test_a_correction_of_price_moves_cash_and_average() -> None:
    async with a_market() as server, rest(server) as http, trade_socket(server) as trades:
        await trades.listen()
        await http.buy("AAPL", 10)
        assert await trades.events(2) == ["new", "fill"]
        assert (await fault(http, "reprice", percent=2.0))["hits"] == 1
        said = (await trades.next())["data"]
        assert said["event"] == "trade_correct"
        books = await http.get("/admin/books")
        first, second = books["executions"]
        assert second["price"] == round(first["price"] * 1.02, 4) == float(said["price"])
        assert books["cash"] == pytest.approx(100_000 - 10 * second["price"])
        (held,) = await http.get("/v2/positions")
        assert float(held["avg_entry_price"]) == second["price"]


async def test_what_was_taken_back_is_so_after_a_restart(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with a_market(ledger=ledger) as server, rest(server) as http:
        await http.buy("AAPL", 10)
        await fault(http, "bust")
        before = await http.get("/admin/books")
    async with a_market(ledger=ledger) as server, rest(server) as http:
        after = await http.get("/admin/books")
        assert after["executions"] == before["executions"]
        assert (after["positions"], after["cash"]) == ([], 100_000)


async def test_without_borrow_new_shorts_are_refused_and_what_is_short_is_covered() -> None:
    async with a_market() as server, rest(server) as http:
        await http.buy("AAPL", 10, **SHORT)
        told = await fault(http, "no_borrow", symbols=["AAPL"])
        assert (told["state"], told["hits"]) == ("active", 1)
        order = {"symbol": "AAPL", "qty": "1", "type": "market", "time_in_force": "day"} | SHORT
        assert (await http.ask("POST", "/v2/orders", json=order))[0] in (403, 422)
        await http.buy("NVDA", 5, **SHORT)
        await http.buy("AAPL", 10, client_order_id="cover")
        assert (await known(http))["cover"]["status"] == "filled"
        await http.ask("DELETE", f"/admin/faults/{told['id']}")
        await http.buy("AAPL", 1, **SHORT)


async def test_what_two_faults_keep_back_is_lent_again_after_the_second_and_after_a_restart(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger.db"
    async with a_market(ledger=ledger) as server, rest(server) as http:
        one, two = await fault(http, "no_borrow"), await fault(http, "no_borrow", symbols=["AAPL"])
        assert (one["hits"], two["hits"]) == (10, 1)
        await http.ask("DELETE", f"/admin/faults/{one['id']}")
        await http.buy("NVDA", 1, **SHORT)
        assert "AAPL" in server.market.venue.exchange.core().no_borrow
    async with a_market(ledger=ledger) as server, rest(server) as http:
        await http.buy("AAPL", 1, **SHORT)
