"""The two codecs: what a client finds in a frame."""

import msgpack  # type: ignore[import-untyped] # alpaca-py's own decoder judges ours
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.localmarket.wire import FRAME_BYTES, Codec, JsonCodec, MsgpackCodec
from liu_tui.model.market import DAY_NS, Bar, MarketEvent, Quote, Trade

T_NS = 1_709_735_400_123_456_789
EVENTS: list[MarketEvent] = [
    Trade("AAPL", T_NS, 170.12, 40.0, 7, "Q", ("@", "I"), "C"),
    Quote("AAPL", T_NS, 170.1, 300.0, 170.14, 100.0),
    Bar("AAPL", T_NS, 1.0, 3.0, 0.5, 2.0, 400.0, 1.75, 9),
]


def codecs() -> list[Codec]:
    return [MsgpackCodec({"AAPL": "C", "F": "A"}), JsonCodec({"AAPL": "C", "F": "A"})]


def read(codec: Codec, frame: bytes) -> list[dict[str, object]]:
    found: list[dict[str, object]]
    found = msgpack.unpackb(frame) if codec.binary else msgspec.json.decode(frame)
    return found


@pytest.mark.parametrize("codec", codecs())
def test_t_is_the_first_key_of_every_message(codec: Codec) -> None:
    (frame,) = codec.frames([codec.event(e) for e in EVENTS])
    assert [next(iter(m.items())) for m in read(codec, frame)] == [("T", "t"), ("T", "q"), ("T", "b")]
    assert read(codec, codec.message({"T": "success", "msg": "connected"})) == [
        {"T": "success", "msg": "connected"}
    ]


@pytest.mark.parametrize("codec", codecs())
def test_sizes_volumes_and_counts_are_integers_and_prices_are_not(codec: Codec) -> None:
    (frame,) = codec.frames([codec.event(e) for e in EVENTS])
    trade, quote, bar = read(codec, frame)
    whole = [trade["i"], trade["s"], quote["bs"], quote["as"], bar["v"], bar["n"]]
    assert whole == [7, 40, 300, 100, 400, 9]
    assert all(type(n) is int for n in whole)
    assert all(type(p) is float for p in (trade["p"], quote["bp"], quote["ap"], bar["o"], bar["vw"]))


def test_msgpack_times_keep_their_nanoseconds() -> None:
    codec = MsgpackCodec({})
    (frame,) = codec.frames([codec.event(EVENTS[0])])
    stamp = msgpack.unpackb(frame)[0]["t"]
    assert isinstance(stamp, msgpack.Timestamp)
    assert stamp.to_unix_nano() == T_NS


def test_json_times_are_rfc3339_with_nanoseconds() -> None:
    codec = JsonCodec({})
    (frame,) = codec.frames([codec.event(EVENTS[0])])
    assert msgspec.json.decode(frame)[0]["t"] == "2024-03-06T14:30:00.123456789Z"


def test_the_running_day_is_a_bar_of_its_own_kind() -> None:
    codec = JsonCodec({})
    day = Bar("AAPL", T_NS, 1.0, 3.0, 0.5, 2.0, 400.0, span_ns=DAY_NS)
    assert msgspec.json.decode(codec.event(day))["T"] == "d"


def test_a_quote_says_the_tape_of_its_listing() -> None:
    codec = JsonCodec({"F": "A"})
    assert msgspec.json.decode(codec.event(Quote("F", T_NS, 1, 1, 2, 1)))["z"] == "A"


@given(st.lists(st.integers(1, 90_000), min_size=1, max_size=40))
def test_frames_stay_below_what_clients_refuse_and_lose_nothing(sizes: list[int]) -> None:
    codec = JsonCodec({})
    parts = [b'"' + b"x" * size + b'"' for size in sizes]
    frames = list(codec.frames(parts))
    assert [len(item) for frame in frames for item in msgspec.json.decode(frame)] == sizes
    assert all(len(frame) <= FRAME_BYTES + 2 for frame in frames)


@given(st.integers(0, 20))
def test_a_msgpack_frame_of_any_length_is_an_array_of_that_length(count: int) -> None:
    codec = MsgpackCodec({})
    parts = [codec.event(EVENTS[1])] * count * 900
    frames = [msgpack.unpackb(frame) for frame in codec.frames(parts)]
    assert sum(map(len, frames)) == len(parts)
