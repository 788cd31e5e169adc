"""The conformance test: alpaca-py's own clients against the local market, with `url_override` alone."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.enums import DataFeed, MostActivesBy
from alpaca.data.historical.screener import ScreenerClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.live.stock import StockDataStream
from alpaca.data.requests import (
    MarketMoversRequest,
    MostActivesRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetClass, OrderClass, OrderSide, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from liu_tui.localmarket.server import MarketServer
from tests.kit.localmarket import PATIENCE_S, a_market_in_a_thread

SYMBOL = "AAPL"
FIVE_MINUTES = TimeFrame(5, TimeFrameUnit.Minute)
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[MarketServer]:
    with a_market_in_a_thread(start="12:00", speed=60.0) as server:
        yield server


def made(kind: Callable[..., Any], server: MarketServer, **more: Any) -> Any:
    """A REST client that ignores the environment's proxies."""
    client = kind("key", "secret", url_override=server.url, **more)
    client._session.trust_env = False
    client._retry = 0
    return client


@pytest.fixture(scope="module")
def trading(server: MarketServer) -> Any:
    return made(TradingClient, server, paper=True)


@pytest.fixture(scope="module")
def data(server: MarketServer) -> Any:
    return made(StockHistoricalDataClient, server)


@pytest.fixture(autouse=True)
def flat(trading: Any) -> Iterator[None]:
    yield
    trading.close_all_positions(cancel_orders=True)


def market(qty: float = 10, side: OrderSide = OrderSide.BUY, **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol=SYMBOL, qty=qty, side=side, time_in_force=TimeInForce.DAY, **more)


def resting(**more: Any) -> LimitOrderRequest:
    day = {"side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}
    return LimitOrderRequest(symbol=SYMBOL, qty=10, limit_price=1.0, **day, **more)


def test_the_account_its_configuration_and_the_clock_are_read(trading: Any) -> None:
    account = trading.get_account()
    assert (account.status.value, float(account.cash), account.multiplier) == ("ACTIVE", 100_000.0, "4")
    configuration = trading.get_account_configurations()
    assert configuration.suspend_trade is False
    configuration.no_shorting = True
    assert trading.set_account_configurations(configuration).no_shorting is True
    with pytest.raises(APIError, match="not allowed to short"):
        trading.submit_order(market(side=OrderSide.SELL))
    configuration.no_shorting = False
    trading.set_account_configurations(configuration)
    clock = trading.get_clock()
    assert clock.is_open
    assert NOON < clock.timestamp < clock.next_close < clock.next_open


def test_the_calendar_and_the_assets_are_read(trading: Any) -> None:
    days = trading.get_calendar(GetCalendarRequest(start=NOON.date(), end=NOON.date() + timedelta(days=7)))
    assert [d.date.day for d in days] == [23, 24, 25, 27, 30]
    assert (days[3].open.hour, days[3].close.hour) == (9, 13)
    assets = trading.get_all_assets(GetAssetsRequest(asset_class=AssetClass.US_EQUITY))
    assert len(assets) == 10
    assert trading.get_asset(SYMBOL).id == trading.get_asset(trading.get_asset(SYMBOL).id).id
    with pytest.raises(APIError) as refused:
        trading.get_asset("NOSUCH")
    assert (refused.value.status_code, refused.value.code) == (404, 40410000)


def test_an_order_fills_and_its_position_is_closed(trading: Any) -> None:
    order = trading.submit_order(market(client_order_id="first"))
    assert trading.get_order_by_client_id("first").id == order.id
    order = trading.get_order_by_id(order.id)
    assert (order.status.value, order.filled_qty) == ("filled", "10")
    position = trading.get_open_position(SYMBOL)
    assert (position.qty, position.side.value, position.qty_available) == ("10", "long", "10")
    assert [p.symbol for p in trading.get_all_positions()] == [SYMBOL]
    closing = trading.close_position(SYMBOL, ClosePositionRequest(percentage="40"))
    assert closing.qty == "4"
    assert trading.get_open_position(SYMBOL).qty == "6"
    (closed,) = trading.close_all_positions(cancel_orders=True)
    assert (closed.status, closed.symbol, closed.body.qty) == (200, SYMBOL, "6")
    assert trading.get_all_positions() == []
    with pytest.raises(APIError, match="position does not exist"):
        trading.get_open_position(SYMBOL)
    fills = trading.get("/account/activities/FILL", {"page_size": 3, "direction": "desc"})
    assert [(f["side"], f["qty"]) for f in fills] == [("sell", "6"), ("sell", "4"), ("buy", "10")]


def test_a_short_is_sold_and_covered(trading: Any) -> None:
    trading.submit_order(market(side=OrderSide.SELL))
    position = trading.get_open_position(SYMBOL)
    assert (position.qty, position.side.value) == ("-10", "short")
    assert trading.close_position(SYMBOL).side.value == "buy"
    assert trading.get_all_positions() == []


def test_orders_rest_are_listed_replaced_and_canceled(trading: Any) -> None:
    first = trading.submit_order(resting(client_order_id="resting"))
    with pytest.raises(APIError, match="client_order_id must be unique"):
        trading.submit_order(resting(client_order_id="resting"))
    second = trading.replace_order_by_id(first.id, ReplaceOrderRequest(qty=5, limit_price=1.5))
    assert (second.qty, second.limit_price, second.replaces) == ("5", "1.5", first.id)
    (listed,) = trading.get_orders(
        GetOrdersRequest(status=QueryOrderStatus.OPEN, symbols=[SYMBOL], nested=True)
    )
    assert listed.id == second.id
    assert trading.get_orders(GetOrdersRequest(after=NOON + timedelta(days=999))) == []
    trading.cancel_order_by_id(second.id)
    assert trading.get_order_by_id(second.id).status.value == "canceled"
    with pytest.raises(APIError) as refused:
        trading.cancel_order_by_id(second.id)
    assert refused.value.status_code == 422
    third = trading.submit_order(resting())
    assert [(c.id, c.status) for c in trading.cancel_orders()] == [(third.id, 200)]


def test_a_bracket_brings_its_legs_and_goes_with_them(trading: Any, data: Any) -> None:
    price = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=SYMBOL))[SYMBOL].ask_price
    order = trading.submit_order(
        market(
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=round(price * 1.3, 2)),
            stop_loss=StopLossRequest(stop_price=round(price * 0.7, 2)),
        )
    )
    assert [leg.type.value for leg in order.legs] == ["limit", "stop"]
    (nested,) = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True, limit=1))
    assert nested.id == order.id
    assert {leg.status.value for leg in nested.legs} <= {"new", "held"}
    with pytest.raises(APIError, match="insufficient qty available"):
        trading.close_position(SYMBOL)
    (failed,) = trading.close_all_positions(cancel_orders=False)
    assert (failed.status, failed.body.code, failed.body.symbol) == (403, 40310000, SYMBOL)


