"""The lock: one holder at a time, and none that is dead."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from liu_tui.engine.lock import FileLock, is_held
from liu_tui.errors import RefusedError

HOLDER = """
import sys
from pathlib import Path
from liu_tui.engine.lock import FileLock
lock = FileLock.take(Path(sys.argv[1]), "batch b-7")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_a_child(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have another process take the lock, and hold it until it ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        try:
            yield child
        finally:
            child.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "plan.lock"


def test_a_lock_dies_with_its_holder_however_it_dies(path: Path) -> None:
    with held_by_a_child(path) as child:
        assert is_held(path)
        with pytest.raises(RefusedError, match="taken by batch b-7"):
            FileLock.take(path, "mine")
        child.kill()
        child.wait()
        assert not is_held(path)
        FileLock.take(path, "mine").release()


def test_a_lock_is_taken_once_and_can_be_taken_again_when_it_was_let_go(path: Path) -> None:
    lock = FileLock.take(path, "one")
    assert is_held(path)
    with pytest.raises(RefusedError, match="taken by one"):
        FileLock.take(path, "two")
    lock.release()
    lock.release()
    assert not is_held(path)
    with FileLockHeld(path, "a much shorter one"):
        assert path.read_text() == "a much shorter one"


class FileLockHeld:
    """Hold a lock for a while."""

    def __init__(self, path: Path, words: str) -> None:
        self._lock = FileLock.take(path, words)

    def __enter__(self) -> None: ...

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


def test_a_holder_with_fewer_words_than_the_last_leaves_none_of_them(path: Path) -> None:
    FileLock.take(path, "batch 2026-01-05-today-with-a-long-name").release()
    with FileLockHeld(path, "b-2"):
        assert path.read_text() == "b-2"


def test_a_lock_is_its_owners_alone(path: Path) -> None:
    with FileLockHeld(path, "mine"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_lock_that_was_never_taken_is_not_held(path: Path) -> None:
    assert not is_held(path)
    assert not path.exists()


def test_asking_who_holds_a_lock_does_not_keep_anybody_from_taking_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at the lock takes it for a moment: whoever wants it looks again, and gets it."""
    FileLock.take(path, "").release()
    asking = [FileLock.take(path, "a look")]

    def look_again(_seconds: float) -> None:
        asking.pop().release()

    monkeypatch.setattr("time.sleep", look_again)
    FileLock.take(path, "mine").release()


def test_two_who_ask_do_not_see_each_other(path: Path) -> None:
    FileLock.take(path, "").release()
    words = "import sys\nfrom pathlib import Path\nfrom liu_tui.engine.lock import is_held\nprint("
    words += "any(is_held(Path(sys.argv[1])) for _ in range(2000)))"
    with subprocess.Popen([sys.executable, "-c", words, str(path)], stdout=subprocess.PIPE) as other:
        seen = False
        while other.poll() is None:
            seen = seen or is_held(path)
        assert other.stdout is not None
        assert other.stdout.read() == b"False\n"
    assert not seen
