"""PolygonData: bars, trades, quotes, snapshots, screeners, corporate actions, clock and calendar over REST.

Not through the `massive` client: it blocks, and prints its warnings on standard output. One symbol is one
question here, except in the snapshots; the free plan answers five a minute.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from liu_tui.adapters.net.loopback import is_loopback
from liu_tui.adapters.polygon.parse_history import (
    read_bars,
    read_grouped,
    read_last_quote,
    read_last_trade,
    read_quotes,
    read_trades,
)
from liu_tui.adapters.polygon.parse_reference import read_clock
from liu_tui.adapters.polygon.parse_snapshots import RawTicker, read_tickers
from liu_tui.adapters.polygon.reference import Reference
from liu_tui.adapters.polygon.rest import RATE_WAIT_S, Query, Rest
from liu_tui.adapters.polygon.spelling import MS_NS, their_ticker
from liu_tui.errors import FeedError
from liu_tui.market import calendar
from liu_tui.market.history import DataAPI
from liu_tui.market.sidebyside import SideBySide
from liu_tui.model.clock import Anchor, SessionClock, SessionHours, monotonic_ns, wall_ns
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Adjustment,
    Asset,
    Bar,
    CorporateAction,
    Quote,
    Snapshot,
    Trade,
    normal_symbols,
)

SIDE_BY_SIDE = 8
SYMBOLS_A_QUESTION = 400  # about 3 kB of address: every server takes that
ROWS_A_PAGE = 50_000  # the most that Polygon gives
_STOCKS = "/v2/snapshot/locale/us/markets/stocks"
_HOUR_NS = 60 * MINUTE_NS
_CLOCK_KEEPS_NS = 600 * SECOND_NS


class PolygonData(DataAPI):
    """History and the whole market's present, from Polygon (Massive) or from the local market.

    data_url: https://api.massive.com, or http://127.0.0.1:PORT
    first_wait_s, rate_wait_s: see Rest
    """

    def __init__(
        self, data_url: str, key: str, *, first_wait_s: float = 0.5, rate_wait_s: float = RATE_WAIT_S
    ) -> None:
        self._rest = Rest(data_url, key, first_wait_s=first_wait_s, rate_wait_s=rate_wait_s)
        self._local = is_loopback(data_url)
        self._questions = SideBySide(SIDE_BY_SIDE)
        self._reference = Reference(self._rest, self._questions)
        self._clock: SessionClock | None = None

    async def bars(
        self,
        symbols: Iterable[str],
        start_ns: int,
        end_ns: int,
        *,
        span_ns: int = MINUTE_NS,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> dict[str, list[Bar]]:
        """Fetch the bars that lie within [start_ns, end_ns] and have ended at the venue, oldest first.

        Raises FeedError, also for a span or an adjustment that Polygon does not have: it adjusts for splits
        only.
        """
        frame, adjusted = _timeframe(span_ns), _adjusted(adjustment)
        end_ns = min(end_ns, await self._now_ns())
        last_start_ns = end_ns - span_ns
        found: dict[str, list[Bar]] = {name: [] for name in normal_symbols(symbols)}
        if last_start_ns < start_ns:
            return found
        # Up to the last moment, not the last start: a longer bar's last minutes would be left out of it.
        first_ms, last_ms = -(-start_ns // MS_NS), (end_ns - 1) // MS_NS
        query: Query = {"adjusted": adjusted, "sort": "asc", "limit": ROWS_A_PAGE}

        async def ask(name: str) -> None:
            path = f"/v2/aggs/ticker/{their_ticker(name)}/range/{frame}/{first_ms}/{last_ms}"
            async for body in self._rest.pages(path, query):
                found[name] += read_bars(body, name, span_ns, where=path)

        await self._questions.each(found, ask)
        return {
            name: [b for b in rows if start_ns <= b.t_ns <= last_start_ns] for name, rows in found.items()
        }

    async def trades(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Trade]]:
        """Fetch the prints whose SIP time lies in [start_ns, end_ns], oldest first. Raises FeedError."""
        found: dict[str, list[Trade]] = {name: [] for name in normal_symbols(symbols)}

        async def ask(name: str) -> None:
            path = f"/v3/trades/{their_ticker(name)}"
            async for body in self._rest.pages(path, _ticks_query(start_ns, end_ns)):
                found[name] += read_trades(body, name, where=path)

        await self._questions.each(found, ask)
        return found

    async def quotes(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Quote]]:
        """Fetch the quotes whose SIP time lies in [start_ns, end_ns], oldest first. Raises FeedError."""
        found: dict[str, list[Quote]] = {name: [] for name in normal_symbols(symbols)}

        async def ask(name: str) -> None:
            path = f"/v3/quotes/{their_ticker(name)}"
            async for body in self._rest.pages(path, _ticks_query(start_ns, end_ns)):
                found[name] += read_quotes(body, name, where=path)

        await self._questions.each(found, ask)
        return found

    async def latest_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Fetch the last print of each symbol; unknown symbols are absent. Raises FeedError."""
        found: dict[str, Trade] = {}

        async def ask(name: str) -> None:
            path = f"/v2/last/trade/{their_ticker(name)}"
            if body := await self._rest.find(path):
                found[name] = read_last_trade(body, name, where=path)

        await self._questions.each(normal_symbols(symbols), ask)
        return found

    async def latest_quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Fetch the quote of each symbol as it stands; unknown symbols are absent. Raises FeedError."""
        found: dict[str, Quote] = {}

        async def ask(name: str) -> None:
            path = f"/v2/last/nbbo/{their_ticker(name)}"
            if body := await self._rest.find(path):
                found[name] = read_last_quote(body, name, where=path)

        await self._questions.each(normal_symbols(symbols), ask)
        return found

    async def grouped(self, day: date, *, adjustment: Adjustment = Adjustment.RAW) -> dict[str, Bar]:
        """Fetch the whole market's daily bars of one day, in one question; {} if there was no session.

        Raises FeedError.
        """
        path = f"/v2/aggs/grouped/locale/us/market/stocks/{day.isoformat()}"
        return read_grouped(await self._rest.get(path, {"adjusted": _adjusted(adjustment)}), where=path)

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        """Fetch the latest of each symbol; unknown symbols are absent. Raises FeedError."""
        names = normal_symbols(symbols)
        now_ns = await self._now_ns()
        found: dict[str, Snapshot] = {}
        parts = [names[i : i + SYMBOLS_A_QUESTION] for i in range(0, len(names), SYMBOLS_A_QUESTION)]

        async def ask(some: list[str]) -> None:
            tickers = ",".join(map(their_ticker, some))
            for said in await self._tickers("tickers", {"tickers": tickers}):
                snapshot = said.ours(now_ns)
                found[snapshot.symbol] = snapshot

        await self._questions.each(parts, ask)
        return {name: found[name] for name in names if name in found}

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """Fetch (symbol, shares traded today), most first, from all the snapshots. Raises FeedError."""
        now_ns = await self._now_ns()
        traded = [(said.ours(now_ns).symbol, said.volume) for said in await self._tickers("tickers", {})]
        active = sorted((row for row in traded if row[1] > 0), key=lambda row: (-row[1], row[0]))
        return active[: max(1, top)]

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """Fetch (symbol, percent against yesterday's close): gainers, then losers; 20 of each at most.

        Of names with 10,000 shares today and more, as Polygon ranks them. Raises FeedError.
        """
        now_ns = await self._now_ns()
        moved: list[tuple[str, float]] = []
        for kind in ("gainers", "losers"):
            rows = (await self._tickers(kind, {}))[: max(1, top)]
            moved += [(said.ours(now_ns).symbol, said.todays_change_perc or 0.0) for said in rows]
        return moved

    async def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> list[CorporateAction]:
        """Fetch splits, dividends and renames of the days from start to end, both included, by day.

        Renames are asked for symbol by symbol. Raises FeedError.
        """
        return await self._reference.corporate_actions(normal_symbols(symbols), start, end)

    async def sessions(self, start: date, end: date) -> list[SessionHours]:
        """List the sessions by the house's rules, corrected by what Polygon says of the coming ones.

        Raises FeedError.
        """
        return await self._reference.sessions(start, end)

    async def assets(self) -> list[Asset]:
        """Fetch every active stock, sorted by symbol. Raises FeedError."""
        return await self._reference.assets()

    async def hours(self) -> SessionHours:
        """Find the session under way (pre-market to after-hours), or the next. Raises FeedError."""
        now_ns = (await self.anchor()).venue_ns
        today = calendar.day_of(now_ns)
        # Ten days reach over any holidays: the exchange has not been shut for longer since 2001.
        for hours in await self.sessions(today, today + timedelta(days=10)):
            if hours.post_ns > now_ns:
                return hours
        raise FeedError(
            f"no session within ten days of {today}", where="polygon data", mend="Check the date."
        )

    async def anchor(self) -> Anchor:
        """Ask the venue's time: as of the middle of the question. Raises FeedError."""
        path = "/v1/marketstatus/now"
        asked_ns = monotonic_ns()
        body = await self._rest.get(path)
        middle_ns = (asked_ns + monotonic_ns()) // 2
        return read_clock(body, middle_ns, wall_ns() - (monotonic_ns() - middle_ns), where=path)

    async def close(self) -> None:
        """Let the connections go. May be called twice."""
        await self._rest.close()

    async def _tickers(self, what: str, query: Query) -> list[RawTicker]:
        path = f"{_STOCKS}/{what}"
        return read_tickers(await self._rest.get(path, query), where=path)

    async def _now_ns(self) -> int:
        # The local market's time may jump or stand still, so it is asked each time.
        clock = self._clock
        if clock is None or self._local or monotonic_ns() - clock.anchor.monotonic_ns > _CLOCK_KEEPS_NS:
            self._clock = clock = SessionClock(await self.anchor())
        return clock.now_ns()


def _timeframe(span_ns: int) -> str:
    """Spell a bar's length as Polygon does. Raises FeedError if it has none such."""
    for unit_ns, name, most in (
        (DAY_NS, "day", 1),
        (_HOUR_NS, "hour", 23),
        (MINUTE_NS, "minute", 59),
        (SECOND_NS, "second", 59),
    ):
        count, rest = divmod(span_ns, unit_ns)
        if not rest and 1 <= count <= most:
            return f"{count}/{name}"
    what = f"no bars of {span_ns / SECOND_NS:g} s"
    raise FeedError(what, where="polygon data", mend="It has seconds, minutes, hours and days.")


def _adjusted(adjustment: Adjustment) -> str:
    if adjustment in (Adjustment.RAW, Adjustment.SPLIT):
        return "true" if adjustment is Adjustment.SPLIT else "false"
    what = f"no bars adjusted for {adjustment.value!r}"
    raise FeedError(
        what, where="polygon data", mend="Polygon adjusts for splits only: take 'raw' or 'split'."
    )


def _ticks_query(start_ns: int, end_ns: int) -> Query:
    return {
        "timestamp.gte": max(start_ns, 0),
        "timestamp.lte": max(end_ns, 0),
        "order": "asc",
        "sort": "timestamp",
        "limit": ROWS_A_PAGE,
    }