def test_refusals_bear_alpacas_codes_and_words(trading: Any) -> None:
    stop = {"side": OrderSide.SELL, "time_in_force": TimeInForce.DAY, "stop_price": 1.234567}
    for order, status, code, words in (
        (market(qty=1e9), 403, 40310000, "insufficient buying power"),
        (StopOrderRequest(symbol=SYMBOL, qty=1, **stop), 422, 42210000, "sub-penny"),
        (MarketOrderRequest(**market().model_dump() | {"symbol": "NOSUCH"}), 422, 42210000, "not found"),
    ):
        with pytest.raises(APIError, match=words) as refused:
            trading.submit_order(order)
        assert (refused.value.status_code, refused.value.code) == (status, code)


def test_a_trailing_stop_follows_and_its_trail_is_replaced(trading: Any) -> None:
    trading.submit_order(market())
    day = {"symbol": SYMBOL, "qty": 10, "side": OrderSide.SELL, "time_in_force": TimeInForce.GTC}
    order = trading.submit_order(TrailingStopOrderRequest(trail_percent=20.0, **day))
    assert (order.type.value, order.trail_percent, order.trail_price) == ("trailing_stop", "20", None)
    assert float(order.stop_price) == pytest.approx(float(order.hwm) * 0.8, abs=0.01)
    assert (order.expires_at - order.created_at).days == 90
    tighter = trading.replace_order_by_id(order.id, ReplaceOrderRequest(trail=10.0))
    assert (tighter.trail_percent, tighter.replaces, tighter.status.value) == ("10", order.id, "new")
    assert float(tighter.stop_price) > float(order.stop_price)
    assert trading.get_order_by_id(order.id).status.value == "replaced"


