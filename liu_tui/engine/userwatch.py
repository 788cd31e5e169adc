"""Watching the user's files.

A saved strategy or scanner is told to whoever runs it, a saved plan is compared.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import Change, awatch

QUIET_MS = 150
"""Editors write a file in several strokes: wait for so much quiet."""


async def watch(files: Iterable[Path], on_saved: Callable[[Path], None], stop: asyncio.Event) -> None:
    """Call back with each of these files that is saved, until stop is set.

    Their folders are watched, not the files: editors replace a file by renaming another over it.
    """
    wanted = {_real(file) for file in files}
    folders = _folders(wanted)
    if not folders:
        return
    async for changes in awatch(*folders, debounce=QUIET_MS, step=50, stop_event=stop, recursive=False):
        for path in _saved(changes, wanted):
            on_saved(path)


def _real(path: Path | str) -> Path:
    return Path(os.path.realpath(path))


def _folders(files: set[Path]) -> set[Path]:
    return {file.parent for file in files if file.parent.is_dir()}


def _saved(changes: set[tuple[Change, str]], wanted: set[Path]) -> list[Path]:
    touched = {_real(name) for _change, name in changes}
    return sorted(path for path in touched & wanted if path.exists())
