"""What commands write: words for people, or one JSON object for programs.

Standard output carries the answer and nothing else; logs and errors go to standard error. With --json a
command that fails still prints one object there: {"error": {"code", "what", "where", "mend", "faults"?}}.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec

from liu_tui.errors import Exit, Fault, LiuError, PlanError

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
"""The decorator of every command but the console; the command gets `as_json: bool`."""


def emit(answer: object) -> None:
    """Print one JSON object: dicts, msgspec structs, enums; NaN becomes null."""
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    sys.stdout.flush()


def say(words: str = "") -> None:
    """Print a line of the answer."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def tell_error(error: LiuError, *, as_json: bool) -> None:
    """Say what went wrong on standard error, and as JSON on standard output if that was asked for."""
    _complain(f"liu-tui: {error}" if not isinstance(error, PlanError) else str(error))
    if as_json:
        emit({"error": in_json(error)})


def in_json(error: LiuError) -> dict[str, Any]:
    """Take an error apart: its exit code, its three strings, and a plan's faults."""
    said: dict[str, Any] = {
        "code": int(error.code),
        "what": error.what,
        "where": error.where,
        "mend": error.mend,
    }
    if isinstance(error, PlanError):
        said["faults"] = [fault_in_json(fault) for fault in error.faults]
    return said


def fault_in_json(fault: Fault) -> dict[str, Any]:
    """Take one fault of a plan apart."""
    return {name: getattr(fault, name) for name in ("file", "line", "table", "key", "what", "mend")}


def tell_usage(error: click.ClickException, *, as_json: bool) -> None:
    """Say that the command line is wrong, as click words it."""
    error.show(file=sys.stderr)
    if as_json:
        code = int(Exit.USAGE)
        emit({"error": {"code": code, "what": error.format_message(), "where": "command line", "mend": ""}})


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns. A column of numbers stands on the right."""
    given = [list(row) for row in rows]
    cells = [list(headers), *([_cell(value) for value in row] for row in given)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [bool(given) and all(_is_number(row[i]) for row in given) for i in range(len(headers))]
    for line in cells:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        say("  ".join(parts).rstrip())


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _complain(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()
