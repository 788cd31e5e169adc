"""What must hold between the limits of a plan."""

from __future__ import annotations

import pytest

from liu_tui.errors import PlanError
from liu_tui.plan.load import read_plan

ENOUGH = """
[scanners.S]
filename = "scanners/s.py"
[strategies.C]
filename = "strategies/c.py"
"""


def fault_of(limits: str) -> str:
    """What is said of these lines of [limits], "" if nothing."""
    try:
        read_plan(f"[limits]\n{limits}\n{ENOUGH}", file="plans/p.toml")
    except PlanError as e:
        return str(e)
    return ""


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (
            "max_order_value = 20_000\nmax_position_value = 15_000",
            "[limits] max_order_value: was 20,000, more",
        ),
        ("max_position_value = 20_000\nmax_gross_value = 15_000", "more than max_gross_value of 15,000"),
        ("max_orders_per_minute = 30\nmax_orders_per_day = 20", "or raise max_orders_per_day"),
        ("strategy_cooldown_min = 30", "does nothing without max_losses_in_row"),
        ("price_collar_percent = 0", "price_collar_percent"),
    ],
)
def test_a_limit_that_could_never_bind_is_a_fault(limits: str, words: str) -> None:
    assert words in fault_of(limits)


@pytest.mark.parametrize(
    "limits",
    [
        "max_order_value = 15_000\nmax_position_value = 15_000\nmax_gross_value = 15_000",
        "max_order_value = 15_000",
        "max_losses_in_row = 3\nstrategy_cooldown_min = 5",
    ],
)
def test_limits_that_go_together_pass(limits: str) -> None:
    assert fault_of(limits) == ""
