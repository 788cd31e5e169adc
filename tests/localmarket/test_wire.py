"""The two codecs: what a client finds in a frame."""

import msgpack  # type: ignore[import-untyped] # alpaca-py's own decoder judges ours
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.localmarket.wire import FRAME_BYTES, Codec, JsonCodec, MsgpackCodec
from liu_tui.model.market import (
    DAY_NS,
    Bar,
    Halt,
    MarketEvent,
    PriceBand,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)

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
def test_the_tapes_notes_have_the_vendors_keys(codec: Codec) -> None:
    notes: list[TapeEvent] = [
        Halt("AAPL", T_NS, True, "Trading Halt"),
        Halt("F", T_NS, False),
        PriceBand("AAPL", T_NS, 95.0, 105.0, "B"),
        TradeCorrection("AAPL", T_NS, "Q", 7, 10.0, 100.0, 8, 11.0, 200.0, ("@", "I"), "C"),
        TradeCancel("F", T_NS, "", 9, 10.0, 100.0, error=True),
        Bar("AAPL", T_NS, 1.0, 3.0, 0.5, 2.0, 400.0, 1.75, 9, revised=True),
    ]
    (frame,) = codec.frames([codec.event(note) for note in notes])
    halt, resumed, band, fix, cancel, bar = read(codec, frame)
    assert [next(iter(m)) for m in (halt, resumed, band, fix, cancel, bar)] == ["T"] * 6
    for message in (halt, resumed, band, fix, cancel, bar):
        message.pop("t")
    empty = {"sm": "", "rc": "", "rm": ""}
    assert halt == {"T": "s", "S": "AAPL", "sc": "H", **empty, "sm": "Trading Halt", "z": "C"}
    assert resumed == {"T": "s", "S": "F", "sc": "T", **empty, "z": "A"}
    assert band == {"T": "l", "S": "AAPL", "u": 105.0, "d": 95.0, "i": "B", "z": "C"}
    before = {"x": "Q", "oi": 7, "op": 10.0, "os": 100, "oc": ["@"]}
    after = {"ci": 8, "cp": 11.0, "cs": 200, "cc": ["@", "I"], "z": "C"}
    assert fix == {"T": "c", "S": "AAPL"} | before | after
    assert cancel == {"T": "x", "S": "F", "i": 9, "x": "V", "p": 10.0, "s": 100, "a": "E", "z": "A"}
    assert (bar["T"], bar["c"], bar["n"]) == ("u", 2.0, 9)


@pytest.mark.parametrize(
    "event",
    (
        [
            Halt("AAPL", T_NS, True, "Trading Halt"),
            Halt("AAPL", T_NS, False, ""),
            Trade("AAPL", T_NS, 170.12, 40.0, 7, "Q", ("@", "I"), "C"),
            Quote("AAPL", T_NS, 170.1, 300.0, 170.14, 100.0),
        ]
    ),
)
def test_our_own_reader_reads_what_was_written(event: TapeEvent) -> None:
    codec = MsgpackCodec({})
    (frame,) = codec.frames([codec.event(event)])
    assert FrameReader().read(frame)[0] == [event]


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
