"""What a session writes as it runs: picks, vetoes, state, keys, log lines."""

from __future__ import annotations

import msgspec
import pytest

from liu_tui.errors import StoreError
from liu_tui.model.books import SessionEvent
from liu_tui.scanner import Hit
from liu_tui.store.store import Store
from liu_tui.store.strategy_state import StrategyState
from liu_tui.store.vetoes import Veto
from liu_tui.trading.effects import Latched
from tests.kit.store import BATCH, T0, a_batch


def a_line(n: int, words: str = "started") -> SessionEvent:
    """Make a log line."""
    return SessionEvent(n=n, t_ns=T0 + n, wall_ns=T0, level="info", source="supervisor", words=words)


async def test_a_pick_comes_back_with_what_made_it_a_hit(store: Store) -> None:
    hits = [Hit("AAPL", {"gap": 4.2}), Hit("MSFT")]
    assert await store.trending_tickers.add(BATCH, "gappers", T0, hits, strategy="alpha") == 2
    picks = await store.trending_tickers.load(BATCH)
    assert [(p.scanner, p.strategy, p.t_ns, p.hit()) for p in picks] == [
        ("gappers", "alpha", T0, hits[0]),
        ("gappers", "alpha", T0, hits[1]),
    ]


async def test_a_pick_told_again_is_one_pick_and_a_later_one_another(store: Store) -> None:
    await store.trending_tickers.add(BATCH, "gappers", T0, [Hit("AAPL")])
    assert await store.trending_tickers.add(BATCH, "gappers", T0, [Hit("AAPL")]) == 0
    assert await store.trending_tickers.add(BATCH, "gappers", T0 + 1, [Hit("AAPL")]) == 1


async def test_a_veto_stands_until_it_is_lifted(store: Store) -> None:
    veto = Veto(symbol="AAPL", strategy="", by="console", reason="halted", since_ns=T0)
    await store.vetoes.set(BATCH, veto)
    later = msgspec.structs.replace(veto, by="ctl", until_ns=T0 + 1)
    await store.vetoes.set(BATCH, later)
    assert await store.vetoes.load(BATCH) == [later]
    assert not await store.vetoes.clear(BATCH, "AAPL", "alpha")
    assert await store.vetoes.clear(BATCH, "AAPL")
    assert await store.vetoes.load(BATCH) == []


async def test_a_veto_for_good_stands_in_every_batch_until_one_of_them_lifts_it(store: Store) -> None:
    good = Veto(symbol="AAPL", strategy="", by="console", reason="never again", since_ns=T0)
    today = Veto(symbol="F", strategy="alpha", by="alpha", reason="thin", since_ns=T0 + 1, until_ns=T0 + 9)
    for veto in (good, today):
        await store.vetoes.set(BATCH, veto)
    await store.batches.begin(a_batch("b-2"))
    assert await store.vetoes.load("b-2") == [good]
    await store.vetoes.set("b-2", msgspec.structs.replace(good, until_ns=T0 + 5))
    assert await store.vetoes.load("b-2") == [good], "what is for good stands before what ends"
    assert await store.vetoes.clear("b-2", "AAPL")
    assert await store.vetoes.load("b-2") == []
    assert await store.vetoes.load(BATCH) == [today]


async def test_a_flatten_is_written_as_it_begins_and_as_it_ends(store: Store) -> None:
    begun = Latched("", T0, "ann", "news", 30)
    one = Latched("TSLA", T0 + 1, "ann", "", 1)
    for flatten in (begun, one):
        await store.flattens.put(BATCH, flatten)
    done = msgspec.structs.replace(begun, ended_ns=T0 + 5, outcome="flat")
    await store.flattens.put(BATCH, done)
    assert await store.flattens.load(BATCH) == [done, one]


async def test_each_strategy_has_keys_of_its_own(store: Store) -> None:
    await store.keystore.set("alpha", {"day": "1", "high": "101.5"})
    await store.keystore.set("beta", {"day": "9"})
    await store.keystore.set("alpha", {"day": "2"})
    assert await store.keystore.load("alpha") == {"day": "2", "high": "101.5"}
    assert await store.keystore.load("gamma") == {}


async def test_declared_state_is_the_last_saved(store: Store) -> None:
    def a_state(symbol: str, state: str) -> StrategyState:
        return StrategyState(strategy="alpha", symbol=symbol, state=state, updated_ns=T0)

    await store.strategy_state.save(BATCH, [a_state("AAPL", '{"n": 1}'), a_state("", '{"rank": []}')])
    await store.strategy_state.save(BATCH, [a_state("AAPL", '{"n": 2}')])
    assert await store.strategy_state.load(BATCH) == [
        a_state("", '{"rank": []}'),
        a_state("AAPL", '{"n": 2}'),
    ]


async def test_state_that_is_no_json_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="json_valid"):
        await store.strategy_state.save(
            BATCH, [StrategyState(strategy="alpha", symbol="AAPL", state="{", updated_ns=T0)]
        )


async def test_log_lines_are_read_from_where_one_left_off(store: Store) -> None:
    assert await store.session_events.add(BATCH, [a_line(n) for n in range(1, 6)]) == 5
    assert await store.session_events.add(BATCH, [a_line(5, "other words"), a_line(6)]) == 1
    assert [e.n for e in await store.session_events.load(BATCH, after=2, limit=3)] == [3, 4, 5]
    assert (await store.session_events.load(BATCH, after=4))[0] == a_line(5)
    assert await store.session_events.last(BATCH) == 6


async def test_each_batch_counts_its_own_lines(store: Store) -> None:
    await store.batches.begin(a_batch("b-2"))
    await store.session_events.add(BATCH, [a_line(1)])
    assert await store.session_events.last("b-2") == 0
    assert await store.session_events.load("b-2") == []
