"""The kinds of cell that several panes share."""

from __future__ import annotations

from liu_tui.engine.snapshot import VetoRow
from liu_tui.model.clock import SessionHours
from liu_tui.tui.format import Span, clean, minute, money, percent, price, tone_of
from liu_tui.tui.panes.columns import Scene

SAY = {
    "partially_filled": "partial", "pending_new": "pending", "pending_cancel": "canceling",
    "pending_replace": "replacing", "done_for_day": "done today", "stop_limit": "stop lmt",
    "sell_short": "short", "buy_cover": "cover",
}  # fmt: skip
"""Long words of the broker's, as a narrow column says them."""


def word(text: str, tone: str = "text") -> Span:
    """A text from the session."""
    return clean(SAY.get(text, text)).replace("  ", " "), tone


def gain(value: float, scene: Scene) -> Span:
    """Money won or lost: arrow, sign and tone."""
    tone = tone_of(value)
    arrow = {"up": scene.signs.up, "down": scene.signs.down}.get(tone, scene.signs.flat)
    return f"{arrow} {money(value)}", tone


def change(value: float, scene: Scene) -> Span:
    """A change in percent: arrow, sign and tone."""
    tone = tone_of(value)
    arrow = {"up": scene.signs.up, "down": scene.signs.down}.get(tone, scene.signs.flat)
    return f"{arrow} {percent(value)}", tone


def level(value: float | None) -> Span:
    """A price that may not be there."""
    return price(value), "text" if value else "faint"


def until_words(veto: VetoRow, hours: SessionHours | None) -> str:
    """Say how long a veto holds."""
    if not veto.until_ns:
        return "for good"
    ends_today = hours is not None and veto.until_ns >= hours.close_ns
    return "today" if ends_today else f"until {minute(veto.until_ns)}"
