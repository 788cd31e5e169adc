"""A live session on the simulated market: it trades, survives kills, and its books equal the ledger."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.house import LIVE, House, assert_books_equal_the_ledger

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A workspace with the simulated plan."""
    house = House(tmp_path, LIVE)
    yield house
    house.close()


def test_every_process_may_be_killed_and_the_books_still_equal_the_ledger(house: House) -> None:
    house.start()
    batch_id = house.status()["batch_id"]
    house.wait("something is filled", lambda: house.status()["fills"] > 0)
    for role, name in (("consumer", "A"), ("producer", ""), ("scanners", ""), ("desk", ""), ("market", "")):
        house.kill(role, name)
    gaps = "SELECT count(*) FROM session_events WHERE words LIKE 'gap in the feed%'"
    house.wait("the producer's gap is filled", lambda: house.books(gaps)[0][0] > 0)
    before = house.status()["fills"]
    house.wait("it trades on", lambda: house.status()["fills"] > before)
    summary = house.stop("--flatten")
    assert summary["restarts"] == 5
    assert summary["positions"] == {}
    assert_books_equal_the_ledger(house, batch_id)
    equity = summary["market"]["equity"]
    assert equity - 100_000 == pytest.approx(summary["realized_pnl"] + summary["unrealized_pnl"], abs=0.005)


def test_the_next_start_goes_on_with_the_batch_of_a_killed_supervisor(house: House) -> None:
    house.start()
    batch_id = house.status()["batch_id"]
    house.wait("something is held", lambda: bool(house.status()["positions"]))
    assert house.session is not None
    os.kill(house.session.pid, signal.SIGKILL)
    house.session.wait()
    assert house.run("ctl", "status").returncode == 4
    house.start("--for", "5s")
    assert house.status()["batch_id"] == batch_id
    assert house.status()["state"] == "ACTIVE"
    summary = house.finish()
    assert summary["batch_id"] == batch_id
    assert summary["fills"] >= 1
    assert_books_equal_the_ledger(house, batch_id)


def test_commands_reach_a_session_and_a_second_one_of_its_plan_is_refused(house: House) -> None:
    house.start()
    assert house.run(str(house.plan), "--headless").returncode == 3
    symbol = house.status()["symbols"][0]
    assert house.run("ctl", "pause").returncode == 0
    assert house.status()["state"] == "REDUCING"
    assert house.run("ctl", "reject", symbol, "--reason", "too wild").returncode == 0
    (veto,) = house.status()["vetoes"]
    assert {name: veto[name] for name in ("symbol", "strategy", "by", "reason")} == {
        "symbol": symbol,
        "strategy": "",
        "by": "ctl",
        "reason": "too wild",
    }
    assert house.run("ctl", "allow", symbol).returncode == 0
    assert house.status()["vetoes"] == []
    assert house.run("ctl", "resume").returncode == 0
    assert house.run("ctl", "dance").returncode == 2
    sessions = house.ask("sessions")["sessions"]
    assert [row["plan"] for row in sessions] == [str(house.plan)]
    assert house.stop()["end_reason"] == "asked for"
    assert house.run("stop").returncode == 4


def test_a_terminal_that_hangs_up_does_not_end_the_session(house: House) -> None:
    house.start()
    assert house.session is not None
    house.session.send_signal(signal.SIGHUP)
    assert house.status()["phase"] == "trading"
    house.session.send_signal(signal.SIGINT)
    assert house.session.wait(30) == 130


def test_without_a_terminal_the_console_says_so_and_names_headless(house: House) -> None:
    done = house.run(str(house.plan))
    assert done.returncode == 2
    assert "--headless" in done.stderr


def test_real_money_on_the_local_market_is_a_fault_of_the_plan(house: House) -> None:
    house.plan.write_text('environment = "PROD"\n' + LIVE)
    assert house.run(str(house.plan), "--headless").returncode == 2
