"""Persons' commands at the desk: each verb checked, turned into effects, and answered in words."""

from __future__ import annotations

from liu_tui.engine.client import Command
from liu_tui.errors import RefusedError
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Effect
from liu_tui.trading.orders import ENTRY
from liu_tui.trading.standing import HALTED


def effects_of(desk: Desk, command: Command, now_ns: int) -> list[Effect]:
    """Do what a command asks. Raises RefusedError, in words, for what may not be done."""
    by, reason = command.by, command.reason
    match command.verb:
        case "pause":
            return desk.pause(by, reason or "no reason given", now_ns)
        case "resume":
            _check_resume(desk, reason)
            return desk.resume(by, reason, now_ns)
        case "cancel":
            _check_cancel(desk, command.order)
            return desk.cancel(
                now_ns,
                symbol=command.symbol,
                strategy=command.strategy,
                client_order_id=command.order,
                by=by,
            )
        case "flatten":
            return desk.flatten(now_ns, symbol=command.symbol, by=by, reason=reason)
        case "release":
            _check_release(desk, command.symbol)
            return desk.release(now_ns, symbol=command.symbol, by=by)
        case "resolve":
            if words := desk.resolve_refused(command.symbol, command.choice):
                raise RefusedError(words)
            return desk.resolve(command.symbol, command.choice, by, now_ns)
        case "settle":
            return []
        case "kill":
            return desk.kill(now_ns, by=by, reason=reason or "the kill switch")
    raise RefusedError(f"the desk knows no verb {command.verb!r}")


def answer_to(desk: Desk, command: Command) -> str:
    """Say what has been done, or begun."""
    held = desk.held_words(command.symbol)
    return _DONE_WORDS[command.verb].format(scope=command.symbol or "everything", held=held)


def _check_resume(desk: Desk, reason: str) -> None:
    if words := desk.resume_refused():
        raise RefusedError(words)
    if desk.state == HALTED and not reason:
        raise RefusedError(
            f"trading was halted by {desk.state_by} ({desk.state_reason})",
            mend="Say why it may go on: resume with a reason",
        )


def _check_release(desk: Desk, symbol: str) -> None:
    if symbol in desk.latches:
        return
    if symbol and "" in desk.latches:
        raise RefusedError(f"{symbol} is in the flatten of everything", mend="Release that one")
    raise RefusedError(f"no flatten of {symbol or 'everything'} is under way")


def _check_cancel(desk: Desk, client_order_id: str) -> None:
    """Refuse to cancel an order that is not there, or that protects a position."""
    if not client_order_id:
        return
    order = desk.orders.get(client_order_id)
    if order is None or order.state.final:
        raise RefusedError(f"no order {client_order_id} is working")
    if order.role != ENTRY:
        raise RefusedError(
            f"{client_order_id} is {order.role} of {order.symbol}, not an entry",
            mend="Flatten the position instead: that withdraws its orders too",
        )


_DONE_WORDS = {
    "pause": "entries are refused from now on",
    "resume": "entries are allowed again",
    "cancel": "entry orders of {scope} are being canceled",
    "flatten": "{scope} is being canceled and closed, until flat",
    "release": "the flatten of {scope} is released; {held}",
    "resolve": "the difference on {scope} is decided",
    "settle": "settled",
    "kill": "halted; everything is being canceled and closed",
}
