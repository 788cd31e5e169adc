"""[portfolios] and [fees] of a plan."""

from __future__ import annotations

import msgspec
import pytest

from liu_tui.cli.check import in_brief
from liu_tui.errors import PlanError
from liu_tui.plan.diff import diff
from liu_tui.plan.load import read_plan
from liu_tui.plan.schema import PortfolioTable, TradePlan

PLAN = """
[fees]
per_order = 1
[portfolios.swing]
size = 25_000
credit = 5_000
[portfolios.day]
size = 10_000
[scanners.S]
filename = "scanners/s.py"
[strategies.C]
filename = "strategies/c.py"
portfolio_id = "swing"
"""


def read(text: str = PLAN) -> TradePlan:
    return read_plan(text, file="plans/p.toml")


def fault_of(text: str) -> str:
    with pytest.raises(PlanError) as e:
        read(text)
    return f"{e.value} {[(f.table, f.key, f.line) for f in e.value.faults]}"


def test_portfolios_and_fees_are_read() -> None:
    plan = read()
    assert plan.portfolios == {
        "swing": PortfolioTable(size=25_000.0, credit=5_000.0),
        "day": PortfolioTable(size=10_000.0),
    }
    assert plan.strategies["C"].portfolio_id == "swing"
    assert plan.fees.per_order == 1.0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('portfolio_id = "swing"', 'portfolio_id = "swin"', "Did you mean 'swing'?"),
        ("size = 25_000", "", "is missing"),
        ("size = 25_000", "size = 0", "Give a number above 0"),
        ("credit = 5_000", "credits = 5_000", "Did you mean 'credit'?"),
        ("per_order = 1", "per_ordr = 1", "Did you mean 'per_order'?"),
        ("[portfolios.swing]\nsize = 25_000\ncredit = 5_000", "portfolios = 3", "table"),
        ("per_order = 1", "per_order = -1", "of at least 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(old: str, new: str, words: str) -> None:
    assert old in PLAN
    assert words in fault_of(PLAN.replace(old, new))


def test_a_portfolio_that_nobody_has_set_up_is_a_fault_with_what_to_add() -> None:
    alone = PLAN[: PLAN.index("[portfolios")] + PLAN[PLAN.index("[scanners") :]
    assert "Add a [portfolios.swing] table" in fault_of(alone)


def test_sizes_beyond_what_strategies_reckon_with_are_said_and_no_fault() -> None:
    assert "portfolios" not in in_brief(read())
    much = read(PLAN.replace("25_000", "95_000"))
    assert in_brief(much).endswith("Its portfolios are 105,000 dollars together, portfolio_value is 100,000.")


def test_what_a_saved_plan_says_otherwise_is_told() -> None:
    old = read()
    changed = msgspec.structs.replace(old, portfolios={"swing": PortfolioTable(size=30_000.0)})
    assert diff(old, changed) == [
        "[portfolios.swing] size: 25000 -> 30000",
        "[portfolios.swing] credit: 5000 -> 0",
        "- [portfolios.day]",
    ]
