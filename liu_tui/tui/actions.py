"""Everything that the console can do: one registry for keys, key bar, help, palette and command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Tier(IntEnum):
    """How much an action asks before it acts; friction follows irreversibility."""

    LOOK = 0  # changes nothing
    UNDO = 1  # at once, `u` takes it back
    CONFIRM = 2  # a dialog whose focus is on the harmless choice
    TYPED = 3  # a word must be typed


@dataclass(frozen=True)
class Action:
    """One thing to do. short: its word in the key bar, "" if it is not there.

    command: its word after a colon
    takes: what the command line may give it; fresh: refused while the picture is stale
    """

    id: str
    keys: tuple[str, ...]
    words: str
    group: str
    tier: Tier = Tier.LOOK
    short: str = ""
    command: str = ""
    takes: str = ""
    fresh: bool = False


PANES = (
    *("hits", "positions", "orders", "consumers", "log"),
    *("strategies", "activity", "processes", "data"),
)

_PANES = tuple(
    Action(
        f"pane_{name}",
        (str(number),),
        f"Show {name}; again: zoom",
        "panes",
        command=name,
    )
    for number, name in enumerate(PANES, 1)
)

ACTIONS: tuple[Action, ...] = (
    # the four verbs, and the kill switch
    Action("pause", ("P",), "Pause entries, or resume them", "the four verbs", Tier.UNDO, "pause", "pause"),
    Action("cancel", ("C",), "Cancel orders: one, or the symbol's", "the four verbs", Tier.CONFIRM,
           "cancel", "cancel", "SYMBOL or all", fresh=True),
    Action("flatten", ("F",), "Flatten symbol: cancel and close", "the four verbs", Tier.CONFIRM,
           "flatten", "flatten", "SYMBOL or all", fresh=True),
    Action("flatten_all", ("A",), "Flatten everything", "the four verbs", Tier.TYPED, "all", fresh=True),
    Action("stop", ("Q",), "Stop the session, flat or not", "the four verbs", Tier.CONFIRM, "stop", "stop"),
    Action("kill", ("K",), "Kill: halt, and flatten everything", "the four verbs", Tier.TYPED, "kill",
           "kill"),
    # deciding
    Action("reject", ("x",), "Reject the symbol today, or allow it", "deciding", Tier.UNDO, "reject",
           "reject", "SYMBOL [30m, 14:30, day, good] [for=STRATEGY] [WHY]"),
    Action("reject_on_terms", ("X",), "Reject: how long, for whom, and why", "deciding", Tier.UNDO),
    Action("unsubscribe", ("d",), "Drop the symbol's data, or subscribe it", "deciding", Tier.UNDO, "drop",
           "unsubscribe", "SYMBOL"),
    Action("undo", ("u",), "Undo reject, drop or pause, for 10 s", "deciding", Tier.UNDO, "undo", "undo"),
    Action("vetoes", ("v",), "Rejected symbols; allow one again", "deciding", command="vetoes"),
    Action("resolve", ("D",), "Differences: adopt, flatten, ignore", "deciding", Tier.CONFIRM,
           "differences", "resolve", "SYMBOL adopt, flatten or ignore", fresh=True),
    Action("release", ("R",), "Release a flatten that is not done", "deciding", Tier.CONFIRM, "release",
           "release", "SYMBOL or all", fresh=True),
    Action("money", ("m",), "The account: day, limits, cash, fees", "deciding", command="money"),
    # panes
    *_PANES,
    Action("next_pane", ("tab",), "Next pane", "panes"),
    Action("previous_pane", ("shift+tab",), "Previous pane", "panes"),
    Action("last_pane", ("grave_accent",), "The pane before", "panes"),
    Action("zoom", ("z",), "Zoom this pane, or back", "panes", short="zoom", command="zoom"),
    # rows
    Action("down", ("j", "down"), "Down", "rows"),
    Action("up", ("k", "up"), "Up", "rows"),
    Action("half_down", ("ctrl+d", "pagedown"), "Half a page down", "rows"),
    Action("half_up", ("ctrl+u", "pageup"), "Half a page up", "rows"),
    Action("top", ("g", "home"), "To the top", "rows"),
    Action("bottom", ("G", "end"), "To the bottom; in the log: follow", "rows"),
    Action("columns_right", ("l", "right"), "More columns to the right", "rows"),
    Action("columns_left", ("h", "left"), "Columns back to the left", "rows"),
    Action("open", ("enter",), "Detail of symbol, order, log line", "rows", command="goto",
           takes="SYMBOL"),
    Action("back", ("escape",), "Close, clear the filter, end the zoom", "rows"),
    Action("filter", ("slash",), "Filter: nv  !gap  chg>3  scanner=most", "rows", short="filter",
           command="filter", takes="WORDS"),
    Action("sort", ("s", "greater_than_sign"), "Sort by the next column", "rows", command="sort",
           takes="COLUMN"),
    Action("sort_back", ("less_than_sign",), "Sort by the previous column", "rows"),
    Action("turn", ("S",), "Turn the order round", "rows"),
    Action("freeze", ("space",), "Freeze this pane, or let it go on", "rows", short="freeze"),
    Action("follow", ("f",), "Follow the newest log line", "rows"),
    Action("copy", ("y",), "Copy the row, over SSH too", "rows"),
    Action("copy_json", ("Y",), "Copy the row as JSON", "rows"),
    # console
    Action("help", ("question_mark", "f1"), "This help", "console", short="help", command="help"),
    Action("palette", ("ctrl+p",), "Find an action by name", "console"),
    Action("command", ("colon",), "Command line", "console", short="command"),
    Action("bell", ("b",), "Silence the bell, or let it ring", "console", command="bell"),
    Action("theme", ("t",), "Next theme", "console", command="theme", takes="NAME"),
    Action("redraw", ("ctrl+l",), "Draw everything anew", "console"),
    Action("quit", ("q", "ctrl+c"), "Leave: it goes on running, or stop it", "console", short="quit",
           command="q"),
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}
COMMANDS = {action.command: action for action in ACTIONS if action.command}

_KEY_SIGNS = {
    "grave_accent": "`", "slash": "/", "question_mark": "?", "colon": ":", "greater_than_sign": ">",
    "less_than_sign": "<", "escape": "esc", "pagedown": "PgDn", "pageup": "PgUp", "question": "?",
}  # fmt: skip

BAR = (
    "help", "command", "filter", "zoom", "reject", "unsubscribe", "undo", "pause", "cancel", "flatten",
    "flatten_all", "kill", "freeze", "quit",
)  # fmt: skip
"""The key bar's order; it never changes, so that hands may learn it."""


def sign_of(key: str) -> str:
    """Write a key as a person would."""
    return _KEY_SIGNS.get(key, key)


def signs_of(action: Action) -> str:
    """Write all keys of an action."""
    return " ".join(sign_of(key) for key in action.keys)
