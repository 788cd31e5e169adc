"""Our own endpoints, for whoever runs the market: its clock, its end, its account in one picture."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from liu_tui.localmarket.clockwork import Clockwork
from liu_tui.localmarket.faults import Faults
from liu_tui.localmarket.hub import Hub
from liu_tui.localmarket.lockstep import LockStep
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.opening import MOST_SPEED
from liu_tui.localmarket.options import Speed
from liu_tui.localmarket.rest import bad_request, body_of, reply
from liu_tui.localmarket.rfc3339 import rfc3339
from liu_tui.localmarket.venue import Venue

MOST_S = 86_400
MOST_MOMENTS = 100_000


class AdminRest:
    """Answers under /admin. shutdown: asks the server to end in order."""

    def __init__(
        self,
        venue: Venue,
        clock: MarketClock,
        lockstep: LockStep,
        hubs: Sequence[Hub],
        clockwork: Clockwork,
        faults: Faults,
        shutdown: Callable[[], None],
    ) -> None:
        self._venue, self._clock, self._lockstep = venue, clock, lockstep
        self._hubs, self._clockwork, self._faults = hubs, clockwork, faults
        self._shutdown = shutdown

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get("/admin/status", self.status),
            web.get("/admin/ledger", self.ledger),
            web.post("/admin/pause", self.pause),
            web.post("/admin/resume", self.resume),
            web.post("/admin/speed", self.speed),
            web.post("/admin/step", self.step),
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

    async def step(self, request: web.Request) -> web.Response:
        """While the clock is paused: play `seconds` of session time, or the next `events` moments.

        In lock-step the steps are taken as the clients are ready; the answer does not wait for them.
        """
        seconds, moments = _stretch(await body_of(request))
        if not self._clock.paused:
            raise bad_request("the clock runs: pause it first")
        if moments:
            await self._clockwork.play_moments(moments)
        else:
            await self._clockwork.play_seconds(seconds)
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
            "faults": [fault.told() for fault in self._faults.active],
        }


def _stretch(body: dict[str, Any]) -> tuple[float, int]:
    """How far to play: seconds, or moments; the other is 0. Raises ExchangeRefusal (400)."""
    seconds, moments = body.get("seconds"), body.get("events")
    if (seconds is None) == (moments is None):
        raise bad_request("give seconds or events, one of them")
    if seconds is not None:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MOST_S:
            raise bad_request(f"invalid seconds: a number > 0, at most {MOST_S}, was {seconds!r}")
        return float(seconds), 0
    if isinstance(moments, bool) or not isinstance(moments, int) or not 0 < moments <= MOST_MOMENTS:
        raise bad_request(f"invalid events: a whole number > 0, at most {MOST_MOMENTS}, was {moments!r}")
    return 0.0, moments


def _speed(said: Any) -> Speed:
    if said == "max":
        return "max"
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said < MOST_SPEED:
        raise bad_request(f'invalid speed: a number > 0, or "max", was {said!r}')
    return float(said)
