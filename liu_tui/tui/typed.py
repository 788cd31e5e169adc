"""The command line: `:NAME [WORDS]`, names from the registry of actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from liu_tui.model.market import normal_symbol
from liu_tui.tui import targets
from liu_tui.tui.actions import COMMANDS
from liu_tui.tui.hands import Hands
from liu_tui.tui.widgets.strip_table import wall_s

if TYPE_CHECKING:
    from liu_tui.tui.console import Console


class CommandLine:
    """Carries out what was typed after a colon. What takes no words is done as its key would do it."""

    def __init__(self, console: Console, hands: Hands) -> None:
        self._console, self._hands = console, hands
        self._with_words: dict[str, Callable[[str], None]] = {
            "reject": lambda words: hands.on_symbol("reject", normal_symbol(words), targets.toggle_reject),
            "unsubscribe": lambda words: hands.on_symbol(
                "unsubscribe", normal_symbol(words), targets.toggle_subscription
            ),
            "cancel": self._cancel,
            "flatten": self._flatten,
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
