"""What runs on this workspace.

One small file per session, and the locks that tell the living from the dead.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import msgspec

from liu_tui.engine.lock import FileLock, is_held
from liu_tui.settings import Workspace


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A session as `sessions` lists it and the next start finds it.

    desk_pid, market_pid: processes that outlive a supervisor; 0 where there is none
    ended: the session ended in order; such a file is not resumed
    """

    batch_id: str
    plan: str
    pid: int
    socket: str
    started_ns: int
    environment: str
    desk_pid: int = 0
    market_pid: int = 0
    market_url: str = ""
    market_port: int = 0
    ledger: str = ""
    ended: bool = False


class Registry:
    """The session files of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._dir = workspace.sessions_dir

    def save(self, record: SessionRecord) -> None:
        """Write a session's file whole, or not at all."""
        path = self._path(record.batch_id)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.chmod(0o600)
        fresh.replace(path)

    def load(self) -> list[SessionRecord]:
        """All session files, oldest first; those that cannot be read are passed over."""
        records = []
        for path in self._dir.glob("*.session.json"):
            try:
                records.append(msgspec.json.decode(path.read_bytes(), type=SessionRecord))
            except (OSError, msgspec.MsgspecError):
                continue
        return sorted(records, key=lambda record: record.started_ns)

    def running(self) -> list[SessionRecord]:
        """Sessions whose supervisor lives."""
        return [record for record in self.load() if not record.ended and is_held(self.lock_path(record.plan))]

    def unfinished(self, plan: str) -> SessionRecord | None:
        """The newest session of a plan that did not end in order. Ask only while holding the plan's lock."""
        mine = [record for record in self.load() if record.plan == plan and not record.ended]
        return mine[-1] if mine else None

    def lock(self, plan: str, words: str) -> FileLock:
        """Take a plan's lock: one session per plan. Raises RefusedError."""
        return FileLock.take(self.lock_path(plan), words)

    def lock_path(self, plan: str) -> Path:
        """The lock that a plan's supervisor holds while it lives."""
        return self._dir / f"plan-{hashlib.sha256(plan.encode()).hexdigest()[:16]}.lock"

    def summary_path(self, batch_id: str) -> Path:
        """Where a session leaves its summary."""
        return self._dir / f"{batch_id}.summary.json"

    def close(self, record: SessionRecord) -> None:
        """The session has ended in order: its file goes, its summary stays."""
        self._path(record.batch_id).unlink(missing_ok=True)
        for face in self._dir.glob(f"{record.batch_id}.*.face"):
            face.unlink(missing_ok=True)

    def _path(self, batch_id: str) -> Path:
        return self._dir / f"{batch_id}.session.json"


def is_ours(pid: int) -> bool:
    """Whether a process of this program lives under this id: after a reboot it may be anybody's."""
    if not is_alive(pid):
        return False
    said = subprocess.run(  # noqa: S603 - a number is all that varies
        ["ps", "-p", str(pid), "-o", "command="],  # noqa: S607 - where it lies differs by system
        capture_output=True,
        text=True,
        check=False,
    )
    return "liu_tui" in said.stdout


def is_alive(pid: int) -> bool:
    """Whether a process of ours with this id lives."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
