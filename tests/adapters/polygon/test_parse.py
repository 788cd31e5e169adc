"""Frames of Polygon's stream -> events; whatever bytes come."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.polygon.parse import Control, FrameReader, Status
from liu_tui.market.streaming import SessionEnd, StreamItem, Unreadable
from liu_tui.model.clock import Anchor
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, PriceBand, Quote, Trade
from tests.kit.polygon import T0_NS, a_bar, a_quote, a_status, a_trade, frame


def read(*messages: Any) -> list[StreamItem]:
    return FrameReader().read(frame(*messages))[0]


def test_a_trade_has_the_tapes_letters_and_a_number_for_its_id() -> None:
    assert read(a_trade()) == [Trade("AAPL", T0_NS, 100.25, 100, 7, "4", ("@", "I"), "C")]


def test_conditions_are_spelled_as_the_trades_own_tape_does() -> None:
    on_a, on_c = read(a_trade(c=[2, 41], z=1), a_trade(c=[2, 41], z=3))
    assert isinstance(on_a, Trade)
    assert isinstance(on_c, Trade)
    assert (on_a.tape, on_a.conditions) == ("A", ("B", "#41"))
    assert (on_c.tape, on_c.conditions) == ("C", ("W", "#41"))


def test_an_id_that_is_no_number_gives_the_same_number_each_time() -> None:
    first, again, other = read(a_trade(i="52c-a"), a_trade(i="52c-a"), a_trade(i="52c-b"))
    assert isinstance(first, Trade)
    assert isinstance(other, Trade)
    assert first == again
    assert 0 < first.id < 2**63
    assert first.id != other.id


def test_what_a_trade_may_lack_is_empty() -> None:
    short = {"ev": "T", "sym": "AAPL", "p": 1.5, "s": 3, "t": 1_000}
    assert read(short, short | {"c": None}) == [Trade("AAPL", SECOND_NS, 1.5, 3)] * 2


def test_fractions_of_a_share_are_told_exactly() -> None:
    trade, bar = read(a_trade(s=0, ds="0.125"), a_bar(v=12, dv="12.5"))
    assert isinstance(trade, Trade)
    assert isinstance(bar, Bar)
    assert (trade.size, bar.volume) == (0.125, 12.5)


def test_quote_sizes_are_shares_and_were_lots_before_november_2025() -> None:
    now, then, empty = read(a_quote(), a_quote(t=1_762_145_999_999), a_quote(bp=0, bs=0))
    assert now == Quote("AAPL", T0_NS, 100.2, 200, 100.3, 300)
    assert then == Quote("AAPL", 1_762_145_999_999_000_000, 100.2, 20_000, 100.3, 30_000)
    assert isinstance(empty, Quote)
    assert (empty.bid, empty.mid) == (0, 100.3)


def test_seconds_and_minutes_are_bars_without_a_count() -> None:
    start = 1_795_186_800 * SECOND_NS
    prices = (100.0, 101.0, 99.5, 100.5, 1200, 100.2)
    assert read(a_bar(), a_bar(ev="A")) == [
        Bar("AAPL", start, *prices, span_ns=MINUTE_NS),
        Bar("AAPL", start, *prices, span_ns=SECOND_NS),
    ]


def test_price_bands_come_with_their_indicators() -> None:
    band = {"ev": "LULD", "T": "MSFT", "h": 218.64, "l": 197.79, "i": [21, 17], "z": 3, "t": 1_000, "q": 5}
    assert read(band) == [PriceBand("MSFT", SECOND_NS, 197.79, 218.64, "21,17")]


def test_a_band_without_a_side_is_for_nobody_and_one_that_is_crossed_is_refused() -> None:
    reader, band = FrameReader(), {"ev": "LULD", "T": "MSFT", "h": 218.64, "l": 197.79, "t": 1_000}
    items, _ = reader.read(frame(band | {"l": 0}, band | {"h": 0}, band | {"l": 218.65}, band))
    assert items == [
        Unreadable(1, "a price band from 218.65 to 218.64"),
        PriceBand("MSFT", SECOND_NS, 197.79, 218.64),
    ]
    assert (reader.refused, reader.ignored) == (1, 2)


@pytest.mark.parametrize("wrong", [{"h": 100.2}, {"l": 100.1}, {"o": 102}, {"c": 99}, {"l": 200, "h": 300}])
def test_a_bar_that_contradicts_itself_is_refused_and_nothing_else(wrong: dict[str, float]) -> None:
    reader = FrameReader()
    items, control = reader.read(frame(a_trade(), a_bar() | wrong, a_status("success"), a_quote()))
    assert [type(item) for item in items] == [Trade, Unreadable, Quote]
    assert control == [Status("success")]
    assert reader.refused == 1


def test_numbers_may_be_texts() -> None:
    texts = {"o": "100.0", "h": "101", "l": "99.5", "c": "100.5", "v": "1200", "s": "1795186800000"}
    assert read(a_bar(**texts)) == read(a_bar())
    assert read(a_trade(p="100.25", s="100", z="3")) == read(a_trade())


def test_preferred_shares_are_spelled_as_the_broker_does() -> None:
    assert [item.symbol for item in read(a_trade("BACpK"), a_trade("BRK.B")) if isinstance(item, Trade)] == [
        "BAC.PRK",
        "BRK.B",
    ]


def test_statuses_are_for_the_connection_and_the_markets_own_words_for_the_clock() -> None:
    reader = FrameReader()
    clock = {"ev": "clock", "t": T0_NS, "speed": 60.0, "paused": True, "lockstep": False}
    items, control = reader.read(
        frame(a_status("success", "subscribed to: T.A"), clock, {"ev": "end", "t": 5})
    )
    assert control == [Status("success", "subscribed to: T.A")]
    anchor, end = items
    assert isinstance(anchor, Anchor)
    assert (anchor.venue_ns, anchor.speed, anchor.paused) == (T0_NS, 60.0, True)
    assert end == SessionEnd(5)


def test_a_bad_message_costs_itself_and_its_place_is_marked() -> None:
    reader = FrameReader()
    bad = a_trade(p=-1)
    items, _ = reader.read(
        frame(a_trade(), bad, a_quote(p="x", bp="y"), a_quote(), {"ev": "NOI", "T": "A"}, bad)
    )
    assert [type(item) for item in items] == [Trade, Unreadable, Quote, Unreadable]
    marks = [item for item in items if isinstance(item, Unreadable)]
    assert [mark.count for mark in marks] == [2, 1]
    assert all(mark.words for mark in marks)
    assert (reader.refused, reader.ignored) == (3, 1)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "1e400", "NaN", "", "1,5", None, [], {}, 10**12])
def test_no_price_is_ever_anything_but_a_positive_number(bad: object) -> None:
    assert [type(item) for item in read(a_trade(p=bad), a_bar(h=bad))] == [Unreadable]


def test_a_frame_that_is_no_json_is_one_unreadable_message() -> None:
    reader = FrameReader()
    for bad in (b"", b"[", b"\xff\xfe", b"{}", b"null", b'"x"', b"[" * 5_000):
        items, control = reader.read(bad)
        assert [type(item) for item in items] == [Unreadable]
        assert not control
    assert reader.refused == 7


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
_MESSAGES = st.sampled_from([a_trade(), a_quote(), a_bar(), a_bar(ev="A"), a_status("success")])


@given(message=_MESSAGES, key=st.text(max_size=4), value=_VALUES, data=st.data())
def test_any_field_with_any_value_gives_an_event_or_a_counted_refusal(
    message: dict[str, Any], key: str, value: Any, data: st.DataObject
) -> None:
    broken = message | {data.draw(st.sampled_from([*message, key])): value}
    reader = FrameReader()
    items, control = reader.read(json.dumps([broken]).encode())
    assert_sound(reader, items, control, expected=1)


@given(st.binary(max_size=200))
def test_any_bytes_give_items_and_no_exception(raw: bytes) -> None:
    reader = FrameReader()
    items, control = reader.read(raw)
    assert_sound(reader, items, control)


@given(st.binary(min_size=1, max_size=3), st.integers(0, 400))
def test_a_frame_damaged_anywhere_gives_items_and_no_exception(noise: bytes, at: int) -> None:
    raw = frame(a_trade(), a_quote(), a_bar())
    reader = FrameReader()
    items, control = reader.read(raw[:at] + noise + raw[at + len(noise) :])
    assert_sound(reader, items, control)


def assert_sound(
    reader: FrameReader, items: list[StreamItem], control: list[Control], expected: int | None = None
) -> None:
    lost = sum(item.count for item in items if isinstance(item, Unreadable))
    assert lost == reader.refused
    if expected is not None:
        whole = sum(not isinstance(item, Unreadable) for item in items)
        assert lost + whole + len(control) + reader.ignored == expected
    for item in items:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(item), type=type(item)) == item
