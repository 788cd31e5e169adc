"""The machine under a session: Python, libraries, disk, sockets, what runs, and what a logout would kill."""

import os
import platform
import pwd
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

from liu_tui import __version__
from liu_tui.cli.checkups.finding import Finding, Verdict
from liu_tui.errors import LiuError
from liu_tui.settings import Settings, Workspace

PYTHONS = ((3, 11), (3, 13))
LIBRARIES = (
    "textual",
    "rich",
    "websockets",
    "aiohttp",
    "alpaca-py",
    "aiosqlite",
    "msgspec",
    "numpy",
    "pandas",
    "tomlkit",
    "watchfiles",
    "click",
    "platformdirs",
    "tzdata",
)
LOW_BYTES, EMPTY_BYTES = 1_000_000_000, 100_000_000
"""Free space below which a day's books and recordings get tight, and below which none should start."""
SLOW_FSYNC_S = 0.1
"""An order is journalled before it is sent: a slower disk is felt in every order."""
_LINGER = Path("/var/lib/systemd/linger")
_LOGIND = Path("/run/systemd/system")
_BUS = (
    "busctl",
    "get-property",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "KillUserProcesses",
)


def python() -> Finding:
    """Judge the interpreter."""
    words = f"{platform.python_version()} on {platform.system()}, liu-tui {__version__}"
    low, high = PYTHONS
    if low <= sys.version_info[:2] <= high:
        return Finding("python", Verdict.OK, words)
    mend = f"Use Python {low[0]}.{low[1]} to {high[0]}.{high[1]}."
    return Finding("python", Verdict.FAIL, words, mend)


def libraries() -> Finding:
    """Name the versions of what we stand on."""
    found, missing = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding(
            "libraries", Verdict.FAIL, f"missing: {', '.join(missing)}", "Install liu-tui again with pip."
        )
    return Finding("libraries", Verdict.OK, ", ".join(found))


def disk(workspace: Workspace) -> Finding:
    """Write and sync a small file where the books lie, and look at the space left."""
    folder = workspace.home if workspace.home.is_dir() else workspace.root
    try:
        free = shutil.disk_usage(folder).free
        began = perf_counter()
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"x" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
        took_s = perf_counter() - began
    except OSError as e:
        mend = "Give yourself the folder, or set LIU_HOME to another."
        return Finding("disk", Verdict.FAIL, f"cannot write in {folder}: {e.strerror}", mend)
    return judge_disk(folder, free, took_s)


def judge_disk(folder: Path, free: int, sync_s: float) -> Finding:
    """Judge free bytes and the time of one synced write."""
    words = f"{folder}: {free / 1e9:.1f} GB free, a synced write takes {sync_s * 1000:.1f} ms"
    if free < EMPTY_BYTES:
        return Finding("disk", Verdict.FAIL, words, "Make room: orders cannot be journalled on a full disk.")
    if free < LOW_BYTES:
        return Finding("disk", Verdict.WARN, words, "Make room, or set LIU_HOME to a bigger disk.")
    if sync_s > SLOW_FSYNC_S:
        return Finding("disk", Verdict.WARN, words, "Each order waits so long: set LIU_HOME to a local disk.")
    return Finding("disk", Verdict.OK, words)


def socket_folder(workspace: Workspace) -> Finding:
    """See whether screens could find a session."""
    try:
        return Finding("sockets", Verdict.OK, str(workspace.socket_path("doctor").parent))
    except LiuError as e:
        return Finding("sockets", Verdict.FAIL, f"{e.where}: {e.what}", e.mend)


def sessions(workspace: Workspace) -> Finding:
    """Say what runs on this workspace."""
    if not (workspace.home / "sessions").is_dir():
        return Finding("sessions", Verdict.OK, "none has ever run here")
    # Imported here: the engine is much code, and a fresh workspace needs none of it.
    from liu_tui.engine.registry import Registry

    registry = Registry(workspace)
    running = registry.running()
    left = [record for record in registry.load() if not record.ended and record not in running]
    if left:
        words = ", ".join(f"{record.batch_id} ({record.plan})" for record in left)
        mend = "Start the same plan again: it goes on where the session broke off."
        return Finding("sessions", Verdict.WARN, f"broken off: {words}", mend)
    words = ", ".join(f"{record.batch_id} ({record.plan})" for record in running) or "none open"
    return Finding("sessions", Verdict.OK, words)


def logout(settings: Settings) -> Finding:
    """Say whether logging out would end what runs in the background, or take its sockets away."""
    if not _LOGIND.is_dir():
        return Finding("logout", Verdict.OK, "no login manager that kills what is left running")
    user = pwd.getpwuid(os.getuid()).pw_name
    return judge_logout(
        lingers=(_LINGER / user).exists(),
        kills=_kills_at_logout(),
        in_runtime_dir=settings.runtime_dir is not None,
    )


def judge_logout(*, lingers: bool, kills: bool | None, in_runtime_dir: bool) -> Finding:
    """Judge what systemd-logind does at the last logout. kills: None if it does not say."""
    mend = "Run: loginctl enable-linger"
    if lingers:
        return Finding("logout", Verdict.OK, "your processes go on when you log out (lingering is on)")
    if kills:
        return Finding(
            "logout", Verdict.WARN, "logging out kills your background processes, sessions too", mend
        )
    if in_runtime_dir:
        words = "logging out removes XDG_RUNTIME_DIR, where sessions listen"
        return Finding("logout", Verdict.WARN, f"{words}; trading goes on, attaching does not", mend)
    if kills is None:
        return Finding(
            "logout", Verdict.WARN, "cannot tell whether logging out kills background processes", mend
        )
    return Finding("logout", Verdict.OK, "your processes go on when you log out")


def _kills_at_logout() -> bool | None:
    try:
        said = subprocess.run(_BUS, capture_output=True, text=True, timeout=2, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.split() == ["b", "true"]
