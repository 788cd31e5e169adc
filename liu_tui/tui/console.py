"""The one screen: status, panes, reply line, keys. Lays out, focuses, paints; what keys do is in `hands`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from liu_tui.engine.snapshot import OrderRow
from liu_tui.tui.actions import ACTIONS, PANES
from liu_tui.tui.commander import Commander
from liu_tui.tui.deeds import Choice, Proposal
from liu_tui.tui.format import Span
from liu_tui.tui.hands import Hands
from liu_tui.tui.link import Link
from liu_tui.tui.panes.data import DATA
from liu_tui.tui.panes.house import ACTIVITY, CONSUMERS, PROCESSES, STRATEGIES
from liu_tui.tui.panes.orders import ORDERS
from liu_tui.tui.panes.rows import HITS, POSITIONS
from liu_tui.tui.screens.confirm import Confirm
from liu_tui.tui.screens.dialog import Dialog
from liu_tui.tui.spoken import is_live
from liu_tui.tui.typed import CommandLine
from liu_tui.tui.view import View
from liu_tui.tui.widgets.alerts import Alerts
from liu_tui.tui.widgets.bars import KeyBar, MessageBar
from liu_tui.tui.widgets.board import Board, Look
from liu_tui.tui.widgets.detail import DetailBoard
from liu_tui.tui.widgets.gauges import MoneyBar
from liu_tui.tui.widgets.layout import UNPLACED, Body, Places, places, sharing
from liu_tui.tui.widgets.notice import Notice
from liu_tui.tui.widgets.prompt import Prompt
from liu_tui.tui.widgets.ring_log import RingLog
from liu_tui.tui.widgets.status_bar import StatusBar
from liu_tui.tui.widgets.strip_table import AnyTable, StripTable, wall_s

DETAIL_EVERY_S = 1.0
MONEY_FROM = (100, 36)
"""Cells of a terminal that has room for the account's line; `m` shows it on smaller ones."""
TABLES = (HITS, POSITIONS, ORDERS, CONSUMERS, STRATEGIES, ACTIVITY, PROCESSES, DATA)
_SHORT = {"hits": "Hits", "positions": "Pos", "orders": "Ord", "consumers": "Cons", "log": "Log",
          "strategies": "Strat", "activity": "Act", "processes": "Proc", "data": "Data"}  # fmt: skip


