"""Polygon's reference questions: what happened to names, which there are, when the market is open."""

from collections.abc import Callable
from datetime import date

from liu_tui.adapters.polygon.parse_reference import (
    read_assets,
    read_dividends,
    read_holidays,
    read_renames,
    read_splits,
)
from liu_tui.adapters.polygon.rest import Rest
from liu_tui.adapters.polygon.spelling import their_ticker
from liu_tui.market import calendar
from liu_tui.market.sidebyside import SideBySide
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, Asset, CorporateAction

ROWS_A_PAGE = 1_000
FEW = 20
"""Up to so many symbols are asked for one by one; for more, all of a span are fetched and sifted."""
_EVENING_NS = 4 * 60 * MINUTE_NS  # from the close to the end of after-hours, early or not


class Reference:
    """Asks through a `rest`, a few questions side by side. What the vendor says of coming days is kept."""

    def __init__(self, rest: Rest, questions: SideBySide) -> None:
        self._rest, self._questions = rest, questions
        self._holidays: dict[str, int | None] | None = None

    async def corporate_actions(self, names: list[str], start: date, end: date) -> list[CorporateAction]:
        """Fetch splits, dividends and renames of the days from start to end, by day. Raises FeedError.

        names: in capitals, each once
        """
        found: list[CorporateAction] = []

        async def sift(ticker: str) -> None:
            found.extend(await self._dated("splits", "execution_date", read_splits, start, end, ticker))
            found.extend(
                await self._dated("dividends", "ex_dividend_date", read_dividends, start, end, ticker)
            )

        await self._questions.each(names if len(names) <= FEW else [""], sift)
        await self._questions.each(names, lambda name: self._renames(name, found))
        asked, first, last = set(names), start.isoformat(), end.isoformat()
        wanted = {a for a in found if first <= a.day <= last and {a.symbol, a.new_symbol} & asked}
        return sorted(wanted, key=lambda a: (a.day, a.symbol, a.kind))

    async def sessions(self, start: date, end: date) -> list[SessionHours]:
        """List the sessions by the house's rules, corrected by what Polygon says of the coming ones.

        Raises FeedError.
        """
        holidays = await self._coming()
        return [
            hours
            for session in calendar.sessions(start, end)
            if (hours := _corrected(session, holidays)) is not None
        ]

    async def assets(self) -> list[Asset]:
        """Fetch every active stock, sorted by symbol. Raises FeedError."""
        path = "/v3/reference/tickers"
        query = {"market": "stocks", "active": "true", "order": "asc", "sort": "ticker"}
        found: list[Asset] = []
        async for body in self._rest.pages(path, {**query, "limit": ROWS_A_PAGE}):
            found += read_assets(body, where=path)
        return sorted(found, key=lambda asset: asset.symbol)

    async def _dated(
        self,
        what: str,
        key: str,
        read: Callable[..., list[CorporateAction]],
        start: date,
        end: date,
        name: str,
    ) -> list[CorporateAction]:
        path = f"/v3/reference/{what}"
        query: dict[str, str | int] = {
            f"{key}.gte": start.isoformat(),
            f"{key}.lte": end.isoformat(),
            "limit": ROWS_A_PAGE,
        }
        if name:
            query["ticker"] = their_ticker(name)
        return [row async for body in self._rest.pages(path, query) for row in read(body, where=path)]

    async def _renames(self, name: str, found: list[CorporateAction]) -> None:
        path = f"/vX/reference/tickers/{their_ticker(name)}/events"
        if body := await self._rest.find(path, {"types": "ticker_change"}):
            found += read_renames(body, where=path)

    async def _coming(self) -> dict[str, int | None]:
        if self._holidays is None:
            path = "/v1/marketstatus/upcoming"
            self._holidays = read_holidays(await self._rest.get(path), where=path)
        return self._holidays


def _corrected(session: SessionHours, holidays: dict[str, int | None]) -> SessionHours | None:
    """Take over what the vendor says of a day: nothing, shut, or an early close with its short evening."""
    if session.day not in holidays:
        return session
    close_ns = holidays[session.day]
    if close_ns is None:
        return None
    return SessionHours(session.day, session.pre_ns, session.open_ns, close_ns, close_ns + _EVENING_NS)
