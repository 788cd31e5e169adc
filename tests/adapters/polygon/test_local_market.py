"""The vendor's own unmodified client and ours, on the local market's Polygon face: they must agree."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest
from massive import RESTClient, WebSocketClient
from massive.websocket.models import EquityAgg, EquityQuote, EquityTrade

from liu_tui.adapters.polygon.codes import letters_of, tape_of
from liu_tui.adapters.polygon.history import PolygonData
from liu_tui.adapters.polygon.stream import PolygonStream
from liu_tui.errors import FeedError
from liu_tui.localmarket.server import MarketServer
from liu_tui.market.calendar import midnight_ns
from liu_tui.market.streaming import FeedState, FeedStatus, SessionEnd, StreamItem
from liu_tui.model.clock import Anchor
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Adjustment,
    Bar,
    CorporateAction,
    Event,
    MarketEvent,
    Quote,
    Trade,
)
from tests.kit.localmarket import PATIENCE_S, Rest, a_market, rest

MS_NS = 1_000_000
NAMES = {"AAPL", "AMZN", "AMD"}
ALL = dict.fromkeys(Event, NAMES)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    # The vendor's websocket client sends loopback through a proxy too.
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextlib.asynccontextmanager
async def standing(**more: Any) -> AsyncIterator[tuple[MarketServer, Rest]]:
    """A market whose clock stands still at ten, and the requests that move it."""
    what = {"symbols": 20, "date": "2026-11-20", "start": "10:00", "seed": 3}
    async with a_market(**(what | more)) as server, rest(server) as ask:
        await ask.post("/admin/pause")
        yield server, ask


def feed_of(server: MarketServer, key: str = "ours", **more: Any) -> PolygonStream:
    return PolygonStream(server.url.replace("http", "ws") + "/stocks", key, local=True, **more)


@contextlib.asynccontextmanager
async def read(feed: PolygonStream) -> AsyncIterator[list[StreamItem]]:
    """Read a feed in a task; yields what it said so far."""
    items: list[StreamItem] = []

    async def follow() -> None:
        async for batch in feed.batches():
            items.extend(batch)

    task = asyncio.create_task(follow())
    try:
        yield items
    finally:
        await feed.close()
        await task


async def until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not there():  # noqa: ASYNC110 - it happens in other people's code
            await asyncio.sleep(0.005)


def is_live(items: list[StreamItem]) -> bool:
    return any(isinstance(item, FeedStatus) and item.state is FeedState.LIVE for item in items)


def ours(theirs: Any) -> MarketEvent:
    """What the vendor's client understood, in our words."""
    match theirs:
        case EquityTrade():
            tape = tape_of(theirs.tape)
            what = letters_of(tuple(theirs.conditions), tape)
            at = theirs.timestamp * MS_NS
            number, exchange = int(theirs.id), str(theirs.exchange)
            return Trade(theirs.symbol, at, theirs.price, theirs.size, number, exchange, what, tape)
        case EquityQuote():
            bid, ask = (theirs.bid_price, theirs.bid_size), (theirs.ask_price, theirs.ask_size)
            return Quote(theirs.symbol, theirs.timestamp * MS_NS, *bid, *ask)
        case EquityAgg():
            span_ns = SECOND_NS if theirs.event_type == "A" else MINUTE_NS
            assert theirs.end_timestamp - theirs.start_timestamp == span_ns // MS_NS
            prices = (theirs.open, theirs.high, theirs.low, theirs.close)
            start, volume = theirs.start_timestamp * MS_NS, theirs.volume
            return Bar(theirs.symbol, start, *prices, volume, theirs.vwap, span_ns=span_ns)
    raise AssertionError(theirs)


