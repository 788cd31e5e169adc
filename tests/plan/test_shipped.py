"""The plans that are shipped, and the page that explains them."""

from pathlib import Path

import msgspec
import pytest

from liu_tui.cli.check import check_plan
from liu_tui.model.window import Window
from liu_tui.plan import schema
from liu_tui.plan.load import load_plan

ROOT = Path(__file__).parents[2]
PLANS = sorted((ROOT / "plans").glob("*.toml"))
TABLES = [
    schema.TradePlan,
    schema.MarketTable,
    schema.FaultTable,
    schema.AlpacaTable,
    schema.PolygonTable,
    schema.Limits,
    schema.ScannerTable,
    schema.StrategyTable,
    schema.MinerTable,
    Window,
]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_a_shipped_plan_has_no_fault_and_its_files_take_their_parameters(path: Path) -> None:
    plan, faults = check_plan(path, source_needed=False)
    assert [str(fault) for fault in faults] == []
    assert plan is not None


def test_the_three_plans_are_there() -> None:
    assert [path.name for path in PLANS] == ["alpaca-paper.toml", "replay.toml", "today.toml"]


def test_only_the_paper_plan_leaves_this_machine() -> None:
    local = {path.name: load_plan(path, source_needed=False).market is not None for path in PLANS}
    assert local == {"alpaca-paper.toml": False, "replay.toml": True, "today.toml": True}


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_every_shipped_plan_has_every_limit(path: Path) -> None:
    limits = load_plan(path, source_needed=False).limits
    assert None not in msgspec.structs.astuple(limits)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_of_the_schema_is_explained(table: type[msgspec.Struct]) -> None:
    page = (ROOT / "docs" / "plan.md").read_text("utf-8")
    keys = table.__struct_encode_fields__
    unnamed = [key for key in keys if not any(f"{begin}{key}" in page for begin in ("`", "`[", "`[[market."))]
    assert unnamed == []


@pytest.mark.parametrize(
    "field",
    [
        field
        for table in (schema.TradePlan, schema.MarketTable)
        for field in msgspec.structs.fields(table)
        if isinstance(field.default, int | float | str)
    ],
    ids=lambda field: field.name,
)
def test_the_page_tells_the_true_defaults(field: msgspec.structs.FieldInfo) -> None:
    page = (ROOT / "docs" / "plan.md").read_text("utf-8").replace("_000", "000")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{field.encode_name}` |")][:1]
    value = field.default
    said = f'"{value}"' if isinstance(value, str) else str(value).lower()
    assert f"`{said}`" in row
