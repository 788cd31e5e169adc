"""The exchange's whole truth in one answer, for whoever checks from outside what a session believes."""

from typing import Any

from aiohttp import web

from liu_tui.localmarket.rest import reply
from liu_tui.localmarket.rfc3339 import rfc3339
from liu_tui.localmarket.venue import Venue
from liu_tui.model.orders import BrokerOrder, Execution


class BooksRest:
    """The answer of /admin/books."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Where it is reached."""
        return [web.get("/admin/books", self.books)]

    async def books(self, _: web.Request) -> web.Response:
        """Orders, executions, positions, cash, and how often each order was asked for.

        orders:      legs stand among them, as orders of their own
        requests:    client order id -> submissions and replacements under it that the exchange heard; more
                     than 1 is an order that somebody tried to send twice
        turned_away: the same of those that a fault answered with an error instead
        """
        exchange, requests = self._venue.exchange, self._venue.ledger.requests
        orders = [member for top in exchange.orders() for member in (top, *top.legs)]
        return reply(
            {
                "orders": [_order(order) for order in orders],
                "executions": [_execution(done) for done in exchange.executions_from(0)],
                "positions": [
                    {"symbol": p.symbol, "qty": p.qty, "avg_price": p.avg_price} for p in exchange.positions()
                ],
                "cash": exchange.cash,
                "requests": requests.times(),
                "turned_away": requests.turned_away(),
                "time": rfc3339(self._venue.now_ns),
            }
        )


def _order(order: BrokerOrder) -> dict[str, Any]:
    return {
        "client_order_id": order.client_order_id,
        "id": order.id,
        "status": order.status.value,
        "symbol": order.symbol,
        "side": order.side.value,
        "qty": order.qty,
        "filled_qty": order.filled_qty,
        "replaces": order.replaces,
        "replaced_by": order.replaced_by,
    }


def _execution(done: Execution) -> dict[str, Any]:
    return {
        "execution_id": done.execution_id,
        "order_id": done.order_id,
        "symbol": done.symbol,
        "side": done.side.value,
        "qty": done.qty,
        "price": done.price,
        "corrects": done.corrects,
        "time": rfc3339(done.t_ns),
    }
