"""The application: themes, the link, the frame clock, and how it ends. `run` is the only door."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType

from liu_tui.errors import Exit
from liu_tui.settings import Settings
from liu_tui.tui.console import Console
from liu_tui.tui.frame import FrameClock
from liu_tui.tui.link import Link
from liu_tui.tui.signs import signs_for
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Look

HARD_EXIT_S = 2.0
"""After a hang-up: how long an orderly end may take before the process ends anyway."""
HANGUP_CODE = 129


class ConsoleApp(App[Exit], inherit_bindings=False):
    """One console on one session."""

    CSS_PATH = "console.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self, socket: Path, *, batch_id: str, plan: str, settings: Settings, silent: bool = False,
        fps: float = 5.0, encoding: str = "utf-8",
    ) -> None:  # fmt: skip
        # Only an ANSI theme makes NO_COLOR send no colour at all; it must be known when the filters are made.
        super().__init__(ansi_color=True if settings.no_color else None)
        self.view = View()
        self.link = Link(socket, self.view, fps=fps)
        signs = signs_for(ascii_only=settings.ascii, encoding=encoding)
        self.look = Look(signs, "liu-ansi" if settings.no_color else "liu-dark")
        for palette in self.look.palettes.values():
            self.register_theme(palette.theme)
        self.theme = self.look.palette.theme.name
        self.console_screen = Console(self.view, self.link, self.look, batch_id=batch_id, plan=plan)
        self.console_screen.status.silent = silent
        self.frames = FrameClock(self, fps, self._frame)
        self._reading: asyncio.Task[None] | None = None
        self.hung_up = False

    def get_default_screen(self) -> Console:
        """The only screen; dialogs lie over it."""
        return self.console_screen

    def on_mount(self) -> None:
        """Start the link, the clock, and the handlers for a lost terminal."""
        self.animation_level = "none"
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(sign, self._hang_up)
        self._reading = asyncio.create_task(self.link.run())
        self.frames.start()
        self.call_after_refresh(_settle_memory)

    async def on_unmount(self) -> None:
        """Hang up on the session, and give the signals back."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGHUP, signal.SIGTERM):
            loop.remove_signal_handler(sign)
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _frame(self) -> None:
        """One frame. A dialog covers the panes; the lines above and below them go on."""
        if self._reading is not None and self._reading.done() and not self._reading.cancelled():
            self._reading.result()  # a fault of ours in the link must not look like a quiet session
        if self.view.take_rings() and not self.console_screen.status.silent:
            self.bell()
        if self.console_screen.is_attached and not self._exit:
            self.console_screen.paint()

    def _hang_up(self) -> None:
        """The terminal has gone: end in order, or at least end. The session goes on."""
        self.hung_up = True
        asyncio.get_running_loop().call_later(HARD_EXIT_S, os._exit, HANGUP_CODE)
        self.exit(Exit.INTERRUPTED)

    def _fatal_error(self) -> None:
        """Textual's crash report shows local variables; ours must not."""
        from rich.traceback import Traceback

        self._exit_renderables.append(Traceback(show_locals=False, suppress=["textual", "rich"]))
        self._close_messages_no_wait()


def _settle_memory() -> None:
    """What was made at the start stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def run(
    socket: Path, *, batch_id: str, plan: str, silent: bool = False, mouse: bool = False, fps: float = 5.0
) -> Exit:
    """Open the console on a session's socket; returns when the person leaves.

    plan: its file, for the words on screen; fps: frames and pictures a second, at most 10
    """
    stream = sys.__stderr__
    app = ConsoleApp(
        socket, batch_id=batch_id, plan=plan, settings=Settings.read(), silent=silent,
        fps=min(max(fps, 1.0), 10.0),
        encoding=(stream.encoding if stream is not None else "") or "ascii",
    )  # fmt: skip
    said = app.run(mouse=mouse)
    if app.return_code:
        return Exit.FAILED
    return said or (Exit.FAILED if app.view.link.state == "refused" else Exit.DONE)
