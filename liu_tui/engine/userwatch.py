"""Watching the user's files.

A saved strategy or scanner is told to whoever runs it, a saved plan is compared.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import awatch

QUIET_MS = 150
"""Editors write a file in several strokes: wait for so much quiet."""


async def watch(files: Iterable[Path], on_saved: Callable[[Path], None], stop: asyncio.Event) -> None:
    """Call back with each of these files that is saved, until stop is set.

    Their folders are watched, not the files: editors replace a file by renaming another over it.
    """
    wanted = {Path(os.path.realpath(file)) for file in files}
    folders = {file.parent for file in wanted if os.path.isdir(file.parent)}
    if not folders:
        return
    async for changes in awatch(*folders, debounce=QUIET_MS, step=50, stop_event=stop, recursive=False):
        for path in sorted({Path(os.path.realpath(name)) for _change, name in changes} & wanted):
            if os.path.exists(path):
                on_saved(path)
