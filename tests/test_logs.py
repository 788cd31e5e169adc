"""One log for many processes, which never shows a key."""

import json
import logging
import multiprocessing
import stat
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from liu_tui import logs
from liu_tui.logs import LogWriter

KEY = 'PKTEST"TEST'


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, out = list(root.handlers), root.level, sys.stdout
    yield
    for handler in list(root.handlers):
        root.removeHandler(handler)
        if handler not in handlers:
            handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    sys.stdout = out
    logging.captureWarnings(False)
    logging.raiseExceptions = True


def test_a_line_says_when_how_grave_who_and_what(tmp_path: Path) -> None:
    logs.setup("desk", tmp_path / "log")
    logging.getLogger("liu_tui.trading.desk").warning("order %s refused", "x1")
    when, level, process, part, *words = (tmp_path / "log").read_text().split()
    assert when.endswith("Z")
    assert [level, process, part, " ".join(words)] == ["WARNING", "desk", "trading.desk:", "order x1 refused"]


def test_a_json_line_says_the_same_to_a_program(tmp_path: Path) -> None:
    logs.setup("desk", tmp_path / "log", as_json=True)
    logging.getLogger("a").error("two\nlines")
    (line,) = (tmp_path / "log").read_text().splitlines()
    said = json.loads(line)
    assert (said["level"], said["process"], said["part"], said["words"]) == (
        "error",
        "desk",
        "a",
        "two\nlines",
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_a_key_is_masked_in_words_arguments_and_tracebacks(tmp_path: Path, as_json: bool) -> None:
    logs.setup("desk", tmp_path / "log", as_json=as_json, secrets=[KEY, ""])
    try:
        int(KEY)  # its message repeats the text
    except ValueError:
        logging.getLogger("a").exception("key %s", KEY)
    text = (tmp_path / "log").read_text()
    assert "TEST" not in text
    assert "********" in text
    assert "Traceback" in text


def test_a_short_text_is_not_masked_out_of_every_word(tmp_path: Path) -> None:
    logs.setup("desk", tmp_path / "log", secrets=["a"])
    logging.getLogger("x").info("a banana")
    assert "a banana" in (tmp_path / "log").read_text()


def test_what_lies_below_the_level_is_not_written(tmp_path: Path) -> None:
    logs.setup("desk", tmp_path / "log", level="warning")
    logging.getLogger("x").info("quiet")
    assert (tmp_path / "log").read_text() == ""


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    logs.setup("desk", tmp_path / "logs" / "log")
    assert stat.S_IMODE((tmp_path / "logs" / "log").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


def test_standard_error_is_used_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("desk")
    logging.getLogger("x").error("unseen")
    logs.setup("desk", stderr=True)
    logging.getLogger("x").error("seen")
    out, err = capsys.readouterr()
    assert out == ""
    assert "unseen" not in err
    assert "seen" in err


def test_a_full_file_is_turned_over_and_the_oldest_goes(tmp_path: Path) -> None:
    logs.setup("desk", tmp_path / "log", max_bytes=200)
    for n in range(42):
        logging.getLogger("x").info("line %02d", n)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2", "log.3"]
    kept = "".join((tmp_path / name).read_text() for name in ("log.3", "log.2", "log.1", "log"))
    numbers = [int(line.split()[-1]) for line in kept.splitlines()]
    assert numbers == list(range(numbers[0], 42))


def _write_many(file: Path, name: str) -> None:
    logs.setup(name, file, max_bytes=20_000)
    for n in range(200):
        logging.getLogger("x").info("%s %d end", name, n)


def test_many_processes_write_one_file_and_lose_no_line(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path / "log", name)) for name in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    lines = [line for path in tmp_path.glob("log*") for line in path.read_text().splitlines()]
    said = sorted(" ".join(line.split()[-3:]) for line in lines)
    assert said == sorted(f"{name} {n} end" for name in ("one", "two") for n in range(200))


def test_a_warning_goes_to_the_log(tmp_path: Path) -> None:
    logs.setup("desk", tmp_path / "log")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "old ways" in (tmp_path / "log").read_text()


class TestPrints:
    """What user code prints."""

    def test_it_becomes_lines_of_the_log(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        logs.setup("consumer A", tmp_path / "log")
        logs.redirect_prints("user")
        exec("print('hello', 'world'); print('half', end=''); print(' a line'); print()")  # noqa: S102 - as a user's file
        lines = (tmp_path / "log").read_text().splitlines()
        assert [line.split("user: ")[1] for line in lines] == ["hello world", "half a line"]

    def test_an_unfinished_line_comes_with_a_flush(self, tmp_path: Path) -> None:
        logs.setup("consumer A", tmp_path / "log")
        writer = LogWriter(logging.getLogger("user"))
        writer.write("rest")
        assert (tmp_path / "log").read_text() == ""
        writer.flush()
        writer.flush()
        assert (tmp_path / "log").read_text().count("rest") == 1

    def test_a_log_that_prints_does_not_run_in_circles(self) -> None:
        writer = LogWriter(logging.getLogger("loop"))

        class Echo(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                writer.write(record.getMessage() + "\n")

        logging.getLogger("loop").addHandler(Echo())
        logging.getLogger("loop").setLevel("INFO")
        assert writer.write("once\n") == 5
