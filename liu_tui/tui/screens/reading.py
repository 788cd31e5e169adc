"""A box to read: help, or one log line in full. Scrolls; any other key closes it."""

from __future__ import annotations

import textwrap

from textual import events

from liu_tui.tui.actions import ACTIONS, Tier, signs_of
from liu_tui.tui.format import Span
from liu_tui.tui.screens.dialog import Dialog, step_of
from liu_tui.tui.widgets.board import Line, Look

_TIERS = {Tier.LOOK: "", Tier.UNDO: "u undoes", Tier.CONFIRM: "asks", Tier.TYPED: "asks for a word"}
_COLUMN = 62


class Reading(Dialog[None]):
    """Some lines to read."""

    def __init__(self, title: str, rows: list[Line], look: Look) -> None:
        super().__init__(look)
        self._title, self._rows = title, rows
        self._top = 0
        self._page = 1

    def lines(self, width: int, height: int) -> list[Line]:
        """Title, the rows in view, and how to go on."""
        self._page = height - 3
        self._top = min(max(self._top, 0), max(0, len(self._rows) - self._page))
        below = len(self._rows) - self._top - self._page
        hint = f" {below} more lines: j k space; esc closes" if below > 0 else " esc closes"
        shown = self._rows[self._top : self._top + self._page]
        head = Line(((f" {self._title}", "bold"),), "dialog")
        return [head, Line((), "dialog"), *shown, Line(((hint, "faint"),), "dialog")]

    def pressed(self, event: events.Key) -> None:
        """Scroll, or close."""
        steps = {"space": self._page, "pagedown": self._page, "pageup": -self._page, "ctrl+d": self._page // 2,
                 "ctrl+u": -(self._page // 2), "g": -9999, "home": -9999, "G": 9999, "end": 9999}  # fmt: skip
        if step := step_of(event.key) or steps.get(event.key, 0):
            self._top += step
        else:
            self.dismiss(None)


def help_rows(disabled: dict[str, str], width: int) -> list[Line]:
    """All actions by group, in two columns where there is room. disabled: why an action cannot be done now."""
    groups: dict[str, list[Line]] = {}
    for action in ACTIONS:
        groups.setdefault(action.group, []).append(_help_line(action.id, disabled.get(action.id, "")))
    blocks = [[_heading(group), *rows, Line((), "dialog")] for group, rows in groups.items()]
    if width < 2 * _COLUMN + 4:
        return [line for block in blocks for line in block]
    left, right = [*blocks[0], *blocks[1]], [line for block in blocks[2:] for line in block]
    rows = max(len(left), len(right))
    return [Line((*_at(left, y), *_at(right, y)), "dialog") for y in range(rows)]


def _heading(group: str) -> Line:
    return Line(((f" {group}".ljust(_COLUMN), "accent"),), "dialog")


def _help_line(name: str, why_not: str) -> Line:
    action = next(action for action in ACTIONS if action.id == name)
    keys = signs_of(action)
    note = why_not or _TIERS[action.tier]
    words = f"{action.words}{f'  ({note})' if note else ''}"
    spans: tuple[Span, ...] = (
        (f"  {keys:<11}", "faint" if why_not else "key"),
        (f"{words[: _COLUMN - 14]:<{_COLUMN - 13}}", "faint" if why_not else "text"),
    )
    return Line(spans, "dialog")


def _at(lines: list[Line], y: int) -> tuple[Span, ...]:
    return lines[y].spans if y < len(lines) and lines[y].spans else ((" " * _COLUMN, "text"),)


def wrapped(text: str, width: int) -> list[Line]:
    """Break a text into lines of a box."""
    return [
        Line(((f" {line}", "text"),), "dialog")
        for paragraph in text.splitlines()
        for line in textwrap.wrap(paragraph, width - 2) or [""]
    ]
