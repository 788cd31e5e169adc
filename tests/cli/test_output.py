"""What commands write."""

import json

import pytest

from liu_tui.cli import output
from liu_tui.cli.checkups.finding import Finding, Verdict


def test_an_answer_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit({"findings": [Finding("disk", Verdict.OK, "fine")], "odd": float("nan")})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "findings": [{"name": "disk", "verdict": "ok", "words": "fine", "mend": "", "value": ""}],
        "odd": None,
    }


def test_a_table_stands_in_columns_with_numbers_on_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["name", "n", "dollars"], [["a", 5, 1234.5], ["longer", 10, None]])
    assert capsys.readouterr().out.splitlines() == [
        "name     n   dollars",
        "a        5  1,234.50",
        "longer  10         -",
    ]


def test_an_empty_table_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["name", "n"], [])
    assert capsys.readouterr().out == "name  n\n"
