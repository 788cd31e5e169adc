"""The data pane: each connection, and everything that should be nought."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from liu_tui.engine.snapshot import FeedRow, HitRow, Picture, StreamRow
from liu_tui.tui.panes.columns import Scene
from liu_tui.tui.panes.data import DATA, DataRow
from liu_tui.tui.panes.rows import fresh
from liu_tui.tui.view import View
from tests.kit.engine import example


class Seen:
    """A view that holds one picture."""

    def __init__(self, feed: FeedRow) -> None:
        self.picture: Picture = msgspec.structs.replace(example(Picture), feed=feed)


def rows(feed: FeedRow) -> tuple[DataRow, ...]:
    return DATA.rows(cast(View, Seen(feed)))


def cells(row: DataRow) -> list[tuple[str, str]]:
    return [column.cell(row, Scene()) for column in DATA.columns]


def test_each_connection_has_a_row_and_then_each_count() -> None:
    streams = tuple(
        StreamRow(name=f"producer {n}", state=state, words=words, age_s=1.0, rate=9.0, symbols=3)
        for n, state, words in ((1, "live", "ws"), (2, "lost", "the line is cut"))
    )
    found = rows(FeedRow(streams=streams, held_back=4, left_out=("F", "T")))
    assert [row.name for row in found[:2]] == ["producer 1", "producer 2"]
    assert {row.name: row.count for row in found[2:] if row.count} == {"held back": 4, "left out": 2}
    assert cells(found[1])[1] == ("lost", "error")
    assert cells(found[-1])[-1] == ("F T", "warn")
    assert cells(found[2])[1] == ("0", "faint")


@pytest.mark.parametrize(
    ("words", "cell"),
    [
        ({"age_s": 0.4, "stale": False, "halted": False}, ("0.4s", "dim")),
        ({"age_s": 44.0, "stale": True, "halted": False}, ("!44s", "error")),
        ({"age_s": 44.0, "stale": True, "halted": True}, ("HALT", "caution")),
    ],
)
def test_a_pick_tells_its_age_and_whether_that_is_no_wonder(
    words: dict[str, object], cell: tuple[str, str]
) -> None:
    hit: HitRow = msgspec.structs.replace(example(HitRow), **words)
    assert fresh(hit) == cell
