"""Recordings: written beside the loop, read up to any cut, honest about any damage."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.errors import FeedError
from liu_tui.market import recording
from liu_tui.market.framing import ABOUT as ABOUT_KIND
from liu_tui.market.framing import EVENTS, HEADER, MAGIC, BlockFile, blocks
from liu_tui.market.recording import About, Damage, Frame, Missed, RecordingWriter, read
from liu_tui.market.streaming import FeedState, FeedStatus, SessionEnd, StreamItem
from liu_tui.model.clock import Anchor
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Quote, Step, Trade
from tests.kit.market import a_bar, a_quote, a_trade
from tests.kit.recording import ABOUT, EVERY_KIND, T, frames_of, in_blocks, priors_of, written


def test_every_kind_of_event_comes_back_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path / "a.liu", (T, EVERY_KIND), (T + 1, EVERY_KIND[:2]))
    assert frames_of(path) == [(T, list(EVERY_KIND)), (T + 1, list(EVERY_KIND[:2]))]
    assert next(iter(read(path))) == ABOUT


def test_marks_of_the_clock_are_not_kept(tmp_path: Path) -> None:
    trade = a_trade(T)
    path = written(tmp_path / "a", (T, [Step(1, T), trade, Anchor(T, 1)]), (T, [SessionEnd(T)]), (T, []))
    assert frames_of(path) == [(T, [trade])]


def test_history_lies_beside_the_events(tmp_path: Path) -> None:
    bars = [a_bar(T - MINUTE_NS)]
    path = written(tmp_path / "a", (T, [a_trade(T)]), prior={"AAPL": bars, "NONE": []})
    assert priors_of(path) == {"AAPL": bars}


def test_a_writer_counts_what_it_has_written(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a", about=ABOUT)
    writer.add(list(EVERY_KIND), T)
    writer.add([Step(1, T)], T)
    writer.finish()
    writer.finish()
    assert (writer.written, writer.dropped, writer.fault) == (len(EVERY_KIND), 0, "")
    assert writer.size == (tmp_path / "a").stat().st_size


async def test_a_writer_is_closed_without_holding_the_loop_up(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a", about=ABOUT)
    writer.add([a_trade(T)], T)
    writer.flush()
    await writer.close()
    assert frames_of(tmp_path / "a") == [(T, [a_trade(T)])]


def test_in_lock_step_a_frames_time_is_its_steps(tmp_path: Path) -> None:
    # The clock moves with the mark, so that it still says the last step's time while the events come.
    one, two, three, rest = (a_trade(T + n) for n in range(4))
    path = written(
        tmp_path / "a",
        (0, [FeedStatus(FeedState.LIVE)]),
        (0, [one]),
        (0, [two, Step(1, T + 5), three]),
        (T + 5, [Step(2, T + 9), Step(3, T + 10), SessionEnd(T)]),
        (T + 10, [rest]),
        about=About(venue="test", feed="sip", day="2024-08-26", build="0", lockstep=True),
    )
    assert frames_of(path) == [
        (T + 5, [FeedStatus(FeedState.LIVE), one, two]),
        (T + 9, [three]),
        (T + 10, [rest]),
    ]


# ── cuts and damage ──

BLOCKS: list[list[tuple[int, list[StreamItem]]]] = [
    [(T + n, [a_trade(T + n), a_quote(T + n)])] for n in range(4)
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, list[int]]:
    """A recording of four blocks of events; its bytes; where each block of events ends."""
    path = tmp_path_factory.mktemp("recording") / "a.liu"
    ends = []
    for frames in BLOCKS:
        in_blocks(path, [frames])
        ends.append(path.stat().st_size)
    return path, path.read_bytes(), ends


def test_a_file_cut_at_any_byte_gives_every_whole_block_before_the_cut(
    whole: tuple[Path, bytes, list[int]],
) -> None:
    path, data, ends = whole
    cut = path.with_name("cut.liu")
    for size in range(HEADER.size, len(data) + 1):
        cut.write_bytes(data[:size])
        records = list(read(cut))
        frames = [(r.at_ns, list(r.items)) for r in records if isinstance(r, Frame)]
        assert frames == [(t, list(items)) for ((t, items),) in BLOCKS][: _before(ends, size)]
        torn = [record for record in records if isinstance(record, Damage)]
        assert all(damage.end == size for damage in torn)
        assert len(torn) <= 1


def test_a_file_cut_at_any_byte_goes_on_from_the_last_whole_block(
    whole: tuple[Path, bytes, list[int]],
) -> None:
    path, data, ends = whole
    cut = path.with_name("on.liu")
    for size in range(0, len(data) + 1, 3):
        cut.write_bytes(data[:size])
        written(cut, (T + 99, [a_trade(T)]))
        records = list(read(cut))
        assert not [record for record in records if isinstance(record, Damage)]
        frames = [r for r in records if isinstance(r, Frame)]
        assert (len(frames), frames[-1].at_ns) == (_before(ends, size) + 1, T + 99)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_bit_costs_its_own_block_and_is_told_with_its_place(
    whole: tuple[Path, bytes, list[int]], data: st.DataObject
) -> None:
    path, good, _ = whole
    place = data.draw(st.integers(HEADER.size, len(good) - 1))
    bit = data.draw(st.integers(0, 7))
    hurt = path.with_name("hurt.liu")
    hurt.write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])

    with path.open("rb") as file:
        hit = [block.offset <= place < block.end for block in blocks(file)].index(True)
    rest = list(read(path))
    del rest[hit]

    records = list(read(hurt))
    (damage,) = [record for record in records if isinstance(record, Damage)]
    assert damage.offset <= place < damage.end
    assert str(damage).startswith(f"byte {damage.offset:,}: ")
    assert [record for record in records if record is not damage] == rest


def test_rubbish_between_two_blocks_is_passed_over(whole: tuple[Path, bytes, list[int]]) -> None:
    path, good, ends = whole
    hurt = path.with_name("rubbish.liu")
    hurt.write_bytes(good[: ends[1]] + b"LIU\xb1" * 50 + good[ends[1] :])
    assert len(frames_of(hurt)) == len(BLOCKS)
    (damage,) = [record for record in read(hurt) if isinstance(record, Damage)]
    assert (damage.offset, damage.end) == (ends[1], ends[1] + 200)


def test_a_block_that_is_not_what_it_says_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a"
    file = BlockFile(path)
    file.append(EVENTS, b"\x91\xa1?")
    file.append(ABOUT_KIND, b"{}")
    file.append(77, b"of a later build")
    file.close()
    assert [type(record) for record in read(path)] == [Damage, Damage]


# ── what cannot be written to ──


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"timestamp,open\n", "no recording"),
        (HEADER.pack(MAGIC, 9), "version 9"),
        (b"\x89LIX", "no recording"),
    ],
)
def test_a_file_that_is_something_else_is_neither_read_nor_touched(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    for reach in (lambda: list(read(path)), lambda: RecordingWriter(path, about=ABOUT)):
        with pytest.raises(FeedError, match=words):
            reach()
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "a.liu"):
        with pytest.raises(FeedError, match=r"directory"):
            RecordingWriter(path, about=ABOUT)
    with pytest.raises(FeedError, match="No such file"):
        list(read(tmp_path / "a"))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a", about=ABOUT)
    try:
        with pytest.raises(FeedError, match="somebody else is recording"):
            RecordingWriter(tmp_path / "a", about=ABOUT)
    finally:
        writer.finish()
    RecordingWriter(tmp_path / "a", about=ABOUT).finish()


# ── a disk that does not follow ──


class Disk:
    """Stands between a writer and its file: full, or slow, while it is told to be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.tried = threading.Event()
        self.go = threading.Event()
        self.go.set()
        append = BlockFile.append

        def obey(file: BlockFile, kind: int, body: bytes) -> None:
            self.tried.set()
            assert self.go.wait(10)
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            append(file, kind, body)

        monkeypatch.setattr(BlockFile, "append", obey)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(recording, "PATIENCE_S", 0.01)
    return Disk(monkeypatch)


