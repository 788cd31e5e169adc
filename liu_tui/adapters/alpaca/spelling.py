"""Symbols at the door: in capitals, and class shares with a dot, BRK.B, as Alpaca spells them."""

import logging
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from liu_tui.model.market import is_symbol

R = TypeVar("R", bound=msgspec.Struct)
log = logging.getLogger(__name__)


def spell(symbol: str) -> str:
    """Spell a stock's symbol as Alpaca does: brk-b and BRK/B are BRK.B."""
    return symbol.upper().replace("-", ".").replace("/", ".")


def capitals(symbols: Iterable[str]) -> list[str]:
    """Put the names that were asked for in capitals, each once, sorted."""
    return sorted({symbol.upper() for symbol in symbols})


def by_spelling(names: Iterable[str]) -> dict[str, list[str]]:
    """Map Alpaca's spellings to the names that were asked for.

    What is no symbol is left out, with a warning: for one of them Alpaca refuses all the others.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        if is_symbol(name):
            found.setdefault(spell(name), []).append(name)
        else:
            log.warning("%r is not spelled as a symbol: nothing is asked about it", name)
    return found


def renamed(row: R, symbol: str) -> R:
    """Put the name that was asked for into a row, and into the rows within it."""
    if getattr(row, "symbol", symbol) == symbol:
        return row
    inner = {
        field: renamed(part, symbol)
        for field in row.__struct_fields__
        if isinstance(part := getattr(row, field), msgspec.Struct)
    }
    return msgspec.structs.replace(row, symbol=symbol, **inner)
