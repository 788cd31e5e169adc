"""The analysis fills the real books by itself, and the report reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from liu_tui.analysis.books import consolidate, load_report
from liu_tui.analysis.page import page
from liu_tui.analysis.render import text, trips_csv
from liu_tui.errors import UsageError
from liu_tui.model.books import SessionEvent
from liu_tui.model.market import MINUTE_NS, Bar
from liu_tui.model.orders import Fill, Operation, OrderState
from liu_tui.store.portfolio import Portfolio
from liu_tui.store.store import Store
from liu_tui.trading.effects import Moved
from liu_tui.trading.positions import EXTERNAL
from tests.kit.store import BATCH, T0, a_batch, a_fill, an_order

BUY = a_fill("x-1", 10, 100.0, stop=98.0, reason="range break")
SELL = a_fill(
    "x-2",
    -10,
    103.0,
    operation=Operation.SELL,
    t_ns=T0 + 5 * MINUTE_NS,
    position=0.0,
    avg_price=0.0,
    realized=30.0,
    reason="target",
    fee=1.0,
)
HELD = a_fill(
    "x-3", -4, 50.0, symbol="MSFT", operation=Operation.SHORT, position=-4.0, avg_price=50.0, stop=52.0
)
BARS = {"AAPL": [Bar("AAPL", T0 + MINUTE_NS, 100, 104.5, 99.0, 103, 10)]}


def a_strangers_fill() -> Fill:
    """Make a fill that the batch did not ask for."""
    return a_fill("x-9", 7, 10.0, strategy=EXTERNAL, symbol="GME", position=7.0, avg_price=10.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "liu.db") as store:
        await store.batches.begin(a_batch())
        await store.new_trades.add(BATCH, [BUY, SELL, HELD, a_strangers_fill()])
        yield store


async def test_a_sessions_trades_are_analysed_by_themselves(store: Store) -> None:
    await consolidate(store, BATCH, BARS)
    (trip,) = await store.trade_analysis.load(BATCH)
    assert (trip.symbol, trip.net, trip.r_units, trip.mae, trip.mfe) == ("AAPL", 29, 1.45, 1, 4.5)
    aapl, msft = await store.gain_loss.load(BATCH)
    assert (aapl.symbol, aapl.gain_value, aapl.gain_percentage, aapl.open_qty) == ("AAPL", 29, 2.9, 0)
    assert (msft.symbol, msft.gain_value, msft.trips, msft.open_qty, msft.open_avg_price) == (
        "MSFT",
        0,
        0,
        -4,
        50,
    )


async def test_the_ancestors_columns_are_there_for_a_query(store: Store) -> None:
    await consolidate(store, BATCH)
    rows = await store._db.rows("SELECT gain_value, gain_percentage, r_units FROM trade_analysis")
    assert rows == [(29.0, 2.9, 1.45)]


async def test_analysing_again_changes_nothing(store: Store) -> None:
    await consolidate(store, BATCH, BARS)
    before = await store.trade_analysis.load(BATCH), await store.gain_loss.load(BATCH)
    await consolidate(store, BATCH, BARS)
    assert (await store.trade_analysis.load(BATCH), await store.gain_loss.load(BATCH)) == before


async def test_analysing_after_more_fills_replaces_what_was_there(store: Store) -> None:
    await consolidate(store, BATCH)
    covered = msgspec.structs.replace(
        HELD, execution_id="x-4", qty=4.0, price=48.0, position=0.0, avg_price=0.0, realized=8.0
    )
    await store.new_trades.add(BATCH, [covered])
    await consolidate(store, BATCH)
    assert sorted(t.symbol for t in await store.trade_analysis.load(BATCH)) == ["AAPL", "MSFT"]
    assert [(g.symbol, g.gain_value, g.open_qty) for g in await store.gain_loss.load(BATCH)] == [
        ("AAPL", 29, 0),
        ("MSFT", 8, 0),
    ]


async def test_a_batch_without_a_fill_is_no_fault(store: Store) -> None:
    await store.batches.begin(a_batch("b-2"))
    await consolidate(store, "b-2")
    report = await load_report(store, "b-2")
    assert (report.realized, report.trips, report.fills) == (0, (), 0)
    assert "b-2" in text(report)
    assert "<svg" not in page(report)
    assert len(trips_csv(report).splitlines()) == 1


async def test_a_report_of_no_batch_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="no batch 'nobody'"):
        await load_report(store, "nobody")


async def test_a_report_tells_what_was_refused_and_what_came_back(store: Store) -> None:
    no = msgspec.structs.replace(
        an_order("c-9", state=OrderState.REFUSED, words="would pass 5 positions"), code="max_open_positions"
    )
    again = msgspec.structs.replace(no, client_order_id="c-10")
    await store.journal.write(BATCH, [(no, "refused", T0, ""), (again, "refused", T0, "")])
    await store.session_events.add(
        BATCH,
        [
            SessionEvent(n=1, t_ns=T0, wall_ns=T0, level="info", source="supervisor", words="all is ready"),
            SessionEvent(
                n=2,
                t_ns=T0,
                wall_ns=T0,
                level="warn",
                source="consumer A",
                words="back after 0.9 s",
                kind="restart",
            ),
        ],
    )
    report = await load_report(store, BATCH)
    assert [r.code for r in report.refusals] == ["max_open_positions", "max_open_positions"]
    assert [e.source for e in report.restarts] == ["consumer A"]
    assert report.orders == {"refused": 2}
    said = text(report)
    assert "would pass 5 positions      2" in said
    assert "back after 0.9 s" in said
    assert "all is ready" not in said


async def test_a_report_leaves_a_strangers_fills_out_and_says_so(store: Store) -> None:
    report = await load_report(store, BATCH)
    assert (report.fills, report.external_fills, report.realized) == (3, 1, 29)
    assert [t.symbol for t in report.open] == ["MSFT"]
    assert "GME" not in text(report)
    assert "1 fills" in text(report)


async def test_a_report_of_a_running_batch_needs_no_analysis_before_it(store: Store) -> None:
    report = await load_report(store, BATCH)
    assert [t.mae for t in report.trips] == [None]
    await consolidate(store, BATCH, BARS)
    report = await load_report(store, BATCH)
    assert [t.mae for t in report.trips] == [1]


async def test_the_csv_has_every_field_of_every_trip(store: Store) -> None:
    head, row = trips_csv(await load_report(store, BATCH)).splitlines()
    values = dict(zip(head.split(","), row.split(","), strict=True))
    assert (values["symbol"], values["net"], values["r_units"]) == ("AAPL", "29.0", "1.45")
    assert values["start"] == "2023-11-14T17:13:20-05:00"
    assert values["exit_reason"] == "target"


async def test_the_page_stands_alone_and_trusts_no_word(store: Store) -> None:
    bad = msgspec.structs.replace(
        an_order("c-9", state=OrderState.REJECTED), words="<script>x</script>\x1b[2J"
    )
    await store.journal.write(BATCH, [(bad, "rejected", T0, "")])
    report = await load_report(store, BATCH)
    html = page(report)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "http" not in html
    assert "<svg" in html
    assert "\x1b" not in text(report)


async def test_the_report_has_a_line_for_each_portfolio(store: Store) -> None:
    assert (await load_report(store, BATCH)).portfolios == ()
    await store.portfolio.open(
        Portfolio(portfolio_id="swing@PA1", size=20_000.0, created_ns=T0), credit=0.0, batch_id=BATCH
    )
    await store.portfolio.book(BATCH, [Moved("swing@PA1", "x-1", "alpha", "AAPL", 10.0, 100.0, -1_001.0, T0)])
    report = await load_report(store, BATCH)
    (line,) = report.portfolios
    assert (line.balance, line.worth, line.result) == (18_999, 19_999, -1)
    assert "swing@PA1  20,000.00  18,999.00  19,999.00   -1.00" in text(report)
    assert "swing@PA1" in page(report)
