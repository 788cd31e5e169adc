"""The late rule: exactly where it begins, what it keeps, and how it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.lateness import LateLines, clean, cutoff_ns, has_late, words_of
from liu_tui.engine.messages import GapBegin, Marks, OnMarketLink
from liu_tui.market.marks import Mark
from liu_tui.market.streaming import Halt
from liu_tui.model.market import SECOND_NS, Quote, Step, Trade
from tests.kit.engine import T0, a_bar, a_quote, a_trade

NOW = T0 + 3600 * SECOND_NS


def waited(seconds: float, symbol: str = "TSLA") -> Trade:
    """Make a trade that is so old in session time."""
    return Trade(symbol, NOW - round(seconds * SECOND_NS), 100.0, 100.0)


@pytest.mark.parametrize(
    ("speed", "delay_s", "limit_s"),
    [(1.0, 0.0, 5.0), (10.0, 0.0, 50.0), (0.5, 0.0, 2.5), (1.0, 900.0, 905.0), (10.0, 900.0, 950.0)],
)
def test_an_event_is_late_from_the_first_nanosecond_beyond_five_seconds(
    speed: float, delay_s: float, limit_s: float
) -> None:
    cutoff = cutoff_ns(NOW, 5.0, speed, int(delay_s * SECOND_NS))
    at_the_limit = waited(limit_s)
    assert not has_late([at_the_limit], cutoff)
    beyond = Quote("TSLA", at_the_limit.t_ns - 1, 1.0, 1.0, 2.0, 1.0)
    assert has_late([beyond], cutoff)
    assert clean([at_the_limit, beyond], cutoff, NOW, speed).counts == {"TSLA": 1}


def test_bars_and_marks_are_never_late() -> None:
    old: list[OnMarketLink] = [
        a_bar(),
        Step(1, T0),
        Halt("TSLA", T0, True),
        GapBegin(from_ns=T0, to_ns=T0 + 1),
        Marks(prices=(Mark("TSLA", 1.0),)),
    ]
    cutoff = cutoff_ns(NOW, 5.0, 1.0)
    assert not has_late(old, cutoff)
    cleaned = clean(old, cutoff, NOW, 1.0)
    assert cleaned.keep == old
    assert cleaned.counts == {}
    assert cleaned.worst == ("", 0.0)


def test_the_newest_late_quote_and_trade_of_each_symbol_still_update_the_series() -> None:
    events: list[OnMarketLink] = [
        a_trade("A", 1),
        a_quote("A", 2),
        a_trade("A", 3),
        a_bar("A", 4),
        a_trade("B", 5),
        waited(1.0),
        a_quote("A", 6),
    ]
    cleaned = clean(events, cutoff_ns(NOW, 5.0, 1.0), NOW, 1.0)
    assert cleaned.keep == [a_bar("A", 4), waited(1.0)]
    assert sorted(cleaned.absorb, key=lambda e: e.t_ns) == [a_trade("A", 3), a_trade("B", 5), a_quote("A", 6)]
    assert cleaned.counts == {"A": 4, "B": 1}


@pytest.mark.parametrize(("speed", "delay_s"), [(1.0, 0.0), (10.0, 0.0), (10.0, 900.0)])
def test_the_worst_is_told_in_wall_seconds_without_the_feeds_own_delay(speed: float, delay_s: float) -> None:
    delay_ns = int(delay_s * SECOND_NS)
    events = [
        waited(delay_s + seconds * speed, symbol)
        for seconds, symbol in ((6, "A"), (7.214, "TSLA"), (5.5, "B"))
    ]
    cleaned = clean(events, cutoff_ns(NOW, 5.0, speed, delay_ns), NOW, speed, delay_ns)
    assert cleaned.worst[0] == "TSLA"
    assert cleaned.worst[1] == pytest.approx(7.214)


@pytest.mark.parametrize(
    ("waited_s", "words"),
    [
        (7.214, "0:00:07.214"),
        (59.9996, "0:01:00.000"),
        (61.5, "0:01:01.500"),
        (3599.9999, "1:00:00.000"),
        (36_005.25, "10:00:05.250"),
    ],
)
def test_the_log_says_it_as_traders_know_it(waited_s: float, words: str) -> None:
    assert words_of("A", "TSLA", waited_s) == f"consumer A TSLA out of sync w {words}"


EVENTS = st.builds(
    lambda kind, symbol, age_s: {
        "q": Quote(symbol, NOW - age_s * SECOND_NS, 1.0, 1.0, 2.0, 1.0),
        "t": waited(age_s, symbol),
        "b": a_bar(symbol, age_s),
    }[kind],
    st.sampled_from("qtb"),
    st.sampled_from("ABC"),
    st.integers(0, 12),
)


@given(st.lists(EVENTS, max_size=40), st.sampled_from([1.0, 2.0]))
def test_nothing_is_kept_twice_and_every_discard_is_counted(events: list[OnMarketLink], speed: float) -> None:
    cutoff = cutoff_ns(NOW, 5.0, speed)
    cleaned = clean(events, cutoff, NOW, speed)
    assert len(cleaned.keep) + sum(cleaned.counts.values()) == len(events)
    assert not has_late(cleaned.keep, cutoff)
    assert has_late(events, cutoff) == bool(cleaned.counts)
    assert len({(type(e), e.symbol) for e in cleaned.absorb}) == len(cleaned.absorb)
    assert {e.symbol for e in cleaned.absorb} == set(cleaned.counts)


def test_the_log_hears_of_lateness_at_once_and_then_once_a_second_of_the_worst() -> None:
    lines = LateLines()
    assert lines.due(0) is None
    lines.note("TSLA", 6.0)
    assert lines.due(0) == ("TSLA", 6.0)
    lines.note("F", 7.0)
    lines.note("T", 6.5)
    assert lines.due(SECOND_NS // 2) is None
    assert lines.due(SECOND_NS) == ("F", 7.0)
    assert lines.due(9 * SECOND_NS) is None
