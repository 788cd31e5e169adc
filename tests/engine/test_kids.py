"""The supervisor's children: real processes that boot, end, are killed and hang; nothing stays behind."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from liu_tui.engine import kids
from liu_tui.engine.kids import Kid
from liu_tui.engine.messages import Alive, Bye, FromChild, Ready, StepAck, Stop
from liu_tui.engine.registry import is_alive
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS
from tests.kit.engine import a_boot, eventually, nothing, open_files


@pytest.fixture
async def kid() -> AsyncIterator[Kid]:
    kid = Kid("scanners", "scanners", nothing)
    yield kid
    kid.kill()
    await kid.stop("the test is over")
    kid.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".liu" / "logs").mkdir(parents=True)
    return tmp_path


def log(root: Path) -> Path:
    """Where a child's output goes."""
    return root / ".liu" / "logs" / "b-1.log"


async def hear_until(kid: Kid, kind: type[FromChild]) -> list[FromChild]:
    """Hear the child until it has said this."""
    said: list[FromChild] = []

    def heard() -> bool:
        said.extend(kid.hear())
        return any(isinstance(message, kind) for message in said)

    await eventually(heard)
    return said


async def born(kid: Kid, root: Path) -> Kid:
    """Start a child, boot it, and wait until it is ready."""
    await kid.start(log(root))
    kid.tell(a_boot(kid.role, root))
    await hear_until(kid, Ready)
    kid.state = "running"
    return kid


async def test_a_child_boots_beats_and_ends_in_order_and_nothing_stays_behind(kid: Kid, root: Path) -> None:
    before = open_files()
    await born(kid, root)
    pid = kid.pid
    assert is_alive(pid)
    heard = kid.heard_ns

    def beats() -> bool:
        kid.hear()
        return kid.heard_ns > heard

    await eventually(beats)
    assert kid.silent_s() < 20
    await kid.stop("the day is over")
    assert kid.state == "off"
    assert [type(message) for message in kid.hear()] == [Bye]
    assert not is_alive(pid)
    assert not kid.is_dead()
    kid.close()
    assert open_files() <= before


async def test_a_child_that_is_killed_is_seen_named_and_started_again(kid: Kid, root: Path) -> None:
    await born(kid, root)
    first = kid.pid
    kid.alive = Alive(dispatched=7)
    os.kill(first, signal.SIGKILL)
    await eventually(kid.is_dead)
    assert kid.bury() == "killed by SIGKILL"
    assert kid.state == "dead"
    assert not kid.is_dead()
    await born(kid, root)
    assert kid.pid != first
    kid.alive = Alive(dispatched=2)
    assert kid.total("dispatched") == 9


async def test_a_child_that_ends_by_itself_is_told_by_its_code(kid: Kid, root: Path) -> None:
    await kid.start(log(root))
    kid.tell(Stop(reason="too early"))
    await eventually(kid.is_dead)
    assert kid.bury() == "exit 1"
    assert "Stop came before Boot" in log(root).read_text()


async def test_a_child_hears_nothing_before_its_boot(kid: Kid, root: Path) -> None:
    await kid.start(log(root))
    kid.tell(StepAck(n=1))
    assert kid.link is not None
    assert kid.link.backlog == 0
    assert not kid.booted
    kid.close()


async def test_a_child_whose_supervisor_is_gone_ends(kid: Kid, root: Path) -> None:
    await born(kid, root)
    pid = kid.pid
    kid.close()
    await eventually(lambda: kid._process is not None and kid._process.returncode is not None)
    assert not is_alive(pid)


async def test_a_child_that_hangs_is_silent_and_is_ended_whatever_it_does(
    kid: Kid, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kids, "STOP_S", 0.05)
    monkeypatch.setattr(kids, "TERM_S", 0.05)
    await born(kid, root)
    pid = kid.pid
    os.kill(pid, signal.SIGSTOP)

    def silent() -> bool:
        kid.hear()
        return kid.silent_s() > 0.5

    await eventually(silent)
    assert not kid.is_dead()
    await kid.stop("it hangs")
    await eventually(lambda: kid._process is not None and kid._process.returncode == -signal.SIGKILL)
    assert not is_alive(pid)


async def test_a_child_that_is_being_ended_is_not_ended_again_and_its_death_is_told_rightly(
    kid: Kid, root: Path
) -> None:
    await born(kid, root)
    os.kill(kid.pid, signal.SIGSTOP)
    kid.kill()
    assert not kid.running
    kid.kill()
    await eventually(kid.is_dead)
    assert kid.bury() == "killed by SIGKILL"


async def test_a_child_whose_link_broke_is_given_a_moment_and_then_ended(
    kid: Kid, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await born(kid, root)
    assert kid.link is not None
    os.kill(kid.pid, signal.SIGSTOP)
    kid.link.close()
    assert not kid.is_dead()
    monkeypatch.setattr(kids, "FOLLOW_S", 0.01)
    await eventually(kid.is_dead)
    assert kid.bury() == "its link broke"
    await eventually(lambda: kid._process is not None and kid._process.returncode == -signal.SIGKILL)


def test_patience_doubles_up_to_its_bound_and_a_healthy_life_forgives() -> None:
    kid = Kid("scanners", "scanners", nothing)

    def wait_s(lived_s: float) -> float:
        kid._started_ns = monotonic_ns() - int(lived_s * SECOND_NS)
        now = monotonic_ns()
        kid.bury()
        return (kid.next_start_ns - now) / SECOND_NS

    waits = [wait_s(1.0) for _ in range(9)]
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0], rel=0.2)
    assert wait_s(kids.HEALTHY_S + 1) == pytest.approx(0.1, rel=0.5)


@pytest.mark.parametrize(
    ("code", "words"),
    [(None, "its link broke"), (0, "exit 0"), (-9, "killed by SIGKILL"), (-40, "killed by signal 40")],
)
def test_every_death_has_words(code: int | None, words: str) -> None:
    assert kids._death_words(code) == words


async def test_a_link_for_a_child_that_is_not_there_is_closed() -> None:
    before = open_files()
    ours, theirs = socket.socketpair()
    Kid("desk", "desk", nothing).give_link("market", "producer", ours)
    theirs.close()
    assert open_files() == before


def test_a_child_that_was_never_started_is_neither_dead_nor_heard() -> None:
    kid = Kid("desk", "desk", nothing)
    assert kid.pid == 0
    assert not kid.is_dead()
    assert kid.hear() == []
    kid.tell(StepAck(n=1))
    kid.kill()


async def test_stopping_what_was_never_started_is_no_error() -> None:
    kid = Kid("desk", "desk", nothing)
    await kid.stop("nothing")
    assert kid.state == "off"
