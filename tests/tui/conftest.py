"""A console without a terminal on a scripted session."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from liu_tui.errors import Exit
from liu_tui.settings import Settings
from liu_tui.tui.app import ConsoleApp
from liu_tui.tui.console import Console
from liu_tui.tui.screens.dialog import Dialog
from liu_tui.tui.widgets.board import Board
from tests.kit.tui import ScriptedSession

PATIENCE_S = 10.0


@dataclass
class Stage:
    """A console, the session behind it, and hands to press keys."""

    app: ConsoleApp
    pilot: Pilot[Exit]
    session: ScriptedSession

    @property
    def console(self) -> Console:
        return self.app.console_screen

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; fail if it never does."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self.session.show()
                await self.pilot.pause(0.01)

    async def press(self, *keys: str) -> None:
        """Press keys; in a dialog, once it counts them."""
        for key in keys:
            screen = self.app.screen
            if isinstance(screen, Dialog):
                await self.until(partial(_listens, screen))
            await self.pilot.press(key)

    async def verbs(self, *wanted: str) -> None:
        """Wait until the session has heard exactly these commands, as `verb SYMBOL`."""
        await self.until(lambda: len(self.session.commands) >= len(wanted))
        assert self.asked() == list(wanted)

    def asked(self) -> list[str]:
        return [f"{command.verb} {command.symbol}".strip() for command in self.session.commands]

    def text(self, board: Board) -> str:
        """What stands in a board now."""
        board.flush()
        return "\n".join("".join(text for text, _ in line.spans) for line in board._lines)


def _listens(screen: Dialog[Any]) -> bool:
    return screen.armed or not screen.is_active


Opening = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage(tmp_path: Path) -> Opening:
    """Open a console of a size on a scene, with its first picture drawn."""

    @contextlib.asynccontextmanager
    async def open_stage(
        size: tuple[int, int] = (120, 40),
        *,
        scene: str = "calm",
        answer_s: float = 0.0,
        settings: Settings | None = None,
        encoding: str = "utf-8",
    ) -> AsyncIterator[Stage]:
        async with ScriptedSession(tmp_path / "s", scene=scene, answer_s=answer_s) as session:
            app = ConsoleApp(
                tmp_path / "s",
                batch_id="7F2",
                plan="plans/today.toml",
                settings=settings or Settings(),
                fps=10.0,
                encoding=encoding,
            )
            async with app.run_test(size=size) as pilot:
                made = Stage(app, pilot, session)
                await made.until(
                    lambda: app.view.picture is not None and "notice" not in made.console._placed
                )
                yield made

    return open_stage
