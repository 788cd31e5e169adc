"""The line of every key of a TOML text, because its reader keeps none.

A small scan over tokens that follows headers, dotted keys, inline tables and arrays. It reads what the real
reader has already accepted; on any other text it stops without a word, and knows the lines up to there.
"""

import re
from collections.abc import Iterator
from contextlib import suppress

import tomlkit
from tomlkit.exceptions import TOMLKitError

Place = tuple[str | int, ...]
"""Where a value stands: ("strategies", "X", "schedule", 0, "start")."""

_TOKEN = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')'''
    r"|(?P<skip>[ \t\r]+|\#[^\n]*)"
    r"|(?P<mark>[\[\]{}=,.\n])"
    r"|(?P<bare>[^\s\[\]{}=,.\"'\#]+)",
    re.DOTALL,
)


_DEEPEST = 200  # the reader refuses values nested beyond 100 levels


class Lines:
    """place -> line (from 1) of its key, header or array element; and the first place that is said twice."""

    def __init__(self) -> None:
        self._at: dict[Place, int] = {}
        self.repeated: tuple[Place, int] | None = None

    def of(self, place: Place) -> int:
        """Tell the line of a place, or of the nearest thing around it; 0 for the file as a whole."""
        while place and place not in self._at:
            place = place[:-1]
        return self._at.get(place, 0)

    def add(self, place: Place, line: int, *, new: bool) -> None:
        """Remember the first line of a place and of all around it. new: saying it twice is a fault."""
        if new and place in self._at and self.repeated is None:
            self.repeated = place, line
        for depth in range(1, len(place) + 1):
            self._at.setdefault(place[:depth], line)


def lines_of(text: str) -> Lines:
    """Scan a TOML text."""
    scan = _Scan(text)
    with suppress(_End):  # for what is not TOML the reader has its own words
        scan.document()
    return scan.lines


class _End(Exception):
    """No token is left, or none that makes sense."""


class _Scan:
    """One pass over the tokens. `kind` and `text` are the present one, `line` is where it starts."""

    def __init__(self, text: str) -> None:
        self.lines = Lines()
        self._tokens = _tokens(text)
        self._rows: dict[Place, int] = {}  # arrays of tables: how many rows so far
        self._headers: set[Place] = set()
        self.kind, self.text, self.line = "", "", 1

    def document(self) -> None:
        table: Place = ()
        self._step()
        while True:
            if self.text == "\n":
                self._step()
            elif self.text == "[" and self.kind == "mark":
                table = self._header()
            else:
                self._pair(table)

    def _note(self, place: Place, line: int, *, new: bool) -> None:
        if len(place) > _DEEPEST:
            raise _End
        self.lines.add(place, line, new=new)

    def _step(self) -> None:
        token = next(self._tokens, None)
        if token is None:
            raise _End
        self.kind, self.text, self.line = token

    def _header(self) -> Place:
        line = self.line
        self._step()
        rows = self.text == "["
        if rows:
            self._step()
        *above, last = self._key()
        place = self._resolve((), above)
        if rows:
            place = (*place, last)
            count = self._rows[place] = self._rows.get(place, -1) + 1
            place = (*place, count)
        else:
            place = self._resolve(place, [last])
        self._note(place, line, new=place in self._headers)
        self._headers.add(place)
        self._step()
        if rows:
            self._step()
        return place

    def _resolve(self, place: Place, parts: list[str]) -> Place:
        # A header inside an array of tables means its last row.
        for part in parts:
            place = (*place, part)
            if place in self._rows:
                place = (*place, self._rows[place])
        return place

    def _key(self) -> list[str]:
        parts = []
        while self.kind in ("bare", "string"):
            parts.append(_plain(self.text) if self.kind == "string" else self.text)
            self._step()
            if self.text != ".":
                return parts
            self._step()
        raise _End

    def _pair(self, table: Place) -> None:
        line = self.line
        place = (*table, *self._key())
        if self.text != "=":
            raise _End
        self._note(place, line, new=True)
        self._step()
        self._value(place)

    def _value(self, place: Place) -> None:
        if self.kind == "mark" and self.text == "[":
            self._step()
            self._array(place)
        elif self.kind == "mark" and self.text == "{":
            self._step()
            self._inline(place)
        elif self.kind == "mark":
            raise _End
        else:
            while self.kind != "mark" or self.text == ".":
                self._step()

    def _array(self, place: Place) -> None:
        count = 0
        while self.text != "]":
            if self.text in (",", "\n"):
                self._step()
                continue
            self._note((*place, count), self.line, new=False)
            self._value((*place, count))
            count += 1
        self._step()

    def _inline(self, place: Place) -> None:
        while self.text != "}":
            if self.text in (",", "\n"):
                self._step()
            else:
                self._pair(place)
        self._step()


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line, at = 1, 0
    while at < len(text) and (found := _TOKEN.match(text, at)):
        if found.lastgroup != "skip":
            yield found.lastgroup or "", found.group(), line
        line += found.group().count("\n")
        at = found.end()
    if at == len(text):
        yield "mark", "\n", line  # so that a last line without an end is a line all the same


def _plain(quoted: str) -> str:
    """Unquote a key."""
    if "\\" not in quoted:
        return quoted[1:-1]
    try:
        return next(iter(tomlkit.parse(f"{quoted} = 0")))
    except TOMLKitError:
        return quoted
