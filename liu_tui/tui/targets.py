"""What a dangerous key would do, worked out before anything is sent. Pure.

Each function looks at the view once and gives one of three: a `Deed` to do at once (it can be undone), a
`Proposal` to confirm (it names what was selected: nothing that moves under the dialog changes it), or the
reason in words why not.
"""

from __future__ import annotations

from dataclasses import dataclass

from liu_tui.engine.snapshot import OrderRow, Picture, PositionRow
from liu_tui.tui.format import NOTHING, Span, age, clean, compact, money, price, shares, tone_of
from liu_tui.tui.panes.cells import SAY
from liu_tui.tui.view import View

LISTED = 8
"""Positions or orders that a dialog names one by one."""


@dataclass(frozen=True)
class Ask:
    """One command for the session."""

    verb: str
    symbol: str = ""
    order: str = ""
    reason: str = ""
    flatten: bool = False


@dataclass(frozen=True)
class Deed:
    """Done at once. undo: what takes it back."""

    asks: tuple[Ask, ...]
    undo: tuple[Ask, ...] = ()


@dataclass(frozen=True)
class Choice:
    """One way to answer a dialog. danger: needs the dialog's word, if it has one; quits: the console ends."""

    key: str
    label: str
    asks: tuple[Ask, ...] = ()
    danger: bool = False
    quits: bool = False


@dataclass(frozen=True)
class Proposal:
    """A dialog. harmless: the choice that focus starts on; word: must be typed before a dangerous choice."""

    title: str
    lines: tuple[tuple[Span, ...], ...]
    choices: tuple[Choice, ...]
    harmless: int = 0
    word: str = ""


Target = Deed | Proposal | str

BACK = Choice("n", "Back")


def toggle_reject(view: View, symbol: str) -> Target:
    """Reject a symbol for all strategies, or allow it again."""
    if not symbol:
        return "no symbol under the cursor"
    reject, allow = Ask("reject", symbol), Ask("allow", symbol)
    if view.rejected(symbol):
        return Deed((allow,), (reject,))
    held, working = view.holdings(symbol)
    if not held and not working:
        return Deed((reject,), (allow,))
    choices = [BACK, Choice("k", "Reject, keep all", (reject,))]
    if entries := [order for order in working if order.role == "entry"]:
        choices.append(
            Choice("c", f"Reject, cancel {_count(entries, 'entry order')}", (reject, Ask("cancel", symbol)))
        )
    choices.append(
        Choice("f", "Reject and flatten", (reject, Ask("flatten", symbol, reason="rejected")), danger=True)
    )
    lines = (*_held(held), *_working(working))
    return Proposal(f"Reject {symbol}: it is in use", lines, tuple(choices))


def toggle_subscription(view: View, symbol: str) -> Target:
    """Unsubscribe a symbol, or subscribe it again."""
    if not symbol:
        return "no symbol under the cursor"
    hit = view.hit(symbol)
    if hit is not None and hit.state in ("unsubscribed", "over limit"):
        return Deed((Ask("subscribe", symbol),), (Ask("unsubscribe", symbol),))
    held, working = view.holdings(symbol)
    if held or working:
        return f"{symbol} has a position or a working order: flatten (F) or cancel (C) it first"
    return Deed((Ask("unsubscribe", symbol),), (Ask("subscribe", symbol),))


def toggle_pause(view: View) -> Target:
    """Refuse new entries, or allow them again."""
    picture = view.picture
    if picture is None:
        return "no picture yet"
    pause, resume = Ask("pause"), Ask("resume")
    if picture.state == "ACTIVE":
        return Deed((pause,), (resume,))
    if picture.state == "REDUCING":
        return Deed((resume,), (pause,))
    lines = ((("The session was halted", "text"), (f" by {clean(picture.state_by)}: ", "text"),
              (clean(picture.state_reason) or "no reason given", "warn")),)  # fmt: skip
    return Proposal(
        "Resume a halted session", lines, (BACK, Choice("y", "Resume entries", (resume,), danger=True))
    )


def cancel_order(view: View, order: OrderRow) -> Target:
    """Cancel the order under the cursor."""
    if not order.live:
        return f"this order is {SAY.get(order.state, order.state)} already"
    if order.role != "entry":
        return f"this is a {order.role}: it protects the position and stays; flatten (F) closes both"
    asks = (Ask("cancel", order.symbol, order=order.client_order_id),)
    lines = (*_working([order]), *_account(view))
    return Proposal(
        f"Cancel 1 entry order: {order.symbol}", lines, (BACK, Choice("y", "Cancel it", asks, danger=True))
    )


def cancel_symbol(view: View, symbol: str) -> Target:
    """Cancel the entry orders of a symbol; of all symbols for ""."""
    orders = view.picture.orders if view.picture else ()
    chosen = [row for row in orders if row.live and row.role == "entry" and symbol in ("", row.symbol)]
    if not chosen:
        return f"no entry order is working{' in ' + symbol if symbol else ''}"
    what = f"Cancel {_count(chosen, 'entry order')}: {symbol or 'all symbols'}"
    asks = tuple(Ask("cancel", row.symbol, order=row.client_order_id) for row in chosen)
    return Proposal(
        what, (*_working(chosen), *_account(view)), (BACK, Choice("y", "Cancel them", asks, danger=True))
    )


