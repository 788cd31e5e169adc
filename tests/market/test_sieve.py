"""Sieve: what comes twice, late or from nowhere is recognised; true moves pass, and nothing is lost."""

from collections.abc import Iterable
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market import sieve as sieve_module
from liu_tui.market.doubt import ENOUGH, HELD_MOST
from liu_tui.market.expansion import expand
from liu_tui.market.limits import width
from liu_tui.market.recent import BARS, GENERATION
from liu_tui.market.sieve import WORDS_MOST, Sieve
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Bar,
    Halt,
    PriceBand,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from tests.kit.market import a_bar, a_quote, a_trade, at

NOON = at("12:00")


def prints(*prices: float, start_ns: int = NOON, apart_ns: int = SECOND_NS) -> list[Trade]:
    """Make one print a second at these prices, each with an id of its own."""
    return [Trade("QQQ", start_ns + n * apart_ns, price, 100.0, n + 1, "V") for n, price in enumerate(prices)]


def quotes(*mids: float, start_ns: int = NOON, apart_ns: int = SECOND_NS) -> list[Quote]:
    """Make one quote a second around these prices, two cents wide."""
    return [
        Quote("QQQ", start_ns + n * apart_ns, mid - 0.01, 100.0, mid + 0.01, 100.0)
        for n, mid in enumerate(mids)
    ]


def sift(events: Iterable[TapeEvent], sieve: Sieve | None = None) -> list[TapeEvent]:
    """Return what passes, in the order in which a caller passes it on."""
    sieve = sieve or Sieve("QQQ")
    passed: list[TapeEvent] = []
    for event in events:
        admitted = sieve.admit(event)
        passed += sieve.released
        sieve.released.clear()
        if admitted:
            passed.append(event)
    return passed


def prices_of(events: Iterable[TapeEvent]) -> list[float]:
    return [event.price for event in events if isinstance(event, Trade)]


# ── duplicates ──


def test_a_print_that_comes_twice_passes_once() -> None:
    sieve = Sieve("QQQ")
    first, second = prints(100.0, 100.1)
    assert sift([first, first, second, first, second], sieve) == [first, second]
    assert (sieve.duplicates, sieve.disordered, sieve.held_back) == (3, 0, 0)


def test_prints_of_one_moment_are_told_apart_by_their_ids_and_exchanges() -> None:
    sieve = Sieve("QQQ")
    one = Trade("QQQ", NOON, 100.0, 100.0, 7, "V")
    others = [Trade("QQQ", NOON, 100.0, 100.0, 7, "P"), Trade("QQQ", NOON, 100.0, 100.0, 8, "V")]
    assert sift([one, *others, *others, one], sieve) == [one, *others]
    assert sieve.duplicates == 3


def test_prints_without_an_id_are_the_same_if_all_their_fields_are() -> None:
    sieve = Sieve("QQQ")
    one, other = a_trade(NOON, 100.0), a_trade(NOON, 100.0, 200.0)
    assert sift([one, other, one, other], sieve) == [one, other]
    assert sieve.duplicates == 2


def test_a_print_is_known_again_after_hundreds_of_others() -> None:
    sieve = Sieve("QQQ")
    many = prints(*[100.0] * (GENERATION + 10), apart_ns=1_000)
    sift(many, sieve)
    assert not sieve.admit(many[0])
    assert sieve.duplicates == 1


def test_the_same_time_and_id_on_another_exchange_is_another_print() -> None:
    sieve = Sieve("QQQ")
    one, other = (Trade("QQQ", NOON, 100.0, 1.0, 1, exchange) for exchange in "VQ")
    assert sift([one, other, one, other], sieve) == [one, other]
    assert sieve.duplicates == 2


def test_what_is_remembered_is_bounded() -> None:
    sieve = Sieve("QQQ")
    sift(prints(*[100.0] * (5 * GENERATION), apart_ns=1_000), sieve)
    sift((Trade("QQQ", NOON + SECOND_NS, 100.0, 1.0, n + 1, "V") for n in range(5 * GENERATION)), sieve)
    sift((a_bar(NOON + n * MINUTE_NS) for n in range(3 * BARS)), sieve)
    recent, bars = sieve._recent, sieve._bars
    kept = [page for pages in (recent.pages, recent._older) for page in pages.values()]
    assert sum(map(len, kept)) <= 2 * GENERATION
    assert len(recent._twins) + len(recent._older_twins) <= 2 * GENERATION
    assert len(bars._told) <= BARS


