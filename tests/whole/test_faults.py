"""Faults of the data, one after the other over a recorded stretch: shown while they last, and mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kit.drill import Drill
from tests.whole.test_lockstep import DAY, write_day

pytestmark = pytest.mark.timeout(180)

SYMBOLS = ("AAPL", "AMD", "NVDA", "TSLA", "ALAE", "ARAN")
SPEED = 120
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "duplicate", "at": 1, "for": 60},
    {"kind": "reorder", "at": 3, "for": 120},
    {"kind": "corrupt", "at": 6, "for": 60, "share": 0.5},
    {"kind": "wrong_types", "at": 8, "for": 60, "share": 0.2},
    {"kind": "bad_print", "at": 10, "percent": 12.0},
    {"kind": "correct", "at": 11},
    {"kind": "cancel", "at": 12},
    {"kind": "drop", "at": 14},
    {"kind": "halt", "at": 17, "for": 240, "symbols": ["ALAE"]},
    {"kind": "refuse", "at": 22, "code": 407},
    {"kind": "silence", "at": 25, "for": 840},
)
"""Silence must last: no stream is called silent before three seconds of the wall, six minutes at this speed.

`at` is in minutes from when all was ready, `for` in seconds of the session.
"""


def a_drill(root: Path, faults: tuple[dict[str, Any], ...], until: float, **more: Any) -> Drill:
    write_day(root / "recorded")
    return Drill(
        root, source="recorded", day=DAY, symbols=SYMBOLS, faults=faults, speed=SPEED, until=until, **more
    )


async def test_whatever_the_market_does_wrong_is_shown_and_the_series_are_whole_at_the_end(
    tmp_path: Path,
) -> None:
    drill = a_drill(tmp_path, FAULTS, 43)
    try:
        assert await drill.run() == {}
    finally:
        drill.house.close()
    seen = drill.seen
    assert {"live", "silent"} <= set(seen.states)
    assert {"lost", "connecting"} & set(seen.states), "a tenth of a second may fall between two pictures"
    # Whether a flush holds two moments of one symbol, so that their order can be told, is the wall's affair.
    assert {name for name, count in seen.counts.items() if count} - {"disordered"} == {
        *("duplicates", "held_back", "refused", "slow", "gaps", "amended")
    }
    assert seen.counts["held_back"] == len(SYMBOLS) - 1 or seen.counts["held_back"] == len(SYMBOLS)
    assert seen.halted == 1
    for words in ("was corrected to", "was taken back"):
        assert seen.said(words), words
    for words in ("could not be read", "held back", "1006", "did not read fast enough (407)"):
        assert seen.said(words), words
    for words in ("ALAE halted", "ALAE trades again", "silent: connected, but no event", "back-filled"):
        assert seen.said(words), words


async def test_refused_keys_end_the_asking_until_a_person_says_reconnect_and_then_nothing_is_missing(
    tmp_path: Path,
) -> None:
    faults: tuple[dict[str, Any], ...] = (
        {"kind": "refuse", "at": 1, "for": 300, "code": 402},
        {"kind": "drop", "at": 2},
    )
    drill = a_drill(tmp_path, faults, 13)
    try:
        await drill.begin()
        await drill.reach(8)
        assert "refused" in drill.seen.states
        await drill.ctl("reconnect")
        assert await drill.end() == {}
    finally:
        drill.house.close()
    assert drill.seen.said("keys refused (402")
    assert sum("connecting" in line for line in drill.seen.words) <= 4, "it must not ask again and again"


async def test_symbols_beyond_the_vendors_allowance_are_named_and_the_others_are_whole(
    tmp_path: Path,
) -> None:
    drill = a_drill(tmp_path, (), 4, market="symbol_limit = 8")
    try:
        await drill.begin()
        await drill.reach(3)
        left_out = set(drill.seen.left_out)
        assert 0 < len(left_out) < len(SYMBOLS)
        drill.symbols = [symbol for symbol in drill.symbols if symbol not in left_out]
        assert await drill.end() == {}
    finally:
        drill.house.close()
