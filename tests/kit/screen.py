"""What a console would be shown of a session, without a console: the newest picture, and the whole log."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from liu_tui.engine.client import Client
from liu_tui.engine.snapshot import LogLine, OrderRow, Picture, PositionRow
from liu_tui.errors import LiuError
from tests.kit.house import DEADLINE_S, House


class Screen:
    """One client of a session. log: every line since it was attached."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: Picture | None = None
        self._came = asyncio.Event()
        self.log: list[LogLine] = []
        self._task = asyncio.create_task(self._watch())

    @classmethod
    async def attach(cls, house: House, *, rate: float = 20.0) -> Screen:
        """Watch the session of a house, `rate` pictures a second at most."""
        (file,) = (house.root / ".liu" / "sessions").glob("*.session.json")
        screen = cls(await Client.connect(Path(json.loads(file.read_text())["socket"]), watch=rate))
        await screen.until("a picture comes", lambda: screen._seen is not None)
        return screen

    @property
    def picture(self) -> Picture:
        """The newest one."""
        assert self._seen is not None
        return self._seen

    def position(self, symbol: str) -> PositionRow | None:
        """What is held in a symbol, None if nothing is."""
        return next((row for row in self.picture.positions if row.symbol == symbol and row.qty), None)

    def working(self, symbol: str = "") -> list[OrderRow]:
        """Orders of a symbol, or of all, to which something may still happen."""
        return [row for row in self.picture.orders if row.live and symbol in ("", row.symbol)]

    async def ask(self, verb: str, *, symbol: str = "", reason: str = "") -> None:
        """Do as a person would, and see it taken."""
        reply = await self._client.ask(verb, by="ann", symbol=symbol, reason=reason)
        assert reply.ok, reply.words

    async def kill(self, role: str) -> None:
        """Kill a process with no warning, and wait until another runs in its place and the broker agrees."""
        (pid,) = self._pids(role)
        os.kill(pid, signal.SIGKILL)
        await self.until(
            f"the {role} runs again",
            lambda: self._pids(role) not in ([], [pid]) and self.picture.broker.state == "ready",
        )

    async def until(self, what: str, true: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
        """Look at each picture until it is as it should be; fails with what was shown last."""
        try:
            async with asyncio.timeout(deadline_s):
                while not true():
                    await self.next()
        except TimeoutError:
            rest = "\n".join(
                [f"it did not come about that {what}", *map(str, [*self.told(), *self.log[-40:]])]
            )
            raise AssertionError(rest) from None

    async def next(self) -> Picture:
        """Wait for another picture."""
        self._came.clear()
        await self._came.wait()
        return self.picture

    def told(self) -> list[object]:
        """What matters of the newest picture when something is not as it should be."""
        if self._seen is None:
            return []
        seen = self._seen
        return [seen.state, seen.broker, *seen.differences, *seen.flattens, *self.working(), *seen.positions]

    def _pids(self, role: str) -> list[int]:
        return [row.pid for row in self.picture.processes if row.role == role and row.state == "running"]

    async def close(self) -> None:
        """Go away."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, LiuError):
            await self._task
        await self._client.close()

    async def _watch(self) -> None:
        async for message in self._client.messages():
            if isinstance(message, Picture):
                self._seen = message
                self.log += message.log
                self._came.set()
