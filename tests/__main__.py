"""The one check, after `pip install -e '.[dev]'`: `python tests`. It stops at the first step that fails."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
FIRST = (("ruff", "format", "--check", "."), ("ruff", "check", "."))
# One test at a time to each worker: by default the first takes all whole sessions, one after the other.
TESTS = ("pytest", "-q", "-n", "3", "--maxschedchunk", "1")  # tests/test_house.py runs lint-imports
BESIDE = ("mypy",)
"""Whole sessions wait more than they compute, so the types are checked meanwhile."""


def main() -> int:
    """Run every step in the repository's root; returns the exit code of the first that fails."""
    for step in FIRST:
        if code := _report(step, _start(step).wait()):
            return code
    with tempfile.TemporaryFile() as said:
        beside = _start(BESIDE, said.fileno())
        tests = _report(TESTS, _start(TESTS).wait())
        types = beside.wait()
        said.seek(0)
        sys.stdout.write(f"── {' '.join(BESIDE)}\n{said.read().decode(errors='replace')}")
    return tests or _report(BESIDE, types)


def _start(step: Sequence[str], out: int | None = None) -> subprocess.Popen[bytes]:
    if out is None:
        sys.stdout.write(f"── {' '.join(step)}\n")
        sys.stdout.flush()
    # The tools that stand beside this Python come first, whatever else is on the path.
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.Popen(
        [str(BIN / step[0]), *step[1:]], cwd=ROOT, env=environment, stdout=out, stderr=out
    )


def _report(step: Sequence[str], code: int) -> int:
    if code:
        sys.stdout.write(f"{step[0]} failed with exit code {code}\n")
    elif step == BESIDE:
        sys.stdout.write("all good\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
