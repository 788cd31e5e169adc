"""Minute bars in files: one a symbol and day, compressed, checked by a sum, replaced whole.

What a file holds: a header (magic, version, flags, count, until, asked), the bars by columns, CRC-32 of all
before. The columns are stamps (differences, so that they compress to nothing) and the seven fields of a
Block, their bytes sorted by significance, under zlib: some 20 bytes a bar. Nothing here is irreplaceable: no
file is synced, and one that is damaged is thrown away.

Any number of processes may read and write: a name is replaced in one go, and each writer's word is true.
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from datetime import date
from itertools import count
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from liu_tui.market.block import FIELDS, Block, frozen

_HEADER: Final = struct.Struct("<4sBBHIqq")
_SUM: Final = struct.Struct("<I")
_MAGIC: Final = b"LIUM"
_VERSION: Final = 1
_HOLES: Final = 1
_ROW_BYTES: Final = 8 * (1 + len(FIELDS))

_numbers = count()


class KnownDay(msgspec.Struct, frozen=True):
    """What is known of one symbol's day in New York.

    block:    its minute bars, from the day's beginning
    until_ns: all bars that end at or before it are here; the day's end if the day is whole
    asked_ns: when the vendor was asked last
    holes:    it looks as if the vendor lacked some (see coverage.has_holes)
    """

    block: Block
    until_ns: int
    asked_ns: int
    holes: bool = False


class MinuteFiles:
    """The files of one feed below a folder. Blocking: call it from a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, symbol: str, day: date) -> KnownDay | None:
        """Return what is known of a day, or None. A damaged file is removed, and nothing is known."""
        path = self._path(symbol, day)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        known = _parsed(data)
        if known is None:
            with suppress(OSError):
                path.unlink()
        return known

    def write(self, symbol: str, day: date, known: KnownDay) -> None:
        """Put a day's file in place of the one before. Raises OSError."""
        path = self._path(symbol, day)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{next(_numbers)}")
        try:
            fresh.write_bytes(_formed(known))
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def _path(self, symbol: str, day: date) -> Path:
        # A symbol has letters, digits, dots, hyphens and slashes; its first is a letter or digit.
        return self._folder / symbol.replace("/", "_") / f"{day.isoformat()}.bars"


def _formed(known: KnownDay) -> bytes:
    block = known.block
    stamps = np.diff(block.t_ns, prepend=np.int64(0))
    rows = [stamps.view(np.float64), *block.values]
    shuffled = b"".join(np.ascontiguousarray(row).view(np.uint8).reshape(-1, 8).T.tobytes() for row in rows)
    flags = _HOLES if known.holes else 0
    head = _HEADER.pack(_MAGIC, _VERSION, flags, 0, len(block), known.until_ns, known.asked_ns)
    body = head + zlib.compress(shuffled, 1)
    return body + _SUM.pack(zlib.crc32(body))


def _parsed(data: bytes) -> KnownDay | None:
    """Read a file's bytes; None if they are not what we wrote."""
    if len(data) < _HEADER.size + _SUM.size:
        return None
    body, end = data[: -_SUM.size], data[-_SUM.size :]
    magic, version, flags, _, n, until_ns, asked_ns = _HEADER.unpack_from(body)
    if (magic, version) != (_MAGIC, _VERSION) or _SUM.unpack(end)[0] != zlib.crc32(body):
        return None
    try:
        shuffled = zlib.decompress(body[_HEADER.size :])
    except zlib.error:
        return None
    if len(shuffled) != n * _ROW_BYTES:
        return None
    planes = np.frombuffer(shuffled, np.uint8).reshape(1 + len(FIELDS), 8, n)
    rows = np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(1 + len(FIELDS), 8 * n)
    stamps = rows[0].view(np.int64).cumsum()
    return KnownDay(frozen(stamps, rows[1:].view(np.float64)), until_ns, asked_ns, bool(flags & _HOLES))
