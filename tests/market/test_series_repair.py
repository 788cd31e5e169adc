"""Series: which word about a minute stands, what corrections and late prints do, which bars are missing."""

from itertools import permutations
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.forming import PRINTS_MOST
from liu_tui.market.series import Series
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Bar,
    Halt,
    PriceBand,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from tests.kit.market import a_bar, a_quote, a_trade, at

OPEN = at("09:30")


def a_print(after_s: float, price: float, size: float = 100.0, n: int = 0, *words: str) -> Trade:
    """Make a print so many seconds after the open; n: its id."""
    return Trade("AAPL", OPEN + int(after_s * SECOND_NS), price, size, n, "V", words, "C")


def fed(bars: list[Bar]) -> Series:
    series = Series("AAPL", capacity=2)
    for bar in bars:
        series.append(bar)
    return series


def rows(series: Series) -> list[list[float]]:
    """Return everything its columns hold."""
    columns = (series.t_ns, series.open, series.high, series.low, series.close)
    return [list(c) for c in (*columns, series.volume, series.vwap, series.count, series.backfilled)]


# ── which word stands ──

LIVE = a_bar(OPEN, 100.0, 500.0)
HISTORY = msgspec.structs.replace(a_bar(OPEN, 101.0, 400.0), backfilled=True)
REVISED = msgspec.structs.replace(a_bar(OPEN, 102.0, 300.0), revised=True)


def test_a_revision_stands_over_history_and_that_over_the_first_word_whichever_comes_first() -> None:
    for order in permutations([LIVE, HISTORY, REVISED]):
        assert fed(list(order)).close[0] == 102.0
    for order in permutations([LIVE, HISTORY]):
        assert fed(list(order)).close[0] == 101.0


def test_of_two_words_of_one_kind_the_one_with_more_shares_stands() -> None:
    more = msgspec.structs.replace(LIVE, volume=501.0, close=100.2)
    assert fed([LIVE, more]).close[0] == fed([more, LIVE]).close[0] == 100.2


def test_a_minute_is_marked_as_backfilled_only_if_the_stream_never_told_it() -> None:
    alike = msgspec.structs.replace(LIVE, backfilled=True)
    assert list(fed([alike]).backfilled) == [True]
    assert list(fed([alike, LIVE]).backfilled) == list(fed([LIVE, alike]).backfilled) == [False]
    assert list(fed([LIVE, HISTORY]).backfilled) == list(fed([HISTORY, REVISED]).backfilled) == [False]


WORDS = st.builds(
    lambda minute, price, volume, kind: msgspec.structs.replace(
        a_bar(OPEN + minute * MINUTE_NS, price, volume), backfilled=kind == 1, revised=kind == 2
    ),
    st.integers(0, 5),
    st.sampled_from([100.0, 101.0, 102.0]),
    st.sampled_from([0.0, 100.0, 200.0]),
    st.integers(0, 2),
)


