"""The keys that say where data come from, and what the local market shall do wrong."""

import pytest

from liu_tui.errors import PlanError
from liu_tui.plan.load import read_plan
from liu_tui.plan.schema import DataVendor, FaultKind, FaultTable, TradePlan

TABLES = """
[scanners.S]
filename = "s.py"
[strategies.C]
filename = "c.py"
"""


def plan(head: str = "", market: str = "", tables: str = "") -> TradePlan:
    text = f"{head}\n[market]\n{market}\n{tables}\n{TABLES}"
    return read_plan(text, file="p.toml")


def faults(head: str = "", market: str = "", tables: str = "") -> list[str]:
    with pytest.raises(PlanError) as refused:
        plan(head, market, tables)
    return [str(fault) for fault in refused.value.faults]


def test_faults_of_the_market_are_rows_with_their_own_keys() -> None:
    rows = '[[market.faults]]\nkind = "silence"\nat = "10:05"\nfor = 20\n[[market.faults]]\nkind = "drop"'
    market = plan(tables=rows).market
    assert market is not None
    assert market.faults == (
        FaultTable(kind=FaultKind.SILENCE, at="10:05", for_s=20.0),
        FaultTable(kind=FaultKind.DROP),
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('kind = "silnce"', "Did you mean 'silence'?"),
        ('at = "10:05"', "kind: is missing"),
        ('kind = "drop"\nat = "ten"', '"10:05:30"'),
        ('kind = "refuse"\ncode = 500', "402, 404, 405, 406, 407"),
        ('kind = "halt"', "names no symbols"),
        ('kind = "drop"\nfor_s = 3', "unknown key"),
        ('kind = "corrupt"\nshare = 2.0', "share"),
    ],
)
def test_a_wrong_fault_is_told_with_its_mend(row: str, says: str) -> None:
    (said,) = faults(tables=f"[[market.faults]]\n{row}")
    assert says in said


def test_data_may_come_from_polygon_while_orders_go_elsewhere() -> None:
    assert plan('data = "polygon"', "", '[polygon]\nfeed = "delayed"').data is DataVendor.POLYGON
    (said,) = faults('data = "polygon"', "", '[polygon]\nfeed = "slow"')
    assert "delayed, realtime" in said


def test_symbols_are_spread_over_connections_only_where_that_can_be() -> None:
    assert plan("producers = 3").producers == 3
    (alone,) = faults("producers = 3\nrecord = true")
    assert "A recording is of one connection" in alone
    (stepped,) = faults("producers = 3", 'speed = "max"')
    assert "Lock-step needs producers = 1" in stepped
    with pytest.raises(PlanError, match="Alpaca allows one data connection"):
        read_plan(f"producers = 2\n{TABLES}", file="p.toml")
    with pytest.raises(PlanError, match="Polygon allows one data connection"):
        read_plan(f'producers = 2\ndata = "polygon"\n{TABLES}', file="p.toml")


def test_lock_step_speaks_alpacas_protocol_only() -> None:
    (said,) = faults('data = "polygon"', 'speed = "max"')
    assert "data: was 'polygon'" in said
