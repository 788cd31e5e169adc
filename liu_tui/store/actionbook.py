"""Splits, dividends and renames, asked for once a session day and remembered."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.model.market import CorporateAction
from liu_tui.store.barcache import BarCache, KnownActions

_log = logging.getLogger(__name__)


class ActionBook:
    """The corporate actions of one feed's symbols.

    An action may be announced, entered late or corrected: each new day everything is asked for again. Where
    the vendor does not answer, what an earlier day knew is taken.
    """

    def __init__(self, inner: DataAPI, cache: BarCache) -> None:
        self._inner, self._cache = inner, cache

    async def of(self, symbols: Iterable[str], since: date, today: date) -> dict[str, list[CorporateAction]]:
        """Return all actions since a day of each symbol and of the names it had or has, by day.

        Raises FeedError if the vendor does not answer and nothing is known; StoreError.
        """
        wanted = list(symbols)
        related: dict[str, set[str]] = {symbol: {symbol} for symbol in wanted}
        book: dict[str, list[CorporateAction]] = {}
        unknown = set(wanted)
        while unknown:
            book.update(await self._known(sorted(unknown), since.isoformat(), today.isoformat()))
            for names in related.values():
                _add_related(names, book)
            unknown = set().union(*related.values()) - book.keys()
        return {symbol: _of_all(names, book) for symbol, names in related.items()}

    async def _known(self, symbols: list[str], since: str, today: str) -> dict[str, list[CorporateAction]]:
        known = await self._cache.actions(symbols)
        stale = [s for s in symbols if s not in known or known[s].since > since or known[s].asked != today]
        if stale:
            since = min([since, *(known[s].since for s in stale if s in known)])
            try:
                fresh = await self._ask(stale, since, today)
            except FeedError as e:
                if any(symbol not in known or known[symbol].since > since for symbol in stale):
                    raise
                _log.warning("corporate actions are those of an earlier day: %s", e)
            else:
                await self._cache.keep_actions(fresh)
                known |= fresh
        return {symbol: known[symbol].actions for symbol in symbols}

    async def _ask(self, symbols: list[str], since: str, today: str) -> Mapping[str, KnownActions]:
        answer = await self._inner.corporate_actions(
            symbols, date.fromisoformat(since), date.fromisoformat(today)
        )
        found: dict[str, list[CorporateAction]] = defaultdict(list)
        for action in answer:
            for name in {action.symbol, action.new_symbol} & set(symbols):
                found[name].append(action)
        return {symbol: KnownActions(since, today, found[symbol]) for symbol in symbols}


def _add_related(names: set[str], book: Mapping[str, list[CorporateAction]]) -> None:
    for name in list(names):
        for action in book.get(name, ()):
            if action.kind == "rename":
                names |= {action.symbol, action.new_symbol}


def _of_all(names: Iterable[str], book: Mapping[str, list[CorporateAction]]) -> list[CorporateAction]:
    # A rename stands under both of its names: once is enough.
    actions = {action for name in names for action in book[name]}
    return sorted(actions, key=lambda action: (action.day, action.kind, action.symbol))
