"""`market`: the command line becomes the market's options."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from liu_tui.cli.main import main
from liu_tui.errors import Exit
from liu_tui.localmarket import server
from liu_tui.localmarket.options import MarketOptions
from liu_tui.plan.schema import ExchangeTable, FaultKind, FaultTable, FeesTable


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[MarketOptions]:
    """The options that a market was asked to run with."""
    seen: list[MarketOptions] = []

    async def serve(options: MarketOptions) -> Exit:
        seen.append(options)
        return Exit.DONE

    monkeypatch.setattr(server, "serve", serve)
    return seen


def test_without_options_it_is_the_markets_own_defaults(served: list[MarketOptions]) -> None:
    assert main(["market"]) == 0
    assert served == [MarketOptions(base=Path.cwd())]


def test_each_option_arrives(served: list[MarketOptions]) -> None:
    words = (
        "--source data --date 2026-01-05 --start 09:25 --port 8000 --seed 7 --speed max --symbols 50 "
        "--cash 5000 --partial-fills 0.5 --ledger led.db --key k --secret s --idle-exit 3 --json"
    )
    assert main(["market", *words.split()]) == 0
    assert served == [
        MarketOptions(
            source="data", base=Path.cwd(), date="2026-01-05", start="09:25", port=8000, seed=7,
            speed="max", symbols=50, cash=5000.0, partial_fills=0.5, ledger=Path("led.db"), key="k",
            secret="s", idle_exit_s=3.0,
        )
    ]  # fmt: skip


def test_faults_and_the_allowance_of_a_connection_arrive(served: list[MarketOptions]) -> None:
    faults = ['{"kind": "silence", "at": "10:05", "for": 30}', '{"kind": "drop"}']
    words = [word for fault in faults for word in ("--fault", fault)]
    assert main(["market", "--symbol-limit", "30", *words]) == 0
    silence = FaultTable(kind=FaultKind.SILENCE, at="10:05", for_s=30.0)
    assert served == [
        MarketOptions(base=Path.cwd(), symbol_limit=30, faults=(silence, FaultTable(kind=FaultKind.DROP)))
    ]


def test_manners_and_fees_arrive_and_what_is_none_is_a_usage_error(served: list[MarketOptions]) -> None:
    words = ["market", "--exchange", '{"displayed": true, "latency_ms": 5}', "--fees", '{"per_share": 0.005}']
    assert main(words) == 0
    assert served[0].exchange == ExchangeTable(displayed=True, latency_ms=5)
    assert served[0].fees == FeesTable(per_share=0.005)
    for bad in ('{"latency_ms": -1}', '{"lag": 1}', "fast"):
        assert main(["market", "--exchange", bad]) == Exit.USAGE


def test_a_speed_is_a_number(served: list[MarketOptions]) -> None:
    main(["market", "--speed", "12.5"])
    assert served[0].speed == 12.5


@pytest.mark.parametrize(
    "words",
    [
        ["--speed", "0"], ["--speed", "inf"], ["--speed", "nan"], ["--speed", "fast"],
        ["--port", "70000"], ["--symbols", "1"], ["--cash", "0"], ["--partial-fills", "1.1"],
        ["--key", "alone"], ["--idle-exit", "0"], ["--symbol-limit", "0"],
        ["--fault", "drop"], ["--fault", '{"kind": "drip"}'],
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_a_usage_error(served: list[MarketOptions], words: list[str]) -> None:
    assert main(["market", *words]) == Exit.USAGE
    assert served == []


def test_it_says_where_it_listens_and_ends_when_told(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "liu_tui", "market", "--symbols", "5", "--ledger", str(tmp_path / "l.db")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", ready["url"])
        assert ready["url"].endswith(f":{ready['port']}")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == Exit.INTERRUPTED
