"""What holds for the whole house: floors, import hygiene, size, and what never stands in a file."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "liu_tui"
USER_FOLDERS = ("strategies", "scanners", "miners")
MOST_LINES = 600
SKIPPED = frozenset({".git", ".venv", ".liu", "__pycache__", "build", "dist"})

IMPORT = """
import sys

BANNED = set(sys.argv[1].split(","))

class Wall:
    # Raises where a banned module is asked for: the traceback is the chain of imports that led there.
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BANNED:
            raise SystemError(f"{name} is imported")

sys.meta_path.insert(0, Wall())
for module in sys.argv[2:]:
    __import__(module)
"""


def our_files() -> list[Path]:
    """Every file that is, or would be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return sorted(path for name in names if (path := ROOT / name).is_file())
    return sorted(p for p in ROOT.rglob("*") if p.is_file() and not SKIPPED & set(p.relative_to(ROOT).parts))


def modules() -> list[Path]:
    folders = [PACKAGE, *(ROOT / name for name in USER_FOLDERS)]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_run_down_the_floors() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


# What each process imports at its start, and what its openers import later, when they are called.
HYGIENE = {
    "command line": (["liu_tui.cli.main"], {"pandas", "numpy", "alpaca", "textual", "aiohttp"}),
    "screen": (["liu_tui.tui.app"], {"pandas", "numpy", "alpaca", "aiohttp", "websockets"}),
    "screen's door": (["liu_tui.engine.client"], {"pandas", "numpy", "alpaca", "textual"}),
    "supervisor": (["liu_tui.engine.session"], {"pandas", "alpaca", "textual", "aiohttp", "websockets"}),
    "producer": (
        ["liu_tui.engine.producer", "liu_tui.adapters.alpaca.stream", "liu_tui.adapters.alpaca.history"],
        {"pandas", "alpaca", "textual", "aiosqlite"},
    ),
    "consumer": (
        ["liu_tui.engine.consumer", "liu_tui.adapters.alpaca.history"],
        {"pandas", "alpaca", "textual", "aiosqlite", "websockets"},
    ),
    "scanners": (
        ["liu_tui.engine.scanners", "liu_tui.adapters.alpaca.history"],
        {"pandas", "alpaca", "textual", "aiosqlite", "websockets"},
    ),
    "desk": (["liu_tui.engine.desk", "liu_tui.adapters.alpaca.trader"], {"textual", "aiohttp"}),
    "local market": (["liu_tui.localmarket.server"], {"pandas", "alpaca", "textual"}),
    "a user's file": (
        ["liu_tui", "liu_tui.strategy", "liu_tui.scanner", "liu_tui.miner"],
        {"pandas", "numpy"},
    ),
}


@pytest.mark.parametrize("process", HYGIENE)
def test_a_process_imports_only_what_it_needs(process: str) -> None:
    names, banned = HYGIENE[process]
    words = [sys.executable, "-c", IMPORT, ",".join(sorted(banned)), *names]
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, f"{process}: {done.stderr}"


def test_no_module_is_too_long_to_read() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in modules()}

    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_module_says_what_is_in_it() -> None:
    silent = [named(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_bytes()))]

    assert silent == []


def test_nothing_is_left_to_do_in_a_comment() -> None:
    word = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

    assert _lines_with(word) == []


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    place = re.compile(r"(?<![\w.~<>}$/-])/(?:ho" + r"me|wo" + r"rk|Us" + r"ers|ro" + r"ot)/\w")

    assert _lines_with(place) == []


def test_symbols_are_spelled_by_one_rule() -> None:
    by_hand = re.compile(r"\bsymbols?\.upper\(|map\(str\.upper")

    assert _lines_with(by_hand, modules()) == []


def _lines_with(pattern: re.Pattern[str], files: list[Path] | None = None) -> list[str]:
    found = []
    for path in files or our_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a recording, an image
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{named(path)}:{number}: {line.strip()[:120]}")
    return found
