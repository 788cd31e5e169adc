"""Watching: each watched symbol is served once for each of its strategies, wherever the consumers are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.messages import SymbolTask
from liu_tui.engine.shards import shard_of
from liu_tui.engine.watching import Watching, split
from liu_tui.model.market import Event
from tests.kit.engine import a_plan, a_profile

SYMBOLS = ["AAPL", "F", "GME", "TSLA", "BRK.B"]


def a_watching(consumers: int = 2) -> Watching:
    """Watch for two strategies that run by event and one that ranks all."""
    watching = Watching(a_plan("momentum", "vwap", "rank"), consumers)
    watching.know(
        [
            a_profile("momentum", events=("minute",)),
            a_profile("vwap", events=("minute", "quote")),
            a_profile("rank", run_all=True, events=("minute",)),
        ]
    )
    return watching


def test_a_symbol_that_is_not_watched_is_nobodys_task() -> None:
    watching = a_watching()
    assert watching.tasks_of("TSLA") == {}
    assert watching.routes() == ()


def test_a_targeted_pick_serves_its_strategy_alone() -> None:
    watching = a_watching()
    watching.list.pick("TSLA", "vwap")
    assert watching.tasks_of("TSLA") == {shard_of("TSLA", 2): SymbolTask(symbol="TSLA", strategies=("vwap",))}


def test_one_that_ranks_all_gets_every_symbol_at_its_home() -> None:
    watching = a_watching(consumers=8)
    for symbol in SYMBOLS:
        watching.list.pick(symbol)
    home = shard_of("rank", 8)
    assert [task.symbol for task in watching.tasks_for(home) if "rank" in task.strategies] == SYMBOLS
    for place in set(range(8)) - {home}:
        assert all("rank" not in task.strategies for task in watching.tasks_for(place))


def test_a_pick_for_a_strategy_that_the_plan_does_not_have_is_served_by_nobody() -> None:
    watching = a_watching()
    watching.list.pick("TSLA", "gone")
    assert watching.tasks_of("TSLA") == {}
    assert watching.routes()[0].consumers == ()


def test_a_strategy_that_could_not_be_loaded_keeps_what_was_known_of_it() -> None:
    watching = a_watching()
    watching.know([a_profile("rank", fault="a syntax error")])
    assert watching.profiles["rank"].run_all


def test_what_is_subscribed_is_what_strategies_declare_and_the_plan_adds() -> None:
    watching = Watching(a_plan("momentum", events=(Event.SECOND,)), 1)
    watching.know([a_profile("momentum", events=("quote",))])
    watching.list.pick("TSLA")
    assert watching.routes()[0].events == ("minute", "quote", "second", "trade")


def test_the_owner_of_a_symbol_serves_it() -> None:
    watching = a_watching(consumers=8)
    watching.list.pick("TSLA")
    assert watching.owner("TSLA") == shard_of("TSLA", 8)
    watching.list.pick("GME", "rank")
    assert watching.owner("GME") == shard_of("rank", 8)
    assert watching.owner("UNKNOWN") == shard_of("UNKNOWN", 8)


def test_split_gathers_each_consumers_tasks_in_their_order() -> None:
    a, b, c = (SymbolTask(symbol=name) for name in "ABC")
    assert split([{0: a, 1: a}, {1: b}, {0: c}]) == {0: (a, c), 1: (a, b)}


@given(
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=6), st.booleans(), min_size=1, max_size=5),
    st.lists(st.tuples(st.text("ABCDEFG", min_size=1, max_size=5), st.integers(0, 5)), max_size=20),
    st.integers(1, 26),
)
def test_however_many_consumers_every_watched_symbol_is_served_once_for_each_of_its_strategies(
    strategies: dict[str, bool], picks: list[tuple[str, int]], consumers: int
) -> None:
    watching = Watching(a_plan(*strategies), consumers)
    watching.know(a_profile(name, run_all=ranks) for name, ranks in strategies.items())
    names = sorted(strategies)
    wanted: dict[str, set[str]] = {}
    for symbol, which in picks:
        target = names[which] if which < len(names) else ""
        watching.list.pick(symbol, target)
        wanted.setdefault(symbol, set()).update([target] if target else names)

    served: list[tuple[str, str]] = []
    for place in range(consumers):
        for task in watching.tasks_for(place):
            assert task.strategies
            for name in task.strategies:
                served.append((task.symbol, name))
                home = shard_of(name if strategies[name] else task.symbol, consumers)
                assert place == home
    assert sorted(served) == sorted((symbol, name) for symbol, names in wanted.items() for name in names)

    routes = {route.symbol: route.consumers for route in watching.routes()}
    assert routes.keys() == wanted.keys()
    for symbol, places in routes.items():
        assert len(set(places)) == len(places)
        assert set(places) == {
            place for place in range(consumers) for task in watching.tasks_for(place) if task.symbol == symbol
        }
