"""A session that trades hard while answers are lost and order updates mangled: at the end all books agree."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.house import House

pytestmark = pytest.mark.timeout(240)

CHURN = '''
from liu_tui import Buy, Sell, Strategy


class Churn(Strategy):
    """Buys and sells, for the sake of trading."""

    events = {"quote"}

    async def run(self, symbol, now, bars, position, ctx):
        if position.pending or bars.price <= 0 or ctx.now_ns - ctx.state.get("last", 0) < 15 * 10**9:
            return None
        ctx.state["last"] = ctx.now_ns
        if position.qty:
            return Sell(reason="out")
        return Buy(qty=10, reason="in")
'''

PLAN = """
portfolio_value = 100_000
risk = 0.002
max_symbols = 12
consumers = 2

[market]
source = "simulated"
symbols = 12
start = "09:30"
speed = 30
seed = 11
partial_fills = 0.3
cash = 1_000_000

[limits]
max_orders_per_minute = 100_000

[scanners.MostActive]
filename = "scanners/most_active.py"
recurrence = 1
top = 12

[strategies.Churn]
filename = "strategies/churn.py"
"""

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "lost_answer", "share": 0.3},
    {"kind": "http_error", "share": 0.1, "code": 504},
    {"kind": "http_error", "share": 0.1, "code": 500},
    {"kind": "updates_lost", "share": 0.3},
    {"kind": "updates_twice", "share": 0.3},
    {"kind": "updates_late", "share": 0.2, "seconds": 20},
    {"kind": "updates_disordered", "share": 0.5},
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A workspace with a strategy that trades all the time."""
    house = House(tmp_path, PLAN)
    (house.root / "strategies" / "churn.py").write_text(CHURN)
    yield house
    house.close()


def ask(url: str, path: str, method: str = "GET", body: object = None) -> Any:
    """Ask the local market."""
    headers = {"APCA-API-KEY-ID": "local", "APCA-API-SECRET-KEY": "local"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url + path, data, headers, method=method)  # noqa: S310 - our own market
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        return json.loads(answer.read())


def hits(url: str) -> dict[str, int]:
    """Kind -> what it struck."""
    return {kind: row["hits"] for kind, row in ask(url, "/admin/faults/totals").items()}


Fills = list[tuple[Any, ...]]


def fills_of_the_ledger(house: House, batch_id: str) -> Fills:
    """Each execution of the broker."""
    sql = "SELECT execution_id, symbol, CASE side WHEN 'buy' THEN qty ELSE -qty END, price FROM executions"
    return sorted(house.ledger(batch_id, sql))


def fills_of_the_books(house: House, batch_id: str) -> Fills:
    """Each fill that the desk has booked."""
    sql = "SELECT execution_id, symbol, qty, price FROM new_trades WHERE batch_id = ?"
    return sorted(house.books(sql, batch_id))


def differing_orders(house: House, batch_id: str) -> dict[str, tuple[Any, Any]]:
    """Client order id -> ours and theirs, where they differ.

    What the broker never heard of must have ended with us, unfilled: refused here, failed, or dropped.
    """
    theirs = {
        row[0]: row[1:]
        for row in house.ledger(batch_id, "SELECT client_order_id, status, filled_qty FROM orders")
    }
    sql = "SELECT client_order_id, state, filled_qty FROM orders WHERE batch_id = ?"
    ours = {row[0]: row[1:] for row in house.books(sql, batch_id)}
    never_sent = {(state, 0.0) for state in ("refused", "failed", "canceled")}
    return {
        name: (ours.get(name), theirs.get(name))
        for name in ours.keys() | theirs.keys()
        if ours.get(name) != theirs.get(name) and not (name not in theirs and ours[name] in never_sent)
    }


def test_lost_answers_and_mangled_updates_leave_no_difference_and_nothing_is_sent_twice(house: House) -> None:
    house.start()
    status = house.status()
    url, batch_id = status["market"]["url"], status["batch_id"]
    house.wait("something is filled", lambda: house.status()["fills"] > 0)
    for fault in FAULTS:
        ask(url, "/admin/faults", "POST", fault)
    # Each of them must have struck, some often.
    house.wait("every fault struck", lambda: min(hits(url).values()) >= 3, deadline_s=90)
    assert ask(url, "/admin/faults", "DELETE")
    before = house.status()["fills"]
    house.wait("it trades on", lambda: house.status()["fills"] > before)
    summary = house.stop("--flatten")
    assert summary["positions"] == {}
    assert fills_of_the_books(house, batch_id) == fills_of_the_ledger(house, batch_id)
    assert house.ledger(batch_id, "SELECT symbol, qty FROM positions") == []
    assert differing_orders(house, batch_id) == {}
    assert house.ledger(batch_id, "SELECT * FROM requests WHERE times > 1") == []
