"""What all dialogs share: a box of lines over the console, and keys that count only once it has been seen.

Keys that were typed before the box was painted are dropped: over a slow link, typing ahead must not confirm.
"""

from __future__ import annotations

from typing import TypeVar

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from liu_tui.tui.format import width_of
from liu_tui.tui.frame import output_backlog
from liu_tui.tui.widgets.board import Board, Line, Look

T = TypeVar("T")
LOOK_AGAIN_S = 0.05
_DOWN = frozenset({"down", "j", "tab", "ctrl+n"})
_UP = frozenset({"up", "k", "shift+tab", "ctrl+p"})


class Sheet(Board):
    """The box's lines, as its dialog says them."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, id="sheet")
        self.lines: list[Line] = []

    def draw(self, width: int, height: int) -> list[Line]:
        """What was set; the ground fills the rest."""
        return [*self.lines, *[Line((), "dialog")] * (height - len(self.lines))]


class Dialog(ModalScreen[T], inherit_bindings=False):
    """A box over the console. `armed`: it has been painted, so keys count."""

    AUTO_FOCUS = ""
    FULL = False
    """Whether the box is as large as the terminal lets it be."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.sheet = Sheet(look)
        self.armed = False

    def lines(self, width: int, height: int) -> list[Line]:
        """Say the box's lines, for so much room at most."""
        raise NotImplementedError

    def pressed(self, event: events.Key) -> None:
        """Do what a key means here."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Only the box."""
        self.sheet.set_class(self.look.signs.ascii, "-ascii")
        self.sheet.set_class(self.look.live, "-live")
        yield self.sheet

    def on_mount(self) -> None:
        """Draw, and count keys once that has reached the terminal."""
        self.show()
        self.call_after_refresh(self._arm)

    def frame(self) -> None:
        """One frame of the clock, for boxes that live on while they are open; most stand still."""

    def on_resize(self) -> None:
        """Fit the box to the terminal."""
        self.show()

    def on_key(self, event: events.Key) -> None:
        """Pass a key on, if the person can have seen what it answers."""
        event.stop()
        event.prevent_default()
        if self.armed:
            self.pressed(event)
        if self.armed:
            self.show()

    def close(self, answer: T | None = None) -> None:
        """End the dialog. Keys that are still in its queue answer nothing."""
        self.armed = False
        self.dismiss(answer)

    def show(self) -> None:
        """Draw the box anew."""
        room = (max(20, self.app.size.width - 6), max(5, self.app.size.height - 4))
        lines = self.lines(*room)[: room[1]]
        widest = max((sum(width_of(text) for text, _ in line.spans) for line in lines), default=0)
        width = room[0] if self.FULL else min(max(widest + 1, 40), room[0])
        height = room[1] if self.FULL else len(lines)
        self.sheet.lines = lines
        self.sheet.styles.width, self.sheet.styles.height = width + 2, height + 2
        self.sheet.flush()

    def _arm(self) -> None:
        if output_backlog(self.app):
            self.set_timer(LOOK_AGAIN_S, self._arm)
        else:
            self.armed = True


def step_of(key: str) -> int:
    """Tell which way a key moves in a list: 1, -1, or 0."""
    return (key in _DOWN) - (key in _UP)
