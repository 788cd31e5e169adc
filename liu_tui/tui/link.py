"""Keeping the console connected: read into the view, and try again with back-off when the session is lost.

Runs as one task in the screen's loop and never touches a widget: frames read what it leaves in the view.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from liu_tui.engine.client import Client
from liu_tui.errors import LiuError, NothingToAttach
from liu_tui.model.clock import monotonic_ns
from liu_tui.tui.view import SECOND_NS, LinkState, View

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 5.0


class Link:
    """The way to a session: pictures come in, commands go out. fps: pictures wanted a second."""

    def __init__(self, socket: Path, view: View, *, fps: float) -> None:
        self._socket, self._view, self._fps = socket, view, fps
        self._client: Client | None = None

    @property
    def up(self) -> bool:
        """Whether a command can be sent now."""
        return self._client is not None

    async def run(self) -> None:
        """Stay connected until the session says farewell, or its frames are of another build."""
        wait_s, attempts = FIRST_WAIT_S, 0
        while self._view.farewell is None:
            try:
                heard = await self._listen()
            except NothingToAttach as e:
                heard, words = False, e.what
            except LiuError as e:
                self._view.link_is(LinkState("refused", str(e)))
                return
            else:
                words = "the session hung up"
            if self._view.farewell is not None:
                return
            wait_s, attempts = (
                (FIRST_WAIT_S, 1) if heard else (min(wait_s * 1.6, LONGEST_WAIT_S), attempts + 1)
            )
            self._lost(words, attempts, wait_s)
            await asyncio.sleep(wait_s)

    def send(self, verb: str, *, reason: str = "", **words: str | bool) -> bool:
        """Send a command; False if there is no connection. Its answer comes into the view."""
        if self._client is None:
            return False
        command_id = self._client.send(verb, reason=reason, **words)
        self._view.sent(command_id, verb, str(words.get("symbol", "")))
        return True

    def ask_detail(self, symbol: str) -> None:
        """Ask for a symbol's detail, if there is a connection."""
        if self._client is not None:
            self._client.ask_detail(symbol)

    async def _listen(self) -> bool:
        """One connection, to its end; whether anything was heard on it."""
        view = self._view
        client = await Client.connect(self._socket, watch=self._fps, log_from=view.log_n)
        self._client = client
        heard = False
        try:
            async for message in client.messages():
                if not heard:
                    heard = True
                    view.link_is(LinkState("live"))
                view.take(message)
        finally:
            self._client = None
            with contextlib.suppress(OSError):
                await client.close()
        return heard

    def _lost(self, words: str, attempts: int, wait_s: float) -> None:
        view = self._view
        state = "connecting" if view.picture is None else "lost"
        since = view.link.since_ns if view.link.state == state else monotonic_ns()
        view.link_is(LinkState(state, words, attempts, monotonic_ns() + int(wait_s * SECOND_NS), since))
