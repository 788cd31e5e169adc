"""A whole backtest: it trades, repeats itself, does not look ahead, and keeps books as a live day does."""

import csv
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from liu_tui.backtest.outcome import Outcome
from liu_tui.errors import UsageError, UserFileError
from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import Fill, Intent, OrderState
from liu_tui.store.store import Store
from tests.kit.backtest import BATCH, DAY, NEXT_DAY, PLAN, a_backtest, a_workspace, session, write_days


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return a_workspace(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_days(tmp_path / "data")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "books.db") as books:
        yield books


def asked(intent: Intent) -> Intent:
    """An intent but for its batch."""
    return msgspec.structs.replace(intent, id=intent.id.split(":", 1)[1])


def booked(fill: Fill) -> tuple[object, ...]:
    """A fill but for its batch."""
    told = ("strategy", "symbol", "operation", "qty", "price", "t_ns", "position", "realized", "reason")
    return (fill.execution_id, *(getattr(fill, name) for name in told))


async def test_the_shipped_strategies_trade_both_ways_and_end_the_day_flat(plan: Path, data: Path) -> None:
    done = await a_backtest(plan, data)
    assert {fill.strategy for fill in done.fills} == {"MomentumBreakout", "VwapReversion", "RelativeStrength"}
    assert {fill.qty > 0 for fill in done.fills} == {True, False}
    assert done.positions == {}
    assert done.unrealized_pnl == 0
    assert done.faults == ()
    assert done.symbols == ("AAA", "BBB", "CCC", "DDD")
    assert done.days == (DAY,)
    assert done.bars > 6 * 380
    assert done.trips == len([fill for fill in done.fills if not fill.position])
    assert done.win_rate is not None
    assert 0 < done.win_rate < 1


async def test_the_same_run_twice_gives_the_same_intents_and_fills(plan: Path, data: Path) -> None:
    one = await a_backtest(plan, data)
    two = await a_backtest(plan, data, batch_id="20240826-b2")
    assert [asked(intent) for intent in one.intents] == [asked(intent) for intent in two.intents]
    assert [booked(fill) for fill in one.fills] == [booked(fill) for fill in two.fills]
    assert Counter(fill.client_order_id for fill in one.fills).most_common(1)[0][1] == 2  # some fill in parts


@pytest.mark.parametrize("minutes", [60, 200])
async def test_what_comes_later_changes_nothing_of_what_came_before(
    plan: Path, data: Path, tmp_path: Path, minutes: int
) -> None:
    whole = await a_backtest(plan, data)
    cut = await a_backtest(plan, cut_after(data, tmp_path / "cut", minutes), batch_id="20240826-b2")
    # The last bar of the cut tape ends here; from then on the two days know different things.
    until_ns = session().open_ns + (minutes - 10) * MINUTE_NS
    before = [asked(intent) for intent in whole.intents if intent.event_ns < until_ns]
    assert before
    assert [asked(intent) for intent in cut.intents if intent.event_ns < until_ns] == before
    assert [booked(fill) for fill in cut.fills if fill.t_ns < until_ns] == [
        booked(fill) for fill in whole.fills if fill.t_ns < until_ns
    ]


def cut_after(data: Path, folder: Path, minutes: int) -> Path:
    """Copy the first minutes of each file."""
    folder.mkdir()
    for file in data.iterdir():
        with file.open() as rows:
            lines = [",".join(row) for row in list(csv.reader(rows))[: minutes + 1]]
        (folder / file.name).write_text("\n".join(lines) + "\n")
    return folder


async def test_the_books_are_the_exchanges_ledger(plan: Path, data: Path, store: Store) -> None:
    done = await a_backtest(plan, data, store=store)
    fills = await store.new_trades.load(BATCH)
    orders = await store.journal.load(BATCH)
    assert fills == done.fills
    assert done.equity == pytest.approx(100_000 + done.realized_pnl + done.unrealized_pnl, abs=0.01)
    assert sum(fill.realized for fill in fills) == pytest.approx(done.realized_pnl, abs=0.01)
    assert Counter(order.state.value for order in orders) == done.orders
    filled = Counter[str]()
    for fill in fills:
        filled[fill.client_order_id] += int(abs(fill.qty))
    assert {o.client_order_id: o.filled_qty for o in orders if o.filled_qty} == filled


async def test_a_batch_tells_all_that_a_live_one_does(plan: Path, data: Path, store: Store) -> None:
    done = await a_backtest(plan, data, store=store)
    batch = await store.batches.get(BATCH)
    assert batch is not None
    assert (batch.environment, batch.day, batch.end_reason, batch.plan_text) == (
        "BACKTEST",
        DAY,
        "done",
        PLAN,
    )
    runs = await store.algo_run.load(BATCH)
    assert {(run.strategy, run.environment, run.end_reason) for run in runs} == {
        (name, "BACKTEST", "done") for name in ("MomentumBreakout", "VwapReversion", "RelativeStrength")
    }
    picks = await store.trending_tickers.load(BATCH)
    assert len(picks) == done.scanner_hits > 4
    lines = await store.session_events.load(BATCH)
    assert [line.n for line in lines] == list(range(1, len(lines) + 1))
    trips = await store.trade_analysis.load(BATCH)
    assert len(trips) == done.trips
    assert all(trip.mae is not None and trip.mfe is not None for trip in trips)
    assert await store.journal.events(BATCH)


async def test_no_order_outlives_the_day_and_none_is_sent_after_it(plan: Path, data: Path) -> None:
    done = await a_backtest(plan, data)
    assert all(OrderState(state).final for state in done.orders)
    assert max(fill.t_ns for fill in done.fills) < session().close_ns


