"""The frame: finding a command, and what the shell hears."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from liu_tui.cli.main import COMMANDS, PLAN, main
from liu_tui.errors import (
    Exit,
    Fault,
    LiuError,
    NothingToAttach,
    PlanError,
    RefusedError,
    UsageError,
)

FRAME = import_module("liu_tui.cli.main")  # its name in the package is the function's
CONTRACT = {
    "attach",
    "sessions",
    "stop",
    "ctl",
    "check",
    "doctor",
    "init",
    "market",
    "record",
    "backtest",
    "mine",
    "report",
    "batches",
}


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command is replaced by one that notes its words."""
    calls: list[list[str]] = []

    def note(name: str) -> click.Command:
        @click.command(name, context_settings={"ignore_unknown_options": True})
        @click.argument("words", nargs=-1, type=click.UNPROCESSED)
        def run(words: tuple[str, ...]) -> None:
            calls.append([name, *words])

        return run

    monkeypatch.setattr(FRAME, "_import", note)
    return calls


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make every command raise."""

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def run(as_json: bool) -> None:
        raise error

    monkeypatch.setattr(FRAME, "_import", lambda _: run)


@pytest.mark.parametrize(
    "words",
    [
        ["plans/today.toml"],
        ["plans/today.toml", "--headless", "--for", "90s", "--json"],
        ["--headless", "--for", "90s", "plans/today.toml"],
    ],
)
def test_a_plan_needs_no_command(heard: list[list[str]], words: list[str]) -> None:
    assert main(words) == Exit.DONE
    assert heard == [[PLAN, *words]]


def test_an_existing_file_is_a_plan_whatever_its_name(heard: list[list[str]], tmp_path: Path) -> None:
    file = tmp_path / "today"
    file.touch()
    main([str(file)])
    assert heard == [[PLAN, str(file)]]


def test_a_command_stays_a_command_though_a_plan_follows(heard: list[list[str]]) -> None:
    main(["check", "plans/today.toml"])
    assert heard == [["check", "plans/today.toml"]]


def test_every_command_of_the_contract_is_there() -> None:
    assert set(COMMANDS) >= CONTRACT


def test_an_unknown_command_is_a_usage_error_with_the_nearest_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sesions"]) == Exit.USAGE
    assert "Did you mean 'sessions'?" in capsys.readouterr().err


def test_no_word_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Exit.USAGE
    out, err = capsys.readouterr()
    assert "Commands" in out + err


def test_an_unknown_option_is_a_usage_error_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--nope", "--json"]) == Exit.USAGE
    assert json.loads(capsys.readouterr().out)["error"]["code"] == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LiuError("it failed"), 1),
        (UsageError("wrong"), 2),
        (RefusedError("no"), 3),
        (NothingToAttach("nobody"), 4),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (ZeroDivisionError("of our own"), 1),
        (BrokenPipeError(), 1),
    ],
)
def test_an_error_becomes_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    out = sys.stdout
    fail_with(monkeypatch, error)
    assert main(["sessions"]) == code
    if isinstance(error, BrokenPipeError):
        sys.stdout.close()
    sys.stdout = out


def test_an_error_says_what_where_and_the_mend_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, RefusedError("no", where="there", mend="Do this."))
    main(["sessions"])
    assert capsys.readouterr() == ("", "liu-tui: there: no. Do this.\n")


def test_with_json_an_error_is_one_object_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, RefusedError("no", where="there", mend="Do this."))
    assert main(["sessions", "--json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert said == {"error": {"code": 3, "what": "no", "where": "there", "mend": "Do this."}}


def test_a_plans_faults_are_all_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = (Fault("p", 1, "", "a", "x", "y."), Fault("p", 2, "", "b", "x", "y."))
    fail_with(monkeypatch, PlanError("x", faults=faults))
    assert main(["sessions", "--json"]) == 2
    out, err = capsys.readouterr()
    assert err == "p:1 a: x. y.\np:2 b: x. y.\n"
    assert [fault["line"] for fault in json.loads(out)["error"]["faults"]] == [1, 2]


def test_a_fault_of_our_own_shows_its_trace_and_asks_for_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, ZeroDivisionError("of our own"))
    main(["sessions"])
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "please report it" in err


@pytest.mark.parametrize(
    "target", ["liu_tui.cli.nowhere:nothing", "liu_tui.cli.init:nothing", "liu_tui.cli.init:make_workspace"]
)
def test_a_command_that_this_build_lacks_is_told_only_when_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    monkeypatch.setitem(COMMANDS, "sessions", (target, "words"))
    assert main(["--help"]) == Exit.DONE
    assert main(["sessions"]) == Exit.FAILED
    assert "this build has no 'sessions'" in capsys.readouterr().err


def test_the_help_loads_none_of_the_heavy_rooms() -> None:
    heavy = ("pandas", "numpy", "textual", "aiohttp", "alpaca", "liu_tui.engine", "liu_tui.store", "asyncio")
    code = (
        "import sys; from liu_tui.cli import main; main(['--help']);"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "today.toml" in done.stdout


def test_the_module_runs_as_the_program_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "liu_tui", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("liu-tui, version")


@pytest.mark.parametrize("words", [["attach"], ["stop"], ["ctl", "status"]])
def test_with_no_session_there_is_nothing_to_attach_to_terminal_or_not(
    words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "plans").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "liu_tui", *words],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.NOTHING, done.stderr
    assert "no session runs" in done.stderr
