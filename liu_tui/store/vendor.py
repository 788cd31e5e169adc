"""Asking a vendor by the names that it knows, and keeping the answer by those that we know."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from liu_tui.errors import LiuError
from liu_tui.market.history import DataAPI
from liu_tui.model.market import Bar

T = TypeVar("T")


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


async def together(jobs: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run jobs side by side, and end the others when one fails. Raises the first LiuError as it was."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
    except* LiuError as faults:
        raise _first(faults) from None
    return [task.result() for task in tasks]


def _first(faults: BaseExceptionGroup[LiuError]) -> LiuError:
    one: BaseException = faults
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    assert isinstance(one, LiuError)  # noqa: S101 - except* caught nothing else
    return one