def test_a_quote_like_the_newest_in_all_fields_is_a_duplicate_and_another_of_that_moment_is_not() -> None:
    sieve = Sieve("QQQ")
    quote = a_quote(NOON)
    other = a_quote(NOON, 99.98, 100.02)
    assert sift([quote, quote, other], sieve) == [quote, other]
    assert sieve.duplicates == 1


def test_a_bar_that_comes_twice_passes_once_and_a_revision_passes() -> None:
    sieve = Sieve("QQQ")
    first = a_bar(NOON)
    revised = msgspec.structs.replace(first, volume=120.0, revised=True)
    assert sift([first, first, revised, first, revised], sieve) == [first, revised]
    assert sieve.duplicates == 3


def test_a_day_bar_passes_whatever_it_says_and_once_if_nothing_changed() -> None:
    sieve = Sieve("QQQ")
    sift(prints(100.0), sieve)
    day = Bar("QQQ", at("00:00"), 90.0, 150.0, 40.0, 100.0, 1e6, span_ns=DAY_NS)
    later = msgspec.structs.replace(day, volume=2e6)
    assert sift([day, day, later], sieve) == [day, later]
    assert (sieve.duplicates, sieve.held_back) == (1, 0)


# ── order ──


def test_a_quote_older_than_the_newest_is_counted_and_left_out() -> None:
    sieve = Sieve("QQQ")
    older, newer = quotes(100.0, 100.1)
    assert sift([newer, older], sieve) == [newer]
    assert (sieve.disordered, sieve.held_back) == (1, 0)


def test_a_late_print_is_counted_and_passes() -> None:
    sieve = Sieve("QQQ")
    early, late, newest = prints(100.0, 100.2, 100.1)
    assert sift([early, newest, late], sieve) == [early, newest, late]
    assert sieve.disordered == 1


def test_a_late_print_far_from_the_market_is_held_back_but_one_of_the_level_before_a_jump_is_not() -> None:
    sieve = Sieve("QQQ")
    old, late_true, late_bad, *new = prints(100.0, 100.5, 80.0, 110.0, 110.1, 110.2)
    assert sift([old, *new, late_true, late_bad], sieve) == [old, *new, late_true]
    assert (sieve.disordered, sieve.held_back) == (2, 1)


def test_a_late_print_does_not_move_the_reference() -> None:
    sieve = Sieve("QQQ")
    a, late, c = prints(100.0, 96.0, 100.0)
    sift([a, c, late], sieve)
    assert sift(prints(104.9, start_ns=NOON + 9 * SECOND_NS), sieve) != []


def test_a_bar_older_than_the_newest_is_counted_and_passes() -> None:
    sieve = Sieve("QQQ")
    first, second = a_bar(NOON), a_bar(NOON + MINUTE_NS)
    assert sift([second, first], sieve) == [second, first]
    assert sieve.disordered == 1


# ── bad prints ──


def test_a_lone_print_far_from_the_market_is_held_back_in_words() -> None:
    sieve = Sieve("QQQ")
    start_ns = at("04:17:04")
    assert prices_of(sift(prints(475.03, 441.12, 475.05, start_ns=start_ns), sieve)) == [475.03, 475.05]
    assert sieve.held_back == 1
    assert sieve.words == ["QQQ print of 441.12 at 04:17:05 is 7.1 % from 475.03: held back"]


@pytest.mark.parametrize(
    ("price", "near", "far"),
    [
        (475.0, 452.0, 451.0),
        (475.0, 499.9, 500.1),
        (3.0, 3.15, 3.16),
        (2.9, 2.35, 2.30),
        (0.75, 0.61, 0.59),
        (0.70, 0.87, 0.89),
        (0.10, 0.24, 0.26),
    ],
)
def test_the_limit_goes_by_price(price: float, near: float, far: float) -> None:
    assert prices_of(sift(prints(price, near, price))) == [price, near, price]
    assert prices_of(sift(prints(price, far, price))) == [price, price]


