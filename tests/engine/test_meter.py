"""The meter and the face: what calls cost, and who is being called when a consumer hangs."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from liu_tui.engine.meter import FACE_BYTES, LAGS_KEPT, CallMeter, Face, LagMeter, read_face


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "b-1.A.face"


def test_a_face_tells_who_is_being_called_and_nobody_between_calls(path: Path) -> None:
    face = Face(path)
    assert read_face(path) == ("", "")
    face.show("momentum", "TSLA")
    assert read_face(path) == ("momentum", "TSLA")
    face.show("vwap", "F")
    assert read_face(path) == ("vwap", "F")
    face.clear()
    assert read_face(path) == ("", "")
    face.close()


def test_a_face_is_its_owners_alone(path: Path) -> None:
    Face(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_face_is_nobody(path: Path) -> None:
    assert read_face(path) == ("", "")


def test_a_name_longer_than_the_face_is_cut_and_does_no_harm(path: Path) -> None:
    face = Face(path)
    face.show("n" * 200, "TSLA")
    assert read_face(path) == ("n" * FACE_BYTES, "")
    face.show("é" * 100, "TSLA")
    assert read_face(path)[0].startswith("é" * 50)
    face.close()


def test_the_face_of_a_process_that_was_killed_in_a_call_still_names_the_strategy(path: Path) -> None:
    words = (
        "import os, signal, sys; from pathlib import Path; from liu_tui.engine.meter import CallMeter, Face\n"
        "meter = CallMeter(Face(Path(sys.argv[1])), {'hangs': 50.0})\n"
        "meter.enter('hangs', 'TSLA'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", words, str(path)], check=False).returncode == -9
    assert read_face(path) == ("hangs", "TSLA")


def a_meter(path: Path, **budgets: float) -> tuple[CallMeter, Face]:
    """Make a meter with budgets in ms."""
    face = Face(path)
    return CallMeter(face, budgets), face


def call(meter: CallMeter, strategy: str, symbol: str = "TSLA") -> None:
    """Call a strategy that does nothing."""
    meter.enter(strategy, symbol)
    meter.leave()


def test_calls_are_counted_and_those_over_budget_named_once(path: Path) -> None:
    meter, face = a_meter(path, quick=1e6, slow=0.0)
    for symbol in ("A", "B"):
        call(meter, "quick", symbol)
        call(meter, "slow", symbol)
    assert meter.calls == {"quick": 2, "slow": 2}
    assert meter.slow == {"quick": 0, "slow": 2}
    taken = meter.taken()
    assert list(taken) == ["slow"]
    assert taken["slow"][0] == "A"
    assert meter.taken() == {}
    face.close()


def test_the_face_shows_only_the_call_under_way(path: Path) -> None:
    meter, face = a_meter(path, vwap=50.0)
    meter.enter("vwap", "TSLA")
    assert read_face(path) == ("vwap", "TSLA")
    meter.leave()
    assert read_face(path) == ("", "")
    face.close()


def test_the_slowest_is_of_the_last_while_and_stays_until_there_is_another(path: Path) -> None:
    meter, face = a_meter(path, one=50.0, two=50.0)
    assert meter.slowest() == ("", 0.0)
    call(meter, "one")
    first = meter.slowest()
    assert first[0] == "one"
    assert first[1] >= 0
    assert meter.slowest() == first
    call(meter, "two")
    assert meter.slowest()[0] == "two"
    face.close()


def test_lag_is_told_by_its_middle_and_its_worst_hundredth() -> None:
    lag = LagMeter()
    assert lag.percentiles() == (0.0, 0.0)
    for ms in range(101):
        lag.add(float(100 - ms))
    assert lag.percentiles() == (50.0, 99.0)


def test_a_clock_that_runs_ahead_is_no_negative_lag() -> None:
    lag = LagMeter()
    lag.add(-3.0)
    assert lag.percentiles() == (0.0, 0.0)


def test_lag_forgets_what_is_long_ago() -> None:
    lag = LagMeter()
    for _ in range(LAGS_KEPT):
        lag.add(1000.0)
    for _ in range(LAGS_KEPT):
        lag.add(1.0)
    assert lag.percentiles() == (1.0, 1.0)
