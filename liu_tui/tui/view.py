"""What the console knows: the last picture, the log, how the link stands, what was asked. Knows no Textual.

Nothing is added up here; a message is kept, and panes read it at the next frame.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from liu_tui.engine.client import Farewell, Reply, ToClient
from liu_tui.engine.snapshot import (
    CommandRow,
    Detail,
    HitRow,
    LogLine,
    OrderRow,
    Picture,
    PositionRow,
    VetoRow,
)
from liu_tui.model.clock import SessionClock, monotonic_ns
from liu_tui.tui.lives import Lives

SECOND_NS = 1_000_000_000
LOG_KEPT = 10_000
ASKED_KEPT = 200
STALE_S = 2.5
"""A picture comes several times a second; after so long without one it is called stale."""


@dataclass
class LinkState:
    """The connection. state: connecting, live, lost, refused (words say why), ended."""

    state: str = "connecting"
    words: str = ""
    attempts: int = 0
    retry_ns: int = 0  # monotonic: when the next try is due
    since_ns: int = field(default_factory=monotonic_ns)


@dataclass
class Asked:
    """A command of this console, and how it went. state: PENDING, done, refused, unknown."""

    id: str
    verb: str
    symbol: str
    sent_ns: int
    state: str = "PENDING"
    words: str = ""
    took_ms: float = 0.0


@dataclass(frozen=True)
class ActivityRow:
    """One line of the activity pane. took_ms None: another client's command, or not known."""

    id: str
    wall_ns: int
    by: str
    verb: str
    symbol: str
    state: str
    took_ms: float | None
    words: str


class View:
    """The console's picture of a session, and the only thing that panes read."""

    def __init__(self) -> None:
        self.picture: Picture | None = None
        self.link = LinkState()
        self.heard_ns = monotonic_ns()
        self.log: deque[LogLine] = deque(maxlen=LOG_KEPT)
        self.log_n = 0
        self.log_added = 0
        self.asked: dict[str, Asked] = {}
        self.details: dict[str, Detail] = {}
        self.lives = Lives()
        self.farewell: Farewell | None = None
        self.clock = SessionClock()
        self.version = 0
        self._rings = 0
        self._replies: deque[Asked] = deque(maxlen=20)

    # ── what comes ──

    def take(self, message: ToClient) -> None:
        """Keep a message of the session."""
        self.version += 1
        match message:
            case Picture():
                self._picture(message)
            case Detail():
                self.details = {message.symbol: message}
            case Reply():
                self._reply(message)
            case Farewell():
                self.farewell = message
                self.link = LinkState("ended", message.words)

    def _picture(self, picture: Picture) -> None:
        first = self.picture is None
        self.picture = picture
        self.heard_ns = monotonic_ns()
        self.clock.set(picture.anchor)
        self.lives.take(picture.orders)
        fresh = [line for line in picture.log if line.n > self.log_n]
        if fresh:
            self.log.extend(fresh)
            self.log_n = fresh[-1].n
            self.log_added += len(fresh)
            # What happened before this console came rings no bell.
            if not first:
                self._rings += sum(1 for line in fresh if line.kind)

    def _reply(self, reply: Reply) -> None:
        asked = self.asked.get(reply.id)
        if asked is None:
            return
        asked.state = "done" if reply.ok else "refused"
        asked.words = reply.words
        asked.took_ms = (monotonic_ns() - asked.sent_ns) / 1e6
        self._replies.append(asked)

    # ── what is asked ──

    def sent(self, command_id: str, verb: str, symbol: str) -> None:
        """Remember that a command is on its way."""
        self.version += 1
        self.asked[command_id] = Asked(command_id, verb, symbol, monotonic_ns())
        while len(self.asked) > ASKED_KEPT:
            self.asked.pop(next(iter(self.asked)))

    def link_is(self, state: LinkState) -> None:
        """The connection changed; what was still unanswered is unknown from now on."""
        self.version += 1
        if state.state == "lost" and self.link.state == "live":
            self._rings += 1
            for asked in self.asked.values():
                if asked.state == "PENDING":
                    asked.state, asked.words = "unknown", "the link was lost before the answer"
        self.link = state

    # ── what is read ──

    def take_rings(self) -> int:
        """How many things a bell may ring for since the last call."""
        rings, self._rings = self._rings, 0
        return rings

    def take_reply(self) -> Asked | None:
        """The newest answer that nobody has shown yet."""
        reply = self._replies[-1] if self._replies else None
        self._replies.clear()
        return reply

    def pending(self) -> list[Asked]:
        """Commands without an answer, oldest first."""
        return [asked for asked in self.asked.values() if asked.state == "PENDING"]

    @property
    def stale_s(self) -> float:
        """Wall seconds since the last picture."""
        return (monotonic_ns() - self.heard_ns) / SECOND_NS

    @property
    def stale(self) -> bool:
        """Whether what is shown may no longer be so."""
        return (
            self.picture is not None
            and self.farewell is None
            and (self.link.state != "live" or self.stale_s > STALE_S)
        )

    def now_ns(self) -> int:
        """Session time."""
        return self.clock.now_ns()

    def activity(self) -> tuple[ActivityRow, ...]:
        """Everybody's commands, newest first; this console's with the time they took."""
        told = {row.id: row for row in self.picture.commands} if self.picture else {}
        rows = [_told(row, self.asked.get(row.id)) for row in told.values()]
        rows += [_untold(asked) for asked in self.asked.values() if asked.id not in told]
        return tuple(reversed(rows))

    def holdings(self, symbol: str) -> tuple[list[PositionRow], list[OrderRow]]:
        """Positions, and live orders, in a symbol."""
        if self.picture is None:
            return [], []
        held = [row for row in self.picture.positions if row.symbol == symbol]
        return held, [row for row in self.picture.orders if row.symbol == symbol and row.live]

    def order(self, order_id: str) -> OrderRow | None:
        """An order by its id."""
        rows = self.picture.orders if self.picture else ()
        return next((row for row in rows if row.client_order_id == order_id), None)

    def hit(self, symbol: str) -> HitRow | None:
        """The newest pick of a symbol."""
        rows = self.picture.hits if self.picture else ()
        return next((row for row in rows if row.symbol == symbol), None)

    def vetoes(self, symbol: str) -> list[VetoRow]:
        """All vetoes on a symbol, of one strategy or of all."""
        rows = self.picture.vetoes if self.picture else ()
        return [row for row in rows if row.symbol == symbol]

    def rejected(self, symbol: str) -> bool:
        """Whether a symbol is vetoed for all strategies."""
        return any(not row.strategy for row in self.vetoes(symbol))


def _told(row: CommandRow, asked: Asked | None) -> ActivityRow:
    # An answer and the picture that tells of it travel apart: never go back from done to pending.
    answered = asked is not None and asked.state in ("done", "refused")
    state = asked.state if asked is not None and answered else row.state
    words = asked.words if asked is not None and answered else row.words
    took = asked.took_ms if asked is not None and answered else None
    state = "PENDING" if state == "pending" else state
    return ActivityRow(row.id, row.wall_ns, row.by, row.verb, row.symbol, state, took, words)


def _untold(asked: Asked) -> ActivityRow:
    took = asked.took_ms if asked.state in ("done", "refused") else None
    return ActivityRow(asked.id, 0, "console", asked.verb, asked.symbol, asked.state, took, asked.words)