def test_an_order_in_dollars_is_filled_in_fractions(trading: Any) -> None:
    dollars = {"symbol": "SPY", "side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}
    order = trading.submit_order(MarketOrderRequest(notional=1234.56, **dollars))
    assert (order.notional, order.qty) == ("1234.56", None)
    order = trading.get_order_by_id(order.id)
    spent = float(order.filled_qty) * float(order.filled_avg_price)
    assert order.status.value == "filled"
    assert spent == pytest.approx(1234.56, abs=0.001)
    assert trading.get_open_position("SPY").qty == order.filled_qty
    with pytest.raises(APIError, match="minimal amount of order 1") as refused:
        trading.submit_order(MarketOrderRequest(notional=0.5, **dollars))
    assert (refused.value.status_code, refused.value.code) == (403, 40310000)
    resting = trading.submit_order(LimitOrderRequest(notional=50, limit_price=1.0, **dollars))
    with pytest.raises(APIError, match="notional orders cannot be replaced"):
        trading.replace_order_by_id(resting.id, ReplaceOrderRequest(limit_price=1.1))


def test_the_stop_leg_of_a_bracket_may_be_a_stop_limit(trading: Any, data: Any) -> None:
    price = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=SYMBOL))[SYMBOL].ask_price
    stop = StopLossRequest(stop_price=round(price * 0.7, 2), limit_price=round(price * 0.69, 2))
    profit = TakeProfitRequest(limit_price=round(price * 1.3, 2))
    order = trading.submit_order(market(order_class=OrderClass.BRACKET, take_profit=profit, stop_loss=stop))
    assert [leg.type.value for leg in order.legs] == ["limit", "stop_limit"]
    assert float(order.legs[1].limit_price) == stop.limit_price
    assert [leg.status.value for leg in trading.get_order_by_id(order.id).legs] == ["new", "new"]


def test_a_pair_of_exits_and_an_order_with_one_are_taken(trading: Any, data: Any) -> None:
    price = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=SYMBOL))[SYMBOL].ask_price
    profit = TakeProfitRequest(limit_price=round(price * 1.3, 2))
    stop = StopLossRequest(stop_price=round(price * 0.7, 2))
    trading.submit_order(market(order_class=OrderClass.OTO, stop_loss=stop))
    assert trading.cancel_orders()
    pair = {"symbol": SYMBOL, "qty": 10, "side": OrderSide.SELL, "order_class": OrderClass.OCO}
    order = trading.submit_order(
        LimitOrderRequest(time_in_force=TimeInForce.GTC, take_profit=profit, stop_loss=stop, **pair)
    )
    assert (order.type.value, [leg.type.value for leg in order.legs]) == ("limit", ["stop"])


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_be_had_at_once_is_canceled(trading: Any, tif: TimeInForce) -> None:
    day = {"symbol": SYMBOL, "qty": 10, "side": OrderSide.BUY, "time_in_force": tif}
    order = trading.submit_order(LimitOrderRequest(limit_price=1.0, **day))
    assert trading.get_order_by_id(order.id).status.value == "canceled"


def test_the_auctions_take_no_orders_at_noon_but_the_close_does(trading: Any) -> None:
    opg = MarketOrderRequest(symbol=SYMBOL, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.OPG)
    with pytest.raises(APIError, match="opg orders are not accepted between 09:28 and 19:00") as refused:
        trading.submit_order(opg)
    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    order = trading.submit_order(
        MarketOrderRequest(symbol=SYMBOL, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.CLS)
    )
    assert order.status.value == "accepted"


def test_the_portfolio_history_ends_at_the_equity_of_now(trading: Any) -> None:
    history = trading.get_portfolio_history(GetPortfolioHistoryRequest(timeframe="15Min"))
    assert history.base_value == 100_000.0
    assert len(history.timestamp) == len(history.equity) >= 10
    assert history.equity[-1] == pytest.approx(float(trading.get_account().equity), abs=0.01)


def test_bars_of_many_timeframes_are_read_and_paged(data: Any) -> None:
    symbols = [SYMBOL, "SPY"]
    asked = {"symbol_or_symbols": symbols, "feed": DataFeed.IEX}
    opening = NOON.replace(hour=14, minute=30)
    minutes = data.get_stock_bars(
        StockBarsRequest(timeframe=TimeFrame.Minute, start=opening, end=NOON, **asked)
    )
    fives = data.get_stock_bars(StockBarsRequest(timeframe=FIVE_MINUTES, start=opening, **asked))
    for symbol in symbols:
        assert minutes[symbol][0].timestamp == fives[symbol][0].timestamp == opening
        assert sum(b.volume for b in minutes[symbol][:5]) == fives[symbol][0].volume
        assert all(b.timestamp <= NOON for b in minutes[symbol])
    few = data.get_stock_bars(StockBarsRequest(timeframe=TimeFrame.Minute, start=opening, limit=7, **asked))
    assert few[SYMBOL] == minutes[SYMBOL][:7]
    days = data.get_stock_bars(
        StockBarsRequest(timeframe=TimeFrame.Day, start=NOON - timedelta(days=10), **asked)
    )
    assert [b.timestamp.day for b in days["SPY"]] == [16, 17, 18, 19, 20, 23]


