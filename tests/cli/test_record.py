"""`record`: what it refuses before a session begins."""

import json
from pathlib import Path

import pytest

from liu_tui.cli.main import main
from liu_tui.cli.session import digest
from liu_tui.engine.session import Options, with_options
from liu_tui.errors import UsageError
from liu_tui.market.framing import is_recording
from liu_tui.market.recording import RecordingWriter
from liu_tui.plan.schema import TradePlan
from tests.kit.recording import ABOUT, T, written


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan's name; no session comes so far as to read it."""
    return tmp_path / "plans" / "none.toml"


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run the command line, which must find it wrong; returns what it said."""
    assert main(["record", *words, "--json"]) == 2
    return str(json.loads(capsys.readouterr().out)["error"]["what"])


def test_a_file_that_is_no_recording_is_never_overwritten(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "notes.txt"
    out.write_text("a day to remember")
    assert refusal(capsys, str(plan), "--out", str(out)) == "this file is no recording"
    assert out.read_text() == "a day to remember"


def test_a_recording_that_is_being_written_is_refused(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = RecordingWriter(tmp_path / "a.liu", about=ABOUT)
    try:
        assert "somebody else" in refusal(capsys, str(plan), "--out", str(tmp_path / "a.liu"))
    finally:
        writer.finish()


@pytest.mark.parametrize("place", ["nowhere/a.liu", "."])
def test_a_place_where_no_file_can_be_is_refused(
    tmp_path: Path, plan: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(capsys, str(plan), "--out", str(tmp_path / place))


def test_it_asks_for_a_file(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--out" in refusal(capsys, str(plan))


def test_a_recording_that_is_there_is_left_as_it_is_when_the_plan_is_wrong(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = written(tmp_path / "a.liu", (T, []))
    before = out.read_bytes()
    assert "no such file" in refusal(capsys, str(plan), "--out", str(out))
    assert out.read_bytes() == before
    fresh = tmp_path / "b.liu"
    refusal(capsys, str(plan), "--out", str(fresh))
    assert not fresh.exists()


def test_it_trades_nothing_and_needs_one_connection() -> None:
    options = Options(record="a.liu")
    assert with_options(TradePlan(), options).test_scanners
    assert not with_options(TradePlan(), Options()).test_scanners
    with pytest.raises(UsageError, match="producers = 2"):
        with_options(TradePlan(producers=2), options)


def test_the_summary_tells_the_recording() -> None:
    summary = {
        "batch_id": "b", "environment": "PAPER", "end_reason": "", "symbols": [], "scanner_hits": 0,
        "orders": {}, "fills": 0, "realized_pnl": 0.0, "unrealized_pnl": 0.0, "fees": 0.0, "positions": {},
        "restarts": 0,
        "events": {"received": 0, "dispatched": 0, "discarded_late": 0, "merged": 0},
        "recording": {"path": "a.liu", "events": 1200, "bytes": 34000, "dropped": 7},
    }  # fmt: skip
    assert "recording   a.liu: 1,200 events, 34,000 bytes, 7 left out" in digest(summary)


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert not is_recording(tmp_path / "empty")
