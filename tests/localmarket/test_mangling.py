"""Broken frames: nobody can read one, and everybody can read one with wrong types."""

from random import Random
from typing import Any

import msgpack  # type: ignore[import-untyped] # alpaca-py's own decoder judges ours
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.localmarket.mangling import broken, mistyped
from liu_tui.localmarket.wire import Codec, JsonCodec, MsgpackCodec
from liu_tui.model.market import Bar, Halt, PriceBand, Quote, TapeEvent, Trade, TradeCancel, TradeCorrection

T_NS = 1_709_735_400_123_456_789
EVENTS: list[TapeEvent] = [
    Trade("AAPL", T_NS, 170.12, 40.0, 7, "Q", ("@", "I"), "C"),
    Quote("AAPL", T_NS, 170.1, 300.0, 170.14, 100.0),
    Bar("AAPL", T_NS, 1.0, 3.0, 0.5, 2.0, 400.0, 1.75, 9),
    Halt("AAPL", T_NS, True, "news"),
    PriceBand("AAPL", T_NS, 1.0, 2.0, "A"),
    TradeCorrection("AAPL", T_NS, "Q", 7, 1.0, 100.0, 8, 2.0, 200.0, ("@",), "C"),
    TradeCancel("AAPL", T_NS, "Q", 7, 1.0, 100.0),
]
CODECS: list[Codec] = [MsgpackCodec({}), JsonCodec({})]
some_events = st.lists(st.sampled_from(EVENTS), min_size=1, max_size=40)


def read(codec: Codec, frame: bytes) -> Any:
    return msgpack.unpackb(frame) if codec.binary else msgspec.json.decode(frame)


@given(st.sampled_from(CODECS), some_events, st.integers())
def test_no_reader_makes_messages_of_a_broken_frame(codec: Codec, events: list[TapeEvent], seed: int) -> None:
    for frame in codec.frames([codec.event(event) for event in events]):
        struck = broken(frame, Random(seed))
        assert struck != frame
        with pytest.raises((ValueError, msgspec.MsgspecError)):
            msgspec.convert(read(codec, struck), list[dict[str, Any]])


@given(some_events, st.integers())
def test_our_own_reader_takes_no_event_of_a_broken_frame(events: list[TapeEvent], seed: int) -> None:
    codec = MsgpackCodec({})
    for frame in codec.frames([codec.event(event) for event in events]):
        reader = FrameReader()
        items, control = reader.read(broken(frame, Random(seed)))
        assert not [item for item in items if isinstance(item, TapeEvent)]
        assert (control, reader.refused) == ([], 1)


@given(some_events, st.integers())
def test_a_broken_text_frame_is_still_text(events: list[TapeEvent], seed: int) -> None:
    codec = JsonCodec({})
    for frame in codec.frames([codec.event(event) for event in events]):
        broken(frame, Random(seed)).decode("ascii")


@given(st.sampled_from(CODECS), st.sampled_from(EVENTS), st.integers())
def test_one_field_and_not_the_kind_has_another_type(codec: Codec, event: TapeEvent, seed: int) -> None:
    right = read(codec, codec.event(event))
    wrong = read(codec, mistyped(codec.event(event), codec.binary, Random(seed)))
    assert list(wrong) == list(right)
    assert wrong["T"] == right["T"]
    assert sum(type(wrong[key]) is not type(right[key]) for key in right) == 1
