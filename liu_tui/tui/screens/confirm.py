"""Asking before something that cannot be taken back. The focus starts on what harms nobody."""

from __future__ import annotations

from textual import events

from liu_tui.tui.deeds import Choice, Proposal
from liu_tui.tui.format import Span, fit, folded
from liu_tui.tui.screens.dialog import Dialog, step_of
from liu_tui.tui.widgets.board import Line, Look

LONGEST_REASON = 100
SHORTEST_REASON = 3
REASON_SHOWN = 46


class Confirm(Dialog[Choice]):
    """Shows a proposal; gives the choice, or None for going back."""

    def __init__(self, proposal: Proposal, look: Look) -> None:
        super().__init__(look)
        self.proposal = proposal
        self.at = proposal.harmless
        self.typed = ""

    @property
    def ready(self) -> bool:
        """Whether a dangerous choice may be taken: its word or a reason has been typed, or it wants none."""
        if self.proposal.wants_reason:
            return len(self.typed.strip()) >= SHORTEST_REASON
        return self.typed == self.proposal.word

    @property
    def _types(self) -> bool:
        return bool(self.proposal.word) or self.proposal.wants_reason

    def lines(self, width: int, height: int) -> list[Line]:
        """Title, what is at stake, what is to be typed, the choices."""
        proposal = self.proposal
        head: tuple[Span, ...] = ((f" {proposal.title} ", "bold"),)
        if self.look.live:
            head = ((" LIVE ", "live"), *head)
        answers = [self._choice(index, choice) for index, choice in enumerate(proposal.choices)]
        tail = [Line((), "dialog"), *self._asked(), *answers, Line(((self._hint(), "faint"),), "dialog")]
        body = [
            Line(((" ", "text"), *row), "dialog")
            for spans in proposal.lines
            for row in folded(spans, width - 2)
        ]
        room = max(0, height - 2 - len(tail))
        if len(body) > room > 0:  # the account comes last, and must be seen
            body = [*body[: room - 1], body[-1]]
        return [Line(head, "dialog"), Line((), "dialog"), *body, *tail]

    def _asked(self) -> list[Line]:
        proposal = self.proposal
        if proposal.wants_reason:
            typed = fit(f"{self.typed[-REASON_SHOWN:]}_", REASON_SHOWN + 1)
            said: tuple[Span, ...] = ((" Why? ", "text"), (typed, "warn"))
        elif proposal.word:
            typed = self.typed.ljust(len(proposal.word), "_")
            said = ((f" Type {proposal.word} to go on: ", "text"), (typed, "warn"))
        else:
            return []
        return [Line(said, "dialog"), Line((), "dialog")]

    def _choice(self, index: int, choice: Choice) -> Line:
        key = " " if self._types else choice.key
        off = choice.danger and not self.ready
        text = f" {self.look.signs.cursor if index == self.at else ' '} {key}  {choice.label}  "
        return Line(((text, "faint" if off else "text"),), "pick" if index == self.at else "dialog")

    def _hint(self) -> str:
        if self.proposal.wants_reason:
            return " type a reason; arrows or tab choose, enter answers, esc goes back"
        return " arrows or tab choose, enter answers, esc goes back"

    def pressed(self, event: events.Key) -> None:
        """Choose, type, answer."""
        choices = self.proposal.choices
        key = event.key
        if key == "escape":
            self.close(None)
        elif key == "enter":
            self._answer(choices[self.at])
        elif self._types and (event.is_printable or key == "backspace"):
            self._type(event)
        elif step := step_of(key):
            self.at = (self.at + step) % len(choices)
        elif named := [choice for choice in choices if choice.key == event.character]:
            self._answer(named[0])

    def _answer(self, choice: Choice) -> None:
        if choice.danger and not self.ready:
            return
        if self.proposal.wants_reason and choice.danger:
            choice = choice.because(self.typed.strip())
        self.close(choice if choice.asks or choice.quits else None)

    def _type(self, event: events.Key) -> None:
        word = self.proposal.word
        typed = self.typed[:-1] if event.key == "backspace" else self.typed + (event.character or "")
        fits = word.startswith(typed) if word else len(typed) <= LONGEST_REASON
        self.typed = typed if fits else self.typed
        danger = [index for index, choice in enumerate(self.proposal.choices) if choice.danger]
        self.at = danger[0] if self.ready else self.proposal.harmless
