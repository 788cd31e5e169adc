"""What every child process of a session has: a control link, the clock, a heartbeat, a way to speak.

A child is started as `python -m liu_tui.engine.child FD NAME` (a fresh interpreter; nothing is forked,
nothing pickled). Its first message is Boot. It lives until Stop, or until the control link closes: then the
supervisor is gone, and every role but the desk ends at once.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from importlib import import_module
from pathlib import Path

import msgspec

from liu_tui import logs
from liu_tui.engine.links import Link
from liu_tui.engine.messages import Alive, Boot, Bye, Ready, Said, SetAnchor, Stop, TakeLink, ToChild
from liu_tui.errors import LiuError, WireError
from liu_tui.market import calendar
from liu_tui.model.clock import Clock, SessionClock, SessionHours
from liu_tui.settings import Settings

HEARTBEAT_S = 0.25
BOOT_S = 30.0

ROLES = {
    "producer": "liu_tui.engine.producer",
    "consumer": "liu_tui.engine.consumer",
    "scanners": "liu_tui.engine.scanners",
    "desk": "liu_tui.engine.desk",
}

USER_CODE = frozenset({"consumer", "scanners"})

_log = logging.getLogger(__name__)


class Child:
    """One child process, seen from inside.

    wake:     set when any link has something, or the timer is due
    stopping: Stop came
    orphaned: the supervisor is gone
    """

    def __init__(self, sock: socket.socket) -> None:
        self.wake = asyncio.Event()
        self.control: Link[ToChild] = Link(sock, msgspec.msgpack.Decoder(list[ToChild]), self.wake.set)
        self.stopping = ""
        self._boot: Boot | None = None
        self._clock = SessionClock()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def boot(self) -> Boot:
        """The first message. Only after start()."""
        if self._boot is None:
            raise WireError("no Boot yet", where="control link")
        return self._boot

    @property
    def clock(self) -> Clock:
        """The session's time."""
        return self._clock

    @property
    def anchor(self) -> SessionClock:
        """The clock with its anchor: speed, paused, lock-step."""
        return self._clock

    @property
    def orphaned(self) -> bool:
        """The supervisor is gone."""
        return self.control.closed

    async def start(self) -> Boot:
        """Wait for Boot and answer Ready."""
        async with asyncio.timeout(BOOT_S):
            while not self.control.inbox:
                if self.control.closed:
                    raise WireError("the supervisor went away before Boot", where="control link")
                await self.wake.wait()
                self.wake.clear()
        first = self.control.inbox.popleft()
        if not isinstance(first, Boot):
            raise WireError(f"{type(first).__name__} came before Boot", where="control link")
        self._boot = first
        self._clock.set(first.anchor)
        calendar.correct(first.calendar, map(date.fromisoformat, first.closed))
        return first

    def learn_hours(self, hours: SessionHours) -> None:
        """Know the venue's session; the first producer is booted before anybody does, and asks for it."""
        self._boot = msgspec.structs.replace(self.boot, hours=hours)

    def ready(self) -> None:
        """Tell the supervisor that links may come."""
        self.control.send(Ready(name=self.boot.name, pid=os.getpid(), build=self.boot.build))

    def orders(self) -> list[tuple[ToChild, socket.socket | None]]:
        """What the supervisor said since the last call; a TakeLink comes with its socket.

        Clock and Stop are done here.
        """
        said: list[tuple[ToChild, socket.socket | None]] = []
        for message in self.control.take():
            match message:
                case SetAnchor(anchor=anchor):
                    self._clock.set(anchor)
                case Stop(reason=reason):
                    self.stopping = reason or "stop"
                case TakeLink():
                    said.append((message, socket.socket(fileno=self.control.fds.popleft())))
                case _:
                    said.append((message, None))
        return said

    def tell(self, *messages: object) -> None:
        """Send to the supervisor."""
        self.control.send(*messages)

    def say(self, level: str, words: str, *, source: str = "", kind: str = "") -> None:
        """Put a line into the session's log."""
        self.tell(
            Said(
                level=level,
                source=source or self.boot.name,
                words=words,
                t_ns=self._clock.now_ns(),
                kind=kind,
            )
        )

    def wake_in(self, seconds: float) -> None:
        """Set `wake` after so long, unless it is asked for sooner."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._timer is not None and not self._timer.cancelled() and self._timer.when() > loop.time():
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self.wake.set)

    async def beat(self, stats: Callable[[], Alive | None]) -> None:
        """Send a heartbeat until cancelled; none while there is nothing to be said for this process."""
        while True:
            if (alive := stats()) is not None:
                self.tell(alive)
            await asyncio.sleep(HEARTBEAT_S)

    async def bye(self) -> None:
        """Say that all is done, and let the link empty itself."""
        self.tell(Bye())
        async with asyncio.timeout(2.0):
            await self.control.drained()


def start_words(role: str) -> list[str]:
    """The command line of a child, without its control link's descriptor. Spawn.

    A fresh interpreter each time.
    """
    if role not in ROLES:
        raise WireError(f"no such role {role!r}", where="supervisor")
    return [sys.executable, "-m", "liu_tui.engine.child"]


async def _live(fd: int) -> int:
    os.set_inheritable(fd, False)
    child = Child(socket.socket(fileno=fd))
    boot = await child.start()
    logs.setup(
        boot.name,
        Path(boot.home) / "logs" / f"{boot.batch_id}.log",
        level=boot.log_level,
        secrets=Settings.read().keys().known(),
    )
    if boot.role in USER_CODE:
        logs.redirect_prints()
    run: Callable[[Child], Awaitable[None]] = import_module(ROLES[boot.role]).run
    gc.freeze()  # what is loaded by now stays: looking through it would stop us for 10 ms now and then
    try:
        await run(child)
    except LiuError as e:
        _log.error("%s ends: %s", boot.name, e)
        child.say("error", str(e))
        return 1
    finally:
        if not child.orphaned:
            await child.bye()
    return 0


def _loop_for(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give the market data's processes uvloop, where the extra `fast` is installed; None is asyncio's own."""
    if name in ("desk", "scanners") or Settings.read().plain:
        return None
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


def main(arguments: list[str]) -> int:
    """Live as the child at the other end of the descriptor that the first argument names.

    The second one is our name.
    """
    # Ctrl-C reaches the whole foreground group; only the supervisor answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with asyncio.Runner(loop_factory=_loop_for(arguments[1])) as runner:
            return runner.run(_live(int(arguments[0])))
    except Exception:  # the process's edge: whatever it is goes into the log with its trace
        logging.getLogger(__name__).exception("this process ends by a fault of its own")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
