"""A consumer's strategies as the plan names them: loading, what they declare, reloading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from liu_tui import userfiles
from liu_tui.engine.messages import StrategyProfile
from liu_tui.engine.meter import Face
from liu_tui.engine.shards import shard_of
from liu_tui.errors import UserFileError
from liu_tui.plan.schema import StrategyTable
from liu_tui.strategy import Strategy, StrategyType
from liu_tui.trading.session import Slot

_NOBODY: Mapping[str, str] = {}


def load_strategy(workspace: Path, name: str, table: StrategyTable) -> Strategy:
    """Make the strategy that a plan's table names. Raises UserFileError in words."""
    cls = userfiles.load(workspace / table.filename, name, Strategy)
    return userfiles.build(cls, name, table.params)


def runs_all(strategy: Strategy) -> bool:
    """Whether it is driven by run_all on a timer."""
    return type(strategy).run_all is not Strategy.run_all


def profile_of(name: str, table: StrategyTable, strategy: Strategy) -> StrategyProfile:
    """What a loaded strategy declares."""
    return StrategyProfile(
        name=name,
        filename=table.filename,
        events=tuple(sorted(strategy.events)),
        lookback=strategy.lookback,
        lookback_days=strategy.lookback_days,
        run_all=runs_all(strategy),
        every=strategy.every or 0.0,
        swing=strategy.type is StrategyType.SWING,
    )


def load_slots(
    workspace: Path,
    tables: dict[str, StrategyTable],
    *,
    index: int,
    consumers: int,
    aside: Mapping[str, str] = _NOBODY,
    face: Face | None = None,
) -> tuple[list[Slot], list[StrategyProfile]]:
    """Load all strategies of a plan. One that cannot be loaded has a profile with its fault, and no slot.

    aside: strategies (and why) that hung a consumer before: not even loaded until their files are saved
    face:  shows whose file is being loaded, should it never end
    """
    slots: list[Slot] = []
    profiles: list[StrategyProfile] = []
    for name, table in tables.items():
        if name in aside:
            profiles.append(StrategyProfile(name=name, filename=table.filename, fault=aside[name]))
            continue
        try:
            strategy = load_shown(workspace, name, table, face)
        except UserFileError as e:
            profiles.append(StrategyProfile(name=name, filename=table.filename, fault=str(e)))
            continue
        slots.append(slot_of(name, table, strategy, index=index, consumers=consumers))
        profiles.append(profile_of(name, table, strategy))
    return slots, profiles


def load_shown(workspace: Path, name: str, table: StrategyTable, face: Face | None) -> Strategy:
    """Load a strategy, showing meanwhile whose file it is: one that never ends is named by it."""
    if face is None:
        return load_strategy(workspace, name, table)
    face.show(name, "loading")
    try:
        return load_strategy(workspace, name, table)
    finally:
        face.clear()


def slot_of(name: str, table: StrategyTable, strategy: Strategy, *, index: int, consumers: int) -> Slot:
    """A strategy with its place: a run_all strategy is called in its one home consumer only."""
    return Slot(name=name, strategy=strategy, windows=table.schedule, home=shard_of(name, consumers) == index)
