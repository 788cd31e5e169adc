"""Questions about many symbols: some at a time, side by side, page after page."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from liu_tui.adapters.alpaca.rest import Query, Rest
from liu_tui.errors import FeedError
from liu_tui.market.sidebyside import SideBySide
from liu_tui.model.market import is_symbol, normal_symbols

P = TypeVar("P")
R = TypeVar("R", bound=msgspec.Struct)

SYMBOLS_A_QUESTION = 400  # about 3 kB of address: every server takes that
SIDE_BY_SIDE = 4
log = logging.getLogger(__name__)


def askable(symbols: Iterable[str]) -> list[str]:
    """Spell names as the house and Alpaca do, each once, sorted.

    What is no symbol is left out, with a warning: for one of them Alpaca refuses all the others.
    """
    names = sorted(normal_symbols(symbols))
    for name in names:
        if not is_symbol(name):
            log.warning("%r is not spelled as a symbol: nothing is asked about it", name)
    return list(filter(is_symbol, names))


class Questions:
    """Asks through one Rest. All methods raise FeedError."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._side_by_side = SideBySide(SIDE_BY_SIDE)

    async def history(
        self,
        url: str,
        symbols: Iterable[str],
        query: Query,
        read: Callable[[bytes], tuple[dict[str, list[R]], str]],
    ) -> dict[str, list[R]]:
        """Collect the rows of all pages by symbol, sorted; each name has a list. In each, as they came."""
        found: dict[str, list[R]] = {name: [] for name in sorted(normal_symbols(symbols))}

        async def ask(some: list[str]) -> None:
            async for page in self.pages(url, {**query, "symbols": ",".join(some)}, read):
                for name, rows in page.items():
                    if name in found:
                        found[name] += rows

        await self.each(askable(found), ask)
        return found

    async def latest(
        self, url: str, symbols: Iterable[str], query: Query, read: Callable[[bytes], Mapping[str, R]]
    ) -> dict[str, R]:
        """Ask for what stands for each symbol now; those that are not answered are absent."""
        names = askable(symbols)
        found: dict[str, R] = {}

        async def ask(some: list[str]) -> None:
            body = await self._rest.get(url, {**query, "symbols": ",".join(some)})
            found.update(read(body))

        await self.each(names, ask)
        return {name: found[name] for name in names if name in found}

    async def pages(self, url: str, query: Query, read: Callable[[bytes], tuple[P, str]]) -> AsyncIterator[P]:
        """Yield what each page says, following `next_page_token` to the end."""
        tokens: set[str] = set()
        while True:
            page, token = read(await self._rest.get(url, query))
            yield page
            if not token:
                return
            if token in tokens:
                raise FeedError("the same page again and again", where=url, mend="Ask for less at a time.")
            tokens.add(token)
            query = {**query, "page_token": token}

    async def each(self, names: list[str], ask: Callable[[list[str]], Awaitable[None]]) -> None:
        """Ask for some names at a time, a few questions side by side. Raises the first FeedError."""
        parts = [names[i : i + SYMBOLS_A_QUESTION] for i in range(0, len(names), SYMBOLS_A_QUESTION)]
        await self._side_by_side.each(parts, ask)
