"""The statements that a table needs, made of its struct's fields.

A field and its column have one name. `under` are the columns before them that the struct does not carry (the
batch that the rows belong to). The columns' types stand in `schema`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from liu_tui.store.db import Row

S = TypeVar("S", bound=msgspec.Struct)


class Table(Generic[S]):
    """One table of rows of one struct.

    insert: add a row; a row of the same key changes nothing
    upsert: add a row; a row of the same key takes its values
    select: every column of the struct; the caller adds WHERE and ORDER BY
    """

    def __init__(
        self, name: str, kind: type[S], *, key: Sequence[str], under: Sequence[str] = ("batch_id",)
    ) -> None:
        self.name, self._kind = name, kind
        self._fields = kind.__struct_fields__
        config = kind.__struct_config__
        self._by_place = config.array_like
        self._tag = () if config.tag is None else (config.tag,)  # a tagged array begins with its tag
        columns = (*under, *self._fields)
        self.columns = columns
        # No word below comes from outside: names of tables and of fields only.
        self.insert = f"{_insert_into(name, columns)} ON CONFLICT ({_names(key)}) DO NOTHING"
        self.upsert = (
            f"{_insert_into(name, columns)} ON CONFLICT ({_names(key)}) DO UPDATE SET {_set(columns, key)}"
        )
        self.select = f"SELECT {_names(self._fields)} FROM {name}"  # noqa: S608 - names of ours only

    def values(self, item: S, *under: str) -> Row:
        """Return a row's values, in the order of the columns."""
        return (*under, *msgspec.structs.astuple(item))

    def read(self, row: Sequence[Any]) -> S:
        """Turn a selected row into its struct."""
        source = (*self._tag, *row) if self._by_place else dict(zip(self._fields, row, strict=True))
        return msgspec.convert(source, self._kind, strict=False)  # SQLite has no boolean: 0 and 1 are taken


def _insert_into(name: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {name} ({_names(columns)}) VALUES ({marks})"  # noqa: S608 - names of ours only


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _set(columns: Sequence[str], key: Sequence[str]) -> str:
    return ", ".join(f'"{c}" = excluded."{c}"' for c in columns if c not in key)
