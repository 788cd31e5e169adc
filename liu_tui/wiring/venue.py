"""Where a session trades, as plain values that may cross a process, and the openers of its ends.

A vendor's module is imported in the opener that needs it: the producer never pays for the trader's, nor a
consumer for a websocket. Keys never lie in a Venue: each process that needs them reads its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from liu_tui.errors import RefusedError, UsageError
from liu_tui.model.market import MINUTE_NS, Adjustment
from liu_tui.plan.schema import DataVendor, Environment, TradePlan
from liu_tui.settings import Keys, Secret, Settings, Workspace

if TYPE_CHECKING:
    from liu_tui.market.history import DataAPI
    from liu_tui.market.loader import DataLoader
    from liu_tui.market.streaming import StreamingAPI
    from liu_tui.trading.trader import Trader

FEEDS = {"iex": 0, "sip": 0, "delayed_sip": 15 * MINUTE_NS, "test": 0}
"""Alpaca's feeds, and how far each is behind the market by its own declaration."""
POLYGON_FEEDS = {
    "realtime": ("wss://socket.massive.com/stocks", 0),
    "delayed": ("wss://delayed.massive.com/stocks", 15 * MINUTE_NS),
}
POLYGON_REST = "https://api.massive.com"
_LOCAL_FEED = "sip"  # the local market has the whole tape under either name


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """One place to trade.

    rest_url:    trading, clock, calendar, assets; without the version and without a slash at the end
    data_url:    history and snapshots; the same
    stream_url:  the whole address of the market data websocket
    updates_url: the whole address of the order updates websocket
    lockstep:    its time moves only when everybody is ready
    vendor:      who tells the market data, in whose spelling stream_url and data_url answer
    delay_ns:    how far the feed is behind the market by its own declaration
    connections: how many data connections one account may have
    """

    kind: Literal["local", "alpaca"]
    rest_url: str
    data_url: str
    stream_url: str
    updates_url: str
    feed: str
    lockstep: bool = False
    vendor: DataVendor = DataVendor.ALPACA
    delay_ns: int = 0
    connections: int = 1


def venue_of(plan: TradePlan, url: str = "") -> Venue:
    """Say where a plan trades.

    url: of the running local market, "http://127.0.0.1:PORT", for a plan with [market]

    Whether real money may be traded there is not asked here: see plan.live.
    Raises UsageError for an unknown feed, or for a local market without its url; RefusedError for real money
    on the local market.
    """
    live = plan.environment is Environment.PROD
    if plan.market is not None:
        if live:
            raise RefusedError(
                "real money is not traded on the local market",
                where="environment",
                mend='Take [market] away, or write environment = "PAPER".',
            )
        return local_venue(url, lockstep=plan.lockstep, vendor=plan.data)
    alpaca = alpaca_live(plan.alpaca.feed) if live else alpaca_paper(plan.alpaca.feed)
    return with_polygon(alpaca, plan.polygon.feed) if plan.data is DataVendor.POLYGON else alpaca


def local_venue(url: str, *, lockstep: bool = False, vendor: DataVendor = DataVendor.ALPACA) -> Venue:
    """Describe a running local market.

    Raises UsageError if the url is not http://HOST:PORT, and for lock-step with Polygon, whose protocol has
    none.
    """
    base = url.rstrip("/")
    if not base.startswith("http://"):
        raise UsageError(
            f"{url!r} is no local market", where="[market]", mend="It prints its address when it is ready."
        )
    if lockstep and vendor is DataVendor.POLYGON:
        raise UsageError(
            "Polygon's market data have no lock-step",
            where="[market] speed",
            mend='Give a number as speed, or write data = "alpaca".',
        )
    sockets = "ws" + base.removeprefix("http")
    return Venue(
        kind="local",
        rest_url=base,
        data_url=base,
        stream_url=f"{sockets}/stocks" if vendor is DataVendor.POLYGON else f"{sockets}/v2/{_LOCAL_FEED}",
        updates_url=f"{sockets}/stream",
        feed=_LOCAL_FEED,
        lockstep=lockstep,
        vendor=vendor,
        # A second connection would evict the first, as at Polygon itself.
        connections=1 if vendor is DataVendor.POLYGON else 8,
    )


def alpaca_paper(feed: str) -> Venue:
    """Describe Alpaca's paper account with one of its data feeds. Raises UsageError for an unknown feed."""
    return _alpaca("paper-api.alpaca.markets", feed)


def alpaca_live(feed: str) -> Venue:
    """Describe Alpaca's live account, its data as those of the paper account. Raises UsageError."""
    return _alpaca("api.alpaca.markets", feed)


def _alpaca(host: str, feed: str) -> Venue:
    if feed not in FEEDS:
        raise UsageError(f"no feed {feed!r}", where="[alpaca] feed", mend=f"Known feeds: {', '.join(FEEDS)}.")
    return Venue(
        kind="alpaca",
        rest_url=f"https://{host}",
        data_url="https://data.alpaca.markets",
        stream_url=f"wss://stream.data.alpaca.markets/v2/{feed}",
        updates_url=f"wss://{host}/stream",
        feed=feed,
        delay_ns=FEEDS[feed],
    )


