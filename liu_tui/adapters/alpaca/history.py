"""AlpacaData: bars, snapshots, screeners, assets, clock and calendar over REST.

Not through alpaca-py: its client blocks, has no time-out, and its import alone costs a second and pandas, for
which no consumer or scanner should pay. What is needed here is a few GETs, read straight into typed structs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TypeVar

from liu_tui.adapters.alpaca.loopback import is_loopback
from liu_tui.adapters.alpaca.parse_history import (
    read_assets,
    read_bars,
    read_calendar,
    read_clock,
    read_most_active,
    read_movers,
    read_snapshots,
)
from liu_tui.adapters.alpaca.rest import Rest
from liu_tui.adapters.alpaca.times import new_york_day, write_time
from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.model.clock import Anchor, SessionClock, SessionHours, monotonic_ns
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Adjustment, Asset, Bar, Snapshot

T = TypeVar("T")

SYMBOLS_A_QUESTION = 400  # about 3 kB of address: every server takes that
ROWS_A_PAGE = 10_000  # the most that Alpaca gives
_HOUR_NS = 60 * MINUTE_NS
_CLOCK_KEEPS_NS = 600 * SECOND_NS


class AlpacaData(DataAPI):
    """History and the whole market's present, from Alpaca or from the local market.

    data_url:    https://data.alpaca.markets, or http://127.0.0.1:PORT
    trading_url: https://paper-api.alpaca.markets, or the same: clock, calendar and assets are there
    feed:        "iex" or "sip"; always said, since the default depends on the account
    """

    def __init__(
        self,
        data_url: str,
        trading_url: str,
        key: str,
        secret: str,
        *,
        feed: str = "iex",
        first_wait_s: float = 0.5,
    ) -> None:
        self._data, self._trading, self._feed = data_url.rstrip("/"), trading_url.rstrip("/"), feed
        self._rest = Rest(key, secret, first_wait_s=first_wait_s)
        self._gate = asyncio.Semaphore(4)
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
        frame = _timeframe(span_ns)
        names = _capitals(symbols)
        end_ns = min(end_ns, await self._now_ns())
        # Alpaca's end is the last start; ours the last end.
        last_start_ns = end_ns - span_ns
        found: dict[str, list[Bar]] = {name: [] for name in names}
        if last_start_ns < start_ns:
            return found
        query: dict[str, str | int] = {
            "timeframe": frame,
            "start": write_time(start_ns),
            "end": write_time(last_start_ns),
            "limit": ROWS_A_PAGE,
            "adjustment": adjustment.value,
            "sort": "asc",
        }
        await self._each(names, lambda some: self._bars_of(some, query, span_ns, found))
        return {
            name: [bar for bar in rows if start_ns <= bar.t_ns <= last_start_ns]
            for name, rows in found.items()
        }

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        """Fetch the latest of each symbol; unknown symbols are absent. Raises FeedError."""
        url = f"{self._data}/v2/stocks/snapshots"
        found: dict[str, Snapshot] = {}

        async def ask(some: list[str]) -> None:
            body = await self._rest.get(url, {"symbols": ",".join(some), "feed": self._feed})
            found.update(read_snapshots(body, where=url))

        await self._each(_capitals(symbols), ask)
        return found

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """Fetch (symbol, shares traded today), most first; 100 at most. Raises FeedError."""
        url = f"{self._data}/v1beta1/screener/stocks/most-actives"
        return read_most_active(
            await self._rest.get(url, {"by": "volume", "top": _within(top, 100)}), where=url
        )

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

    async def hours(self) -> SessionHours:
        """Find the session under way (pre-market to after-hours), or the next. Raises FeedError."""
        url = f"{self._trading}/v2/calendar"
        anchor = await self.anchor()
        today = new_york_day(anchor.venue_ns)
        # Ten days reach over any holidays: the exchange has not been shut for longer since 2001.
        query: dict[str, str | int] = {
            "start": today.isoformat(),
            "end": (today + timedelta(days=10)).isoformat(),
        }
        for hours in read_calendar(await self._rest.get(url, query), where=url):
            if hours.post_ns > anchor.venue_ns:
                return hours
        raise FeedError(f"no session within ten days of {today}", where=url, mend="Check the venue's date.")

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

    async def _bars_of(
        self, names: list[str], query: dict[str, str | int], span_ns: int, found: dict[str, list[Bar]]
    ) -> None:
        url = f"{self._data}/v2/stocks/bars"
        query = query | {"symbols": ",".join(names), "feed": self._feed}
        while True:
            page = read_bars(await self._rest.get(url, query), where=url)
            for symbol, rows in (page.bars or {}).items():
                if symbol in found:
                    found[symbol].extend(row.ours(symbol, span_ns) for row in rows)
            if not page.next_page_token:
                return
            query["page_token"] = page.next_page_token

    async def _each(self, names: list[str], ask: Callable[[list[str]], Awaitable[None]]) -> None:
        """Ask for some names at a time, a few questions side by side. Raises the first FeedError."""

        async def guarded(some: list[str]) -> None:
            async with self._gate:
                await ask(some)

        parts = [names[i : i + SYMBOLS_A_QUESTION] for i in range(0, len(names), SYMBOLS_A_QUESTION)]
        try:
            async with asyncio.TaskGroup() as tasks:
                for some in parts:
                    tasks.create_task(guarded(some))
        except* FeedError as faults:
            raise _first(faults) from None

    async def _now_ns(self) -> int:
        # The local market's time may jump or stand still, so it is asked each time.
        clock = self._clock
        if (
            clock is None
            or is_loopback(self._trading)
            or monotonic_ns() - clock.anchor.monotonic_ns > _CLOCK_KEEPS_NS
        ):
            self._clock = clock = SessionClock(await self.anchor())
        return clock.now_ns()


def _timeframe(span_ns: int) -> str:
    """Spell a bar's length as Alpaca does. Raises FeedError if it has none such."""
    for unit_ns, name, most in ((DAY_NS, "Day", 1), (_HOUR_NS, "Hour", 23), (MINUTE_NS, "Min", 59)):
        count, rest = divmod(span_ns, unit_ns)
        if not rest and 1 <= count <= most:
            return f"{count}{name}"
    raise FeedError(
        f"no bars of {span_ns / SECOND_NS:g} s", where="alpaca data", mend="It has minutes, hours and days."
    )


def _capitals(symbols: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(symbol.upper() for symbol in symbols))


def _within(top: int, most: int) -> int:
    return max(1, min(top, most))


def _first(faults: BaseExceptionGroup[FeedError]) -> FeedError:
    one: BaseException = faults
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    assert isinstance(one, FeedError)  # noqa: S101 - except* caught nothing else
    return one
