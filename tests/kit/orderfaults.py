"""Requests to a market that may not answer, and what the exchange knows of them afterwards."""

from typing import Any

import aiohttp

from tests.kit.localmarket import Rest

LOST = 0
"""In place of a status: the connection broke before an answer."""


async def status_of(http: Rest, method: str, path: str, **what: Any) -> int:
    """The status of an answer, LOST if there was none; its body may be in any language."""
    try:
        async with http.http.request(method, http.url + path, **what) as answer:
            await answer.read()
            return answer.status
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        return LOST


async def buy(http: Rest, ours: str, symbol: str = "AAPL", **more: Any) -> int:
    """Ask for ten shares under an id of ours; returns the status."""
    order = {"symbol": symbol, "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
    return await status_of(http, "POST", "/v2/orders", json=order | {"client_order_id": ours} | more)


async def known(http: Rest) -> dict[str, dict[str, Any]]:
    """Client order id -> order, as the exchange has it."""
    books = await http.get("/admin/books")
    return {order["client_order_id"]: order for order in books["orders"]}
