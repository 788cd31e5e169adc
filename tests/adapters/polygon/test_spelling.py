"""Symbols, ids and times between Polygon's spelling and the house's."""

import pytest

from liu_tui.adapters.polygon.spelling import from_ms, id_of, our_symbol, read_time, shares, their_ticker
from liu_tui.model.market import SECOND_NS


@pytest.mark.parametrize(
    ("theirs", "ours"), [("AAPL", "AAPL"), ("BRK.B", "BRK.B"), ("BACpK", "BAC.PRK"), ("STRDp", "STRD.PR")]
)
def test_symbols_go_both_ways(theirs: str, ours: str) -> None:
    assert our_symbol(theirs) == ours
    assert their_ticker(ours) == theirs


def test_symbols_are_spelled_as_the_house_does_on_both_sides() -> None:
    for written, ours in (("aapl", "AAPL"), ("brk-b", "BRK.B"), (" BRK/B", "BRK.B")):
        assert our_symbol(written) == their_ticker(written) == ours
    assert their_ticker("bac.prk") == "BACpK"


def test_a_ticker_of_blanks_is_not_taken_for_one_that_is_not_there() -> None:
    assert our_symbol(" ") == " "


def test_ids_of_digits_keep_their_number() -> None:
    assert [id_of(said) for said in ("0", "237688", 12, "")] == [0, 237_688, 12, 0]
    assert id_of("9" * 30) == id_of("9" * 30) > 0
    assert id_of(-1) > 0


def test_a_time_too_great_for_milliseconds_is_one_in_nanoseconds() -> None:
    assert from_ms(1_795_186_800_123) == 1_795_186_800_123_000_000
    assert from_ms(1_795_186_800_123_456_789) == 1_795_186_800_123_456_789


def test_lots_became_shares_at_midnight_of_one_day_in_new_york() -> None:
    change_ns = read_time("2025-11-03T00:00:00-05:00")
    assert shares(3, change_ns) == 3
    assert shares(0.29, change_ns - 1) == 29


def test_times_need_an_offset() -> None:
    assert read_time("1970-01-01T00:00:01.000001Z") == SECOND_NS + 1000
    for bad in ("2022-04-28T16:48:08", "1969-12-31T00:00:00Z", "soon"):
        with pytest.raises(ValueError, match=r"."):
            read_time(bad)
