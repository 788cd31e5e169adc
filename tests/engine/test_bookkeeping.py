"""What a batch keeps between two lives of a supervisor, read back from real books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from liu_tui.engine.bookkeeping import Bookkeeping
from liu_tui.engine.messages import (
    HitFound,
    KeyRow,
    Scanned,
    StateRow,
    StatesSaved,
    StrategyProfile,
    VetoSet,
)
from liu_tui.engine.records import Records
from liu_tui.engine.snapshot import LogLine
from liu_tui.store.store import Store
from tests.kit.engine import T0, a_plan
from tests.kit.store import BATCH, a_batch

PLAN = a_plan("momentum", "vwap")


@asynccontextmanager
async def a_life(root: Path, batch: str = BATCH) -> AsyncIterator[tuple[Bookkeeping, Store]]:
    """Give the books of a batch as a supervisor's life begins; all is written when it ends."""

    def fail(words: str) -> None:
        raise AssertionError(words)

    async with await Store.open(root / "liu.db") as store:
        await store.batches.begin(a_batch(batch))
        records = Records(store, fail)
        books = Bookkeeping(batch)
        await books.load(store, PLAN, records)
        try:
            yield books, store
        finally:
            await records.close()


def saved(*rows: StateRow, keys: tuple[KeyRow, ...] = (), after_fill: int = 0) -> StatesSaved:
    return StatesSaved(rows=rows, keys=keys, after_fill=after_fill)


def state(symbol: str, json: str, strategy: str = "momentum") -> StateRow:
    return StateRow(strategy=strategy, symbol=symbol, json=json)


def veto(
    symbol: str, strategy: str = "", *, on: bool = True, reason: str = "news", until_ns: int = 0
) -> VetoSet:
    return VetoSet(
        symbol=symbol, strategy=strategy, on=on, by="max", reason=reason, since_ns=T0, until_ns=until_ns
    )


async def test_a_first_life_begins_with_nothing(tmp_path: Path) -> None:
    async with a_life(tmp_path) as (books, _store):
        assert books.states_rows() == ()
        assert (books.keys, books.vetoes, books.after_fill, books.picks, books.dropped) == (
            {},
            {},
            {},
            [],
            set(),
        )


async def test_states_and_how_far_fills_were_heard_come_back_together(tmp_path: Path) -> None:
    own = state("", '{"rank":[1]}', "vwap")
    async with a_life(tmp_path) as (books, _store):
        books.save_states("A", saved(state("TSLA", '{"n":1}'), own, after_fill=3), T0)
        books.save_states("B", saved(state("AAPL", '{"n":5}'), after_fill=9), T0)
        books.save_states("A", saved(state("TSLA", '{"n":2}'), after_fill=4), T0)
        in_memory = (books.states, books.after_fill)
    async with a_life(tmp_path) as (books, _store):
        assert set(books.states_rows()) == {state("TSLA", '{"n":2}'), own, state("AAPL", '{"n":5}')}
        assert books.after_fill == {"A": 4, "B": 9}
        assert (books.states, books.after_fill) == in_memory


async def test_keys_come_back_in_another_batch_too_and_states_do_not(tmp_path: Path) -> None:
    keys = (
        KeyRow(strategy="momentum", key="last", value="1"),
        KeyRow(strategy="momentum", key="last", value="2"),
    )
    async with a_life(tmp_path) as (books, _store):
        books.save_states("A", saved(state("TSLA", "{}"), keys=keys), T0)
        books.set_veto(veto("TSLA", until_ns=T0 + 1))
        books.set_dropped("F", True)
    async with a_life(tmp_path, "b-2") as (books, _store):
        assert books.keys == {("momentum", "last"): keys[1]}
        assert (books.states, books.vetoes, books.dropped) == ({}, {}, set())


async def test_a_veto_for_good_comes_back_in_another_batch_until_somebody_allows_it_there(
    tmp_path: Path,
) -> None:
    async with a_life(tmp_path) as (books, _store):
        books.set_veto(veto("TSLA"))
    async with a_life(tmp_path, "b-2") as (books, _store):
        assert books.vetoes == {("TSLA", ""): veto("TSLA")}
        books.set_veto(veto("TSLA", on=False))
    async with a_life(tmp_path, "b-3") as (books, _store):
        assert books.vetoes == {}


async def test_of_two_vetoes_for_the_same_the_one_that_lasts_longer_stands(tmp_path: Path) -> None:
    async with a_life(tmp_path) as (books, _store):
        for until_ns in (T0 + 5, T0 + 2, 0, T0 + 9):
            books.set_veto(veto("TSLA", until_ns=until_ns))
    async with a_life(tmp_path) as (books, _store):
        assert books.vetoes == {("TSLA", ""): veto("TSLA")}


async def test_a_veto_whose_time_is_over_is_forgotten(tmp_path: Path) -> None:
    async with a_life(tmp_path) as (books, _store):
        short, good = veto("TSLA", until_ns=T0 + 5), veto("F")
        for one in (short, good):
            books.set_veto(one)
        assert books.end_vetoes(T0 + 4) == []
        assert books.end_vetoes(T0 + 5) == [short]
        assert books.vetoes == {("F", ""): good}


