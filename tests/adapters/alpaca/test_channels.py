"""Events become channels, symbols the house's spelling."""

import pytest

from liu_tui.adapters.alpaca.channels import (
    EXTRAS,
    NAMES,
    channels_of,
    message,
    minus,
    nothing,
    only,
    plus,
    some,
    symbols_of,
)
from liu_tui.errors import FeedError
from liu_tui.model.market import Event, is_symbol, normal_symbol


def test_every_symbol_of_any_event_is_followed_in_the_extras() -> None:
    found = channels_of({Event.TRADE: {"AAPL"}, Event.QUOTE: {"MSFT"}, Event.MINUTE: {"SPY"}})
    assert set(found) == set(NAMES)
    assert [found[name] for name in ("trades", "quotes", "bars")] == [{"AAPL"}, {"MSFT"}, {"SPY"}]
    assert all(found[name] == {"AAPL", "MSFT", "SPY"} for name in EXTRAS)


def test_seconds_are_made_from_trades() -> None:
    assert channels_of({Event.SECOND: {"AAPL"}, Event.TRADE: {"SPY"}})["trades"] == {"AAPL", "SPY"}


def test_a_class_share_is_asked_for_as_alpaca_spells_it_however_it_was_written() -> None:
    for written in ("BRK.B", "brk-b", "BRK/B", " brk.b"):
        assert channels_of({Event.TRADE: {written}})["trades"] == {"BRK.B"}


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("aapl", "AAPL"),
        ("BRK-B", "BRK.B"),
        ("BF/B", "BF.B"),
        ("BF.B", "BF.B"),
        ("spaq-u", "SPAQ.U"),
        ("BAC.PRL", "BAC.PRL"),
        ("BAC-PL", "BAC-PL"),
        ("BTC/USD", "BTC/USD"),
        ("X1-B", "X1-B"),
        ("-B", "-B"),
        ("", ""),
    ],
)
def test_the_houses_spelling_of_a_symbol(written: str, ours: str) -> None:
    assert normal_symbol(written) == ours
    assert normal_symbol(ours) == ours


@pytest.mark.parametrize("wrong", ["AA PL", "", "*", "ÄPFEL", "A" * 16, "AAPL,MSFT"])
def test_what_is_no_symbol_is_refused_here_because_alpaca_would_refuse_all(wrong: str) -> None:
    assert not is_symbol(wrong)
    with pytest.raises(FeedError, match="not spelled as a symbol") as caught:
        channels_of({Event.TRADE: {"AAPL", wrong}})
    assert caught.value.mend


def test_sets_are_added_taken_away_and_cut() -> None:
    both = channels_of({Event.TRADE: {"AAPL", "SPY"}})
    one = channels_of({Event.TRADE: {"AAPL"}})
    assert minus(both, one) == channels_of({Event.TRADE: {"SPY"}})
    assert plus(one, minus(both, one)) == both
    assert minus(one, both) == nothing()
    assert only(both, ["trades"], ["SPY", "QQQ"]) == nothing() | {"trades": frozenset({"SPY"})}
    assert symbols_of(only(both, EXTRAS)) == {"AAPL", "SPY"}


def test_a_message_names_only_channels_with_symbols_in_order() -> None:
    what = only(channels_of({Event.QUOTE: {"SPY", "AAPL"}}), ["quotes"])
    assert message("subscribe", what) == {"action": "subscribe", "quotes": ["AAPL", "SPY"]}


def test_many_symbols_are_named_in_part() -> None:
    assert some({"B", "A"}) == "A, B"
    assert some(f"S{n}" for n in range(10)) == "S0, S1, S2, S3, S4, S5, S6, S7 and 2 more"
