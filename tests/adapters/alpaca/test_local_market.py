"""The adapter against the local market itself: what the house will run on, in one loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from liu_tui.adapters.alpaca.history import AlpacaData
from liu_tui.adapters.alpaca.stream import AlpacaStream
from liu_tui.adapters.alpaca.trader import AlpacaTrader
from liu_tui.errors import FeedError, OrderRefused, TraderError
from liu_tui.localmarket.options import MarketOptions
from liu_tui.localmarket.server import MarketServer
from liu_tui.market.streaming import FeedState, FeedStatus, StreamItem
from liu_tui.model.clock import Anchor
from liu_tui.model.market import DAY_NS, Bar, Event, Quote, Step, Trade
from liu_tui.model.orders import OrderClass, OrderRequest, OrderState, OrderType, OrderUpdate, Side
from liu_tui.trading.trader import BrokerStatus

DAY = MarketOptions(symbols=20, date="2026-11-20", start="10:00", speed=120.0, seed=3, partial_fills=0.0)


@contextlib.asynccontextmanager
async def market(options: MarketOptions) -> AsyncIterator[MarketServer]:
    server = MarketServer(options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def feed_of(server: MarketServer, *, lockstep: bool = False, keyword: str = "local") -> AlpacaStream:
    address = server.url.replace("http", "ws") + "/v2/sip"
    return AlpacaStream(address, "local", keyword, local=True, lockstep=lockstep)


def trader_of(server: MarketServer, *, lockstep: bool = False) -> AlpacaTrader:
    address = server.url.replace("http", "ws") + "/stream"
    return AlpacaTrader(server.url, address, "local", "local", local=True, lockstep=lockstep)


async def test_what_history_tells_agrees_with_the_venues_clock() -> None:
    async with market(DAY) as server:
        data = AlpacaData(server.url, server.url, "local", "local")
        hours, anchor = await data.hours(), await data.anchor()
        assert hours.phase(anchor.venue_ns) == "open"
        assert anchor.speed == 120.0
        names = [asset.symbol for asset in await data.assets()]
        assert len(names) == 20
        bars = await data.bars(names, hours.open_ns - DAY_NS, anchor.venue_ns + DAY_NS)
        later = await data.anchor()
        assert all(bar.end_ns <= later.venue_ns for found in bars.values() for bar in found)
        assert sum(map(len, bars.values())) > 100
        snapshots = await data.snapshots([*names, "NOSUCH"])
        assert set(snapshots) == set(names)
        most = await data.most_active(3)
        assert [volume for _, volume in most] == sorted((volume for _, volume in most), reverse=True)
        assert await data.movers(3)
        await data.close()


async def test_trades_quotes_bars_and_the_clock_come_as_asked() -> None:
    async with market(DAY) as server:
        feed = feed_of(server)
        wanted = {Event.TRADE: {"AAPL"}, Event.QUOTE: {"AMZN"}, Event.MINUTE: {"AAPL", "AMZN"}}
        await feed.subscribe(wanted)
        seen: dict[type[StreamItem], set[str]] = {Trade: set(), Quote: set(), Bar: set()}
        anchors = 0
        async for batch in feed.batches():
            for item in batch:
                if isinstance(item, Trade | Quote | Bar):
                    seen[type(item)].add(item.symbol)
                anchors += isinstance(item, Anchor)
            if seen[Trade] and seen[Quote] and seen[Bar] and anchors:
                break
        await feed.close()
    assert seen[Trade] == {"AAPL"}
    assert seen[Quote] == {"AMZN"}
    assert seen[Bar] <= {"AAPL", "AMZN"}
    assert feed.refused == 0


async def test_the_test_feed_has_its_one_symbol_around_the_clock() -> None:
    async with market(DAY) as server:
        feed = AlpacaStream(server.url.replace("http", "ws") + "/v2/test", "local", "local", local=True)
        await feed.subscribe({Event.TRADE: {"FAKEPACA"}, Event.QUOTE: {"FAKEPACA"}})
        kinds: set[type[StreamItem]] = set()
        async for batch in feed.batches():
            kinds |= {type(item) for item in batch}
            if {Trade, Quote} <= kinds:
                break
        await feed.close()
    assert (feed.refused, feed.left_out) == (0, frozenset())


async def test_wrong_keys_are_refused_for_good() -> None:
    async with market(MarketOptions(symbols=20, key="k", secret="right")) as server:
        feed = feed_of(server, keyword="wrong")
        with pytest.raises(FeedError, match="keys refused"):
            async for _ in feed.batches():
                pass
        trader = trader_of(server)
        with pytest.raises(TraderError, match="keys refused"):
            async for _ in trader.updates():
                pass
        with pytest.raises(TraderError) as caught:
            await trader.account()
        assert caught.value.status == 403
        await trader.close()


async def test_what_the_allowance_has_no_room_for_is_left_out_and_told() -> None:
    async with market(MarketOptions(symbols=20, symbol_limit=3)) as server:
        feed = feed_of(server)
        live = asyncio.Event()

        async def read() -> None:
            async for batch in feed.batches():
                if any(isinstance(item, FeedStatus) and item.state is FeedState.LIVE for item in batch):
                    live.set()

        reading = asyncio.create_task(read())
        await live.wait()
        assert not await feed.subscribe({Event.TRADE: {"AMZN"}})
        assert await feed.subscribe({Event.TRADE: {"AAPL", "AMD", "AMZN", "GOOGL"}}) == {"GOOGL"}
        assert feed.left_out == {"GOOGL"}
        await feed.close()
        await reading


async def test_an_order_goes_round_and_its_bracket_with_it() -> None:
    async with market(DAY) as server:
        trader = trader_of(server)
        data = AlpacaData(server.url, server.url, "local", "local")
        price = (await data.snapshots(["AAPL"]))["AAPL"].price
        heard: list[OrderUpdate] = []
        updates = trader.updates()
        status = await anext(updates)
        assert isinstance(status, BrokerStatus)
        assert status.connected
        request = OrderRequest(
            client_order_id="c1",
            symbol="AAPL",
            side=Side.BUY,
            qty=10,
            order_type=OrderType.MARKET,
            order_class=OrderClass.BRACKET,
            take_profit=price * 1.3,
            stop_loss=price * 0.7,
        )
        sent = await trader.submit(request)
        async for update in updates:
            if isinstance(update, OrderUpdate):
                heard.append(update)
                if update.event == "fill":
                    break
        fill = heard[-1]
        assert (fill.order.client_order_id, fill.qty, fill.position_qty) == ("c1", 10.0, 10.0)
        with pytest.raises(OrderRefused, match="must be unique"):
            await trader.submit(request)

        found = await trader.order_by_client_id("c1")
        assert found is not None
        assert (found.id, found.status, len(found.legs)) == (sent.id, OrderState.FILLED, 2)
        assert await trader.order_by_client_id("never") is None
        working = await trader.orders(open_only=True)
        assert {leg.parent_id for leg in working} == {sent.id}
        assert {leg.order_type for leg in working} == {OrderType.LIMIT, OrderType.STOP}
        assert [order.id for order in await trader.orders()] == [sent.id]
        (execution,) = await trader.executions(0)
        assert (execution.execution_id, execution.price) == (fill.execution_id, fill.price)
        (position,) = await trader.positions()
        assert (position.symbol, position.qty, position.avg_price) == ("AAPL", 10.0, fill.price)
        account = await trader.account()
        assert account.cash == pytest.approx(100_000 - 10 * fill.price)

        await trader.cancel(working[0].id)
        async for update in updates:
            if isinstance(update, OrderUpdate) and update.event == "canceled":
                break
        with pytest.raises(OrderRefused):
            await trader.cancel(working[0].id)
        await trader.close()
        await data.close()


async def test_a_short_is_held_with_its_sign() -> None:
    async with market(DAY) as server:
        trader = trader_of(server)
        updates = trader.updates()
        await anext(updates)
        await trader.submit(
            OrderRequest(
                client_order_id="s1", symbol="AMZN", side=Side.SELL, qty=5, order_type=OrderType.MARKET
            )
        )
        async for update in updates:
            if isinstance(update, OrderUpdate) and update.event == "fill":
                assert update.position_qty == -5
                break
        (position,) = await trader.positions()
        assert position.qty == -5
        await trader.close()


async def test_a_lock_step_day_waits_for_each_acknowledgement() -> None:
    async with market(MarketOptions(symbols=5, date="2026-11-20", speed="max", seed=3)) as server:
        feed, trader = feed_of(server, lockstep=True), trader_of(server, lockstep=True)
        await feed.subscribe({Event.MINUTE: {"AAPL"}})
        marks: list[Step] = []

        async def follow() -> None:
            marks.extend([item async for item in trader.updates() if isinstance(item, Step)])

        following = asyncio.create_task(follow())
        await feed.acknowledge(0)
        steps: list[Step] = []
        async for batch in feed.batches():
            for item in batch:
                if isinstance(item, Step):
                    steps.append(item)
                    await feed.acknowledge(item.n)
            if len(steps) >= 200:
                break
        await feed.close()
        await trader.close()
        await following
    assert [step.n for step in steps] == list(range(1, len(steps) + 1))
    assert [step.t_ns for step in steps] == sorted(step.t_ns for step in steps)
    assert all(mark in steps for mark in marks if mark.n <= len(steps))