def test_a_print_that_may_set_no_price_is_never_judged_and_confirms_nothing() -> None:
    sieve = Sieve("QQQ")
    odd = [msgspec.structs.replace(t, conditions=("@", "I")) for t in prints(*[50.0] * 5)]
    after = prints(50.0, 100.0, start_ns=NOON + 10 * SECOND_NS)
    assert sift([*prints(100.0, start_ns=NOON - 1), *odd, *after], sieve)[1:] == [*odd, after[1]]
    assert sieve.held_back == 1


def test_three_prints_in_a_row_are_the_market_and_all_of_them_pass_in_order() -> None:
    sieve = Sieve("QQQ")
    sift(prints(100.0, start_ns=NOON - 2 * MINUTE_NS), sieve)
    events = prints(120.0, 120.5, 119.9, 120.2)
    assert sift(events[:2], sieve) == []
    assert sieve.waiting == 2
    assert sift(events[2:], sieve) == events
    assert (sieve.held_back, sieve.waiting) == (0, 0)
    words = "QQQ moved 19.9 % from 100.00 to 119.90 at 12:00:02: confirmed, 2 held events passed on"
    assert sieve.words == [words]


def test_prints_of_one_millisecond_are_one_word() -> None:
    sweep = prints(*[93.0] * 10, start_ns=NOON + SECOND_NS, apart_ns=1_000)
    back = prints(100.0, start_ns=NOON + 2 * SECOND_NS)
    assert sift([*prints(100.0), *sweep, *back]) == [*prints(100.0), *back]


def test_so_many_prints_at_once_are_the_market_whatever_their_times_say() -> None:
    storm = prints(*[93.0] * HELD_MOST, start_ns=NOON + SECOND_NS, apart_ns=1)
    assert sift([*prints(100.0), *storm]) == [*prints(100.0), *storm]


def test_outliers_to_both_sides_are_not_one_level() -> None:
    sieve = Sieve("QQQ")
    assert prices_of(sift(prints(100.0, 120.0, 80.0, 120.0, 80.0, 100.0), sieve)) == [100.0, 100.0]
    assert sieve.held_back == 4


def test_a_held_print_that_the_next_price_explains_passes_after_all() -> None:
    events = prints(100.0, 105.2, 104.0)
    sieve = Sieve("QQQ")
    assert sift(events, sieve) == events
    assert sieve.held_back == 0


def test_a_fast_crash_of_prints_each_further_down_passes_whole() -> None:
    crash = prints(*[100.0 * 0.93**n for n in range(13)], apart_ns=2_000_000)
    sieve = Sieve("QQQ")
    assert sift(crash, sieve) == crash
    assert sieve.held_back == 0


def test_a_print_an_hour_is_never_judged_by_one_of_an_hour_ago() -> None:
    thin = prints(10.0, 12.0, 9.0, 14.0, apart_ns=3_600 * SECOND_NS, start_ns=at("10:00"))
    assert sift(thin) == thin


def test_the_first_print_of_a_day_is_not_judged_by_the_day_before() -> None:
    before = prints(400.0, start_ns=at("2024-08-23 19:59"))
    split = prints(100.0, 100.1, start_ns=at("09:30"))
    assert sift([*before, *split]) == [*before, *split]


def test_at_the_open_two_prints_are_enough() -> None:
    early = prints(100.0, start_ns=at("09:29:58"))
    opened = prints(110.0, 110.2, start_ns=at("09:30"))
    sieve = Sieve("QQQ")
    assert sift([*early, *opened], sieve) == [*early, *opened]
    assert sieve.waiting == 0


def test_after_a_halt_any_price_is_the_market() -> None:
    sieve = Sieve("QQQ")
    before = prints(100.0, 100.1)
    halt = Halt("QQQ", NOON + 5 * SECOND_NS, True)
    resume = Halt("QQQ", NOON + 300 * SECOND_NS, False)
    after = prints(140.0, 141.0, start_ns=NOON + 301 * SECOND_NS)
    events: list[TapeEvent] = [*before, halt, resume, *after]
    assert sift(events, sieve) == events
    assert sieve.held_back == 0


def test_a_halt_lets_go_what_was_held() -> None:
    events: list[TapeEvent] = [*prints(100.0, 90.0), Halt("QQQ", NOON + 5 * SECOND_NS, True)]
    assert sift(events) == events