async def test_the_vendors_stream_client_hears_event_for_event_what_ours_hears() -> None:
    heard: list[Any] = []

    async def hear(messages: list[Any]) -> None:
        heard.extend(messages)

    async with standing() as (server, ask):
        topics = [f"{channel}.{name}" for channel in ("T", "Q", "A", "AM") for name in sorted(NAMES)]
        place = server.url.removeprefix("http://")
        client = WebSocketClient("theirs", feed=place, secure=False, subscriptions=topics)
        listening = asyncio.create_task(client.connect(hear))
        feed = feed_of(server)
        await feed.subscribe(ALL)
        async with read(feed) as items:
            await until(lambda: is_live(items))
            # Both connections are in, and their topics granted, before anything happens.
            await until(lambda: client.websocket is not None and bool(client.subs))
            await client.websocket.ping()
            await ask.post("/admin/step", seconds=200)
            await feed.subscribe({Event.TRADE: {"INTC"}})  # its answer comes after every event
            events = [item for item in items if isinstance(item, Trade | Quote | Bar)]
            await until(lambda: len(heard) >= len(events))
        await client.close()
        await listening
    assert [ours(message) for message in heard] == events
    kinds = {(type(event), getattr(event, "span_ns", 0)) for event in events}
    assert kinds == {(Trade, 0), (Quote, 0), (Bar, SECOND_NS), (Bar, MINUTE_NS)}
    assert {event.symbol for event in events} == NAMES
    assert feed.refused == 0


async def test_second_bars_are_those_of_the_trades_and_come_when_they_are_over() -> None:
    async with standing() as (server, ask):
        feed = feed_of(server)
        await feed.subscribe({Event.TRADE: {"AAPL"}, Event.SECOND: {"AAPL"}})
        async with read(feed) as items:
            await until(lambda: is_live(items))
            await ask.post("/admin/step", seconds=120)
            await feed.subscribe({Event.TRADE: {"INTC"}})
        trades = [item for item in items if isinstance(item, Trade)]
        bars = [item for item in items if isinstance(item, Bar)]
    first = bars[0].t_ns
    assert len(bars) > 10
    for bar in bars:
        inside = [t for t in trades if bar.t_ns <= t.t_ns < bar.end_ns]
        assert bar.volume == sum(t.size for t in inside)
    # No trade is told after the bar of its second.
    for n, item in enumerate(items):
        if isinstance(item, Bar):
            later = [t for t in items[n:] if isinstance(t, Trade)]
            assert all(t.t_ns >= item.end_ns for t in later)
    assert first >= trades[0].t_ns - SECOND_NS


async def test_the_clock_and_the_end_are_told_at_any_speed() -> None:
    async with standing(start="12:58") as (server, ask):
        feed = feed_of(server)
        async with read(feed) as items:
            await until(lambda: is_live(items))
            await ask.post("/admin/speed", speed=600)
            await ask.post("/admin/resume")
            await until(lambda: any(isinstance(item, Anchor) and item.speed == 600 for item in items))
            await ask.post("/admin/pause")
            await ask.post("/admin/step", seconds=4 * 3600 + 200)
            await until(lambda: any(isinstance(item, SessionEnd) for item in items))


async def test_the_newest_connection_with_a_key_takes_the_place() -> None:
    async with standing() as (server, _):
        first, second = feed_of(server, "shared"), feed_of(server, "shared")
        refused: list[FeedError] = []

        async def follow() -> None:
            try:
                async for batch in first.batches():
                    items.extend(batch)
            except FeedError as e:
                refused.append(e)

        items: list[StreamItem] = []
        following = asyncio.create_task(follow())
        await until(lambda: is_live(items))
        async with read(second) as later:
            await until(lambda: is_live(later))
            await following
            assert "another program took the only connection" in refused[0].what
            states = [item.state for item in items if isinstance(item, FeedStatus)]
            assert states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.REFUSED]
        assert not second.slow


async def test_a_wrong_key_is_refused_on_both_ways() -> None:
    async with a_market(symbols=5, key="right", secret="secret") as server:
        data = PolygonData(server.url, "wrong")
        with pytest.raises(FeedError, match="Unknown API Key"):
            await data.anchor()
        await data.close()
        feed = feed_of(server, "wrong")
        with pytest.raises(FeedError, match="key refused"):
            await anext(batch async for batch in feed.batches() if len(batch) > 5)
        async with read(feed_of(server, "right")) as items:
            await until(lambda: is_live(items))


async def test_the_vendors_rest_client_reads_row_for_row_what_ours_reads() -> None:
    async with standing() as (server, ask):
        await ask.post("/admin/step", seconds=300)
        client = RESTClient("theirs", base=server.url)
        data = PolygonData(server.url, "ours")
        try:
            await agree_on_bars(client, data)
            await agree_on_ticks(client, data)
            await agree_on_snapshots(client, data)
            await agree_on_reference(client, data)
        finally:
            await data.close()


