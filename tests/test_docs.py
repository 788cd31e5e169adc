"""The papers are true: links resolve, samples load, commands are told, nothing public is out of order."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import click
import pytest

import liu_tui
from liu_tui import userfiles
from liu_tui.cli.check import check_plan
from liu_tui.cli.main import COMMANDS, commands
from liu_tui.engine.child import ROLES
from liu_tui.engine.client import VERBS
from liu_tui.errors import Exit
from liu_tui.miner import Miner
from liu_tui.model.orders import OrderState
from liu_tui.plan.schema import Limits
from liu_tui.scanner import Scanner
from liu_tui.store.schema import MIGRATIONS
from liu_tui.strategy import Strategy
from liu_tui.trading.codes import CODES

ROOT = Path(__file__).parents[1]
PAPERS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
BASES: dict[str, type] = {"strategies": Strategy, "scanners": Scanner, "miners": Miner}

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE_NAME = re.compile(r"# ((?:plans|strategies|scanners|miners)/\w+\.(?:toml|py))\n")
_ADMIN = re.compile(r"\"(/admin/[a-z]+)")
_DECISION = re.compile(
    r"# (\d+):? .+\n\n\*\*Asked\.\*\* .+\n\*\*(?:Took|Taken)\..+"
    r"\n\*\*(?:Gave|Given) up\..+\n\*\*(?:What w|W)ould change our mind\.\*\* .+",
    re.DOTALL,
)
_OUR_FILE = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|md|toml|svg))`")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(language: str) -> list[tuple[str, str]]:
    """All code blocks of a language: (paper:line, text)."""
    found = []
    for paper in PAPERS:
        text = paper.read_text("utf-8")
        found += [
            (f"{named(paper)}:{text.count(chr(10), 0, match.start()) + 1}", match[2])
            for match in _FENCE.finditer(text)
            if match[1] == language
        ]
    return found


def samples() -> dict[str, str]:
    """The code blocks that say in their first line which file of a workspace they are."""
    texts = [text for language in ("toml", "python") for _, text in blocks(language)]
    return {match[1]: text for text in texts if (match := _FILE_NAME.match(text))}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own workspace with the papers' samples laid into it, as a reader would."""
    root = tmp_path_factory.mktemp("workspace")
    for folder in ("plans", *BASES):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in samples().items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def anchors(paper: Path) -> set[str]:
    """The names that GitHub gives to a paper's headings."""
    prose = _FENCE.sub("", paper.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=named)
def test_every_link_leads_somewhere(paper: Path) -> None:
    lost = []
    for target in _LINK.findall(_FENCE.sub("", paper.read_text("utf-8"))):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = paper.parent / file if file else paper
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            lost.append(target)

    assert lost == []


@pytest.mark.parametrize("paper", PAPERS, ids=named)
def test_every_file_of_ours_that_a_paper_names_is_there(paper: Path) -> None:
    names = set(_OUR_FILE.findall(paper.read_text("utf-8"))) - samples().keys()
    roots = (ROOT, ROOT / "liu_tui", ROOT / "liu_tui" / "cli" / "template")

    assert sorted(name for name in names if not any((root / name).exists() for root in roots)) == []


def test_every_toml_block_is_toml() -> None:
    for place, text in blocks("toml"):
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError as e:
            pytest.fail(f"{place}: {e}")


def test_every_json_block_is_json() -> None:
    for place, text in blocks("json"):
        try:
            json.loads(text)
        except ValueError as e:
            pytest.fail(f"{place}: {e}")


def test_every_python_block_compiles() -> None:
    for place, text in blocks("python"):
        compile(text, place, "exec", dont_inherit=True)


def test_the_papers_show_a_plan_a_strategy_a_scanner_and_a_miner() -> None:
    assert {name.partition("/")[0] for name in samples()} == {"plans", *BASES}


def test_every_sample_class_loads(workspace: Path) -> None:
    for name in samples():
        folder = name.partition("/")[0]
        if folder in BASES:
            cls: type = userfiles.load(workspace / name, "", BASES[folder])
            userfiles.build(cls, cls.__name__, {})


def test_every_sample_plan_has_no_fault(workspace: Path) -> None:
    faults = {
        name: [str(fault) for fault in check_plan(workspace / name, workspace)[1]]
        for name in samples()
        if name.startswith("plans/")
    }

    assert faults
    assert {name: said for name, said in faults.items() if said} == {}


