"""Persons' commands, from the console or `ctl`.

Each is checked, carried out here or handed to the desk, and answered.

A command's id makes it idempotent: sent again, it gets the first one's answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from liu_tui.engine.client import VERBS, Command, Reply
from liu_tui.engine.messages import DeskOrder, VetoSet
from liu_tui.engine.snapshot import CommandRow
from liu_tui.model.clock import wall_ns
from liu_tui.model.market import is_symbol, normal_symbol
from liu_tui.trading.vetoes import until_of, until_words

if TYPE_CHECKING:
    from liu_tui.engine.frontdoor import Guest
    from liu_tui.engine.supervisor import Supervisor

DESK_VERBS = frozenset({"pause", "resume", "cancel", "flatten", "kill", "resolve", "release"})
NEEDS_SYMBOL = frozenset({"reject", "allow", "subscribe", "unsubscribe"})
CHOICES = ("", "keep", "cancel", "flatten")
"""What becomes of a position and working orders in a symbol that is rejected; "" is keep."""
_ANSWERS_KEPT = 500


class Commands:
    """Carries out verbs."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._waiting: dict[str, tuple[Command, Guest]] = {}
        self._answers: dict[str, Reply] = {}

    async def take(self, command: Command, guest: Guest) -> None:
        """Carry a command out; its answer comes now, or when the desk has said how it went."""
        if command.id in self._answers:
            self._answer(guest, self._answers[command.id])
            return
        if command.id in self._waiting:  # asked again before the desk has answered: it does not hear it twice
            self._waiting[command.id] = (self._waiting[command.id][0], guest)
            return
        command = msgspec.structs.replace(command, symbol=normal_symbol(command.symbol))
        if command.verb == "status":
            data = json.dumps(self._supervisor.status())
            self._answer(guest, Reply(command.id, True, "running", data))
            return
        self._show(command, "pending", "")
        self._waiting[command.id] = (command, guest)
        if command.verb in DESK_VERBS:
            self._to_desk(command)
            return
        ok, words = self._here(command)
        self.done(command.id, ok, words)

    def done(self, command_id: str, ok: bool, words: str) -> None:
        """A command has ended, here or at the desk."""
        command, guest = self._waiting.pop(command_id, (None, None))
        if command is None or guest is None:
            return
        reply = Reply(command_id, ok, words)
        self._answers[command_id] = reply
        while len(self._answers) > _ANSWERS_KEPT:
            self._answers.pop(next(iter(self._answers)))
        self._show(command, "done" if ok else "refused", words)
        self._supervisor.log.say(
            "info" if ok else "warn",
            f"{_asked(command)}: {words}",
            source=command.by,
            kind="" if ok else "refusal",
        )
        self._answer(guest, reply)

    def desk_lost(self) -> None:
        """The desk has died with commands unanswered: nobody knows whether it had taken them."""
        for command_id, (command, _guest) in list(self._waiting.items()):
            if command.verb in DESK_VERBS:
                self.done(command_id, False, "the desk ended before it answered; look, and ask again")

    def _answer(self, guest: Guest, reply: Reply) -> None:
        self._supervisor.door.tell(guest, reply)

    def _to_desk(self, command: Command) -> None:
        desk = self._supervisor.staff.desk
        if not desk.running:
            self.done(command.id, False, "the desk is being started; ask again in a moment")
            return
        desk.tell(DeskOrder(command=command))

    def _here(self, command: Command) -> tuple[bool, str]:
        symbol = command.symbol
        if command.verb in NEEDS_SYMBOL and not symbol:
            return False, f"{command.verb} which symbol?"
        supervisor = self._supervisor
        match command.verb:
            case "reject" | "unsubscribe" if command.choice not in CHOICES:
                choices = ", ".join(choice for choice in CHOICES if choice)
                return False, f"{command.choice!r} is no choice: there are {choices}"
            case "reject":
                return self._reject(command)
            case "allow":
                supervisor.symbols.set_veto(_veto(command))
                return True, f"{symbol} is allowed again{_for(command)}"
            case "subscribe" if not is_symbol(symbol):
                return False, f"{symbol!r} is no symbol"
            case "subscribe":
                return supervisor.symbols.subscribe(symbol)
            case "unsubscribe":
                return self._unsubscribe(command)
            case "reconnect":
                return supervisor.reconnect(f"{command.by} asked for it")
            case "stop":
                supervisor.ask_stop("asked for", flatten=command.flatten)
                return True, "closing, once flat" if command.flatten else "closing"
        return False, f"no verb {command.verb!r}; there are {', '.join(VERBS)}"

    def _reject(self, command: Command) -> tuple[bool, str]:
        """Refuse entries from now on; what is held or works is kept, canceled or closed, as was chosen."""
        house, symbol = self._supervisor, command.symbol
        try:
            until_ns = until_of(command.until, house.clock.now_ns(), house.hours)
        except ValueError as e:
            return False, str(e)
        house.symbols.set_veto(_veto(command, on=True, until_ns=until_ns))
        words = f"{symbol} is rejected{_for(command)} {until_words(until_ns, house.hours)}"
        engaged = house.symbols.engaged(symbol)
        if not engaged:
            return True, words
        if command.choice in ("", "keep"):
            return True, f"{words}; kept: {engaged}. To close it: flatten {symbol}"
        ok, then = self._then(command, command.choice)
        return ok, f"{words}; {then}: {engaged}"

    def _unsubscribe(self, command: Command) -> tuple[bool, str]:
        symbols, symbol = self._supervisor.symbols, command.symbol
        if command.choice != "flatten" or not symbols.engaged(symbol):
            return symbols.unsubscribe(symbol)
        ok, then = self._then(command, "flatten")
        if ok:
            symbols.leave_when_flat(symbol)
        return ok, f"{then}; {symbol} is unsubscribed once it is flat" if ok else then

    def _then(self, command: Command, verb: str) -> tuple[bool, str]:
        """Have the desk cancel or flatten a symbol as part of another command; returns (it heard, words)."""
        desk = self._supervisor.staff.desk
        if not desk.running:
            return False, f"the desk is being started, so ask for {verb} {command.symbol} in a moment"
        strategy = (
            command.strategy if verb == "cancel" else ""
        )  # a flatten is of the symbol, whoever holds it
        order = Command(
            f"{command.id}/{verb}",
            verb,
            symbol=command.symbol,
            strategy=strategy,
            reason=command.reason or command.verb,
            by=command.by,
        )
        desk.tell(DeskOrder(command=order))
        return True, "entries are being canceled" if verb == "cancel" else "being canceled and closed"

    def _show(self, command: Command, state: str, words: str) -> None:
        self._supervisor.fold.command(
            CommandRow(
                id=command.id,
                verb=command.verb,
                symbol=command.symbol,
                by=command.by,
                state=state,
                words=words,
                wall_ns=wall_ns(),
            )
        )


def _veto(command: Command, *, on: bool = False, until_ns: int = 0) -> VetoSet:
    return VetoSet(
        symbol=command.symbol,
        strategy=command.strategy,
        on=on,
        by=command.by,
        reason=command.reason,
        since_ns=wall_ns(),
        until_ns=until_ns,
    )


def _for(command: Command) -> str:
    return f" for {command.strategy}" if command.strategy else ""


def _asked(command: Command) -> str:
    return " ".join(part for part in (command.verb, command.symbol, command.strategy) if part)