def flatten_symbol(view: View, symbol: str) -> Target:
    """Cancel and close everything in a symbol."""
    if not symbol:
        return "no symbol under the cursor"
    held, working = view.holdings(symbol)
    if not held and not working:
        return f"{symbol} is flat already"
    lines = (*_held(held), *_working(working), *_will("closed at the market", "canceled"), *_account(view))
    asks = (Ask("flatten", symbol, reason="asked for at the console"),)
    return Proposal(f"Flatten {symbol}", lines, (BACK, Choice("y", f"Flatten {symbol}", asks, danger=True)))


def flatten_all(view: View) -> Target:
    """Cancel and close everything."""
    picture = view.picture
    if picture is None:
        return "no picture yet"
    working = [row for row in picture.orders if row.live]
    if not picture.positions and not working:
        return "everything is flat already"
    lines = (
        *_held(picture.positions),
        *_working(working),
        *_will("closed at the market", "canceled"),
        *_account(view),
    )
    asks = (Ask("flatten", reason="asked for at the console"),)
    what = f"Flatten all: {_count(picture.positions, 'position')}, {_count(working, 'order')}"
    return Proposal(what, lines, (BACK, Choice("y", "Flatten all", asks, danger=True)), word="FLATTEN")


def kill(view: View) -> Target:
    """Halt, cancel everything, close everything. Offered however old the picture is."""
    picture = view.picture
    held = picture.positions if picture else ()
    working = [row for row in picture.orders if row.live] if picture else []
    lines = (
        (("Entries stop until somebody resumes. ", "text"), ("This cannot be undone.", "warn")),
        *_held(held), *_working(working), *_will("closed at the market", "canceled"), *_account(view),
    )  # fmt: skip
    asks = (Ask("kill", reason="the kill key"),)
    return Proposal("Kill switch: halt, cancel all, flatten all", lines,
                    (BACK, Choice("y", "Kill", asks, danger=True)), word="KILL")  # fmt: skip


def leave(view: View) -> Proposal:
    """Leave the console, with or without the session."""
    picture = view.picture
    positions = picture.positions if picture else ()
    lines: list[tuple[Span, ...]] = [*_held(positions)]
    lines.append((("Left alone, the session goes on trading; ", "text"), ("liu-tui attach", "key"),
                  (" comes back.", "text")))  # fmt: skip
    choices = (
        Choice("l", "Leave it running", quits=True),
        Choice(
            "s", "Stop: keep positions and their protection", (Ask("stop", reason="asked for"),), danger=True
        ),
        Choice("f", "Stop and flatten", (Ask("stop", flatten=True, reason="asked for"),), danger=True),
        Choice("n", "Stay here"),
    )
    return Proposal("Leave the console", tuple(lines), choices)


# ── words ──


def _held(rows: tuple[PositionRow, ...] | list[PositionRow]) -> list[tuple[Span, ...]]:
    lines: list[tuple[Span, ...]] = [
        (
            (f"{row.symbol:<6} ", "bold"),
            (f"{shares(row.qty):>7} at {price(row.avg_price):>8}  last {price(row.price):>8}  ", "text"),
            (f"{money(row.unrealized):>10}", tone_of(row.unrealized)),
            (f"  {clean(row.strategy)}", "dim"),
        )
        for row in rows[:LISTED]
    ]
    if len(rows) > LISTED:
        lines.append(((f"and {len(rows) - LISTED} more positions", "dim"),))
    if rows:
        worth = sum(abs(row.qty * row.price) for row in rows)
        lines.append(((f"{_count(rows, 'position')}, about ${compact(worth)} at the last prices", "text"),))
    return lines


def _working(rows: list[OrderRow]) -> list[tuple[Span, ...]]:
    lines: list[tuple[Span, ...]] = [
        (
            (f"{row.symbol:<6} ", "bold"),
            (f"{SAY.get(row.operation, row.operation):<5} {shares(row.qty - row.filled_qty):>7} ", "text"),
            (f"at {price(row.limit_price or row.stop_price).replace(NOTHING, 'market')}", "text"),
            (f"  {row.role}, {SAY.get(row.state, row.state)}", "dim"),
        )
        for row in rows[:LISTED]
    ]  # fmt: skip
    if len(rows) > LISTED:
        lines.append(((f"and {len(rows) - LISTED} more orders", "dim"),))
    return lines


def _will(positions: str, orders: str) -> list[tuple[Span, ...]]:
    return [((f"Orders will be {orders}, positions {positions}, until flat.", "text"),)]


def _account(view: View) -> list[tuple[Span, ...]]:
    """Whose money, and how old what is shown is."""
    picture = view.picture
    if picture is None:
        return []
    tone = "warn" if view.stale else "dim"
    return [((f"{_environment(picture)} account, picture {age(view.stale_s)} old", tone),)]


def _environment(picture: Picture) -> str:
    return "LIVE" if picture.environment == "PROD" else picture.environment


def _count(rows: tuple[PositionRow, ...] | list[PositionRow] | list[OrderRow], what: str) -> str:
    return f"{len(rows)} {what}{'' if len(rows) == 1 else 's'}"
