"""The table of codes, and the page that is made of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from liu_tui.plan.schema import Limits
from liu_tui.trading.codes import CODES, refusal, table

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text("utf-8")


def test_the_page_has_the_table_as_it_is_here() -> None:
    """Mend it with: python -c "from liu_tui.trading.codes import table; print(table())"."""
    assert table() in PAGE


def test_every_limit_is_told_with_the_code_of_its_refusal() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    told = {key for line in rows for key in re.findall(r"`(\w+)`", line)}
    assert set(Limits.__struct_fields__) <= told | {"strategy_cooldown_min"}


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_a_category_and_a_condition_in_capitals(code: str) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code)


def test_a_refusal_keeps_the_numbers_beside_the_sentence() -> None:
    no = refusal("MAX_ORDER_VALUE", value=1_000.0, limit=500.0)
    assert no.words == "an order of 1,000.00 dollars is over max_order_value of 500.00"
    assert json.loads(no.numbers) == {"value": 1_000.0, "limit": 500.0}
