"""Logging, set up once per process from plain values.

A line says when (UTC, wall time), how grave, which process, which part, and what; as text or as JSON. Known
secrets never reach a file or the terminal, whoever logs them and however deep in a traceback they stand.
Several processes may write one file: lines do not mix, and whoever fills it turns it over for all.
"""

import fcntl
import io
import json
import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path

MAX_BYTES = 10_000_000
KEPT_FILES = 3
_MASK = "********"
_SHORTEST = 6
"""Characters. Shorter texts are not masked: they would blot out ordinary words."""


def setup(
    process: str,
    file: Path | None = None,
    *,
    level: str | int = "INFO",
    stderr: bool = False,
    as_json: bool = False,
    secrets: Iterable[str] = (),
    max_bytes: int = MAX_BYTES,
) -> None:
    """Send this process's logging to a file, to standard error, to both or to neither. May be called again.

    process: the name in each line: "desk", "consumer A"
    file:    is private to the user, and turned over at max_bytes; the last KEPT_FILES are kept
    stderr:  off for a background process, and for the console, whose screen lines would spoil
    secrets: texts that no line may show
    """
    form = Masked(secrets, _JsonLines(process) if as_json else _PlainLines(process))
    handlers: list[logging.Handler] = []
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handlers.append(_SharedFile(file, max_bytes))
    if stderr:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(form)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers or [logging.NullHandler()]:
        root.addHandler(handler)
    root.setLevel(level.upper() if isinstance(level, str) else level)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not end a session through its log


def redirect_prints(name: str = "user") -> None:
    """Send what user code prints to the log, line by line, in place of this process's standard output."""
    sys.stdout = LogWriter(logging.getLogger(name))


class LogWriter(io.TextIOBase):
    """A text stream whose lines become log lines."""

    def __init__(self, log: logging.Logger, level: int = logging.INFO) -> None:
        self._log, self._level, self._rest = log, level, ""
        self._busy = False

    def writable(self) -> bool:
        """Say that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Take text and log each finished line. What a log handler itself prints is dropped, not looped."""
        if self._busy:
            return len(text)
        *lines, self._rest = (self._rest + text).split("\n")
        self._busy = True
        try:
            for line in lines:
                if line.strip():
                    self._log.log(self._level, "%s", line)
        finally:
            self._busy = False
        return len(text)

    def flush(self) -> None:
        """Log an unfinished line."""
        if self._rest.strip() and not self._busy:
            rest, self._rest = self._rest, ""
            self._log.log(self._level, "%s", rest)


class Masked(logging.Formatter):
    """A formatter whose finished text, traceback and all, shows none of the secrets."""

    def __init__(self, secrets: Iterable[str], inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner
        # The longest first: one secret may be part of another.
        texts = {
            form for text in secrets if len(text) >= _SHORTEST for form in (text, json.dumps(text)[1:-1])
        }
        self._secrets = sorted(texts, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Format with the inner formatter, then mask."""
        text = self._inner.format(record)
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text


class _PlainLines(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        part = record.name.removeprefix("liu_tui.")
        head = f"{_when(record)} {record.levelname:<7} {self._process} {part}: "
        return head + "\n".join(filter(None, [record.getMessage(), _trace(self, record)]))


class _JsonLines(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": _when(record),
            "level": record.levelname.lower(),
            "process": self._process,
            "part": record.name,
            "words": record.getMessage(),
        }
        if trace := _trace(self, record):
            said["trace"] = trace
        return json.dumps(said, ensure_ascii=False)


def _when(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(form: logging.Formatter, record: logging.LogRecord) -> str:
    return form.formatException(record.exc_info) if record.exc_info else ""


class _SharedFile(WatchedFileHandler):
    """A private file that several processes append to; opened anew when another has turned it over."""

    def __init__(self, file: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(file, encoding="utf-8")

    def _open(self) -> io.TextIOWrapper:
        Path(self.baseFilename).touch(mode=0o600)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if self.stream is not None and os.fstat(self.stream.fileno()).st_size > self.max_bytes:
            self._turn_over(self.stream)

    def _turn_over(self, full: io.TextIOWrapper) -> None:
        """Move log to log.1, log.1 to log.2, and so on. The lock lies on the file that is full."""
        fcntl.flock(full, fcntl.LOCK_EX)
        try:
            if not os.path.samestat(os.stat(self.baseFilename), os.fstat(full.fileno())):
                return  # another process was first; the next line goes to the new file
            for n in range(KEPT_FILES, 0, -1):
                older = Path(f"{self.baseFilename}.{n - 1}" if n > 1 else self.baseFilename)
                if older.exists():
                    older.replace(f"{self.baseFilename}.{n}")
        finally:
            fcntl.flock(full, fcntl.LOCK_UN)
