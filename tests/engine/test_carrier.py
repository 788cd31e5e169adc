"""The carrier: first the books, then the world; and the broker's answers in the desk's own turn."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from liu_tui.engine.carrier import Carrier
from liu_tui.errors import BrokerAway, OrderRefused, OrderUnknown, StoreError, TraderError
from liu_tui.model.orders import BrokerOrder, Fill, OrderNews, OrderRequest, OrderState
from liu_tui.plan.schema import Limits
from liu_tui.store.store import Store
from liu_tui.trading.answers import DUPLICATE_ID
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Booked, CancelAtBroker, Changed, Effect, Journal, News, Notice
from liu_tui.trading.orders import OrderRecord, news
from liu_tui.trading.trader import Trader
from liu_tui.wiring.venue import local_venue
from tests.kit.desk import NOON_NS, an_answer, an_intent
from tests.kit.engine import QuietChild, a_boot, eventually
from tests.kit.store import a_batch, a_fill, an_order


class Books:
    """What another process finds in the file at this moment."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def orders(self) -> dict[str, str]:
        """Orders with their states."""
        return dict(self._rows("SELECT client_order_id, state FROM orders ORDER BY rowid"))

    def fills(self) -> list[str]:
        """Executions."""
        return [x for (x,) in self._rows("SELECT execution_id FROM new_trades ORDER BY trade_id")]

    def _rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as reader:
            return reader.execute(sql).fetchall()


