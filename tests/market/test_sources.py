"""Opening a source by the name a plan gives it."""

from pathlib import Path

import pytest

from liu_tui.errors import FeedError
from liu_tui.market.simulation import SimulatedSource
from liu_tui.market.source import Source
from liu_tui.market.sources import open_source

BAR = "timestamp,open,high,low,close,volume\n2024-08-26T13:30:00Z,1,1,1,1,400\n"


def opened(base: Path, source: str, day: str = "", symbols: int = 5) -> Source:
    return open_source(source, base=base, symbols=symbols, seed=1, day=day)


def test_simulated_is_a_name(tmp_path: Path) -> None:
    assert isinstance(opened(tmp_path, "simulated", "2024-08-26"), SimulatedSource)


def test_a_path_is_relative_to_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days/AAPL.csv").write_text(BAR)
    assert opened(tmp_path, "days").days() == ["2024-08-26"]
    assert opened(Path("/nowhere"), str(tmp_path / "days/AAPL.csv"), "2024-08-26").days() == ["2024-08-26"]


def test_a_day_that_was_not_recorded_names_those_that_were(tmp_path: Path) -> None:
    (tmp_path / "AAPL.csv").write_text(BAR)
    with pytest.raises(FeedError, match="It has 2024-08-26"):
        opened(tmp_path, "AAPL.csv", "2024-08-27")


def test_daily_bars_alone_cannot_be_played(tmp_path: Path) -> None:
    (tmp_path / "AAPL.csv").write_text("date,open,high,low,close,volume\n2024-08-26,1,1,1,1,400\n")
    with pytest.raises(FeedError, match="Daily bars cannot be played"):
        opened(tmp_path, "AAPL.csv")


@pytest.mark.parametrize(("day", "symbols"), [("", 5), ("soon", 5), ("2024-08-26", 5_000)])
def test_a_simulation_that_cannot_be_says_why(tmp_path: Path, day: str, symbols: int) -> None:
    with pytest.raises(FeedError, match="Give a date"):
        opened(tmp_path, "simulated", day, symbols)
