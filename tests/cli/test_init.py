"""`init`: a workspace that can be run at once."""

import json
from pathlib import Path

import pytest

from liu_tui.cli.check import check_plan
from liu_tui.cli.init import make_workspace
from liu_tui.cli.main import main
from liu_tui.errors import RefusedError


def test_a_new_workspace_has_a_plan_without_a_fault(tmp_path: Path) -> None:
    written = make_workspace(tmp_path / "ws")
    assert {str(path) for path in written} >= {"README.md", ".gitignore", "plans/today.toml"}
    plan, faults = check_plan(tmp_path / "ws" / "plans" / "today.toml")
    assert faults == []
    assert plan is not None
    assert plan.market is not None


def test_its_plan_has_every_limit_and_a_comment_on_every_key(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    lines = (tmp_path / "plans" / "today.toml").read_text().splitlines()
    keys = [line for line in lines if " = " in line and not line.startswith("#")]
    assert len([line for line in lines if line.startswith("max_")]) == 6
    assert [line for line in keys if "#" not in line and not line.startswith("filename")] == []


@pytest.mark.parametrize("there", [".gitignore", "plans/today.toml"])
def test_nothing_is_overwritten_and_nothing_half_done(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")
    with pytest.raises(RefusedError, match=f"{there} exists already"):
        make_workspace(tmp_path)
    assert (tmp_path / there).read_text() == "mine"
    assert not (tmp_path / "README.md").exists()


def test_the_command_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "ws")]) == 0
    assert f"cd {tmp_path / 'ws'} && liu-tui plans/today.toml" in capsys.readouterr().out
    assert main(["init", str(tmp_path / "ws")]) == 3


def test_in_json_it_lists_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["root"] == str(tmp_path)
    assert all((tmp_path / file).is_file() for file in said["files"])


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert main(["init", str(tmp_path / "file" / "ws")]) == 2