def test_nothing_of_the_future_is_told(data: Any, trading: Any) -> None:
    asked = {"symbol_or_symbols": SYMBOL, "start": NOON, "end": NOON + timedelta(hours=9)}
    bars = data.get_stock_bars(StockBarsRequest(timeframe=TimeFrame.Minute, **asked))
    now = trading.get_clock().timestamp
    assert all(bar.timestamp + timedelta(minutes=1) <= now for bar in bars.data.get(SYMBOL, []))


def test_the_latest_the_recent_and_snapshots_are_read(data: Any) -> None:
    one = {"symbol_or_symbols": SYMBOL}
    quote = data.get_stock_latest_quote(StockLatestQuoteRequest(**one))[SYMBOL]
    assert 0 < quote.bid_price < quote.ask_price
    assert data.get_stock_latest_trade(StockLatestTradeRequest(**one))[SYMBOL].price > 0
    assert data.get_stock_latest_bar(StockLatestBarRequest(**one))[SYMBOL].high > 0
    snapshot = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=[SYMBOL, "NOSUCH"]))
    assert set(snapshot) == {SYMBOL}
    assert snapshot[SYMBOL].previous_daily_bar.timestamp.day == 20
    deadline = time.monotonic() + PATIENCE_S
    while not data.get_stock_trades(StockTradesRequest(start=NOON, **one)).data:
        assert time.monotonic() < deadline
    assert data.get_stock_quotes(StockQuotesRequest(start=NOON, limit=3, **one))[SYMBOL]


def test_the_screeners_rank(server: MarketServer) -> None:
    client = made(ScreenerClient, server)
    active = client.get_most_actives(MostActivesRequest(by=MostActivesBy.VOLUME, top=3)).most_actives
    assert [a.volume for a in active] == sorted((a.volume for a in active), reverse=True)
    by_trades = client.get_most_actives(MostActivesRequest(by=MostActivesBy.TRADES, top=3)).most_actives
    assert [a.trade_count for a in by_trades] == sorted((a.trade_count for a in by_trades), reverse=True)
    movers = client.get_market_movers(MarketMoversRequest(top=2))
    assert len(movers.gainers) <= 2
    assert all(m.percent_change > 0 > -m.change for m in movers.gainers)
    assert all(m.percent_change < 0 for m in movers.losers)


class Running:
    """One of alpaca-py's streams in a thread of its own; it is ended as its own stop() cannot, at once."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(self.stream._run_forever())

    def __enter__(self) -> Any:
        self.thread.start()
        return self.stream

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            await self.stream.stop_ws()
            await self.stream._ws.close()

        asyncio.run_coroutine_threadsafe(end(), self.stream._loop).result(PATIENCE_S)
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.mark.parametrize("feed", [DataFeed.IEX, DataFeed.SIP])
def test_the_data_stream_delivers_parsed_events(server: MarketServer, feed: DataFeed) -> None:
    heard: dict[str, Any] = {}
    done = threading.Event()

    async def hear(item: Any) -> None:
        heard.setdefault(type(item).__name__, item)
        if {"Trade", "Quote", "Bar"} <= set(heard):
            done.set()

    url = f"{server.url.replace('http', 'ws')}/v2/{feed.value}"
    stream = StockDataStream("key", "secret", feed=feed, url_override=url)
    stream.subscribe_trades(hear, "*")
    stream.subscribe_quotes(hear, SYMBOL)
    stream.subscribe_bars(hear, "*")
    with Running(stream):
        assert done.wait(PATIENCE_S)
    assert heard["Quote"].symbol == SYMBOL
    assert heard["Quote"].timestamp > NOON
    assert heard["Trade"].conditions is not None


def test_the_trading_stream_tells_of_an_order(server: MarketServer, trading: Any) -> None:
    updates: list[Any] = []
    listening, done = threading.Event(), threading.Event()

    async def hear(update: Any) -> None:
        updates.append(update)
        listening.set()
        if update.event == "fill":
            done.set()

    stream = TradingStream("key", "secret", url_override=f"{server.url.replace('http', 'ws')}/stream")
    stream.subscribe_trade_updates(hear)
    with Running(stream):
        deadline = time.monotonic() + PATIENCE_S
        while not listening.is_set():
            assert time.monotonic() < deadline
            trading.cancel_order_by_id(trading.submit_order(resting()).id)
        order = trading.submit_order(market())
        assert done.wait(PATIENCE_S)
    ours = [u for u in updates if u.order.id == order.id]
    assert [u.event for u in ours] == ["new", "fill"]
    assert (ours[-1].qty, ours[-1].position_qty, ours[-1].order.status.value) == (10.0, 10.0, "filled")
