"""`check`: the plan and the files that it names."""

import json
from pathlib import Path

import pytest

from liu_tui.cli.check import check_plan, in_brief
from liu_tui.cli.main import main
from liu_tui.errors import Fault
from liu_tui.plan.load import load_plan

PLAN = """\
[scanners.Look]
filename = "look.py"
top = 5

[strategies.Trade]
filename = "trade.py"
size = 2.5
"""
LOOK = """\
from liu_tui import Scanner

class Look(Scanner):
    top: int = 3

    async def run(self, market):
        return []
"""
TRADE = """\
from liu_tui import Strategy

print("loaded")

class Trade(Strategy):
    size: float = 1.0

    async def run(self, symbol, now, bars, position, ctx):
        return None
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "p.toml").write_text(PLAN)
    (tmp_path / "look.py").write_text(LOOK)
    (tmp_path / "trade.py").write_text(TRADE)
    return tmp_path


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def faults(workspace: Path) -> list[Fault]:
    return check_plan(workspace / "plans" / "p.toml")[1]


def test_a_good_plan_comes_back(workspace: Path) -> None:
    plan, found = check_plan(workspace / "plans" / "p.toml")
    assert plan == load_plan(workspace / "plans" / "p.toml")
    assert found == []


def test_an_unknown_parameter_is_told_with_its_line(workspace: Path) -> None:
    rewrite(workspace / "plans" / "p.toml", "size = 2.5", "sise = 2.5")
    (fault,) = faults(workspace)
    assert (fault.line, fault.table, fault.key) == (7, "strategies.Trade", "sise")
    assert "'size'" in fault.mend


def test_a_misspelt_key_of_the_house_is_told_as_one(workspace: Path) -> None:
    rewrite(workspace / "plans" / "p.toml", "top = 5", "recurence = 5")
    (fault,) = faults(workspace)
    assert fault.mend == "Did you mean 'recurrence'?"


def test_a_plans_own_key_below_a_table_is_sent_to_the_top(workspace: Path) -> None:
    rewrite(workspace / "plans" / "p.toml", "size = 2.5", "portfolio_value = 5.0")
    (fault,) = faults(workspace)
    assert "above the first table" in fault.mend


def test_a_parameter_of_the_wrong_type_is_told(workspace: Path) -> None:
    rewrite(workspace / "plans" / "p.toml", "top = 5", 'top = "five"')
    (fault,) = faults(workspace)
    assert (fault.line, fault.key) == (3, "top")


def test_a_file_that_does_not_load_is_told_with_both_places(workspace: Path) -> None:
    rewrite(workspace / "trade.py", "size: float = 1.0", "size: float =")
    (fault,) = faults(workspace)
    assert (fault.line, fault.table, fault.key) == (6, "strategies.Trade", "filename")
    assert "trade.py:6" in fault.what


def test_a_missing_class_is_told(workspace: Path) -> None:
    rewrite(workspace / "look.py", "class Look(Scanner)", "class Other(object)")
    (fault,) = faults(workspace)
    assert "no class 'Look'" in fault.what


def test_faults_of_the_plan_and_of_its_files_come_together(workspace: Path) -> None:
    rewrite(workspace / "plans" / "p.toml", "[scanners.Look]", "max_symbol = 5\n[scanners.Look]")
    rewrite(workspace / "plans" / "p.toml", 'filename = "look.py"', 'filename = "lok.py"')
    rewrite(workspace / "plans" / "p.toml", "size = 2.5", "sise = 2.5")
    assert [(fault.line, fault.key) for fault in faults(workspace)] == [
        (1, "max_symbol"),
        (3, "filename"),
        (8, "sise"),
    ]


def test_what_is_no_toml_is_one_fault(workspace: Path) -> None:
    (workspace / "plans" / "p.toml").write_text("a = ")
    plan, found = check_plan(workspace / "plans" / "p.toml")
    assert plan is None
    assert len(found) == 1


class TestCommand:
    def test_a_good_plan_ends_with_0_and_a_word_on_what_it_would_do(
        self, workspace: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["check", str(workspace / "plans" / "p.toml")]) == 0
        assert "no fault. PAPER on Alpaca iex: 1 scanner, 1 strategy." in capsys.readouterr().out

    def test_a_bad_plan_ends_with_2_and_a_line_a_fault(
        self, workspace: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plan = workspace / "plans" / "p.toml"
        rewrite(plan, "size", "sise")
        assert main(["check", str(plan)]) == 2
        first, last = capsys.readouterr().out.splitlines()
        assert first.startswith(f"{plan}:7 [strategies.Trade] sise: unknown key")
        assert last == "1 fault"

    def test_in_json_each_fault_is_taken_apart(
        self, workspace: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plan = workspace / "plans" / "p.toml"
        rewrite(plan, "size", "sise")
        assert main(["check", str(plan), "--json"]) == 2
        said = json.loads(capsys.readouterr().out)  # what the user's file prints is not in it
        assert (said["ok"], said["plan"]) == (False, str(plan))
        (fault,) = said["faults"]
        assert sorted(fault) == ["file", "key", "line", "mend", "table", "what"]

    def test_a_plan_that_is_not_there_ends_with_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "nowhere/p.toml", "--json"]) == 2
        assert "no such file" in json.loads(capsys.readouterr().out)["faults"][0]["what"]


def test_a_brief_names_the_market_and_counts(workspace: Path) -> None:
    text = PLAN + '[market]\n[strategies.Other]\nfilename = "trade.py"\n'
    (workspace / "plans" / "p.toml").write_text(text)
    words = in_brief(load_plan(workspace / "plans" / "p.toml"))
    assert words == "PAPER on local market, simulated: 1 scanner, 2 strategies."


@pytest.mark.parametrize(
    ("head", "tail", "says"),
    [
        ("", '[alpaca]\nfeed = "sip"\n', "PAPER on Alpaca sip:"),
        ('data = "polygon"\n', "", "PAPER on Alpaca, data Polygon realtime:"),
        ('data = "polygon"\n', '[polygon]\nfeed = "delayed"\n', "PAPER on Alpaca, data Polygon delayed:"),
        ('data = "polygon"\n', "[market]\n", "PAPER on local market, simulated, data as Polygon's:"),
    ],
)
def test_a_brief_names_who_tells_the_data(workspace: Path, head: str, tail: str, says: str) -> None:
    (workspace / "plans" / "p.toml").write_text(head + PLAN + tail)
    assert in_brief(load_plan(workspace / "plans" / "p.toml")).startswith(says)
