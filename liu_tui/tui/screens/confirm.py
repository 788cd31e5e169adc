"""Asking before something that cannot be taken back. The focus starts on what harms nobody."""

from __future__ import annotations

from textual import events

from liu_tui.tui.format import Span
from liu_tui.tui.screens.dialog import Dialog, step_of
from liu_tui.tui.targets import Choice, Proposal
from liu_tui.tui.widgets.board import Line, Look


class Confirm(Dialog[Choice]):
    """Shows a proposal; gives the choice, or None for going back."""

    def __init__(self, proposal: Proposal, look: Look, *, live: bool) -> None:
        super().__init__(look)
        self.proposal, self._live = proposal, live
        self.at = proposal.harmless
        self.typed = ""

    @property
    def ready(self) -> bool:
        """Whether a dangerous choice may be taken: its word has been typed, or it has none."""
        return self.typed == self.proposal.word

    def lines(self, width: int, height: int) -> list[Line]:
        """Title, what is at stake, the word to type, the choices."""
        proposal = self.proposal
        head: tuple[Span, ...] = ((f" {proposal.title} ", "bold"),)
        if self._live:
            head = ((" LIVE ", "live"), *head)
        answers = [self._choice(index, choice) for index, choice in enumerate(proposal.choices)]
        tail = [Line((), "dialog"), *self._word(), *answers, Line(((self._hint(), "faint"),), "dialog")]
        body = [Line(((" ", "text"), *spans), "dialog") for spans in proposal.lines]
        room = max(0, height - 2 - len(tail))
        return [Line(head, "dialog"), Line((), "dialog"), *body[:room], *tail]

    def _word(self) -> list[Line]:
        if not self.proposal.word:
            return []
        typed = self.typed.ljust(len(self.proposal.word), "_")
        said: tuple[Span, ...] = ((f" Type {self.proposal.word} to go on: ", "text"), (typed, "warn"))
        return [Line(said, "dialog"), Line((), "dialog")]

    def _choice(self, index: int, choice: Choice) -> Line:
        key = " " if self.proposal.word else choice.key
        off = choice.danger and not self.ready
        text = f" {self.look.signs.cursor if index == self.at else ' '} {key}  {choice.label}  "
        return Line(((text, "faint" if off else "text"),), "pick" if index == self.at else "dialog")

    def _hint(self) -> str:
        return " arrows or tab choose, enter answers, esc goes back"

    def pressed(self, event: events.Key) -> None:
        """Choose, type, answer."""
        choices = self.proposal.choices
        key = event.key
        if key == "escape":
            self.close(None)
        elif key == "enter":
            self._answer(choices[self.at])
        elif self.proposal.word and (event.is_printable or key == "backspace"):
            self._type(event)
        elif step := step_of(key):
            self.at = (self.at + step) % len(choices)
        elif named := [choice for choice in choices if choice.key == event.character]:
            self._answer(named[0])

    def _answer(self, choice: Choice) -> None:
        if not choice.danger or self.ready:
            self.close(choice if choice.asks or choice.quits else None)

    def _type(self, event: events.Key) -> None:
        word = self.proposal.word
        typed = self.typed[:-1] if event.key == "backspace" else self.typed + (event.character or "")
        self.typed = typed if word.startswith(typed) else self.typed
        danger = [index for index, choice in enumerate(self.proposal.choices) if choice.danger]
        self.at = danger[0] if self.ready else self.proposal.harmless
