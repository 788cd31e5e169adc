"""Rejecting a symbol on terms: for how long, for which strategy, why, and what becomes of what is held."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events

from liu_tui.tui.format import Span, clean, fit
from liu_tui.tui.screens.confirm import LONGEST_REASON, REASON_SHOWN
from liu_tui.tui.screens.dialog import Dialog
from liu_tui.tui.symbols import Terms
from liu_tui.tui.widgets.board import Line, Look

UNTILS = (("today", "day"), ("30 minutes", "30m"), ("2 hours", "120m"), ("for good", "good"))
_STEPS = {"down": 1, "tab": 1, "up": -1, "shift+tab": -1}
_TURNS = {"right": 1, "left": -1}


@dataclass
class Field:
    """One line to choose on. values: words and what they stand for."""

    name: str
    values: tuple[tuple[str, str], ...]
    at: int = 0

    @property
    def value(self) -> str:
        """What was chosen."""
        return self.values[self.at][1]


class RejectForm(Dialog[Terms]):
    """Gives the terms, or None for going back. held: there is a position or a working order to ask about."""

    def __init__(self, symbol: str, strategies: tuple[str, ...], *, held: bool, look: Look) -> None:
        super().__init__(look)
        self._symbol = symbol
        every = ("all strategies", "")
        self.fields = [
            Field("until", UNTILS),
            Field("for", (every, *((clean(name), name) for name in strategies))),
        ]
        if held:
            ways = (
                ("keep position and orders", "keep"),
                ("cancel entries", "cancel"),
                ("flatten", "flatten"),
            )
            self.fields.append(Field("held", ways))
        self.reason = ""
        self.at = 0

    def lines(self, width: int, height: int) -> list[Line]:
        """The fields, the reason, the keys."""
        rows = [self._row(index, field.name, self._values(field)) for index, field in enumerate(self.fields)]
        typed = fit(f"{self.reason[-REASON_SHOWN:]}_", REASON_SHOWN + 1)
        rows.append(self._row(len(self.fields), "reason", ((typed, "warn"),)))
        title: tuple[Span, ...] = ((f" Reject {self._symbol} ", "bold"), ("no strategy may open it", "dim"))
        hint = " up down left right, type a reason; enter rejects, esc goes back"
        return [Line(title, "dialog"), Line((), "dialog"), *rows, Line((), "dialog"),
                Line(((hint, "faint"),), "dialog")]  # fmt: skip

    def _row(self, index: int, name: str, spans: tuple[Span, ...]) -> Line:
        mark = self.look.signs.cursor if index == self.at else " "
        return Line(((f" {mark} ", "key"), (f"{name:<8}", "dim"), *spans), "dialog")

    def _values(self, field: Field) -> tuple[Span, ...]:
        shown = field.values
        if len(shown) > len(UNTILS):  # many strategies: the chosen one alone, with how many there are
            words = field.values[field.at][0]
            return ((f"[{words}]", "key"), (f"  {field.at + 1} of {len(shown)}", "faint"))
        return tuple(
            (f"[{words}] ", "key") if index == field.at else (f" {words}  ", "dim")
            for index, (words, _) in enumerate(shown)
        )

    def pressed(self, event: events.Key) -> None:
        """Move, choose, type, answer."""
        if event.key == "escape":
            self.close(None)
        elif event.key == "enter":
            self.close(self._terms())
        elif step := _STEPS.get(event.key, 0):
            self.at = (self.at + step) % (len(self.fields) + 1)
        elif (turn := _TURNS.get(event.key, 0)) and self.at < len(self.fields):
            field = self.fields[self.at]
            field.at = (field.at + turn) % len(field.values)
        elif event.key == "backspace":
            self.reason = self.reason[:-1]
        elif event.is_printable and event.character and len(self.reason) < LONGEST_REASON:
            self.reason, self.at = self.reason + event.character, len(self.fields)

    def _terms(self) -> Terms:
        chosen = {field.name: field.value for field in self.fields}
        return Terms(chosen["until"], chosen["for"], self.reason.strip(), chosen.get("held", ""))
