"""The connections as the console shows them: the worst of all, and how fresh each symbol is."""

from __future__ import annotations

import pytest

from liu_tui.engine.feeds import COUNTS, Feeds
from liu_tui.engine.kids import Kid
from liu_tui.engine.messages import Alive, Freshness, SymbolHealth
from liu_tui.engine.snapshot import Detail, FeedRow, HitRow
from liu_tui.market.streaming import FeedState, FeedStatus
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS
from tests.kit.engine import example, nothing


def a_producer(name: str, **alive: object) -> Kid:
    kid = Kid("producer", name, nothing)
    kid.alive = Alive(**alive)  # type: ignore[arg-type] # fields by name
    return kid


def health(symbol: str, **words: object) -> SymbolHealth:
    usual = {"age_s": 0.5, "usual_s": 0.2, "stale": False, "halted": False, "held_back": 0, "volume": 0.0}
    return SymbolHealth(symbol=symbol, **{**usual, **words})  # type: ignore[arg-type] # as above


def a_hit(symbol: str) -> HitRow:
    hit: HitRow = example(HitRow)
    return HitRow(**{name: getattr(hit, name) for name in hit.__struct_fields__} | {"symbol": symbol})


@pytest.mark.parametrize(
    ("one", "two", "worst"),
    [
        (FeedState.LIVE, FeedState.LIVE, "live"),
        (FeedState.LIVE, FeedState.CONNECTING, "connecting"),
        (FeedState.LOST, FeedState.CONNECTING, "lost"),
        (FeedState.LOST, FeedState.REFUSED, "refused"),
    ],
)
def test_the_feed_is_as_well_as_its_worst_stream(one: FeedState, two: FeedState, worst: str) -> None:
    feeds = Feeds(["p1", "p2"])
    feeds.said("p1", FeedStatus(one, "first"))
    feeds.said("p2", FeedStatus(two, "second"))
    row = feeds.row([a_producer("p1"), a_producer("p2")])
    assert row.state == worst
    assert feeds.live is (worst == "live")
    assert [stream.name for stream in row.streams] == ["p1", "p2"]


def test_a_line_that_is_up_and_quiet_is_shown_as_silent_and_said_once() -> None:
    feeds = Feeds(["p"])
    feeds.said("p", FeedStatus(FeedState.LIVE, "up"))
    assert feeds.fresh("p", Freshness(silent_s=7.0, rows=()))
    assert not feeds.fresh("p", Freshness(silent_s=8.0, rows=()))
    row = feeds.row([a_producer("p")])
    assert (row.state, row.words) == ("silent", "connected, but no event for 8 s")
    feeds.said("p", FeedStatus(FeedState.LOST, "cut"))
    assert feeds.row([a_producer("p")]).state == "lost"


def test_counts_are_of_all_lives_and_all_producers() -> None:
    one, two = (
        a_producer("p1", received=10, last_event_ns=monotonic_ns(), **dict.fromkeys(COUNTS, 2)),
        a_producer("p2", received=5, left_out=("F", "A"), **dict.fromkeys(COUNTS, 3)),
    )
    one.bury()
    one.alive = Alive(duplicates=1)
    row = Feeds(["p1", "p2"]).row([one, two])
    assert row.received == 15
    assert row.duplicates == 6
    assert {name: getattr(row, name) for name in COUNTS if name != "duplicates"} == dict.fromkeys(
        (name for name in COUNTS if name != "duplicates"), 5
    )
    assert row.left_out == ("A", "F")
    assert isinstance(row, FeedRow)


def test_a_pick_and_its_detail_say_how_fresh_the_symbol_is() -> None:
    feeds = Feeds(["p"])
    feeds.fresh("p", Freshness(silent_s=0.0, rows=(health("F", stale=True, volume=900.0, held_back=2),)))
    dressed = feeds.dress(a_hit("F"))
    assert (dressed.age_s, dressed.usual_s, dressed.stale, dressed.volume) == (0.5, 0.2, True, 900.0)
    assert feeds.dress(a_hit("T")) == a_hit("T")
    assert feeds.describe(Detail(symbol="F")).held_back == 2
    assert feeds.describe(Detail(symbol="T")) == Detail(symbol="T")
    assert feeds.row([a_producer("p")]).stale == 1


def test_a_symbol_that_is_told_no_more_has_no_age_any_more() -> None:
    feeds = Feeds(["p1", "p2"])
    feeds.fresh("p1", Freshness(silent_s=0.0, rows=(health("F"), health("T"))))
    feeds.fresh("p2", Freshness(silent_s=0.0, rows=(health("X"),)))
    feeds.fresh("p1", Freshness(silent_s=0.0, rows=(health("T"),)))
    assert [feeds.dress(a_hit(symbol)).age_s == 0.5 for symbol in ("F", "T", "X")] == [False, True, True]


def test_a_producers_death_is_a_lost_line_and_remembered_for_its_successor() -> None:
    feeds = Feeds(["p"])
    feeds.said("p", FeedStatus(FeedState.LIVE, "up"))
    feeds.died("p", 5 * SECOND_NS)
    assert not feeds.live
    assert feeds.lost_ns == {"p": 5 * SECOND_NS}
