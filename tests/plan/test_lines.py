"""Every key's line is known."""

from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.plan.lines import Lines, Place, lines_of

TEXT = '''\
# a comment with = and [brackets]
a = 1
b.c = "x # y"
s = """
[not]
a = 3
"""
[x."y z".w]
k = 1979-05-27 07:32:00
f = 1.5e3
rows = [
  {start = 5, duration = [1,
   2]},   # com ]
  { start = 6, "d\\u0075r"=9 }
]
[[st.X.schedule]]
start=1
[[st.X.schedule]]
start=2
[st.X.schedule.sub]
z=1'''


def test_keys_headers_rows_and_inline_tables_have_their_lines() -> None:
    lines = lines_of(TEXT)
    expected: dict[Place, int] = {
        ("a",): 2,
        ("b", "c"): 3,
        ("s",): 4,
        ("x",): 8,
        ("x", "y z", "w"): 8,
        ("x", "y z", "w", "k"): 9,
        ("x", "y z", "w", "f"): 10,
        ("x", "y z", "w", "rows", 0, "duration", 1): 13,
        ("x", "y z", "w", "rows", 1, "dur"): 14,
        ("st", "X", "schedule", 0, "start"): 17,
        ("st", "X", "schedule", 1): 18,
        ("st", "X", "schedule", 1, "start"): 19,
        ("st", "X", "schedule", 1, "sub", "z"): 21,
    }
    assert {place: lines.of(place) for place in expected} == expected


def test_an_unknown_place_has_the_line_of_what_is_around_it() -> None:
    assert lines_of("\n[x]\n").of(("x", "missing")) == 2
    assert lines_of("\n[x]\n").of(("y",)) == 0


def test_the_first_repetition_is_found() -> None:
    assert lines_of("a=1\n\na=2\n").repeated == (("a",), 3)
    assert lines_of("[x]\n[y]\n[x]\n").repeated == (("x",), 3)
    assert lines_of("[x.y]\n[x]\nz=1\n").repeated is None


_KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
_VALUES = st.recursive(
    st.one_of(st.integers(-9, 9), st.booleans(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)


def places_of(value: Any, place: Place = ()) -> list[Place]:
    """Every place in a document, the document itself not."""
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return []
    return [found for key, part in pairs for found in ((*place, key), *places_of(part, (*place, key)))]


def known(lines: Lines, place: Place) -> bool:
    """Whether a place has a line of its own."""
    return place in lines._at


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_every_place_of_any_document_has_a_line(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)
    lines = lines_of(text)
    rows = text.split("\n")
    for place in places_of(tomlkit.parse(text).unwrap()):
        assert known(lines, place), (place, text)
        key = place[-1]
        if isinstance(key, str) and key.isascii() and key.isalnum():
            assert key in rows[lines.of(place) - 1]


@given(st.text(alphabet="[]{}=,.\n\"'#a1\\ ", max_size=80))
def test_any_text_is_scanned_to_an_end(text: str) -> None:
    lines_of(text)
