"""The one predicate: which orders increase exposure, and so are shown to the guards at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.orders import Operation
from liu_tui.plan.schema import Limits
from liu_tui.trading.codes import refusal
from liu_tui.trading.guards import refuse
from liu_tui.trading.risk import Ask, Facts, entries_only, increases_exposure


def an_ask(operation: Operation = Operation.BUY, qty: float = 100.0, **words: object) -> Ask:
    said = {"strategy": "s", "symbol": "TSLA", "operation": operation, "qty": qty, "price": 10.0, **words}
    return Ask(**said)  # type: ignore[arg-type] # built from words


@given(st.floats(0.001, 1000), st.floats(-1000, 1000))
def test_a_sell_or_a_cover_never_increases_exposure(qty: float, held: float) -> None:
    assert not increases_exposure(Operation.SELL, qty, held)
    assert not increases_exposure(Operation.COVER, qty, held)


@given(st.integers(1, 1000), st.integers(-1000, 1000))
def test_a_buy_increases_exposure_unless_it_only_takes_from_a_short(qty: int, held: int) -> None:
    assert increases_exposure(Operation.BUY, qty, held) is not (held < 0 and qty <= -held)
    assert increases_exposure(Operation.SHORT, qty, held) is not (held > 0 and qty <= held)


@pytest.mark.parametrize("qty", [0.0, -5.0, float("nan"), float("inf")])
def test_a_malformed_entry_does_not_pass_for_an_exit(qty: float) -> None:
    no = refuse(an_ask(qty=qty), Facts(limits=Limits(), position=100.0))
    assert no is not None
    assert no.code == "BAD_QUANTITY"


def test_a_guard_behind_the_predicate_is_not_even_asked_about_an_exit() -> None:
    never = entries_only(lambda ask, facts: refusal("NOT_READY"))
    assert never(an_ask(), Facts(limits=Limits())) is not None
    assert never(an_ask(Operation.SELL), Facts(limits=Limits(), position=100.0)) is None


def test_without_limits_a_plain_entry_passes() -> None:
    assert refuse(an_ask(stop=9.0, target=12.0), Facts(limits=Limits())) is None
    assert refuse(an_ask(Operation.SHORT, stop=11.0, target=8.0), Facts(limits=Limits())) is None


@pytest.mark.parametrize(
    ("ask", "facts", "code", "words"),
    [
        (an_ask(qty=200), {"position": -5.0}, "OPPOSITE_POSITION", "s holds -5"),
        (an_ask(Operation.SHORT, target=10.5), {}, "BAD_PRICES", "must be below"),
        (an_ask(limit=float("nan")), {}, "BAD_PRICES", "limit was nan"),
        (an_ask(price=0.0), {}, "BAD_PRICES", "no price of TSLA"),
        (an_ask(), {"state": "REDUCING", "state_by": "ann", "state_reason": "tea"}, "PAUSED", "ann: tea"),
    ],
)
def test_a_refusal_says_in_words_what_is_wrong(
    ask: Ask, facts: dict[str, object], code: str, words: str
) -> None:
    no = refuse(ask, Facts(limits=Limits(), **facts))  # type: ignore[arg-type] # built from words
    assert no is not None
    assert no.code == code
    assert words in no.words


def test_enlarging_an_open_position_is_no_new_one() -> None:
    facts = Facts(limits=Limits(max_open_positions=3), open_positions=3, opens=False)
    assert refuse(an_ask(), facts) is None