class Console(Screen[None], inherit_bindings=False):
    """The screen. focused_pane has the keys; zoomed: only it is shown; detailed: a symbol covers them."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(action.keys), f"do('{action.id}')", action.words, show=False, id=action.id)
        for action in ACTIONS
    ]

    def __init__(self, view: View, link: Link, look: Look, *, batch_id: str, plan: str) -> None:
        super().__init__()
        self.view, self.look = view, look
        self.status = StatusBar(view, look)
        self.money = MoneyBar(view, look)
        self.alerts = Alerts(view, look)
        self.tables: dict[str, AnyTable] = {pane.name: StripTable(pane, view, look) for pane in TABLES}
        self.log_pane = RingLog(view, look)
        self.detail = DetailBoard(view, look)
        self.notice = Notice(view, look, batch_id=batch_id, plan=plan)
        self.messages = MessageBar(view, look)
        self.prompt = Prompt()
        self.commander = Commander(view, link, say=self.say, confirm=self.confirm, leave=self._leave)
        self.hands = Hands(self)
        self.command_line = CommandLine(self, self.hands)
        self.keys = KeyBar(look, self.commander.why_not)
        self.body = Body(self._places)
        self._link = link
        self.focused_pane, self.before, self.shared = "hits", "positions", "positions"
        self.zoomed = self.detailed = False
        self._mode = ""
        self._alerted = 0
        self._asked_s = 0.0
        self._placed: Places = {}

    # ── structure ──

    def compose(self) -> ComposeResult:
        """Everything is mounted at once; the layout decides what is seen."""
        yield self.status
        yield self.money
        with self.body:
            yield self.alerts
            yield from self.tables.values()
            yield self.log_pane
            yield self.detail
            yield self.notice
        yield self.messages
        yield self.prompt
        yield self.keys

    def on_mount(self) -> None:
        """Nothing is typed yet."""
        self.prompt.display = False

    def on_resize(self) -> None:
        """The account's line needs room."""
        size = self.app.size
        self.money.display = size.width >= MONEY_FROM[0] and size.height >= MONEY_FROM[1]
        self.status.limits = not self.money.display

    def pane(self, name: str) -> AnyTable | RingLog:
        """The widget of a pane."""
        return self.log_pane if name == "log" else self.tables[name]

    @property
    def table(self) -> AnyTable | None:
        """The focused pane, if it is a table."""
        return self.tables.get(self.focused_pane)

    @property
    def symbol(self) -> str:
        """The symbol that keys act on: the detail's, or the one under the cursor."""
        if self.detailed:
            return self.detail.symbol
        return self.table.symbol if self.table is not None else ""

    @property
    def order(self) -> OrderRow | None:
        """The order under the cursor, if orders are what is shown."""
        row = self.tables["orders"].table.chosen
        return (
            row if self.focused_pane == "orders" and not self.detailed and isinstance(row, OrderRow) else None
        )

    # ── where things lie ──

    def _places(self, width: int, height: int) -> Places:
        zoom = self.focused_pane if self.zoomed else ""
        if self.detailed or self._notice_wanted:
            zoom = "notice" if self._notice_wanted else "detail"
        self._alerted = self.alerts.wanted(width, height)
        self._placed = places(width, height, shared=self.shared, zoom=zoom, alerts=self._alerted)
        return self._placed

    @property
    def _notice_wanted(self) -> bool:
        view = self.view
        return view.picture is None or view.farewell is not None or view.link.state == "refused"

    def focus_pane(self, name: str) -> None:
        """Give the keys to a pane, and see that it is shown."""
        if name != self.focused_pane:
            self.before, self.focused_pane = self.focused_pane, name
        width, height = self.body.size
        if name != "hits" and (
            name in UNPLACED or name == "log" or name not in places(width, height, shared="")
        ):
            self.shared = name
        self.detailed = False
        self.relayout()

    def relayout(self) -> None:
        """Lay the body out anew."""
        for name in PANES:
            self.pane(name).active = name == self.focused_pane
            self.pane(name).hint = []
        self.detail.active = self.detailed
        self.body.lay_out()
        self.call_after_refresh(self.paint)

    def _hints(self) -> None:
        """Where panes share an area, its title names the others."""
        shared = sharing(*self.body.size, self.shared)
        if shared not in self._placed or self.zoomed or self.detailed:
            return
        hidden = [name for name in PANES if name not in self._placed]
        hint: list[Span] = [(f"{PANES.index(name) + 1} {_SHORT[name]}", "dim") for name in hidden]
        self.pane(shared).hint = hint

    # ── painting ──

    def paint(self) -> None:
        """One frame: everything that is seen and has changed."""
        self._be_live(is_live(self.view.picture))
        mode = "notice" if self._notice_wanted else "panes"
        if mode != self._mode or self.alerts.wanted(*self.body.size) != self._alerted:
            self._mode = mode
            self.relayout()
            return
        self._refresh_detail()
        self._hints()
        stale = self.view.stale
        for board in self._seen():
            if board.stale != stale:
                board.stale = stale
                board.repaint()
            else:
                board.flush()
        if isinstance(dialog := self.app.screen, Dialog):
            dialog.frame()

    def _be_live(self, live: bool) -> None:
        """Real money changes the frame's colours, and gives the gaps between panes one."""
        if live != self.look.live:
            self.look.be_live(live)
            self.set_class(live, "-live")
            self.repaint()

    def repaint(self) -> None:
        """Paint everything anew."""
        for board in self._seen():
            board.repaint()

    def _seen(self) -> list[Board]:
        boards: list[Board] = [self.status, self.messages, self.keys]
        if self.money.display:
            boards.append(self.money)
        named: dict[str, Board] = {
            **self.tables,
            "log": self.log_pane,
            "detail": self.detail,
            "notice": self.notice,
            "alerts": self.alerts,
        }
        return boards + [named[name] for name in self._placed if name in named]

    def _refresh_detail(self) -> None:
        if self.detailed and wall_s() - self._asked_s >= DETAIL_EVERY_S:
            self._asked_s = wall_s()
            self._link.ask_detail(self.detail.symbol)

    def show_detail(self, symbol: str) -> None:
        """Lay a symbol over the panes."""
        self.detail.open(symbol)
        self.detailed = True
        self._asked_s = 0.0
        self.relayout()

    # ── saying and asking ──

    def say(self, words: str, tone: str = "text") -> None:
        """Say something in the reply line."""
        self.messages.say(words, tone)

    def confirm(self, proposal: Proposal, answered: Callable[[Choice | None], None]) -> None:
        """Put a dialog up."""
        self.app.push_screen(Confirm(proposal, self.look), answered)

    def action_do(self, name: str) -> None:
        """Do an action of the registry, and show at once what came of it."""
        self.hands.do(name)
        self.paint()

    def _leave(self) -> None:
        self.app.exit()

    @on(Prompt.Typed)
    def _typed(self, event: Prompt.Typed) -> None:
        if event.purpose == "filter":
            self.hands.look_for(event.text)
            self.paint()

    @on(Prompt.Done)
    def _typed_all(self, event: Prompt.Done) -> None:
        self.messages.display = True
        if event.purpose == "filter" and event.text is None:
            self.hands.look_for("")
        elif event.purpose == "command" and event.text:
            self.command_line.carry_out(event.text)
        self.paint()

    @on(StripTable.Opened)
    def _opened(self, event: Any) -> None:
        self.hands.do("open")
        self.paint()
