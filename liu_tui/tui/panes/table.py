"""A table's state: which rows, in which order, where the cursor is. Pure; the widget only draws it.

The cursor belongs to a row's key, never to a place: sorting cannot move it to another symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic

from liu_tui.tui.panes.columns import Column, R
from liu_tui.tui.panes.filters import Test, compile_filter

SORT_EVERY_S = 1.0


class Table(Generic[R]):
    """Rows by key. sort: a column's name, "" for the order in which the rows came."""

    def __init__(self, columns: tuple[Column[R], ...], key: Callable[[R], str]) -> None:
        self.columns = columns
        self._key = key
        self._came: list[str] = []
        self._rows: dict[str, R] = {}
        self.order: list[str] = []
        self.cursor = ""
        self._moved = False
        self.sort = ""
        self.reverse = False
        self.filter = ""
        self._test: Test[R] = lambda _row: True
        self._sorted_s = float("-inf")
        self.paused: int | None = None
        self._held: tuple[R, ...] = ()
        self._changed = 0

    # ── rows ──

    def put(self, rows: Iterable[R], now_s: float) -> None:
        """Take the rows as they are now. now_s: any clock's seconds; order changes once a second at most."""
        rows = tuple(rows)
        if self.paused is not None:
            self._changed += rows != self._held
            self._held = rows
            return
        fresh = {self._key(row): row for row in rows}
        same_keys = fresh.keys() == self._rows.keys()
        self._rows, self._came = fresh, list(fresh)
        if not same_keys or now_s - self._sorted_s >= SORT_EVERY_S:
            self._arrange(now_s)

    def pause(self, now_s: float) -> bool:
        """Freeze the rows, or let them go on; tells whether they are frozen now."""
        if self.paused is None:
            self.paused, self._changed, self._held = 0, 0, tuple(self._rows.values())
            return True
        self.paused = None
        self.put(self._held, now_s)
        self._arrange(now_s)
        return False

    @property
    def missed(self) -> int:
        """Changes since the pause began."""
        return self._changed

    @property
    def total(self) -> int:
        """Rows there are, hidden ones too."""
        return len(self._rows)

    def row(self, key: str) -> R:
        """Give the row of a key that is in `order`."""
        return self._rows[key]

    @property
    def chosen(self) -> R | None:
        """The row under the cursor."""
        return self._rows.get(self.cursor) if self.cursor in self._rows else None

    # ── order ──

    def sort_by(self, name: str, now_s: float, *, reverse: bool | None = None) -> None:
        """Order by a column; numbers begin with the largest."""
        self.sort = name
        self.reverse = self._largest_first(name) if reverse is None else reverse
        self._arrange(now_s)

    def turn(self, now_s: float) -> None:
        """Turn the order round."""
        self.reverse = not self.reverse
        self._arrange(now_s)

    def next_sort(self, step: int, now_s: float) -> str:
        """Order by the next or previous column; beyond the last the rows' own order comes again."""
        names = ["", *(column.name for column in self.columns)]
        self.sort_by(names[(names.index(self.sort) + step) % len(names)], now_s)
        return self.sort

    def look_for(self, text: str, now_s: float) -> None:
        """Show only what a filter lets through."""
        self.filter = text.strip()
        self._test = compile_filter(self.filter, self.columns)
        self._arrange(now_s)

    def _largest_first(self, name: str) -> bool:
        column = self._column(name)
        return column is not None and column.right

    def _column(self, name: str) -> Column[R] | None:
        return next((column for column in self.columns if column.name == name), None)

    def _arrange(self, now_s: float) -> None:
        self._sorted_s = now_s
        before = self.order
        keys = [key for key in self._came if self._test(self._rows[key])]
        column = self._column(self.sort)
        if column is not None:
            value = column.value
            keys.sort(key=lambda key: _sortable(value(self._rows[key])), reverse=self.reverse)
        elif self.reverse:
            keys.reverse()
        self.order = keys
        if self.cursor not in self._rows or self.cursor not in set(keys):
            self.cursor = self._neighbour(before)

    def _neighbour(self, before: list[str]) -> str:
        """The cursor's row has gone: go to the nearest that was below it, or above."""
        if not self.order:
            return ""
        here = set(self.order)
        if self.cursor in before:
            at = before.index(self.cursor)
            for key in (*before[at + 1 :], *reversed(before[:at])):
                if key in here:
                    return key
        return self.order[0]

    # ── cursor ──

    def move(self, step: int) -> None:
        """Move the cursor so many rows."""
        if self.order:
            at = self.order.index(self.cursor) if self.cursor in self.order else 0
            self._moved = True
            self.cursor = self.order[min(max(at + step, 0), len(self.order) - 1)]

    def go(self, key: str) -> bool:
        """Put the cursor on a row, if it is shown."""
        if key in self.order:
            self._moved = True
            self.cursor = key
        return key in self.order

    def rest(self) -> None:
        """Let a cursor that nobody has moved stay at the top: there stands what is newest or alive.

        For a table that nobody works in; under somebody's fingers a cursor never leaves its row.
        """
        if not self._moved and self.order:
            self.cursor = self.order[0]

    @property
    def place(self) -> int:
        """The cursor's place in the order; 0 if there is none."""
        return self.order.index(self.cursor) if self.cursor in self.order else 0


def _sortable(value: Any) -> tuple[bool, Any]:
    """None sorts below every number."""
    return (value is not None, 0 if value is None else value)
