"""JSON of the corporate actions endpoint -> splits, dividends, renames. No I/O.

    forward_splits, reverse_splits   split: new_rate / old_rate, on the ex-date
    stock_dividends                  split: a rate of 0.05 is 1.05 shares for one, on the ex-date
    cash_dividends                   dividend, on the ex-date
    name_changes                     rename, on the day that Alpaca processes it
    unit_splits                      rename of the unit to its share, and a split if they are not one for one;
                                     the warrant that comes with it has no place here

Mergers, spin-offs, redemptions and rights change what is owned in ways that a price series does not follow;
they are left out. Source: Market Data API 1.1, GET /v1/corporate-actions.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from liu_tui.adapters.alpaca.reading import read_json
from liu_tui.model.market import CorporateAction

TYPES = "forward_split,reverse_split,stock_dividend,cash_dividend,name_change,unit_split"
_Rate = Annotated[float, Meta(gt=0, lt=1e9)]
_Cash = Annotated[float, Meta(ge=0, lt=1e9)]


class _RawSplit(Struct, frozen=True):
    symbol: str
    new_rate: _Rate
    old_rate: _Rate
    ex_date: date


class _RawDividend(Struct, frozen=True):
    symbol: str
    rate: _Cash
    ex_date: date


class _RawRename(Struct, frozen=True):
    old_symbol: str
    new_symbol: str
    process_date: date


class _RawUnitSplit(Struct, frozen=True):
    old_symbol: str
    new_symbol: str
    new_rate: _Rate
    old_rate: _Rate
    effective_date: date


class _RawActions(Struct, frozen=True):
    forward_splits: tuple[_RawSplit, ...] | None = None
    reverse_splits: tuple[_RawSplit, ...] | None = None
    stock_dividends: tuple[_RawDividend, ...] | None = None
    cash_dividends: tuple[_RawDividend, ...] | None = None
    name_changes: tuple[_RawRename, ...] | None = None
    unit_splits: tuple[_RawUnitSplit, ...] | None = None


class _Answer(Struct, frozen=True):
    corporate_actions: _RawActions | None = None
    next_page_token: str | None = None


def read_actions(body: bytes, *, where: str) -> tuple[list[CorporateAction], str]:
    """Read one page: its actions as they stand, and the token of the next page, "" at the end.

    Raises FeedError.
    """
    said = read_json(body, _Answer, where)
    found = said.corporate_actions or _RawActions()
    actions = [
        *_splits((*(found.forward_splits or ()), *(found.reverse_splits or ()))),
        *_dividends(found),
        *_renames(found),
    ]
    return actions, said.next_page_token or ""


def _splits(rows: Iterable[_RawSplit]) -> Iterator[CorporateAction]:
    for raw in rows:
        ratio = raw.new_rate / raw.old_rate
        yield CorporateAction(kind="split", symbol=raw.symbol, day=raw.ex_date.isoformat(), ratio=ratio)


def _dividends(found: _RawActions) -> Iterator[CorporateAction]:
    for raw in found.stock_dividends or ():
        ratio = 1 + raw.rate
        yield CorporateAction(kind="split", symbol=raw.symbol, day=raw.ex_date.isoformat(), ratio=ratio)
    for raw in found.cash_dividends or ():
        yield CorporateAction(kind="dividend", symbol=raw.symbol, day=raw.ex_date.isoformat(), cash=raw.rate)


def _renames(found: _RawActions) -> Iterator[CorporateAction]:
    for raw in found.name_changes or ():
        day = raw.process_date.isoformat()
        yield CorporateAction(kind="rename", symbol=raw.old_symbol, day=day, new_symbol=raw.new_symbol)
    for unit in found.unit_splits or ():
        day, ratio = unit.effective_date.isoformat(), unit.new_rate / unit.old_rate
        yield CorporateAction(kind="rename", symbol=unit.old_symbol, day=day, new_symbol=unit.new_symbol)
        if ratio != 1:
            yield CorporateAction(kind="split", symbol=unit.new_symbol, day=day, ratio=ratio)
