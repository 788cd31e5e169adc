"""The supervisor's children.

Starting one, hearing it, seeing it die, starting it again with growing patience.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from liu_tui.engine.child import start_words
from liu_tui.engine.links import Link, pair
from liu_tui.engine.messages import Alive, Boot, FromChild, Stop, TakeLink
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 10.0
HEALTHY_S = 30.0
STOP_S = 5.0
TERM_S = 2.0
FOLLOW_S = 0.5
"""A process whose link has broken ends by itself; after so long it is ended."""

_COUNTS = (
    *("received", "dispatched", "discarded", "merged", "refused"),
    *("duplicates", "disordered", "held_back", "slow", "gaps", "amended", "recorded", "unrecorded"),
)
_DECODER: msgspec.msgpack.Decoder[list[FromChild]] = msgspec.msgpack.Decoder(list[FromChild])


class Kid:
    """One child: its process, its control link, and how often it had to be started again.

    state: off, starting (no Ready yet), running, stopping, dead
    alive: its last heartbeat; `before` sums those of its predecessors, so that counts never go back
    """

    def __init__(self, role: str, name: str, wake: Callable[[], None]) -> None:
        self.role, self.name = role, name
        self._wake = wake
        self._process: asyncio.subprocess.Process | None = None
        self.link: Link[FromChild] | None = None
        self.state = "off"
        self.booted = False
        self.restarts = 0
        self.alive = Alive()
        self.before = Alive()
        self.heard_ns = 0
        self.next_start_ns = 0
        self._wait_s = FIRST_WAIT_S
        self._started_ns = 0
        self._broke_ns = 0

    @property
    def pid(self) -> int:
        """Its process id, 0 if it has none."""
        return self._process.pid if self._process is not None else 0

    @property
    def running(self) -> bool:
        """It has said Ready and has not ended."""
        return self.state == "running"

    async def start(self, log: Path) -> None:
        """Start the process; it waits for Boot."""
        if self._process is not None:
            await self._process.wait()  # reaped, or its successor's birth would do it behind asyncio's back
        ours, theirs = pair()
        with log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *start_words(self.role),
                str(theirs.fileno()),
                self.name,  # for whoever looks at the list of processes
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                # A terminal's Ctrl-C and hang-up are the supervisor's business alone.
                start_new_session=True,
            )
        theirs.close()
        self.link = Link(ours, _DECODER, self._wake)
        self.state = "starting"
        self.booted = False
        self._broke_ns = 0
        self._started_ns = self.heard_ns = monotonic_ns()

    def tell(self, *messages: object) -> None:
        """Send to the child, if it is there; before its Boot, which says how all stands, nothing but Stop."""
        if isinstance(messages[0], Boot):
            self.booted = True
            self.heard_ns = monotonic_ns()  # it may have waited long for its Boot
        if self.link is not None and (self.booted or isinstance(messages[0], Stop)):
            self.link.send(*messages)

    def give_link(self, kind: str, peer: str, end: socket.socket) -> None:
        """Hand one end of a link over; our copy is closed once it has gone."""
        if self.link is None:
            end.close()
            return
        self.link.send(TakeLink(kind=kind, peer=peer), fds=(end.detach(),))

    def hear(self) -> list[FromChild]:
        """What it said since the last call. Heartbeats are kept here."""
        if self.link is None:
            return []
        said: list[FromChild] = []
        for message in self.link.take():
            self.heard_ns = monotonic_ns()
            if isinstance(message, Alive):
                self.alive = message
            else:
                said.append(message)
        return said

    def is_dead(self) -> bool:
        """Its process has ended; or its link has, and the process has had a moment to follow."""
        if self._process is None or self.state in ("off", "dead"):
            return False
        if self._process.returncode is not None:
            return True
        if self.link is None or not self.link.closed:
            return False
        self._broke_ns = self._broke_ns or monotonic_ns()
        return monotonic_ns() - self._broke_ns > FOLLOW_S * SECOND_NS

    def silent_s(self) -> float:
        """Wall seconds since it was heard."""
        return (monotonic_ns() - self.heard_ns) / SECOND_NS

    def bury(self) -> str:
        """Take note of its death; returns it in words, and sets when to start the next."""
        code = self._process.returncode if self._process is not None else None
        if self._process is not None and code is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if self.link is not None:
            self.link.close()
        if monotonic_ns() - self._started_ns > HEALTHY_S * SECOND_NS:
            self._wait_s = FIRST_WAIT_S
        self.state = "dead"
        self.next_start_ns = monotonic_ns() + int(self._wait_s * SECOND_NS)
        self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
        self._remember()
        return _death_words(code)

    def kill(self) -> None:
        """End it at once: it hangs. Asked for again while it is dying, nothing is done."""
        if self._process is not None and self._process.returncode is None and self.state != "stopping":
            self.state = "stopping"
            self._process.kill()

    async def stop(self, reason: str) -> None:
        """The ladder: ask, then SIGTERM, then SIGKILL."""
        process = self._process
        if process is None or process.returncode is not None:
            self.state = "off"
            return
        self.state = "stopping"
        self.tell(Stop(reason=reason))
        for wait, then in ((STOP_S, signal.SIGTERM), (TERM_S, signal.SIGKILL), (TERM_S, None)):
            try:
                async with asyncio.timeout(wait):
                    await process.wait()
                break
            except TimeoutError:
                if then is not None:
                    with contextlib.suppress(ProcessLookupError):
                        process.send_signal(then)
        self.state = "off"

    def close(self) -> None:
        """Let the link go."""
        if self.link is not None:
            self.link.close()

    def _remember(self) -> None:
        now, before = self.alive, self.before
        sums = {name: getattr(before, name) + getattr(now, name) for name in _COUNTS}
        self.before = Alive(**sums)
        self.alive = Alive()

    def total(self, field: str) -> int:
        """A count over all its lives: one of those that only grow."""
        return int(getattr(self.before, field)) + int(getattr(self.alive, field))


def _death_words(code: int | None) -> str:
    if code is None:
        return "its link broke"
    if code < 0:
        known = {number.value: number.name for number in signal.Signals}
        return f"killed by {known.get(-code, f'signal {-code}')}"
    return f"exit {code}"
