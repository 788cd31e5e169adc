"""Doing what dangerous keys ask: at once, after a dialog, or not at all and why. Draws no hoped-for state.

Whether something was done is known from the session's answer alone; until then it is PENDING.
"""

from __future__ import annotations

from collections.abc import Callable

from liu_tui.model.clock import monotonic_ns
from liu_tui.tui.actions import BY_ID, Tier
from liu_tui.tui.deeds import Ask, Choice, Deed, Proposal, Target, in_live
from liu_tui.tui.format import SECOND_NS, age
from liu_tui.tui.link import Link
from liu_tui.tui.spoken import is_live
from liu_tui.tui.view import View

UNDO_S = 10.0

Say = Callable[[str, str], None]
Confirming = Callable[[Proposal, Callable[[Choice | None], None]], None]


class Commander:
    """Sends commands. say: the reply line; confirm: puts a dialog up and hands on its answer."""

    def __init__(
        self, view: View, link: Link, *, say: Say, confirm: Confirming, leave: Callable[[], None]
    ) -> None:
        self._view, self._link = view, link
        self._say, self._confirm, self._leave = say, confirm, leave
        self._undo: tuple[Ask, ...] = ()
        self._undo_until_ns = 0

    def why_not(self, name: str) -> str:
        """Say why an action cannot be done now, "" if it can. Stale pictures never hold back what is safe."""
        action = BY_ID[name]
        if action.tier is Tier.LOOK:
            return ""
        if self._view.farewell is not None:
            return "the session has ended"
        if not self._link.up:
            return "no connection to the session"
        if self._view.picture is None:
            return "no picture yet" if name != "kill" else ""
        if action.fresh and self._view.stale:
            return f"the picture is {age(self._view.stale_s)} old"
        if name == "undo" and not self._can_undo:
            return "nothing to undo"
        return ""

    def do(self, name: str, target: Callable[[], Target]) -> None:
        """Do an action on a target, as far as its tier and the moment allow."""
        if why := self.why_not(name):
            self._say(f"{BY_ID[name].short or name.replace('_', ' ')}: {why}", "warn")
            return
        self.carry_out(target())

    def carry_out(self, target: Target) -> None:
        """Do a deed, put up a proposal, or say why not."""
        match target:
            case str():
                self._say(target, "warn")
            case Proposal():
                live = is_live(self._view.picture)
                self._confirm(in_live(target) if live else target, self._answered)
            case Deed(asks=asks, undo=undo):
                self._undo, self._undo_until_ns = undo, monotonic_ns() + int(UNDO_S * SECOND_NS)
                self._send(asks)

    def undo(self) -> None:
        """Take the last deed back."""
        if why := self.why_not("undo"):
            self._say(why, "warn")
            return
        asks, self._undo = self._undo, ()
        self._send(asks)

    @property
    def _can_undo(self) -> bool:
        return bool(self._undo) and monotonic_ns() < self._undo_until_ns

    def _answered(self, choice: Choice | None) -> None:
        if choice is None:
            return
        if choice.then is not None:
            self._confirm(choice.then, self._answered)
            return
        self._undo = ()
        self._send(choice.asks)
        if choice.quits:
            self._leave()

    def _send(self, asks: tuple[Ask, ...]) -> None:
        for ask in asks:
            sent = self._link.send(
                ask.verb, symbol=ask.symbol, order=ask.order, reason=ask.reason, flatten=ask.flatten,
                strategy=ask.strategy, choice=ask.choice, until=ask.until,
            )  # fmt: skip
            if not sent:
                self._say(f"{ask.verb} was not sent: no connection to the session", "error")
                return
        if asks and self._view.stale:
            self._say(f"the picture is {age(self._view.stale_s)} old; sent, no answer yet", "warn")
