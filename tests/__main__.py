"""The one check, after `pip install -e '.[dev]'`: `python tests`. It stops at the first step that fails."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
STEPS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    # One test at a time to each worker: by default the first takes all whole sessions, one after the other.
    ("pytest", "-q", "-n", "3", "--maxschedchunk", "1"),  # tests/test_house.py runs lint-imports
)


def main() -> int:
    """Run every step in the repository's root; returns the exit code of the first that fails."""
    # The tools that stand beside this Python come first, whatever else is on the path.
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    for step in STEPS:
        sys.stdout.write(f"── {' '.join(step)}\n")
        sys.stdout.flush()
        code = subprocess.run(
            [str(BIN / step[0]), *step[1:]], cwd=ROOT, env=environment, check=False
        ).returncode
        if code:
            sys.stdout.write(f"{step[0]} failed with exit code {code}\n")
            return code
    sys.stdout.write("all good\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
