"""Faults by request: what the market shall do wrong, and how it goes. See docs/faults.md."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from liu_tui.errors import UsageError
from liu_tui.localmarket.clockwork import Clockwork
from liu_tui.localmarket.faultform import read_fault
from liu_tui.localmarket.faults import Fault, Faults
from liu_tui.localmarket.rest import bad_request, body_of, reply
from liu_tui.localmarket.venue import Venue
from liu_tui.trading.matching.refusals import ExchangeRefusal


class FaultsRest:
    """Answers under /admin/faults."""

    def __init__(self, faults: Faults, venue: Venue, clockwork: Clockwork) -> None:
        self._faults, self._venue, self._clockwork = faults, venue, clockwork

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get("/admin/faults", self.list),
            web.post("/admin/faults", self.add),
            web.delete("/admin/faults", self.remove_all),
            web.get("/admin/faults/totals", self.totals),
            web.get("/admin/faults/{id}", self.one),
            web.delete("/admin/faults/{id}", self.remove),
        ]

    async def list(self, _: web.Request) -> web.Response:
        """All there are and were, in the order they were asked for; of those long over none."""
        return reply([fault.told() for fault in self._faults.all])

    async def totals(self, _: web.Request) -> web.Response:
        """Of each kind, how many were asked for and what they struck in all."""
        return reply(self._faults.totals)

    async def one(self, request: web.Request) -> web.Response:
        """One of them."""
        return reply(self._find(request).told())

    async def add(self, request: web.Request) -> web.Response:
        """Take one on; the body is one [[market.faults]] of a plan. Without `at` it begins at once."""
        body: dict[str, Any] = await body_of(request)
        try:
            table = read_fault(body)
            # What the market said before this moment is told before the fault begins.
            self._clockwork.catch_up()
            fault = self._faults.add(table, self._venue.now_ns)
        except UsageError as e:
            raise bad_request(f"{e.what}. {e.mend}") from e
        self._clockwork.tell_ours()
        return reply(fault.told())

    async def remove(self, request: web.Request) -> web.Response:
        """End one now, or before it begins."""
        fault = self._find(request)
        self._end([fault])
        return reply(fault.told())

    async def remove_all(self, request: web.Request) -> web.Response:
        """End all of them."""
        self._end(self._faults.all)
        return await self.list(request)

    def _end(self, faults: Iterable[Fault]) -> None:
        self._clockwork.catch_up()
        for fault in faults:
            self._faults.remove(fault, self._venue.now_ns)
        self._clockwork.tell_ours()

    def _find(self, request: web.Request) -> Fault:
        fault_id = request.match_info["id"]
        fault = self._faults.find(fault_id)
        if fault is None:
            raise ExchangeRefusal(404, 40410000, f"no fault {fault_id!r}")
        return fault