class World:
    """The broker, and those who hear of orders and fills.

    past:   what reached them, each with the books as they were then
    fault:  what the broker's next submit, cancel or look-up raises
    knows:  what a look-up finds
    open:   cleared, the broker answers nobody
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self.past: list[tuple[str, dict[str, str], list[str]]] = []
        self.fault: TraderError | None = None
        self.knows: dict[str, BrokerOrder] = {}
        self.open = asyncio.Event()
        self.open.set()

    @property
    def deeds(self) -> list[str]:
        """What reached somebody, in order."""
        return [what for what, _orders, _fills in self.past]

    def note(self, what: str) -> None:
        """Something has left the desk: look at the books."""
        self.past.append((what, self._books.orders(), self._books.fills()))

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        self.note(f"submit {request.client_order_id}")
        await self._answer()
        order = self.knows[request.client_order_id] = an_answer(request)
        return order

    async def cancel(self, order_id: str) -> None:
        self.note(f"cancel {order_id}")
        await self._answer()

    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        self.note(f"ask {client_order_id}")
        await self._answer()
        return self.knows.get(client_order_id)

    async def _answer(self) -> None:
        await self.open.wait()
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault

    def tell_fill(self, fill: Fill) -> None:
        self.note(f"fill {fill.execution_id}")

    def flush(self) -> None:
        """Everything was told."""

    def tell_news(self, order: OrderNews) -> None:
        self.note(f"news {order.client_order_id} {order.state}")

    def tell_state(self) -> None:
        self.note("state")


class Rig:
    """A desk with its carrier, real books, and the world."""

    def __init__(self, root: Path, store: Store, path: Path, *, lockstep: bool) -> None:
        boot = a_boot("desk", root)
        boot = replace(boot, venue=local_venue("http://127.0.0.1:9", lockstep=lockstep))
        self.child = QuietChild(boot)
        self.child.clock.at_ns = NOON_NS
        self.store, self.books = store, Books(path)
        self.world = World(self.books)
        self.desk = Desk(batch_id="b-1", limits=Limits())
        self.carrier = Carrier(self.child.inside, self.desk, store, cast(Trader, self.world), self.world)

    async def do(self, *effects: Effect) -> None:
        """Carry effects out."""
        await self.carrier.carry(effects)

    async def ask(self, n: int = 0) -> OrderRecord:
        """Put an intent to the desk and carry out what it wants; returns the order as it then stands."""
        known = set(self.desk.orders)
        await self.carrier.carry(self.desk.on_intent(an_intent(n=n, symbol=f"S{n}"), NOON_NS))
        (cid,) = set(self.desk.orders) - known
        return self.desk.orders[cid]

    def state(self, order: OrderRecord) -> OrderState:
        """How an order stands at the desk."""
        return self.desk.orders[order.client_order_id].state


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "liu.db", durable=True) as store:
        await store.batches.begin(a_batch())
        yield store


@pytest.fixture
def live(tmp_path: Path, store: Store) -> Rig:
    return Rig(tmp_path, store, tmp_path / "liu.db", lockstep=False)


@pytest.fixture
def stepping(tmp_path: Path, store: Store) -> Rig:
    return Rig(tmp_path, store, tmp_path / "liu.db", lockstep=True)


def a_cancel(order_id: str) -> CancelAtBroker:
    return CancelAtBroker(order_id=order_id, client_order_id="c-1")


# ---- first the books


async def test_an_order_is_in_the_books_before_the_broker_hears_of_it(stepping: Rig) -> None:
    order = await stepping.ask()
    seen = {what: orders for what, orders, _fills in stepping.world.past}
    assert seen[f"submit {order.client_order_id}"] == {order.client_order_id: "intent"}


async def test_a_cancel_leaves_when_what_stands_before_it_is_in_the_books(stepping: Rig) -> None:
    await stepping.do(Journal(an_order(state=OrderState.PENDING_CANCEL), "cancel", NOON_NS), a_cancel("o-1"))
    assert stepping.world.past == [("cancel o-1", {"c-1": "pending_cancel"}, [])]


async def test_a_fill_and_its_order_are_in_the_books_before_anybody_hears_of_either(live: Rig) -> None:
    filled = an_order(state=OrderState.FILLED, filled_qty=10.0)
    await live.do(Booked(a_fill()), Journal(filled, "fill", NOON_NS), News(news(filled)))
    assert live.world.deeds == ["fill x-1", "news c-1 filled"]
    for _what, orders, fills in live.world.past:
        assert (orders, fills) == ({"c-1": "filled"}, ["x-1"])


async def test_what_is_told_to_nobody_is_in_the_books_all_the_same(live: Rig) -> None:
    await live.do(Journal(an_order(), "intent", NOON_NS), Booked(a_fill()))
    assert (live.books.orders(), live.books.fills()) == ({"c-1": "intent"}, ["x-1"])
    assert live.world.deeds == ["fill x-1"]


async def test_the_desks_state_is_in_the_books_before_it_is_shown(live: Rig) -> None:
    await live.do(Changed("REDUCING", "max", "lunch"))
    batch = await live.store.batches.get("b-1")
    assert batch is not None
    assert (batch.state, batch.state_by, batch.state_reason) == ("REDUCING", "max", "lunch")
    assert live.world.deeds == ["state"]


async def test_effects_leave_in_the_desks_order(stepping: Rig) -> None:
    first, second = an_order("c-1"), an_order("c-2", state=OrderState.REFUSED)
    await stepping.do(
        Journal(first, "intent", NOON_NS),
        News(news(first)),
        a_cancel("o-7"),
        Journal(second, "refused", NOON_NS),
        News(news(second)),
        Changed("HALTED", "max", ""),
        a_cancel("o-8"),
    )
    assert stepping.world.deeds == [
        "news c-1 intent",
        "cancel o-7",
        "news c-2 refused",
        "state",
        "cancel o-8",
    ]
    assert [len(orders) for _what, orders, _fills in stepping.world.past] == [1, 1, 2, 2, 2]


async def test_if_the_books_cannot_be_written_nothing_leaves(live: Rig) -> None:
    live.carrier._batch_id = "nobody's"  # the books refuse orders of a batch that never began
    with pytest.raises(StoreError):
        await live.ask()
    await asyncio.sleep(0)
    assert live.world.deeds == []
    with pytest.raises(StoreError):
        await live.do(Booked(a_fill()), News(news(an_order())))
    assert live.world.deeds == []


async def test_a_notice_goes_into_the_sessions_log_under_its_symbol(live: Rig) -> None:
    await live.do(Notice("warn", "refused: too big", kind="refusal", symbol="TSLA"), Notice("info", "hello"))
    assert [(said.level, said.source, said.kind) for said in live.child.told] == [
        ("warn", "TSLA", "refusal"),
        ("info", "desk", ""),
    ]


# ---- answers


async def test_a_live_desk_does_not_wait_for_the_broker_and_hears_its_answer_in_its_own_turn(
    live: Rig,
) -> None:
    live.world.open.clear()
    order = await live.ask()
    await eventually(lambda: f"submit {order.client_order_id}" in live.world.deeds)
    await live.carrier.carry(live.carrier.answered())
    before = live.state(order)
    assert not live.child.wake.is_set()
    live.world.open.set()
    await asyncio.wait_for(live.child.wake.wait(), 20)
    assert live.state(order) is before
    await live.carrier.carry(live.carrier.answered())
    assert live.state(order) is OrderState.NEW
    assert live.books.orders()[order.client_order_id] == "new"


async def test_in_lock_step_each_request_is_answered_before_the_next_leaves(stepping: Rig) -> None:
    for n in range(3):
        order = await stepping.ask(n)
        assert order.state is OrderState.NEW
    sent = [place for place, what in enumerate(stepping.world.deeds) if what.startswith("submit")]
    for place, (_what, orders, _fills) in zip(sent, (stepping.world.past[i] for i in sent), strict=True):
        assert [*orders.values()] == ["new"] * (len(orders) - 1) + ["intent"], place
    assert not stepping.child.wake.is_set()


@pytest.mark.parametrize(
    ("fault", "state", "asks"),
    [
        (OrderRefused("no buying power", status=403, broker_code=40310000), OrderState.FAILED, False),
        (BrokerAway("connection refused"), OrderState.FAILED, False),
        (OrderUnknown("the answer was lost"), OrderState.UNKNOWN, True),
        (OrderRefused("id must be unique", status=422, broker_code=DUPLICATE_ID), OrderState.UNKNOWN, True),
    ],
    ids=["refused", "away", "unknown", "sent before"],
)
async def test_a_submit_that_fails_is_told_to_the_desk_as_what_it_is(
    stepping: Rig, fault: TraderError, state: OrderState, asks: bool
) -> None:
    stepping.world.fault = fault
    order = await stepping.ask()
    assert order.state is state
    assert any(fault.what in event.words for event in await stepping.store.journal.events("b-1"))
    asked = [what for what in stepping.world.deeds if what.startswith("ask")]
    assert asked == ([f"ask {order.client_order_id}"] if asks else [])
    assert sum(what.startswith("submit") for what in stepping.world.deeds) == 1


async def test_an_order_whose_answer_was_lost_is_settled_by_the_brokers_word(stepping: Rig) -> None:
    class Lost(World):
        async def submit(self, request: OrderRequest) -> BrokerOrder:
            await super().submit(request)
            raise OrderUnknown("timed out")

    world = Lost(stepping.books)
    stepping.carrier._trader, stepping.carrier._audience = cast(Trader, world), world
    assert (await stepping.ask()).state is OrderState.NEW


async def test_a_look_up_that_fails_leaves_the_order_unknown_and_is_tried_again(stepping: Rig) -> None:
    class Deaf(World):
        async def _answer(self) -> None:
            raise OrderUnknown("timed out")

    world = Deaf(stepping.books)
    stepping.carrier._trader, stepping.carrier._audience = cast(Trader, world), world
    order = await stepping.ask()
    assert order.state is OrderState.UNKNOWN
    await stepping.carrier.carry(stepping.desk.on_time(NOON_NS + 2_000_000_000))
    assert world.deeds.count(f"ask {order.client_order_id}") == 2
    assert sum(what.startswith("submit") for what in world.deeds) == 1


async def test_a_cancel_that_is_refused_makes_the_desk_ask_how_the_order_stands(stepping: Rig) -> None:
    order = await stepping.ask()
    cid, broker = order.client_order_id, stepping.world.knows
    broker[cid] = replace(broker[cid], status=OrderState.CANCELED)
    stepping.world.fault = OrderRefused("not cancelable")
    await stepping.carrier.carry(stepping.desk.cancel(NOON_NS, by="max"))
    assert f"ask {cid}" in stepping.world.deeds
    assert stepping.state(order) is OrderState.CANCELED
    assert any("not cancelable" in words for words in stepping.child.words)


async def test_at_the_end_a_request_under_way_is_waited_for_and_its_answer_is_in_the_books(live: Rig) -> None:
    live.world.open.clear()
    order = await live.ask()
    ending = asyncio.create_task(live.carrier.close())
    await eventually(lambda: any(deed.startswith("submit") for deed in live.world.deeds))
    assert not ending.done()
    live.world.open.set()
    await ending
    assert live.books.orders()[order.client_order_id] == "new"
