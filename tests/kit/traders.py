"""What any broker's adapter must do: a suite that each one runs against its own broker. See docs/brokers.md.

A subclass of TraderContract gives a `bench`: an adapter, an account with money, and a market that trades.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from liu_tui.errors import OrderRefused, OrderUnknown
from liu_tui.model.market import Step
from liu_tui.model.orders import (
    BrokerOrder,
    OrderClass,
    OrderRequest,
    OrderState,
    OrderType,
    OrderUpdate,
    ReplaceRequest,
    Side,
    TimeInForce,
)
from liu_tui.trading.trader import BrokerStatus, Trader

PATIENCE_S = 20.0
Item = OrderUpdate | BrokerStatus | Step


class Bench(ABC):
    """A broker to test against.

    symbol: liquid, open for trading, may be sold short and bought in fractions
    """

    trader: Trader
    symbol: str

    @abstractmethod
    async def price(self) -> float:
        """What the symbol costs now."""

    @abstractmethod
    async def lose_the_next_answer(self) -> None:
        """Let the broker do the next request, and hang up without an answer."""

    @abstractmethod
    async def cut_the_updates(self) -> None:
        """Break the connection of the updates once."""


class Listener:
    """Reads the updates in a task of its own, as the desk does."""

    def __init__(self, trader: Trader) -> None:
        self.items: list[Item] = []
        self._trader = trader
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for item in self._trader.updates():
            self.items.append(item)
            self._news.set()

    async def until(self, true: Callable[[list[Item]], bool]) -> None:
        """Wait until it is true of all that was heard."""
        async with asyncio.timeout(PATIENCE_S):
            while not true(self.items):
                self._news.clear()
                await self._news.wait()

    def updates(self, client_order_id: str) -> list[OrderUpdate]:
        """What was told of one order."""
        told = [item for item in self.items if isinstance(item, OrderUpdate)]
        return [item for item in told if item.order.client_order_id == client_order_id]

    async def told(self, client_order_id: str, event: str) -> OrderUpdate:
        """Wait for an event of an order."""
        await self.until(lambda _: any(u.event == event for u in self.updates(client_order_id)))
        return next(u for u in self.updates(client_order_id) if u.event == event)


@contextlib.asynccontextmanager
async def listening(trader: Trader) -> AsyncIterator[Listener]:
    """Hear the updates, from when they are there until the end."""
    listener = Listener(trader)
    await listener.until(
        lambda items: any(isinstance(item, BrokerStatus) and item.connected for item in items)
    )
    try:
        yield listener
    finally:
        await trader.close()
        await listener.task


class TraderContract:
    """One test for each promise of the port. A subclass overrides the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> Any:
        """Give a fresh account for each test; may be an async generator."""
        raise NotImplementedError("each broker has its own")

    @pytest.fixture
    def words(self, bench: Bench) -> Callable[..., OrderRequest]:
        """Make a request for the bench's symbol: a market order to buy 10 unless said otherwise."""

        def request(client_order_id: str = "c1", **said: Any) -> OrderRequest:
            plain: dict[str, Any] = {
                "client_order_id": client_order_id,
                "symbol": bench.symbol,
                "side": Side.BUY,
                "qty": 10.0,
                "order_type": OrderType.MARKET,
            }
            return OrderRequest(**plain | said)

        return request

    @pytest.mark.parametrize(
        "kind",
        [
            *("limit", "limit gtc", "stop", "stop limit", "trailing", "trailing percent"),
            *("bracket", "bracket with a limit", "oto", "extended hours"),
        ],
    )
    async def test_every_kind_of_order_is_taken_works_and_can_be_canceled(
        self, bench: Bench, words: Callable[..., OrderRequest], kind: str
    ) -> None:
        request = words(**resting(kind, await bench.price()))
        async with listening(bench.trader) as heard:
            sent = await bench.trader.submit(request)
            assert (sent.client_order_id, sent.symbol, sent.side) == ("c1", bench.symbol, Side.BUY)
            assert (sent.order_type, sent.tif) == (request.order_type, request.tif)
            assert (sent.limit_price is None) == (request.limit_price is None)
            assert sent.trail_percent == request.trail_percent
            assert len(sent.legs) == (request.take_profit is not None) + (request.stop_loss is not None)
            open_now = await bench.trader.orders(open_only=True)
            assert sent.id in {order.id for order in open_now}
            await bench.trader.cancel(sent.id)
            ended = await heard.told("c1", "canceled")
            assert ended.order.status is OrderState.CANCELED

    @pytest.mark.parametrize(
        "said", [{"qty": 1.5}, {"qty": 0.0, "notional": 50.0}, {"tif": TimeInForce.IOC}], ids=str
    )
    async def test_a_fraction_a_sum_of_dollars_and_an_immediate_order_are_filled(
        self, bench: Bench, words: Callable[..., OrderRequest], said: dict[str, Any]
    ) -> None:
        async with listening(bench.trader) as heard:
            await bench.trader.submit(words(**said))
            fill = await heard.told("c1", "fill")
        assert fill.order.filled_qty > 0
        assert fill.order.filled_avg_price > 0

    async def test_a_fill_is_told_once_with_an_id_of_its_own_that_the_history_knows(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        async with listening(bench.trader) as heard:
            before = await bench.trader.account()
            await bench.trader.submit(words())
            fill = await heard.told("c1", "fill")
            (done,) = await bench.trader.executions(0)
            assert (fill.qty, fill.position_qty) == (10.0, 10.0)
            assert (done.execution_id, done.order_id) == (fill.execution_id, fill.order.id)
            assert (done.symbol, done.side, done.qty, done.price) == (
                bench.symbol,
                Side.BUY,
                10.0,
                fill.price,
            )
            assert await bench.trader.executions(done.t_ns + 10_000_000) == []
            (held,) = await bench.trader.positions()
            assert (held.symbol, held.qty) == (bench.symbol, 10.0)
            assert held.avg_price == pytest.approx(fill.price)
            after = await bench.trader.account()
            assert after.id == before.id != ""
            assert after.cash < before.cash
        ids = [u.execution_id for u in heard.updates("c1") if u.fills]
        assert ids == [fill.execution_id]

    async def test_an_order_is_known_by_our_id_and_taken_once(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        assert await bench.trader.order_by_client_id("c1") is None
        sent = await bench.trader.submit(words(**resting("limit", await bench.price())))
        found = await bench.trader.order_by_client_id("c1")
        assert found is not None
        assert found.id == sent.id
        with pytest.raises(OrderRefused):
            await bench.trader.submit(words(**resting("limit", await bench.price())))
        assert [order.id for order in await bench.trader.orders()] == [sent.id]
        assert await bench.trader.orders(after_ns=sent.submitted_ns) == []

    async def test_the_second_cancel_is_refused_and_changes_nothing(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        async with listening(bench.trader) as heard:
            sent = await bench.trader.submit(words(**resting("limit", await bench.price())))
            await bench.trader.cancel(sent.id)
            await heard.told("c1", "canceled")
            with pytest.raises(OrderRefused) as caught:
                await bench.trader.cancel(sent.id)
            assert caught.value.what
            assert await state_of(bench.trader, "c1") is OrderState.CANCELED

    async def test_replacements_are_new_orders_chained_to_the_old_ones(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        price = await bench.price()
        async with listening(bench.trader) as heard:
            chain = [await bench.trader.submit(words(**resting("limit", price)))]
            await heard.told("c1", "new")
            for n, share in ((2, 0.6), (3, 0.7)):
                request = ReplaceRequest(
                    order_id=chain[-1].id,
                    client_order_id=f"c{n}",
                    symbol=bench.symbol,
                    limit_price=round(price * share, 2),
                )
                chain.append(await bench.trader.replace(request))
                await heard.told(f"c{n - 1}", "replaced")
                await heard.until(lambda _, n=n: bool(heard.updates(f"c{n}")))  # type: ignore[misc]
        assert [order.replaces for order in chain[1:]] == [order.id for order in chain[:-1]]
        assert len({order.id for order in chain}) == 3
        assert chain[2].limit_price == round(price * 0.7, 2)

    async def test_what_the_broker_refuses_is_said_in_its_words_and_is_no_order(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        with pytest.raises(OrderRefused) as caught:
            await bench.trader.submit(words(qty=1e8))
        assert caught.value.what
        assert await bench.trader.order_by_client_id("c1") is None
        gone = ReplaceRequest(order_id="none", client_order_id="c2", symbol=bench.symbol, qty=1.0)
        with pytest.raises(OrderRefused):
            await bench.trader.replace(gone)
        with pytest.raises(OrderRefused):
            await bench.trader.cancel("none")

    async def test_a_lost_answer_leaves_the_order_unknown_until_it_is_looked_up(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        request = words(**resting("limit", await bench.price()))
        await bench.lose_the_next_answer()
        with pytest.raises(OrderUnknown):
            await bench.trader.submit(request)
        found = await bench.trader.order_by_client_id("c1")
        assert found is not None
        assert not found.status.final

    async def test_a_short_is_held_with_its_sign(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        async with listening(bench.trader) as heard:
            await bench.trader.submit(words(side=Side.SELL, qty=5.0))
            fill = await heard.told("c1", "fill")
            (held,) = await bench.trader.positions()
        assert (fill.qty, fill.position_qty, held.qty) == (5.0, -5.0, -5.0)

    async def test_the_symbol_is_among_the_assets(self, bench: Bench) -> None:
        assets = {asset.symbol: asset for asset in await bench.trader.assets()}
        assert assets[bench.symbol].tradable
        assert assets[bench.symbol].fractionable

    async def test_a_suspended_account_takes_cancels_and_no_new_order(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        sent = await bench.trader.submit(words(**resting("limit", await bench.price())))
        await bench.trader.suspend(True)
        assert (await bench.trader.account()).suspended
        with pytest.raises(OrderRefused):
            await bench.trader.submit(words("c2"))
        await bench.trader.cancel(sent.id)
        await bench.trader.suspend(False)
        assert not (await bench.trader.account()).suspended
        await bench.trader.submit(words("c3"))

    async def test_updates_and_answers_may_cross_and_speak_of_one_order(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        async with listening(bench.trader) as heard:
            sent = await asyncio.gather(*(bench.trader.submit(words(f"c{n}", qty=1.0)) for n in range(8)))
            for n in range(8):
                await heard.told(f"c{n}", "fill")
        ids = {order.client_order_id: order.id for order in sent}
        assert len(set(ids.values())) == 8
        for n in range(8):
            assert {update.order.id for update in heard.updates(f"c{n}")} == {ids[f"c{n}"]}

    async def test_after_a_cut_the_updates_come_back_and_say_so(
        self, bench: Bench, words: Callable[..., OrderRequest]
    ) -> None:
        async with listening(bench.trader) as heard:
            await bench.cut_the_updates()
            await heard.until(lambda items: statuses(items) == [True, False, True])
            assert next(i.words for i in heard.items if isinstance(i, BrokerStatus) and not i.connected)
            await bench.trader.submit(words())
            await heard.told("c1", "fill")

    async def test_closing_twice_ends_the_updates_once(self, bench: Bench) -> None:
        async with listening(bench.trader) as heard:
            await bench.trader.close()
            await bench.trader.close()
            async with asyncio.timeout(PATIENCE_S):
                await heard.task


def resting(kind: str, price: float) -> dict[str, Any]:
    """The words of a buy that nothing fills for the time being."""
    low, high = round(price * 0.5, 2), round(price * 1.5, 2)
    limit: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": low}
    legs = {"take_profit": high, "stop_loss": round(low * 0.9, 2)}
    kinds: dict[str, dict[str, Any]] = {
        "limit": limit,
        "limit gtc": limit | {"tif": TimeInForce.GTC},
        "stop": {"order_type": OrderType.STOP, "stop_price": high},
        "stop limit": {"order_type": OrderType.STOP_LIMIT, "stop_price": high, "limit_price": high},
        "trailing": {"order_type": OrderType.TRAILING_STOP, "trail_price": high},
        "trailing percent": {"order_type": OrderType.TRAILING_STOP, "trail_percent": 50.0},
        "bracket": limit | legs | {"order_class": OrderClass.BRACKET},
        "bracket with a limit": limit
        | legs
        | {"order_class": OrderClass.BRACKET, "stop_loss_limit": round(low * 0.8, 2)},
        "oto": limit | {"order_class": OrderClass.OTO, "stop_loss": legs["stop_loss"]},
        "extended hours": limit | {"extended_hours": True},
    }
    return kinds[kind]


def statuses(items: list[Item]) -> list[bool]:
    """The comings and goings of the updates."""
    return [item.connected for item in items if isinstance(item, BrokerStatus)]


async def state_of(trader: Trader, client_order_id: str) -> OrderState:
    """How the broker says that an order stands."""
    found: BrokerOrder | None = await trader.order_by_client_id(client_order_id)
    assert found is not None
    return found.status
