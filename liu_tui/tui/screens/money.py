"""The account's figures one below the other, for terminals without room for the account's line."""

from __future__ import annotations

from textual import events

from liu_tui.engine.snapshot import MoneyRow
from liu_tui.tui.format import Span, money, tone_of
from liu_tui.tui.screens.dialog import Dialog
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Line, Look
from liu_tui.tui.widgets.gauges import gauge, tone_of_use, used


class MoneySheet(Dialog[None]):
    """Goes on while it is open; any key closes it."""

    def __init__(self, view: View, look: Look) -> None:
        super().__init__(look)
        self._view = view
        self._seen = -1

    def lines(self, width: int, height: int) -> list[Line]:
        """Figure by figure."""
        picture = self._view.picture
        rows = self._rows(picture.money) if picture is not None else [_row("no picture yet")]
        head = Line(((" The account ", "bold"), ("today, in dollars", "dim")), "dialog")
        return [
            head,
            Line((), "dialog"),
            *rows,
            Line((), "dialog"),
            Line(((" esc closes", "faint"),), "dialog"),
        ]

    def _rows(self, row: MoneyRow) -> list[Line]:
        down = min(row.result - row.peak, 0.0)
        return [
            self._against("result", row.result, used(-row.result, row.max_daily_loss), row.max_daily_loss),
            self._against("from peak", down, used(-down, row.max_drawdown), row.max_drawdown),
            _row("realised", _dollars(row.realized), (", this batch", "dim")),
            _row("open", _dollars(row.unrealized)),
            _row("fees", _amount(row.fees), (", this batch", "dim")),
            _row("equity", _amount(row.equity)),
            _row("cash", _amount(row.cash)),
            _row("buying power", _amount(row.buying_power), (f", x{row.multiplier:g}", "dim")),
            _row("exposure", _amount(row.exposure)),
        ]  # fmt: skip

    def _against(self, name: str, amount: float, share: float | None, limit: float | None) -> Line:
        said = _dollars(amount)
        if share is None or limit is None:
            return _row(name, said, ("  no limit", "dim"))
        percent: Span = (f" {share * 100:.0f}% of {limit:,.0f}", tone_of_use(share))
        return _row(name, said, ("  ", "text"), *gauge(share, self.look.signs), percent)

    def frame(self) -> None:
        """Show what the session has told since the last time."""
        if self._seen != self._view.version:
            self._seen = self._view.version
            self.show()

    def pressed(self, event: events.Key) -> None:
        """Close."""
        self.close(None)


def _row(name: str, *spans: Span) -> Line:
    return Line(((f"  {name:<13}", "dim"), *spans), "dialog")


def _dollars(value: float) -> Span:
    return (f"{money(value):>12}", tone_of(value))


def _amount(value: float) -> Span:
    return (f"{value:>12,.2f}", "text")
