"""What each action of the registry does: `do_NAME` for the action NAME; `deciding` has those that decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from liu_tui.tui.actions import ACTIONS, PANES, Tier
from liu_tui.tui.deciding import Deciding
from liu_tui.tui.format import clean, clock
from liu_tui.tui.screens.palette import Palette
from liu_tui.tui.screens.reading import Reading, help_rows, wrapped
from liu_tui.tui.widgets.ring_log import RingLog
from liu_tui.tui.widgets.strip_table import AnyTable, wall_s

if TYPE_CHECKING:
    from liu_tui.tui.console import Console


class Hands(Deciding):
    """The actions of one console."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._doings: dict[str, Callable[[], None]] = {
            action.id: getattr(self, f"do_{action.id}", self._pane_doing(action.id)) for action in ACTIONS
        }

    def do(self, name: str) -> None:
        """Do an action by its name."""
        self._doings[name]()

    def _pane_doing(self, name: str) -> Callable[[], None]:
        pane = name.removeprefix("pane_")
        return lambda: self.show_pane(pane)

    # ── panes ──

    def show_pane(self, name: str) -> None:
        """Focus a pane; zoom it if it is focused already."""
        console = self._console
        if console.focused_pane == name and not console.detailed:
            console.zoomed = not console.zoomed
        console.focus_pane(name)

    def do_next_pane(self) -> None:
        """Next pane by number."""
        self._step_pane(1)

    def do_previous_pane(self) -> None:
        """Previous pane by number."""
        self._step_pane(-1)

    def do_last_pane(self) -> None:
        """Back to the pane before."""
        self._console.focus_pane(self._console.before)

    def do_zoom(self) -> None:
        """Zoom or unzoom."""
        self._console.zoomed = not self._console.zoomed
        self._console.relayout()

    def _step_pane(self, step: int) -> None:
        console = self._console
        console.focus_pane(PANES[(PANES.index(console.focused_pane) + step) % len(PANES)])

    # ── rows ──

    def do_down(self) -> None:
        """One row down."""
        self._move(1)

    def do_up(self) -> None:
        """One row up."""
        self._move(-1)

    def do_half_down(self) -> None:
        """Half a page down."""
        self._move(max(1, self._pane.page // 2))

    def do_half_up(self) -> None:
        """Half a page up."""
        self._move(-max(1, self._pane.page // 2))

    def do_top(self) -> None:
        """First row."""
        self._move(-1_000_000)

    def do_bottom(self) -> None:
        """Last row."""
        self._move(1_000_000)

    def do_columns_right(self) -> None:
        """Other columns."""
        self._columns(1)

    def do_columns_left(self) -> None:
        """The columns before."""
        self._columns(-1)

    def do_open(self) -> None:
        """The symbol in detail, or the log line in full."""
        console = self._console
        if console.focused_pane == "log" and not console.detailed:
            self._read_line()
        elif (order := console.order) is not None:
            self.show_order(order)
        elif symbol := console.symbol:
            console.show_detail(symbol)
        elif (table := console.table) is not None and (row := table.table.chosen) is not None:
            rows = wrapped(table.text_of(row), 80)
            console.app.push_screen(Reading(table.pane.title, rows, console.look))

    def do_back(self) -> None:
        """Close what lies over, else clear the filter, else unzoom."""
        console = self._console
        if console.detailed:
            console.detailed = False
            console.relayout()
        elif self._filter_of_pane():
            self.look_for("")
        elif console.zoomed:
            self.do_zoom()

    def do_filter(self) -> None:
        """Type a filter."""
        self._console.messages.display = False
        self._console.prompt.open("filter", self._filter_of_pane())

    def do_sort(self) -> None:
        """Sort by the next column."""
        self._sort(1)

    def do_sort_back(self) -> None:
        """Sort by the previous column."""
        self._sort(-1)

    def do_turn(self) -> None:
        """Turn the order round."""
        if (table := self._console.table) is not None:
            table.table.turn(wall_s())

    def do_freeze(self) -> None:
        """Freeze the pane."""
        console = self._console
        if (table := console.table) is not None:
            frozen = table.table.pause(wall_s())
            console.say(f"{table.pane.title} {'frozen; space lets it go on' if frozen else 'goes on'}", "dim")
        else:
            self.do_follow()

    def do_follow(self) -> None:
        """Follow the log's tail."""
        console = self._console
        if console.focused_pane == "log":
            console.log_pane.set_follow(not console.log_pane.follow)
        else:
            console.say("f follows the log's tail: 5 goes there", "dim")

    def do_copy(self) -> None:
        """Copy the row as text."""
        self._copy(as_json=False)

    def do_copy_json(self) -> None:
        """Copy the row as JSON."""
        self._copy(as_json=True)

    # ── the console itself ──

    def do_help(self) -> None:
        """All keys."""
        console = self._console
        disabled = {
            action.id: console.commander.why_not(action.id) for action in ACTIONS if action.tier > Tier.LOOK
        }
        console.app.push_screen(Reading("Keys", help_rows(disabled, console.size.width - 6), console.look))

    def do_palette(self) -> None:
        """Find an action."""
        console = self._console

        def chosen(name: str | None) -> None:
            if name is not None:
                console.action_do(name)

        console.app.push_screen(Palette(console.look, console.commander.why_not), chosen)

    def do_command(self) -> None:
        """Type a command."""
        self._console.messages.display = False
        self._console.prompt.open("command")

    def do_bell(self) -> None:
        """Silence the bell, or not."""
        status = self._console.status
        status.silent = not status.silent
        self._console.say(
            "the bell is silent" if status.silent else "the bell rings for fills, refusals, a lost feed"
        )

    def do_theme(self) -> None:
        """Next theme."""
        names = list(self._console.look.palettes)
        at = names.index(self._console.look.palette.theme.name)
        self.use_theme(names[(at + 1) % len(names)])

    def do_redraw(self) -> None:
        """Draw everything anew."""
        self._console.repaint()
        self._console.app.refresh(repaint=True)

    # ── helpers ──

    @property
    def _pane(self) -> AnyTable | RingLog:
        return self._console.pane(self._console.focused_pane)

    def _move(self, step: int) -> None:
        console = self._console
        if console.focused_pane == "log" and not console.detailed:
            console.log_pane.move(step)
        elif (table := console.table) is not None:
            table.table.move(step)
            if console.detailed and table.symbol:
                console.detail.open(table.symbol)
                console.show_detail(table.symbol)

    def _columns(self, step: int) -> None:
        if (table := self._console.table) is not None:
            table.scroll_columns(step)

    def _sort(self, step: int) -> None:
        if (table := self._console.table) is not None:
            name = table.table.next_sort(step, wall_s())
            self._console.say(f"sorted by {name}" if name else "in the session's own order", "dim")

    def look_for(self, text: str) -> None:
        """Filter the focused pane."""
        console = self._console
        if (table := console.table) is not None:
            table.table.look_for(text, wall_s())
        else:
            console.log_pane.look_for(text)

    def _filter_of_pane(self) -> str:
        table = self._console.table
        return table.table.filter if table is not None else self._console.log_pane.filter

    def use_theme(self, name: str) -> None:
        """Draw in another theme from now on."""
        console = self._console
        if name not in console.look.palettes:
            console.say(f"no theme {name!r}; there are {', '.join(console.look.palettes)}", "warn")
            return
        console.look.use(name)
        console.app.theme = name
        console.repaint()
        console.say(f"theme {name}", "dim")

    def _read_line(self) -> None:
        console = self._console
        if (line := console.log_pane.chosen) is not None:
            title = f"{clock(line.t_ns)} {clean(line.source)} {line.level}"
            rows = wrapped(line.words, max(30, min(console.size.width - 8, 100)))
            console.app.push_screen(Reading(title, rows, console.look))

    def _copy(self, *, as_json: bool) -> None:
        console = self._console
        table = console.table
        row = table.table.chosen if table is not None else console.log_pane.chosen
        if row is None:
            console.say("no row to copy", "warn")
            return
        if as_json:
            text = msgspec.json.encode(_fields(row)).decode()
        else:
            text = table.text_of(row) if table is not None else clean(row.words)
        console.app.copy_to_clipboard(text)
        console.say(f"copied {len(text)} signs", "dim")


def _fields(row: object) -> dict[str, object]:
    if isinstance(row, msgspec.Struct):
        return msgspec.structs.asdict(row)
    return dict(vars(row))
