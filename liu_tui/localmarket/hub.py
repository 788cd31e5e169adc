"""One data endpoint: who takes what, and each event encoded once for all of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from liu_tui.localmarket.wire import Codec
from liu_tui.model.market import DAY_NS, MINUTE_NS, MarketEvent, Quote, Trade

if TYPE_CHECKING:
    from liu_tui.localmarket.dataclient import DataClient

CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
"""What can be subscribed. Nothing here prints late, halts or has bands: those three channels stay silent."""

Group = tuple[Codec, tuple["DataClient", ...]]


class Hub:
    """The authenticated clients of one data endpoint."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.clients: list[DataClient] = []
        self._routes: dict[tuple[str, str], tuple[Group, ...]] = {}

    def forget_routes(self) -> None:
        """Work the routes out anew: somebody came, went, or changed a subscription."""
        self._routes.clear()

    def wanted(self, channel: str, symbol: str) -> bool:
        """Whether anybody takes this."""
        return bool(self._groups(channel, symbol))

    def publish(self, events: Sequence[MarketEvent], now_ns: int) -> None:
        """Give each event to those who take it; flush() sends. now_ns: the venue's, for feeds that delay."""
        if not self.clients:
            return
        for event in events:
            channel = _channel(event)
            for codec, clients in self._groups(channel, event.symbol):
                part = codec.event(event, daily=channel == "dailyBars")
                for client in clients:
                    client.parts.append(part)

    def flush(self) -> None:
        """Send what was published since the last flush, in as few frames as can be."""
        for client in self.clients:
            client.flush()

    def _groups(self, channel: str, symbol: str) -> tuple[Group, ...]:
        groups = self._routes.get((channel, symbol))
        if groups is None:
            groups = self._routes[channel, symbol] = _group(self.clients, channel, symbol)
        return groups


def _channel(event: MarketEvent) -> str:
    if isinstance(event, Quote):
        return "quotes"
    if isinstance(event, Trade):
        return "trades"
    if event.span_ns == MINUTE_NS:
        return "bars"
    return "dailyBars" if event.span_ns == DAY_NS else ""


def _group(clients: Sequence["DataClient"], channel: str, symbol: str) -> tuple[Group, ...]:
    by_codec: dict[int, tuple[Codec, list[DataClient]]] = {}
    for client in clients:
        symbols = client.wants.get(channel, ())
        if symbol in symbols or "*" in symbols:
            by_codec.setdefault(id(client.codec), (client.codec, []))[1].append(client)
    return tuple((codec, tuple(some)) for codec, some in by_codec.values())
