"""Obstacles: why a position cannot be closed now, from facts."""

from __future__ import annotations

import pytest

from liu_tui.trading.orders import LIQUIDATION
from tests.kit.desk import Rig, an_intent

KEY = "momentum", "TSLA"


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    return rig


def why(rig: Rig) -> str:
    return rig.desk._obstacles.why(KEY, rig.now_ns)


def test_nothing_stands_in_the_way_of_what_was_not_tried(rig: Rig) -> None:
    assert why(rig) == ""


def test_the_tapes_halt_is_the_reason_until_it_ends(rig: Rig) -> None:
    rig.desk.on_halt("TSLA", halted=True)
    rig.desk.on_halt("F", halted=True)
    assert why(rig) == "halted"
    rig.desk.on_halt("TSLA", halted=False)
    assert why(rig) == ""


def test_a_refusal_stands_until_the_position_is_gone_or_a_try_succeeds(rig: Rig) -> None:
    rig.refuse = 1
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    assert why(rig) == "refused by the broker (halted)"
    rig.wait()
    rig.wait()
    assert (rig.held(), why(rig)) == (0, "")


def test_a_closing_order_that_is_not_filled_soon_is_said_to_wait(rig: Rig) -> None:
    rig.exchange.submit = _accept(rig)  # type: ignore[method-assign] # an exchange that fills nothing
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    (closing,) = rig.live(LIQUIDATION)
    assert (closing.state.value, why(rig)) == ("new", "")
    rig.now_ns += 5_000_000_000
    assert why(rig) == "its closing order waits at the broker"


def test_before_books_and_broker_agree_nothing_can_be_closed(rig: Rig) -> None:
    rig.desk._closer.ready = False
    assert why(rig) == "books and broker do not agree yet"


def _accept(rig: Rig):  # type: ignore[no-untyped-def] # takes the place of the exchange's own method
    from tests.kit.desk import an_answer

    return lambda request, _now_ns: an_answer(request)
