"""The trading API's other half: account, activities, clock, calendar, assets.

Source: Alpaca's Trading API 2.
"""

import uuid
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from liu_tui.localmarket import activities, words
from liu_tui.localmarket.equity import EquityCurve
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.rest import bad_request, body_of, moment, reply, whole
from liu_tui.localmarket.rfc3339 import new_york
from liu_tui.localmarket.venue import Venue
from liu_tui.market.calendar import day_of, first_session, session_of, sessions
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Asset, normal_symbol
from liu_tui.trading.matching.refusals import ExchangeRefusal

_FRAMES = {
    "1Min": MINUTE_NS,
    "5Min": 5 * MINUTE_NS,
    "15Min": 15 * MINUTE_NS,
    "1H": 60 * MINUTE_NS,
    "1D": DAY_NS,
}
_LONGEST = timedelta(days=3660)


class AccountRest:
    """Answers of the account's and the venue's endpoints."""

    def __init__(self, venue: Venue, clock: MarketClock) -> None:
        self._venue, self._clock = venue, clock

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get("/v2/account", self.account),
            web.get("/v2/account/configurations", self.configurations),
            web.patch("/v2/account/configurations", self.configure),
            web.get("/v2/account/activities", self.activities),
            web.get("/v2/account/activities/{kind}", self.activities),
            web.get("/v2/account/portfolio/history", self.history),
            web.get("/v2/clock", self.clock),
            web.get("/v2/calendar", self.calendar),
            web.get("/v2/assets", self.assets),
            web.get("/v2/assets/{symbol}", self.asset),
        ]

    async def account(self, _: web.Request) -> web.Response:
        """`GET /v2/account`."""
        venue = self._venue
        account = venue.exchange.account()
        return reply(
            words.account(
                account,
                venue.exchange.positions(),
                account_id=str(uuid.uuid5(uuid.NAMESPACE_OID, account.id)),
                created_ns=venue.hours.pre_ns,
                suspended=bool(venue.configuration["suspend_trade"]),
                shorting=not venue.configuration["no_shorting"],
            )
        )

    async def configurations(self, _: web.Request) -> web.Response:
        """`GET /v2/account/configurations`."""
        return reply(self._venue.configuration)

    async def configure(self, request: web.Request) -> web.Response:
        """`PATCH /v2/account/configurations`: of what can be set, suspend_trade and no_shorting act here."""
        body = await body_of(request)
        known = self._venue.configuration
        for key, value in body.items():
            if key in known and type(value) is not type(known[key]):
                raise bad_request(f"invalid {key}: {value!r}")
        known.update({key: value for key, value in body.items() if key in known})
        return reply(known)

    async def activities(self, request: web.Request) -> web.Response:
        """`GET /v2/account/activities[/FILL or /FEE]`: this account has no activities but fills and fees."""
        query = request.query
        asked = request.match_info.get("kind") or query.get("activity_types") or ",".join(activities.KINDS)
        wanted = activities.Wanted(
            kinds=frozenset(asked.split(",")),
            after_ns=moment(request, "after"),
            until_ns=moment(request, "until"),
            day=query.get("date", ""),
            order_id=query.get("order_id", ""),
        )
        rows = list(activities.rows(self._venue.exchange, wanted))
        if request.query.get("direction", "desc") == "desc":
            rows.reverse()
        token = request.query.get("page_token")
        if token:
            begin = next((n + 1 for n, row in enumerate(rows) if row["id"] == token), None)
            if begin is None:
                raise bad_request("invalid page_token")
            rows = rows[begin:]
        return reply(rows[: whole(request, "page_size", 100, most=100)])

    async def history(self, request: web.Request) -> web.Response:
        """`GET /v2/account/portfolio/history`: of this session, however long a period is asked for."""
        venue = self._venue
        frame = request.query.get("timeframe", "5Min")
        if frame not in _FRAMES:
            raise bad_request(f"invalid timeframe: one of {', '.join(_FRAMES)}, was {frame!r}")
        curve, step_ns = EquityCurve(venue), _FRAMES[frame]
        base = curve.at(venue.hours.pre_ns)
        begin_ns = min(venue.hours.open_ns, venue.now_ns)
        end_ns = min(venue.hours.close_ns, venue.now_ns)
        starts = range(begin_ns, max(end_ns, begin_ns + 1), step_ns)
        equity = [curve.at(min(t_ns + step_ns, venue.now_ns)) for t_ns in starts]
        return reply(
            {
                "timestamp": [t_ns // SECOND_NS for t_ns in starts],
                "equity": equity,
                "profit_loss": [round(e - base, 2) for e in equity],
                "profit_loss_pct": [round(e / base - 1, 6) if base else None for e in equity],
                "base_value": base,
                "base_value_asof": venue.hours.day,
                "timeframe": frame,
                "cashflow": {},
            }
        )

    async def clock(self, _: web.Request) -> web.Response:
        """`GET /v2/clock`, with how the session clock runs besides."""
        now_ns = self._clock.told_ns()
        opens, closes = next_open(now_ns), next_close(now_ns)
        return reply(
            {
                "timestamp": new_york(now_ns),
                "is_open": self._venue.hours.phase(now_ns) == "open",
                "next_open": new_york(opens.open_ns),
                "next_close": new_york(closes.close_ns),
                "speed": self._clock.speed,
                "paused": self._clock.paused,
                "lockstep": self._clock.lockstep,
                "session_date": self._venue.hours.day,
            }
        )

    async def calendar(self, request: web.Request) -> web.Response:
        """`GET /v2/calendar`: at most ten years at a time, a month around today if nothing is said."""
        today = day_of(self._venue.now_ns)
        start = _day(request, "start", today - timedelta(days=30))
        end = _day(request, "end", max(start, today) + timedelta(days=30))
        return reply([words.day(session) for session in sessions(start, min(end, start + _LONGEST))])

    async def assets(self, request: web.Request) -> web.Response:
        """`GET /v2/assets`."""
        query = request.query
        rows = [self._listed(a) for a in self._venue.assets.values()]
        for key, field in (("status", "status"), ("asset_class", "class"), ("exchange", "exchange")):
            if query.get(key):
                rows = [row for row in rows if row[field] == query[key]]
        return reply(rows)

    async def asset(self, request: web.Request) -> web.Response:
        """`GET /v2/assets/{symbol or id}`."""
        said = request.match_info["symbol"]
        found = self._venue.assets.get(normal_symbol(said)) or self._by_id(said)
        if found is None:
            raise ExchangeRefusal(404, 40410000, f"asset not found for {said}")
        return reply(self._listed(found))

    def _listed(self, a: Asset) -> dict[str, Any]:
        exchange = self._venue.exchange
        return words.asset(a, price=exchange.price(a.symbol), borrowable=exchange.borrowable(a.symbol))

    def _by_id(self, asset_id: str) -> Asset | None:
        listed = self._venue.assets.values()
        return next((a for a in listed if words.asset_id(a.symbol) == asset_id), None)


def next_open(now_ns: int) -> SessionHours:
    """The session whose opening bell comes next."""
    session = session_of(now_ns)
    return session if now_ns < session.open_ns else _after(session)


def next_close(now_ns: int) -> SessionHours:
    """The session whose closing bell comes next: the one under way, if the market is open."""
    session = session_of(now_ns)
    return session if now_ns < session.close_ns else _after(session)


def _after(session: SessionHours) -> SessionHours:
    return first_session(date.fromisoformat(session.day) + timedelta(days=1))


def _day(request: web.Request, key: str, default: date) -> date:
    said = request.query.get(key)
    if not said:
        return default
    try:
        return date.fromisoformat(said[:10])
    except ValueError as e:
        raise bad_request(f"invalid {key}: an ISO date, was {said!r}") from e