async def agree_on_bars(client: Any, data: PolygonData) -> None:
    now_ns = (await data.anchor()).venue_ns
    start_ns = now_ns - 90 * MINUTE_NS
    for span_ns, unit in ((SECOND_NS, "second"), (MINUTE_NS, "minute"), (DAY_NS, "day")):
        begin_ns = now_ns - 10 * DAY_NS if unit == "day" else start_ns
        found = await data.bars(["AAPL"], begin_ns, now_ns, span_ns=span_ns)
        # Pages of twelve: every one must be followed, and no row lost or doubled between two.
        pages = await listed(client.list_aggs, "AAPL", 1, unit, begin_ns // MS_NS, now_ns // MS_NS, limit=12)
        rows = [bar_of(row, span_ns) for row in pages]
        # Theirs has the day so far too, which has not ended.
        assert [row for row in rows if row.end_ns <= now_ns and row.t_ns >= begin_ns] == found["AAPL"]
        assert len(rows) > 5
    five = await data.bars(["AAPL"], start_ns, now_ns, span_ns=5 * MINUTE_NS)
    rows = [
        bar_of(row, 5 * MINUTE_NS)
        for row in await listed(client.get_aggs, "AAPL", 5, "minute", start_ns // MS_NS, now_ns // MS_NS)
    ]
    assert [row for row in rows if row.t_ns >= start_ns and row.end_ns <= now_ns] == five["AAPL"]
    day = date(2026, 11, 19)
    grouped = await data.grouped(day)
    theirs = await listed(client.get_grouped_daily_aggs, day.isoformat())
    assert {row.ticker: row.close for row in theirs} == {name: bar.close for name, bar in grouped.items()}
    assert len(grouped) == 20
    assert all(bar.t_ns == midnight_ns(day) for bar in grouped.values())
    (before,) = await listed(client.get_previous_close_agg, "AAPL")
    assert before.close == grouped["AAPL"].close
    said = await asyncio.to_thread(client.get_daily_open_close_agg, "AAPL", day.isoformat())
    assert (said.open, said.close, said.volume) == (
        grouped["AAPL"].open, grouped["AAPL"].close, grouped["AAPL"].volume
    )  # fmt: skip


async def agree_on_ticks(client: Any, data: PolygonData) -> None:
    now_ns = (await data.anchor()).venue_ns
    start_ns = now_ns - 5 * MINUTE_NS
    trades = (await data.trades(["AAPL"], start_ns, now_ns))["AAPL"]
    span = {"timestamp_gte": start_ns, "timestamp_lte": now_ns, "order": "asc", "sort": "timestamp"}
    theirs = await listed(client.list_trades, "AAPL", limit=10, **span)
    assert [(r.sip_timestamp, r.price, r.size, int(r.id)) for r in theirs] == [
        (t.t_ns, t.price, t.size, t.id) for t in trades
    ]
    quotes = (await data.quotes(["AAPL"], start_ns, now_ns))["AAPL"]
    theirs = await listed(client.list_quotes, "AAPL", limit=10, **span)
    assert [
        Quote("AAPL", r.sip_timestamp, r.bid_price, r.bid_size, r.ask_price, r.ask_size) for r in theirs
    ] == (quotes)
    assert len(trades) > 20
    assert len(quotes) > 20
    newest = await listed(client.list_trades, "AAPL", limit=50_000)
    assert newest[0].sip_timestamp == trades[-1].t_ns
    last = (await data.latest_trades(["AAPL", "NOPE"]))["AAPL"]
    quote = (await data.latest_quotes(["AAPL", "NOPE"]))["AAPL"]
    said = await asyncio.to_thread(client.get_last_trade, "AAPL")
    assert (said.sip_timestamp, said.price, said.size) == (last.t_ns, last.price, last.size)
    said = await asyncio.to_thread(client.get_last_quote, "AAPL")
    assert (said.sip_timestamp, said.bid_price, said.ask_size) == (quote.t_ns, quote.bid, quote.ask_size)


async def agree_on_snapshots(client: Any, data: PolygonData) -> None:
    names = [asset.symbol for asset in await data.assets()]
    found = await data.snapshots([*names, "NOPE"])
    theirs = await listed(client.get_snapshot_all, "stocks")
    assert [row.ticker for row in theirs] == list(found) == names
    for row in theirs:
        snapshot = found[row.ticker]
        assert snapshot.latest_trade is not None
        assert snapshot.latest_quote is not None
        assert snapshot.previous_daily_bar is not None
        assert row.last_trade.price == snapshot.latest_trade.price
        assert row.last_quote.bid_price == snapshot.latest_quote.bid
        assert row.prev_day.close == snapshot.previous_daily_bar.close
        if snapshot.daily_bar is not None:
            assert row.day.volume == snapshot.daily_bar.volume
        if snapshot.minute_bar is not None:
            assert row.min.timestamp * MS_NS == snapshot.minute_bar.t_ns
    one = await asyncio.to_thread(client.get_snapshot_ticker, "stocks", "AAPL")
    assert one.last_trade.price == found["AAPL"].price
    volumes = {row.ticker: row.min.accumulated_volume for row in theirs if row.min is not None}
    active = await data.most_active(5)
    assert [volumes[name] for name, _ in active] == sorted(volumes.values(), reverse=True)[:5]
    gainers = await listed(client.get_snapshot_direction, "stocks", "gainers")
    losers = await listed(client.get_snapshot_direction, "stocks", "losers")
    both = [(row.ticker, row.todays_change_percent) for row in (*gainers, *losers)]
    assert both == await data.movers()
    assert len(both) > 5


async def agree_on_reference(client: Any, data: PolygonData) -> None:
    assets = await data.assets()
    rows = await listed(client.list_tickers, market="stocks", limit=7)
    assert [(row.ticker, row.name) for row in rows] == [(asset.symbol, asset.name) for asset in assets]
    status = await asyncio.to_thread(client.get_market_status)
    assert status.market == "open"
    assert (await data.anchor()).paused
    holidays = await listed(client.get_market_holidays)
    assert {row.date: row.status for row in holidays}["2026-11-26"] == "closed"
    assert [hours.day for hours in await data.sessions(date(2026, 11, 25), date(2026, 11, 27))] == [
        "2026-11-25",
        "2026-11-27",
    ]
    conditions = await listed(client.list_conditions, limit=10)
    assert {row.id: row.sip_mapping.UTP for row in conditions if row.sip_mapping}[37] == "I"
    assert {row.participant_id for row in await listed(client.get_exchanges)} >= {"N", "Q", "V"}


async def test_splits_and_renames_of_the_market_are_told_to_both() -> None:
    async with standing() as (server, _):
        day = date(2026, 11, 20)
        server.market.venue.actions += [
            CorporateAction(kind="split", symbol="AAPL", day=day.isoformat(), ratio=4.0),
            CorporateAction(kind="dividend", symbol="AMD", day=day.isoformat(), cash=0.25),
            CorporateAction(kind="rename", symbol="FB", day=day.isoformat(), new_symbol="AMZN"),
        ]
        client, data = RESTClient("theirs", base=server.url), PolygonData(server.url, "ours")
        found = await data.corporate_actions(["AAPL", "AMD", "AMZN"], day, day)
        assert sorted(found, key=repr) == sorted(server.market.venue.actions, key=repr)
        (split,) = await listed(client.list_splits, "AAPL")
        assert (split.split_from, split.split_to) == (1, 4)
        (dividend,) = await listed(client.list_dividends, ex_dividend_date=day)
        assert (dividend.ticker, dividend.cash_amount) == ("AMD", 0.25)
        before, now_ns = midnight_ns(date(2026, 11, 19)), (await data.anchor()).venue_ns
        raw = (await data.bars(["AAPL"], before, now_ns, span_ns=DAY_NS))["AAPL"][0]
        fit = await data.bars(["AAPL"], before, now_ns, span_ns=DAY_NS, adjustment=Adjustment.SPLIT)
        assert fit["AAPL"][0].close == pytest.approx(raw.close / 4, abs=1e-4)
        assert fit["AAPL"][0].volume == raw.volume * 4
        await data.close()


async def listed(ask: Callable[..., Any], *words: Any, **more: Any) -> list[Any]:
    """All rows of one of the vendor's blocking questions, in a thread."""
    return await asyncio.to_thread(lambda: list(ask(*words, **more)))


def bar_of(row: Any, span_ns: int) -> Bar:
    prices = (row.open, row.high, row.low, row.close)
    return Bar("AAPL", row.timestamp * MS_NS, *prices, row.volume, row.vwap, row.transactions, span_ns)
