"""`liu-tui check PLAN`: every fault of a plan and of the files that it names."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from liu_tui import userfiles
from liu_tui.cli import output
from liu_tui.errors import Exit, Fault, PlanError, UserFileError
from liu_tui.miner import Miner
from liu_tui.plan.faults import Faults, nearest
from liu_tui.plan.load import plan_text, survey
from liu_tui.plan.schema import DataVendor, ScannerTable, StrategyTable, TradePlan
from liu_tui.scanner import Scanner
from liu_tui.settings import Workspace
from liu_tui.strategy import Strategy

_BASES: dict[str, type] = {"scanners": Scanner, "strategies": Strategy, "miners": Miner}
_HOUSE = {
    "scanners": set(ScannerTable.__struct_fields__) - {"params"},
    "strategies": set(StrategyTable.__struct_fields__) - {"params"},
    "miners": {"filename"},
}


def check_plan(
    path: Path, base: Path | None = None, *, source_needed: bool = True
) -> tuple[TradePlan | None, list[Fault]]:
    """Read a plan, load the classes that it names, and fit their parameters.

    base: the workspace's root; found from `path` if not given
    Returns the plan and no fault, or None and all faults in the file's order. Runs the users' files.
    """
    root = base if base is not None else Workspace.of(path).root
    try:
        found = survey(plan_text(path), file=str(path), base=root, source_needed=source_needed)
        for kind, name, table in _named(found.values):
            _user_table(found.faults, kind, name, table, root)
        return found.plan(), []
    except PlanError as e:
        return None, list(e.faults)


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@output.json_option
def check(plan: Path, as_json: bool) -> int:
    """Find every fault of PLAN and of the files it names."""
    good, faults = check_plan(plan)
    if as_json:
        said = [output.fault_in_json(fault) for fault in faults]
        output.emit({"plan": str(plan), "ok": good is not None, "faults": said})
    elif good is None:
        for fault in faults:
            output.say(str(fault))
        output.say(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}")
    else:
        output.say(f"{plan}: no fault. {in_brief(good)}")
    return int(Exit.DONE if good is not None else Exit.USAGE)


def in_brief(plan: TradePlan) -> str:
    """Say in a line what a plan would do."""
    kinds: list[tuple[str, str, Mapping[str, object]]] = [
        ("scanner", "scanners", plan.scanners),
        ("strategy", "strategies", plan.strategies),
        ("miner", "miners", plan.miners),
    ]
    counts = [f"{len(tables)} {one if len(tables) == 1 else many}" for one, many, tables in kinds if tables]
    return f"{plan.environment.value} on {_venue(plan)}: {', '.join(counts)}.{_set_aside(plan)}"


def _set_aside(plan: TradePlan) -> str:
    total = sum(table.size for table in plan.portfolios.values())
    if total <= plan.portfolio_value:
        return ""
    return (
        f" Its portfolios are {total:,.0f} dollars together, portfolio_value is {plan.portfolio_value:,.0f}."
    )


def _venue(plan: TradePlan) -> str:
    polygon = plan.data is DataVendor.POLYGON
    if plan.market is not None:
        return f"local market, {plan.market.source}" + (", data as Polygon's" if polygon else "")
    return f"Alpaca, data Polygon {plan.polygon.feed}" if polygon else f"Alpaca {plan.alpaca.feed}"


def _named(values: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind in _BASES:
        for name, table in values[kind].items():
            yield kind, name, table


def _user_table(faults: Faults, kind: str, name: str, table: dict[str, Any], root: Path) -> None:
    filename = table.get("filename")
    if filename is None or not (root / filename).is_file():
        return  # has its fault already
    try:
        with redirect_stdout(sys.stderr):  # what a user's file prints is not part of our answer
            cls: type = userfiles.load(root / filename, name, _BASES[kind])
            bad = userfiles.faults_of(cls, table["params"])
    except UserFileError as e:
        faults.at((kind, name, "filename"), f"{e.where}: {e.what}" if e.where else e.what, e.mend)
        return
    for key, what, mend in bad:
        faults.at((kind, name, key), what, _better_mend(kind, key, what, mend))


def _better_mend(kind: str, key: str, what: str, mend: str) -> str:
    """Point to the house's keys too, where the class does not know a key."""
    if not what.startswith("unknown"):
        return mend
    if key in TradePlan.__struct_fields__:
        return f"{mend} If the plan's own key is meant: it belongs above the first table."
    house = nearest(key, _HOUSE[kind])
    return f"Did you mean {house!r}?" if house else mend
