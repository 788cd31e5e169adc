"""What a process has cost, as Linux counts it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Seconds of CPU of all its threads: to the nanosecond where the kernel tells, else to its tick."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except OSError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S


def all_cpu_s(pids: Iterable[int]) -> list[float]:
    """Do so for several."""
    return [cpu_s(pid) for pid in pids]


def resident_bytes(pid: int) -> int:
    """Memory that it has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def load_average() -> float:
    """How many processes wanted to run over the last minute."""
    return os.getloadavg()[0]
