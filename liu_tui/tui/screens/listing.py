"""A list that lives on while it is open: vetoes, differences, flattens. Keys act on the row of the cursor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events

from liu_tui.tui.deeds import Target
from liu_tui.tui.format import Span
from liu_tui.tui.screens.dialog import Dialog, step_of
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Line, Look


@dataclass(frozen=True)
class Item:
    """One row. doings: what each key would do with it."""

    key: str
    spans: tuple[Span, ...]
    doings: dict[str, Callable[[], Target]]


@dataclass(frozen=True)
class ListKind:
    """A kind of list. items: read from the view at each picture; hint: its keys, in words.

    action: the action of the registry that its keys are ways of
    """

    action: str
    title: str
    heading: str
    items: Callable[[View], list[Item]]
    empty: str
    hint: str


class Listing(Dialog[None]):
    """Shows a kind of list; `do` carries out what a key means."""

    def __init__(
        self, kind: ListKind, view: View, look: Look, do: Callable[[str, Callable[[], Target]], None]
    ) -> None:
        super().__init__(look)
        self.kind = kind
        self._view, self._do = view, do
        self._cursor = ""
        self._items: list[Item] = []
        self._seen = -1

    def lines(self, width: int, height: int) -> list[Line]:
        """Title, heading, the rows around the cursor, the keys."""
        self._items = self.kind.items(self._view)
        kind, at = self.kind, self._at()
        head = [Line(((f" {kind.title} ", "bold"), (f"{len(self._items) or ''}", "text")), "dialog"),
                Line((), "dialog")]  # fmt: skip
        tail = [Line((), "dialog"), Line(((f" {kind.hint}", "faint"),), "dialog")]
        if not self._items:
            return [*head, Line(((f" {kind.empty}", "dim"),), "dialog"), *tail]
        page = max(1, height - len(head) - len(tail) - 1)
        top = min(max(0, at - page + 1), max(0, len(self._items) - page))
        rows = [
            self._row(item, on=index + top == at) for index, item in enumerate(self._items[top : top + page])
        ]
        return [*head, Line(((f"   {kind.heading}", "faint"),), "dialog"), *rows, *tail]

    def _row(self, item: Item, *, on: bool) -> Line:
        mark = self.look.signs.cursor if on else " "
        return Line(((f" {mark} ", "key"), *item.spans), "cursor" if on else "dialog")

    def _at(self) -> int:
        """The cursor's place. It belongs to a row; if that has gone, to the first."""
        keys = [item.key for item in self._items]
        if self._cursor not in keys:
            self._cursor = keys[0] if keys else ""
        return keys.index(self._cursor) if self._cursor else 0

    def frame(self) -> None:
        """Show what the session has told since the last time."""
        if self._seen != self._view.version:
            self._seen = self._view.version
            self.show()

    def pressed(self, event: events.Key) -> None:
        """Move, act on a row, or close."""
        if event.key in ("escape", "q"):
            self.close(None)
        elif not self._items:
            return
        elif step := step_of(event.key):
            self._cursor = self._items[min(max(self._at() + step, 0), len(self._items) - 1)].key
        elif doing := self._items[self._at()].doings.get(event.character or ""):
            self._do(self.kind.action, doing)
