"""The local market as Polygon (Massive): its stream and its REST endpoints, over the same tape.

    /stocks  ▸ polygon_client (one conversation) ▸ polygon_hub (who takes what) ▸ polygon_codec
    REST     ▸ polygon_door (keys, rate, errors) ▸ aggs, ticks, snapshots, reference ▸ polygon_rows

Agreed with the vendor's own unmodified client. Orders are Alpaca's all the same, and so is lock-step.
"""

from collections.abc import Mapping

from aiohttp import web

from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.outbox import Outbox
from liu_tui.localmarket.polygon_aggs import PolygonAggs
from liu_tui.localmarket.polygon_client import SLOW, PolygonClient
from liu_tui.localmarket.polygon_codec import PolygonCodec
from liu_tui.localmarket.polygon_door import PolygonDoor
from liu_tui.localmarket.polygon_hub import PolygonHub
from liu_tui.localmarket.polygon_reference import PolygonReference
from liu_tui.localmarket.polygon_snapshots import PolygonSnapshots
from liu_tui.localmarket.polygon_ticks import PolygonTicks
from liu_tui.localmarket.venue import Venue

STREAM_PATH = "/stocks"


class PolygonFace:
    """What a market needs to speak Polygon's protocols too.

    hub:  must be one of the venue's
    slow: the last frame to a client that reads too slowly
    """

    def __init__(
        self, venue: Venue, clock: MarketClock, hub: PolygonHub, door: PolygonDoor, tapes: Mapping[str, str]
    ) -> None:
        self._venue, self._clock, self._tapes = venue, clock, dict(tapes)
        self.hub, self.door = hub, door
        self._codec = PolygonCodec(tapes, lambda symbol: venue.tape.snapshot(symbol).daily_bar)
        self.slow = b"[" + self._codec.status(*SLOW) + b"]"

    def routes(self) -> list[web.RouteDef]:
        """The REST endpoints."""
        return [
            *PolygonAggs(self._venue).routes(),
            *PolygonTicks(self._venue, self._tapes).routes(),
            *PolygonSnapshots(self._venue).routes(),
            *PolygonReference(self._venue, self._clock).routes(),
        ]

    def client(self, outbox: Outbox) -> PolygonClient:
        """A client for a connection that has just been made."""
        return PolygonClient(self.hub, self.door, self._clock, self._codec, outbox)
