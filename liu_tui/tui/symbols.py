"""Which symbols are traded: rejecting and allowing them, dropping and subscribing their data. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from liu_tui.engine.snapshot import Picture, VetoRow
from liu_tui.tui.deeds import BACK, Ask, Choice, Deed, Proposal, Target
from liu_tui.tui.panes.cells import until_words
from liu_tui.tui.spoken import account_lines, counted, held_lines, working_lines
from liu_tui.tui.view import View

DAY, GOOD = "day", "good"


@dataclass(frozen=True)
class Terms:
    """How a symbol is rejected. until: as Command.until, "" for today; strategy: "" for all of them.

    choice: what becomes of a position and working orders: keep, cancel, flatten; "" asks, if there are any
    """

    until: str = ""
    strategy: str = ""
    reason: str = ""
    choice: str = ""


PLAIN = Terms()


def toggle_reject(view: View, symbol: str) -> Target:
    """Reject a symbol for today and all strategies, or allow it again."""
    veto = next((row for row in view.vetoes(symbol) if not row.strategy), None)
    return allow(view, veto) if veto is not None else reject(view, symbol, PLAIN)


def reject(view: View, symbol: str, terms: Terms) -> Target:
    """Reject a symbol on terms; asks what to do with a position and working orders if that is not said."""
    if not symbol:
        return "no symbol under the cursor"
    held, working = view.holdings(symbol)
    if not held and not working:
        undo = Ask("allow", symbol, strategy=terms.strategy)
        return Deed((_reject(symbol, terms, terms.choice),), (undo,))
    entries = [order for order in working if order.role == "entry"]
    ask = {way: (_reject(symbol, terms, way),) for way in ("keep", "cancel", "flatten")}
    ways = {
        "keep": Choice("k", "Reject, keep position and orders", ask["keep"]),
        "cancel": Choice("c", f"Reject, cancel {counted(len(entries), 'entry order')}", ask["cancel"]),
        "flatten": Choice("f", f"Reject, flatten {symbol}", ask["flatten"], danger=True),
    }
    if terms.choice in ("keep", "cancel"):
        return Deed(ask[terms.choice], (Ask("allow", symbol, strategy=terms.strategy),))
    if not entries:
        del ways["cancel"]
    chosen = [ways["flatten"]] if terms.choice == "flatten" else list(ways.values())
    lines = (*held_lines(held), *working_lines(working), *account_lines(view))
    return Proposal(f"Reject {symbol}: it is in use", lines, (BACK, *chosen))


def allow(view: View, veto: VetoRow) -> Target:
    """Take a veto back; the undo sets it again as it was."""
    again = Ask("reject", veto.symbol, strategy=veto.strategy, reason=veto.reason,
                until=_until_again(veto, view.picture))  # fmt: skip
    return Deed((Ask("allow", veto.symbol, strategy=veto.strategy),), (again,))


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


def _until_again(veto: VetoRow, picture: Picture | None) -> str:
    words = until_words(veto, picture.hours if picture else None)
    return {"for good": GOOD, "today": DAY}.get(words, words.removeprefix("until "))


def _reject(symbol: str, terms: Terms, choice: str) -> Ask:
    return Ask(
        "reject", symbol, strategy=terms.strategy, reason=terms.reason, until=terms.until, choice=choice
    )
