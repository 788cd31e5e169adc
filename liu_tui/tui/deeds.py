"""What comes of a key: commands to send at once, a proposal to confirm, or the reason why not. Pure.

A proposal names what was selected: nothing that moves under its dialog changes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from liu_tui.tui.format import Span

Lines = tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class Ask:
    """One command for the session; the fields are those of `engine.client.Command`."""

    verb: str
    symbol: str = ""
    order: str = ""
    reason: str = ""
    flatten: bool = False
    strategy: str = ""
    choice: str = ""
    until: str = ""


@dataclass(frozen=True)
class Deed:
    """Done at once. undo: what takes it back."""

    asks: tuple[Ask, ...]
    undo: tuple[Ask, ...] = ()


@dataclass(frozen=True)
class Choice:
    """One way to answer a dialog.

    danger: needs the dialog's word or reason, if it has one; quits: the console ends; then: asked before it
    is done
    """

    key: str
    label: str
    asks: tuple[Ask, ...] = ()
    danger: bool = False
    quits: bool = False
    then: Proposal | None = None

    def because(self, reason: str) -> Choice:
        """Give the reason that was typed to all that it asks."""
        asks = tuple(replace(ask, reason=reason) for ask in self.asks)
        then = self.then.because(reason) if self.then is not None else None
        return replace(self, asks=asks, then=then)


@dataclass(frozen=True)
class Proposal:
    """A dialog. harmless: the choice that focus starts on.

    word: must be typed before a dangerous choice; wants_reason: some words of one's own must be
    """

    title: str
    lines: Lines
    choices: tuple[Choice, ...]
    harmless: int = 0
    word: str = ""
    wants_reason: bool = False

    def because(self, reason: str) -> Proposal:
        """Give the reason that was typed to all choices."""
        return replace(self, choices=tuple(choice.because(reason) for choice in self.choices))


Target = Deed | Proposal | str

BACK = Choice("n", "Back")


def in_live(proposal: Proposal) -> Proposal:
    """Ask for one thing more: the account is LIVE.

    A yes becomes a typed word, a typed word gets LIVE behind it, and where there are several ways each
    dangerous one is confirmed by a word of its own.
    """
    if proposal.word:
        return replace(proposal, word=f"{proposal.word} LIVE")
    dangers = [choice for choice in proposal.choices if choice.danger]
    doing = [choice for choice in proposal.choices if choice.asks or choice.quits]
    if len(dangers) == len(doing) == 1 and not proposal.wants_reason:
        return replace(proposal, word=_word_of(dangers[0]))
    return replace(proposal, choices=tuple(_twice(choice, proposal) for choice in proposal.choices))


def _twice(choice: Choice, proposal: Proposal) -> Choice:
    if not choice.danger:
        return choice
    again = Proposal(
        f"{proposal.title}: {choice.label}", proposal.lines, (BACK, choice), word=_word_of(choice)
    )
    return replace(choice, then=again)


def _word_of(choice: Choice) -> str:
    return choice.asks[0].choice.upper() or choice.asks[0].verb.upper()
