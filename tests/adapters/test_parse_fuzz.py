"""A short form of the fuzz run over each vendor's parser; and it would notice a parser that lies."""

from typing import Any

import pytest

from benchmarks.fuzz import Broken, check, reader_of, run
from benchmarks.kit.frames import LANGUAGES, Fuzzer, Msgpack
from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.market.streaming import StreamItem, Unreadable
from liu_tui.model.market import Bar, Quote, Trade
from tests.kit.alpaca import T0_NS

_SPOKEN = {
    "alpaca": {"Trade", "Quote", "Bar", "Halt", "PriceBand", "TradeCorrection", "TradeCancel", "Step"},
    "polygon": {"Trade", "Quote", "Bar", "PriceBand", "Anchor", "SessionEnd"},
}
every_vendor = pytest.mark.parametrize("vendor", list(LANGUAGES))


@every_vendor
def test_twenty_thousand_broken_frames_give_items_or_counted_refusals(vendor: str) -> None:
    tally = run(reader_of(vendor), LANGUAGES[vendor](), 20_000, seed=20_191_104)
    assert _SPOKEN[vendor] <= set(tally.items)
    assert tally.refused > 1_000
    assert tally.said > 1_000
    assert tally.ignored > 10


@every_vendor
def test_every_message_that_the_fuzz_begins_with_is_read_or_is_none_of_ours(vendor: str) -> None:
    language = LANGUAGES[vendor]()
    for fields in language.messages:
        reader = reader_of(vendor)
        items, control = reader.read(language.frame([language.message(fields)]))
        assert len(items) + len(control) + reader.ignored == 1
        assert reader.refused == 0


@every_vendor
def test_a_seed_makes_the_same_inputs_again(vendor: str) -> None:
    one, other = Fuzzer(LANGUAGES[vendor](), 5), Fuzzer(LANGUAGES[vendor](), 5)
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
