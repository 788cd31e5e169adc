"""The frame of a recording's file: a header, then blocks that each stand for themselves.

    header  16 bytes   magic (8), version (2), zeros (6)
    block   20 bytes   mark (4), kind (1), zeros (3), stored (4), raw (4), crc (4)
            body       `stored` bytes of zlib, `raw` bytes when inflated

Numbers are little-endian. crc is the CRC-32 of the block's bytes 4 to 16 and of the body as stored. What a
body says is told in recording.py, and all of it in docs/recordings.md.

A block is whole or it is nothing: a writer that dies in the middle of one leaves a tail that readers report
and the next writer cuts off. A damaged block costs itself only: the next one is found by its mark.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from liu_tui.errors import FeedError

MAGIC: Final = b"\x89LIU\r\n\x1a\n"
"""As PNG's: a file that went through a text mode, or lost its eighth bit, is known by it."""
VERSION: Final = 1
HEADER: Final = struct.Struct("<8sH6x")
ABOUT: Final = 1
EVENTS: Final = 2

_MARK: Final = b"LIU\xb1"
_BLOCK: Final = struct.Struct("<4sB3xIII")
_CHECKED: Final = slice(4, 16)
_LEVEL: Final = 1  # measured: level 3 costs half as much again and saves a twentieth
_MOST: Final = 1 << 26  # no writer makes a block of 64 MiB: a length beyond it is damage
_WINDOW: Final = 1 << 20


class Block(NamedTuple):
    """A whole block as it lies in the file."""

    offset: int
    kind: int
    raw: int
    stored: bytes

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + _BLOCK.size + len(self.stored)

    def body(self) -> bytes:
        """Inflate it. Raises ValueError if that is not what its header says."""
        inflating = zlib.decompressobj()
        try:
            body = inflating.decompress(self.stored, self.raw + 1)
        except zlib.error as e:
            raise ValueError(f"the block cannot be inflated: {e}") from e
        if len(body) != self.raw:
            raise ValueError(f"the block holds {len(body):,} bytes where {self.raw:,} were announced")
        return body


class Damage(NamedTuple):
    """Bytes that are no whole block, from `offset` up to `end`, and why in words."""

    offset: int
    end: int
    words: str

    def __str__(self) -> str:
        return f"byte {self.offset:,}: {self.words}; {self.end - self.offset:,} bytes are passed over"


def packed(kind: int, body: bytes | bytearray) -> bytes:
    """Make a block."""
    stored = zlib.compress(body, _LEVEL)
    bare = _BLOCK.pack(_MARK, kind, len(stored), len(body), 0)
    crc = zlib.crc32(stored, zlib.crc32(bare[_CHECKED]))
    return _BLOCK.pack(_MARK, kind, len(stored), len(body), crc) + stored


def is_recording(path: Path) -> bool:
    """Say whether a file begins as a recording does. Raises FeedError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError as e:
        raise system_said(path, e) from e


def check_header(head: bytes, path: Path) -> None:
    """Raise FeedError if a file's first bytes are not a recording's of this version."""
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        raise FeedError(
            "this file is no recording",
            where=str(path),
            mend="Name one that liu-tui record made, or a new file.",
        )
    version = HEADER.unpack(head)[1]
    if version != VERSION:
        raise FeedError(
            f"the recording is of version {version}, this build knows {VERSION}",
            where=str(path),
            mend="Read it with the build that wrote it, or a later one.",
        )


def blocks(file: BinaryIO, *, before: int | None = None) -> Iterator[Block | Damage]:
    """Yield what lies after the header, in order; damaged parts too, so that nobody misses them unawares.

    before: where to stop; the file's present end if None
    """
    at, end = HEADER.size, file.seek(0, os.SEEK_END) if before is None else before
    while at < end:
        found = block_at(file, at, end)
        part = found if isinstance(found, Block) else Damage(at, _next(file, at + 1, end), found)
        at = part.end
        yield part


def block_at(file: BinaryIO, offset: int, end: int) -> Block | str:
    """Read the block that begins at an offset, or say in words why there is none."""
    file.seek(offset)
    head = file.read(min(_BLOCK.size, end - offset))
    if len(head) < _BLOCK.size:
        return "the file ends within a block"
    mark, kind, stored, raw, crc = _BLOCK.unpack(head)
    if mark != _MARK:
        return "no block begins here"
    if stored > _MOST or raw > _MOST:
        return "a block's length cannot be so"
    if stored > end - offset - _BLOCK.size:
        return "the file ends within a block"
    body = file.read(stored)
    if len(body) < stored or zlib.crc32(body, zlib.crc32(head[_CHECKED])) != crc:
        return "a block's checksum does not fit"
    return Block(offset, kind, raw, body)


class BlockFile:
    """A recording that is open for appending; one writer at a time. A torn tail is cut off first.

    Raises FeedError if the file is something else, is being written, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise system_said(path, e) from e
        try:
            self._lock()
            self.size = self._prepare()
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, kind: int, body: bytes | bytearray) -> None:
        """Write a block. Raises OSError; the file then ends where it ended before."""
        left = memoryview(packed(kind, body))
        try:
            at = self.size
            while left:
                done = os.pwrite(self._fd, left, at)
                left, at = left[done:], at + done
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size = at

    def sync(self) -> None:
        """Return when all that was written lies on the disk itself. Raises OSError."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._fd)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            mend = "Name another file, or end that session."
            raise FeedError("somebody else is recording to it", where=str(self.path), mend=mend) from e

    def _prepare(self) -> int:
        with os.fdopen(os.dup(self._fd), "rb") as file:
            head = file.read(HEADER.size)
            fresh = HEADER.pack(MAGIC, VERSION)
            if fresh.startswith(head) and len(head) < HEADER.size:  # a writer died in its first moment
                os.ftruncate(self._fd, 0)
                os.pwrite(self._fd, fresh, 0)
                return HEADER.size
            check_header(head, self.path)
            end = max((part.end for part in blocks(file) if isinstance(part, Block)), default=HEADER.size)
        os.ftruncate(self._fd, end)
        return end


def system_said(path: Path, error: OSError) -> FeedError:
    """Word what the system said of a file that cannot be read or written."""
    return FeedError(error.strerror or str(error), where=str(path), mend="Check the path and its rights.")


def _next(file: BinaryIO, start: int, end: int) -> int:
    """Find the first whole block at or after an offset; the end if there is none."""
    while start < end:
        file.seek(start)
        window = file.read(min(_WINDOW, end - start))
        at = window.find(_MARK)
        while at >= 0:
            if isinstance(block_at(file, start + at, end), Block):
                return start + at
            at = window.find(_MARK, at + 1)
        if start + len(window) >= end:
            break
        start += len(window) - len(_MARK) + 1  # a mark may lie across two windows
    return end
