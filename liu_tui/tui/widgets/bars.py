"""The two lowest lines: what was last said, and the keys."""

from __future__ import annotations

from collections.abc import Callable

from liu_tui.tui.actions import BAR, BY_ID, sign_of
from liu_tui.tui.format import Span, clean, millis, width_of
from liu_tui.tui.view import Asked, View
from liu_tui.tui.widgets.board import Board, Line, Look
from liu_tui.tui.widgets.strip_table import wall_s

SAID_S = 8.0
"""How long a message stays; the activity pane keeps commands, the log the rest."""


class MessageBar(Board):
    """The reply line: commands on their way, answers, and why a key did nothing."""

    def __init__(self, view: View, look: Look) -> None:
        super().__init__(look, id="message")
        self.view = view
        self._said: tuple[Span, ...] = ()
        self._until_s = 0.0

    def say(self, words: str, tone: str = "text") -> None:
        """Show words for a few seconds."""
        self._said, self._until_s = ((f" {clean(words)}", tone),), wall_s() + SAID_S

    def draw(self, width: int, height: int) -> list[Line]:
        """Pending commands before answers, answers before the last log line."""
        if (reply := self.view.take_reply()) is not None:
            self._said, self._until_s = _answer(reply), wall_s() + SAID_S
        if waiting := self.view.pending():
            waited = millis((wall_s() - waiting[0].sent_ns / 1e9) * 1000)
            names = ", ".join(f"{asked.verb} {asked.symbol}".strip() for asked in waiting)
            return [Line(((" PENDING ", "caution"), (f" {clean(names)} {waited}", "text")))]
        if self._said and wall_s() < self._until_s:
            return [Line(self._said)]
        return [Line(self._newest())]

    def _newest(self) -> tuple[Span, ...]:
        picture = self.view.picture
        if picture is not None and picture.plan_changed:
            return ((" the plan file has changed; it applies at the next start", "warn"),)
        if not self.view.log:
            return ()
        line = self.view.log[-1]
        return ((f" {clean(line.source)}: {clean(line.words)}", "faint"),)


def _answer(asked: Asked) -> tuple[Span, ...]:
    tone = "good" if asked.state == "done" else "warn"
    what = f"{asked.verb} {asked.symbol}".strip()
    return (
        (f" {asked.state} ", tone),
        (f"{clean(what)} in {millis(asked.took_ms)}: {clean(asked.words)}", "text"),
    )


class KeyBar(Board):
    """The keys, in an order that never changes. why_not: why an action cannot be done now, "" if it can."""

    def __init__(self, look: Look, why_not: Callable[[str], str]) -> None:
        super().__init__(look, id="keys")
        self._why_not = why_not

    def draw(self, width: int, height: int) -> list[Line]:
        """As many as fit, with long words or short ones; what cannot be done now is faint."""
        off = {name: bool(self._why_not(name)) for name in BAR}
        real: tuple[Span, ...] = ((" LIVE ", "live"),) if self.look.live else ()
        for words in (_LONG, _SHORT, _SHORTEST, _FEWEST):
            keys = (span for name, word in words.items() for span in _key(name, word, off=off[name]))
            spans = [*real, *keys]
            if sum(width_of(text) for text, _ in spans) <= width:
                break
        return [Line(tuple(spans), "bar")]


_LONG = {name: BY_ID[name].short for name in BAR}
_SHORT = {name: word for name, word in _LONG.items() if name not in ("freeze", "zoom")}
_SHORTEST = {
    "help": "help", "command": "cmd", "filter": "find", "reject": "rej", "unsubscribe": "drop",
    "pause": "pause", "cancel": "canc", "flatten": "flat", "flatten_all": "all", "kill": "kill",
    "quit": "quit",
}  # fmt: skip
_FEWEST = {name: word for name, word in _SHORTEST.items() if name != "unsubscribe"}


def _key(name: str, word: str, *, off: bool) -> tuple[Span, ...]:
    return (
        (f" {sign_of(BY_ID[name].keys[0])} ", "faint" if off else "key"),
        (word, "faint" if off else "text"),
    )