def test_a_print_that_the_tape_withdraws_while_it_is_held_never_passes() -> None:
    sieve = Sieve("QQQ")
    normal, bad = prints(100.0, 120.0)
    cancel = TradeCancel("QQQ", NOON + 2 * SECOND_NS, "V", bad.id, 120.0, 100.0)
    more = prints(120.0, 120.1, 120.2, start_ns=NOON + 3 * SECOND_NS)
    assert sift([normal, bad, cancel, *more], sieve) == [normal, cancel, *more]
    assert sieve.held_back == 1


def test_notes_of_the_tape_always_pass() -> None:
    notes: list[TapeEvent] = [
        PriceBand("QQQ", NOON, 95.0, 105.0),
        TradeCorrection("QQQ", NOON, "V", 1, 100.0, 100.0, 2, 200.0, 100.0),
        TradeCancel("QQQ", NOON, "V", 1, 100.0, 100.0),
    ]
    assert sift([*prints(100.0), *notes])[1:] == notes


def test_the_words_nobody_fetches_do_not_pile_up() -> None:
    sieve = Sieve("QQQ")
    sift(prints(*[100.0, 50.0] * 2 * WORDS_MOST, apart_ns=10_000_000), sieve)
    assert len(sieve.words) == WORDS_MOST


# ── quotes ──


def test_a_quote_whose_two_sides_are_far_from_the_market_is_held_back() -> None:
    sieve = Sieve("QQQ")
    (before,), (bad, after) = prints(100.0), quotes(93.0, 100.0, start_ns=NOON + 1)
    assert sift([before, bad, after], sieve) == [before, after]
    assert sieve.words == ["QQQ quote of 92.99 to 93.01 at 12:00:00 is 7.0 % from 100.00: held back"]


def test_a_wide_or_one_sided_quote_around_the_market_passes() -> None:
    sides = [(1.0, 900.0), (0.0, 101.0), (0.0, 150.0), (99.0, 0.0), (0.0, 0.0)]
    wide = [Quote("QQQ", NOON + n, bid, 1.0, ask, 1.0) for n, (bid, ask) in enumerate(sides, 1)]
    assert sift([*prints(100.0), *wide])[1:] == wide


def test_three_quotes_in_a_row_make_a_level_and_let_go_what_waits_there() -> None:
    before = prints(100.0)
    there = prints(110.0, start_ns=NOON + SECOND_NS)
    agreed = quotes(110.0, 110.1, 110.0, start_ns=NOON + 2 * SECOND_NS)
    sieve = Sieve("QQQ")
    assert sift([*before, *there, *agreed], sieve) == [*before, *there, *agreed]
    assert sift(prints(110.2, start_ns=NOON + 9 * SECOND_NS), sieve) != []


def test_a_quote_at_the_old_level_refutes_what_is_held() -> None:
    sieve = Sieve("QQQ")
    events: list[TapeEvent] = [*prints(100.0, 110.0), *quotes(100.0, start_ns=NOON + 2 * SECOND_NS)]
    assert prices_of(sift(events, sieve)) == [100.0]
    assert (sieve.held_back, sieve.waiting) == (1, 0)


def test_prints_between_a_bid_and_ask_that_are_far_apart_all_pass() -> None:
    sieve = Sieve("QQQ")
    events: list[TapeEvent] = [*prints(10.0), Quote("QQQ", NOON + 1, 9.95, 1.0, 10.8, 1.0)]
    events += prints(10.8, 10.0, 10.8, 9.95, start_ns=NOON + SECOND_NS)
    assert sift(events, sieve) == events
    assert sieve.held_back == 0


def test_an_old_or_very_wide_quote_vouches_for_nothing() -> None:
    for bid, ask, after_s in ((9.95, 10.8, 20), (5.0, 15.0, 1)):
        quote = Quote("QQQ", NOON + 1, bid, 1.0, ask, 1.0)
        bad = prints(10.8, 10.0, start_ns=NOON + after_s * SECOND_NS)
        assert prices_of(sift([*prints(10.0), quote, *bad])) == [10.0, 10.0]


def test_a_quote_that_holds_both_levels_decides_nothing() -> None:
    sieve = Sieve("QQQ")
    wide = Quote("QQQ", NOON + 2 * SECOND_NS, 99.0, 1.0, 111.0, 1.0)
    assert sift([*prints(100.0, 110.0), wide], sieve) == [*prints(100.0), wide]
    assert sieve.waiting == 1


