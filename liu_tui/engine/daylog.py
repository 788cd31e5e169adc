"""The session's log: numbered lines, the last few thousand at hand for screens, all of them in the books."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable

from liu_tui.engine.snapshot import LogLine
from liu_tui.model.clock import Clock, wall_ns

KEPT = 3000
FIRST_LOOK = 300
"""Lines that a screen gets when it comes."""

_NAMES = re.compile(r"[\w.-]+")
_log = logging.getLogger("liu_tui.session")
_LEVELS = {"info": logging.INFO, "good": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


class DayLog:
    """Lines in the order of hearing. on_line is told each of them."""

    def __init__(self, clock: Clock, on_line: Callable[[LogLine], None]) -> None:
        self._clock = clock
        self._on_line = on_line
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self.count = 0

    def start_after(self, count: int) -> None:
        """Go on numbering after what an earlier supervisor of the same batch wrote."""
        self.count = count

    def say(self, level: str, words: str, *, source: str = "session", kind: str = "", t_ns: int = 0) -> None:
        """Add a line. t_ns: session time, now if 0."""
        self.count += 1
        line = LogLine(
            n=self.count,
            t_ns=t_ns or self._clock.now_ns(),
            wall_ns=wall_ns(),
            level=level,
            source=source,
            words=words,
            kind=kind,
        )
        self._lines.append(line)
        named = source in _NAMES.findall(words)  # "AAPL: momentum bought 100 AAPL" says it twice
        _log.log(_LEVELS.get(level, logging.INFO), "%s", words if named else f"{source}: {words}")
        self._on_line(line)

    def after(self, n: int) -> tuple[LogLine, ...]:
        """Lines after number n, oldest first; the last few hundred for n = 0."""
        wanted = FIRST_LOOK if n <= 0 else self.count - n
        if wanted <= 0:
            return ()
        return tuple(self._lines)[-wanted:]
