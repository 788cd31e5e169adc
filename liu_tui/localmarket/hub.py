"""One data endpoint: who takes what, and each event encoded once for all of them.

Alpaca's face and any other are clients of a hub alike; what they share stands in `Client`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, Protocol

from liu_tui.localmarket.outbox import Outbox
from liu_tui.localmarket.wire import Codec
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    Bar,
    Halt,
    PriceBand,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)

CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
"""What can be subscribed."""
WITH_TRADES = ("corrections", "cancelErrors")
"""What comes to everybody who has the trades of a symbol."""
_OF_KIND: dict[type, str] = {
    Trade: "trades",
    Quote: "quotes",
    Halt: "statuses",
    PriceBand: "lulds",
    TradeCorrection: "corrections",
    TradeCancel: "cancelErrors",
}


class Client(Protocol):
    """One authenticated connection, as its hub sees it.

    parts: events in the codec's spelling, waiting for flush()
    wants: channel -> symbols, or "*"
    """

    codec: Codec
    outbox: Outbox
    parts: list[bytes]
    wants: dict[str, set[str]]

    def flush(self) -> None:
        """Send what waits."""

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one control message, after the events that came before it."""

    def say_clock(self) -> None:
        """Tell how the session clock runs, if this client asked to know."""

    def say_end(self) -> None:
        """Tell that the session is over, if it is and this client asked to know."""


Group = tuple[Codec, tuple[Client, ...]]


class Hub:
    """The authenticated clients of one data endpoint.

    mangle: breaks what waits for a client, while a fault of frames is active; else None
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.clients: list[Client] = []
        self.mangle: Callable[[Client], None] | None = None
        self._routes: dict[tuple[str, str], tuple[Group, ...]] = {}
        self._wanted: frozenset[str] | None = None

    def forget_routes(self) -> None:
        """Work the routes out anew: somebody came, went, or changed a subscription."""
        self._routes.clear()
        self._wanted = None

    def wanted(self, channel: str, symbol: str) -> bool:
        """Whether anybody takes this."""
        return bool(self._groups(channel, symbol))

    def takes(self, channel: str) -> bool:
        """Whether anybody takes this channel for any symbol; asked at each flush, so it is remembered."""
        if self._wanted is None:
            self._wanted = frozenset(
                name for client in self.clients for name, symbols in client.wants.items() if symbols
            )
        return channel in self._wanted

    def publish(self, events: Sequence[TapeEvent], now_ns: int) -> None:
        """Give each event to those who take it; flush() sends. now_ns: the venue's, for feeds that delay."""
        if not self.clients:
            return
        for event in events:
            for codec, clients in self._groups(_channel(event), event.symbol):
                part = codec.event(event)
                for client in clients:
                    client.parts.append(part)

    def flush(self) -> None:
        """Send what was published since the last flush, in as few frames as can be."""
        mangle = self.mangle
        for client in self.clients:
            if mangle is not None:
                mangle(client)
            client.flush()

    def _groups(self, channel: str, symbol: str) -> tuple[Group, ...]:
        groups = self._routes.get((channel, symbol))
        if groups is None:
            groups = self._routes[channel, symbol] = _group(self.clients, channel, symbol)
        return groups


def _channel(event: TapeEvent) -> str:
    if isinstance(event, Bar):
        if event.span_ns == MINUTE_NS:
            return "updatedBars" if event.revised else "bars"
        return "dailyBars" if event.span_ns == DAY_NS else ""
    return _OF_KIND[type(event)]


def _group(clients: Iterable[Client], channel: str, symbol: str) -> tuple[Group, ...]:
    by_codec: dict[int, tuple[Codec, list[Client]]] = {}
    for client in clients:
        symbols: Set[str] | tuple[()] = client.wants.get(channel, ())
        if symbol in symbols or "*" in symbols:
            by_codec.setdefault(id(client.codec), (client.codec, []))[1].append(client)
    return tuple((codec, tuple(some)) for codec, some in by_codec.values())
