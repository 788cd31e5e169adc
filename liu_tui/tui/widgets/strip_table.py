"""A table pane on Textual's line API: title, headings, and the rows that are in view."""

from __future__ import annotations

from typing import Any, Generic

from textual import events
from textual.message import Message

from liu_tui.model.clock import monotonic_ns
from liu_tui.tui.format import SECOND_NS, Span, clean, fit
from liu_tui.tui.panes.columns import Column, R, Scene, choose
from liu_tui.tui.panes.rows import TablePane
from liu_tui.tui.panes.table import Table
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Board, Line, Look
from liu_tui.tui.widgets.titles import title_line

HEAD_LINES = 2
_SOFT = frozenset({"text", "bold", "dim", "accent"})
"""Tones that a whole row's tone replaces; gains and warnings keep theirs."""


def wall_s() -> float:
    """Seconds of this machine's steady clock: for what a person sees, never for a rule."""
    return monotonic_ns() / SECOND_NS


class StripTable(Board, Generic[R]):
    """One table pane. hint: what the console wants said at the right of the title."""

    class Opened(Message):
        """A row was clicked twice."""

    def __init__(self, pane: TablePane[R], view: View, look: Look) -> None:
        super().__init__(look, id=pane.name)
        self.pane, self.view = pane, view
        self.table: Table[R] = Table(pane.columns, pane.key)
        self.hint: list[Span] = []
        self.shift = 0
        self.page = 1
        self._top = 0
        self._seen = -1
        self._cells: dict[str, tuple[Any, Line]] = {}
        self._form: tuple[Any, ...] = ()

    # ── what it is asked ──

    @property
    def symbol(self) -> str:
        """The symbol under the cursor."""
        row = self.table.chosen
        return self.pane.symbol(row) if row is not None else ""

    def scroll_columns(self, step: int) -> None:
        """Show other columns."""
        self.shift = min(max(self.shift + step, 0), len(self.pane.columns) - 2)

    def go_symbol(self, symbol: str) -> bool:
        """Put the cursor on the first row of a symbol."""
        table = self.table
        found = (key for key in table.order if self.pane.symbol(table.row(key)) == symbol)
        return table.go(next(found, ""))

    def text_of(self, row: R) -> str:
        """Give a row's columns as one line of text."""
        scene = self._scene()
        return "  ".join(clean(column.cell(row, scene)[0]).strip() for column in self.pane.columns)

    # ── drawing ──

    def sync(self) -> None:
        """Take the view's rows, if anything was heard since the last time."""
        if self._seen != self.view.version:
            self._seen = self.view.version
            self.table.put(self.pane.rows(self.view), wall_s())
            if not self.active:
                self.table.rest()

    def draw(self, width: int, height: int) -> list[Line]:
        """Title, headings, rows in view."""
        self.sync()
        self.page = max(1, height - HEAD_LINES)
        columns = choose(self.pane.columns, width - 1, self.shift)
        form = (width, self.shift, self.look.signs, self.look.palette)
        if form != self._form or self.pane.timed:
            self._form = form
            self._cells.clear()
        lines = [self._title(width), self._headings(columns)]
        if not self.table.order:
            return [*lines, Line(((" " + self._words(), "dim"),))]
        self._keep_in_view()
        scene, table = self._scene(), self.table
        keys = table.order[self._top : self._top + self.page]
        lines += [self._row(key, columns, scene) for key in keys]
        self._forget(keys)
        return lines

    def _row(self, key: str, columns: list[tuple[Column[R], int]], scene: Scene) -> Line:
        row = self.table.row(key)
        kept = self._cells.get(key)
        if kept is None or kept[0] != row:
            kept = self._cells[key] = (row, self._line(row, columns, scene))
        if key != self.table.cursor:
            return kept[1]
        ground = "cursor" if self.active else "cursor_off"
        return Line(((self.look.signs.cursor, "key"), *kept[1].spans[1:]), ground)

    def _line(self, row: R, columns: list[tuple[Column[R], int]], scene: Scene) -> Line:
        whole = self.pane.row_tone(row)
        spans: list[Span] = [(" ", "text")]
        for column, width in columns:
            text, tone = column.cell(row, scene)
            tone = whole if whole and tone in _SOFT else tone
            spans.append((fit(text, width, right=column.right) + " ", tone))
        return Line(tuple(spans))

    def _headings(self, columns: list[tuple[Column[R], int]]) -> Line:
        spans: list[Span] = [(" ", "faint")]
        signs = self.look.signs
        for column, width in columns:
            title = column.title
            sorted_by = column.name == self.table.sort
            if sorted_by:
                title += signs.down if self.table.reverse else signs.up
            spans.append((fit(title, width, right=column.right) + " ", "accent" if sorted_by else "faint"))
        return Line(tuple(spans), "header")

    def _title(self, width: int) -> Line:
        table, pane = self.table, self.pane
        left: list[Span] = [(f" {pane.number} {pane.title} ", "bold")]
        if table.filter:
            left.append((f"{len(table.order)} of {table.total} /{clean(table.filter)} ", "warn"))
        elif table.total:
            left.append((f"{table.total} ", "text"))
        if table.paused is not None:
            left.append((f" PAUSED +{table.missed} ", "caution"))
        right = list(pane.info(self.view.picture, self._scene())) if self.view.picture else []
        shown = len(choose(pane.columns, width - 1, self.shift))
        if hidden := len(pane.columns) - shown:
            right.append((f"+{hidden} cols", "faint"))
        return title_line(left, [*right, *self.hint], width, focused=self.active, live=self.look.live)

    def _words(self) -> str:
        table = self.table
        if table.filter and table.total:
            return f"nothing matches /{clean(table.filter)} ({table.total} hidden); escape shows all"
        if self.view.picture is None:
            return "waiting for the first picture"
        return self.pane.empty(self.view.picture)

    def _keep_in_view(self) -> None:
        """Scroll half a page when the cursor leaves the view: scrolling by one line repaints everything."""
        at, last = self.table.place, max(0, len(self.table.order) - self.page)
        if at < self._top:
            self._top = at - self.page // 2 if self._top - at < self.page else at
        elif at >= self._top + self.page:
            self._top = at - self.page + 1 + (self.page // 2 if at < self._top + 2 * self.page else 0)
        self._top = min(max(self._top, 0), last)

    def _forget(self, keys: list[str]) -> None:
        if len(self._cells) > 4 * self.page:
            self._cells = {key: self._cells[key] for key in keys}

    def _scene(self) -> Scene:
        return Scene(self.view.now_ns(), self.look.signs)

    # ── the mouse, where it is wanted ──

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row; a second click opens it."""
        at = self._top + event.y - HEAD_LINES
        if event.y >= HEAD_LINES and at < len(self.table.order):
            self.table.go(self.table.order[at])
            if event.chain > 1:
                self.post_message(self.Opened())

    def on_mouse_scroll_down(self) -> None:
        """Three rows down."""
        self.table.move(3)

    def on_mouse_scroll_up(self) -> None:
        """Three rows up."""
        self.table.move(-3)


AnyTable = StripTable[Any]
