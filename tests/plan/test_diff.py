"""What changed between two plans, in words."""

from pathlib import Path

from liu_tui.plan.diff import diff
from liu_tui.plan.load import load_plan, read_plan
from liu_tui.plan.schema import TradePlan

OLD = """
risk = 0.001
[limits]
max_order_value = 20000
[scanners.A]
filename = "a.py"
recurrence = 5
top = 10
[strategies.B]
filename = "b.py"
"""


def plan(text: str) -> TradePlan:
    return read_plan(text, file="p.toml")


def changes(*swaps: tuple[str, str]) -> list[str]:
    text = OLD
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    return diff(plan(OLD), plan(text))


def test_the_same_plan_has_no_difference() -> None:
    assert changes() == []
    assert changes(("recurrence = 5", "recurrence = 5.0")) == []


def test_a_changed_key_is_told_with_its_table() -> None:
    assert changes(("20000", "15000")) == ["[limits] max_order_value: 20000 -> 15000"]
    assert changes(("risk = 0.001", "risk = 0.002")) == ["risk: 0.001 -> 0.002"]


def test_a_key_that_comes_or_goes_is_told() -> None:
    assert changes(("max_order_value = 20000", "")) == ["[limits] max_order_value: 20000 -> none"]
    assert changes(("top = 10", "")) == ["[scanners.A] top: 10 -> none"]
    assert changes(("top = 10", "top = 10\nmin = 1.5")) == ["[scanners.A] min: none -> 1.5"]


def test_tables_that_come_and_go_are_told() -> None:
    more = '[scanners.C]\nfilename = "c.py"\n[strategies.B]'
    assert changes(("[strategies.B]", more)) == ["+ [scanners.C]"]
    assert diff(plan(OLD + more.replace("[strategies.B]", "")), plan(OLD)) == ["- [scanners.C]"]
    assert changes(("[limits]", '[market]\nsource = "simulated"\n[limits]')) == ["+ [market]"]


def test_a_changed_schedule_is_told_in_minutes() -> None:
    row = '"b.py"\n[[strategies.B.schedule]]\nstart = 5\nduration = 90\n'
    assert changes(('"b.py"', row)) == ["[strategies.B] schedule: none -> [5+90 min]"]


def test_words_and_truths_are_written_as_in_the_file() -> None:
    assert changes(("risk = 0.001", "risk = 0.001\ntest_scanners = true")) == ["test_scanners: false -> true"]
    assert changes(('"b.py"', '"d.py"')) == ['[strategies.B] filename: "b.py" -> "d.py"']
    assert changes(("top = 10", "top = true")) == ["[scanners.A] top: 10 -> true"]


def test_the_shipped_plans_differ_in_words() -> None:
    plans = Path(__file__).parents[2] / "plans"
    today, paper = load_plan(plans / "today.toml"), load_plan(plans / "alpaca-paper.toml")
    assert "- [market]" in diff(today, paper)
    assert diff(today, today) == []