def test_without_prints_the_minutes_close_judges_the_quotes() -> None:
    bar = a_bar(NOON - MINUTE_NS)
    bad, good = quotes(93.0, 100.1)
    assert sift([bar, bad, good]) == [bar, good]


def test_quotes_of_a_symbol_without_any_price_all_pass() -> None:
    events = quotes(100.0, 50.0, 200.0)
    assert sift(events) == events


# ── bars ──


def test_a_wick_that_no_print_reached_is_cut_and_the_bar_passes() -> None:
    sieve = Sieve("QQQ")
    sift([a_bar(NOON - MINUTE_NS), *prints(100.0, 100.3, 99.8)], sieve)
    bar = Bar("QQQ", NOON, 100.0, 100.2, 92.9, 100.1, 500.0)
    assert sift([bar], sieve) == [msgspec.structs.replace(bar, low=99.8)]
    assert sieve.held_back == 1
    assert sieve.words == ["QQQ bar of 12:00:00: low 92.90 cut to 99.80, for no print reached it"]


def test_a_wick_that_prints_reached_stays() -> None:
    sieve = Sieve("QQQ")
    sift([a_bar(NOON - MINUTE_NS), *prints(100.0, 97.0, 94.0, 92.9, 96.0, 100.0)], sieve)
    bar = Bar("QQQ", NOON, 100.0, 100.2, 92.9, 100.1, 500.0)
    assert sift([bar], sieve) == [bar]


def test_the_prints_of_the_minute_before_still_vouch_for_its_bar() -> None:
    sieve = Sieve("QQQ")
    events: list[TapeEvent] = [
        *prints(100.0, 97.0, 94.0, 100.0),
        *prints(100.0, start_ns=NOON + MINUTE_NS + 1),
    ]
    sift([a_bar(NOON - MINUTE_NS), *events], sieve)
    bar = Bar("QQQ", NOON, 100.0, 100.0, 94.0, 100.0, 500.0)
    assert sift([bar], sieve) == [bar]


def test_an_opening_price_from_nowhere_is_cut_to_the_minute_before() -> None:
    before = a_bar(NOON - MINUTE_NS, 413.39)
    bar = Bar("AAPL", NOON, 440.68, 440.68, 413.01, 413.2, 0.0)
    assert sift([before, bar], Sieve("AAPL")) == [
        before,
        msgspec.structs.replace(bar, open=413.39, high=413.39),
    ]


def test_a_bar_that_moved_as_a_whole_passes() -> None:
    gap = [a_bar(NOON), a_bar(NOON + MINUTE_NS, 130.0), a_bar(NOON + 2 * MINUTE_NS, 131.0)]
    assert sift(gap) == gap


def test_the_same_wick_again_is_a_duplicate_and_not_amended_twice() -> None:
    sieve = Sieve("QQQ")
    bar = Bar("QQQ", NOON, 100.0, 100.2, 80.0, 100.1, 500.0)
    assert len(sift([a_bar(NOON - MINUTE_NS), bar, bar], sieve)) == 2
    assert (sieve.duplicates, sieve.held_back) == (1, 1)


def test_an_expanded_minute_with_a_bad_low_loses_only_that() -> None:
    sieve = Sieve("QQQ")
    minutes = [Bar("QQQ", NOON + n * MINUTE_NS, 100.0, 100.2, 99.9, 100.1, 400.0) for n in range(3)]
    minutes[1] = msgspec.structs.replace(minutes[1], low=93.0)
    passed = sift((event for bar in minutes for _, event in expand(bar)), sieve)
    assert [bar.low for bar in passed if isinstance(bar, Bar)] == [99.9, 100.0, 99.9]
    assert len(passed) == 27 - 2
    assert sieve.held_back == 3  # the quote, the print, and the bar, which passed


# ── properties ──

STEPS = st.lists(st.floats(-0.999, 0.999), max_size=60)
SHAKEN = st.lists(
    st.one_of(
        st.tuples(st.just("print"), st.integers(0, 50), st.sampled_from([90.0, 100.0, 101.0, 120.0, 2.0])),
        st.tuples(st.just("quote"), st.integers(0, 50), st.sampled_from([90.0, 100.0, 101.0, 120.0, 2.0])),
        st.tuples(st.just("bar"), st.integers(0, 5), st.sampled_from([90.0, 100.0, 101.0, 120.0])),
        st.tuples(st.just("halt"), st.integers(0, 50), st.just(0.0)),
    ),
    max_size=80,
)


