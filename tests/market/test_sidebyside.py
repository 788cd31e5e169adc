"""Questions side by side: in order, few at a time, and one fault ends them all."""

import asyncio

import pytest

from liu_tui.errors import FeedError
from liu_tui.market.sidebyside import SideBySide, together


async def test_answers_come_in_the_order_of_the_questions_whoever_was_first() -> None:
    first_may = asyncio.Event()

    async def slow() -> int:
        await first_may.wait()
        return 1

    async def fast() -> int:
        first_may.set()
        return 2

    assert await together([slow(), fast()]) == [1, 2]
    assert await together([]) == []


async def test_the_first_fault_is_told_as_it_was_and_the_others_end() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fails() -> None:
        raise FeedError("no", where="here")

    async def nested() -> None:
        await together([waits(), fails()])

    with pytest.raises(FeedError, match="no") as caught:
        await together([nested(), waits()])
    assert caught.value.where == "here"
    assert ended == ["waits", "waits"]


async def test_no_more_than_a_few_run_at_once_however_many_ask() -> None:
    questions, running, most, asked = SideBySide(3), 0, 0, []

    async def ask(n: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        asked.append(n)
        running -= 1

    await asyncio.gather(questions.each(range(10), ask), questions.each(range(10, 20), ask))
    assert most == 3
    assert sorted(asked) == list(range(20))


async def test_what_is_no_fault_of_ours_is_not_hidden() -> None:
    async def broken(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await SideBySide(1).each([1], broken)
    assert caught.group_contains(ZeroDivisionError)
