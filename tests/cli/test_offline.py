"""`backtest` and `mine`: what they print, and what the shell hears."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from liu_tui.cli.main import main
from tests.kit.backtest import DAY, NEXT_DAY, PLAN, a_workspace, write_days

MINER = '[miners.DailyOHLC]\nfilename = "miners/daily_ohlc.py"\n'


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    plan = a_workspace(tmp_path, PLAN + MINER)
    write_days(tmp_path / "data", (DAY, NEXT_DAY), minutes=120)
    return plan


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_backtest_prints_its_batch_and_its_numbers(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", str(plan), "--json"]) == 0
    done = said(capsys)
    assert done["environment"] == "BACKTEST"
    assert done["days"] == [DAY, NEXT_DAY]
    assert done["fills"] > 0
    assert set(done["orders"]) <= {"filled", "canceled", "expired", "refused"}
    numbers = {
        "batch_id",
        "bars",
        "events",
        "realized_pnl",
        "unrealized_pnl",
        "positions",
        "trips",
        "win_rate",
    }
    assert numbers | {"wall_s"} <= set(done)


def test_it_tells_people_the_same(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", str(plan), "--from", NEXT_DAY]) == 0
    out, err = capsys.readouterr()
    assert "BACKTEST" in out
    assert f"days       {NEXT_DAY}" in out
    assert f"{NEXT_DAY}  " in err


def test_the_process_says_one_object_on_standard_output(plan: Path) -> None:
    words = ["backtest", str(plan), "--to", DAY, "--scale", "minute", "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "liu_tui", *words], capture_output=True, text=True, timeout=50, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["days"] == [DAY]


def test_data_from_elsewhere_take_the_place_of_the_plans_source(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").rename(tmp_path / "moved")
    assert main(["backtest", str(plan), "--json"]) == 2
    capsys.readouterr()
    assert main(["backtest", str(plan), "--data", str(tmp_path / "moved"), "--to", DAY, "--json"]) == 0
    assert said(capsys)["fills"] > 0


def test_a_simulated_day_can_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulated = PLAN.replace('source = "data"', 'source = "simulated"\nsymbols = 4\nseed = 3')
    short = simulated.replace('start = "09:28"', 'start = "15:20"')
    assert main(["backtest", str(a_workspace(tmp_path, short)), "--from", "2026-01-05", "--json"]) == 0
    assert said(capsys)["days"] == ["2026-01-05"]


def test_what_cannot_be_is_refused(plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "plans/alpaca.toml"
    bare.write_text("risk = 0.001\n")
    for words in (
        [str(plan), "--from", "yesterday"],
        [str(plan), "--from", NEXT_DAY, "--to", DAY],
        [str(plan), "--from", "2030-01-02"],
        [str(plan), "--data", str(tmp_path / "nowhere")],
        [str(plan), "--scale", "hour"],
        [str(bare)],
        [str(tmp_path / "plans/none.toml")],
    ):
        assert main(["backtest", *words]) == 2, words
    assert "Traceback" not in capsys.readouterr().err


def test_data_that_cannot_be_read_and_files_that_cannot_be_loaded_fail_the_run(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("timestamp,open,high,low,close,volume\n2024-08-26T13:30:00Z,1,2,3,4,five\n")
    assert main(["backtest", str(plan), "--data", str(bad)]) == 1
    (tmp_path / "strategies/vwap_reversion.py").write_text("raise RuntimeError('no')\n")
    assert main(["backtest", str(plan), "--json"]) == 1
    assert "RuntimeError" in said(capsys)["error"]["what"]


def test_what_a_strategy_prints_is_no_part_of_the_answer(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "strategies/vwap_reversion.py"
    file.write_text(file.read_text() + '\nprint("hello")\n')
    assert main(["backtest", str(plan), "--to", DAY, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["days"] == [DAY]
    assert "hello" in err


def test_mine_says_what_each_miner_found(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mine", str(plan), "--json"]) == 0
    assert said(capsys)["miners"][0]["records"] == 12
    assert main(["mine", str(plan), "DailyOHLC"]) == 0
    assert "DailyOHLC" in capsys.readouterr().out


def test_a_miner_that_fails_fails_the_command(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan.write_text(PLAN + MINER + 'symbols = ["NONE"]\n')
    assert main(["mine", str(plan), "--json"]) == 1
    assert "no daily bars" in said(capsys)["miners"][0]["fault"]


def test_a_miner_that_nobody_knows_is_refused(plan: Path) -> None:
    assert main(["mine", str(plan), "Gold"]) == 2
