"""User files: loaded by path, told in words why not, parameters checked."""

import sys
from pathlib import Path

import pytest

from liu_tui.errors import UserFileError
from liu_tui.scanner import Scanner
from liu_tui.strategy import Strategy
from liu_tui.userfiles import build, faults_of, load, parameters

GOOD = """
from __future__ import annotations
from typing import Annotated, ClassVar
import msgspec
from liu_tui import Strategy

class Base(Strategy):
    top: int = 3

class Good(Base):
    risk_pct: float = 0.5
    names: list[str] = []
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1
    colour: ClassVar[str] = "red"
    _hidden: int = 1
    plain = 4

    async def run(self, symbol, now, bars, position, ctx):
        return None
"""


RUN = "    async def run(self, symbol, now, bars, position, ctx): ...\n"
RUN_ALL = "    async def run_all(self, now, series, positions, ctx): ...\n"


def a_strategy(*lines: str, before: str = "") -> str:
    """Make the text of a file with one strategy, Mine, whose body starts on line 3."""
    return f"from liu_tui import Strategy; {before}\nclass Mine(Strategy):\n" + "".join(
        f"    {line}\n" for line in lines
    )


def a_file(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(folder: Path, text: str, name: str = "Mine") -> UserFileError:
    with pytest.raises(UserFileError) as caught:
        load(a_file(folder, text), name, Strategy)
    return caught.value


def test_a_class_is_found_by_its_name(tmp_path: Path) -> None:
    assert load(a_file(tmp_path, GOOD), "Good", Strategy).__name__ == "Good"


def test_the_only_class_is_taken_whatever_its_name(tmp_path: Path) -> None:
    assert load(a_file(tmp_path, a_strategy() + RUN), "momentum", Strategy).__name__ == "Mine"


def test_a_reload_gives_a_fresh_class_and_leaves_the_old_one_as_it_was(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_strategy("x: int = 1") + RUN)
    old = load(path, "Mine", Strategy)
    a_file(tmp_path, a_strategy("x: int = 2") + RUN)  # of the same size, within the same second
    new = load(path, "Mine", Strategy)
    assert [vars(build(cls, "a", {}))["x"] for cls in (old, new)] == [1, 2]
    assert "mine" not in sys.modules


def test_a_neighbour_is_importable_read_anew_and_then_forgotten(tmp_path: Path) -> None:
    a_file(tmp_path, "WIDTH = 1\n", "neighbour_of_mine.py")
    text = a_strategy("width: int = neighbour_of_mine.WIDTH", before="import neighbour_of_mine") + RUN
    path = a_file(tmp_path, text)
    assert vars(build(load(path, "Mine", Strategy), "a", {}))["width"] == 1
    a_file(tmp_path, "WIDTH = 2\n", "neighbour_of_mine.py")
    assert vars(build(load(path, "Mine", Strategy), "a", {}))["width"] == 2
    assert "neighbour_of_mine" not in sys.modules
    assert str(tmp_path) not in sys.path


def test_a_neighbour_never_hides_an_installed_module(tmp_path: Path) -> None:
    a_file(tmp_path, "raise RuntimeError('hidden')\n", "json.py")
    text = a_strategy("x: str = json.dumps(1)", before="import json") + RUN
    assert load(a_file(tmp_path, text), "Mine", Strategy)


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    told = refusal(tmp_path, "x = 1\ndef broken(:\n")
    assert told.what.startswith("syntax error")
    assert told.where.endswith("mine.py:2")


def test_a_missing_module_says_what_to_install(tmp_path: Path) -> None:
    told = refusal(tmp_path, "import os\nimport no_such_package_here.part\n")
    assert "no module named 'no_such_package_here'" in str(told)
    assert told.where.endswith("mine.py:2")
    assert "Install 'no_such_package_here'" in told.mend


def test_a_name_that_users_do_not_have_is_told(tmp_path: Path) -> None:
    assert "cannot import name 'Strategi'" in refusal(tmp_path, "from liu_tui import Strategi\n").what


@pytest.mark.parametrize(
    ("text", "words"),
    [("1 / 0\n", "ZeroDivisionError"), ("exit(3)\n", "ends the program"), ("\0", "syntax error")],
)
def test_what_a_file_does_while_it_is_read_never_gets_out(tmp_path: Path, text: str, words: str) -> None:
    told = refusal(tmp_path, text)
    assert words in told.what
    assert told.where.endswith("mine.py:1")


def test_a_missing_file_suggests_the_nearest(tmp_path: Path) -> None:
    a_file(tmp_path, "", "momentum.py")
    with pytest.raises(UserFileError, match=r"Did you mean 'momentum\.py'") as caught:
        load(tmp_path / "momentun.py", "M", Strategy)
    assert caught.value.where.endswith("momentun.py")


def test_a_wrong_name_among_several_suggests_the_nearest(tmp_path: Path) -> None:
    assert "Did you mean 'Good'" in refusal(tmp_path, GOOD, "Goood").mend


def test_a_file_without_a_strategy_says_how_to_write_one(tmp_path: Path) -> None:
    assert "class Mine(Strategy)" in refusal(tmp_path, "x = 1\n").mend


def test_a_class_that_extends_something_else_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, "from liu_tui import Scanner\nclass Mine(Scanner):\n    pass\n")
    assert told.what == "Mine is not a Strategy"
    assert told.where.endswith(":2")


