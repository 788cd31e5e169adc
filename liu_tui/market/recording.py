"""Recordings: what a producer received, per frame, with the times at which it came. Writer and reader.

A file's blocks (see framing.py) hold, inflated:

    about    one JSON object: who records now. Each opening of the file writes one
    events   a msgpack array of records, in the order in which they came:
             ["f", at_ns, wall_ns, [item, ...]]    a frame as it was received
             ["s", at_ns, [symbol, ...]]           from now on these symbols are received
             ["p", symbol, [bar, ...]]             history known when the symbol was first subscribed

The items are the structs of model/market.py and market/streaming.py, which are arrays with a tag. Nothing is
unpickled. docs/recordings.md tells it for those who write another reader.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, get_args

import msgspec

from liu_tui.market.framing import (
    ABOUT,
    EVENTS,
    HEADER,
    Block,
    BlockFile,
    Damage,
    blocks,
    check_header,
    system_said,
)
from liu_tui.market.streaming import FeedStatus, StreamItem, Unreadable
from liu_tui.model.clock import monotonic_ns, wall_ns
from liu_tui.model.market import SECOND_NS, Bar, Step, TapeEvent

__all__ = [
    "SUFFIX",
    "About",
    "Damage",
    "Frame",
    "Missed",
    "Prior",
    "Record",
    "RecordingWriter",
    "Subscribed",
    "read",
]

SUFFIX: Final = ".liu"
BLOCK_EVENTS: Final = 4_096
"""A block is written when so many events wait; some 200 KiB before it is compressed."""
PATIENCE_S: Final = 1.0
"""... or when the first has waited so long: what a crash of the process can cost."""
CLOSE_S: Final = 10.0
SYNC_S: Final = 10.0
"""What a crash of the machine can cost: the file is synced to disk so often, and when it is closed."""
MOST_WAITING: Final = 200_000
"""Events that may wait for a slow disk, some 50 MB; those that come then are left out, and counted."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Who recorded what.

    venue:    the local market or a vendor, as a person would say it; feed: which of its feeds
    day:      ISO date in New York of the session
    build:    of the writer
    delay_ns: how far the feed was behind the market by its own declaration
    lockstep: the venue's time moved in steps; a frame's at_ns is then its step's
    """

    venue: str
    feed: str
    day: str
    build: str
    delay_ns: int = 0
    lockstep: bool = False


class Missed(msgspec.Struct, frozen=True, array_like=True, tag="missed", gc=False):
    """So many events came and could not be recorded, from one session time to another. words: why."""

    count: int
    from_ns: int
    to_ns: int
    words: str


Item = TapeEvent | FeedStatus | Unreadable | Missed
"""What a frame holds: the tape's events, and what happened to the feed, so that a gap is seen as one."""


class Frame(msgspec.Struct, frozen=True, array_like=True, tag="f", gc=False):
    """What came at one moment. at_ns: by the venue's clock; wall_ns: by the recording machine's."""

    at_ns: int
    wall_ns: int
    items: list[Item]


class Subscribed(msgspec.Struct, frozen=True, array_like=True, tag="s", gc=False):
    """From a moment on these symbols are received: before it their silence says nothing."""

    at_ns: int
    symbols: list[str]


class Prior(msgspec.Struct, frozen=True, array_like=True, tag="p", gc=False):
    """History of a symbol from before it was subscribed: daily bars, and today's minutes so far."""

    symbol: str
    bars: list[Bar]


Record = About | Frame | Subscribed | Prior | Damage

_FrameRow = tuple[str, int, int, Sequence[StreamItem | Missed]]
_Row = _FrameRow | Subscribed | Prior
"""A record before it is encoded. A tuple makes the same bytes as a Frame, at less cost."""


class _Body(NamedTuple):
    """A block to be written: its body, how many items are in it, and how many came for it."""

    body: bytes
    items: int
    came: int


_KEPT: Final = frozenset(get_args(Item))
_encoder: Final = msgspec.msgpack.Encoder()
_about: msgspec.json.Decoder[About] = msgspec.json.Decoder(About)
_records: msgspec.msgpack.Decoder[list[Frame | Subscribed | Prior]] = msgspec.msgpack.Decoder(
    list[Frame | Subscribed | Prior]
)


