"""What stands until somebody decides: flattens to be released, differences to be resolved. Pure."""

from __future__ import annotations

from liu_tui.engine.snapshot import DifferenceRow, FlattenRow
from liu_tui.model import stuck
from liu_tui.tui.deeds import BACK, Ask, Choice, Proposal, Target
from liu_tui.tui.format import SECOND_NS, Span, age, clean, clock, shares
from liu_tui.tui.spoken import account_lines, counted, says
from liu_tui.tui.view import View

RESOLVES = {
    "adopt": ("a", "Adopt", "The books take over what the broker has; no order is sent."),
    "flatten": ("F", "Flatten", "What the broker has is closed at the market, until it is flat."),
    "ignore": ("i", "Ignore", "Books and broker stay as they are, and entries no longer wait for it."),
}
"""By choice: its key, its word, and what it does."""


def difference(view: View, symbol: str) -> DifferenceRow | None:
    """The difference in a symbol."""
    rows = view.picture.differences if view.picture else ()
    return next((row for row in rows if row.symbol == symbol), None)


def resolve(view: View, symbol: str, choice: str) -> Target:
    """Decide what becomes of a difference."""
    if choice not in RESOLVES:
        return f"resolve {symbol or 'SYMBOL'} how? There are {', '.join(RESOLVES)}"
    row = difference(view, symbol)
    if row is None:
        return f"books and broker agree on {symbol}" if symbol else "books and broker agree"
    _, word, does = RESOLVES[choice]
    lines = (difference_spans(row), *_why(row), *says(does), *account_lines(view))
    yes = Choice("y", f"{word} {symbol}", (Ask("resolve", symbol, choice=choice),), danger=True)
    return Proposal(f"{word} the difference in {symbol}", lines, (BACK, yes))


def release(view: View, symbol: str) -> Target:
    """Let a flatten go that is not done; symbol "" is the one of everything."""
    rows = view.picture.flattens if view.picture else ()
    row = next((row for row in rows if row.symbol == symbol), None)
    scope = symbol or "everything"
    if row is None:
        return f"no flatten of {scope} is in force"
    lines = (
        *says(f"by {clean(row.by)}: {clean(row.reason) or 'no reason given'}, since {clock(row.since_ns)}"),
        *says(f"{progress_words(row)}."),
        *([(("stuck: ", "warn"), (stuck_words(row), "warn"))] if row.stuck else []),
        *says("Released, what is not flat is kept and protected again; strategies may trade it."),
        *account_lines(view),
    )
    asks = (Ask("release", symbol),)
    word = "" if symbol else "RELEASE"
    choices = (BACK, Choice("y", "Release it", asks, danger=True))
    return Proposal(f"Release the flatten of {scope}", lines, choices, word=word)


def progress_words(row: FlattenRow) -> str:
    """How far a flatten is; where nothing is left by the books, it is not done before the broker says so."""
    closed = max(row.begun - row.left, 0)
    rest = f"{counted(row.working, 'order')} working" if row.left or row.working else "asking the broker"
    return f"{closed} of {row.begun} closed, {rest}"


def stuck_words(row: FlattenRow) -> str:
    """What cannot be closed now, and why."""
    return stuck.stuck_words([(clean(symbol), qty, clean(why)) for symbol, qty, why in row.stuck], signed)


def difference_spans(row: DifferenceRow) -> tuple[Span, ...]:
    """What the books have, and what the broker has."""
    return (
        (f"{clean(row.symbol):<6} ", "bold"),
        (f"books {signed(row.ours)}  broker {signed(row.theirs)}", "warn"),
    )


def signed(qty: float) -> str:
    """Shares with their sign; 0 without."""
    return f"+{shares(qty)}" if qty > 0 else shares(qty)


def how_long(since_ns: int, now_ns: int) -> str:
    """Say since when."""
    return f"since {clock(since_ns)} ({age(max(now_ns - since_ns, 0) / SECOND_NS)})"


def _why(row: DifferenceRow) -> tuple[tuple[Span, ...], ...]:
    return says(clean(row.words), "dim") if row.words else ()
