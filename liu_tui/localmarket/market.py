"""One local market put together: what it is made of, and its endpoints. Knows no port and no process."""

from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import Any

from aiohttp import web

from liu_tui.localmarket import exchangefaults, lines, mangling, orderfaults, telling, updatefaults
from liu_tui.localmarket.account_rest import AccountRest
from liu_tui.localmarket.admin_rest import AdminRest
from liu_tui.localmarket.auth import Keys
from liu_tui.localmarket.books_rest import BooksRest
from liu_tui.localmarket.clockwork import Clockwork
from liu_tui.localmarket.corporate_rest import CorporateRest
from liu_tui.localmarket.data_rest import DataRest
from liu_tui.localmarket.dataclient import Terms
from liu_tui.localmarket.delayed import DelayedHub
from liu_tui.localmarket.fakepaca import FakepacaHub
from liu_tui.localmarket.faultrest import FaultsRest
from liu_tui.localmarket.faults import Faults, Hand
from liu_tui.localmarket.hub import Hub
from liu_tui.localmarket.lines import Refusals
from liu_tui.localmarket.lockstep import LockStep
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.opening import Opening
from liu_tui.localmarket.options import MarketOptions
from liu_tui.localmarket.orderdoor import OrderDoor
from liu_tui.localmarket.polygon_door import Doors, PolygonDoor
from liu_tui.localmarket.polygon_face import STREAM_PATH, PolygonFace
from liu_tui.localmarket.polygon_hub import PolygonHub
from liu_tui.localmarket.rest import Gate
from liu_tui.localmarket.sockets import Sockets
from liu_tui.localmarket.splits import Splits
from liu_tui.localmarket.tradestream import TradeStream
from liu_tui.localmarket.trading_rest import TradingRest
from liu_tui.localmarket.venue import Venue
from liu_tui.localmarket.wire import JsonCodec, MsgpackCodec
from liu_tui.model.clock import monotonic_ns, wall_ns
from liu_tui.model.market import SECOND_NS
from liu_tui.plan.schema import FaultKind

TRADES_PATH = "/stream"
_TAPES = {"NYSE": "A", "NASDAQ": "C"}
_REGIONAL_TAPE = "B"


class Market:
    """The market of one session.

    shutdown: called when somebody asks for the end at /admin/shutdown
    """

    def __init__(self, options: MarketOptions, opening: Opening, shutdown: Callable[[], None]) -> None:
        keys = Keys(options.key, options.secret)
        tapes = {a.symbol: _TAPES.get(a.exchange, _REGIONAL_TAPE) for a in opening.tape.assets}
        json, msgpack = JsonCodec(tapes), MsgpackCodec(tapes)
        clock = MarketClock(opening.now_ns, options.speed)
        lockstep = LockStep(opening.steps, opening.now_ns)
        trades = TradeStream(keys, lockstep)
        polygon = PolygonHub("polygon")
        self._fakepaca = FakepacaHub("test")
        tellers = [Hub("iex"), Hub("sip"), DelayedHub("delayed_sip")]
        self.venue = Venue(opening, trades, [*tellers, polygon])
        self._alpaca_hubs: list[Hub] = [*tellers, self._fakepaca]
        self._hubs: list[Hub] = [*self._alpaca_hubs, polygon]
        terms = Terms(keys, clock, lockstep, options.symbol_limit, options.one_connection)
        self._sockets = Sockets(terms, trades, json, msgpack, buffer_bytes=options.buffer_bytes)
        self._clock = clock
        self._order_faults = orderfaults.OrderFaults()
        self.faults = self._open_faults(options, opening, terms.refusals)
        self.clockwork = Clockwork(self.venue, clock, lockstep, self._hubs, self.faults)
        self._routes: list[web.RouteDef] = [
            *TradingRest(self.venue, self.clockwork).routes(),
            *AccountRest(self.venue, clock).routes(),
            *DataRest(self.venue, json).routes(),
            *CorporateRest(self.venue).routes(),
            *AdminRest(
                self.venue, clock, lockstep, self._hubs, self.clockwork, self.faults, shutdown
            ).routes(),
            *FaultsRest(self.faults, self.venue, self.clockwork).routes(),
            *BooksRest(self.venue).routes(),
        ]
        door = PolygonDoor(options.key, options.rate_limit, terms.refusals)
        self._polygon = PolygonFace(self.venue, clock, polygon, door, tapes)
        self._routes += self._polygon.routes()
        paths = frozenset({TRADES_PATH, STREAM_PATH, *(_path(hub) for hub in self._alpaca_hubs)})
        self._gate = Gate(keys, options.rate_limit, paths)
        self._order_door = OrderDoor(self._order_faults, self.venue.ledger.requests)

    def application(self) -> web.Application:
        """All endpoints."""
        doors = (Doors(self._polygon.door, self._gate), self._order_door)
        app = web.Application(middlewares=[web.middleware(door) for door in doors])
        app.add_routes(self._routes)
        app.add_routes([web.get(_path(hub), self._sockets.data(hub)) for hub in self._alpaca_hubs])
        app.add_routes([web.get(STREAM_PATH, self._sockets.polygon(self._polygon))])
        app.add_routes([web.get(TRADES_PATH, self._sockets.trading)])
        app.on_response_prepare.append(self._date)
        return app

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What must run, side by side, until cancelled."""
        return [self.clockwork.run(), self._fakepaca.run()]

    def idle_ns(self) -> int:
        """Wall nanoseconds since anybody was here."""
        if len(self._sockets):
            return 0
        return monotonic_ns() - max(self._sockets.last_ns, self._gate.last_ns, self._polygon.door.last_ns)

    def hang_up(self) -> None:
        """Send what waits to each client, then close its connection."""
        self._sockets.close()

    def close(self) -> None:
        """Store the account."""
        self.venue.ledger.close(self.venue.now_ns)

    def _open_faults(self, options: MarketOptions, opening: Opening, refusals: Refusals) -> Faults:
        venue, hours = self.venue, opening.hours
        hands: dict[FaultKind, Hand] = dict.fromkeys(telling.KINDS, venue.telling)
        hands |= dict.fromkeys(mangling.KINDS, mangling.Mangling(self._hubs))
        hands |= dict.fromkeys(lines.KINDS, lines.Lines(self._sockets, refusals))
        hands |= dict.fromkeys(orderfaults.KINDS, self._order_faults)
        hands |= dict.fromkeys(updatefaults.KINDS, venue.update_faults)
        hands |= dict.fromkeys(exchangefaults.KINDS, exchangefaults.ExchangeFaults(venue))
        hands |= {
            FaultKind.SKEW: lines.Skew(self._clock),
            FaultKind.HALT: venue.halts,
            FaultKind.SPLIT: Splits(opening.splits, hours, venue.actions),
        }
        faults = Faults(hands, hours, list(venue.assets), options.seed)
        for table in options.faults:
            faults.add(table, opening.now_ns, unsaid_ns=opening.start_ns)
        return faults

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        """Let the header of an answer be as wrong as the clock."""
        if self._clock.skew_ns:
            response.headers["Date"] = formatdate((wall_ns() + self._clock.skew_ns) / SECOND_NS, usegmt=True)


def _path(hub: Hub) -> str:
    return f"/v2/{hub.name}"
