"""The day's symbols at the supervisor: who is told of a change, what is refused, and what a restart keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from liu_tui.engine.frontdoor import Guest
from liu_tui.engine.messages import (
    AskSeries,
    Assign,
    Drop,
    HitFound,
    Routes,
    Scanned,
    SymbolTask,
    VetoSet,
)
from liu_tui.engine.shards import shard_of
from liu_tui.engine.snapshot import Detail
from liu_tui.model.account import Position
from liu_tui.model.orders import OrderNews, OrderState
from tests.kit.engine import T0, House, StillKid, a_house, a_plan, a_profile, desk_facts, example
from tests.kit.store import a_fill

PLAN = a_plan("momentum", "vwap", consumers=2, max_symbols=3)
MINE, THEIRS = "AAPL", "TSLA"  # of consumers A and B


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, PLAN) as house:
        yield house


def tasks(kid: StillKid) -> list[tuple[str, tuple[str, ...]]]:
    return [(task.symbol, task.strategies) for said in kid.heard(Assign) for task in said.tasks]


def routed(house: House) -> list[str]:
    return [route.symbol for route in house.producer.heard(Routes)[-1].routes]


def veto(symbol: str, strategy: str = "", *, on: bool = True, until_ns: int = 0) -> VetoSet:
    return VetoSet(
        symbol=symbol, strategy=strategy, on=on, by="max", reason="news", since_ns=T0, until_ns=until_ns
    )


def hit(house: House, symbol: str) -> str:
    """How the picture shows a pick."""
    return next(row.state for row in house.supervisor.fold.hits() if row.symbol == symbol)


def show_hit(house: House, symbol: str) -> None:
    said = Scanned(scanner="gaps", target="", t_ns=T0)
    house.supervisor.fold.hit(said, HitFound(symbol=symbol, values={}), "A", "watched")


def test_the_symbols_of_these_tests_belong_to_different_consumers() -> None:
    assert (shard_of(MINE, 2), shard_of(THEIRS, 2)) == (0, 1)


# ---- picking


async def test_what_is_new_or_wider_is_assigned_to_its_consumer_and_the_producer_gets_the_whole_table(
    house: House,
) -> None:
    symbols = house.supervisor.symbols
    assert symbols.pick([(MINE, "vwap"), (THEIRS, "")]) == {MINE: "new", THEIRS: "new"}
    assert [tasks(kid) for kid in house.consumers] == [
        [(MINE, ("vwap",))],
        [(THEIRS, ("momentum", "vwap"))],
    ]
    assert symbols.pick([(MINE, "momentum"), (THEIRS, "vwap")]) == {MINE: "wider", THEIRS: "known"}
    assert tasks(house.consumers[0])[-1] == (MINE, ("momentum", "vwap"))
    assert len(house.consumers[1].heard(Assign)) == 1
    assert routed(house) == [MINE, THEIRS]
    assert symbols.names == [MINE, THEIRS]


async def test_a_pick_of_nothing_new_tells_nobody(house: House) -> None:
    house.supervisor.symbols.pick([(MINE, "")])
    told = [len(kid.told) for kid in (*house.consumers, house.producer)]
    assert house.supervisor.symbols.pick([(MINE, "")]) == {MINE: "known"}
    assert house.supervisor.symbols.pick([]) == {}
    assert [len(kid.told) for kid in (*house.consumers, house.producer)] == told


async def test_a_step_waits_until_a_consumer_and_the_producer_have_answered_by_their_numbers(
    house: House,
) -> None:
    gate = house.supervisor.gate
    house.supervisor.symbols.pick([(MINE, "")])
    (assign,), (routes,) = house.consumers[0].heard(Assign), house.producer.heard(Routes)
    assert gate.to_acknowledge(()) is None
    gate.settled(f"assign 0 {assign.n}")
    assert gate.to_acknowledge(()) is None
    gate.settled(f"routes 0 {routes.n}")
    assert gate.to_acknowledge(()) == 0


async def test_only_the_newest_table_is_waited_for(house: House) -> None:
    """The producer answers the last of several: each stands for all before it."""
    symbols = house.supervisor.symbols
    symbols.tell_routes()
    symbols.tell_routes()
    house.supervisor.gate.settled(f"routes 0 {house.producer.heard(Routes)[-1].n}")
    assert house.supervisor.gate.to_acknowledge(()) == 0


async def test_no_more_than_max_symbols_are_watched_and_one_dropped_makes_room(house: House) -> None:
    symbols = house.supervisor.symbols
    symbols.pick([(name, "") for name in ("A1", "A2", "A3", "A4")])
    assert symbols.names == ["A1", "A2", "A3"]
    ok, words = symbols.subscribe("A4")
    assert not ok
    assert "max_symbols = 3" in words
    assert symbols.unsubscribe("A1")[0]
    assert symbols.subscribe("A4")[0]
    assert symbols.names == ["A2", "A3", "A4"]


# ---- unsubscribing


async def test_what_is_unsubscribed_is_dropped_everywhere_and_no_scanner_brings_it_back(house: House) -> None:
    symbols = house.supervisor.symbols
    symbols.pick([(MINE, ""), (THEIRS, "")])
    show_hit(house, MINE)
    assert symbols.unsubscribe(MINE) == (True, f"{MINE} is unsubscribed for the day")
    assert [kid.heard(Drop) for kid in house.consumers] == [[Drop(symbol=MINE)], []]
    assert routed(house) == [THEIRS]
    assert symbols.pick([(MINE, "")]) == {MINE: "dropped"}
    assert hit(house, MINE) == "unsubscribed"


async def test_a_person_may_take_that_back(house: House) -> None:
    symbols = house.supervisor.symbols
    symbols.pick([(MINE, "vwap")])
    show_hit(house, MINE)
    symbols.unsubscribe(MINE)
    assert symbols.subscribe(MINE)[0]
    assert tasks(house.consumers[0])[-1] == (MINE, ("momentum", "vwap"))
    assert house.supervisor.books.dropped == set()
    assert hit(house, MINE) == "watched"


async def test_a_symbol_that_ranks_elsewhere_too_is_dropped_at_both(house: House) -> None:
    away = "rank" if shard_of("rank", 2) == 1 else "ranks"
    assert shard_of(away, 2) == 1
    house.supervisor.symbols.watching.know([a_profile(away, run_all=True)])
    house.supervisor.symbols.pick([(MINE, "")])
    house.supervisor.symbols.unsubscribe(MINE)
    assert [len(kid.heard(Drop)) for kid in house.consumers] == [1, 1]


@pytest.mark.parametrize("what", ["a position", "a working order"])
async def test_what_is_held_or_working_is_not_unsubscribed(house: House, what: str) -> None:
    """Without its data nobody would see a stop coming."""
    symbols = house.supervisor.symbols
    symbols.pick([(MINE, "")])
    facts: dict[str, Any] = {
        "positions": (Position(strategy="momentum", symbol=MINE, qty=-5, avg_price=100.0),)
    }
    if what == "a working order":
        news: OrderNews = msgspec.structs.replace(example(OrderNews), symbol=MINE, state=OrderState.NEW)
        facts = {"orders": (news,)}
    house.supervisor.fold.desk_said(desk_facts(**facts))
    ok, words = symbols.unsubscribe(MINE)
    assert not ok
    assert words.endswith(f"for it has {'momentum -5' if what == 'a position' else what}: flatten it first")
    assert symbols.names == [MINE]
    assert house.consumers[0].heard(Drop) == []
    assert house.supervisor.books.dropped == set()


async def test_what_is_not_subscribed_cannot_be_unsubscribed(house: House) -> None:
    assert house.supervisor.symbols.unsubscribe(MINE) == (False, f"{MINE} is not subscribed")
    assert house.producer.told == []


# ---- vetoes


async def test_a_veto_reaches_every_consumer_the_desk_and_the_picture(house: House) -> None:
    show_hit(house, MINE)
    house.supervisor.symbols.set_veto(veto(MINE))
    for kid in (*house.consumers, house.desk):
        assert kid.told == [veto(MINE)]
    assert [(row.symbol, row.by) for row in house.supervisor.fold.vetoes.values()] == [(MINE, "max")]
    assert hit(house, MINE) == "rejected"
    house.supervisor.symbols.set_veto(veto(MINE, on=False))
    assert house.desk.told[-1] == veto(MINE, on=False)
    assert house.supervisor.fold.vetoes == {}
    assert hit(house, MINE) == "watched"


async def test_a_veto_for_one_strategy_leaves_the_symbol_to_the_others(house: House) -> None:
    show_hit(house, MINE)
    house.supervisor.symbols.set_veto(veto(MINE, "vwap"))
    assert house.consumers[0].told == [veto(MINE, "vwap")]
    assert hit(house, MINE) == "watched"


async def test_a_veto_ends_at_its_time_in_the_picture_too(house: House) -> None:
    show_hit(house, MINE)
    symbols = house.supervisor.symbols
    symbols.set_veto(veto(MINE, until_ns=T0 + 5))
    assert [row.until_ns for row in house.supervisor.fold.vetoes.values()] == [T0 + 5]
    symbols.look(T0 + 4)
    assert hit(house, MINE) == "rejected"
    symbols.look(T0 + 5)
    assert (hit(house, MINE), house.supervisor.fold.vetoes) == ("watched", {})


async def test_a_symbol_that_is_being_closed_is_unsubscribed_once_it_is_flat(house: House) -> None:
    symbols = house.supervisor.symbols
    symbols.pick([(MINE, "")])
    held = Position(strategy="momentum", symbol=MINE, qty=-5, avg_price=100.0)
    house.supervisor.fold.desk_said(desk_facts(positions=(held,)))
    symbols.leave_when_flat(MINE)
    symbols.look(T0)
    assert symbols.names == [MINE]
    house.supervisor.fold.desk_said(desk_facts())
    symbols.look(T0)
    assert symbols.names == []
    assert house.said == [f"{MINE} is unsubscribed for the day"]


# ---- restarts


async def test_a_consumer_that_was_started_again_is_told_all_that_it_serves(house: House) -> None:
    symbols = house.supervisor.symbols
    symbols.pick([(MINE, "")])
    symbols.pick([(THEIRS, "")])
    first = house.consumers[0].heard(Assign)[-1]
    symbols.tell_consumer(0)
    assert tasks(house.consumers[0])[-1] == (MINE, ("momentum", "vwap"))
    again = house.consumers[0].heard(Assign)[-1]
    assert again.n > first.n
    for what in (f"routes 0 {house.producer.heard(Routes)[-1].n}", f"assign 1 {first.n + 2}"):
        house.supervisor.gate.settled(what)
    assert house.supervisor.gate.to_acknowledge(()) is None
    house.supervisor.gate.settled(f"assign 0 {again.n}")
    assert house.supervisor.gate.to_acknowledge(()) == 0, "what its predecessor was asked is waited for"


async def test_a_resumed_batch_watches_what_was_picked_and_keeps_what_was_dropped_dropped(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path, PLAN) as first:
        await first.restore()
        supervisor = first.supervisor
        hits = tuple(HitFound(symbol=name, values={}) for name in (MINE, THEIRS))
        supervisor._hearing.take(first.scanners, Scanned(scanner="gaps", target="vwap", t_ns=T0, hits=hits))
        supervisor.symbols.unsubscribe(MINE)
        supervisor.symbols.set_veto(veto(THEIRS))
    async with a_house(tmp_path, PLAN) as second:
        await second.restore()
        symbols = second.supervisor.symbols
        assert symbols.names == [THEIRS]
        assert symbols.watching.tasks_for(1) == [SymbolTask(symbol=THEIRS, strategies=("vwap",))]
        assert symbols.pick([(MINE, "")]) == {MINE: "dropped"}
        assert [row.symbol for row in second.supervisor.fold.vetoes.values()] == [THEIRS]
        assert symbols.subscribe(MINE)[0]
    async with a_house(tmp_path, PLAN) as third:
        await third.restore()
        assert third.supervisor.books.dropped == set()


async def test_strategies_that_declare_something_else_are_served_and_subscribed_anew(house: House) -> None:
    symbols = house.supervisor.symbols
    symbols.pick([(MINE, "")])
    house.consumers[1].state = "dead"
    assert symbols.watching.know([a_profile("vwap", events=("quote",))])
    symbols.tell_everybody()
    assert len(house.consumers[0].heard(Assign)) == 2
    assert house.consumers[1].heard(Assign) == []
    assert "quote" in house.producer.heard(Routes)[-1].routes[0].events


# ---- details


async def test_a_detail_is_asked_of_the_symbols_consumer_and_goes_to_all_who_wait_with_the_fills(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[tuple[Guest, Detail]] = []
    monkeypatch.setattr(house.supervisor.door, "tell", lambda guest, what: answers.append((guest, what)))
    house.supervisor.fold.book(a_fill("x-1", 10.0, 100.0, symbol=THEIRS))
    house.supervisor.fold.book(a_fill("x-2", symbol=MINE))
    symbols = house.supervisor.symbols
    one, two = cast(Guest, "one"), cast(Guest, "two")
    symbols.ask_detail(THEIRS, one)
    symbols.ask_detail(THEIRS, two)
    assert AskSeries(symbol=THEIRS) in house.consumers[1].told
    assert house.consumers[0].told == []
    symbols.detail_came(Detail(symbol=THEIRS, last=101.0))
    whole = Detail(symbol=THEIRS, last=101.0, fills=((T0, 10.0, 100.0),))
    assert answers == [(one, whole), (two, whole)]
    symbols.detail_came(Detail(symbol=THEIRS))
    assert len(answers) == 2
