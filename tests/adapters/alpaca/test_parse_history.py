"""Readers of the data API: right values, what is left out, and nothing but a FeedError for anything else."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.alpaca import parse_actions, parse_venue
from liu_tui.adapters.alpaca.parse_history import SHARES_SINCE_NS, HistoryReader
from liu_tui.adapters.alpaca.questions import askable
from liu_tui.adapters.alpaca.times import read_time, write_time
from liu_tui.errors import FeedError
from liu_tui.model.market import MINUTE_NS, CorporateAction, Quote, Trade

T = "2026-01-05T15:00:00.123456789Z"
T_NS = read_time(T)
READER = HistoryReader()
READERS: list[Callable[[bytes], Any]] = [
    lambda body: READER.bars(body, MINUTE_NS, where="here"),
    lambda body: READER.trades(body, where="here"),
    lambda body: READER.quotes(body, where="here"),
    lambda body: READER.latest_trades(body, where="here"),
    lambda body: READER.latest_quotes(body, where="here"),
    lambda body: READER.snapshots(body, where="here"),
    lambda body: parse_actions.read_actions(body, where="here"),
    lambda body: parse_venue.read_clock(body, where="here"),
    lambda body: parse_venue.read_calendar(body, where="here"),
    lambda body: parse_venue.read_assets(body, where="here"),
    lambda body: parse_venue.read_most_active(body, where="here"),
    lambda body: parse_venue.read_movers(body, where="here"),
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just(T),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_WORDS = (
    "bars trades quotes t p s o h l c v bp bs ap as i u latestTrade dailyBar corporate_actions "
    "forward_splits symbol ex_date new_rate timestamp date open gainers most_actives next_page_token AAPL"
)
KEYS = st.sampled_from(_WORDS.split())
LIKE = st.recursive(
    JUNK,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)


def body(**said: Any) -> bytes:
    return json.dumps(said).encode()


@given(
    st.binary(max_size=100) | st.builds(lambda said: json.dumps(said).encode(), LIKE),
    st.sampled_from(READERS),
)
def test_any_bytes_are_an_answer_or_a_feed_error(junk: bytes, reader: Callable[[bytes], Any]) -> None:
    with contextlib.suppress(FeedError):
        reader(junk)


@given(st.sampled_from(READERS), st.integers(0, 400))
def test_an_answer_that_breaks_off_is_a_feed_error(reader: Callable[[bytes], Any], at: int) -> None:
    whole = body(bars={"AAPL": [{"t": T, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}]}, timestamp=T)
    with contextlib.suppress(FeedError):
        reader(whole[: at % len(whole)])
        pytest.fail("half an object was read")


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b"<html><h1>502 Bad Gateway</h1></html>",
        b'{"trades": 5}',
        b'{"trades": {"A": [{"p": 1, "s": 1}]}}',
        b'{"trades": {"A": [{"t": "soon", "p": 1, "s": 1}]}}',
        b'{"trades": {"A": [{"t": "9999-01-01T00:00:00Z", "p": 1, "s": 1}]}}',
    ],
)
def test_what_is_no_page_of_prints_is_told_in_words(words: bytes) -> None:
    with pytest.raises(FeedError, match="cannot be read") as caught:
        READER.trades(words, where="https://data/v2/stocks/trades")
    assert caught.value.where == "https://data/v2/stocks/trades"


def test_prints_keep_their_nanoseconds_and_all_that_they_say() -> None:
    row = {"t": T, "x": "V", "p": 10.5, "s": 7, "c": ["@", "I"], "i": 52, "z": "C"}
    rows, token = READER.trades(body(trades={"AAPL": [row]}, next_page_token="more"), where="")
    assert rows == {"AAPL": [Trade("AAPL", T_NS, 10.5, 7.0, 52, "V", ("@", "I"), "C")]}
    assert token == "more"


def test_a_print_that_was_taken_back_is_left_out_and_the_one_that_stands_for_it_is_kept() -> None:
    words = [None, "canceled", "incorrect", "corrected", "a new word"]
    rows = [{"t": T, "p": 1 + n, "s": 1, "i": n} | ({"u": u} if u else {}) for n, u in enumerate(words)]
    found, _ = READER.trades(body(trades={"AAPL": rows}), where="")
    assert [trade.id for trade in found["AAPL"]] == [0, 3, 4]
    latest = READER.latest_trades(body(trades={"A": rows[0], "B": rows[1]}), where="")
    assert list(latest) == ["A"]


def test_old_sizes_of_quotes_are_round_lots_and_told_as_shares() -> None:
    def size_at(t_ns: int, *, lots: bool) -> float:
        row = {"t": write_time(t_ns), "bp": 1, "bs": 3, "ap": 2, "as": 4}
        found, _ = HistoryReader(lots=lots).quotes(body(quotes={"A": [row]}), where="")
        return found["A"][0].bid_size

    assert size_at(SHARES_SINCE_NS - 1, lots=True) == 300
    assert size_at(SHARES_SINCE_NS, lots=True) == 3
    assert size_at(SHARES_SINCE_NS - 1, lots=False) == 3  # the local market, on any day


def test_one_latest_that_cannot_be_read_does_not_cost_the_others(caplog: pytest.LogCaptureFixture) -> None:
    good = {"t": T, "bp": 1, "bs": 1, "ap": 0, "as": 0}
    said = body(quotes={"GOOD": good, "BAD": {"t": T, "bp": "?"}, "NONE": None, "LATE": good | {"t": "soon"}})
    assert READER.latest_quotes(said, where="here") == {"GOOD": Quote("GOOD", T_NS, 1.0, 1.0, 0.0, 0.0)}
    assert [record.args[1] for record in caplog.records if record.args] == ["BAD", "LATE"]  # type: ignore[index] # a tuple


def test_a_bar_that_cannot_be_read_costs_the_page_since_history_has_no_silent_holes() -> None:
    row = {"t": "2026-01-05T15:00:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}
    with pytest.raises(FeedError):
        READER.bars(body(bars={"A": [row, row | {"c": 0}]}), MINUTE_NS, where="here")


def test_corporate_actions_are_what_they_do_to_a_price_series() -> None:
    said = {
        "forward_splits": [{"symbol": "A", "new_rate": 3, "old_rate": 2, "ex_date": "2026-01-05"}],
        "reverse_splits": [{"symbol": "B", "new_rate": 1, "old_rate": 50, "ex_date": "2026-01-06"}],
        "stock_dividends": [{"symbol": "C", "rate": 0.05, "ex_date": "2026-01-07"}],
        "cash_dividends": [{"symbol": "D", "rate": 0.125, "ex_date": "2026-01-08"}],
        "name_changes": [{"old_symbol": "E", "new_symbol": "EE", "process_date": "2026-01-09"}],
        "unit_splits": [
            {
                "old_symbol": "FU",
                "new_symbol": "F",
                "new_rate": 1,
                "old_rate": 2,
                "effective_date": "2026-01-12",
            }
        ],
        "spin_offs": [{"source_symbol": "G"}],
    }
    found, token = parse_actions.read_actions(body(corporate_actions=said, next_page_token=None), where="")
    assert found == [
        CorporateAction(kind="split", symbol="A", day="2026-01-05", ratio=1.5),
        CorporateAction(kind="split", symbol="B", day="2026-01-06", ratio=0.02),
        CorporateAction(kind="split", symbol="C", day="2026-01-07", ratio=1.05),
        CorporateAction(kind="dividend", symbol="D", day="2026-01-08", cash=0.125),
        CorporateAction(kind="rename", symbol="E", day="2026-01-09", new_symbol="EE"),
        CorporateAction(kind="rename", symbol="FU", day="2026-01-12", new_symbol="F"),
        CorporateAction(kind="split", symbol="F", day="2026-01-12", ratio=0.5),
    ]
    assert token == ""
    assert parse_actions.read_actions(b"{}", where="") == ([], "")


def test_a_session_that_runs_backwards_is_refused() -> None:
    with pytest.raises(FeedError, match="runs backwards"):
        parse_venue.read_calendar(b'[{"date": "2026-01-05", "open": "16:00", "close": "09:30"}]', where="")


def test_a_name_that_is_none_is_not_asked_about_and_each_is_asked_for_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert askable(["MSFT", "BRK-B", "brk/b", "NO WAY", "bac-pl"]) == ["BAC-PL", "BRK.B", "MSFT"]
    assert "NO WAY" in caplog.text
