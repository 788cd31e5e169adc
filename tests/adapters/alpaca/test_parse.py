"""Frames of the market data stream: bytes in, market events out, and nothing else out."""

import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import Ext

from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.adapters.alpaca.wire import Refusal, Subscribed, Success
from liu_tui.market.streaming import Halt, SessionEnd, Unreadable
from liu_tui.model.clock import Anchor
from liu_tui.model.market import DAY_NS, Bar, PriceBand, Quote, Step, Trade, TradeCancel, TradeCorrection
from tests.kit.alpaca import (
    T0_NS,
    a_band,
    a_bar,
    a_cancel,
    a_correction,
    a_quote,
    a_trade,
    frame,
    stamp,
)


def test_a_frame_becomes_events_in_order_with_their_nanoseconds() -> None:
    items, control = FrameReader().read(frame(a_trade(), a_quote("MSFT"), a_bar("SPY")))
    assert items == [
        Trade("AAPL", T0_NS, 100.25, 100.0, 7, "V", ("@", "I"), "C"),
        Quote("MSFT", T0_NS, 100.2, 200.0, 100.3, 300.0),
        Bar("SPY", T0_NS, 100.0, 101.0, 99.5, 100.5, 1200.0, 100.2, 9),
    ]
    assert control == []


@pytest.mark.parametrize(
    "t_ns", [0, 1, 1_000_000_000, 2**32 * 1_000_000_000, T0_NS, 9_000_000_000_000_000_001]
)
def test_a_timestamp_is_exact_to_the_nanosecond(t_ns: int) -> None:
    (trade,), _ = FrameReader().read(frame(a_trade(t=stamp(t_ns))))
    assert isinstance(trade, Trade)
    assert trade.t_ns == t_ns


@pytest.mark.parametrize(
    "bad",
    [
        a_trade(p=float("nan")),
        a_trade(p=float("inf")),
        a_trade(p=-1.0),
        a_trade(p="100"),
        a_trade(S=""),
        a_trade(t="2019-11-04T15:30:00Z"),
        a_trade(t=stamp(-5)),
        a_trade(t=Ext(7, b"12345678")),
        a_trade(t=Ext(-1, b"123")),
        a_quote(bp=float("nan")),
        a_bar(v=-1),
        a_bar(h=99.0),
        a_bar(l=100.2),
        a_bar(o=101.5),
        a_bar(T="u", c=99.0),
        a_bar(T="d", l=102.0, h=103.0),
        a_band(u=1.0),
        a_band(d=float("inf")),
        a_correction(oi=-1),
        a_correction(cp=0),
        a_cancel(p=None),
        {"T": "t"},
        {"S": "AAPL"},
        {"T": 5},
    ],
)
def test_one_bad_message_costs_itself_and_is_counted(bad: dict[str, Any]) -> None:
    reader = FrameReader()
    items, _ = reader.read(frame(a_trade(), bad, a_quote()))
    assert [type(item) for item in items] == [Trade, Unreadable, Quote]
    assert reader.refused == 1


def test_what_a_frame_lost_stands_once_where_the_first_of_it_was() -> None:
    reader = FrameReader()
    items, _ = reader.read(frame(a_trade(), a_trade(p="1"), a_quote(), a_bar(h=1.0), a_trade(S="")))
    assert [type(item) for item in items] == [Trade, Unreadable, Quote]
    lost = items[1]
    assert isinstance(lost, Unreadable)
    assert lost.count == reader.refused == 3
    assert "Expected `float`" in lost.words


def test_the_day_and_the_revised_minute_are_bars_of_their_own() -> None:
    items, _ = FrameReader().read(frame(a_bar(), a_bar(T="u", c=100.75), a_bar(T="d")))
    usual = ("AAPL", T0_NS, 100.0, 101.0, 99.5)
    assert items == [
        Bar(*usual, 100.5, 1200.0, 100.2, 9),
        Bar(*usual, 100.75, 1200.0, 100.2, 9, revised=True),
        Bar(*usual, 100.5, 1200.0, 100.2, 9, DAY_NS),
    ]


def test_bands_corrections_and_cancels_are_notes() -> None:
    items, _ = FrameReader().read(frame(a_band(), a_correction(), a_cancel(), a_cancel(a="E", x="")))
    assert items == [
        PriceBand("AAPL", T0_NS, 95.0, 105.0, "B"),
        TradeCorrection("AAPL", T0_NS, "V", 7, 100.25, 100.0, 8, 100.5, 90.0, ("@",), "C"),
        TradeCancel("AAPL", T0_NS, "V", 7, 100.25, 100.0),
        TradeCancel("AAPL", T0_NS, "", 7, 100.25, 100.0, error=True),
    ]


def test_a_band_without_a_limit_is_none() -> None:
    reader = FrameReader()
    assert reader.read(frame(a_band(u=0, d=0), a_band(d=0))) == ([], [])
    assert (reader.refused, reader.ignored) == (0, 2)


def test_the_short_form_of_a_timestamp_is_whole_seconds() -> None:
    (trade,), _ = FrameReader().read(frame(a_trade(t=Ext(-1, (1_572_881_400).to_bytes(4, "big")))))
    assert isinstance(trade, Trade)
    assert trade.t_ns == 1_572_881_400_000_000_000


