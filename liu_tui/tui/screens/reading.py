"""A box to read: help, or one log line in full. Scrolls; any other key closes it."""

from __future__ import annotations

import textwrap

from textual import events

from liu_tui.tui.actions import ACTIONS, Action, Tier, signs_of
from liu_tui.tui.format import Span, fit
from liu_tui.tui.screens.dialog import Dialog, step_of
from liu_tui.tui.widgets.board import Line, Look

_TIERS = {Tier.LOOK: "", Tier.UNDO: "", Tier.CONFIRM: "asks", Tier.TYPED: "a word"}
COLUMN, WIDE_COLUMN = 56, 72


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
        half = self._page // 2
        steps = {
            "space": self._page, "pagedown": self._page, "pageup": -self._page, "ctrl+d": half,
            "ctrl+u": -half, "g": -9999, "home": -9999, "G": 9999, "end": 9999,
        }  # fmt: skip
        if step := step_of(event.key) or steps.get(event.key, 0):
            self._top += step
        else:
            self.close(None)


def help_rows(disabled: dict[str, str], width: int) -> list[Line]:
    """All actions by group, in two columns if there is room. disabled: why an action cannot be done now."""
    column = min(width - 2, WIDE_COLUMN) if width < 2 * COLUMN + 2 else COLUMN
    groups: dict[str, list[Line]] = {}
    for action in ACTIONS:
        if not action.id.startswith("pane_"):
            groups.setdefault(action.group, []).append(
                _help_line(action, disabled.get(action.id, ""), column)
            )
    groups["panes"].insert(0, _two("1 to 9", "Show a pane; again: zoom", column))
    groups["signs"] = [_two(sign, words, column) for sign, words in _SIGNS]
    blocks = [[_heading(group, column), *rows, Line((), "dialog")] for group, rows in groups.items()]
    if column != COLUMN:
        return [line for block in blocks for line in block]
    left = [line for block in (blocks[0], blocks[2], *blocks[4:]) for line in block]
    right = [line for block in (blocks[1], blocks[3]) for line in block]
    rows = max(len(left), len(right)) - 1  # the last one parts nothing
    return [Line((*_at(left, y), *_at(right, y)), "dialog") for y in range(rows)]


_SIGNS = (
    ("ON", "consumer; REJ rejected, off, MAX too many"),
    ("P&L", "today; R real: realised, O open: not yet"),
    ("R", "open profit over what the stop risks"),
    ("REDUCING", "entries refused; HALTED: only exits"),
    ("asking 2/5", "its answer was lost: the broker is asked"),
    ("r, +", "took another's place; extended hours too"),
    ("lag", "event to strategy, in wall time"),
)


def _heading(group: str, column: int) -> Line:
    return Line(((f" {group}".ljust(column), "accent"),), "dialog")


def _two(left: str, right: str, column: int) -> Line:
    return Line(((f"  {left:<12}", "key"), (fit(right, column - 14), "text")), "dialog")


def _help_line(action: Action, why_not: str, column: int) -> Line:
    note = why_not or _TIERS[action.tier]
    words = f"{action.words}{f' ({note})' if note else ''}"
    spans: tuple[Span, ...] = (
        (f"  {signs_of(action):<12}", "faint" if why_not else "key"),
        (fit(words, column - 14), "faint" if why_not else "text"),
    )
    return Line(spans, "dialog")


def _at(lines: list[Line], y: int) -> tuple[Span, ...]:
    return lines[y].spans if y < len(lines) and lines[y].spans else ((" " * COLUMN, "text"),)


def wrapped(text: str, width: int) -> list[Line]:
    """Break a text into lines of a box."""
    return [
        Line(((f" {line}", "text"),), "dialog")
        for paragraph in text.splitlines()
        for line in textwrap.wrap(paragraph, max(width - 2, 1)) or [""]
    ]