def test_every_command_is_told() -> None:
    told = (ROOT / "README.md").read_text("utf-8") + (ROOT / "docs/operations.md").read_text("utf-8")

    assert [name for name in COMMANDS if f"liu-tui {name}" not in told] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_told(name: str) -> None:
    command = commands.get_command(click.Context(commands), name)
    told = (ROOT / "docs/operations.md").read_text("utf-8")

    assert command is not None
    options = [
        option
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in parameter.opts
    ]
    assert [option for option in options if f"{option}`" not in told and f"{option} " not in told] == []


def test_every_verb_exit_code_role_table_and_refusal_is_told() -> None:
    operations = (ROOT / "docs/operations.md").read_text("utf-8")
    strategies = (ROOT / "docs/strategies.md").read_text("utf-8")
    architecture = (ROOT / "docs/ARCHITECTURE.md").read_text("utf-8")
    schema = "\n".join(statement for step in MIGRATIONS for statement in step.statements)
    tables = re.findall(r"CREATE TABLE (\w+)", schema)

    assert tables
    assert [verb for verb in VERBS if f"`{verb}" not in operations and f"ctl {verb}" not in operations] == []
    assert [code for code in Exit if f"| {code.value} |" not in operations] == []
    assert [code for code in CODES if f"`{code}`" not in strategies] == []
    assert [role for role in ROLES if f"| {role}" not in architecture] == []
    assert [table for table in tables if f"`{table}`" not in architecture] == []


def test_every_state_of_an_order_and_every_benchmark_is_on_the_map() -> None:
    told = (ROOT / "docs/ARCHITECTURE.md").read_text("utf-8")
    benchmarks = [path.name for path in sorted((ROOT / "benchmarks").glob("*.py"))]

    assert [state for state in OrderState if not re.search(rf"\b{state.value}\b", told)] == []
    assert [name for name in benchmarks if f"`{name}`" not in told] == []


def test_every_limit_has_its_place_on_the_page_of_limits() -> None:
    told = (ROOT / "docs/limits.md").read_text("utf-8")

    assert [key for key in Limits.__struct_fields__ if f"`{key}`" not in told] == []


def test_every_administrative_path_of_the_local_market_is_told() -> None:
    told = "".join((ROOT / "docs" / name).read_text("utf-8") for name in ("operations.md", "faults.md"))
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "liu_tui/localmarket").glob("*.py"))
    paths = set(_ADMIN.findall(sources))

    assert paths
    assert sorted(path for path in paths if path not in told) == []


def test_every_field_of_the_summary_is_told() -> None:
    told = (ROOT / "docs/operations.md").read_text("utf-8")
    fields = re.findall(r'^ +"(\w+)":', (ROOT / "liu_tui/engine/summary.py").read_text("utf-8"), re.MULTILINE)

    assert "fees" in fields
    assert [field for field in fields if f'"{field}":' not in told] == []


def test_decisions_are_counted_without_a_gap_and_say_all_that_one_has_to_say() -> None:
    papers = sorted((ROOT / "docs/decisions").glob("*.md"))
    found = [_DECISION.match(paper.read_text("utf-8")) for paper in papers]

    assert [named(paper) for paper, match in zip(papers, found, strict=True) if match is None] == []
    assert [match and match[1] for match in found] == [f"{n:03}" for n in range(1, len(papers) + 1)]
    assert [paper.name[:3] for paper in papers] == [match and match[1] for match in found]


def test_the_public_names_are_sorted_and_can_be_imported() -> None:
    assert liu_tui.__all__ == sorted(liu_tui.__all__)
    for name in liu_tui.__all__:
        assert getattr(liu_tui, name) is not None


def test_every_public_name_is_told_to_authors() -> None:
    told = (ROOT / "docs/strategies.md").read_text("utf-8")

    assert [name for name in liu_tui.__all__ if not re.search(rf"\b{name}\b", told)] == []


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lines = text.split("\ndependencies = [\n")[1].split("\n]\n")[0].splitlines()

    assert len(lines) == len(tomllib.loads(text)["project"]["dependencies"])
    assert [line for line in lines if not re.search(r'",\s+# \w', line)] == []


def test_every_dependency_has_its_line_in_the_decision() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    told = (ROOT / "docs/decisions/010-dependencies.md").read_text("utf-8")
    names = [re.split(r"[<>=]", wanted)[0] for wanted in project["dependencies"]]

    assert [name for name in names if f"`{name}`" not in told] == []


def test_the_one_check_is_the_readme_s_test_line() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8").splitlines()[-1]

    assert script in (ROOT / "README.md").read_text("utf-8")
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

    assert first is not None
    assert first[1] == liu_tui.__version__
