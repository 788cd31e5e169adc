"""The door of orders, positions and account: what comes in is counted, and answers are struck by faults.

request ─▶ struck, undone? ─▶ done, stored ─▶ counted ─▶ struck, done? ─▶ answer
"""

from typing import Any

import msgspec
from aiohttp import web

from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.orderfaults import OrderFaults, error_answer
from liu_tui.localmarket.requestbook import RequestBook
from liu_tui.localmarket.rest import Handler
from liu_tui.plan.faultkinds import UNDONE, http_code
from liu_tui.plan.schema import FaultKind
from liu_tui.trading.matching.refusals import ExchangeRefusal

_ORDERS = "/v2/orders"
_PATHS = (_ORDERS, "/v2/positions", "/v2/account")
_CHANGES = ("POST", "PATCH", "DELETE")


class OrderDoor:
    """Lets requests of one market in to its trading endpoints; a middleware next to them.

    Whatever else there is (data, clock, our own endpoints) passes by.
    """

    def __init__(self, faults: OrderFaults, requests: RequestBook) -> None:
        self._faults, self._requests = faults, requests

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request."""
        if not request.path.startswith(_PATHS):
            return await handler(request)
        ours = await _client_order_id(request)
        fault = self._judge(request, ours)
        if fault is None:
            return await self._do(request, handler, ours)
        if _undone(fault):
            self._count(ours, turned_away=True)
            return error_answer(fault)
        return await self._do_and_deny(request, handler, ours, fault)

    async def _do(self, request: web.Request, handler: Handler, ours: str) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            self._count(ours)

    async def _do_and_deny(
        self, request: web.Request, handler: Handler, ours: str, fault: Fault
    ) -> web.StreamResponse:
        """Do what is asked, refused or not, and do not say so."""
        try:
            answer = await self._do(request, handler, ours)
        except ExchangeRefusal:
            answer = web.Response(status=204)
        if fault.table.kind is FaultKind.HTTP_ERROR:
            return error_answer(fault)
        if request.transport is not None:
            request.transport.abort()
        return answer

    def _judge(self, request: web.Request, ours: str) -> Fault | None:
        if not self._faults.busy:
            return None
        name = f"{request.method} {ours or request.path}"
        return self._faults.verdict(name, changes=request.method in _CHANGES)

    def _count(self, ours: str, *, turned_away: bool = False) -> None:
        if ours:
            self._requests.note(ours, turned_away=turned_away)


def _undone(fault: Fault) -> bool:
    return fault.table.kind is FaultKind.HTTP_ERROR and http_code(fault.table) in UNDONE


async def _client_order_id(request: web.Request) -> str:
    """The id under which a request wants an order; "" if it brings none, or cannot be read."""
    if request.method not in ("POST", "PATCH") or not request.path.startswith(_ORDERS):
        return ""
    try:
        body: Any = msgspec.json.decode(await request.read())
    except msgspec.MsgspecError:
        return ""
    said = body.get("client_order_id") if isinstance(body, dict) else None
    return said if isinstance(said, str) else ""
