"""The end of a session: everybody in their order, entries withdrawn first, and nobody waited for in vain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec
import pytest

from liu_tui.engine import ending
from liu_tui.engine.ending import Ending
from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.engine.messages import DeskDone, DeskFacts, DeskOrder, FromChild, StatesSaved
from liu_tui.engine.snapshot import FlattenRow
from liu_tui.errors import LiuError
from liu_tui.model.account import Position
from liu_tui.model.orders import OrderNews, OrderState
from liu_tui.plan.schema import MarketTable, ScannerTable
from liu_tui.settings import Workspace
from tests.kit.engine import House, StillKid, a_house, a_plan, desk_facts, example

PLAN = a_plan("momentum", consumers=2, scanners={"gaps": ScannerTable(filename="scanners/gaps.py")})
ENDS = ["stop scanners", "pause", "cancel", "stop A", "stop B", "settle", "stop desk", "stop producer"]
HELD = Position(strategy="momentum", symbol="TSLA", qty=-30, avg_price=100.0)
STUCK = desk_facts(
    positions=(HELD, Position(strategy="momentum", symbol="MSFT", qty=100, avg_price=100.0)),
    flattens=(
        FlattenRow(
            symbol="",
            by="session",
            reason="",
            since_ns=1,
            begun=30,
            left=2,
            working=0,
            stuck=(("MSFT", 100.0, "halted"), ("TSLA", -30.0, "halted")),
        ),
    ),
)


class StillMarket(MarketKeeper):
    """A local market without a process; deaf, it answers no verb."""

    def __init__(self, root: Path, past: list[str], *, deaf: bool = False) -> None:
        super().__init__(MarketTable(), Workspace(root, root / ".liu"), "b-1")
        self._past, self._deaf = past, deaf

    def is_dead(self) -> bool:
        return False

    async def admin(self, verb: str, *, post: bool = True) -> dict[str, object]:
        self._past.append(f"market {verb}")
        if self._deaf:
            raise LiuError("it does not answer")
        return {}

    async def stop(self) -> None:
        self._past.append("stop market")


class Desk:
    """What a desk does with the verbs of an ending: it answers each, and then tells these facts."""

    def __init__(self, kid: StillKid, **facts: tuple[DeskFacts, ...]) -> None:
        self._kid, self._facts = kid, facts
        kid.answer = self.answer

    def answer(self, message: object) -> Iterable[FromChild]:
        if not isinstance(message, DeskOrder):
            return
        command = message.command
        assert command.by == "session"
        self._kid.past.append(command.verb)
        yield from self._facts.get(command.verb, ())
        yield DeskDone(id=command.id, ok=True, words="done")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, PLAN) as house:
        Desk(house.desk)
        yield house


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLAT_S", "ENTRIES_S", "ANSWER_S"):
        monkeypatch.setattr(ending, name, 0.05)


def order(state: OrderState, role: str = "entry") -> DeskFacts:
    news: OrderNews = msgspec.structs.replace(example(OrderNews), state=state, role=role)
    return desk_facts(orders=(news,))


async def end(house: House, *, flatten: bool = False) -> dict[str, object]:
    return await Ending(house.supervisor, "stop asked by max", flatten=flatten).run()


async def test_everybody_ends_in_order_and_the_summary_is_told(house: House) -> None:
    summary = await end(house)
    assert house.past == ENDS
    assert summary["batch_id"] == "b-1"
    assert house.supervisor.phase == "ended"
    assert house.said == ["closing: stop asked by max", "ended: stop asked by max"]
    assert all(kid.state == "off" for kid in house.supervisor.staff)


async def test_what_a_consumer_saved_as_it_ended_is_heard(house: House) -> None:
    await house.restore()
    house.consumers[0].last_words = (StatesSaved(rows=(), keys=(), after_fill=9),)
    await end(house)
    assert house.supervisor.books.after_fill == {"A": 9}


@pytest.mark.parametrize("deaf", [False, True], ids=["answers", "is deaf"])
async def test_the_markets_clock_stops_before_the_last_valuation_and_it_ends_last(
    house: House, deaf: bool
) -> None:
    house.supervisor.market = StillMarket(house.root, house.past, deaf=deaf)
    await end(house)
    place = ENDS.index("settle")
    assert house.past == [*ENDS[:place], "market pause", *ENDS[place:], "stop market"]


async def test_entries_are_waited_for_and_protection_and_positions_stay(house: House) -> None:
    house.supervisor.fold.desk_said(order(OrderState.NEW))
    Desk(house.desk, cancel=(order(OrderState.CANCELED),), pause=(desk_facts(positions=(HELD,)),))
    house.supervisor.fold.desk_said(
        desk_facts(
            orders=(msgspec.structs.replace(example(OrderNews), client_order_id="s", role="stop"),),
            positions=(HELD,),
        )
    )
    await end(house)
    assert house.past == ENDS
    assert not any("still" in words for words in house.said)


async def test_entries_that_do_not_end_are_named_and_the_house_goes_down_all_the_same(house: House) -> None:
    house.supervisor.fold.desk_said(order(OrderState.PENDING_CANCEL))
    await end(house)
    assert house.past == ENDS
    assert "entry orders are still being canceled at the broker" in house.said


async def test_with_flatten_it_waits_until_flat(house: House) -> None:
    house.supervisor.fold.desk_said(desk_facts(positions=(HELD,)))
    Desk(house.desk, flatten=(desk_facts(positions=(), realized=12.0),))
    summary = await end(house, flatten=True)
    assert house.past == [*ENDS[:3], "flatten", *ENDS[3:]]
    assert (summary["positions"], summary["realized_pnl"]) == ({}, 12.0)
    assert not any("not flat" in words for words in house.said)


async def test_with_flatten_it_waits_until_the_broker_says_so_too(house: House) -> None:
    """The books are flat before the broker has been asked: the flatten is told as long as it is not done."""
    (row,) = STUCK.flattens
    proving = msgspec.structs.replace(row, left=0, stuck=())
    house.supervisor.fold.desk_said(desk_facts(flattens=(proving,)))
    await end(house, flatten=True)
    assert any("not flat" in words and "the broker has not said so" in words for words in house.said)


async def test_why_the_broker_has_not_said_so_is_said(house: House) -> None:
    (row,) = STUCK.flattens
    proving = msgspec.structs.replace(row, left=0, stuck=())
    house.supervisor.fold.desk_said(desk_facts(flattens=(proving,), broker_words="no answer: 500"))
    await end(house, flatten=True)
    assert any("the broker has not said so (no answer: 500)" in words for words in house.said)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (desk_facts(positions=(HELD,)), "TSLA -30"),
        (STUCK, "MSFT +100 halted, TSLA -30 halted"),
        (order(OrderState.NEW, "stop"), "orders are still working"),
    ],
    ids=["held", "stuck", "working"],
)
async def test_what_could_not_be_closed_is_said(house: House, facts: DeskFacts, words: str) -> None:
    house.supervisor.fold.desk_said(facts)
    await end(house, flatten=True)
    assert any("not flat" in line and words in line for line in house.said)
    assert house.past[-1] == "stop producer"


async def test_a_desk_that_is_away_is_asked_nothing(house: House) -> None:
    house.desk.state = "dead"
    house.desk.next_start_ns = 1 << 62
    await end(house, flatten=True)
    assert house.past == [what for what in ENDS if what not in ("pause", "cancel", "settle")]
    assert house.desk.told == []


async def test_a_desk_that_does_not_answer_holds_the_end_up_for_a_while_only(house: House) -> None:
    house.desk.answer = lambda _message: ()
    await end(house)
    assert house.past == [what for what in ENDS if what not in ("pause", "cancel", "settle")]
    verbs = [message.command.verb for message in house.desk.heard(DeskOrder)]
    assert verbs == ["pause", "cancel", "settle"]
