"""What the keys do that decide something: the four verbs, rejecting, resolving, releasing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from liu_tui.tui import lists, standing, symbols, targets
from liu_tui.tui.deeds import Target
from liu_tui.tui.screens.listing import Listing, ListKind
from liu_tui.tui.screens.money import MoneySheet
from liu_tui.tui.screens.order import OrderSheet
from liu_tui.tui.screens.reject import RejectForm

if TYPE_CHECKING:
    from liu_tui.engine.snapshot import OrderRow
    from liu_tui.tui.console import Console


class Deciding:
    """The actions of one console that ask something of the session, and the dialogs that lead to them."""

    def __init__(self, console: Console) -> None:
        self._console = console

    # ── deciding ──

    def do_reject(self) -> None:
        """Reject or allow."""
        self.on_symbol("reject", self._console.symbol, symbols.toggle_reject)

    def do_reject_on_terms(self) -> None:
        """Reject for a time, a strategy, a reason."""
        console, symbol = self._console, self._console.symbol
        why = console.commander.why_not("reject_on_terms") or ("" if symbol else "no symbol under the cursor")
        if why:
            console.say(f"reject: {why}", "warn")
            return

        def chosen(terms: symbols.Terms | None) -> None:
            if terms is not None:
                self.on_symbol("reject", symbol, lambda view, one: symbols.reject(view, one, terms))

        picture = console.view.picture
        names = tuple(row.name for row in picture.strategies) if picture else ()
        held = any(console.view.holdings(symbol))
        console.app.push_screen(RejectForm(symbol, names, held=held, look=console.look), chosen)

    def do_unsubscribe(self) -> None:
        """Unsubscribe or subscribe."""
        self.on_symbol("unsubscribe", self._console.symbol, symbols.toggle_subscription)

    def do_vetoes(self) -> None:
        """All vetoes."""
        self._list(lists.VETOES)

    def do_resolve(self) -> None:
        """The differences."""
        self._list(lists.DIFFERENCES)

    def do_release(self) -> None:
        """Release the one flatten there is; of several, one from a list."""
        console = self._console
        rows = console.view.picture.flattens if console.view.picture else ()
        if len(rows) == 1:
            self.on_symbol("release", rows[0].symbol, standing.release)
        else:
            self._list(lists.FLATTENS)

    def do_money(self) -> None:
        """The account's figures."""
        console = self._console
        console.app.push_screen(MoneySheet(console.view, console.look))

    # ── the four verbs ──

    def do_pause(self) -> None:
        """Pause or resume entries."""
        console = self._console
        console.commander.do("pause", lambda: targets.toggle_pause(console.view))

    def do_undo(self) -> None:
        """Undo."""
        self._console.commander.undo()

    def do_cancel(self) -> None:
        """Cancel the order under the cursor, or the symbol's."""
        console = self._console
        if (order := console.order) is not None:
            console.commander.do("cancel", lambda: targets.cancel_order(console.view, order))
        elif symbol := console.symbol:
            self.on_symbol("cancel", symbol, targets.cancel_symbol)
        else:
            console.say(
                "no order and no symbol under the cursor; :cancel all cancels every entry order", "warn"
            )

    def do_flatten(self) -> None:
        """Flatten the symbol."""
        self.on_symbol("flatten", self._console.symbol, targets.flatten_symbol)

    def do_flatten_all(self) -> None:
        """Flatten all."""
        console = self._console
        console.commander.do("flatten_all", lambda: targets.flatten_all(console.view))

    def do_stop(self) -> None:
        """Stop the session."""
        console = self._console
        console.commander.do("stop", lambda: targets.stop(console.view))

    def do_kill(self) -> None:
        """Kill."""
        console = self._console
        console.commander.do("kill", lambda: targets.kill(console.view))

    def do_quit(self) -> None:
        """Leave; with nothing to stop, at once."""
        console = self._console
        if console.view.farewell is not None or console.commander.why_not("kill"):
            console.app.exit()
        else:
            console.commander.carry_out(targets.leave(console.view))

    def on_symbol(self, name: str, symbol: str, target: Callable[..., Target]) -> None:
        """Do an action on a symbol."""
        console = self._console
        console.commander.do(name, lambda: target(console.view, symbol))

    def _list(self, kind: ListKind) -> None:
        console = self._console
        console.app.push_screen(Listing(kind, console.view, console.look, console.commander.do))

    def show_order(self, order: OrderRow) -> None:
        """Lay an order's life over the panes; it may be canceled there."""
        console = self._console

        def chosen(asked: str | None) -> None:
            if asked == "open":
                console.show_detail(order.symbol)
            elif asked == "cancel":
                now = console.view.order(order.client_order_id) or order
                console.commander.do("cancel", lambda: targets.cancel_order(console.view, now))

        console.app.push_screen(OrderSheet(order.client_order_id, console.view, console.look), chosen)