@given(st.sampled_from([0.05, 0.8, 2.9, 3.1, 50.0]), STEPS)
def test_prints_each_within_the_limit_of_the_last_all_pass_unchanged(
    start: float, steps: list[float]
) -> None:
    prices = [start]
    for step in steps:
        prices.append(max(0.0001, prices[-1] + step * width(prices[-1])))
    events = prints(*prices)
    sieve = Sieve("QQQ")
    assert sift(events, sieve) == events
    assert (sieve.held_back, sieve.waiting, sieve.words) == (0, 0, [])


@given(st.integers(1, 20), st.floats(1.11, 3.0), st.booleans(), st.integers(1, 20))
def test_a_lone_outlier_between_normal_prints_never_passes(
    before: int, far: float, up: bool, after: int
) -> None:
    bad = 100.0 * far if up else 100.0 / far
    events = prints(*[100.0] * before, bad, *[100.5] * after)
    sieve = Sieve("QQQ")
    assert sift(events, sieve) == [event for event in events if event.price != bad]
    assert sieve.held_back == 1


@given(st.floats(1.06, 10.0), st.booleans(), st.integers(ENOUGH, 30))
def test_a_lasting_change_of_level_passes_completely_and_soon(far: float, up: bool, after: int) -> None:
    level = 100.0 * far if up else 100.0 / far
    events = prints(100.0, 100.0, *[level] * after)
    sieve = Sieve("QQQ")
    assert sift(events[: 2 + ENOUGH], sieve) == events[: 2 + ENOUGH]
    assert sift(events[2 + ENOUGH :], sieve) == events[2 + ENOUGH :]
    assert (sieve.held_back, sieve.waiting) == (0, 0)


def shaken(words: list[tuple[str, int, float]]) -> list[TapeEvent]:
    """Make events out of order, of many levels, some of them twice."""
    events: list[TapeEvent] = []
    for n, (kind, second, price) in enumerate(words):
        t_ns = NOON + second * SECOND_NS
        if kind == "print":
            events.append(Trade("QQQ", t_ns, price, 100.0, 1 + n % 9, "V"))
        elif kind == "quote":
            events.append(a_quote(t_ns, price - 0.01, price + 0.01, symbol="QQQ"))
        elif kind == "bar":
            events.append(a_bar(NOON + second * MINUTE_NS, price, symbol="QQQ"))
        else:
            events.append(Halt("QQQ", t_ns, bool(n % 2)))
    return events


@given(SHAKEN)
def test_nothing_is_lost_or_doubled_whatever_comes(words: list[tuple[str, int, float]]) -> None:
    events = shaken(words)
    sieve = Sieve("QQQ")
    passed = sift(events, sieve)
    bars = [event for event in passed if isinstance(event, Bar)]
    late_quotes = sum(1 for event in _stale_quotes(events))
    amended = sum(1 for bar in bars if bar not in events)
    left_out = sieve.duplicates + (sieve.held_back - amended) + late_quotes + sieve.waiting
    assert len(passed) + left_out == len(events)
    assert len({id(event) for event in passed}) == len(passed)


def _stale_quotes(events: list[TapeEvent]) -> Iterable[Quote]:
    newest: Quote | None = None
    for event in events:
        if isinstance(event, Quote):
            if newest is not None and event.t_ns < newest.t_ns:
                yield event
            else:
                newest = event


@given(SHAKEN)
def test_the_same_events_are_sifted_alike_every_time(words: list[tuple[str, int, float]]) -> None:
    first, second = Sieve("QQQ"), Sieve("QQQ")
    assert sift(shaken(words), first) == sift(shaken(words), second)
    assert first.words == second.words


NEAR = st.lists(
    st.tuples(st.sampled_from(["print", "quote"]), st.integers(0, 50), st.floats(88.0, 112.0)), max_size=60
)


@given(NEAR | SHAKEN)
def test_the_gates_change_nothing_but_the_time_it_takes(words: list[tuple[str, int, float]]) -> None:
    events = shaken(words)
    quick, slow = Sieve("QQQ"), Sieve("QQQ")
    with patch.object(sieve_module, "GATE_FRAC", -1.0):
        expected = sift(events, slow)
    assert sift(events, quick) == expected
    assert (quick.words, quick.held_back) == (slow.words, slow.held_back)
