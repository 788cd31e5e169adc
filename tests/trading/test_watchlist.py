"""The watchlist: what is watched, for whom, and never more than the plan allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.market import Event
from liu_tui.trading.watchlist import ALWAYS, Watched, Watchlist, events_of, wanted_events


def names_of(watchlist: Watchlist, symbol: str) -> frozenset[str]:
    """Tell the strategies of a watched symbol."""
    watched = watchlist.get(symbol)
    assert watched is not None
    return watched.strategies()


def test_a_pick_is_new_once_and_known_after() -> None:
    watchlist = Watchlist(10)
    assert watchlist.pick("TSLA", "momentum") == "new"
    assert watchlist.pick("TSLA", "momentum") == "known"
    assert "TSLA" in watchlist
    assert len(watchlist) == 1


def test_a_pick_for_another_strategy_widens_and_one_for_all_ends_that() -> None:
    watchlist = Watchlist(10)
    watchlist.pick("TSLA", "momentum")
    assert watchlist.pick("TSLA", "vwap") == "wider"
    assert names_of(watchlist, "TSLA") == {"momentum", "vwap"}
    assert watchlist.pick("TSLA") == "wider"
    assert names_of(watchlist, "TSLA") == frozenset()
    assert watchlist.pick("TSLA", "rank") == "known"
    assert watchlist.pick("TSLA") == "known"


def test_a_full_list_takes_nothing_new_but_widens_what_it_has() -> None:
    watchlist = Watchlist(2)
    assert [watchlist.pick(symbol, "momentum") for symbol in "ABC"] == ["new", "new", "full"]
    assert watchlist.pick("A", "vwap") == "wider"
    assert watchlist.symbols == ["A", "B"]
    watchlist.drop("A")
    assert watchlist.pick("C") == "new"


def test_what_was_unsubscribed_stays_out_until_a_person_wants_it_again() -> None:
    watchlist = Watchlist(10)
    watchlist.pick("TSLA")
    assert watchlist.drop("TSLA")
    assert watchlist.pick("TSLA") == "dropped"
    assert "TSLA" not in watchlist
    assert watchlist.get("TSLA") is None
    watchlist.restore("TSLA")
    assert watchlist.pick("TSLA", "vwap") == "new"
    assert names_of(watchlist, "TSLA") == {"vwap"}


def test_dropping_what_is_not_watched_says_so() -> None:
    assert not Watchlist(10).drop("TSLA")


def test_symbols_stand_in_the_order_in_which_they_were_first_picked() -> None:
    watchlist = Watchlist(10)
    for symbol in ("C", "A", "B", "A", "C"):
        watchlist.pick(symbol)
    assert watchlist.symbols == ["C", "A", "B"]


def test_trades_and_minute_bars_are_always_wanted() -> None:
    assert wanted_events([], []) == ALWAYS == {Event.TRADE, Event.MINUTE}
    assert wanted_events(["quote"], [Event.SECOND]) == set(Event)


def watched(watchlist: Watchlist, symbol: str) -> Watched:
    """A watched symbol."""
    found = watchlist.get(symbol)
    assert found is not None
    return found


DECLARED = {"momentum": ("minute",), "maker": ("quote",), "tape": ("trade", "second")}


def test_a_symbol_is_subscribed_for_what_its_own_strategies_declare() -> None:
    watchlist = Watchlist(10)
    watchlist.pick("TSLA", "momentum")
    watchlist.pick("F", "maker")
    watchlist.pick("SPY")
    assert events_of(watched(watchlist, "TSLA"), DECLARED, ()) == ALWAYS
    assert events_of(watched(watchlist, "F"), DECLARED, ()) == ALWAYS | {Event.QUOTE}
    assert events_of(watched(watchlist, "SPY"), DECLARED, ()) == set(Event)
    assert events_of(watched(watchlist, "TSLA"), DECLARED, (Event.SECOND,)) == ALWAYS | {Event.SECOND}


def test_a_scanner_adds_the_data_that_it_needs_to_its_own_picks_only() -> None:
    watchlist = Watchlist(10)
    assert watchlist.pick("TSLA", "momentum", {Event.QUOTE}) == "new"
    assert watchlist.pick("F", "momentum") == "new"
    assert events_of(watched(watchlist, "TSLA"), DECLARED, ()) == ALWAYS | {Event.QUOTE}
    assert events_of(watched(watchlist, "F"), DECLARED, ()) == ALWAYS
    assert watchlist.pick("F", "momentum", {Event.QUOTE}) == "wider"
    assert watchlist.pick("F", "momentum", {Event.QUOTE}) == "known"
    assert watchlist.pick("F", "momentum") == "known", "what one scanner needs another does not take away"
    assert events_of(watched(watchlist, "F"), DECLARED, ()) == ALWAYS | {Event.QUOTE}


def test_a_strategy_that_nothing_is_known_of_yet_adds_nothing() -> None:
    watchlist = Watchlist(10)
    watchlist.pick("TSLA", "newcomer")
    assert events_of(watched(watchlist, "TSLA"), DECLARED, ()) == ALWAYS


PICK = st.tuples(st.just("pick"), st.sampled_from("ABCDEF"), st.sampled_from(["", "one", "two"]))
OTHER = st.tuples(st.sampled_from(["drop", "restore"]), st.sampled_from("ABCDEF"), st.just(""))
DEED = st.one_of(PICK, OTHER)


@given(st.lists(DEED, max_size=40), st.integers(1, 4))
def test_whatever_is_picked_and_dropped_the_list_is_never_over_its_limit_and_says_what_it_did(
    deeds: list[tuple[str, str, str]], most: int
) -> None:
    watchlist = Watchlist(most)
    for what, symbol, target in deeds:
        before = symbol in watchlist
        if what == "pick":
            said = watchlist.pick(symbol, target)
            assert (symbol in watchlist) is (said in ("new", "wider", "known"))
            assert before is (said in ("wider", "known"))
            if said == "full":
                assert len(watchlist) == most
        elif what == "drop":
            assert watchlist.drop(symbol) is before
            assert symbol not in watchlist
        else:
            watchlist.restore(symbol)
            assert (symbol in watchlist) is before
        assert len(watchlist) <= most
