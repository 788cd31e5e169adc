"""Minute files: bit for bit what was put in, or nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.market.block import EMPTY, FIELDS, Block, block_of, frozen
from liu_tui.model.market import MINUTE_NS
from liu_tui.store.minutefiles import KnownDay, MinuteFiles
from tests.kit.market import a_bar, at

DAY = date(2024, 8, 26)
BLOCK = block_of([a_bar(at("09:30") + k * MINUTE_NS, 100.01 + k) for k in range(20)])


def same(one: Block, other: Block) -> bool:
    return one.t_ns.tobytes() == other.t_ns.tobytes() and one.values.tobytes() == other.values.tobytes()


@pytest.fixture
def files(tmp_path: Path) -> MinuteFiles:
    return MinuteFiles(tmp_path / "alpaca-sip")


def only_file(folder: Path) -> Path:
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_bars_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    n = data.draw(st.integers(0, 30))
    stamps = data.draw(st.lists(st.integers(0, 2**62), min_size=n, max_size=n, unique=True).map(sorted))
    numbers = st.lists(st.floats(width=64), min_size=7 * n, max_size=7 * n)
    block = frozen(
        np.array(stamps, np.int64), np.array(data.draw(numbers), np.float64).reshape(len(FIELDS), n)
    )
    files = MinuteFiles(tmp_path_factory.mktemp("files"))
    files.write("BRK.B", DAY, KnownDay(block, 7, 8, holes=True))

    back = files.read("BRK.B", DAY)
    assert back is not None
    assert same(back.block, block)
    assert (back.until_ns, back.asked_ns, back.holes) == (7, 8, True)


def test_a_day_without_bars_is_something_that_is_known(files: MinuteFiles) -> None:
    files.write("AAPL", DAY, KnownDay(EMPTY, 5, 6))
    back = files.read("AAPL", DAY)
    assert back is not None
    assert len(back.block) == 0


def test_what_was_never_written_is_not_known(files: MinuteFiles) -> None:
    assert files.read("AAPL", DAY) is None


def test_symbols_and_days_do_not_mix(files: MinuteFiles, tmp_path: Path) -> None:
    for n, symbol in enumerate(("A/B", "A.B", "A-B", "AB")):
        files.write(symbol, DAY, KnownDay(EMPTY, n, 0))
    untils = [files.read(symbol, DAY) for symbol in ("A/B", "A.B", "A-B", "AB")]
    assert [known.until_ns for known in untils if known is not None] == [0, 1, 2, 3]
    assert files.read("AB", date(2024, 8, 27)) is None


def test_a_file_that_differs_in_any_byte_is_thrown_away(files: MinuteFiles, tmp_path: Path) -> None:
    files.write("AAPL", DAY, KnownDay(BLOCK, 1, 2))
    path = only_file(tmp_path)
    whole = path.read_bytes()
    for at_byte in range(0, len(whole), 7):
        path.write_bytes(whole[:at_byte] + bytes([whole[at_byte] ^ 0x40]) + whole[at_byte + 1 :])
        assert files.read("AAPL", DAY) is None, at_byte
        assert not path.exists()
    for length in (0, 3, 20, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert files.read("AAPL", DAY) is None, length
    path.write_bytes(whole)
    assert files.read("AAPL", DAY) is not None


def test_a_write_that_fails_leaves_the_file_before_it_and_no_rest(
    files: MinuteFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("AAPL", DAY, KnownDay(BLOCK, 1, 2))

    def refuse(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        files.write("AAPL", DAY, KnownDay(EMPTY, 3, 4))
    known = files.read("AAPL", DAY)
    assert known is not None
    assert known.until_ns == 1
    assert only_file(tmp_path).name == "2024-08-26.bars"


def test_a_bar_takes_some_twenty_bytes(files: MinuteFiles, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    prices = 150 + np.cumsum(rng.normal(0, 0.05, 390)).round(2)
    bars = [
        a_bar(at("09:30") + k * MINUTE_NS, float(p), float(rng.integers(10_000)))
        for k, p in enumerate(prices)
    ]
    files.write("AAPL", DAY, KnownDay(block_of(bars), 1, 2))
    assert only_file(tmp_path).stat().st_size < 390 * 25
