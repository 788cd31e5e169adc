"""Whether the console can be drawn here."""

import os
from collections.abc import Iterator
from typing import TextIO

from liu_tui.cli.checkups.finding import Finding, Verdict
from liu_tui.settings import Settings

MIN_COLUMNS, MIN_ROWS = 80, 24
"""The console's smallest screen."""


def terminal(out: TextIO, settings: Settings) -> Iterator[Finding]:
    """Look at the terminal behind `out`: its size, colours and signs."""
    if not out.isatty():
        mend = "Log in with a terminal (ssh -t), or use --headless."
        yield Finding("terminal", Verdict.WARN, "none here: no console can be opened", mend)
        return
    size = os.get_terminal_size(out.fileno())
    yield fits(size.columns, size.lines)
    yield colours(settings)
    yield signs(out.encoding or "", settings)


def fits(columns: int, rows: int) -> Finding:
    """Judge a screen's size."""
    words = f"{columns}x{rows}"
    if columns >= MIN_COLUMNS and rows >= MIN_ROWS:
        return Finding("terminal", Verdict.OK, words)
    mend = f"Make the window at least {MIN_COLUMNS}x{MIN_ROWS}; panes are cut off below."
    return Finding("terminal", Verdict.WARN, f"{words} is small", mend)


def colours(settings: Settings) -> Finding:
    """Judge what the terminal says of its colours."""
    if settings.term in ("", "dumb"):
        mend = "Set TERM to what your terminal is, for instance xterm-256color."
        return Finding("colour", Verdict.FAIL, f"TERM is {settings.term or 'not set'!r}", mend)
    if settings.no_color:
        return Finding("colour", Verdict.OK, "off, by NO_COLOR; nothing is told by colour alone")
    if settings.colorterm in ("truecolor", "24bit"):
        return Finding("colour", Verdict.OK, "16 million")
    if "256color" in settings.term or "direct" in settings.term:
        return Finding("colour", Verdict.OK, f"256 ({settings.term})")
    mend = "If your terminal can do more, set TERM=xterm-256color or COLORTERM=truecolor."
    return Finding("colour", Verdict.WARN, f"few ({settings.term})", mend)


def signs(encoding: str, settings: Settings) -> Finding:
    """Judge whether boxes and arrows can be drawn."""
    if settings.ascii:
        return Finding("signs", Verdict.OK, "ASCII only, by LIU_ASCII")
    if encoding.lower().replace("-", "") == "utf8":
        return Finding("signs", Verdict.OK, "UTF-8")
    mend = "Set a UTF-8 locale (LANG=C.UTF-8), or LIU_ASCII=1."
    return Finding("signs", Verdict.WARN, f"the terminal's encoding is {encoding or 'unknown'}", mend)
