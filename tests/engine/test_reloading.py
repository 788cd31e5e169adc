"""Hot reload: a saved file that loads takes over; one that does not changes nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from liu_tui.engine.messages import Said, StrategyState
from liu_tui.engine.reloading import Reloader
from liu_tui.engine.slots import load_slots
from liu_tui.trading.requests import Said as Words
from liu_tui.trading.requests import StrategyFault
from liu_tui.trading.session import Session
from tests.kit.engine import QuietChild, a_boot, a_plan, write_strategy
from tests.kit.session import DAY, a_bar, feed

FILE = "strategies/momentum.py"


class Rig:
    """One consumer's session and its reloader."""

    def __init__(self, root: Path, *, index: int = 0) -> None:
        boot = a_boot("consumer", root, a_plan("momentum", "vwap"))
        boot = msgspec.structs.replace(boot, consumers=("A", "B"), index=index)
        self.root, self.child = root, QuietChild(boot)
        slots, self.profiles = load_slots(root, boot.plan.strategies, index=index, consumers=2)
        self.session = Session(slots, batch_id="b-1", hours=DAY, portfolio_value=1e5, risk=0.001)
        self.session.add_symbol("AAPL")
        self.reloader = Reloader(self.child.inside, self.session)
        self.minutes = 0

    async def hears(self) -> dict[str, str]:
        """Show the strategies a bar; returns what each says."""
        self.minutes += 1
        said = await feed(self.session, a_bar(self.minutes))
        return {request.strategy: request.words for request in said if isinstance(request, Words)}

    @property
    def states(self) -> list[tuple[str, str]]:
        """What the supervisor hears of strategies."""
        return [(said.name, said.state) for said in self.child.told if isinstance(said, StrategyState)]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    write_strategy(tmp_path, "momentum")
    write_strategy(tmp_path, "vwap")
    return Rig(tmp_path)


async def test_a_good_file_takes_over_and_declared_state_stays(rig: Rig) -> None:
    assert await rig.hears() == {"momentum": "first", "vwap": "first"}
    write_strategy(rig.root, "momentum", words="second", lookback=2)
    requests, profiles = await rig.reloader.reload(FILE)
    assert requests == []
    assert [(profile.name, profile.lookback) for profile in profiles] == [("momentum", 2)]
    assert rig.states == [("momentum", "running")]
    assert await rig.hears() == {"momentum": "second", "vwap": "first"}
    assert ("momentum", "AAPL", {"seen": 2}) in rig.session.changed_state()


@pytest.mark.parametrize(
    "text",
    ["class momentum(:", "import nothing_of_this_name", "raise ValueError('half saved')", "", "x = 1"],
    ids=["syntax", "import", "raises", "empty", "no class"],
)
async def test_a_broken_file_changes_nothing_and_says_why(rig: Rig, text: str) -> None:
    (rig.root / FILE).write_text(text)
    assert await rig.reloader.reload(FILE) == ([], [])
    assert rig.states == []
    (said,) = (message for message in rig.child.told if isinstance(message, Said))
    assert (said.level, said.source) == ("error", "momentum")
    assert "changes nothing" in said.words
    assert "momentum.py" in said.words
    assert await rig.hears() == {"momentum": "first", "vwap": "first"}


async def test_a_file_that_is_mended_lifts_the_quarantine(rig: Rig) -> None:
    rig.session.quarantine("momentum", "hung on TSLA")
    assert await rig.hears() == {"vwap": "first"}
    (rig.root / FILE).write_text("class momentum(:")
    await rig.reloader.reload(FILE)
    assert rig.session.quarantined == {"momentum": "hung on TSLA"}
    write_strategy(rig.root, "momentum", words="mended")
    await rig.reloader.reload(FILE)
    assert rig.session.quarantined == {}
    assert await rig.hears() == {"momentum": "mended", "vwap": "first"}


async def test_one_that_could_not_be_loaded_at_the_start_gets_its_slot(tmp_path: Path) -> None:
    write_strategy(tmp_path, "vwap")
    rig = Rig(tmp_path)
    assert await rig.hears() == {"vwap": "first"}
    write_strategy(tmp_path, "momentum", words="late")
    await rig.reloader.reload(FILE)
    assert await rig.hears() == {"momentum": "late", "vwap": "first"}


async def test_one_that_fails_as_it_starts_is_quarantined_and_the_other_goes_on(rig: Rig) -> None:
    path = write_strategy(rig.root, "momentum")
    path.write_text(path.read_text() + "\n    async def on_start(self, ctx):\n        1 / 0\n")
    requests, _profiles = await rig.reloader.reload(FILE)
    assert [request.strategy for request in requests if isinstance(request, StrategyFault)] == ["momentum"]
    assert await rig.hears() == {"vwap": "first"}


async def test_a_file_of_nobody_is_nobodys(rig: Rig) -> None:
    assert await rig.reloader.reload("scanners/gaps.py") == ([], [])
    assert rig.child.told == []


async def test_only_the_first_consumer_says_so_to_the_log_and_each_to_the_supervisor(tmp_path: Path) -> None:
    for name in ("momentum", "vwap"):
        write_strategy(tmp_path, name)
    for index, words in ((0, [f"reloaded from {FILE}"]), (1, [])):
        rig = Rig(tmp_path, index=index)
        await rig.reloader.reload(FILE)
        assert rig.child.words == words
        assert rig.states == [("momentum", "running")]