def test_a_timestamp_that_no_int64_holds_is_refused() -> None:
    reader = FrameReader()
    items, _ = reader.read(frame(a_trade(t=Ext(-1, (2**34 - 1).to_bytes(8, "big")))))
    assert [type(item) for item in items] == [Unreadable]
    assert reader.refused == 1


def test_types_that_we_do_not_know_are_ignored_and_counted() -> None:
    reader = FrameReader()
    items, _ = reader.read(frame({"T": "zz", "S": "AAPL"}, a_trade(), {"T": "i", "S": "AAPL", "p": 9.1}))
    assert len(items) == 1
    assert (reader.refused, reader.ignored) == (0, 2)


@pytest.mark.parametrize("empty", [a_quote(bp=0, bs=0), a_quote(ap=0) | {"as": 0}])
def test_a_quote_with_an_empty_side_is_a_quote(empty: dict[str, Any]) -> None:
    (quote,), _ = FrameReader().read(frame(empty))
    assert isinstance(quote, Quote)
    assert quote.mid > 0


def test_a_trade_without_conditions_is_a_trade() -> None:
    (trade,), _ = FrameReader().read(frame(a_trade(c=None)))
    assert isinstance(trade, Trade)
    assert trade.conditions == ()


def test_halts_and_resumptions_are_told_and_other_statuses_are_not() -> None:
    reader = FrameReader()
    said = {"T": "s", "S": "AAPL", "t": stamp(), "z": "C"}
    items, _ = reader.read(
        frame(said | {"sc": "H", "sm": "Trading Halt", "rm": "News"}, said | {"sc": "T"}, said | {"sc": "E"})
    )
    assert items == [Halt("AAPL", T0_NS, True, "Trading Halt News"), Halt("AAPL", T0_NS, False)]
    assert reader.ignored == 1


def test_the_local_markets_own_words_become_anchor_step_and_end() -> None:
    clock = {"T": "clock", "t": stamp(), "speed": 60.0, "paused": True, "lockstep": False}
    items, _ = FrameReader().read(
        frame(clock, {"T": "step", "n": 3, "t": stamp()}, {"T": "end", "t": stamp()})
    )
    anchor, step, end = items
    assert isinstance(anchor, Anchor)
    assert (anchor.venue_ns, anchor.speed, anchor.paused, anchor.lockstep) == (T0_NS, 60.0, True, False)
    assert anchor.monotonic_ns > 0
    assert step == Step(3, T0_NS)
    assert end == SessionEnd(T0_NS)


def test_what_the_vendor_says_of_the_connection_stands_apart() -> None:
    whole = {"T": "subscription", "trades": ["AAPL"], "quotes": [], "lulds": ["X"]}
    _, control = FrameReader().read(
        frame({"T": "success", "msg": "connected"}, {"T": "error", "code": 406, "msg": "no"}, whole)
    )
    assert control == [Success("connected"), Refusal(406, "no"), Subscribed(trades=frozenset({"AAPL"}))]


def test_a_frame_that_is_no_list_is_one_refusal() -> None:
    reader = FrameReader()
    for junk in (
        b"",
        b"\xc1",
        b"\xff" * 10,
        msgspec.msgpack.encode({"T": "t"}),
        b"\x05",
        frame(a_trade())[:-3],
    ):
        items, control = reader.read(junk)
        assert [type(item) for item in items] == [Unreadable]
        assert control == []
    assert reader.refused == 6


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_a_counted_refusal(junk: bytes) -> None:
    reader = FrameReader()
    items, control = reader.read(junk)
    assert items or control or reader.refused or reader.ignored or junk == b"\x90"


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
_letters = "TSpstqbcxizoahlvnwud"
_message = st.dictionaries(
    st.sampled_from(
        [*_letters, "bp", "bs", "ap", "as", "oi", "op", "os", "ci", "cp", "cs", "cc", "code", "msg"]
    ),
    _json,
    max_size=9,
)


@given(
    st.sampled_from(
        ["t", "q", "b", "u", "d", "s", "l", "c", "x", "clock", "step", "end", "error", "subscription", "zz"]
    ),
    _message,
)
def test_whatever_stands_in_a_message_its_neighbours_are_read(kind: str, message: dict[str, Any]) -> None:
    reader = FrameReader()
    items, control = reader.read(frame(a_quote("LEFT"), message | {"T": kind}, a_trade("RIGHT")))
    symbols = [item.symbol for item in items if isinstance(item, Quote | Trade)]
    assert symbols[0] == "LEFT"
    assert symbols[-1] == "RIGHT"
    assert len(items) - 2 + len(control) + reader.ignored == 1
    assert sum(isinstance(item, Unreadable) for item in items) == reader.refused


@given(st.integers(0, 2**63 - 1))
def test_the_long_form_of_a_timestamp_is_exact_too(t_ns: int) -> None:
    twelve = Ext(-1, struct.pack(">Iq", t_ns % 10**9, t_ns // 10**9))
    (trade,), _ = FrameReader().read(frame(a_trade(t=twelve)))
    assert isinstance(trade, Trade)
    assert trade.t_ns == t_ns
