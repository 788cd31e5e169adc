"""Records: one writer, in the order of asking; its faults are said once and stop nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from liu_tui.engine.records import Records, Write
from liu_tui.errors import StoreError
from liu_tui.store.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "liu.db") as store:
        yield store


def no_fault(words: str) -> None:
    raise AssertionError(words)


async def test_writes_are_done_one_after_the_other_in_the_order_of_asking(store: Store) -> None:
    past: list[str] = []

    def write(n: int) -> Write:
        async def run(_store: Store) -> None:
            past.append(f"begin {n}")
            for _ in range(5 - n):  # the first takes longest
                await asyncio.sleep(0)
            past.append(f"end {n}")

        return run

    records = Records(store, no_fault)
    for n in range(5):
        records.put(write(n))
    await records.close()
    assert past == [f"{what} {n}" for n in range(5) for what in ("begin", "end")]


async def test_the_last_write_of_a_key_is_the_one_that_is_read(store: Store) -> None:
    records = Records(store, no_fault)
    for n in range(20):
        records.put(lambda books, n=n: books.keystore.set("momentum", {"n": str(n)}))  # type: ignore[misc]
    await records.close()
    assert await store.keystore.load("momentum") == {"n": "19"}


async def test_nobody_who_asks_waits_for_the_disk_and_closing_writes_the_rest(store: Store) -> None:
    records = Records(store, no_fault)
    records.put(lambda books: books.keystore.set("momentum", {"a": "1"}))
    records.put(lambda books: books.keystore.set("momentum", {"b": "2"}))
    assert await store.keystore.load("momentum") == {}
    await records.close()
    assert await store.keystore.load("momentum") == {"a": "1", "b": "2"}


async def test_a_fault_of_the_books_is_said_once_and_what_can_be_written_is(store: Store) -> None:
    faults: list[str] = []
    records = Records(store, faults.append)

    async def fail(_store: Store) -> None:
        raise StoreError("the disk is full", where="liu.db")

    for write in (fail, fail, lambda books: books.keystore.set("momentum", {"a": "1"}), fail):
        records.put(write)
    await records.close()
    assert faults == ["liu.db: the disk is full"]
    assert await store.keystore.load("momentum") == {"a": "1"}


async def test_a_row_that_the_books_cannot_take_yet_is_written_later_and_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("liu_tui.engine.records.RETRY_S", 0.0)
    written: list[str] = []
    faults: list[str] = []
    refusals = iter([True, True, False])

    async def held(_store: Store) -> None:
        if next(refusals):
            raise StoreError("the books refuse: database is locked")
        written.append("first")

    async def free(_store: Store) -> None:
        written.append("second")

    async with await Store.open(tmp_path / "liu.db") as store:
        records = Records(store, faults.append)
        records.put(held)
        records.put(free)
        await records.close()
    assert written == ["first", "second"]
    assert len(faults) == 1
