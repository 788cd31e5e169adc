"""Locks that the kernel lets go of when their holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from liu_tui.errors import RefusedError

LOOKS = 5
LOOK_S = 0.005
"""Whoever asks is_held() has the lock for microseconds: look again before believing that it is taken."""


class FileLock:
    """An advisory lock on a private file. The file holds the holder's words, for whoever is refused."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def take(cls, path: Path, words: str) -> FileLock:
        """Take the lock. Raises RefusedError with the holder's words if somebody has it."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(fd)
        except OSError as e:
            holder = os.pread(fd, 200, 0).decode(errors="replace").strip()
            os.close(fd)
            raise RefusedError(f"taken by {holder or 'another process'}", where=str(path)) from e
        os.ftruncate(fd, 0)
        os.pwrite(fd, words.encode(), 0)
        return cls(path, fd)

    def release(self) -> None:
        """Let it go. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _lock(fd: int) -> None:
    for look in range(1, LOOKS + 1):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if look == LOOKS:
                raise
            time.sleep(LOOK_S)
        else:
            return
