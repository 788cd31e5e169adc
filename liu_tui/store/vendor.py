"""Asking a vendor by the names that it knows, and keeping the answer by those that we know."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from liu_tui.market.history import DataAPI
from liu_tui.model.market import Bar


async def ask(
    data: DataAPI, names: Mapping[str, str], start_ns: int, end_ns: int, span_ns: int
) -> dict[str, list[Bar]]:
    """Return raw bars by our names. names: ours -> the vendor's. Raises FeedError."""
    fetched = await data.bars(dict.fromkeys(names.values()), start_ns, end_ns, span_ns=span_ns)
    return {name: relabelled(fetched.get(theirs, []), name) for name, theirs in names.items()}


def relabelled(bars: list[Bar], symbol: str) -> list[Bar]:
    """Return the bars under another name; the same list if they have it already."""
    if not bars or bars[0].symbol == symbol:
        return bars
    return [msgspec.structs.replace(bar, symbol=symbol) for bar in bars]
