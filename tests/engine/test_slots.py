"""A plan's strategies: loaded, described, and each run_all strategy called in one consumer only."""

from __future__ import annotations

from pathlib import Path

import pytest

from liu_tui.engine.meter import Face, read_face
from liu_tui.engine.slots import load_slots, load_strategy, profile_of
from liu_tui.errors import UserFileError
from liu_tui.model.window import Window
from liu_tui.plan.schema import StrategyTable
from tests.kit.engine import write_strategy

RANKER = """
from liu_tui import Strategy
from liu_tui.strategy import StrategyType

class rank(Strategy):
    events = {"quote", "minute"}
    lookback, lookback_days, every = 30, 5, 2.5
    type = StrategyType.SWING

    async def run_all(self, now, series, positions, ctx):
        return []
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_strategy(tmp_path, "momentum", lookback=20)
    (tmp_path / "strategies" / "rank.py").write_text(RANKER)
    return tmp_path


def table(name: str, **keys: object) -> StrategyTable:
    return StrategyTable(filename=f"strategies/{name}.py", **keys)  # type: ignore[arg-type]


def test_a_strategy_is_made_with_the_plans_parameters(root: Path) -> None:
    strategy = load_strategy(root, "momentum", table("momentum", params={"size": 25}))
    assert (strategy.name, strategy.size) == ("momentum", 25)  # type: ignore[attr-defined]


def test_a_parameter_that_does_not_fit_is_refused_in_words(root: Path) -> None:
    with pytest.raises(UserFileError, match="size"):
        load_strategy(root, "momentum", table("momentum", params={"size": "many"}))


@pytest.mark.parametrize(("name", "swing", "every"), [("momentum", False, 0.0), ("rank", True, 2.5)])
def test_a_profile_says_what_the_class_declares(root: Path, name: str, swing: bool, every: float) -> None:
    profile = profile_of(name, table(name), load_strategy(root, name, table(name)))
    assert (profile.name, profile.filename, profile.fault) == (name, f"strategies/{name}.py", "")
    assert (profile.swing, profile.every, profile.run_all) == (swing, every, swing)
    assert profile.events == (("minute", "quote") if swing else ("minute",))
    assert (profile.lookback, profile.lookback_days) == ((30, 5) if swing else (20, 0))


def test_one_that_cannot_be_loaded_keeps_no_other_from_its_slot_and_says_its_fault(root: Path) -> None:
    (root / "strategies" / "broken.py").write_text("class broken(:\n")
    tables = {name: table(name) for name in ("broken", "momentum", "missing", "rank")}
    slots, profiles = load_slots(root, tables, index=0, consumers=1)
    assert [slot.name for slot in slots] == ["momentum", "rank"]
    assert [profile.name for profile in profiles] == list(tables)
    faults = {profile.name: profile.fault for profile in profiles if profile.fault}
    assert set(faults) == {"broken", "missing"}
    assert "broken.py:1" in faults["broken"]


def test_a_slot_has_its_schedule_and_one_consumer_of_several_is_its_home(root: Path) -> None:
    window = Window(start=5, duration=30)
    tables = {"rank": table("rank", schedule=(window,))}
    slots = [load_slots(root, tables, index=index, consumers=4)[0][0] for index in range(4)]
    assert sum(slot.home for slot in slots) == 1
    assert all(slot.windows == (window,) for slot in slots)


def test_a_file_that_hung_a_consumer_is_not_loaded_again(root: Path) -> None:
    (root / "strategies" / "endless.py").write_text("while True:\n    pass\n")
    tables = {"Endless": StrategyTable(filename="strategies/endless.py")}
    slots, profiles = load_slots(root, tables, index=0, consumers=1, aside={"Endless": "hung on loading"})
    assert slots == []
    assert profiles[0].fault == "hung on loading"


def test_whose_file_is_being_loaded_is_shown(root: Path, tmp_path: Path) -> None:
    face = Face(tmp_path / "a.face")
    (root / "strategies" / "looks.py").write_text(
        "from pathlib import Path\n"
        "from liu_tui import Strategy\n"
        f"seen = Path({str(tmp_path / 'a.face')!r}).read_bytes()\n"
        "class Looks(Strategy):\n"
        "    saw = seen\n"
        "    async def run(self, symbol, now, bars, position, ctx): ...\n"
    )
    tables = {"Looks": StrategyTable(filename="strategies/looks.py")}
    slots, _profiles = load_slots(root, tables, index=0, consumers=1, face=face)
    assert slots[0].strategy.saw.rstrip(b"\0") == b"Looks\tloading"  # type: ignore[attr-defined] # the file's own
    assert read_face(tmp_path / "a.face") == ("", "")
    face.close()
