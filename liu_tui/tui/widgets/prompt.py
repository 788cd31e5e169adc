"""The line where a filter or a command is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.message import Message
from textual.widgets import Input

from liu_tui.tui.actions import COMMANDS

HISTORY_KEPT = 100


class Prompt(Input):
    """A line for one purpose at a time, filter or command; each has its history."""

    class Typed(Message):
        """The text changed, and nothing was sent yet."""

        def __init__(self, purpose: str, text: str) -> None:
            super().__init__()
            self.purpose, self.text = purpose, text

    class Done(Message):
        """Enter (text) or escape (None)."""

        def __init__(self, purpose: str, text: str | None) -> None:
            super().__init__()
            self.purpose, self.text = purpose, text

    def __init__(self) -> None:
        super().__init__(id="prompt", compact=True, select_on_focus=False)
        self.purpose = ""
        self.cursor_blink = False
        self._history: dict[str, list[str]] = {}
        self._at = 0

    _SIGNS: ClassVar = {"filter": "/", "command": ":"}

    def open(self, purpose: str, text: str = "") -> None:
        """Begin to type."""
        self.purpose = purpose
        self._at = len(self._history.get(purpose, []))
        self.value = self._SIGNS[purpose] + text
        self.cursor_position = len(self.value)
        self.display = True
        self.focus()

    @property
    def text(self) -> str:
        """What was typed, without the sign before it."""
        return self.value[1:]

    def watch_value(self) -> None:
        """Tell; or close, if even the sign was deleted."""
        if not self.purpose:
            return
        if not self.value.startswith(self._SIGNS[self.purpose]):
            self._close(None)
        else:
            self.post_message(self.Typed(self.purpose, self.text))

    async def on_key(self, event: events.Key) -> None:
        """Answer enter, escape, history and completion; the rest is Input's."""
        known = {"escape": lambda: self._close(None), "enter": lambda: self._close(self.text),
                 "up": lambda: self._recall(-1), "down": lambda: self._recall(1),
                 "tab": self._complete}  # fmt: skip
        if (deed := known.get(event.key)) is not None:
            event.stop()
            event.prevent_default()
            deed()

    def _close(self, text: str | None) -> None:
        purpose, self.purpose = self.purpose, ""
        if text:
            self._history[purpose] = [*self._history.get(purpose, []), text][-HISTORY_KEPT:]
        self.display = False
        self.screen.set_focus(None)
        self.post_message(self.Done(purpose, text))

    def _recall(self, step: int) -> None:
        past = self._history.get(self.purpose, [])
        self._at = min(max(self._at + step, 0), len(past))
        self.value = self._SIGNS[self.purpose] + (past[self._at] if self._at < len(past) else "")
        self.cursor_position = len(self.value)

    def _complete(self) -> None:
        """Finish the name of a command, as far as it is sure."""
        if self.purpose != "command" or " " in self.text:
            return
        names = [name for name in COMMANDS if name.startswith(self.text)]
        if names:
            common = names[0]
            while not all(name.startswith(common) for name in names):
                common = common[:-1]
            self.value = ":" + common + (" " if len(names) == 1 else "")
            self.cursor_position = len(self.value)