def test_a_method_that_is_not_async_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (
        "from liu_tui import Scanner\nclass Mine(Scanner):\n    def run(self, market):\n        return []\n"
    )
    with pytest.raises(UserFileError, match="is not `async def`") as caught:
        load(a_file(tmp_path, text), "Mine", Scanner)
    assert caught.value.where.endswith("mine.py:3")


def test_a_method_with_other_arguments_is_refused_with_the_right_ones(tmp_path: Path) -> None:
    told = refusal(tmp_path, a_strategy("async def run(self, symbol): ..."))
    assert told.mend == "Write async def run(self, symbol, now, bars, position, ctx)."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    events = {'tick'}\n" + RUN, "'tick'"),
        ("    pass\n", "neither run() nor run_all()"),
        (RUN_ALL, "`every`"),
        (RUN + RUN_ALL, "both"),
    ],
)
def test_a_strategys_own_declaration_is_checked(tmp_path: Path, body: str, words: str) -> None:
    told = refusal(tmp_path, a_strategy() + body)
    assert words in told.what
    assert told.mend
    assert told.where.endswith("mine.py:2")


def test_parameters_are_the_annotated_attributes_with_a_default(tmp_path: Path) -> None:
    found = parameters(load(a_file(tmp_path, GOOD), "Good", Strategy))
    assert list(found) == ["top", "risk_pct", "names", "share"]
    assert found["risk_pct"] is float


def test_every_scanner_has_from_market_open() -> None:
    assert parameters(Scanner) == {"from_market_open": float}


def test_parameters_land_on_the_instance_and_an_int_is_a_float(tmp_path: Path) -> None:
    made = build(load(a_file(tmp_path, GOOD), "Good", Strategy), "good", {"risk_pct": 1, "top": 9})
    assert made.name == "good"
    assert (made.__dict__["risk_pct"], type(made.__dict__["risk_pct"]), made.__dict__["top"]) == (
        1.0,
        float,
        9,
    )


def test_instances_do_not_share_a_default(tmp_path: Path) -> None:
    cls = load(a_file(tmp_path, GOOD), "Good", Strategy)
    vars(build(cls, "a", {}))["names"].append("x")
    assert vars(build(cls, "b", {}))["names"] == []


def test_every_bad_parameter_is_told_with_its_mend(tmp_path: Path) -> None:
    cls = load(a_file(tmp_path, GOOD), "Good", Strategy)
    faults = faults_of(cls, {"risk_pc": 1.0, "top": "many", "share": 2.0, "risk_pct": True, "names": ["a"]})
    assert [(key, mend) for key, _, mend in faults] == [
        ("risk_pc", "Did you mean 'risk_pct'?"),
        ("top", "Write a value like 3, its default."),
        ("share", "Write a value like 0.1, its default."),
        ("risk_pct", "Write a value like 0.5, its default."),
    ]
    assert faults[1][1] == "was 'many': expected int"
    with pytest.raises(UserFileError, match="risk_pc: unknown key of Good"):
        build(cls, "good", {"risk_pc": 1.0})


def test_an_init_that_raises_is_told_with_its_line(tmp_path: Path) -> None:
    init = (
        "x: int = 0",
        "def __init__(self, name):",
        "    super().__init__(name)",
        "    self.y = 1 / self.x",
    )
    text = a_strategy(*init) + RUN
    cls = load(a_file(tmp_path, text), "Mine", Strategy)
    assert vars(build(cls, "a", {"x": 2}))["y"] == 0.5
    with pytest.raises(UserFileError, match="ZeroDivisionError") as caught:
        build(cls, "a", {})
    assert caught.value.where.endswith("mine.py:6")