@given(st.lists(WORDS, min_size=1, max_size=14), st.randoms(use_true_random=False))
def test_no_order_and_no_repetition_of_bars_changes_the_columns(bars: list[Bar], random: Random) -> None:
    again = [*bars, *random.sample(bars, len(bars) // 2)]
    random.shuffle(again)
    straight, mixed = fed(bars), fed(again)
    assert rows(mixed) == rows(straight)
    assert mixed.price == straight.price
    assert mixed.session_vwap == pytest.approx(straight.session_vwap, nan_ok=True)


def test_the_price_is_that_of_the_word_which_stands() -> None:
    series = fed([REVISED, LIVE])
    assert series.price == 102.0


# ── late prints ──


def test_a_late_print_of_the_forming_minute_counts_but_sets_neither_close_nor_price() -> None:
    series = Series("AAPL")
    newest = a_print(10, 101.0)
    for trade in (a_print(5, 100.0), newest, a_print(7, 103.0), a_print(2, 99.5)):
        series.on_trade(trade)
    forming = series.forming
    assert forming is not None
    assert (forming.open, forming.high, forming.low, forming.close) == (99.5, 103.0, 99.5, 101.0)
    assert (forming.volume, forming.count, series.price) == (400.0, 4, 101.0)
    assert series.last_trade is newest


@given(st.permutations(range(8)))
def test_prints_of_one_minute_in_any_order_make_the_same_minute(order: list[int]) -> None:
    prints = [a_print(n + 1, 100.0 + (n * 7) % 5, 10.0 * (n + 1), n + 1) for n in range(8)]
    straight, mixed = Series("AAPL"), Series("AAPL")
    for n in range(8):
        straight.on_trade(prints[n])
        mixed.on_trade(prints[order[n]])
    assert mixed.forming == straight.forming
    assert (mixed.price, mixed.last_trade) == (straight.price, straight.last_trade)


# ── corrections and cancels ──


def corrected(trade: Trade, price: float, size: float = 100.0, *words: str) -> TradeCorrection:
    new = (trade.id + 1000, price, size, words)
    return TradeCorrection("AAPL", trade.t_ns + 5, "V", trade.id, trade.price, trade.size, *new, "C")


def cancelled(trade: Trade) -> TradeCancel:
    return TradeCancel("AAPL", trade.t_ns + 5, "V", trade.id, trade.price, trade.size)


PRINTS = [a_print(n, price, 100.0, n) for n, price in enumerate([100.0, 107.0, 99.0, 101.0], 1)]


def with_prints(prints: list[Trade]) -> Series:
    series = Series("AAPL")
    for trade in prints:
        series.on_trade(trade)
    return series


def test_a_cancel_takes_the_print_out_of_the_forming_minute() -> None:
    series = with_prints(PRINTS)
    assert series.amend(cancelled(PRINTS[1]))
    assert series.forming == with_prints([PRINTS[0], *PRINTS[2:]]).forming


@pytest.mark.parametrize("n", range(4))
def test_a_corrected_print_is_as_if_it_had_been_right_from_the_start(n: int) -> None:
    series = with_prints(PRINTS)
    assert series.amend(corrected(PRINTS[n], 100.5, 300.0))
    right = [msgspec.structs.replace(PRINTS[n], id=1000 + n + 1, price=100.5, size=300.0)]
    expected = with_prints([*PRINTS[:n], *right, *PRINTS[n + 1 :]])
    assert series.forming == expected.forming
    assert (series.price, series.last_trade) == (expected.price, expected.last_trade)


def test_a_correction_may_take_a_prints_right_to_set_a_price() -> None:
    series = with_prints(PRINTS)
    assert series.amend(corrected(PRINTS[1], 107.0, 5.0, "I"))
    assert series.forming is not None
    assert (series.forming.high, series.forming.volume) == (101.0, 305.0)


def test_a_corrected_print_can_be_cancelled_by_its_new_id() -> None:
    series = with_prints(PRINTS)
    fix = corrected(PRINTS[1], 103.0)
    assert series.amend(fix)
    assert series.amend(TradeCancel("AAPL", fix.t_ns, "V", fix.new_id, 103.0, 100.0))
    assert series.forming is not None
    assert (series.forming.count, series.forming.high) == (3, 101.0)


def test_cancelling_the_only_print_gives_the_last_close_back() -> None:
    series = fed([a_bar(OPEN - MINUTE_NS, 98.0)])
    series.on_trade(PRINTS[1])
    assert series.amend(cancelled(PRINTS[1]))
    assert (series.price, series.forming, series.last_trade) == (98.0, None, None)


def test_what_is_not_in_the_forming_minute_is_left_to_the_caller() -> None:
    series = with_prints([*PRINTS, a_print(61, 100.0, 100.0, 9)])
    before = series.forming
    assert not series.amend(cancelled(PRINTS[0]))
    assert not series.amend(msgspec.structs.replace(cancelled(a_print(61, 100.0, 100.0, 9)), exchange="P"))
    assert series.forming == before


def test_a_print_without_an_id_cannot_be_told_apart() -> None:
    series = with_prints([a_print(1, 100.0)])
    assert not series.amend(cancelled(a_print(1, 100.0)))


def test_a_minute_of_more_prints_than_are_kept_is_not_amended() -> None:
    series = with_prints([a_print(1 + n / 1000, 100.0, 1.0, n + 1) for n in range(PRINTS_MOST + 1)])
    assert series.forming is not None
    assert series.forming.count == PRINTS_MOST + 1
    assert not series.amend(cancelled(a_print(1, 100.0, 1.0, 1)))


# ── notes of the tape ──


def test_a_halt_and_its_end_are_known_and_an_older_word_changes_nothing() -> None:
    series = Series("AAPL")
    assert not series.halted
    series.on_halt(Halt("AAPL", OPEN + 5, True))
    assert series.halted
    series.on_halt(Halt("AAPL", OPEN + 9, False))
    series.on_halt(Halt("AAPL", OPEN + 5, True))
    assert not series.halted


def test_the_limits_are_the_last_ones_told() -> None:
    series = Series("AAPL")
    assert (series.limit_down, series.limit_up) == (0.0, 0.0)
    series.on_band(PriceBand("AAPL", OPEN, 95.0, 105.0))
    assert (series.limit_down, series.limit_up) == (95.0, 105.0)


def test_todays_bar_is_the_one_of_most_shares_of_the_newest_day() -> None:
    series = Series("AAPL")
    day = Bar("AAPL", at("00:00"), 1.0, 2.0, 0.5, 1.5, 1000.0, span_ns=DAY_NS)
    more = msgspec.structs.replace(day, volume=2000.0)
    for bar in (more, day, msgspec.structs.replace(day, t_ns=day.t_ns - DAY_NS, volume=9e9)):
        series.on_day(bar)
    assert series.day is more


# ── missing minutes ──


def test_a_minute_that_trades_made_and_whose_bar_does_not_come_is_told_once() -> None:
    series = with_prints([a_print(5, 100.0), a_print(65, 100.0), a_print(125, 100.0)])
    grace_ns = 10 * SECOND_NS
    assert series.missing(OPEN + MINUTE_NS + 9 * SECOND_NS, grace_ns) == []
    assert series.missing(OPEN + MINUTE_NS + 10 * SECOND_NS, grace_ns) == [OPEN]
    assert series.missing(OPEN + 4 * MINUTE_NS, grace_ns) == [OPEN + MINUTE_NS, OPEN + 2 * MINUTE_NS]
    assert series.missing(OPEN + 9 * MINUTE_NS, grace_ns) == []
    series.on_trade(a_print(600, 100.0))
    assert series.missing(OPEN + 10 * MINUTE_NS, grace_ns) == []


def test_a_minute_whose_bar_comes_in_time_is_not_missing() -> None:
    series = with_prints([a_print(5, 100.0), a_print(65, 100.0)])
    series.append(a_bar(OPEN))
    series.append(a_bar(OPEN + MINUTE_NS))
    assert series.missing(OPEN + 9 * MINUTE_NS, 0) == []


def test_a_minute_of_odd_lots_alone_has_no_bar_and_is_not_missing() -> None:
    series = with_prints([a_print(5, 100.0, 3.0, 1, "@", "I"), a_print(65, 100.0)])
    assert series.missing(OPEN + 70 * SECOND_NS, 0) == []


def test_a_bar_that_overtakes_the_one_before_leaves_that_missing_and_counted() -> None:
    series = with_prints([a_print(5, 100.0, 300.0)])
    series.append(a_bar(OPEN + MINUTE_NS, 104.0, 100.0))
    assert series.missing(OPEN + 3 * MINUTE_NS, 0) == [OPEN]
    assert series.session_vwap == pytest.approx(101.0)
    series.append(a_bar(OPEN, 100.0, 300.0))
    assert series.session_vwap == pytest.approx(101.0)


# ── the vendor's word and ours ──


def test_a_minute_that_differs_from_its_trades_is_counted_in_words() -> None:
    series = with_prints([a_print(5, 100.0), a_print(65, 101.0), a_print(125, 102.0)])
    series.append(Bar("AAPL", OPEN, 90.0, 100.0, 90.0, 100.0, 900.0))  # not heard from its beginning
    series.append(Bar("AAPL", OPEN + MINUTE_NS, 101.0, 101.0, 101.0, 101.01, 100.5))
    assert series.differences == 0
    series.append(Bar("AAPL", OPEN + 2 * MINUTE_NS, 102.0, 102.0, 102.0, 101.5, 300.0))
    assert series.differences == 1
    assert series.difference == (
        "AAPL 09:32: close 102.00, the vendor says 101.50; volume 100, the vendor says 300"
    )


def test_a_quote_never_replaces_the_price_of_a_print() -> None:
    series = Series("AAPL")
    series.on_trade(a_trade(OPEN, 100.0))
    series.on_quote(a_quote(OPEN + 1, 1.0, 2.0))
    assert series.price == 100.0
