"""The command line's words over a plan."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from liu_tui.engine.session import Options, with_options
from liu_tui.errors import RefusedError, UsageError
from liu_tui.plan.schema import MarketTable, TradePlan
from tests.kit.engine import a_plan


@pytest.fixture
def plan() -> TradePlan:
    return msgspec.structs.replace(a_plan(), market=MarketTable())


def market_with(plan: TradePlan, **words: str) -> MarketTable:
    """The plan's [market] under these words of the command line."""
    market = with_options(plan, Options(**words)).market  # type: ignore[arg-type]  # words are strings here
    assert market is not None
    return market


@pytest.mark.parametrize("word", ["fast", "0", "-1", "nan", "inf", "MAX"])
def test_a_speed_that_is_none_is_a_fault_of_the_command_line(plan: TradePlan, word: str) -> None:
    with pytest.raises(UsageError, match="--speed"):
        with_options(plan, Options(speed=word))


def test_a_speed_is_a_number_or_max(plan: TradePlan) -> None:
    assert market_with(plan, speed="0.5").speed == 0.5
    assert market_with(plan, speed="max").speed == "max"


def test_a_source_that_is_not_there_is_a_fault_of_the_command_line(plan: TradePlan, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--source"):
        with_options(plan, Options(source=str(tmp_path / "nope.csv")))


def test_a_source_begins_where_the_command_was_given(
    plan: TradePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "day").mkdir()
    monkeypatch.chdir(tmp_path)
    assert market_with(plan, source="day").source == str(tmp_path / "day")
    assert market_with(plan, source="simulated").source == "simulated"


def test_words_for_a_market_need_a_market(plan: TradePlan) -> None:
    without = msgspec.structs.replace(plan, market=None)
    assert with_options(without, Options()) is without
    with pytest.raises(RefusedError, match="local market"):
        with_options(without, Options(seed=2))
