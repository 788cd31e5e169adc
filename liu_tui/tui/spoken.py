"""The sentences of dialogs: what is held and works, what a verb keeps and does, whose money it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from liu_tui.engine.snapshot import OrderRow, Picture, PositionRow
from liu_tui.tui.deeds import Lines
from liu_tui.tui.format import Span, age, clean, compact, money, price, shares, tone_of
from liu_tui.tui.panes.cells import SAY
from liu_tui.tui.view import View

LISTED = 8
"""Positions or orders that a dialog names one by one."""

CANCELS = "Entry orders end. Positions, and their stops and targets, stay."
FLATTENS = "Orders are canceled and positions closed at the market; the broker is asked until all is flat."
LATCHES = "Until then nothing is opened in it. R releases it."
STOPS = "Entries are refused and entry orders end. Positions, their stops and targets stay at the broker."
KILLS = "Halts until somebody resumes (P): only cancels and exits pass. Flattens everything. No undo."


def says(text: str, tone: str = "text") -> Lines:
    """One line."""
    return (((text, tone),),)


def held_lines(rows: Sequence[PositionRow]) -> Lines:
    """Positions one by one, and what all are worth."""
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
        lines.append(
            ((f"{counted(len(rows), 'position')}, about ${compact(worth)} at the last prices", "text"),)
        )
    return tuple(lines)


def working_lines(rows: Sequence[OrderRow]) -> Lines:
    """Orders one by one."""
    lines: list[tuple[Span, ...]] = [
        (
            (f"{row.symbol:<6} ", "bold"),
            (f"{SAY.get(row.operation, row.operation):<5} {shares(row.qty - row.filled_qty):>7} ", "text"),
            (f"at {order_price(row)}", "text"),
            (f"  {row.role}, {SAY.get(row.state, row.state)}", "dim"),
        )
        for row in rows[:LISTED]
    ]
    if len(rows) > LISTED:
        lines.append(((f"and {len(rows) - LISTED} more orders", "dim"),))
    return tuple(lines)


def order_price(row: OrderRow) -> str:
    """What an order waits for: its limit, its stop, or the market."""
    at = row.limit_price or row.stop_price
    return price(at) if at else "market"


def account_lines(view: View) -> Lines:
    """Whose money, and how old what is shown is."""
    picture = view.picture
    if picture is None:
        return ()
    old = f", picture {age(view.stale_s)} old"
    if is_live(picture):
        real: Span = (" LIVE ", "live")
        return ((real, (f" real money at {clean(picture.venue)}, batch {picture.batch_id}{old}", "warn")),)
    tone = "warn" if view.stale else "dim"
    return says(f"{clean(picture.environment)} account{old}", tone)


def is_live(picture: Picture | None) -> bool:
    """Whether it is real money."""
    return picture is not None and picture.environment == "PROD"


def counted(number: int, what: str) -> str:
    """Say how many: `1 order`, `3 orders`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
