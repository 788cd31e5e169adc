"""The trading API of an exchange with manners: fees, margins, borrow, busts, the account's own lock."""

from typing import Any

import pytest

from liu_tui.localmarket.server import MarketServer
from liu_tui.plan.schema import ExchangeTable, FeesTable
from tests.kit.localmarket import a_market, rest

FEES = FeesTable(per_order=1.0, sell_per_share=0.01)
BUY: dict[str, Any] = {"symbol": "AAPL", "qty": 10, "side": "buy", "type": "market", "time_in_force": "day"}


def last_fill(server: MarketServer) -> str:
    return server.market.venue.exchange.executions()[-1].execution_id


async def test_fees_are_rows_of_the_accounts_history_and_out_of_its_cash() -> None:
    async with a_market(fees=FEES) as server, rest(server) as http:
        await http.ask("POST", "/v2/orders", json=BUY)
        await http.ask("POST", "/v2/orders", json=BUY | {"side": "sell"})
        _, rows = await http.ask("GET", "/v2/account/activities/FEE?direction=asc")
        assert [(row["activity_type"], row["net_amount"], row["symbol"]) for row in rows] == [
            ("FEE", "-1", "AAPL"),
            ("FEE", "-1.1", "AAPL"),
        ]
        assert rows[1]["per_share_amount"] == "-0.11"
        _, every = await http.ask("GET", "/v2/account/activities?direction=asc")
        assert [row["activity_type"] for row in every] == ["FILL", "FEE", "FILL", "FEE"]
        _, fills = await http.ask("GET", "/v2/account/activities?activity_types=FILL")
        assert len(fills) == 2
        _, account = await http.ask("GET", "/v2/account")
        bought, sold = (float(row["price"]) for row in reversed(fills))
        assert float(account["cash"]) == pytest.approx(100_000 + 10 * (sold - bought) - 2.10, abs=1e-6)


async def test_a_fee_that_is_given_back_is_told() -> None:
    async with a_market(fees=FEES) as server, rest(server) as http:
        await http.ask("POST", "/v2/orders", json=BUY)
        with server.market.venue.trading() as exchange:
            exchange.bust(last_fill(server))
        _, rows = await http.ask("GET", "/v2/account/activities/FEE?direction=asc")
        assert [row["net_amount"] for row in rows] == ["-1", "1"]
        assert (await http.ask("GET", "/v2/account"))[1]["cash"] == "100000"


async def test_the_account_tells_its_margins_and_what_is_missing() -> None:
    async with a_market() as server, rest(server) as http:
        price = server.market.venue.exchange.price("AAPL")
        await http.ask("POST", "/v2/orders", json=BUY | {"qty": int(390_000 / price)})
        _, account = await http.ask("GET", "/v2/account")
        value = float(account["long_market_value"])
        assert float(account["initial_margin"]) == pytest.approx(value / 2, abs=0.01)
        assert float(account["maintenance_margin"]) == pytest.approx(value * 0.3, abs=0.01)
        missing = value * 0.3 - float(account["equity"])
        assert float(account["maintenance_deficit"]) == pytest.approx(missing, abs=0.02)
        assert (account["regt_buying_power"], account["last_equity"]) == ("0", "100000")


async def test_what_is_hard_to_borrow_is_listed_so_and_refused() -> None:
    async with a_market(exchange=ExchangeTable(hard_to_borrow=1.0)) as server, rest(server) as http:
        _, asset = await http.ask("GET", "/v2/assets/AAPL")
        assert (asset["shortable"], asset["easy_to_borrow"], asset["borrow_status"]) == (
            True,
            False,
            "hard_to_borrow",
        )
        status, body = await http.ask("POST", "/v2/orders", json=BUY | {"side": "sell"})
        assert (status, body) == (422, {"code": 42210000, "message": 'asset "AAPL" cannot be sold short'})


async def test_a_bust_is_told_in_the_history_with_the_fill_it_takes_back() -> None:
    async with a_market() as server, rest(server) as http:
        await http.ask("POST", "/v2/orders", json=BUY)
        gone = last_fill(server)
        with server.market.venue.trading() as exchange:
            exchange.bust(gone)
        _, (row, first) = await http.ask("GET", "/v2/account/activities/FILL")
        assert (first["type"], first["id"].partition("::")[2]) == ("fill", gone)
        assert (row["type"], row["qty"], row["previous_execution_id"]) == ("trade_bust", "0", gone)
        assert await http.ask("GET", "/v2/positions") == (200, [])


async def test_the_accounts_own_lock_stops_new_orders_and_closing_but_never_cancels() -> None:
    async with a_market() as server, rest(server) as http:
        await http.ask("POST", "/v2/orders", json=BUY)
        _, resting = await http.ask(
            "POST", "/v2/orders", json=BUY | {"side": "sell", "type": "limit", "limit_price": 9_999, "qty": 1}
        )
        await http.ask("PATCH", "/v2/account/configurations", json={"suspend_trade": True})
        refused = (403, {"code": 40310000, "message": "new orders are rejected by user request"})
        assert await http.ask("POST", "/v2/orders", json=BUY) == refused
        assert await http.ask("DELETE", "/v2/positions/AAPL") == refused
        assert (await http.ask("DELETE", f"/v2/orders/{resting['id']}"))[0] == 204
        _, account = await http.ask("GET", "/v2/account")
        assert account["trade_suspended_by_user"] is True


async def test_a_position_intent_that_does_not_fit_is_refused() -> None:
    async with a_market() as server, rest(server) as http:
        status, order = await http.ask("POST", "/v2/orders", json=BUY | {"position_intent": "buy_to_open"})
        assert (status, order["status"]) == (200, "new")
        _, body = await http.ask("POST", "/v2/orders", json=BUY | {"position_intent": "buy_to_close"})
        words = "position intent mismatch, inferred: buy_to_open, specified: buy_to_close"
        assert body == {"code": 42210000, "message": words}


async def test_late_requests_are_pending_in_alpacas_words() -> None:
    manners = ExchangeTable(latency_ms=60_000)
    async with a_market(exchange=manners, speed="max") as server, rest(server) as http:
        _, order = await http.ask("POST", "/v2/orders", json=BUY | {"type": "limit", "limit_price": 1.0})
        assert order["status"] == "pending_new"
        path = f"/v2/orders/{order['id']}"
        assert (await http.ask("DELETE", path))[0] == 204
        assert (await http.ask("GET", path))[1]["status"] == "pending_cancel"
        status, body = await http.ask("DELETE", path)
        assert (status, body["message"]) == (422, 'order is already in "pending_cancel" state')
        status, body = await http.ask("PATCH", path, json={"limit_price": 1.1})
        assert (status, body["message"]) == (422, "unable to replace order in current state")