async def test_a_tape_that_ends_before_the_close_still_ends_the_day(plan: Path, tmp_path: Path) -> None:
    done = await a_backtest(plan, write_days(tmp_path / "short", minutes=150))
    assert done.fills
    assert all(OrderState(state).final for state in done.orders)


async def test_days_follow_one_another_in_one_account(plan: Path, tmp_path: Path, store: Store) -> None:
    data = write_days(tmp_path / "two", (DAY, NEXT_DAY))
    both = await a_backtest(plan, data, store=store)
    first = await a_backtest(plan, data, days=[DAY], batch_id="20240826-b2")
    assert both.days == (DAY, NEXT_DAY)
    assert [booked(fill) for fill in both.fills][: len(first.fills)] == [booked(fill) for fill in first.fills]
    assert max(fill.t_ns for fill in both.fills) > session(NEXT_DAY).open_ns
    assert both.equity == pytest.approx(100_000 + both.realized_pnl, abs=0.01)
    batch = await store.batches.get(BATCH)
    assert batch is not None
    assert batch.day == ""


async def test_test_scanners_picks_and_trades_nothing(tmp_path: Path, data: Path) -> None:
    plan = a_workspace(tmp_path / "other", "test_scanners = true\n" + PLAN)
    done = await a_backtest(plan, data)
    assert done.scanner_hits
    assert not done.fills
    assert set(done.orders) == {"refused"}


async def test_a_day_without_a_session_is_refused_before_anything_is_written(
    plan: Path, data: Path, store: Store
) -> None:
    with pytest.raises(UsageError, match="no session on 2024-08-25"):
        await a_backtest(plan, data, days=["2024-08-25"], store=store)
    assert await store.batches.list() == []


async def test_a_strategy_that_cannot_be_loaded_stops_the_run(plan: Path, data: Path) -> None:
    (plan.parents[1] / "strategies/vwap_reversion.py").write_text("def broken(:\n")
    with pytest.raises(UserFileError, match="syntax error"):
        await a_backtest(plan, data)


async def test_a_run_that_breaks_says_so_in_the_books(
    plan: Path, data: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("liu_tui.backtest.day.Day.play", broken)
    with pytest.raises(RuntimeError):
        await a_backtest(plan, data, store=store)
    batch = await store.batches.get(BATCH)
    assert batch is not None
    assert batch.end_reason == "failed"


async def outcome(folder: Path, plan: str, files: dict[str, str], data: Path) -> Outcome:
    """Run a plan with files of its own."""
    path = a_workspace(folder, plan)
    for name, words in files.items():
        (folder / name).write_text(words)
    return await a_backtest(path, data)


ALONE = """\
[market]
source = "data"
partial_fills = 0.0
[scanners.FixedList]
filename = "scanners/fixed_list.py"
symbols = ["AAA", "EEE"]
[strategies.Mine]
filename = "mine.py"
"""
SWING = """\
from liu_tui import Buy, Strategy
from liu_tui.strategy import StrategyType

class Mine(Strategy):
    type = StrategyType.SWING
    initial_state = {"bars": 0}

    async def run(self, symbol, now, bars, position, ctx):
        ctx.state["bars"] += 1
        if position.flat and symbol == "AAA":
            return Buy(qty=10, stop=1.0, reason=str(ctx.state["bars"]))
        if position.qty and now.day == 27 and now.hour == 11:
            from liu_tui import Sell
            return Sell(reason=str(ctx.state["bars"]))
"""


async def test_a_swing_position_is_carried_over_the_night_with_its_stop_and_its_state(tmp_path: Path) -> None:
    data = write_days(tmp_path / "two", (DAY, NEXT_DAY))
    done = await outcome(tmp_path / "swing", ALONE, {"mine.py": SWING}, data)
    first, second = done.fills[:2]
    assert first.t_ns < session(DAY).close_ns
    assert second.t_ns > session(NEXT_DAY).open_ns
    assert (first.qty, second.qty) == (10, -10)
    assert int(second.reason) > 380  # yesterday's calls were counted too


FAULTY = """\
from liu_tui import Buy, Reject, Strategy, Unsubscribe

class Mine(Strategy):
    async def run(self, symbol, now, bars, position, ctx):
        ctx.log("seen")
        ctx.set("last", symbol)
        if symbol == "EEE":
            return Unsubscribe(reason="too quiet")
        if ctx.minutes_since_open > 20:
            raise ValueError("enough")
        if ctx.minutes_since_open > 10:
            return Reject(scope="all", reason="done with it")
        return Buy(qty=1, stop=1.0, target=9_999.0)
"""


async def test_what_strategies_ask_of_the_house_is_done_and_their_faults_are_told(
    tmp_path: Path, data: Path
) -> None:
    done = await outcome(tmp_path / "faulty", ALONE, {"mine.py": FAULTY}, data)
    assert {fill.symbol for fill in done.fills} == {"AAA"}
    assert len(done.faults) == 1
    assert "enough" in done.faults[0]
    assert done.positions == {}  # the desk liquidates what a quarantined strategy left


BROKEN_SCANNER = """\
from liu_tui import Scanner

class Look(Scanner):
    recurrence = 60

    async def run(self, market):
        return 1 / 0
"""


async def test_a_scanner_that_raises_is_called_again(tmp_path: Path, data: Path) -> None:
    plan = '[scanners.Look]\nfilename = "look.py"\n[strategies.Mine]\nfilename = "mine.py"\n'
    files = {"look.py": BROKEN_SCANNER, "mine.py": FAULTY}
    done = await outcome(tmp_path / "look", plan, files, data)
    assert len(done.faults) == 7
    assert "ZeroDivisionError" in done.faults[0]
    assert not done.symbols
