"""alpaca-py's unmodified StockDataStream and our AlpacaStream hear the same session, event for event.

The market stands while both subscribe, and then plays some minutes. alpaca-py cuts nanoseconds to
microseconds; everything else must be equal, and in the same order.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from alpaca.data.live.stock import StockDataStream

from liu_tui.adapters.alpaca.stream import AlpacaStream
from liu_tui.market.streaming import FeedState, FeedStatus
from liu_tui.model.clock import Anchor
from liu_tui.model.market import DAY_NS, Bar, Event, Quote, Trade
from tests.kit.localmarket import PATIENCE_S, a_market_in_a_thread, rest

FOR_TRADES, FOR_QUOTES, FOR_BARS = {"AAPL", "TSLA"}, {"TSLA", "NVDA"}, {"AAPL", "NVDA", "AMD"}
MINUTES = 3
LOGGER = "alpaca.data.live.websocket"
Row = tuple[Any, ...]


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)


def row_of_theirs(item: Any) -> Row:
    """One of alpaca-py's models as plain values."""
    kind, at = type(item).__name__, micros(item.timestamp)
    what: Row
    if kind == "Trade":
        what = (item.price, item.size, item.id, item.exchange, tuple(item.conditions), item.tape)
    elif kind == "Quote":
        what = (item.bid_price, item.bid_size, item.ask_price, item.ask_size)
    else:
        what = (item.open, item.high, item.low, item.close, item.volume, item.vwap, item.trade_count)
    return (kind, item.symbol, at, *what)


def row_of_ours(item: Trade | Quote | Bar) -> Row:
    """The same of ours."""
    at = item.t_ns // 1_000
    match item:
        case Trade():
            what: Row = (item.price, item.size, item.id, item.exchange, item.conditions, item.tape)
        case Quote():
            what = (item.bid, item.bid_size, item.ask, item.ask_size)
        case Bar():
            what = (item.open, item.high, item.low, item.close, item.volume, item.vwap, item.count)
    return (type(item).__name__, item.symbol, at, *what)


class Subscribed(logging.Handler):
    """Hears from alpaca-py's log that its subscriptions are granted: it has no other word for it."""

    def __init__(self) -> None:
        super().__init__()
        self.granted = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("subscribed to"):
            self.granted.set()


class Theirs:
    """alpaca-py's stream in a thread of its own. It is ended as its own stop() cannot, at once."""

    def __init__(self, url: str) -> None:
        self.rows: list[Row] = []
        self.daily: list[Row] = []
        self._news = threading.Condition()
        self.stream = StockDataStream("key", "secret", url_override=url)
        self.stream.subscribe_trades(self._hear, *FOR_TRADES)
        self.stream.subscribe_quotes(self._hear, *FOR_QUOTES)
        self.stream.subscribe_bars(self._hear, *FOR_BARS)
        self.stream.subscribe_daily_bars(self._hear_day, *(FOR_TRADES | FOR_QUOTES | FOR_BARS))
        self.thread = threading.Thread(target=lambda: asyncio.run(self.stream._run_forever()), daemon=True)

    def begin(self, caplog: pytest.LogCaptureFixture) -> None:
        """Start, and wait for the subscription."""
        caplog.set_level(logging.INFO, logger=LOGGER)
        hears = Subscribed()
        logging.getLogger(LOGGER).addHandler(hears)
        try:
            self.thread.start()
            assert hears.granted.wait(PATIENCE_S)
        finally:
            logging.getLogger(LOGGER).removeHandler(hears)

    async def _hear(self, item: Any) -> None:
        with self._news:
            self.rows.append(row_of_theirs(item))
            self._news.notify()

    async def _hear_day(self, item: Any) -> None:
        with self._news:
            self.daily.append(row_of_theirs(item))
            self._news.notify()

    def until(self, rows: int, daily: int) -> None:
        """Wait for so many events and days."""
        with self._news:
            assert self._news.wait_for(
                lambda: len(self.rows) >= rows and len(self.daily) >= daily, PATIENCE_S
            ), (len(self.rows), rows, len(self.daily), daily)

    def end(self) -> None:
        async def close() -> None:
            await self.stream.stop_ws()
            await self.stream._ws.close()

        asyncio.run_coroutine_threadsafe(close(), self.stream._loop).result(PATIENCE_S)
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


class Ours:
    """Our stream, read in a task."""

    def __init__(self, url: str) -> None:
        self.rows: list[Row] = []
        self.daily: list[Row] = []
        self.stream = AlpacaStream(url, "key", "secret", local=True)
        self.live = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for batch in self.stream.batches():
            for item in batch:
                if isinstance(item, Bar) and item.span_ns == DAY_NS:
                    self.daily.append(row_of_ours(item))
                elif isinstance(item, Trade | Quote | Bar):
                    self.rows.append(row_of_ours(item))
                else:
                    assert isinstance(item, FeedStatus | Anchor), item
                    if isinstance(item, FeedStatus) and item.state is FeedState.LIVE:
                        self.live.set()

    async def end(self) -> None:
        await self.stream.close()
        await self.task
        assert (self.stream.refused, self.stream.slow, self.stream.left_out) == (0, 0, frozenset())


@asynccontextmanager
async def both(url: str, caplog: pytest.LogCaptureFixture) -> AsyncIterator[tuple[Theirs, Ours]]:
    """Both streams, subscribed to the same."""
    theirs, ours = Theirs(url), Ours(url)
    await asyncio.to_thread(theirs.begin, caplog)
    try:
        await ours.live.wait()
        await ours.stream.subscribe(
            {Event.TRADE: FOR_TRADES, Event.QUOTE: FOR_QUOTES, Event.MINUTE: FOR_BARS}
        )
        yield theirs, ours
    finally:
        try:
            await ours.end()
        finally:  # a thread that lives on would draw random numbers in the tests that follow
            await asyncio.to_thread(theirs.end)


async def test_alpaca_pys_stream_and_ours_hear_the_same_events_in_the_same_order(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with a_market_in_a_thread(start="10:00", seed=11) as server:
        async with rest(server) as admin:
            await admin.post("/admin/pause")
            async with both(f"{server.url.replace('http', 'ws')}/v2/sip", caplog) as (theirs, ours):
                await admin.post("/admin/step", seconds=MINUTES * 60)
                # The answer to this comes after all that was published before.
                await ours.stream.subscribe({Event.TRADE: FOR_TRADES})
                await asyncio.to_thread(theirs.until, len(ours.rows), len(ours.daily))
    kinds = Counter(row[0] for row in ours.rows)
    assert kinds["Trade"] > 100
    assert kinds["Quote"] > 100
    assert kinds["Bar"] >= (MINUTES - 1) * len(FOR_BARS)
    assert theirs.rows == ours.rows
    assert theirs.daily == ours.daily