def with_polygon(venue: Venue, feed: str) -> Venue:
    """Take the data from Polygon (now Massive), the orders where they were.

    Raises UsageError for an unknown feed.
    """
    if feed not in POLYGON_FEEDS:
        raise UsageError(
            f"no feed {feed!r}", where="[polygon] feed", mend=f"Known feeds: {', '.join(POLYGON_FEEDS)}."
        )
    stream_url, delay_ns = POLYGON_FEEDS[feed]
    return msgspec.structs.replace(
        venue,
        data_url=POLYGON_REST,
        stream_url=stream_url,
        feed=feed,
        vendor=DataVendor.POLYGON,
        delay_ns=delay_ns,
    )


def keys_from_env() -> Keys:
    """Read Alpaca's pair from the environment, or else from the user's keys file.

    Raises UsageError if there is none: a venue without keys cannot be opened.
    """
    settings = Settings.read()
    keys = settings.keys()
    if not keys.alpaca:
        raise UsageError(
            "no keys for Alpaca",
            where="environment",
            mend=f"Set APCA_API_KEY_ID and APCA_API_SECRET_KEY, or write them to {settings.keys_file}.",
        )
    return keys


def keys_for(venue: Venue) -> Keys:
    """Find the keys of a venue. The local market takes any; it is never sent the real ones.

    Raises UsageError if Alpaca's are missing, or Polygon's where it tells the market data.
    """
    if venue.kind == "local":
        return Keys(Secret("local"), Secret("local"), Secret("local"), source="the local market")
    keys = keys_from_env()
    if venue.vendor is DataVendor.POLYGON and not keys.polygon:
        raise UsageError(
            "no key for Polygon",
            where="environment",
            mend=f"Set POLYGON_API_KEY, or write it to {Settings.read().keys_file}.",
        )
    return keys


def open_feed(venue: Venue, keys: Keys) -> StreamingAPI:
    """Make the live feed; it connects when its batches are first asked for."""
    if venue.vendor is DataVendor.POLYGON:
        from liu_tui.adapters.polygon.stream import PolygonStream

        key, local = keys.polygon.reveal(), venue.kind == "local"
        return PolygonStream(venue.stream_url, key, local=local, delay_ns=venue.delay_ns)
    from liu_tui.adapters.alpaca.stream import AlpacaStream

    return AlpacaStream(
        venue.stream_url,
        keys.alpaca_id.reveal(),
        keys.alpaca_secret.reveal(),
        local=venue.kind == "local",
        lockstep=venue.lockstep,
        delay_ns=venue.delay_ns,
    )


def open_data(venue: Venue, keys: Keys) -> DataAPI:
    """Make the history; it connects at the first question."""
    first_wait_s = 0.1 if venue.kind == "local" else 0.5
    if venue.vendor is DataVendor.POLYGON:
        from liu_tui.adapters.polygon.history import PolygonData

        return PolygonData(venue.data_url, keys.polygon.reveal(), first_wait_s=first_wait_s)
    from liu_tui.adapters.alpaca.history import AlpacaData

    return AlpacaData(
        venue.data_url,
        venue.rest_url,
        keys.alpaca_id.reveal(),
        keys.alpaca_secret.reveal(),
        feed=venue.feed,
        delay_ns=venue.delay_ns,
        first_wait_s=first_wait_s,
    )


def open_cached_data(venue: Venue, keys: Keys, workspace: Workspace) -> DataAPI:
    """Make the history with what is final of it kept in the workspace; it connects at the first question.

    The local market is not cached: its days are made up or played at any date, and it is on this machine.
    """
    data = open_data(venue, keys)
    if venue.kind == "local":
        return data
    from liu_tui.store.cacheddata import CachedData

    return CachedData(
        data,
        database=workspace.cache_db,
        folder=workspace.cache_db.with_name("minutes"),
        feed=f"{venue.vendor.value}-{venue.feed}",
        delay_ns=venue.delay_ns,
        maps_names=venue.vendor is DataVendor.ALPACA,  # it reads a symbol as of today, unless told otherwise
    )


def data_loader_factory(
    venue: Venue,
    keys: Keys,
    workspace: Workspace | None = None,
    *,
    daily: bool = False,
    adjustment: Adjustment = Adjustment.RAW,
) -> DataLoader:
    """Make a loader of minute or daily bars over the venue's history, cached if there is a workspace.

    It opens one history for each event loop that it is used in, so `prefetch` and `load` may be mixed.
    """
    from liu_tui.market.loader import DataLoader, TimeScale

    def opened() -> DataAPI:
        return open_data(venue, keys) if workspace is None else open_cached_data(venue, keys, workspace)

    return DataLoader(opened, scale=TimeScale.DAY if daily else TimeScale.MINUTE, adjustment=adjustment)


def open_trader(venue: Venue, keys: Keys) -> Trader:
    """Make the broker's end. The desk alone calls this: it loads alpaca-py, about a second, in a thread."""
    from liu_tui.adapters.alpaca.trader import AlpacaTrader

    return AlpacaTrader(
        venue.rest_url,
        venue.updates_url,
        keys.alpaca_id.reveal(),
        keys.alpaca_secret.reveal(),
        local=venue.kind == "local",
        lockstep=venue.lockstep,
    )
