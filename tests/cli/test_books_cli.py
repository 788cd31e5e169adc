"""`report` and `batches`: the books as people and programs read them."""

import json
from pathlib import Path
from typing import Any

import pytest

from liu_tui.cli.main import main
from tests.kit.backtest import a_workspace, write_days


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that we stand in, with empty books."""
    a_workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def batch(here: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The id of a backtest that has been run here."""
    write_days(here / "data", minutes=120)
    assert main(["backtest", "plans/test.toml", "--json"]) == 0
    return str(said(capsys)["batch_id"])


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_empty_books_have_nothing_to_report(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--json"]) == 4
    assert said(capsys)["error"]["code"] == 4
    assert main(["batches"]) == 0
    assert "empty" in capsys.readouterr().out
    assert main(["batches", "--json"]) == 0
    assert said(capsys) == {"batches": []}
    assert not (here / ".liu/liu.db").exists()


def test_the_latest_batch_is_reported_if_none_is_named(
    batch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report"]) == 0
    text = capsys.readouterr().out
    assert batch in text
    assert "By strategy" in text
    assert main(["report", "--json"]) == 0
    assert said(capsys)["batch"]["batch_id"] == batch


def test_the_beginning_of_an_id_is_enough(batch: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (batch, batch[:15]):
        assert main(["report", words, "--json"]) == 0
        assert said(capsys)["batch"]["batch_id"] == batch
    assert main(["report", "1999"]) == 2


def test_an_id_that_may_be_two_is_refused(batch: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "plans/test.toml", "--json"]) == 0
    other = said(capsys)["batch_id"]
    assert main(["report", "20"]) == 2
    assert other in capsys.readouterr().err
    assert main(["report", "--json"]) == 0
    assert said(capsys)["batch"]["batch_id"] == other


def test_a_page_and_a_table_can_be_written(
    batch: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--html", "page.html", "--csv", "trips.csv"]) == 0
    assert "page.html" in capsys.readouterr().out
    assert batch in (here / "page.html").read_text()
    rows = (here / "trips.csv").read_text().splitlines()
    assert rows[0].startswith("strategy,symbol")
    assert main(["report", "--json"]) == 0
    assert len(rows) - 1 == len(said(capsys)["trips"])


def test_a_file_that_cannot_be_written_fails_the_command(batch: str, here: Path) -> None:
    assert main(["report", "--csv", str(here / "nowhere/trips.csv")]) == 1


def test_batches_are_listed(batch: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batches", "--json"]) == 0
    (row,) = said(capsys)["batches"]
    assert (row["batch_id"], row["environment"], row["end_reason"]) == (batch, "BACKTEST", "done")
    assert main(["batches"]) == 0
    assert batch in capsys.readouterr().out
