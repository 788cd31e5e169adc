"""The registry: what runs, told by files that are whole and locks that do not outlive anybody."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from liu_tui.engine.registry import Registry, SessionRecord, is_alive
from liu_tui.errors import RefusedError
from liu_tui.settings import Workspace
from tests.kit.engine import T0

PLAN = "plans/today.toml"


def a_record(
    batch_id: str = "b-1", *, plan: str = PLAN, started_ns: int = T0, ended: bool = False
) -> SessionRecord:
    """Make the record of a session."""
    return SessionRecord(
        batch_id=batch_id,
        plan=plan,
        pid=os.getpid(),
        socket="/nowhere.sock",
        started_ns=started_ns,
        environment="PAPER",
        ended=ended,
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, tmp_path / ".liu")


@pytest.fixture
def registry(workspace: Workspace) -> Registry:
    return Registry(workspace)


def test_what_was_saved_is_there_and_its_owners_alone(registry: Registry, workspace: Workspace) -> None:
    registry.save(a_record())
    assert registry.load() == [a_record()]
    (file,) = workspace.sessions_dir.glob("*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(workspace.sessions_dir.stat().st_mode) == 0o700


def test_a_later_save_replaces_the_record_and_leaves_no_other_file(
    registry: Registry, workspace: Workspace
) -> None:
    registry.save(a_record())
    registry.save(a_record(started_ns=T0 + 1))
    assert registry.load() == [a_record(started_ns=T0 + 1)]
    assert len(list(workspace.sessions_dir.iterdir())) == 1


def test_a_reader_never_sees_half_a_record(registry: Registry, workspace: Workspace) -> None:
    """A record is written beside and put in place whole, while another process reads as fast as it can."""
    registry.save(a_record())
    words = (
        "import sys; from pathlib import Path\n"
        "from liu_tui.engine.registry import Registry; from liu_tui.settings import Workspace\n"
        "root = Path(sys.argv[1]); registry = Registry(Workspace(root, root / '.liu'))\n"
        "print('reading', flush=True)\n"
        "print(all(len(registry.load()) == 1 for _ in range(2000)))"
    )
    root = str(workspace.root)
    with subprocess.Popen([sys.executable, "-c", words, root], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        n = 0
        while reader.poll() is None:
            n += 1
            registry.save(a_record(started_ns=T0 + n))
        assert reader.stdout.read() == b"True\n"


def test_a_file_that_cannot_be_read_is_passed_over(registry: Registry, workspace: Workspace) -> None:
    registry.save(a_record())
    (workspace.sessions_dir / "broken.session.json").write_text('{"batch_id": ')
    (workspace.sessions_dir / "foreign.session.json").write_text('{"some": "thing"}')
    assert registry.load() == [a_record()]


def test_a_session_runs_while_its_plan_is_locked_and_no_longer(registry: Registry) -> None:
    registry.save(a_record())
    registry.save(a_record("b-2", plan="plans/other.toml"))
    assert registry.running() == []
    lock = registry.lock(PLAN, "batch b-1")
    assert registry.running() == [a_record()]
    lock.release()
    assert registry.running() == []


def test_one_plan_has_one_session_and_another_plan_its_own(registry: Registry) -> None:
    first = registry.lock(PLAN, "batch b-1")
    with pytest.raises(RefusedError, match="batch b-1"):
        registry.lock(PLAN, "batch b-2")
    registry.lock("plans/other.toml", "batch b-3").release()
    first.release()


def test_the_newest_session_of_a_plan_that_did_not_end_is_the_one_to_go_on_with(registry: Registry) -> None:
    assert registry.unfinished(PLAN) is None
    registry.save(a_record("b-2", started_ns=T0 + 2))
    registry.save(a_record("b-1", started_ns=T0 + 1))
    registry.save(a_record("b-3", started_ns=T0 + 3, ended=True))
    registry.save(a_record("b-4", started_ns=T0 + 4, plan="plans/other.toml"))
    found = registry.unfinished(PLAN)
    assert found is not None
    assert found.batch_id == "b-2"


def test_a_session_that_ended_in_order_leaves_its_summary_alone(
    registry: Registry, workspace: Workspace
) -> None:
    registry.save(a_record())
    registry.save(a_record("b-10"))
    folder = workspace.sessions_dir
    for name in ("b-1.A.face", "b-1.B.face", "b-10.A.face"):
        (folder / name).touch()
    registry.summary_path("b-1").write_text("{}")
    registry.close(a_record())
    registry.close(a_record())
    assert sorted(path.name for path in folder.iterdir()) == [
        "b-1.summary.json",
        "b-10.A.face",
        "b-10.session.json",
    ]


def test_a_process_lives_until_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert is_alive(child.pid)
    assert not is_alive(child.pid)


@pytest.mark.parametrize("pid", [0, -1])
def test_no_process_is_not_alive(pid: int) -> None:
    assert not is_alive(pid)
