"""differences: what did not agree, kept for good; what stands is taken over at a start."""

from __future__ import annotations

from msgspec.structs import replace

from liu_tui.store.store import Store
from liu_tui.trading.effects import Differs

DIFFERENCE = Differs(symbol="TSLA", since_ns=5, ours=100.0, theirs=90.0, words="+100 and +90")


async def test_a_choice_is_kept_with_its_difference_and_what_is_over_is_not_taken_over(store: Store) -> None:
    book = store.differences
    await book.put("b-1", DIFFERENCE)
    chosen = replace(DIFFERENCE, choice="ignore", by="ann")
    await book.put("b-1", chosen)
    assert await book.load("b-1") == [chosen]
    await book.put("b-1", replace(chosen, ended_ns=9))
    assert await book.load("b-1") == []
    assert [row.ended_ns for row in await book.all("b-1")] == [9]
    assert await book.all("b-2") == []
