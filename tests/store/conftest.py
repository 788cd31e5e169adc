"""An open store with one batch begun."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from liu_tui.store.store import Store
from tests.kit.store import a_batch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".liu" / "liu.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    async with await Store.open(path) as store:
        await store.batches.begin(a_batch())
        yield store
