"""The command line: `:NAME [WORDS]`, names from the registry of actions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from liu_tui.model.market import normal_symbol
from liu_tui.tui import standing, symbols, targets
from liu_tui.tui.actions import COMMANDS
from liu_tui.tui.hands import Hands
from liu_tui.tui.widgets.strip_table import wall_s

if TYPE_CHECKING:
    from liu_tui.tui.console import Console

_UNTIL = re.compile(r"day|good|\d+m|\d{1,2}:\d{2}")
_FOR = "for="


def terms_of(words: str) -> symbols.Terms:
    """Read `[30m | 14:30 | day | good] [for=STRATEGY] [WHY]`."""
    until = strategy = ""
    rest = words.split()
    if rest and _UNTIL.fullmatch(rest[0]):
        until = rest.pop(0)
    if rest and rest[0].startswith(_FOR):
        strategy = rest.pop(0).removeprefix(_FOR)
    return symbols.Terms(until, strategy, " ".join(rest))


class CommandLine:
    """Carries out what was typed after a colon. What takes no words is done as its key would do it."""

    def __init__(self, console: Console, hands: Hands) -> None:
        self._console, self._hands = console, hands
        self._with_words: dict[str, Callable[[str], None]] = {
            "reject": self._reject,
            "unsubscribe": lambda words: hands.on_symbol(
                "unsubscribe", normal_symbol(words), symbols.toggle_subscription
            ),
            "cancel": self._cancel,
            "flatten": self._flatten,
            "resolve": self._resolve,
            "release": self._release,
            "goto": self._goto,
            "filter": hands.look_for,
            "sort": self._sort,
            "theme": hands.use_theme,
        }

    def carry_out(self, text: str) -> None:
        """Do `NAME [WORDS]`; a name may be cut short as long as it is sure."""
        typed, _, words = text.strip().partition(" ")
        near = [known for known in COMMANDS if known.startswith(typed)]
        if typed in COMMANDS or len(near) == 1:
            self._do(typed if typed in COMMANDS else near[0], words.strip())
            return
        mend = f": {', '.join(near)}?" if near else f"; there are {', '.join(sorted(COMMANDS))}"
        self._console.say(f"no command {typed!r}{mend}", "warn")

    def _do(self, name: str, words: str) -> None:
        doing = self._with_words.get(name)
        if words and doing is not None:
            doing(words)
        elif words:
            self._console.say(f"{name} takes no words", "warn")
        elif name == "goto":
            self._console.say("goto which symbol?", "warn")
        else:
            self._hands.do(COMMANDS[name].id)

    def _reject(self, words: str) -> None:
        """`SYMBOL` alone is the key x; with more words it is rejected on those terms."""
        symbol, _, rest = words.partition(" ")
        symbol = normal_symbol(symbol)
        if not rest:
            self._hands.on_symbol("reject", symbol, symbols.toggle_reject)
            return
        terms = terms_of(rest)
        self._hands.on_symbol("reject", symbol, lambda view, one: symbols.reject(view, one, terms))

    def _resolve(self, words: str) -> None:
        symbol, _, choice = words.partition(" ")
        self._hands.on_symbol(
            "resolve", normal_symbol(symbol), lambda view, one: standing.resolve(view, one, choice.strip())
        )

    def _release(self, words: str) -> None:
        symbol = "" if words.upper() == "ALL" else normal_symbol(words)
        self._hands.on_symbol("release", symbol, standing.release)

    def _cancel(self, words: str) -> None:
        symbol = "" if words.upper() == "ALL" else normal_symbol(words)
        self._hands.on_symbol("cancel", symbol, targets.cancel_symbol)

    def _flatten(self, words: str) -> None:
        if words.upper() == "ALL":
            self._hands.do_flatten_all()
        else:
            self._hands.on_symbol("flatten", normal_symbol(words), targets.flatten_symbol)

    def _goto(self, words: str) -> None:
        """To the symbol's row in this pane, and its detail."""
        if (table := self._console.table) is not None:
            table.go_symbol(normal_symbol(words))
        self._console.show_detail(normal_symbol(words))

    def _sort(self, words: str) -> None:
        table = self._console.table
        names = [column.name for column in table.pane.columns] if table is not None else []
        if table is None or words not in names:
            self._console.say(f"no column {words!r}; there are {', '.join(names)}", "warn")
        else:
            table.table.sort_by(words, wall_s())