async def test_vetoes_come_back_with_who_set_them_and_why(tmp_path: Path) -> None:
    async with a_life(tmp_path) as (books, _store):
        books.set_veto(veto("TSLA"))
        books.set_veto(veto("F", "vwap"))
    async with a_life(tmp_path) as (books, _store):
        assert books.vetoes == {("TSLA", ""): veto("TSLA"), ("F", "vwap"): veto("F", "vwap")}
        assert books.rejected("TSLA")
        assert not books.rejected("F")


@pytest.mark.parametrize(
    ("lifted", "left"), [("", set()), ("vwap", {"", "momentum"}), ("unknown", {"", "momentum", "vwap"})]
)
async def test_lifting_a_veto_for_all_lifts_each_and_for_one_only_its_own(
    tmp_path: Path, lifted: str, left: set[str]
) -> None:
    async with a_life(tmp_path) as (books, _store):
        for strategy in ("", "momentum", "vwap"):
            books.set_veto(veto("TSLA", strategy))
        books.set_veto(veto("F"))
        books.set_veto(veto("TSLA", lifted, on=False))
        in_memory = books.vetoes
    async with a_life(tmp_path) as (books, _store):
        assert books.vetoes == in_memory
        assert {strategy for symbol, strategy in books.vetoes if symbol == "TSLA"} == left
        assert books.rejected("F")


async def test_a_veto_set_again_keeps_its_first_reason_in_this_life_and_the_next(tmp_path: Path) -> None:
    async with a_life(tmp_path) as (books, _store):
        books.set_veto(veto("TSLA", reason="first"))
        books.set_veto(veto("TSLA", reason="second"))
        assert books.vetoes["TSLA", ""].reason == "first"
    async with a_life(tmp_path) as (books, _store):
        assert books.vetoes["TSLA", ""].reason == "first"


async def test_what_was_unsubscribed_stays_so_unless_it_was_taken_back(tmp_path: Path) -> None:
    async with a_life(tmp_path) as (books, _store):
        for symbol in ("TSLA", "F", "GME"):
            books.set_dropped(symbol, True)
        books.set_dropped("F", False)
        books.set_dropped("NEVER", False)
    async with a_life(tmp_path) as (books, _store):
        assert books.dropped == {"TSLA", "GME"}
        assert books.states == {}


async def test_a_symbol_that_is_called_like_a_consumer_is_not_taken_for_it(tmp_path: Path) -> None:
    """A, B, C and F are companies too."""
    async with a_life(tmp_path) as (books, _store):
        books.set_dropped("A", True)
        books.save_states("A", saved(state("A", "{}"), after_fill=7), T0)
        books.save_states("B", saved(after_fill=8), T0)
        books.set_dropped("B", True)
    async with a_life(tmp_path) as (books, _store):
        assert books.dropped == {"A", "B"}
        assert books.after_fill == {"A": 7, "B": 8}
        assert books.states_rows() == (state("A", "{}"),)


async def test_picks_come_back_oldest_first_with_their_targets(tmp_path: Path) -> None:
    def scanned(symbol: str, t_ns: int, target: str = "") -> Scanned:
        hits = (HitFound(symbol=symbol, values={"gap": 4.5}),)
        return Scanned(scanner="gaps", target=target, t_ns=t_ns, hits=hits)

    async with a_life(tmp_path) as (books, _store):
        books.hits(scanned("TSLA", T0 + 2))
        books.hits(scanned("F", T0 + 1, "vwap"))
    async with a_life(tmp_path) as (books, _store):
        assert [(pick.symbol, pick.strategy, pick.hit().values) for pick in books.picks] == [
            ("F", "vwap", {"gap": 4.5}),
            ("TSLA", "", {"gap": 4.5}),
        ]


async def test_the_logs_lines_are_in_the_books(tmp_path: Path) -> None:
    line = LogLine(n=1, t_ns=T0, wall_ns=T0, level="good", source="session", words="ready", kind="")
    async with a_life(tmp_path) as (books, _store):
        books.line(line)
    async with a_life(tmp_path) as (_books, store):
        ((event),) = await store.session_events.load(BATCH)
        assert (event.n, event.level, event.words) == (1, "good", "ready")


def test_before_the_books_are_loaded_nothing_is_written_and_nothing_breaks() -> None:
    books = Bookkeeping(BATCH)
    books.line(LogLine(n=1, t_ns=T0, wall_ns=T0, level="info", source="session", words="starting", kind=""))
    books.set_dropped("TSLA", True)
    assert books.dropped == {"TSLA"}


async def test_what_a_strategy_declares_is_known_to_the_next_life_though_its_file_may_be_broken_then(
    tmp_path: Path,
) -> None:
    first = StrategyProfile(name="momentum", filename="m.py", events=("minute",), swing=False)
    newer = StrategyProfile(name="momentum", filename="m.py", events=("minute",), swing=True)
    async with a_life(tmp_path) as (books, _store):
        books.save_profile(first)
        books.save_profile(newer)
    async with a_life(tmp_path) as (books, _store):
        assert books.profiles == {"momentum": newer}
