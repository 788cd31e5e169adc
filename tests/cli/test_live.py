"""Real money: what is asked before a plan of environment PROD starts, and that nothing goes round it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from liu_tui.cli import live
from liu_tui.cli.checkups import account
from liu_tui.cli.doctor import examine
from liu_tui.cli.init import make_workspace
from liu_tui.cli.main import main
from liu_tui.errors import RefusedError
from liu_tui.model.clock import wall_ns
from liu_tui.plan.live import NEEDED
from liu_tui.settings import Settings

NUMBER = "9TESTLIVE"
LIMITS = "\n".join(f"{name} = 5" for name in NEEDED)
ACCOUNT = {"account_number": NUMBER, "status": "ACTIVE", "equity": "1000", "buying_power": "2000"}


class Broker:
    """Stands for the broker's live REST on loopback; `said` may be changed by a test."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {"/v2/account": ACCOUNT, "/v2/stocks/trades/latest": {}}
        self.status = 200
        self.asked: list[str] = []
        broker = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                broker.asked.append(path)
                now = datetime.fromtimestamp(wall_ns() / 1e9, UTC)
                said = {"timestamp": f"{now:%Y-%m-%dT%H:%M:%S.%f}123+00:00"}
                body = json.dumps(broker.said.get(path, said)).encode()
                self.send_response(broker.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Broker]:
    """A broker where the live account's address leads, and keys of a live account."""
    for name in ("POLYGON_API_KEY", "LIU_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("liu_tui.settings.platformdirs.user_config_path", lambda _: tmp_path / "config")
    monkeypatch.setenv("APCA_API_KEY_ID", "AKTESTTEST")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "s3cr3ts3cr3t")
    monkeypatch.setenv("NO_PROXY", "*")
    found = Broker()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(account, "LIVE_URL", found.url)
    monkeypatch.setattr(account, "DATA_URL", found.url)
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan for real money with all its limits."""
    return live_plan(tmp_path / "ws", LIMITS)


def live_plan(folder: Path, limits: str) -> Path:
    make_workspace(folder)
    file = folder / "plans" / "today.toml"
    text = file.read_text()
    tables = text[text.index("[scanners") :]
    head = 'environment = "PROD"\n'
    file.write_text(f'{head}[alpaca]\nfeed = "sip"\n[limits]\n{limits}\n{tables}')
    return file


def nobody_asks(_: str) -> str:
    raise AssertionError("a person was asked")


def typing(answer: str, heard: list[str]) -> Callable[[str], str]:
    def ask(words: str) -> str:
        heard.append(words)
        return answer

    return ask


@pytest.mark.usefixtures("broker")
def test_the_account_is_typed_by_a_person_who_sees_its_number_and_limits(plan: Path) -> None:
    heard: list[str] = []
    assert live.earn(plan, "", typing(f" {NUMBER} ", heard)) == NUMBER
    assert NUMBER in heard[0]
    assert all(name in heard[0] for name in NEEDED)


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("typed", ["", "yes", NUMBER.lower()])
def test_anything_but_the_number_starts_nothing(plan: Path, typed: str) -> None:
    with pytest.raises(RefusedError, match="nothing was started"):
        live.earn(plan, "", typing(typed, []))


@pytest.mark.usefixtures("broker")
def test_the_flag_stands_for_the_person_only_with_the_accounts_own_number(plan: Path) -> None:
    assert live.earn(plan, NUMBER, nobody_asks) == NUMBER
    with pytest.raises(RefusedError, match="of another account"):
        live.earn(plan, "9OTHER", nobody_asks)


def test_all_that_is_missing_is_told_at_once(broker: Broker, tmp_path: Path) -> None:
    plan = live_plan(tmp_path / "ws", "max_open_positions = 5")
    scanner = next((tmp_path / "ws" / "scanners").glob("*.py"))
    scanner.write_text("nonsense(")
    broker.said["/v2/account"] = ACCOUNT | {"trading_blocked": True}
    with pytest.raises(RefusedError) as caught:
        live.earn(plan, "", None)
    words = str(caught.value)
    for part in ("max_daily_loss", "max_gross_value", scanner.name, "trading_blocked", "--live"):
        assert part in words
    assert "max_open_positions" not in words.partition("Real money needs")[0]
    assert caught.value.code == 3


@pytest.mark.usefixtures("broker")
def test_the_command_line_refuses_with_3_and_starts_nothing(
    plan: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIU_LIVE", "LIVE", "LIU_TUI_LIVE"):
        monkeypatch.setenv(name, NUMBER)
    assert main([str(plan), "--headless", "--json"]) == 3
    assert "--live" in capsys.readouterr().err
    assert main([str(plan), "--background"]) == 3
    assert main([str(plan), "--headless", "--live", "9OTHER"]) == 3
    assert not (plan.parent.parent / ".liu" / "sessions").exists()


@pytest.mark.usefixtures("broker")
def test_recording_is_no_way_round(plan: Path, tmp_path: Path) -> None:
    assert main(["record", str(plan), "--out", str(tmp_path / "r.liu")]) == 3


def test_a_paper_plan_takes_no_flag_for_real_money(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    assert main([str(tmp_path / "plans" / "today.toml"), "--headless", "--live", NUMBER]) == 2


def test_real_money_and_the_local_market_do_not_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_workspace(tmp_path)
    file = tmp_path / "plans" / "today.toml"
    file.write_text(file.read_text().replace('environment = "PAPER"', 'environment = "PROD"'))
    assert main([str(file), "--headless", "--live", NUMBER]) == 2
    assert "with a [market] table" in capsys.readouterr().err


@pytest.mark.usefixtures("broker")
def test_keys_of_the_other_account_are_told_in_words(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "PKTESTTEST")
    found = [finding for finding in examine(plan, Settings.read()) if finding.name == "keys"]
    assert "is of a paper account" in found[-1].words
    with pytest.raises(RefusedError, match="is of a paper account"):
        live.earn(plan, NUMBER, None)


@pytest.mark.parametrize(
    ("said", "verdict", "words"),
    [
        ({}, "ok", "equity $1,000.00, buying power $2,000.00"),
        ({"trading_blocked": True}, "fail", "trading_blocked"),
        ({"status": "ACCOUNT_CLOSED"}, "fail", "ACCOUNT_CLOSED"),
        ({"trade_suspended_by_user": True}, "warn", "suspended by its owner"),
        ({"account_number": None}, "fail", "answered with status 200"),
        ({"equity": "much"}, "ok", "equity unknown"),
    ],
)
def test_the_account_is_judged(
    broker: Broker, plan: Path, said: dict[str, Any], verdict: str, words: str
) -> None:
    broker.said["/v2/account"] = ACCOUNT | said
    (found,) = [finding for finding in examine(plan, Settings.read()) if finding.name == "account"]
    assert found.verdict.value == verdict
    assert words in found.words


def test_refused_keys_leave_no_account_to_confirm(broker: Broker, plan: Path) -> None:
    broker.status = 401
    with pytest.raises(RefusedError, match="refuses the keys"):
        live.earn(plan, NUMBER, None)
