"""Hearing: what the supervisor does with each word of a child; in lock-step, what waits for the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path
from typing import get_args

import pytest

from liu_tui.engine.hearing import Hearing
from liu_tui.engine.kids import Kid
from liu_tui.engine.messages import (
    Assign,
    Assigned,
    DeskDone,
    DeskFacts,
    DeskProfiles,
    DeskReady,
    FeedSaid,
    FromChild,
    HitFound,
    Profiles,
    Ready,
    Routed,
    Routes,
    Said,
    Scanned,
    SessionOver,
    SetAnchor,
    StatesSaved,
    StepBegin,
    StepDone,
    StrategyState,
    UnsubscribeAsked,
    VenueSaid,
    VetoAsked,
    VetoSet,
)
from liu_tui.market.streaming import FeedState, FeedStatus
from liu_tui.model.account import Account
from liu_tui.model.clock import Anchor, monotonic_ns
from liu_tui.plan.schema import MarketTable, ScannerTable
from tests.kit.engine import T0, House, a_house, a_plan, a_profile, example
from tests.kit.session import DAY, OPEN

SCANNERS = {"gaps": ScannerTable(filename="scanners/gaps.py")}
LIVE = a_plan("momentum", "vwap", consumers=2, max_symbols=2, scanners=SCANNERS)
STEPPING = a_plan(
    "momentum",
    consumers=2,
    max_symbols=2,
    scanners=SCANNERS,
    market=MarketTable(source="recordings", speed="max"),
)
MINE, THEIRS = "AAPL", "TSLA"  # of consumers A and B


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, LIVE) as house:
        await house.restore()
        yield house


@pytest.fixture
async def stepping(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, STEPPING) as house:
        await house.restore()
        yield house


def hear(house: House, kid: Kid, *messages: FromChild) -> Hearing:
    hearing = house.supervisor._hearing
    for message in messages:
        hearing.take(kid, message)
    return hearing


def scanned(*symbols: str, target: str = "") -> Scanned:
    hits = tuple(HitFound(symbol=symbol, values={"gap": 4.0}) for symbol in symbols)
    return Scanned(scanner="gaps", target=target, t_ns=T0, hits=hits, next_ns=T0 + 1)


def unsubscribe(symbol: str) -> UnsubscribeAsked:
    return UnsubscribeAsked(symbol=symbol, by="momentum", reason="too thin")


def hits(house: House) -> dict[str, tuple[str, str]]:
    """Symbol -> (state, consumer) of each pick in the picture."""
    return {row.symbol: (row.state, row.consumer) for row in house.supervisor.fold.hits()}


# ---- lock-step


async def test_in_lock_step_picks_wait_until_the_desk_has_done_the_step(stepping: House) -> None:
    gate = stepping.supervisor.gate
    hear(stepping, stepping.producer, StepBegin(n=1, t_ns=OPEN))
    hearing = hear(stepping, stepping.scanners, scanned(MINE), StepDone(n=1))
    hearing.release()
    assert stepping.supervisor.symbols.names == []
    assert stepping.consumers[0].heard(Assign) == []
    hear(stepping, stepping.desk, StepDone(n=1))
    hearing.release()
    assert stepping.supervisor.symbols.names == [MINE]
    assert gate.to_acknowledge(("desk", "scanners")) is None, "the step waits for the subscription"


async def test_what_strategies_ask_comes_before_what_scanners_found_whoever_was_heard_first(
    tmp_path: Path,
) -> None:
    """There is room for the pick only when the strategy's unsubscription has been done."""
    results = []
    for order in permutations(range(3)):
        async with a_house(tmp_path / "".join(map(str, order)), STEPPING) as house:
            symbols = house.supervisor.symbols
            symbols.pick([(MINE, ""), (THEIRS, "")])
            hear(house, house.producer, StepBegin(n=1, t_ns=OPEN))
            words: list[tuple[Kid, FromChild]] = [
                (house.scanners, scanned("F")),
                (house.consumers[0], unsubscribe(MINE)),
                (house.consumers[1], VetoAsked(symbol="F", strategy="", by="momentum", reason="news")),
            ]
            for place in order:
                hear(house, *words[place])
            assert symbols.names == [MINE, THEIRS]
            hear(house, house.desk, StepDone(n=1)).release()
            results.append((symbols.names, hits(house)["F"][0]))
    assert results == [([THEIRS, "F"], "rejected")] * 6


async def test_between_two_steps_nothing_waits(stepping: House) -> None:
    hear(stepping, stepping.scanners, scanned(MINE))
    assert stepping.supervisor.symbols.names == [MINE]


