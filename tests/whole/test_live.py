"""A live session on the simulated market: it trades, survives kills, and its books equal the ledger."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.house import LIVE, House, assert_books_equal_the_ledger

pytestmark = pytest.mark.timeout(240)


SET_ASIDE = """portfolio_id = "ranked"

[portfolios.ranked]
size = 60_000

[fees]
per_order = 0.35
per_share = 0.005
"""
"""The last strategy of the plan trades from a portfolio, and trading costs something."""


def assert_the_portfolio_has_what_its_fills_left(house: House, batch_id: str) -> None:
    """Its cash is its size and what the fills of its strategy moved, each once, whoever was killed."""
    ((fills, cash),) = house.books(
        "SELECT count(*), 60000 - coalesce(sum(qty * price) + sum(fee), 0) FROM new_trades "
        "WHERE batch_id = ? AND strategy = 'RelativeStrength'",
        batch_id,
    )
    ((rows, balance),) = house.books(
        "SELECT count(*) - 1, sum(amount) FROM account_transactions WHERE account_id = 'ranked@' || ?",
        batch_id,
    )
    assert rows == fills
    assert balance == pytest.approx(cash, abs=0.005)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A workspace with the simulated plan."""
    house = House(tmp_path, LIVE + SET_ASIDE)
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
    house.wait("the new desk knows the account", lambda: house.status()["account"] is not None)
    account = house.status()["account"]
    assert (account["multiplier"], account["trading_blocked"]) == (4, False)
    assert account["initial_margin"] >= account["maintenance_margin"] >= 0
    before = house.status()["fills"]
    house.wait("it trades on", lambda: house.status()["fills"] > before)
    summary = house.stop("--flatten")
    assert summary["restarts"] == 5
    assert summary["positions"] == {}
    assert_books_equal_the_ledger(house, batch_id)
    equity = summary["market"]["equity"]
    ours = summary["realized_pnl"] + summary["unrealized_pnl"] - summary["fees"]
    assert equity - 100_000 == pytest.approx(ours, abs=0.005)
    assert summary["fees"] > 0
    assert_the_portfolio_has_what_its_fills_left(house, batch_id)


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
