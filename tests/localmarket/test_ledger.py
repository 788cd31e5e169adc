"""Ledger: what is on disk, what comes back, and what a kill leaves."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from liu_tui.errors import StoreError
from liu_tui.localmarket.ledger import Ledger
from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Side
from liu_tui.plan.schema import FeesTable
from liu_tui.trading.matching.exchange import ExchangeOptions
from tests.kit.exchange import Market, hours_of

ROOT = Path(__file__).parents[2]

BUSY = """
import sys
from pathlib import Path
from liu_tui.localmarket.ledger import Ledger
from tests.kit.exchange import Market

market = Market(partial_fills=0.5)
ledger = Ledger.open(Path(sys.argv[1]), cash=100_000, seed=1, partial_fills=0.5, account_id="A1")
market.exchange = ledger.exchange
for n in range(1_000_000):
    market.quote(10 + n % 7 / 100)
    market.buy(3) if n % 2 == 0 else market.sell(1)
    ledger.save(market.now_ns)
    print(n, flush=True)
"""


def a_ledger(path: Path, account_id: str = "A1") -> Ledger:
    return Ledger.open(path, cash=100_000, seed=1, partial_fills=0.0, account_id=account_id)


def a_market(ledger: Ledger) -> Market:
    market = Market()
    market.exchange = ledger.exchange
    return market


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def test_the_tables_say_what_the_exchange_says(tmp_path: Path) -> None:
    path = tmp_path / "market" / "ledger.db"
    ledger = a_ledger(path)
    market = a_market(ledger)
    market.exchange.set_hours(hours_of())
    market.quote(10.00)
    entry = market.bracket(Side.BUY, 100, 11.00, 9.50)
    market.trade(10.50)
    ledger.save(market.now_ns)
    assert rows(path, "SELECT * FROM account") == [
        ("A1", 100_000.0, 98_998.0, 0.0, 100_048.0, market.now_ns),
    ]
    assert rows(path, "SELECT * FROM positions") == [("TSLA", 100.0, 10.02, 10.5)]
    seen = rows(path, "SELECT order_id, parent_id, status, filled_qty FROM orders ORDER BY n")
    assert seen == [
        (entry.id, "", "filled", 100.0),
        (entry.legs[0].id, entry.id, "new", 0.0),
        (entry.legs[1].id, entry.id, "new", 0.0),
    ]
    done = rows(path, "SELECT order_id, client_order_id, symbol, side, qty, price FROM executions")
    assert done == [(entry.id, "c1", "TSLA", "buy", 100.0, 10.02)]
    assert rows(path, "SELECT venue_ns, day FROM clock") == [(market.now_ns, hours_of().day)]
    ledger.close(market.now_ns)


def test_a_file_goes_on_with_the_same_exchange(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = a_ledger(path)
    assert (ledger.saved_ns, ledger.resumed) == (0, False)
    market = a_market(ledger)
    market.exchange.set_hours(hours_of())
    market.quote(10.00)
    market.bracket(Side.BUY, 100, 11.00, 9.50)
    market.sell(30, 12.00, symbol="AAPL")
    ledger.close(market.now_ns)

    again = a_ledger(path)
    before, after = market.exchange, again.exchange
    assert (again.saved_ns, again.resumed) == (market.now_ns, True)
    assert after.orders() == before.orders()
    assert after.executions() == before.executions()
    assert (after.account(), after.positions()) == (before.account(), before.positions())
    assert after.open_symbols() == {"TSLA", "AAPL"}
    before.drain()
    twin = a_market(again)
    twin.now_ns = market.now_ns
    for each in (market, twin):
        each.quote(9.40)
    assert market.exchange.drain() == twin.exchange.drain()
    again.close(twin.now_ns)


def test_a_save_with_nothing_new_writes_nothing_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = a_ledger(path)
    market = a_market(ledger)
    market.quote(10.00)
    market.buy(10)
    ledger.save(market.now_ns)
    ledger.save(market.now_ns + SECOND_NS - 1)
    assert rows(path, "SELECT venue_ns FROM clock") == [(market.now_ns,)]
    ledger.save(market.now_ns + SECOND_NS)
    assert rows(path, "SELECT venue_ns FROM clock") == [(market.now_ns + SECOND_NS,)]
    ledger.close(market.now_ns)


def test_what_could_not_be_written_is_written_by_the_next_save(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = a_ledger(path)
    market = a_market(ledger)
    market.quote(10.00)
    with closing(sqlite3.connect(path)) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON executions BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        market.buy(10)
        with pytest.raises(StoreError, match="cannot be written"):
            ledger.save(market.now_ns)
        assert rows(path, "SELECT * FROM orders") == []
        other.execute("DROP TRIGGER full")
    ledger.save(market.now_ns)
    assert len(rows(path, "SELECT * FROM orders JOIN executions USING (order_id)")) == 1
    ledger.close(market.now_ns)


def test_a_ledger_of_an_earlier_build_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = a_ledger(path)
    market = a_market(ledger)
    market.quote(10.00)
    market.buy(10)
    resting = market.buy(10, 9.00)
    ledger.close(market.now_ns)
    new = ("no_borrow", "options", "errands", "bands", "last_equity")
    with closing(sqlite3.connect(path)) as db, db:
        for column in ("corrects", "fee"):
            db.execute(f"ALTER TABLE executions DROP COLUMN {column}")
        core = msgspec.msgpack.decode(db.execute("SELECT core FROM state").fetchone()[0])
        old = {key: value for key, value in core.items() if key not in new}
        db.execute("UPDATE state SET core = ?", (msgspec.msgpack.encode(old),))
        db.execute("PRAGMA user_version = 1")
    again = a_ledger(path)
    assert (again.resumed, again.exchange.cash) == (True, 100_000 - 100.20)
    twin = a_market(again)
    twin.now_ns = market.now_ns
    twin.quote(8.90)
    assert twin.state(resting) == "filled"
    again.exchange.bust(again.exchange.executions()[0].execution_id)
    again.close(twin.now_ns)
    assert rows(path, "SELECT qty, corrects != '' FROM executions ORDER BY n") == [(10, 0), (10, 0), (0, 1)]


def test_fees_corrections_and_what_is_on_its_way_come_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    manners = ExchangeOptions(latency_ns=SECOND_NS, fees=FeesTable(per_order=1.0))
    opening: dict[str, Any] = {"cash": 100_000, "seed": 1, "partial_fills": 0.0, "account_id": "A1"}
    ledger = Ledger.open(path, options=manners, **opening)
    market = a_market(ledger)
    market.quote(10.00)
    market.buy(10)
    market.quote(10.00)
    market.exchange.reprice(market.exchange.executions()[0].execution_id, 9.00)
    waiting = market.buy(5)
    ledger.close(market.now_ns)
    again = Ledger.open(path, **opening)
    assert again.exchange.options == manners
    assert (again.exchange.executions(), again.exchange.fees) == (market.exchange.executions(), 1.0)
    twin = a_market(again)
    twin.now_ns = market.now_ns
    twin.quote(10.00)
    assert (twin.state(waiting), twin.exchange.fees) == ("filled", 2.0)
    again.close(twin.now_ns)
    fair = Ledger.open(path, options=ExchangeOptions(), **opening)
    assert fair.exchange.options == ExchangeOptions()
    fair.close(twin.now_ns)


def test_a_ledger_of_another_account_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    a_ledger(path).close(1)
    with pytest.raises(StoreError, match=r"'A1'.*'B2'"):
        a_ledger(path, "B2")


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"not a database, and longer than one header of it would be " * 20)
    before = garbage.read_bytes()
    with pytest.raises(StoreError, match="not a ledger"):
        a_ledger(garbage)
    assert garbage.read_bytes() == before
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE mine (x)")
    before = foreign.read_bytes()
    with pytest.raises(StoreError, match="not a ledger"):
        a_ledger(foreign)
    assert foreign.read_bytes() == before


def test_a_kill_between_two_saves_leaves_a_file_that_agrees_with_itself(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with subprocess.Popen([sys.executable, "-c", BUSY, str(path)], stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        for _ in range(40):
            child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        said = [int(line) for line in child.stdout if line.endswith(b"\n")]
    assert child.returncode == -signal.SIGKILL
    ledger = a_ledger(path)
    exchange = ledger.exchange
    assert len(exchange.orders()) > max([39, *said])  # every save that was told of is there
    (spent,) = rows(
        path, "SELECT sum(CASE side WHEN 'buy' THEN qty * price ELSE -qty * price END) FROM executions"
    )
    (account,) = rows(path, "SELECT cash, equity FROM account")
    assert account == (exchange.cash, exchange.account().equity)
    assert spent[0] == pytest.approx(100_000 - exchange.cash, abs=1e-6)
    held = rows(path, "SELECT sum(CASE side WHEN 'buy' THEN qty ELSE -qty END) FROM executions")
    assert held == rows(path, "SELECT qty FROM positions") == [(exchange.positions()[0].qty,)]
    ledger.close(ledger.saved_ns)
