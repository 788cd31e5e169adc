"""Watching users' files: what an editor saves is seen, however it saves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from liu_tui.engine.userwatch import watch
from tests.kit.engine import PATIENCE_S


class Watcher:
    """A watch that runs, and what it has seen."""

    def __init__(self, *files: Path) -> None:
        self.stop = asyncio.Event()
        self.seen: list[Path] = []
        self.changed = asyncio.Event()
        self.task = asyncio.create_task(watch(files, self._saved, self.stop))

    def _saved(self, path: Path) -> None:
        self.seen.append(path)
        self.changed.set()

    async def sees(self, path: Path, save: Callable[[], object]) -> None:
        """Save until it is seen: nobody tells when the kernel has begun to watch."""
        async with asyncio.timeout(PATIENCE_S):
            while path not in self.seen:
                self.changed.clear()
                save()
                try:
                    async with asyncio.timeout(0.5):
                        await self.changed.wait()
                except TimeoutError:
                    continue

    async def close(self) -> None:
        """Stop watching."""
        self.stop.set()
        await self.task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "plans").mkdir()
    return tmp_path.resolve()


def save(path: Path, words: str = "x = 1\n") -> None:
    """Write a file in place."""
    path.write_text(words)


def save_like_an_editor(path: Path) -> None:
    """Write beside, and put in place by renaming."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text("x = 2\n")
    beside.replace(path)


async def test_a_file_written_in_place_is_seen(folder: Path) -> None:
    mine = folder / "strategies" / "mine.py"
    save(mine)
    watcher = Watcher(mine)
    await watcher.sees(mine, lambda: save(mine))
    await watcher.close()


async def test_a_file_replaced_by_renaming_is_seen_again_and_again(folder: Path) -> None:
    mine = folder / "strategies" / "mine.py"
    save(mine)
    watcher = Watcher(mine)
    for _ in range(2):
        watcher.seen.clear()
        await watcher.sees(mine, lambda: save_like_an_editor(mine))
    await watcher.close()


async def test_only_the_files_that_were_named_are_told_of(folder: Path) -> None:
    mine, other, plan = (
        folder / "strategies" / "mine.py",
        folder / "strategies" / "b.py",
        folder / "plans" / "p.toml",
    )
    watcher = Watcher(mine, plan)

    def save_all() -> None:
        for path in (other, mine, plan):
            save(path)

    await watcher.sees(mine, save_all)
    await watcher.sees(plan, save_all)
    assert set(watcher.seen) == {mine, plan}
    await watcher.close()


async def test_a_file_that_went_away_is_not_told_of_until_it_is_back(folder: Path) -> None:
    mine, beacon = folder / "strategies" / "mine.py", folder / "strategies" / "beacon.py"
    save(mine)
    watcher = Watcher(mine, beacon)
    await watcher.sees(beacon, lambda: save(beacon))
    watcher.seen.clear()
    mine.unlink()
    await watcher.sees(beacon, lambda: save(beacon, "y = 2\n"))
    assert mine not in watcher.seen
    await watcher.sees(mine, lambda: save_like_an_editor(mine))
    await watcher.close()


async def test_nothing_to_watch_is_no_error(folder: Path) -> None:
    watcher = Watcher(folder / "nowhere" / "mine.py")
    async with asyncio.timeout(PATIENCE_S):
        await watcher.task
