"""A recorded day with faults in it: the backtest sifts it as the live producer does, and orders are equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liu_tui.model.market import MINUTE_NS, SECOND_NS
from tests.kit.house import House
from tests.kit.market import MONDAY, at

pytestmark = pytest.mark.timeout(120)

OPEN = at("09:30")
BAD_NS, TWICE_NS, AVERAGE_NS = OPEN + 305 * SECOND_NS, OPEN + 415 * SECOND_NS, OPEN + 635 * SECOND_NS
MINUTES = 14

PLAN = """
portfolio_value = 100_000
max_symbols = 10
consumers = 1

[market]
source = "recorded"
speed = "max"
start = "09:30"
partial_fills = 0.0

[scanners.Quoted]
filename = "scanners/quoted.py"

[scanners.FixedList]
filename = "scanners/fixed_list.py"
symbols = ["CAT"]

[strategies.Jumpy]
filename = "strategies/jumpy.py"

[limits]
max_daily_loss = 500
"""

QUOTED = """
from liu_tui import Scanner


class Quoted(Scanner):
    events = {"quote"}

    async def run(self, market):
        return ["AAPL"]
"""

JUMPY = '''
from liu_tui import Buy, Sell, Strategy


class Jumpy(Strategy):
    """Acts on every price: a bad print would make other orders."""

    events = {"trade"}
    initial_state = {"trades": 0}

    async def run(self, symbol, now, bars, position, ctx):
        ctx.state["trades"] += 1
        told = f"{bars.price:.2f} {bars.quote.bid if bars.quote else None} {ctx.state['trades']}"
        day = bars.day.volume if bars.day else 0
        if ctx.state["trades"] % 5 == 0:
            if position.flat:
                return Buy(qty=50, stop=50.0, reason=f"{told} {day:g}")
            if position.qty and not position.pending:
                return Sell(reason=f"{told} {day:g}")
'''

ORDERS = (
    "SELECT strategy, symbol, operation, role, qty, limit_price, state, reason, created_ns, code "
    "FROM orders WHERE batch_id = ? ORDER BY rowid"
)
SIFTED = (
    "SELECT words FROM session_events "
    "WHERE words LIKE '%held back%' OR words LIKE '%cut to%' ORDER BY wall_ns"
)
FILLS = "SELECT symbol, operation, qty, price, t_ns FROM new_trades WHERE batch_id = ? ORDER BY trade_id"


def stamp(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / 1e9, UTC).isoformat()


def price_at(t_ns: int) -> float:
    """A slow climb from 100 dollars."""
    return round(100 + (t_ns - OPEN) / MINUTE_NS / 20, 2)


def write_day(folder: Path) -> None:
    """Two names with minute bars, trades and quotes; AAPL's hold what a feed may get wrong."""
    folder.mkdir()
    ticks = range(OPEN + 5 * SECOND_NS, OPEN + MINUTES * MINUTE_NS, 10 * SECOND_NS)
    for symbol in ("AAPL", "CAT"):
        bars = ["timestamp,open,high,low,close,volume"]
        for start in range(OPEN, OPEN + MINUTES * MINUTE_NS, MINUTE_NS):
            low, high = price_at(start), price_at(start + MINUTE_NS)
            bars.append(f"{stamp(start)},{low},{high},{low},{high},600")
        trades = ["timestamp,price,size,exchange,conditions"]
        quotes = ["timestamp,bid,bid_size,ask,ask_size"]
        for t_ns in ticks:
            price = price_at(t_ns)
            trades.append(f"{stamp(t_ns)},{price},100,V,@")
            quote = f"{stamp(t_ns - SECOND_NS)},{price - 0.01:.2f},500,{price + 0.01:.2f},500"
            quotes += [quote, quote] if symbol == "AAPL" and t_ns == TWICE_NS else [quote]
            if symbol == "AAPL" and t_ns == BAD_NS:
                trades.append(f"{stamp(t_ns + SECOND_NS)},{price * 1.3:.2f},100,V,@")
            if symbol == "AAPL" and t_ns == AVERAGE_NS:
                trades.append(f"{stamp(t_ns + SECOND_NS)},{price * 0.5:.2f},100000,V,W")
        for name, lines in (("1min", bars), ("trades", trades), ("quotes", quotes)):
            (folder / f"{symbol}_{name}.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    write_day(tmp_path / "recorded")
    house = House(tmp_path, PLAN)
    (tmp_path / "scanners" / "quoted.py").write_text(QUOTED)
    (tmp_path / "strategies" / "jumpy.py").write_text(JUMPY)
    yield house
    house.close()


def play(house: House, *words: str) -> dict[str, object]:
    """Run a command to its end; returns what it printed."""
    done = house.run(*words, "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def test_a_day_with_faults_in_it_gives_the_same_orders_in_lock_step_and_in_the_backtest(house: House) -> None:
    live = play(house, str(house.plan), "--headless")
    tested = play(house, "backtest", str(house.plan), "--from", MONDAY, "--to", MONDAY)
    orders = house.books(ORDERS, live["batch_id"])
    assert house.books(ORDERS, tested["batch_id"]) == orders
    assert house.books(FILLS, tested["batch_id"]) == house.books(FILLS, live["batch_id"])
    data = live["data"]
    assert isinstance(data, dict)
    assert (data["duplicates"], data["held_back"]) == (1, 2), "the print, and the wick of its minute's bar"
    said = [row[0] for row in house.books(SIFTED)]
    assert len(said) == 4, "twice live and twice in the backtest"
    assert said[:2] == said[2:]

    entries = [row for row in orders if row[2] == "buy"]
    assert {row[1] for row in entries} == {"AAPL", "CAT"}
    reasons = {
        symbol: [row[7] for row in orders if row[1] == symbol and row[3] != "stop"]
        for symbol in ("AAPL", "CAT")
    }
    assert all(100 < float(reason.split()[0]) < 101 for reason in reasons["AAPL"]), "no bad price was seen"
    assert all(reason.split()[1] != "None" for reason in reasons["AAPL"]), "its scanner needs quotes"
    assert all(reason.split()[1] == "None" for reason in reasons["CAT"]), "and nobody those of the other"
    assert {int(reason.split()[2]) % 5 for reason in reasons["AAPL"]} == {0}
    assert any(float(reason.split()[3]) > 0 for reason in reasons["AAPL"]), "the day so far is known"
    assert all(row[9] != "daily_loss" for row in orders), "an average price values nothing"
