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
        ('kind = "http_error"\ncode = 407', "code: was 407. Give one of 429, 500, 502, 503, 504"),
        ('kind = "updates_late"\nseconds = -1', "seconds: was -1. Give a number above 0"),
        ('kind = "bust"\nshare = 0.5', "share: means nothing to a bust. Known are at, for, symbols."),
        ('kind = "drop"\nfor_s = 3', "unknown key"),
        ('kind = "corrupt"\nshare = 2.0', "share"),
        ('kind = "drop"\nshare = 0.5', "share: means nothing to a drop. Known are at, for."),
        (
            'kind = "corrupt"\nsymbols = ["AAPL"]',
            "symbols: means nothing to a corrupt. Known are at, for, share",
        ),
        ('kind = "delay"\nseconds = 0', "seconds: was 0. Give a number above 0"),
        ('kind = "silence"\nfor = 1e12', "for: was 1e+12. Give a number within 1e+08"),
        ('kind = "bad_print"\npercent = -100', "percent: was -100. Give a number above -100"),
        ('kind = "silence"\nat = "1\u0660:05"', '"10:05:30"'),
    ],
)
def test_a_wrong_fault_is_told_with_its_mend(row: str, says: str) -> None:
    (said,) = faults(tables=f"[[market.faults]]\n{row}")
    assert says in said


def test_every_wrong_key_of_every_fault_is_told_on_its_line() -> None:
    rows = '[[market.faults]]\nkind = "skew"\nshare = 0.5\nseconds = 1e9\n[[market.faults]]\nat = "10"'
    with pytest.raises(PlanError) as refused:
        plan(tables=rows)
    told = [(fault.line, fault.table, fault.key) for fault in refused.value.faults]
    assert told == [
        (6, "market.faults", "share"),
        (7, "market.faults", "seconds"),
        (8, "market.faults", "kind"),
        (9, "market.faults", "at"),
    ]


def test_a_fault_of_a_market_that_names_no_symbols_hits_all_and_a_default_may_be_written_out() -> None:
    market = plan(tables='[[market.faults]]\nkind = "halt"\nshare = 1.0').market
    assert market is not None
    assert market.faults == (FaultTable(kind=FaultKind.HALT),)


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
