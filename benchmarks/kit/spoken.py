"""A process of the benchmark that is spoken to by lines: one from it when it is ready, then one for each."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Spoken:
    """One such process. It ends when we do, for its standard input ends then."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, *words: object) -> Spoken:
        """Start `python -m module words`."""
        line = [sys.executable, "-m", module, *map(str, words)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *line,
            cwd=ROOT,
            stdin=pipe,
            stdout=pipe,
            start_new_session=True,
            env=dict(os.environ),
            limit=1 << 24,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, line: bytes = b"") -> bytes:
        """Say a line and hear one. Raises EOFError if it died."""
        if self._process.stdin is not None:
            self._process.stdin.write(line + b"\n")
        return await self.hear()

    async def hear(self) -> bytes:
        """Hear its next line. Raises EOFError if it died."""
        said = await self._process.stdout.readline() if self._process.stdout is not None else b""
        if not said:
            raise EOFError("a process of the benchmark died")
        return said

    async def close(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
