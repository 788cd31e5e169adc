"""The log pane: the last ten thousand lines, the tail in view, or wherever a person scrolled to."""

from __future__ import annotations

from bisect import bisect_left

from liu_tui.engine.snapshot import LogLine
from liu_tui.tui.format import Span, clean, clock, fit
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Board, Line, Look
from liu_tui.tui.widgets.titles import title_line

_TONES = {"info": "text", "good": "good", "warn": "warn", "error": "error"}
_MARKS = {"info": " ", "good": "+", "warn": "!", "error": "!"}
SOURCE_WIDTH = 12


class RingLog(Board):
    """The session's log. follow: the newest line stays in view."""

    number = 5

    def __init__(self, view: View, look: Look) -> None:
        super().__init__(look, id="log")
        self.view = view
        self.hint: list[Span] = []
        self.filter = ""
        self.follow = True
        self.page = 1
        self._cursor_n = self._bottom_n = 0
        self._left_at = 0
        self._shown: list[LogLine] = []
        self._matched_n = 0
        self._made: dict[int, Line] = {}
        self._form: tuple[object, ...] = ()

    # ── what it is asked ──

    def look_for(self, text: str) -> None:
        """Show only lines with all of these words; a leading ! means without."""
        self.filter = text.strip()
        self._shown, self._matched_n = [], 0
        self._match()
        if self._shown and self._cursor_n not in {line.n for line in self._shown}:
            self._cursor_n = self._shown[-1].n

    def move(self, step: int) -> None:
        """Move the cursor; leaving the last line ends following, reaching it begins it again."""
        if not self._shown:
            return
        at = len(self._shown) - 1 if self.follow else self._at()
        at = min(max(at + step, 0), len(self._shown) - 1)
        self._cursor_n = self._shown[at].n
        self.set_follow(at == len(self._shown) - 1 and step > 0)

    def set_follow(self, on: bool) -> None:
        """Begin or end following the newest line."""
        if self.follow and not on:
            self._left_at = self.view.log_added
            if self._shown and not self._cursor_n:
                self._cursor_n = self._shown[-1].n
        if on:
            self._cursor_n = 0
        self.follow = on

    @property
    def chosen(self) -> LogLine | None:
        """The line under the cursor, the newest one while following."""
        if not self._shown:
            return None
        return self._shown[-1] if self.follow else self._shown[self._at()]

    # ── drawing ──

    def draw(self, width: int, height: int) -> list[Line]:
        """Title and the lines in view."""
        self._match()
        self.page = max(1, height - 1)
        form = (width, self.look.signs)
        if form != self._form or len(self._made) > 4 * self.page:
            self._form = form
            self._made.clear()
        lines = [self._title(width)]
        if not self._shown:
            return [*lines, Line(((" " + self._words(), "dim"),))]
        last = self._last_shown()
        return lines + [self._line(line, width) for line in self._shown[max(0, last - self.page) : last]]

    def _last_shown(self) -> int:
        """The place after the lowest line in view. It moves only when the cursor leaves the view."""
        if self.follow:
            self._bottom_n = self._shown[-1].n
            return len(self._shown)
        at, last = self._at(), self._place(self._bottom_n) + 1
        if not last - self.page <= at < last:
            last = min(max(at + self.page // 2, self.page), len(self._shown))
            self._bottom_n = self._shown[last - 1].n
        return max(last, min(self.page, len(self._shown)))

    def _line(self, line: LogLine, width: int) -> Line:
        made = self._made.get(line.n)
        if made is None:
            words = width - 9 - 2 - SOURCE_WIDTH - 2
            tone = _TONES.get(line.level, "text")
            mark = {"fill": "$"}.get(line.kind) or _MARKS.get(line.level, " ")
            spans = (
                (f" {clock(line.t_ns)} ", "dim"),
                (f"{mark} ", tone),
                (fit(clean(line.source), SOURCE_WIDTH) + " ", "dim"),
                (fit(clean(line.words), words), tone),
            )
            made = self._made[line.n] = Line(spans)
        if self.follow or line.n != self._cursor_n:
            return made
        return Line(made.spans, "cursor" if self.active else "cursor_off")

    def _title(self, width: int) -> Line:
        left: list[Span] = [(" 5 Log ", "bold")]
        if self.filter:
            left.append((f"{len(self._shown)} of {len(self.view.log)} /{clean(self.filter)} ", "warn"))
        new = self.view.log_added - self._left_at
        tail: Span = ("follow", "faint") if self.follow else (f"held +{new} new, f follows", "caution")
        return title_line(left, [tail, *self.hint], width, focused=self.active, live=self.look.live)

    def _words(self) -> str:
        if self.filter:
            return f"nothing matches /{clean(self.filter)} ({len(self.view.log)} hidden); escape shows all"
        return "nothing logged yet"

    def _match(self) -> None:
        """Take in the lines that came since the last time."""
        log = self.view.log
        if not log or log[-1].n == self._matched_n:
            return
        fresh = []
        for line in reversed(log):
            if line.n <= self._matched_n:
                break
            if self._holds(line):
                fresh.append(line)
        self._matched_n = log[-1].n
        self._shown += reversed(fresh)
        if self._shown and len(self._shown) > len(log):
            self._shown = [line for line in self._shown if line.n >= log[0].n]

    def _holds(self, line: LogLine) -> bool:
        if not self.filter:
            return True
        text = f"{line.source} {line.level} {line.words}".lower()
        return all(
            (word[1:] not in text) if word[0] == "!" else word in text for word in self.filter.lower().split()
        )

    def _at(self) -> int:
        """The cursor's place."""
        return self._place(self._cursor_n)

    def _place(self, n: int) -> int:
        """The place of a line's number; the oldest or newest line's if its own has gone."""
        return min(bisect_left(self._shown, n, key=lambda line: line.n), len(self._shown) - 1)
