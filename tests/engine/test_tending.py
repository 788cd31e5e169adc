"""Tending: the dead are started again, who hangs is ended, and the strategy in the way is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from liu_tui.engine.client import Command, Reply
from liu_tui.engine.frontdoor import Guest
from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.engine.messages import Boot, StrategyState, VenueSaid
from liu_tui.engine.meter import Face
from liu_tui.engine.tending import SILENT_S, Tending
from liu_tui.market.streaming import FeedState, FeedStatus
from liu_tui.plan.schema import MarketTable, ScannerTable
from liu_tui.settings import Workspace
from tests.kit.engine import House, StillKid, a_house, a_plan
from tests.kit.session import DAY

PLAN = a_plan("hangs", "momentum", consumers=2, scanners={"gaps": ScannerTable(filename="scanners/gaps.py")})


class StillMarket(MarketKeeper):
    """A local market without a process, that dies when told and lives when started."""

    def __init__(self, root: Path) -> None:
        super().__init__(MarketTable(), Workspace(root, root / ".liu"), "b-1")
        self.dead = False
        self.pid = 100

    async def start(self) -> None:
        self.dead, self.pid = False, self.pid + 1

    def is_dead(self) -> bool:
        return self.dead


class Rig:
    """A supervisor's house and who tends it."""

    def __init__(self, house: House) -> None:
        self.house, self.supervisor = house, house.supervisor
        self.faces = house.root / ".liu" / "sessions"
        self.tending = Tending(house.supervisor, self.faces)
        self.a, self.b = house.consumers

    def shows(self, kid: StillKid, strategy: str, symbol: str) -> None:
        """Leave a face as a consumer in the middle of a call does."""
        face = Face(self.faces / f"b-1.{kid.name}.face")
        face.show(strategy, symbol)
        face.close()

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.tending.look()

    async def reborn(self, kid: StillKid) -> None:
        """Let the time come for who died."""
        kid.next_start_ns = 0
        await self.look()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with a_house(tmp_path, PLAN) as house:
        yield Rig(house)


async def test_who_lives_and_speaks_is_let_alone(rig: Rig) -> None:
    rig.a.silence_s = SILENT_S - 1
    await rig.look(3)
    assert rig.house.past == []
    assert rig.house.said == []


async def test_who_died_is_buried_once_and_started_again_when_its_time_has_come(rig: Rig) -> None:
    rig.a.dead = True
    await rig.look(3)
    assert rig.a.state == "dead"
    assert rig.house.past == []
    assert len([words for words in rig.house.said if "consumer A died" in words]) == 1
    await rig.reborn(rig.a)
    assert rig.house.past == ["start A"]
    assert (rig.a.restarts, rig.a.state) == (1, "starting")


async def test_a_consumer_that_hangs_is_ended_and_the_strategy_that_was_called_is_quarantined(
    rig: Rig,
) -> None:
    rig.supervisor.venue_said(VenueSaid(hours=DAY, anchor=rig.supervisor.clock.anchor))
    rig.shows(rig.a, "hangs", "TSLA")
    rig.a.silence_s = SILENT_S + 1
    await rig.look()
    assert rig.house.past == ["kill A"]
    assert "hung on TSLA" in rig.supervisor.quarantined["hangs"]
    assert "in strategy hangs" in rig.house.said[-1]
    rows = {row.name: row.state for row in rig.supervisor.fold.strategies()}
    assert rows == {"hangs": "quarantined", "momentum": "running"}
    await rig.look()
    await rig.reborn(rig.a)
    assert rig.house.past == ["kill A", "start A"]
    assert [name for name, _why in rig.a.heard(Boot)[-1].quarantined] == ["hangs"]


async def test_a_consumer_that_hangs_between_calls_is_ended_and_nobody_is_blamed(rig: Rig) -> None:
    rig.shows(rig.b, "hangs", "TSLA")  # another's face
    rig.a.silence_s = SILENT_S + 1
    await rig.look()
    assert rig.house.past == ["kill A"]
    assert rig.supervisor.quarantined == {}


async def test_a_quarantined_strategy_is_free_again_when_a_consumer_runs_its_mended_file(rig: Rig) -> None:
    rig.shows(rig.a, "hangs", "TSLA")
    rig.a.silence_s = SILENT_S + 1
    await rig.look()
    rig.b.saying.append(StrategyState(name="hangs", state="running", words="reloaded"))
    rig.supervisor.hear()
    assert rig.supervisor.quarantined == {}


async def test_another_role_that_hangs_is_ended_without_looking_at_a_face(rig: Rig) -> None:
    rig.shows(rig.a, "hangs", "TSLA")
    rig.house.producer.silence_s = SILENT_S + 1
    await rig.look()
    assert rig.house.past == ["kill producer"]
    assert rig.supervisor.quarantined == {}


async def test_one_that_has_not_said_ready_yet_is_given_its_time(rig: Rig) -> None:
    rig.a.state, rig.a.silence_s = "starting", SILENT_S + 1
    await rig.look()
    assert rig.house.past == []


async def test_without_a_desk_no_command_waits_and_no_step_is_taken(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = rig.supervisor
    answers: list[Reply] = []
    monkeypatch.setattr(house.door, "tell", lambda _guest, reply: answers.append(reply))
    await house.commands.take(Command("1", "pause"), cast(Guest, "me"))
    house.desk_ready = True
    rig.house.desk.dead = True
    await rig.look()
    assert not house.desk_ready
    assert [(reply.id, reply.ok) for reply in answers] == [("1", False)]
    assert house.gate.to_acknowledge(()) is None
    house.gate.excuse("desk")
    assert house.gate.to_acknowledge(()) == 0


async def test_without_scanners_no_step_is_taken_and_without_a_producer_no_feed_is_live(rig: Rig) -> None:
    rig.supervisor.feeds.said("producer", FeedStatus(FeedState.LIVE))
    rig.house.scanners.dead = rig.house.producer.dead = True
    await rig.look()
    assert not rig.supervisor.feeds.live
    assert rig.supervisor.gate.to_acknowledge(()) is None


async def test_a_dead_market_is_started_again_and_until_then_nobody_is_started_for_it(rig: Rig) -> None:
    market = rig.supervisor.market = StillMarket(rig.house.root)
    market.dead = rig.a.dead = True
    await rig.look()
    await asyncio.sleep(0)  # it is started beside the turn
    await rig.look()
    assert (market.dead, market.restarts) == (False, 1)
    assert rig.supervisor.record.market_pid == market.pid
    assert any("market died" in words for words in rig.house.said)
    market.dead = True
    rig.a.next_start_ns = 0
    await rig.look()
    await asyncio.sleep(0)
    await rig.look()
    assert rig.a.state == "dead", "there was no venue to connect to"
    await rig.look()
    assert rig.house.past == ["start A"]


async def test_a_producer_that_died_is_booted_at_once_and_others_when_the_hours_are_known(rig: Rig) -> None:
    for kid in (rig.house.producer, rig.a):
        kid.dead = True
    await rig.look()
    for kid in (rig.house.producer, rig.a):
        await rig.reborn(kid)
    assert len(rig.house.producer.heard(Boot)) == 1
    assert rig.a.heard(Boot) == []
    rig.supervisor.venue_said(VenueSaid(hours=DAY, anchor=rig.supervisor.clock.anchor))
    assert [boot.index for boot in rig.a.heard(Boot)] == [0]
