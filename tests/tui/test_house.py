"""The screen process in the world: what it imports, a real terminal, a terminal that goes away."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import rich.console

from liu_tui.errors import NothingToAttach
from liu_tui.settings import Settings
from liu_tui.tui.app import ConsoleApp
from liu_tui.tui.portrait import portray
from tests.kit.tui import ScriptedSession

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
CONSOLE = (
    "import sys; from pathlib import Path; from liu_tui.tui.app import run; "
    "sys.exit(run(Path(sys.argv[1]), batch_id='7F2', plan='plans/today.toml'))"
)


def test_the_screen_process_imports_no_pandas_no_numpy_and_no_vendor() -> None:
    code = (
        "import liu_tui.tui.app, liu_tui.tui.portrait, liu_tui.tui.console, sys;"
        "print({'pandas', 'numpy', 'alpaca', 'aiohttp', 'websockets'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


async def test_a_crash_shows_where_and_no_local_variable(tmp_path: Path) -> None:
    app = ConsoleApp(tmp_path / "s", batch_id="7F2", plan="", settings=Settings())
    async with app.run_test():
        try:
            _crash("hunter" + "2")
        except ZeroDivisionError:
            app._fatal_error()
        said = io.StringIO()
        rich.console.Console(file=said, width=200).print(app._exit_renderables[-1])
        app._exit_renderables.clear()
    assert "_crash" in said.getvalue()
    assert "hunter2" not in said.getvalue()


def _crash(api_secret: str) -> None:
    len(api_secret) / 0


class Terminal:
    """A program in a pseudo-terminal of its own."""

    def __init__(self, arguments: list[str]) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, "TERM": "xterm-256color"})  # noqa: S606 - the interpreter that runs this
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.seen = b""
        self._open = True

    async def until(self, words: str) -> None:
        """Read until words were painted."""
        async with asyncio.timeout(PATIENCE_S):
            while words.encode() not in self.seen:
                self.read()
                await asyncio.sleep(0.01)

    def read(self) -> None:
        """Take what has been painted."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                return

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def hang_up(self) -> None:
        """The terminal goes away, as when a connection drops."""
        if self._open:
            os.close(self.fd)
            self._open = False

    async def ended(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if self._open:
                    self.read()
                pid, status = os.waitpid(self.pid, os.WNOHANG)  # noqa: ASYNC222 - WNOHANG returns at once
                if pid:
                    self.pid = 0
                    return os.waitstatus_to_exitcode(status)
                await asyncio.sleep(0.01)

    def close(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        self.hang_up()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(["-c", CONSOLE, str(tmp_path / "s")])
    yield made
    made.close()


async def test_in_a_real_terminal_keys_work_and_leaving_leaves_the_session(
    tmp_path: Path, terminal: Terminal
) -> None:
    async with ScriptedSession(tmp_path / "s") as session:
        playing = asyncio.create_task(session.play())
        await terminal.until("NVDA")
        terminal.press("jx")
        async with asyncio.timeout(PATIENCE_S):
            while not session.commands:
                terminal.read()
                await asyncio.sleep(0.01)
        assert (session.commands[0].verb, session.commands[0].symbol) == ("reject", "SMCI")
        terminal.press("q")
        await terminal.until("Leave it running")
        deadline = time.monotonic() + PATIENCE_S
        code = None
        while code is None and time.monotonic() < deadline:
            terminal.press("\r")  # pressed again until the dialog has been painted and counts it
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    code = await terminal.ended()
        assert code == 0
        assert [command.verb for command in session.commands] == ["reject"]
        playing.cancel()


@pytest.mark.parametrize("how", ["the terminal closes", "SIGTERM"])
async def test_a_hang_up_ends_the_console_in_order_and_nothing_else(
    tmp_path: Path, terminal: Terminal, how: str
) -> None:
    async with ScriptedSession(tmp_path / "s") as session:
        playing = asyncio.create_task(session.play())
        await terminal.until("NVDA")
        if how == "SIGTERM":
            os.kill(terminal.pid, signal.SIGTERM)
        else:
            terminal.hang_up()
        assert await terminal.ended() == 130
        assert session.commands == []
        assert not session.ended.is_set()
        playing.cancel()


async def test_a_portrait_is_the_console_as_an_svg(tmp_path: Path) -> None:
    async with ScriptedSession(tmp_path / "s") as session:
        playing = asyncio.create_task(session.play())
        svg = await portray(tmp_path / "s", (100, 30), keys=("j",), wait_s=0.5, theme="liu-light")
        playing.cancel()
    assert svg.startswith("<svg")
    assert all(word in svg for word in ("PAPER", "SMCI", "Positions"))


async def test_a_portrait_of_nothing_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NothingToAttach, match="no picture came"):
        await portray(tmp_path / "nobody", (80, 24), wait_s=0.1)
