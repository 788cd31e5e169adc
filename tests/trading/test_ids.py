"""Client order ids: deterministic, unlike each other, short enough."""

from hypothesis import given
from hypothesis import strategies as st

from liu_tui.trading.ids import MAX_LENGTH, Ids, base36, short
from tests.kit.desk import an_intent


def test_the_same_intent_has_the_same_name_in_another_process() -> None:
    assert Ids("b1").of(an_intent(n=7)) == Ids("b1").of(an_intent(n=7))


def test_intents_batches_strategies_and_symbols_tell_names_apart() -> None:
    asked = [an_intent(), an_intent(n=1), an_intent(symbol="F"), an_intent(strategy="other")]
    names = {Ids(batch).of(intent) for batch in ("b1", "b2") for intent in asked}
    assert len(names) == 8


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_a_name_fits_any_broker_whatever_the_strategy_is_called(batch: str, strategy: str) -> None:
    name = Ids(batch).of(an_intent(strategy=strategy, symbol="BRK.B"))
    assert len(name) <= MAX_LENGTH
    assert name.isascii()


def test_long_names_that_differ_at_the_end_stay_different() -> None:
    assert short("x" * 60 + "1", 48) != short("x" * 60 + "2", 48)
    assert short("plain", 48) == "plain"


def test_counting_goes_on_after_a_restart() -> None:
    ids = Ids("b1")
    first = [ids.protection("s", "F"), ids.protection("s", "F"), ids.liquidation("s", "F")]
    again = Ids("b1")
    again.seen(first)
    assert again.protection("s", "F") not in first
    assert again.liquidation("s", "F") not in first


def test_base_36_counts() -> None:
    assert [base36(n) for n in (0, 9, 10, 35, 36)] == ["0", "9", "a", "z", "10"]
