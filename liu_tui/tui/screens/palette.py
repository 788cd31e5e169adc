"""Find an action by a few letters of its words. The same registry as the keys."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.fuzzy import Matcher

from liu_tui.tui.actions import ACTIONS, Action, signs_of
from liu_tui.tui.format import Span
from liu_tui.tui.screens.dialog import Dialog, step_of
from liu_tui.tui.widgets.board import Line, Look

WIDTH = 70
_HIDDEN = frozenset({"up", "down", "half_up", "half_down", "palette", "command", "back"})
_MOVES = frozenset({"up", "down", "tab", "shift+tab", "ctrl+n", "ctrl+p"})


class Palette(Dialog[str]):
    """Gives the name of the action that was chosen. why_not: why an action cannot be done now."""

    def __init__(self, look: Look, why_not: Callable[[str], str]) -> None:
        super().__init__(look)
        self._why_not = why_not
        self.query_text = ""
        self.at = 0

    def found(self) -> list[Action]:
        """Actions that match, the best first."""
        actions = [action for action in ACTIONS if action.id not in _HIDDEN]
        if not self.query_text:
            return actions
        matcher = Matcher(self.query_text)
        scored = [(matcher.match(f"{action.command} {action.words}"), action) for action in actions]
        return [action for score, action in sorted(scored, key=lambda pair: -pair[0]) if score > 0]

    def lines(self, width: int, height: int) -> list[Line]:
        """What was typed, and what it finds."""
        width = min(width, WIDTH)
        found = self.found()
        self.at = min(max(self.at, 0), max(len(found) - 1, 0))
        page = max(1, min(height - 4, 16))
        top = max(0, self.at - page + 1)
        rows = [
            self._row(action, index + top == self.at, width)
            for index, action in enumerate(found[top : top + page])
        ]
        rows += [Line((), "dialog")] * (page - len(rows))
        typed: tuple[Span, ...] = ((" > ", "key"), (f"{self.query_text}_".ljust(width - 4), "bold"))
        hint = (
            " type to find, arrows choose, enter does it, esc goes back"
            if found
            else " nothing is called that"
        )
        return [Line(typed, "dialog"), Line((), "dialog"), *rows, Line(((hint, "faint"),), "dialog")]

    def _row(self, action: Action, chosen: bool, width: int) -> Line:
        why_not = self._why_not(action.id)
        words = f"{action.words}{f' ({why_not})' if why_not else ''}"
        text = f" {words[: width - 16]:<{width - 15}}{signs_of(action)[:12]:>13}"
        return Line(((text, "faint" if why_not else "text"),), "pick" if chosen else "dialog")

    def pressed(self, event: events.Key) -> None:
        """Type, choose, do."""
        if event.key == "escape":
            self.close(None)
        elif event.key == "enter":
            found = self.found()
            self.close(found[self.at].id if found else None)
        elif event.key in _MOVES:
            self.at += step_of(event.key)
        elif event.key == "backspace":
            self.query_text = self.query_text[:-1]
        elif event.key == "ctrl+u":
            self.query_text = ""
        elif event.is_printable and event.character:
            self.query_text, self.at = self.query_text + event.character, 0
