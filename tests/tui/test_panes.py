"""Tables: columns, filters, order, cursor. No terminal needed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.snapshot import PositionRow
from liu_tui.tui.panes.columns import GAP, Column, Scene, choose
from liu_tui.tui.panes.filters import compile_filter
from liu_tui.tui.panes.house import ACTIVITY, CONSUMERS, PROCESSES, STRATEGIES
from liu_tui.tui.panes.orders import ORDERS
from liu_tui.tui.panes.rows import HITS, POSITIONS, TablePane
from liu_tui.tui.panes.table import Table


@dataclass(frozen=True)
class Row:
    symbol: str
    chg: float
    r: float | None = None


COLUMNS: tuple[Column[Row], ...] = (
    Column("symbol", "SYMBOL", 6, lambda r, s: (r.symbol, "text"), "symbol"),
    Column("chg", "CHG%", 6, lambda r, s: (f"{r.chg:+.1f}%", "text"), "chg", right=True, rank=1),
    Column(
        "r", "R", 5, lambda r, s: ("-" if r.r is None else f"{r.r:+.1f}", "text"), "r", right=True, rank=2
    ),
)
ROWS = (Row("NVDA", 1.1, 0.8), Row("SMCI", -1.5), Row("PLTR", 4.2, -0.3), Row("SOUN", 2.4, 1.5))


def a_table() -> Table[Row]:
    table = Table(COLUMNS, lambda row: row.symbol)
    table.put(ROWS, 0.0)
    return table


# ── columns ──


@pytest.mark.parametrize("pane", [HITS, POSITIONS, ORDERS, CONSUMERS, STRATEGIES, ACTIVITY, PROCESSES])
@pytest.mark.parametrize("width", [30, 58, 79, 119, 199])
def test_the_columns_of_every_pane_fit_its_width(pane: TablePane[object], width: int) -> None:
    for shift in range(len(pane.columns)):
        chosen = choose(pane.columns, width, shift)
        assert chosen[0][0] is pane.columns[0]
        assert sum(cells + GAP for _, cells in chosen) - GAP <= width


def test_where_room_is_short_the_important_columns_stay() -> None:
    assert [column.name for column, _ in choose(COLUMNS, 13)] == ["symbol", "chg"]
    assert [column.name for column, _ in choose(COLUMNS, 13, shift=1)] == ["symbol", "r"]


# ── filters ──


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("", ["NVDA", "SMCI", "PLTR", "SOUN"]),
        ("n", ["NVDA", "SOUN"]),
        ("!n", ["SMCI", "PLTR"]),
        ("chg>2", ["PLTR", "SOUN"]),
        ("chg>2 !pl", ["SOUN"]),
        ("symbol=sm", ["SMCI"]),
        ("symbol!=sm r>0", ["NVDA", "SOUN"]),
        ("chg<-1", ["SMCI"]),
        ("zzz", []),
        ("other>3", []),
    ],
)
def test_a_filter_keeps_what_all_its_words_hold_for(words: str, kept: list[str]) -> None:
    test = compile_filter(words, COLUMNS)
    assert [row.symbol for row in ROWS if test(row)] == kept


@given(st.text(max_size=20))
def test_no_filter_that_a_person_types_can_raise(words: str) -> None:
    test = compile_filter(words, COLUMNS)
    assert all(isinstance(test(row), bool) for row in ROWS)


def test_a_number_in_a_filter_may_have_a_unit() -> None:
    big = Column[Row]("vol", "VOL", 5, lambda r, s: ("", "text"), lambda r: 150_000)
    assert compile_filter("vol>100k", (big,))(ROWS[0])
    assert not compile_filter("vol>1m", (big,))(ROWS[0])


# ── order and cursor ──


def test_rows_come_in_the_sessions_order_until_sorted() -> None:
    table = a_table()
    assert table.order == ["NVDA", "SMCI", "PLTR", "SOUN"]
    table.sort_by("chg", 0.0)
    assert table.order == ["PLTR", "SOUN", "NVDA", "SMCI"]
    table.turn(0.0)
    assert table.order == ["SMCI", "NVDA", "SOUN", "PLTR"]


def test_a_value_that_is_not_there_sorts_below_every_number() -> None:
    table = a_table()
    table.sort_by("r", 0.0)
    assert table.order[-1] == "SMCI"


def test_the_order_changes_once_a_second_at_most_and_the_cursor_stays_with_its_row() -> None:
    table = a_table()
    table.sort_by("chg", 0.0)
    table.go("SOUN")
    risen = (*ROWS[:3], Row("SOUN", 9.9, 1.5))
    table.put(risen, 0.5)
    assert (table.order[0], table.cursor) == ("PLTR", "SOUN")
    table.put(risen, 1.1)
    assert (table.order[0], table.cursor) == ("SOUN", "SOUN")


def test_a_cursor_that_nobody_moved_stays_at_the_top_and_a_moved_one_on_its_row() -> None:
    table = a_table()
    table.put((Row("MARA", 0.1), *ROWS), 1.0)
    table.rest()
    assert table.cursor == "MARA"
    table.move(1)
    table.put((Row("RIVN", 0.1), Row("MARA", 0.1), *ROWS), 2.0)
    table.rest()
    assert table.cursor == "NVDA"


def test_when_the_row_under_the_cursor_goes_the_next_one_gets_it() -> None:
    table = a_table()
    table.go("PLTR")
    table.put((ROWS[0], ROWS[1], ROWS[3]), 0.1)
    assert table.cursor == "SOUN"
    table.put((ROWS[0],), 0.2)
    assert table.cursor == "NVDA"
    table.put((), 0.3)
    assert (table.cursor, table.chosen) == ("", None)


def test_a_paused_table_stands_still_counts_and_catches_up() -> None:
    table = a_table()
    assert table.pause(0.0)
    table.put((Row("NVDA", 7.7),), 1.0)
    table.put((Row("NVDA", 8.8),), 2.0)
    assert (table.total, table.missed) == (4, 2)
    assert not table.pause(3.0)
    assert [row.chg for row in map(table.row, table.order)] == [8.8]


@given(st.lists(st.lists(st.sampled_from("ABCDEFGH"), unique=True), max_size=12), st.integers(-9, 9))
def test_the_cursor_is_on_a_row_that_is_shown_whenever_there_is_one(days: list[list[str]], step: int) -> None:
    table = Table(COLUMNS, lambda row: row.symbol)
    for at, names in enumerate(days):
        table.put([Row(name, float(ord(name) * (at + 1) % 7)) for name in names], float(at))
        table.move(step)
        table.sort_by("chg", float(at))
        assert (table.cursor in table.order) is bool(table.order)


def test_what_has_no_price_has_no_open_profit() -> None:
    row = PositionRow(
        strategy="EXTERNAL", symbol="KO", qty=50, avg_price=67.3, price=0.0, unrealized=0.0, realized=0.0,
        stop=None, target=None, r=None, opened_ns=0,
    )  # fmt: skip
    (column,) = [column for column in POSITIONS.columns if column.name == "open"]
    assert column.cell(row, Scene()) == ("-", "faint")
