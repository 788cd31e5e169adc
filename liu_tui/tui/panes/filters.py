"""The words of a filter: `nv`, `!rejected`, `chg>3`, `scanner=gap`. All of them must hold. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from liu_tui.tui.panes.columns import Column, R, Scene

Test = Callable[[R], bool]

_TERM = re.compile(r"(\w+)(>=|<=|!=|=|>|<)(.+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "=": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
_UNITS = {"k": 1e3, "m": 1e6, "b": 1e9}


def compile_filter(text: str, columns: tuple[Column[R], ...]) -> Test[R]:
    """Make a test of a row. A term that names no column is looked for in all of the row's text."""
    by_name = {column.name: column for column in columns}
    tests = [_term(term, by_name, columns) for term in text.split()]
    return lambda row: all(test(row) for test in tests)


def _term(term: str, by_name: dict[str, Column[R]], columns: tuple[Column[R], ...]) -> Test[R]:
    if term.startswith("!") and len(term) > 1:
        inner = _term(term[1:], by_name, columns)
        return lambda row: not inner(row)
    match = _TERM.fullmatch(term)
    if match and (column := by_name.get(match[1].lower())):
        return _comparison(column, match[2], match[3])
    word = term.lower()
    return lambda row: word in text_of(row, columns)


def _comparison(column: Column[R], sign: str, wanted: str) -> Test[R]:
    compare = _COMPARE[sign]
    number = _number(wanted)

    def test(row: R) -> bool:
        value = column.value(row)
        if isinstance(value, int | float) and number is not None:
            return compare(value, number)
        have, want = str(value).lower(), wanted.lower()
        if sign == "=":
            return want in have
        return want not in have if sign == "!=" else compare(have, want)

    return test


def _number(text: str) -> float | None:
    scale = _UNITS.get(text[-1:].lower(), 1.0)
    try:
        return float(text if scale == 1.0 else text[:-1]) * scale
    except ValueError:
        return None


def text_of(row: R, columns: Iterable[Column[R]]) -> str:
    """Give a row's whole text in lower case, for looking words up."""
    scene = Scene()
    return " ".join(column.cell(row, scene)[0] for column in columns).lower()