async def test_a_step_tells_the_time_and_goes_on_to_the_scanners(stepping: House) -> None:
    step = StepBegin(n=3, t_ns=OPEN + 3)
    hear(stepping, stepping.producer, step)
    assert stepping.supervisor.clock.now_ns() == OPEN + 3
    assert stepping.scanners.told == [step]
    assert stepping.supervisor.gate.n == 3


async def test_live_picks_are_served_at_once(house: House) -> None:
    hear(house, house.scanners, scanned(MINE))
    assert house.supervisor.symbols.names == [MINE]


# ---- scanners


async def test_picks_are_shown_with_what_became_of_them_and_who_serves_them(house: House) -> None:
    hear(
        house,
        house.consumers[0],
        VetoAsked(symbol=THEIRS, strategy="", by="momentum", reason="news"),
    )
    hear(house, house.scanners, scanned(MINE, THEIRS, "F"))
    assert hits(house)[MINE] == ("watched", "A")
    assert hits(house)[THEIRS] == ("rejected", "B")
    assert hits(house)["F"][0] == "over limit"
    assert f"2 new: {MINE} {THEIRS}" in house.said


async def test_what_is_over_the_limit_is_said_once_a_symbol(house: House) -> None:
    for _ in range(3):
        hear(house, house.scanners, scanned(MINE, THEIRS, "F"))
    assert len([words for words in house.said if "max_symbols = 2" in words]) == 1
    assert house.supervisor.fold.hit_count == 9


async def test_picks_are_in_the_books(house: House) -> None:
    hear(house, house.scanners, scanned(MINE, target="vwap"))
    assert house.supervisor.records is not None
    await house.supervisor.records.close()
    house.supervisor.records = None
    (pick,) = await house.store.trending_tickers.load("b-1")
    assert (pick.symbol, pick.scanner, pick.strategy, pick.t_ns) == (MINE, "gaps", "vwap", T0)


# ---- consumers


async def test_a_strategys_veto_is_everybodys_and_a_refused_unsubscription_is_said(house: House) -> None:
    hear(
        house,
        house.consumers[0],
        VetoAsked(symbol=MINE, strategy="vwap", by="vwap", reason="too wild"),
        unsubscribe(THEIRS),
    )
    for kid in (*house.consumers, house.desk):
        assert [(veto.symbol, veto.strategy, veto.by) for veto in kid.heard(VetoSet)] == [
            (MINE, "vwap", "vwap")
        ]
    assert f"{MINE} rejected: too wild" in house.said
    assert f"{THEIRS} is not subscribed (too thin)" in house.said


async def test_what_loaded_strategies_declare_reaches_the_desk_and_a_fault_the_picture(house: House) -> None:
    profiles = (a_profile("momentum", swing=True), a_profile("vwap", fault="vwap.py:3: syntax error"))
    hear(house, house.consumers[0], Profiles(profiles=profiles))
    assert house.desk.told == [DeskProfiles(profiles=profiles[:1])]
    rows = {row.name: (row.state, row.words) for row in house.supervisor.fold.strategies()}
    assert rows == {"momentum": ("running", ""), "vwap": ("quarantined", "vwap.py:3: syntax error")}


async def test_a_reloaded_strategy_that_declares_more_is_served_anew(house: House) -> None:
    hear(house, house.scanners, scanned(MINE))
    hear(house, house.consumers[0], Profiles(profiles=(a_profile("momentum", events=("quote",)),)))
    assert "quote" in house.producer.heard(Routes)[-1].routes[0].events
    assert len(house.consumers[0].heard(Assign)) == 2


async def test_a_strategy_that_runs_again_is_no_longer_quarantined(house: House) -> None:
    house.supervisor.quarantine("momentum", "hung on TSLA")
    hear(house, house.consumers[0], StrategyState(name="momentum", state="running"))
    assert house.supervisor.quarantined == {}


async def test_states_are_kept_for_the_consumer_that_saved_them(house: House) -> None:
    hear(house, house.consumers[1], StatesSaved(rows=(), keys=(), after_fill=5))
    assert house.supervisor.books.after_fill == {"B": 5}


async def test_an_answer_settles_its_own_consumers_assignment(house: House) -> None:
    house.supervisor.symbols.pick([(MINE, "")])
    (assign,), (routes,) = house.consumers[0].heard(Assign), house.producer.heard(Routes)
    hear(house, house.producer, Routed(n=routes.n))
    hear(house, house.consumers[1], Assigned(n=assign.n))
    assert house.supervisor.gate.to_acknowledge(()) is None
    hear(house, house.consumers[0], Assigned(n=assign.n))
    assert house.supervisor.gate.to_acknowledge(()) == 0


