"""The picture: all that a screen needs of a house, from its first moment on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from liu_tui.engine.messages import Alive
from liu_tui.engine.picture import picture_of, processes_of
from liu_tui.engine.snapshot import Picture
from liu_tui.model.account import Account
from liu_tui.plan.schema import DataVendor, MarketTable
from tests.kit.engine import House, a_house, a_plan, desk_facts
from tests.kit.session import DAY


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, a_plan("momentum", consumers=2)) as house:
        yield house


async def test_before_anybody_has_spoken_there_is_a_picture(house: House) -> None:
    picture = picture_of(house.supervisor, 1)
    assert (picture.seq, picture.batch_id, picture.phase, picture.hours) == (1, "b-1", "starting", None)
    assert (picture.state, picture.broker.state, picture.feed.state) == ("ACTIVE", "away", "waiting")
    assert [row.name for row in picture.strategies] == ["momentum"]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(picture), type=Picture) == picture


async def test_the_desks_state_and_the_brokers_are_shown_as_they_were_told(house: House) -> None:
    account = Account(id="LOCAL", cash=1.0, equity=2.0, buying_power=3.0)
    facts = desk_facts(state="HALTED", by="max", reason="news", broker_words="asking", account=account)
    house.supervisor.fold.desk_said(facts)
    house.supervisor.hours = DAY
    picture = picture_of(house.supervisor, 2)
    assert (picture.state, picture.state_by, picture.state_reason) == ("HALTED", "max", "news")
    assert (picture.broker.state, picture.broker.words) == ("ready", "asking")
    assert (picture.money.equity, picture.hours) == (2.0, DAY)


async def test_a_consumers_row_sums_its_lives_and_adds_what_the_producer_holds_back(house: House) -> None:
    a = house.consumers[0]
    a.alive = Alive(dispatched=100, discarded=3)
    a.bury()
    a.state, a.restarts = "running", 1
    a.alive = Alive(dispatched=10, discarded=1, queue=5, by_strategy=(("momentum", 7, 2),))
    house.producer.alive = Alive(received=500, by_consumer=(("A", 40, 8),))
    picture = picture_of(house.supervisor, 1)
    first, second = picture.consumers
    assert (first.name, first.dispatched, first.discarded, first.restarts) == ("A", 110, 4, 1)
    assert (first.queue, first.merged) == (13, 40)
    assert (second.name, second.queue, second.merged, second.dispatched) == ("B", 0, 0, 0)
    assert (picture.feed.received, picture.strategies[0].calls) == (500, 7)


async def test_all_processes_are_listed_the_supervisor_first(house: House) -> None:
    house.desk.state, house.desk.restarts = "dead", 2
    rows = processes_of(house.supervisor)
    assert [(row.role, row.name) for row in rows] == [
        ("supervisor", "supervisor"),
        ("producer", "producer"),
        ("desk", "desk"),
        ("consumer", "A"),
        ("consumer", "B"),
    ]
    assert rows[0].pid == os.getpid()
    assert (rows[2].state, rows[2].restarts) == ("dead", 2)


@pytest.mark.parametrize(
    ("market", "data", "venue"),
    [
        (None, DataVendor.ALPACA, "Alpaca paper"),
        (None, DataVendor.POLYGON, "Alpaca paper, data Polygon"),
        (MarketTable(), DataVendor.ALPACA, "local market"),
    ],
    ids=["alpaca", "polygon", "local"],
)
async def test_the_venue_is_named(
    tmp_path: Path, market: MarketTable | None, data: DataVendor, venue: str
) -> None:
    async with a_house(tmp_path, a_plan("momentum", market=market, data=data)) as house:
        assert picture_of(house.supervisor, 1).venue == venue
