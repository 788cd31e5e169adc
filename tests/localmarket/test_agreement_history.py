"""alpaca-py's own clients and AlpacaData ask one local market, and are told the same, row for row.

The market stands still while they ask: whatever differs is a fault of one of the readers, or of the market.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
from alpaca.data.enums import Adjustment as TheirAdjustment
from alpaca.data.enums import DataFeed, MostActivesBy
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.screener import ScreenerClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    MarketMoversRequest,
    MostActivesRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from liu_tui.adapters.alpaca.history import AlpacaData
from liu_tui.errors import FeedError
from liu_tui.localmarket.server import MarketServer
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Adjustment,
    Bar,
    CorporateAction,
    Quote,
    Snapshot,
    Trade,
)
from tests.kit.localmarket import PATIENCE_S, a_market_in_a_thread

NAMES = ["AAPL", "NVDA", "SPY"]
TODAY = date(2026, 11, 23)
SPLITS = [
    CorporateAction(kind="split", symbol="AAPL", day="2026-11-23", ratio=4.0),
    CorporateAction(kind="split", symbol="NVDA", day="2026-11-20", ratio=0.1),
    CorporateAction(kind="split", symbol="SPY", day="2026-11-24", ratio=2.0),  # tomorrow: nothing changes yet
    CorporateAction(kind="dividend", symbol="SPY", day="2026-11-19", cash=1.75),
    CorporateAction(kind="rename", symbol="SQ", day="2026-11-18", new_symbol="XYZ"),
]


OPEN = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}


@pytest.fixture(scope="module")
def server() -> Iterator[MarketServer]:
    """A market that was played for two minutes from noon on, and stands still since."""
    with a_market_in_a_thread(start="12:00") as server, requests.Session() as http:
        http.trust_env = False
        http.headers.update(KEYS)
        for path, said in (("pause", {}), ("step", {"seconds": 125})):
            assert http.post(f"{server.url}/admin/{path}", json=said, timeout=PATIENCE_S).status_code == 200
        server.market.venue.actions += SPLITS
        yield server


@pytest.fixture
async def ours(server: MarketServer) -> AsyncIterator[AlpacaData]:
    data = AlpacaData(server.url, server.url, "key", "secret", feed="sip")
    yield data
    await data.close()


class Theirs:
    """alpaca-py's clients, each question in a worker thread."""

    def __init__(self, server: MarketServer) -> None:
        made = [
            kind("key", "secret", url_override=server.url)
            for kind in (StockHistoricalDataClient, ScreenerClient, CorporateActionsClient)
        ]
        for client in made:
            client._session.trust_env = False
        self.stocks, self.screener, self.actions = made

    async def rows(self, question: str, asked: Any) -> dict[str, Any]:
        """What is told by symbol."""
        said = await asyncio.to_thread(getattr(self.stocks, question), asked)
        return dict(said) if isinstance(said, dict) else dict(said.data)


@pytest.fixture(scope="module")
def theirs(server: MarketServer) -> Theirs:
    return Theirs(server)