# ---- producer


async def test_what_could_not_be_subscribed_is_said(house: House) -> None:
    house.supervisor.symbols.tell_routes()
    hear(house, house.producer, Routed(n=1, words="symbol limit exceeded (405)"))
    assert "symbol limit exceeded (405)" in house.said
    assert house.supervisor.gate.to_acknowledge(()) == 0


async def test_the_venues_hours_boot_desk_and_consumers_once_and_are_in_the_books(house: House) -> None:
    anchor = Anchor(OPEN, monotonic_ns(), paused=True)
    for _ in range(2):
        hear(house, house.producer, VenueSaid(hours=DAY, anchor=anchor))
    assert house.supervisor.hours == DAY
    assert house.supervisor.clock.now_ns() == OPEN
    assert [len(kid.told) for kid in (house.desk, *house.consumers, house.scanners)] == [1, 1, 1, 0]
    assert house.supervisor.records is not None
    await house.supervisor.records.close()
    house.supervisor.records = None
    batch = await house.store.batches.get("b-1")
    assert batch is not None
    assert batch.day == DAY.day


async def test_a_new_anchor_goes_to_everybody_but_who_brought_it(house: House) -> None:
    said = SetAnchor(anchor=Anchor(OPEN, monotonic_ns(), speed=60.0))
    hear(house, house.producer, said)
    assert house.supervisor.clock.anchor == said.anchor
    assert [kid.told for kid in (house.desk, *house.consumers, house.scanners)] == [[said]] * 4
    assert house.producer.told == []


@pytest.mark.parametrize("state", list(FeedState))
async def test_the_feed_is_live_only_while_it_says_so(house: House, state: FeedState) -> None:
    hear(house, house.producer, FeedSaid(status=FeedStatus(state, "words")))
    assert house.supervisor.feeds.live is (state is FeedState.LIVE)
    assert house.said == [f"{state.value}: words"]
    assert house.supervisor.feeds.row([house.producer]).state == state.value


async def test_the_end_of_the_recording_ends_the_session(house: House) -> None:
    hear(house, house.producer, SessionOver(t_ns=OPEN))
    assert house.supervisor.summary()["end_reason"] == "market close"


# ---- desk and everybody


async def test_a_desk_that_is_ready_is_excused_and_names_the_account_in_the_books(house: House) -> None:
    house.supervisor.gate.hold("desk")
    account = Account(id="PA42", cash=1.0, equity=1.0, buying_power=1.0)
    hear(house, house.desk, DeskReady(account=account))
    assert house.supervisor.desk_ready
    assert house.supervisor.gate.to_acknowledge(()) == 0
    assert house.supervisor.records is not None
    await house.supervisor.records.close()
    house.supervisor.records = None
    batch = await house.store.batches.get("b-1")
    assert batch is not None
    assert batch.account_id == "PA42"


async def test_an_answer_that_the_house_expects_is_no_persons(house: House) -> None:
    answered = house.supervisor.expect("end-pause")
    hear(house, house.desk, DeskDone(id="another", ok=True, words="done"))
    assert not answered()
    hear(house, house.desk, DeskDone(id="end-pause", ok=False, words="no"))
    assert answered()
    assert house.said == []


async def test_a_childs_line_stands_in_the_log_with_its_own_time(house: House) -> None:
    said = Said(level="warn", source="momentum", words="hello", t_ns=OPEN, kind="fill")
    for kid in (house.producer, house.desk, house.consumers[0], house.scanners):
        hear(house, kid, said)
    lines = house.supervisor.log.after(0)
    assert [(line.level, line.source, line.t_ns, line.kind) for line in lines] == [
        ("warn", "momentum", OPEN, "fill")
    ] * 4


async def test_a_child_that_is_ready_runs_and_is_told_the_time(house: House) -> None:
    house.desk.state = "starting"
    hear(house, house.desk, Ready(name="desk", pid=1, build="test"))
    assert house.desk.running
    assert house.desk.heard(SetAnchor) == [SetAnchor(anchor=house.supervisor.clock.anchor)]


async def test_no_word_of_any_child_breaks_the_house(house: House) -> None:
    """A child of the wrong role says what it may not: nothing comes of it."""
    for kind in get_args(FromChild):
        for kid in (house.producer, house.desk, *house.consumers, house.scanners):
            if kind not in (VenueSaid, Ready, StatesSaved):  # these have tests of their own
                hear(house, kid, example(kind))
    assert house.supervisor.phase == "starting"
    assert isinstance(house.supervisor.fold.desk, DeskFacts)
