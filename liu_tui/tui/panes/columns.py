"""Columns as data: what a table shows, how wide, in which tone, and how it sorts. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from liu_tui.tui.format import Span
from liu_tui.tui.signs import UNICODE, Signs

R = TypeVar("R")
GAP = 1


@dataclass(frozen=True)
class Scene:
    """What a cell may need beside its row. now_ns: session time."""

    now_ns: int = 0
    signs: Signs = UNICODE


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column. `cell` gives text and tone; `by` is the field that it is ordered and filtered by.

    width: cells; rank: which columns stay when room is short, 0 first; grow: it takes the room that is left
    """

    name: str
    title: str
    width: int
    cell: Callable[[R, Scene], Span]
    by: str | Callable[[R], Any]
    right: bool = False
    rank: int = 0
    grow: bool = False

    def value(self, row: R) -> Any:
        """Tell what a row is ordered and filtered by in this column."""
        return getattr(row, self.by) if isinstance(self.by, str) else self.by(row)


def choose(columns: tuple[Column[R], ...], width: int, shift: int = 0) -> list[tuple[Column[R], int]]:
    """Choose the columns that fit into so many cells, in their order, with the width of each.

    shift: 0 keeps the most important ones; more scrolls that many columns away, the first one always stays.
    """
    if shift:
        wanted = [columns[0], *columns[1 + min(shift, len(columns) - 2) :]]
        chosen = _first_fitting(wanted, width)
    else:
        ranked = sorted(columns, key=_rank)
        kept = {column.name for column in _first_fitting(ranked, width)}
        chosen = [column for column in columns if column.name in kept]
    spare = max(0, width - sum(column.width + GAP for column in chosen) + GAP)
    growing = [column for column in chosen if column.grow]
    share = spare // len(growing) if growing else 0
    return [(column, column.width + (share if column.grow else 0)) for column in chosen]


def _first_fitting(columns: list[Column[R]], width: int) -> list[Column[R]]:
    chosen: list[Column[R]] = []
    used = -GAP
    for column in columns:
        if chosen and used + GAP + column.width > width:
            break
        chosen.append(column)
        used += GAP + column.width
    return chosen


def _rank(column: Column[R]) -> int:
    return column.rank
