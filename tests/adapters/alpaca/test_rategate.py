"""The allowance of requests: what waits for it, and for how long."""

import pytest

from liu_tui.adapters.alpaca.rategate import Need, Rate, RateGate


def told(limit: int, remaining: int, reset_s: int) -> dict[str, str]:
    """The headers of an answer."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset_s),
    }


def test_nothing_waits_while_nothing_is_known_or_all_is_well() -> None:
    gate = RateGate()
    assert gate.wait_s(Need.LOOK, 0.0) == 0.0
    gate.heard(told(200, 150, 1060), refused=False, now_s=1000.0)
    assert gate.wait_s(Need.LOOK, 1000.0) == gate.wait_s(Need.ORDER, 1000.0) == 0.0
    assert gate.rate == Rate(200, 150, 1060)


def test_the_last_tenth_is_kept_for_orders_until_the_next_minute() -> None:
    gate = RateGate()
    gate.heard(told(200, 20, 1030), refused=False, now_s=1000.0)
    assert gate.wait_s(Need.LOOK, 1000.0) == 30.0
    assert gate.wait_s(Need.ORDER, 1000.0) == 0.0
    assert gate.wait_s(Need.LOOK, 1030.0) == 0.0


def test_after_a_429_nothing_leaves_until_the_moment_that_was_named() -> None:
    gate = RateGate()
    gate.heard(told(200, 0, 1042), refused=True, now_s=1000.0)
    assert gate.wait_s(Need.ORDER, 1000.0) == gate.wait_s(Need.LOOK, 1000.0) == 42.0
    assert gate.wait_s(Need.ORDER, 1042.0) == 0.0


def test_a_429_without_a_moment_waits_longer_each_time_in_a_row() -> None:
    gate, now_s = RateGate(), 0.0
    waits = []
    for _ in range(9):
        gate.heard({}, refused=True, now_s=now_s)
        waits.append(gate.wait_s(Need.ORDER, now_s))
        now_s += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    gate.heard({}, refused=False, now_s=now_s)
    gate.heard({}, refused=True, now_s=now_s)
    assert gate.wait_s(Need.ORDER, now_s) == 1


@pytest.mark.parametrize("reset", ["900", "99999999999", "soon", "-5", "٣"])
def test_a_moment_that_makes_no_sense_holds_a_second_at_least_and_a_minute_at_most(reset: str) -> None:
    gate = RateGate()
    gate.heard({"X-RateLimit-Reset": reset}, refused=True, now_s=1000.0)
    assert 1.0 <= gate.wait_s(Need.ORDER, 1000.0) <= 60.0