def micros(t_ns: int) -> datetime:
    """A time as alpaca-py can keep it: to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t_ns // 1_000)


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND_NS + moment.microsecond * 1_000


def bar_row(bar: Bar) -> tuple[Any, ...]:
    at = micros(bar.t_ns)
    return at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.count, bar.vwap


def their_bar(bar: Any) -> tuple[Any, ...]:
    at, prices = bar.timestamp, (bar.open, bar.high, bar.low, bar.close)
    return at, *prices, bar.volume, bar.trade_count, bar.vwap


def trade_row(trade: Trade) -> tuple[Any, ...]:
    at = micros(trade.t_ns)
    return at, trade.price, trade.size, trade.id, trade.exchange, list(trade.conditions), trade.tape


def their_trade(trade: Any) -> tuple[Any, ...]:
    where = (trade.id, trade.exchange, trade.conditions, trade.tape)
    return trade.timestamp, trade.price, trade.size, *where


def quote_row(quote: Quote) -> tuple[Any, ...]:
    return micros(quote.t_ns), quote.bid, quote.bid_size, quote.ask, quote.ask_size


def their_quote(quote: Any) -> tuple[Any, ...]:
    return quote.timestamp, quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size


FRAMES = [
    (TimeFrame.Minute, MINUTE_NS, OPEN),
    (TimeFrame(5, TimeFrameUnit.Minute), 5 * MINUTE_NS, OPEN),
    (TimeFrame(7, TimeFrameUnit.Minute), 7 * MINUTE_NS, OPEN),
    (TimeFrame.Hour, 60 * MINUTE_NS, OPEN.replace(minute=0)),
    (TimeFrame.Day, DAY_NS, OPEN - timedelta(days=20)),
]


@pytest.mark.parametrize(("frame", "span_ns", "start"), FRAMES)
@pytest.mark.parametrize("adjustment", ["raw", "split", "all"])
async def test_bars_agree(
    ours: AlpacaData, theirs: Theirs, frame: TimeFrame, span_ns: int, start: datetime, adjustment: str
) -> None:
    asked = StockBarsRequest(
        symbol_or_symbols=NAMES,
        timeframe=frame,
        start=start,
        end=NOON,
        feed=DataFeed.SIP,
        adjustment=TheirAdjustment(adjustment),
    )
    told = await theirs.rows("get_stock_bars", asked)
    # Their end is the last start, and they tell a bar that is not over yet.
    found = await ours.bars(
        NAMES, ns(start), ns(NOON) + span_ns, span_ns=span_ns, adjustment=Adjustment(adjustment)
    )
    now = micros((await ours.anchor()).venue_ns)
    for name in NAMES:
        over = [
            their_bar(bar) for bar in told[name] if bar.timestamp + timedelta(seconds=span_ns / 1e9) <= now
        ]
        assert [bar_row(bar) for bar in found[name]] == over
        assert len(over) > 1


async def test_the_last_bar_of_a_span_is_whole(ours: AlpacaData) -> None:
    (last,) = (await ours.bars(["SPY"], ns(NOON) - 5 * MINUTE_NS, ns(NOON), span_ns=5 * MINUTE_NS))["SPY"]
    minutes = (await ours.bars(["SPY"], ns(NOON) - 5 * MINUTE_NS, ns(NOON)))["SPY"]
    assert len(minutes) == 5
    assert (last.open, last.close) == (minutes[0].open, minutes[-1].close)
    assert last.volume == sum(bar.volume for bar in minutes)


async def test_days_of_before_a_split_are_told_at_todays_scale(ours: AlpacaData) -> None:
    start = ns(OPEN) - 10 * DAY_NS
    for name, ratio in (("AAPL", 4.0), ("NVDA", 0.1), ("SPY", 1.0)):
        raw = (await ours.bars([name], start, ns(NOON), span_ns=DAY_NS))[name]
        split = (await ours.bars([name], start, ns(NOON), span_ns=DAY_NS, adjustment=Adjustment.SPLIT))[name]
        for before, after in zip(raw, split, strict=True):
            changed = name != "NVDA" or micros(before.t_ns).day < 20
            assert after.close == pytest.approx(before.close / (ratio if changed else 1), abs=1e-4)
            assert after.volume == pytest.approx(before.volume * (ratio if changed else 1), abs=1)


@pytest.mark.parametrize(
    ("question", "request_of", "ask", "row", "their_row"),
    [
        ("get_stock_trades", StockTradesRequest, AlpacaData.trades, trade_row, their_trade),
        ("get_stock_quotes", StockQuotesRequest, AlpacaData.quotes, quote_row, their_quote),
    ],
)
async def test_prints_and_quotes_agree_page_by_page(
    ours: AlpacaData,
    theirs: Theirs,
    monkeypatch: pytest.MonkeyPatch,
    question: str,
    request_of: Callable[..., Any],
    ask: Callable[..., Any],
    row: Callable[[Any], Any],
    their_row: Callable[[Any], Any],
) -> None:
    monkeypatch.setattr("liu_tui.adapters.alpaca.history.ROWS_A_PAGE", 7)
    asked = request_of(symbol_or_symbols=NAMES, start=NOON, end=NOON + timedelta(seconds=90))
    told = await theirs.rows(question, asked)
    found = await ask(ours, NAMES, ns(NOON), ns(NOON) + 90 * SECOND_NS)
    assert list(found) == NAMES
    for name in NAMES:
        assert [row(one) for one in found[name]] == [their_row(one) for one in told[name]]
        assert len(found[name]) > 14
        assert [one.t_ns for one in found[name]] == sorted(one.t_ns for one in found[name])
    first, last = found["SPY"][2], found["SPY"][7]
    within = (await ask(ours, ["SPY"], first.t_ns, last.t_ns))["SPY"]
    assert (within[0], within[-1]) == (first, last)


async def test_the_latest_agree(ours: AlpacaData, theirs: Theirs) -> None:
    asked = [*NAMES, "NOSUCH"]
    trades = await theirs.rows("get_stock_latest_trade", StockLatestTradeRequest(symbol_or_symbols=asked))
    quotes = await theirs.rows("get_stock_latest_quote", StockLatestQuoteRequest(symbol_or_symbols=asked))
    our_trades, our_quotes = await ours.latest_trades(asked), await ours.latest_quotes(asked)
    assert {name: trade_row(one) for name, one in our_trades.items()} == {
        name: their_trade(one) for name, one in trades.items()
    }
    assert {name: quote_row(one) for name, one in our_quotes.items()} == {
        name: their_quote(one) for name, one in quotes.items()
    }
    assert list(our_trades) == list(our_quotes) == NAMES


async def test_snapshots_agree(ours: AlpacaData, theirs: Theirs) -> None:
    asked = [*NAMES, "NOSUCH"]
    told = await theirs.rows("get_stock_snapshot", StockSnapshotRequest(symbol_or_symbols=asked))
    found = await ours.snapshots(asked)
    assert set(found) == set(told) == set(NAMES)

    def ours_of(one: Snapshot) -> tuple[Any, ...]:
        assert one.latest_trade is not None
        assert one.latest_quote is not None
        bars = (one.minute_bar, one.daily_bar, one.previous_daily_bar)
        parts = [bar_row(bar) for bar in bars if bar is not None]
        return trade_row(one.latest_trade), quote_row(one.latest_quote), parts

    def theirs_of(one: Any) -> tuple[Any, ...]:
        parts = [their_bar(bar) for bar in (one.minute_bar, one.daily_bar, one.previous_daily_bar)]
        return their_trade(one.latest_trade), their_quote(one.latest_quote), parts

    assert {name: ours_of(one) for name, one in found.items()} == {
        name: theirs_of(one) for name, one in told.items()
    }


async def test_the_screeners_agree(ours: AlpacaData, theirs: Theirs) -> None:
    asked = MostActivesRequest(by=MostActivesBy.VOLUME, top=5)
    active = await asyncio.to_thread(theirs.screener.get_most_actives, asked)
    assert await ours.most_active(5) == [(row.symbol, row.volume) for row in active.most_actives]
    moving = await asyncio.to_thread(theirs.screener.get_market_movers, MarketMoversRequest(top=3))
    rows = [*moving.gainers, *moving.losers]
    assert await ours.movers(3) == [(row.symbol, row.percent_change) for row in rows]


async def test_corporate_actions_agree(
    ours: AlpacaData, theirs: Theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liu_tui.adapters.alpaca.history.ACTIONS_A_PAGE", 1)
    start, end = date(2026, 11, 1), date(2026, 11, 30)
    asked = CorporateActionsRequest(symbols=[*NAMES, "SQ"], start=start, end=end)
    told = (await asyncio.to_thread(theirs.actions.get_corporate_actions, asked)).data
    found = await ours.corporate_actions([*NAMES, "sq"], start, end)
    assert sorted(found, key=repr) == sorted(SPLITS, key=repr)
    assert [action.day for action in found] == sorted(action.day for action in found)
    splits = {
        (row.symbol, row.ex_date.isoformat(), row.new_rate / row.old_rate)
        for kind in ("forward_splits", "reverse_splits")
        for row in told[kind]
    }
    assert splits == {(a.symbol, a.day, a.ratio) for a in found if a.kind == "split"}
    (dividend,), (rename,) = told["cash_dividends"], told["name_changes"]
    assert (dividend.symbol, dividend.rate, dividend.ex_date) == ("SPY", 1.75, date(2026, 11, 19))
    assert (rename.old_symbol, rename.new_symbol) == ("SQ", "XYZ")
    assert await ours.corporate_actions(NAMES, TODAY, TODAY) == [SPLITS[0]]
    assert [a.symbol for a in await ours.corporate_actions(["XYZ"], start, end)] == ["SQ"]


async def test_the_brokers_calendar_is_told(ours: AlpacaData) -> None:
    days = await ours.sessions(TODAY, date(2026, 11, 30))
    assert [hours.day for hours in days] == [f"2026-11-{day}" for day in (23, 24, 25, 27, 30)]
    assert (await ours.hours()).day == "2026-11-23"


async def test_the_free_plans_feed_asks_for_the_past_in_the_tapes_own_name(server: MarketServer) -> None:
    data = AlpacaData(server.url, server.url, "key", "secret", feed="delayed_sip")
    now_ns = (await data.anchor()).venue_ns
    bars = (await data.bars(["SPY"], ns(OPEN), now_ns))["SPY"]
    assert now_ns - 17 * MINUTE_NS < bars[-1].end_ns <= now_ns - 15 * MINUTE_NS
    assert await data.trades(["SPY"], ns(NOON), now_ns) == {"SPY": []}
    assert set(await data.snapshots(["SPY"])) == {"SPY"}  # the present has this feed's own name
    await data.close()
    data = AlpacaData(server.url, server.url, "key", "secret", feed="nothing")
    with pytest.raises(FeedError, match=r"invalid feed: nothing \(400\)"):
        await data.snapshots(["SPY"])
    await data.close()
