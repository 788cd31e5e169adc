"""A user's saved file at the supervisor: told to who runs it; a plan is compared and applies later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from liu_tui.engine.messages import Reload
from liu_tui.plan.load import load_plan
from tests.kit.engine import House, a_house, write_strategy

PLAN = """
portfolio_value = 50_000.0
consumers = 2

[strategies.momentum]
filename = "strategies/momentum.py"

[scanners.gaps]
filename = "scanners/gaps.py"
"""
SCANNER = """
from liu_tui import Scanner

class gaps(Scanner):
    async def run(self, market):
        return []
"""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    write_strategy(tmp_path, "momentum")
    for name, text in (("plans/today.toml", PLAN), ("scanners/gaps.py", SCANNER)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    plan = load_plan(tmp_path / "plans" / "today.toml", base=tmp_path)
    async with a_house(tmp_path, plan) as house:
        yield house


def save(house: House, name: str, text: str) -> None:
    """Save a file; the supervisor notices."""
    path = house.root / name
    path.write_text(text)
    house.supervisor._saved(path)


async def test_every_file_that_the_plan_names_is_looked_after(house: House) -> None:
    names = {str(path.relative_to(house.root)) for path in house.supervisor._user_files()}
    assert names == {"plans/today.toml", "strategies/momentum.py", "scanners/gaps.py"}


@pytest.mark.parametrize("name", ["strategies/momentum.py", "scanners/gaps.py"])
async def test_a_saved_file_is_told_by_the_plans_name_to_those_who_run_users_code(
    house: House, name: str
) -> None:
    save(house, name, "whatever it is: who loads it says so")
    for kid in (*house.consumers, house.scanners):
        assert kid.told == [Reload(filename=name)]
    assert (house.desk.told, house.producer.told) == ([], [])


async def test_a_saved_plan_is_compared_and_changes_nothing_that_runs(house: House) -> None:
    before = house.supervisor.plan
    save(house, "plans/today.toml", PLAN.replace("50_000.0", "60_000.0"))
    assert house.supervisor.plan is before
    assert "portfolio_value" in house.supervisor.plan_changed
    assert "portfolio_value" in house.said[-1]
    assert "next start" in house.said[-1]
    assert all(kid.told == [] for kid in (house.producer, house.desk, *house.consumers, house.scanners))


async def test_a_plan_that_is_saved_as_it_was_is_no_longer_changed(house: House) -> None:
    save(house, "plans/today.toml", PLAN.replace("50_000.0", "60_000.0"))
    save(house, "plans/today.toml", PLAN)
    assert house.supervisor.plan_changed == ""


async def test_a_plan_with_faults_is_said_to_change_nothing(house: House) -> None:
    save(house, "plans/today.toml", PLAN + "\nno such key = 1\n")
    assert "changes nothing" in house.said[-1]
    assert house.supervisor.plan_changed == ""
