"""Our own endpoints, for whoever runs the market: its clock, its end, its account in one picture."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from liu_tui.localmarket.hub import Hub
from liu_tui.localmarket.lockstep import LockStep
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.opening import MOST_SPEED
from liu_tui.localmarket.options import Speed
from liu_tui.localmarket.rest import bad_request, body_of, reply
from liu_tui.localmarket.rfc3339 import rfc3339
from liu_tui.localmarket.venue import Venue


class AdminRest:
    """Answers under /admin. shutdown: asks the server to end in order."""

    def __init__(
        self,
        venue: Venue,
        clock: MarketClock,
        lockstep: LockStep,
        hubs: Sequence[Hub],
        shutdown: Callable[[], None],
    ) -> None:
        self._venue, self._clock, self._lockstep = venue, clock, lockstep
        self._hubs, self._shutdown = hubs, shutdown

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get("/admin/status", self.status),
            web.get("/admin/ledger", self.ledger),
            web.post("/admin/pause", self.pause),
            web.post("/admin/resume", self.resume),
            web.post("/admin/speed", self.speed),
            web.post("/admin/forget", self.forget),
            web.post("/admin/shutdown", self.shut_down),
        ]

    async def status(self, _: web.Request) -> web.Response:
        """How the market runs, and who is connected."""
        return reply(self._status())

    async def ledger(self, _: web.Request) -> web.Response:
        """The account as it is at this moment, unrounded: what a session's own books must equal.

        equity = starting_cash + realized + unrealized, to the cent.
        """
        exchange = self._venue.exchange
        held = exchange.positions()
        return reply(
            {
                "cash": exchange.cash,
                "equity": exchange.account().equity,
                "starting_cash": exchange.starting_cash,
                "realized": exchange.realized,
                "unrealized": sum(p.unrealized for p in held),
                "positions": [
                    {"symbol": p.symbol, "qty": p.qty, "avg_price": p.avg_price, "price": p.price}
                    for p in held
                ],
                "ledger": str(self._venue.ledger.path),
                "time": rfc3339(self._venue.now_ns),
            }
        )

    async def pause(self, _: web.Request) -> web.Response:
        """Stop the clock; orders are still taken, against the quotes as they stand."""
        self._clock.pause()
        return reply(self._status())

    async def resume(self, _: web.Request) -> web.Response:
        """Let it run on."""
        self._clock.resume()
        return reply(self._status())

    async def speed(self, request: web.Request) -> web.Response:
        """Set `speed`: a number > 0, or "max" for lock-step."""
        self._clock.set_speed(_speed((await body_of(request)).get("speed")))
        return reply(self._status())

    async def forget(self, _: web.Request) -> web.Response:
        """Lock-step: wait no longer for clients whose connection broke."""
        self._lockstep.forget_missing()
        return reply(self._status())

    async def shut_down(self, _: web.Request) -> web.Response:
        """End in order, after this answer."""
        self._shutdown()
        return reply({"message": "shutting down"}, status=202)

    def _status(self) -> dict[str, Any]:
        clock, step = self._clock, self._lockstep
        return {
            "time": rfc3339(clock.now_ns()),
            "session_date": self._venue.hours.day,
            "phase": self._venue.hours.phase(clock.now_ns()),
            "speed": clock.speed,
            "paused": clock.paused,
            "lockstep": clock.lockstep,
            "step": step.n,
            "waiting_for": step.missing + sum(1 for _ in step.clients) if not step.ready else 0,
            "ended": bool(clock.ended_ns),
            "symbols": len(self._venue.assets),
            "data_clients": {hub.name: len(hub.clients) for hub in self._hubs},
            "trade_clients": len(self._venue.trades.clients),
            "ledger": str(self._venue.ledger.path),
        }


def _speed(said: Any) -> Speed:
    if said == "max":
        return "max"
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said < MOST_SPEED:
        raise bad_request(f'invalid speed: a number > 0, or "max", was {said!r}')
    return float(said)
