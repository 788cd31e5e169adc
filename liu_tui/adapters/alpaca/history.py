"""AlpacaData: bars, prints, quotes, snapshots, screeners, assets, corporate actions, calendar over REST.

Not through alpaca-py: its client blocks, has no time-out, sleeps three seconds on a 429 whatever the headers
say, keeps microseconds only, and its import alone costs a second and pandas, for which no consumer or
scanner should pay. What is needed here is a few GETs, read straight into typed structs.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial
from typing import Final, TypeVar

from liu_tui.adapters.alpaca.parse_actions import TYPES, read_actions
from liu_tui.adapters.alpaca.parse_history import HistoryReader, Page
from liu_tui.adapters.alpaca.parse_venue import (
    read_assets,
    read_calendar,
    read_clock,
    read_most_active,
    read_movers,
)
from liu_tui.adapters.alpaca.questions import Questions, askable
from liu_tui.adapters.alpaca.rest import Query, Rest
from liu_tui.adapters.alpaca.times import new_york_day, write_time
from liu_tui.adapters.net.loopback import is_loopback
from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.model.clock import Anchor, SessionClock, SessionHours, monotonic_ns
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

Tick = TypeVar("Tick", Trade, Quote)

ROWS_A_PAGE: Final = 10_000  # the most that Alpaca gives
ACTIONS_A_PAGE: Final = 1_000
_HOUR_NS = 60 * MINUTE_NS
_CLOCK_KEEPS_NS = 600 * SECOND_NS
# What the endpoints of the past, and those of the present, call a live feed. The test feed has neither.
_PAST: Final = {"delayed_sip": "sip", "test": "iex"}
_PRESENT: Final = {"test": "iex"}
# The free plan has the tape up to a quarter of an hour ago: a moment less, and all is refused.
_HELD_BACK_NS = 15 * MINUTE_NS + 2 * SECOND_NS
# Alpaca looks for the day on which it processes: a dividend's is when it is paid, weeks after the ex-date.
_PROCESSED_BEFORE, _PROCESSED_AFTER = timedelta(days=10), timedelta(days=100)


class AlpacaData(DataAPI):
    """History and the whole market's present, from Alpaca or from the local market.

    data_url:    https://data.alpaca.markets, or http://127.0.0.1:PORT
    trading_url: https://paper-api.alpaca.markets, or the same: clock, calendar and assets are there
    feed:        "iex", "sip" or "delayed_sip"; always said, since the default depends on the account
    delay_ns:    how far the feed is behind the market: history's now is so much earlier
    tell:        hears in words of each wait that is longer than two seconds; a log line if None

    Symbols may be spelled in any case and with any mark before a share's class; answers are in the house's
    spelling (`normal_symbol`), which is Alpaca's too, sorted by it. A print that was canceled later, or stood
    corrected by another, is not told. Sizes of quotes are shares, also where Alpaca has round lots (before
    2025-11-03).
    """

    def __init__(
        self,
        data_url: str,
        trading_url: str,
        key: str,
        secret: str,
        *,
        feed: str = "iex",
        delay_ns: int = 0,
        first_wait_s: float = 0.5,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._data, self._trading = data_url.rstrip("/"), trading_url.rstrip("/")
        self._past, self._present = _PAST.get(feed, feed), _PRESENT.get(feed, feed)
        self._delay_ns = max(delay_ns, _HELD_BACK_NS) if feed == "delayed_sip" else delay_ns
        self._rest = Rest(key, secret, first_wait_s=first_wait_s, tell=tell)
        self._questions = Questions(self._rest)
        self._reader = HistoryReader(lots=not is_loopback(data_url))
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

        Raises FeedError, also for a span that Alpaca does not have (seconds).
        """
        frame, url = _timeframe(span_ns), f"{self._data}/v2/stocks/bars"
        names = sorted(normal_symbols(symbols))
        # Alpaca's end is the last start; ours the last end.
        last_start_ns = min(end_ns, await self._past_now_ns()) - span_ns
        if last_start_ns < start_ns:
            return {name: [] for name in names}
        query = self._span(start_ns, last_start_ns) | {"timeframe": frame, "adjustment": adjustment.value}
        read = partial(self._reader.bars, span_ns=span_ns, where=url)
        found = await self._questions.history(url, names, query, read)
        return {name: _bars_within(rows, start_ns, last_start_ns) for name, rows in found.items()}

    async def trades(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Trade]]:
        """Fetch the prints of a span, both ends included, oldest first. Raises FeedError."""
        url = f"{self._data}/v2/stocks/trades"
        read = partial(self._reader.trades, where=url)
        return await self._ticks(url, symbols, start_ns, end_ns, read)

    async def quotes(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Quote]]:
        """Fetch the best bids and asks of a span, both ends included, oldest first. Raises FeedError."""
        url = f"{self._data}/v2/stocks/quotes"
        read = partial(self._reader.quotes, where=url)
        return await self._ticks(url, symbols, start_ns, end_ns, read)

    async def latest_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Fetch the last print of each symbol; unknown symbols are absent. Raises FeedError."""
        url = f"{self._data}/v2/stocks/trades/latest"
        read = partial(self._reader.latest_trades, where=url)
        return await self._questions.latest(url, symbols, {"feed": self._present}, read)

    async def latest_quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Fetch the quote of each symbol as it stands; unknown symbols are absent. Raises FeedError."""
        url = f"{self._data}/v2/stocks/quotes/latest"
        read = partial(self._reader.latest_quotes, where=url)
        return await self._questions.latest(url, symbols, {"feed": self._present}, read)

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        """Fetch the latest of each symbol; unknown symbols are absent. Raises FeedError."""
        url = f"{self._data}/v2/stocks/snapshots"
        read = partial(self._reader.snapshots, where=url)
        return await self._questions.latest(url, symbols, {"feed": self._present}, read)

    async def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> list[CorporateAction]:
        """Fetch splits, dividends and renames of the days from start to end, both included, by day.

        A rename is found by its old name and by its new one. Raises FeedError.
        """
        url, asked = f"{self._data}/v1/corporate-actions", askable(symbols)
        query: Query = {
            "types": TYPES,
            "start": (start - _PROCESSED_BEFORE).isoformat(),
            "end": (end + _PROCESSED_AFTER).isoformat(),
            "limit": ACTIONS_A_PAGE,
            "sort": "asc",
        }
        # Renames between two names that are asked for in two questions come twice.
        found: dict[CorporateAction, None] = {}

        async def ask(some: list[str]) -> None:
            asking: Query = {**query, "symbols": ",".join(some)}
            async for page in self._questions.pages(url, asking, partial(read_actions, where=url)):
                found.update(dict.fromkeys(page))

        await self._questions.each(asked, ask)
        names = set(asked)
        ours = [
            action
            for action in found
            if start.isoformat() <= action.day <= end.isoformat()
            and (action.symbol in names or action.new_symbol in names)
        ]
        return sorted(ours, key=lambda action: (action.day, action.symbol, action.kind))

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """Fetch (symbol, shares traded today), most first; 100 at most. Raises FeedError."""
        url = f"{self._data}/v1beta1/screener/stocks/most-actives"
        query: Query = {"by": "volume", "top": _within(top, 100)}
        return read_most_active(await self._rest.get(url, query), where=url)

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """Fetch (symbol, percent against yesterday's close): gainers, then losers; 50 of each at most.

        Raises FeedError.
        """
        url = f"{self._data}/v1beta1/screener/stocks/movers"
        return read_movers(await self._rest.get(url, {"top": _within(top, 50)}), where=url)

    async def assets(self) -> list[Asset]:
        """Fetch every tradable stock, sorted by symbol. Raises FeedError."""
        url = f"{self._trading}/v2/assets"
        return read_assets(
            await self._rest.get(url, {"status": "active", "asset_class": "us_equity"}), where=url
        )

    async def sessions(self, start: date, end: date) -> list[SessionHours]:
        """Fetch the broker's own calendar from start to end, both included. Raises FeedError."""
        url = f"{self._trading}/v2/calendar"
        query: Query = {"start": start.isoformat(), "end": end.isoformat()}
        days = read_calendar(await self._rest.get(url, query), where=url)
        return [hours for hours in days if start.isoformat() <= hours.day <= end.isoformat()]

    async def hours(self) -> SessionHours:
        """Find the session under way (pre-market to after-hours), or the next. Raises FeedError."""
        anchor = await self.anchor()
        today = new_york_day(anchor.venue_ns)
        # Ten days reach over any holidays: the exchange has not been shut for longer since 2001.
        for hours in await self.sessions(today, today + timedelta(days=10)):
            if hours.post_ns > anchor.venue_ns:
                return hours
        raise FeedError(
            f"no session within ten days of {today}",
            where=f"{self._trading}/v2/calendar",
            mend="Check the venue's date.",
        )

    async def anchor(self) -> Anchor:
        """Ask the venue's time: as of the middle of the question. Raises FeedError."""
        url = f"{self._trading}/v2/clock"
        asked_ns = monotonic_ns()
        body = await self._rest.get(url)
        heard_ns = monotonic_ns()
        venue_ns, clock = read_clock(body, where=url)
        return Anchor(venue_ns, (asked_ns + heard_ns) // 2, clock.speed, clock.paused, clock.lockstep)

    async def close(self) -> None:
        """Let the connections go. May be called twice."""
        await self._rest.close()

    async def _ticks(
        self, url: str, names: Iterable[str], start_ns: int, end_ns: int, read: Callable[[bytes], Page[Tick]]
    ) -> dict[str, list[Tick]]:
        end_ns = min(end_ns, await self._past_now_ns())
        if end_ns < start_ns:
            return {name: [] for name in names}
        found = await self._questions.history(url, names, self._span(start_ns, end_ns), read)
        for name, rows in found.items():
            found[name] = [row for row in rows if start_ns <= row.t_ns <= end_ns]
            found[name].sort(key=lambda row: row.t_ns)
        return found

    def _span(self, start_ns: int, end_ns: int) -> dict[str, str | int]:
        return {
            "start": write_time(start_ns),
            "end": write_time(end_ns),
            "limit": ROWS_A_PAGE,
            "sort": "asc",
            "feed": self._past,
        }

    async def _past_now_ns(self) -> int:
        # The local market's time may jump or stand still, so it is asked each time.
        clock = self._clock
        if (
            clock is None
            or is_loopback(self._trading)
            or monotonic_ns() - clock.anchor.monotonic_ns > _CLOCK_KEEPS_NS
        ):
            self._clock = clock = SessionClock(await self.anchor())
        return clock.now_ns() - self._delay_ns


def _bars_within(rows: list[Bar], start_ns: int, last_start_ns: int) -> list[Bar]:
    """Take the bars that start in a span, each start once, oldest first."""
    by_start = {bar.t_ns: bar for bar in rows if start_ns <= bar.t_ns <= last_start_ns}
    return [by_start[t_ns] for t_ns in sorted(by_start)]


def _timeframe(span_ns: int) -> str:
    """Spell a bar's length as Alpaca does. Raises FeedError if it has none such."""
    for unit_ns, name, most in ((DAY_NS, "Day", 1), (_HOUR_NS, "Hour", 23), (MINUTE_NS, "Min", 59)):
        count, rest = divmod(span_ns, unit_ns)
        if not rest and 1 <= count <= most:
            return f"{count}{name}"
    raise FeedError(
        f"no bars of {span_ns / SECOND_NS:g} s", where="alpaca data", mend="It has minutes, hours and days."
    )


def _within(top: int, most: int) -> int:
    return max(1, min(top, most))