def test_a_full_disk_is_told_and_nothing_is_lost_once_there_is_room(tmp_path: Path, disk: Disk) -> None:
    writer = RecordingWriter(tmp_path / "a", about=ABOUT)
    disk.full = True
    disk.tried.clear()
    writer.add([a_trade(T)], T)
    writer.flush()
    assert disk.tried.wait(10)
    until(lambda: bool(writer.fault))
    assert writer.fault == "a cannot be written: No space left on device"
    disk.full = False
    writer.add([a_quote(T)], T + 1)
    writer.finish()
    assert (writer.fault, writer.written, writer.dropped) == ("", 2, 0)
    assert frames_of(tmp_path / "a") == [(T, [a_trade(T)]), (T + 1, [a_quote(T)])]


def test_a_disk_that_stays_full_is_told_at_the_end_with_what_was_lost(tmp_path: Path, disk: Disk) -> None:
    writer = RecordingWriter(tmp_path / "a", about=ABOUT)
    disk.full = True
    writer.add([a_trade(T), a_trade(T)], T)
    writer.finish()
    assert (writer.written, writer.dropped) == (0, 2)
    assert "No space left" in writer.fault


def test_what_a_slow_disk_has_no_room_for_is_counted_and_leaves_a_mark(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 3)
    writer = RecordingWriter(tmp_path / "a", about=ABOUT)
    disk.go.clear()
    for n in range(10):
        writer.add([a_trade(T + n), a_quote(T + n)], T + n)
    assert writer.dropped == 16
    assert "does not follow: 16 events" in writer.fault
    disk.go.set()
    until(lambda: writer.written == 4)
    writer.add([a_trade(T + 99)], T + 99)
    writer.finish()
    items = [item for _, items in frames_of(tmp_path / "a") for item in items]
    assert items[4:] == [Missed(16, T + 2, T + 9, "the disk did not follow"), a_trade(T + 99)]
    assert writer.fault == ""


def test_an_event_that_no_file_can_hold_leaves_a_mark_and_takes_nothing_along(tmp_path: Path) -> None:
    huge = Trade("AAPL", T, 1.0, 1.0, id=2**70)
    half = Quote("\ud800", T, 1.0, 1.0, 1.0, 1.0)
    path = written(tmp_path / "a", (T, [a_trade(T), huge, a_quote(T)]), (T + 1, [half]))
    (first, items), (_, others) = frames_of(path)
    assert first == T
    assert items[::2] == [a_trade(T), a_quote(T)]
    marks = [items[1], others[0]]
    assert all(isinstance(mark, Missed) and mark.count == 1 for mark in marks)


def test_a_large_session_comes_back_whole(tmp_path: Path) -> None:
    frames: list[tuple[int, list[StreamItem]]] = [
        (T + n * SECOND_NS, [a_trade(T + n * SECOND_NS + k, 100.0 + k, symbol=f"S{k}") for k in range(7)])
        for n in range(3_000)
    ]
    path = written(tmp_path / "a", *frames)
    assert frames_of(path) == frames
    assert path.stat().st_size < 21_000 * 12


def until(true: Callable[[], bool]) -> None:
    """Wait for the writer's thread; the test's own limit ends it."""
    while not true():
        threading.Event().wait(0.002)


def _before(ends: list[int], size: int) -> int:
    return sum(end <= size for end in ends)
