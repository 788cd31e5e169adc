"""The account's line: the day against its limits as gauges, and what is left to trade with."""

from __future__ import annotations

from liu_tui.engine.snapshot import MoneyRow
from liu_tui.tui.format import Span, compact, money, tone_of
from liu_tui.tui.signs import Signs
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Board, Line, Look
from liu_tui.tui.widgets.parts import Part, Spans, joined

CELLS = 10
HEED, ALARM = 0.5, 0.8
"""Shares of a limit that are used up from which it is shown in yellow, and in red."""


class MoneyBar(Board):
    """One line under the status, where the terminal is high enough for it."""

    def __init__(self, view: View, look: Look) -> None:
        super().__init__(look, id="money")
        self.view = view

    def draw(self, width: int, height: int) -> list[Line]:
        """One line; shorter words where it is narrow."""
        picture = self.view.picture
        if picture is None:
            return [Line((), "bar")]
        return [joined(money_parts(picture.money, self.look.signs), width, self.look.signs)]


def used(amount: float, limit: float | None) -> float | None:
    """Tell how much of a limit an amount of loss is: 0 none, 1 all of it; None if there is no limit."""
    return max(amount, 0.0) / limit if limit else None


def tone_of_use(share: float) -> str:
    """How a share of a limit is drawn."""
    return "error" if share >= ALARM else "warn" if share >= HEED else "good"


def gauge(share: float, signs: Signs) -> Spans:
    """Draw a share of a limit: full cells for what is used up."""
    full = min(round(share * CELLS), CELLS)
    on = "#" if signs.ascii else "█"
    return ((on * full, tone_of_use(share)), (signs.rule * (CELLS - full), "faint"))


def money_parts(row: MoneyRow, signs: Signs) -> list[Part]:
    """The parts of the line."""
    return [
        _against("day", row.result, used(-row.result, row.max_daily_loss), row.max_daily_loss, signs, 0),
        _against("from peak", min(row.result - row.peak, 0.0), used(row.peak - row.result, row.max_drawdown),
                 row.max_drawdown, signs, 1),
        Part(((("fees ", "dim"), (f"{row.fees:,.2f}", "text")),), 4),
        Part((_named("equity", row.equity), ()), 5),
        Part((_named("cash", row.cash), ()), 7),
        Part(((*_named("buying power", row.buying_power), (f" x{row.multiplier:g}", "dim")),
              (*_named("BP", row.buying_power), (f" x{row.multiplier:g}", "dim"))), 6),
        Part(((*_named("exposure", row.exposure), _of_equity(row)), _named("exp", row.exposure)), 3),
    ]  # fmt: skip


def _against(
    name: str, amount: float, share: float | None, limit: float | None, signs: Signs, rank: int
) -> Part:
    """An amount beside its limit: with a gauge, in percent, or alone."""
    said: Spans = ((f"{name} ", "dim"), (money(amount), tone_of(amount)))
    if share is None or limit is None:
        return Part((said,), rank)
    percent: Span = (f" {share * 100:.0f}% of {limit:,.0f}", tone_of_use(share))
    return Part(((*said, (" ", "text"), *gauge(share, signs), percent), (*said, percent)), rank)


def _named(name: str, value: float) -> Spans:
    return ((f"{name} ", "dim"), (compact(value), "text"))


def _of_equity(row: MoneyRow) -> Span:
    return (f" ({row.exposure / row.equity * 100:.0f}%)" if row.equity > 0 else "", "dim")
