"""The four verbs, and the kill switch: pause entries, cancel orders, flatten, stop. Pure.

Each function looks at the view once and gives a `Deed`, a `Proposal`, or the reason why not.
"""

from __future__ import annotations

from liu_tui.engine.snapshot import OrderRow, Picture
from liu_tui.tui.deeds import BACK, Ask, Choice, Deed, Lines, Proposal, Target
from liu_tui.tui.format import clean
from liu_tui.tui.panes.cells import SAY
from liu_tui.tui.spoken import (
    CANCELS,
    FLATTENS,
    KILLS,
    LATCHES,
    STOPS,
    account_lines,
    counted,
    held_lines,
    is_live,
    says,
    working_lines,
)
from liu_tui.tui.view import View

ASKED = "asked for at the console"


def toggle_pause(view: View) -> Target:
    """Refuse new entries, or allow them again. Real money asks before entries begin again."""
    picture = view.picture
    if picture is None:
        return "no picture yet"
    pause, resume = Ask("pause"), Ask("resume")
    if picture.state == "ACTIVE":
        return Deed((pause,), (resume,))
    if picture.state == "REDUCING":
        return _resume(view, picture) if is_live(picture) else Deed((resume,), (pause,))
    return _resume(view, picture)


def _resume(view: View, picture: Picture) -> Proposal:
    halted = picture.state == "HALTED"
    what = "The session was halted by " if halted else "Entries were paused by "
    why = clean(picture.state_reason) or "no reason given"
    lines = (
        ((what, "text"), (f"{clean(picture.state_by) or 'nobody'}: ", "text"), (why, "warn")),
        *says("Resumed, strategies may open positions again; flattens that are not done go on."),
        *account_lines(view),
    )
    choices = (BACK, Choice("y", "Resume entries", (Ask("resume"),), danger=True))
    title = "Resume a halted session" if halted else "Resume entries"
    return Proposal(title, lines, choices, wants_reason=halted)


def cancel_order(view: View, order: OrderRow) -> Target:
    """Cancel the order under the cursor."""
    if not order.live:
        return f"this order is {SAY.get(order.state, order.state)} already"
    if order.role != "entry":
        return f"this is a {order.role}: it protects the position and stays; flatten (F) closes both"
    asks = (Ask("cancel", order.symbol, order=order.client_order_id),)
    lines = (*working_lines([order]), *says(CANCELS), *account_lines(view))
    choices = (BACK, Choice("y", "Cancel it", asks, danger=True))
    return Proposal(f"Cancel 1 entry order: {order.symbol}", lines, choices)


def cancel_symbol(view: View, symbol: str) -> Target:
    """Cancel the entry orders of a symbol; of all symbols for ""."""
    orders = view.picture.orders if view.picture else ()
    chosen = [row for row in orders if row.live and row.role == "entry" and symbol in ("", row.symbol)]
    if not chosen:
        return f"no entry order is working{' in ' + symbol if symbol else ''}"
    title = f"Cancel {counted(len(chosen), 'entry order')}: {symbol or 'all symbols'}"
    asks = tuple(Ask("cancel", row.symbol, order=row.client_order_id) for row in chosen)
    lines = (*working_lines(chosen), *says(CANCELS), *account_lines(view))
    return Proposal(title, lines, (BACK, Choice("y", "Cancel them", asks, danger=True)))


def flatten_symbol(view: View, symbol: str) -> Target:
    """Cancel and close everything in a symbol."""
    if not symbol:
        return "no symbol under the cursor"
    held, working = view.holdings(symbol)
    if not held and not working:
        return f"{symbol} is flat already"
    lines = (*held_lines(held), *working_lines(working), *says(FLATTENS), *says(LATCHES),
             *account_lines(view))  # fmt: skip
    asks = (Ask("flatten", symbol, reason=ASKED),)
    return Proposal(f"Flatten {symbol}", lines, (BACK, Choice("y", f"Flatten {symbol}", asks, danger=True)))


def flatten_all(view: View) -> Target:
    """Cancel and close everything."""
    picture = view.picture
    if picture is None:
        return "no picture yet"
    held, working = picture.positions, [row for row in picture.orders if row.live]
    if not held and not working:
        return "everything is flat already"
    lines = (*held_lines(held), *working_lines(working), *says(FLATTENS), *says(LATCHES),
             *account_lines(view))  # fmt: skip
    what = f"Flatten everything: {counted(len(held), 'position')}, {counted(len(working), 'order')}"
    choices = (BACK, Choice("y", "Flatten everything", (Ask("flatten", reason=ASKED),), danger=True))
    return Proposal(what, lines, choices, word="FLATTEN")


def kill(view: View) -> Target:
    """Halt, cancel everything, close everything. Offered however old the picture is."""
    picture = view.picture
    held = picture.positions if picture else ()
    working = [row for row in picture.orders if row.live] if picture else []
    lines = (*held_lines(held), *working_lines(working), *says(KILLS, "warn"), *account_lines(view))
    choices = (BACK, Choice("y", "Kill", (Ask("kill", reason="the kill key"),), danger=True))
    return Proposal("Kill switch: halt, and flatten everything", lines, choices, word="KILL")


def stop(view: View) -> Proposal:
    """End the session: keep what is held, or flatten it first."""
    return Proposal("Stop the session", (*_held_and_stop(view), *account_lines(view)), (BACK, *_STOPS))


def leave(view: View) -> Proposal:
    """Leave the console, with or without the session."""
    left = ((("Left alone, the session goes on trading; ", "text"), ("liu-tui attach", "key"),
             (" comes back.", "text")),)  # fmt: skip
    choices = (Choice("l", "Leave it running", quits=True), *_STOPS, Choice("n", "Stay here"))
    return Proposal("Leave the console", (*_held_and_stop(view), *left, *account_lines(view)), choices)


_STOPS = (
    Choice("s", "Stop: positions and their protection stay", (Ask("stop", reason="asked for"),), danger=True),
    Choice("f", "Flatten, then stop", (Ask("stop", flatten=True, reason="asked for"),), danger=True),
)


def _held_and_stop(view: View) -> Lines:
    held = view.picture.positions if view.picture else ()
    return (*held_lines(held), *says(f"Stop: {STOPS}"))
