"""A short form of the fuzz run, and proof that it would notice a parser that lies."""

from typing import Any

import pytest

from benchmarks.fuzz import Broken, check, reader_of, run
from benchmarks.kit.frames import Fuzzer, Msgpack
from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.market.streaming import StreamItem, Unreadable
from liu_tui.model.market import Bar, Quote, Trade
from tests.kit.alpaca import T0_NS


def test_twenty_thousand_broken_frames_give_items_or_counted_refusals() -> None:
    language = Msgpack()
    tally = run(reader_of(language.name), language, 20_000, seed=20_191_104)
    assert {"Trade", "Quote", "Bar", "Halt", "PriceBand", "TradeCorrection", "TradeCancel"} <= set(
        tally.items
    )
    assert tally.refused > 1_000
    assert tally.said > 1_000
    assert tally.ignored > 10


def test_every_message_that_the_fuzz_begins_with_is_a_good_one() -> None:
    language = Msgpack()
    for fields in language.messages:
        reader = FrameReader()
        items, control = reader.read(language.frame([language.message(fields)]))
        assert len(items) + len(control) == 1
        assert (reader.refused, reader.ignored) == (0, 0)


def test_a_seed_makes_the_same_inputs_again() -> None:
    one, other = Fuzzer(Msgpack(), 5), Fuzzer(Msgpack(), 5)
    assert [one.input() for _ in range(200)] == [other.input() for _ in range(200)]


@pytest.mark.parametrize(
    "lie",
    [
        Trade("", T0_NS, 1.0, 1.0),
        Trade("AAPL", -1, 1.0, 1.0),
        Trade("AAPL", 2**63, 1.0, 1.0),
        Trade("AAPL", T0_NS, float("nan"), 1.0),
        Trade("AAPL", T0_NS, 0.0, 1.0),
        Quote("AAPL", T0_NS, 1.0, 1.0, float("inf"), 1.0),
        Bar("AAPL", T0_NS, 1.0, 2.0, 1.5, 1.2, 1.0),
        Trade("\ud800", T0_NS, 1.0, 1.0),
        Unreadable(1),
        "no item",
    ],
)
def test_the_fuzz_notices_a_lie(lie: Any) -> None:
    with pytest.raises((Broken, UnicodeEncodeError)):
        check([lie], 0)


def test_the_fuzz_notices_a_parser_that_raises() -> None:
    class Raises(FrameReader):
        def read(self, frame: bytes) -> tuple[list[StreamItem], list[Any]]:
            raise KeyError(len(frame))

    with pytest.raises(Broken, match="input 0 of seed 1: KeyError"):
        run(Raises(), Msgpack(), 1, seed=1)