def read(path: Path) -> Iterator[Record]:
    """Yield all that a recording holds, in order, a block at a time.

    A part that cannot be read comes as a Damage in its place; every whole block before and after it is given.
    Raises FeedError if the file is no recording of a version that this build knows.
    """
    try:
        with path.open("rb") as file:
            check_header(file.read(HEADER.size), path)
            for part in blocks(file):
                yield from (part,) if isinstance(part, Damage) else unpacked(part)
    except OSError as e:
        raise system_said(path, e) from e


def unpacked(block: Block) -> list[Record]:
    """Read one block; kinds that this build does not know are passed over."""
    try:
        if block.kind == ABOUT:
            return [_about.decode(block.body())]
        return list(_records.decode(block.body())) if block.kind == EVENTS else []
    except (ValueError, msgspec.DecodeError) as e:
        return [Damage(block.offset, block.end, str(e))]


class RecordingWriter:
    """Appends to a recording, in a thread of its own: nobody waits for the disk.

    path:  made if it is not there; a recording that is there goes on, its torn tail cut off
    about: written first

    written: events in the file
    dropped: events left out because the disk did not follow; a Missed stands in their place

    Raises FeedError if the file is something else, is being recorded to, or cannot be written.
    """

    def __init__(self, path: Path, *, about: About) -> None:
        self.path = path
        self.written = self.dropped = 0
        self._lockstep = about.lockstep
        self._file = BlockFile(path)
        try:
            self._file.append(ABOUT, msgspec.json.encode(about))
        except OSError as e:
            self._file.close()
            raise system_said(path, e) from e
        self._waiting: deque[_Row] = deque()
        # Each is counted up by one thread only, so that their difference needs no lock.
        self._added = self._done = 0
        self._missed: Missed | None = None
        self._step: list[StreamItem | Missed] = []
        self._step_came = 0, 0
        self._block: _Body | None = None  # taken, and not yet written
        self._disk = ""
        self._synced_ns, self._synced = monotonic_ns(), 0
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
        self._thread.start()

    @property
    def fault(self) -> str:
        """Why events are not written at present, in words; "" if all is well."""
        if self._disk or self._missed is None:
            return self._disk
        return f"the disk does not follow: {self.dropped:,} events are left out of {self.path.name}"

    @property
    def size(self) -> int:
        """Bytes of the file, without what still waits."""
        return self._file.size

    def add(self, events: Sequence[StreamItem], at_ns: int) -> None:
        """Take what was received at one moment of session time. Never waits, never fails.

        Marks of the clock (Step, Anchor, SessionEnd) are not kept. The sequence may not change later.
        """
        if not events:
            return
        waiting = self._added - self._done
        if waiting > MOST_WAITING or self._ending:
            self._miss(len(events), at_ns)
            return
        if self._missed is not None:
            self._tell_missed()
        self._waiting.append(("f", at_ns, wall_ns(), events))
        self._added += len(events)
        if waiting >= BLOCK_EVENTS and not self._wake.is_set():
            self._wake.set()

    def subscribed(self, symbols: Sequence[str], at_ns: int) -> None:
        """Take that these symbols are received from a moment on. Never waits, never fails."""
        if symbols:
            self._waiting.append(Subscribed(at_ns, list(symbols)))
            self._added += 1

    def prior(self, symbol: str, bars: Sequence[Bar]) -> None:
        """Take the history that is known of a symbol as it is subscribed. Never waits, never fails."""
        if bars:
            self._waiting.append(Prior(symbol, list(bars)))
            self._added += len(bars)

    def flush(self) -> None:
        """Have what waits written at once. Does not wait for it."""
        self._wake.set()

    async def close(self) -> None:
        """Write what waits, sync, let the file go. May be called twice."""
        await asyncio.to_thread(self.finish)

    def finish(self) -> None:
        """Do what close() does, for those who have no loop."""
        if self._missed is not None and not self._ending:
            self._tell_missed()
        self._ending = True
        self._wake.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._disk = f"the disk does not answer: the end of {self.path.name} may be missing"

    # ── the caller's side ──

    def _miss(self, count: int, at_ns: int) -> None:
        self.dropped += count
        before = self._missed or Missed(0, at_ns, at_ns, "the disk did not follow")
        self._missed = Missed(before.count + count, before.from_ns, at_ns, before.words)

    def _tell_missed(self) -> None:
        if self._missed is not None:
            self._waiting.append(("f", self._missed.to_ns, wall_ns(), (self._missed,)))
            self._added += 1
            self._missed = None

    # ── the thread's side ──

    def _work(self) -> None:
        ending = False
        try:
            while not ending:
                self._wake.wait(PATIENCE_S)
                self._wake.clear()
                ending = self._ending
                self._write_all(ending)
                self._sync(ending)
        except Exception as e:  # noqa: BLE001 - the thread's edge: the session goes on, and says that this has ended
            self._disk = f"the recording has ended: {type(e).__name__}: {e}"
            self._ending = True
        finally:
            self._file.close()

    def _write_all(self, ending: bool) -> None:
        """Write what waits, a block at a time; if the disk refuses, keep that block for the next turn."""
        while self._block is not None or self._fill(ending):
            if self._block is not None and not self._write(self._block):
                self.dropped += self._added - self._done if ending else 0
                return
            self._block = None

    def _write(self, block: _Body) -> bool:
        try:
            self._file.append(EVENTS, block.body)
        except OSError as e:
            self._disk = f"{self.path.name} cannot be written: {e.strerror or e}"
            return False
        self._disk = ""
        self.written += block.items
        self._done += block.came
        return True

    def _fill(self, ending: bool) -> bool:
        """Take what waits, up to a block's size; says whether there was anything."""
        rows: list[_Row] = []
        came = 0
        while came < BLOCK_EVENTS and self._waiting:
            row = self._waiting.popleft()
            if not isinstance(row, tuple):
                came += len(row.bars) if isinstance(row, Prior) else 1
                rows.append(row)
                continue
            came += len(row[3])
            if self._lockstep:
                rows += self._stepped(row)
            elif _KEPT.issuperset(map(type, row[3])):
                rows.append(row)
            elif kept := [event for event in row[3] if type(event) in _KEPT]:
                rows.append((*row[:3], kept))
        if ending and not self._waiting and self._step:
            rows.append(("f", *self._step_came, self._step))  # its mark never came
            self._step = []
        if rows:
            self._block = _packed(rows, came)
        else:
            self._done += came
        return came > 0 or bool(rows)

    def _stepped(self, row: _FrameRow) -> list[_Row]:
        """Hold a step's events until its mark tells its time; the clock still says the last one's."""
        rows: list[_Row] = []
        _, at_ns, wall, events = row
        self._step_came = at_ns, wall
        for event in events:
            if isinstance(event, Step):
                if self._step:
                    rows.append(("f", event.t_ns, wall, self._step))
                    self._step = []
            elif type(event) in _KEPT:
                self._step.append(event)
        return rows

    def _sync(self, ending: bool) -> None:
        now = monotonic_ns()
        due = ending or now - self._synced_ns > SYNC_S * SECOND_NS
        if due and self._synced != self._file.size:
            self._synced_ns, self._synced = now, self._file.size
            try:
                self._file.sync()
            except OSError as e:
                self._disk = f"{self.path.name} cannot be synced: {e.strerror or e}"


def _packed(rows: list[_Row], came: int) -> _Body:
    try:
        body = _encoder.encode(rows)
    except (OverflowError, ValueError, TypeError):  # an id beyond 64 bits, half a surrogate pair
        rows = [(*row[:3], _writable(row)) if isinstance(row, tuple) else row for row in rows]
        body = _encoder.encode(rows)
    return _Body(body, sum(len(row[3]) for row in rows if isinstance(row, tuple)), came)


def _writable(row: _FrameRow) -> list[StreamItem | Missed]:
    """Put a Missed in the place of what msgpack cannot hold."""
    kept: list[StreamItem | Missed] = []
    for item in row[3]:
        try:
            _encoder.encode(item)
        except (OverflowError, ValueError, TypeError) as e:
            kept.append(Missed(1, row[1], row[1], f"it cannot be written: {e}"))
        else:
            kept.append(item)
    return kept
