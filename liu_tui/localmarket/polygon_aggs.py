"""Polygon's aggregates: of one ticker over a span, of the day before, of the whole market on one day.

Bars that have ended, and today's so far. Seconds are made of the trades that the market still remembers.
"""

from collections.abc import Callable
from datetime import date

from aiohttp import web

from liu_tui.adapters.polygon.spelling import MS_NS, their_ticker
from liu_tui.localmarket import polygon_rows as rows
from liu_tui.localmarket.adjusting import Splits
from liu_tui.localmarket.paging import Mark, Page, cut_page
from liu_tui.localmarket.polygon_door import yes
from liu_tui.localmarket.polygon_query import Asked, day_in, moment_in, not_found, symbol_of
from liu_tui.localmarket.rest import bad_query
from liu_tui.localmarket.timeframe import Timeframe
from liu_tui.localmarket.venue import Venue
from liu_tui.market import calendar
from liu_tui.market.bars import SecondBars
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Bar, Trade

MOST, USUAL = 50_000, 5_000
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_UNITS = ("second", "minute", "hour", "day", "week", *_MONTHS)


class Seconds(Timeframe, frozen=True):
    """So many seconds, counted from the epoch."""

    def start_of(self, t_ns: int) -> int:
        """The start of the bar that holds this moment."""
        return t_ns - t_ns % (self.count * SECOND_NS)


class PolygonAggs:
    """Answers of the aggregates endpoints."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get("/v2/aggs/ticker/{ticker}/range/{count}/{unit}/{from}/{to}", self.span),
            web.get("/v2/aggs/ticker/{ticker}/prev", self.previous),
            web.get("/v2/aggs/grouped/locale/us/market/stocks/{date}", self.grouped),
            web.get("/v1/open-close/{ticker}/{date}", self.open_close),
        ]

    async def span(self, request: web.Request) -> web.Response:
        """`GET /v2/aggs/ticker/{T}/range/{n}/{unit}/{from}/{to}`: from and to in ms or as dates."""
        asked, symbol = Asked.of(request), symbol_of(request)
        adjust = self._adjuster(asked, symbol)
        page: Page[Bar] = cut_page(
            [symbol],
            lambda _: adjust(self._span(request, symbol)),
            limit=asked.whole("limit", USUAL, most=MOST),
            after=asked.mark,
            descending=asked.falls(key="sort"),
        )
        found = page.rows.get(symbol, [])
        words = {"ticker": their_ticker(symbol), "adjusted": _adjusted(asked)}
        words |= {"queryCount": len(found), "resultsCount": len(found), "count": len(found)}
        if found:
            words["results"] = [rows.bar(bar) for bar in found]
        return yes(words | _next(asked, request, page.next_mark))

    async def previous(self, request: web.Request) -> web.Response:
        """`GET /v2/aggs/ticker/{T}/prev`: the day before this session, stamped at its close."""
        symbol, asked = symbol_of(request), Asked.of(request)
        bar = self._venue.tape.previous_daily(symbol)
        found = self._adjuster(asked, symbol)([bar]) if bar is not None else []
        words = {"ticker": their_ticker(symbol), "adjusted": _adjusted(asked), "resultsCount": len(found)}
        return yes(words | {"results": [rows.bar(b, at_ns=_close_ns(b), named=True) for b in found]})

    async def grouped(self, request: web.Request) -> web.Response:
        """`GET /v2/aggs/grouped/locale/us/market/stocks/{date}`: everybody's day, stamped at its close."""
        day, asked = day_in(request.match_info["date"]), Asked.of(request)
        found = [
            bar
            for symbol in sorted(self._venue.assets)
            for bar in self._adjuster(asked, symbol)(self._day(symbol, day))
        ]
        words = {"adjusted": _adjusted(asked), "queryCount": len(found), "resultsCount": len(found)}
        return yes(words | {"results": [rows.bar(bar, at_ns=_close_ns(bar), named=True) for bar in found]})

    async def open_close(self, request: web.Request) -> web.Response:
        """`GET /v1/open-close/{T}/{date}`: with the prices before the open and after the close."""
        symbol, asked = symbol_of(request), Asked.of(request)
        day = day_in(request.match_info["date"])
        found = self._adjuster(asked, symbol)(self._day(symbol, day))
        if not found:
            raise not_found(f"{symbol} on {day}")
        bar = found[0]
        words = {"from": day.isoformat(), "symbol": their_ticker(symbol), "volume": bar.volume}
        words |= {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close}
        session = calendar.hours(day)
        if session is not None:
            before = self._base(symbol, MINUTE_NS, session.pre_ns, session.open_ns - 1)
            after = self._base(symbol, MINUTE_NS, session.close_ns, session.post_ns)
            words |= {"preMarket": before[0].open} if before else {}
            words |= {"afterHours": after[-1].close} if after else {}
        return yes(words)

    def _span(self, request: web.Request, symbol: str) -> list[Bar]:
        place = request.match_info
        frame = _frame(place["count"], place["unit"])
        start_ns = frame.start_of(moment_in(place["from"], MS_NS))
        end_ns = min(moment_in(place["to"], MS_NS, end_of_day=True), self._venue.now_ns)
        if isinstance(frame, Seconds):
            return frame.fold(self._seconds(symbol, start_ns, end_ns))
        found = self._base(symbol, frame.base_ns, start_ns, end_ns)
        return found if frame.is_base else frame.fold(found)

    def _base(self, symbol: str, span_ns: int, start_ns: int, end_ns: int) -> list[Bar]:
        """Minutes or days that start within the span, today so far included."""
        tape, now_ns = self._venue.tape, self._venue.now_ns
        found = tape.bars(symbol, span_ns, start_ns, min(end_ns + span_ns, now_ns))
        today = tape.snapshot(symbol).daily_bar if span_ns == DAY_NS else None
        if today is not None and start_ns <= today.t_ns and (not found or found[-1].t_ns < today.t_ns):
            found = [*found, today]
        return [bar for bar in found if bar.t_ns <= end_ns]

    def _seconds(self, symbol: str, start_ns: int, end_ns: int) -> list[Bar]:
        made, found = SecondBars(), []
        for event in self._venue.recent:
            if isinstance(event, Trade) and event.symbol == symbol and start_ns <= event.t_ns:
                bar = made.add(event)
                found += [bar] if bar is not None else []
        found += made.flush(self._venue.now_ns)
        return [bar for bar in found if bar.t_ns <= end_ns]

    def _day(self, symbol: str, day: date) -> list[Bar]:
        start_ns = calendar.midnight_ns(day)
        return self._base(symbol, DAY_NS, start_ns, start_ns + DAY_NS // 2)

    def _adjuster(self, asked: Asked, symbol: str) -> Callable[[list[Bar]], list[Bar]]:
        if not _adjusted(asked):
            return lambda found: found
        today = calendar.day_of(self._venue.now_ns).isoformat()
        return Splits(self._venue.actions, symbol, today).adjust


def _frame(count: str, unit: str) -> Timeframe:
    """Read Polygon's spelling of a bar's length. Raises ExchangeRefusal (400)."""
    unit = unit.lower()
    if unit not in _UNITS or not (
        count.isascii() and count.isdecimal() and 0 < len(count) < 5 and int(count)
    ):
        raise bad_query(f"invalid timespan: {count} {unit}")
    if unit == "second":
        return Seconds(int(count), unit)
    if unit in _MONTHS:
        months = int(count) * _MONTHS[unit]
        if 12 % months:
            raise bad_query(f"invalid timespan: {count} {unit}: here a year is a whole number of them")
        return Timeframe(months, "month")
    if unit in ("day", "week") and int(count) != 1:
        raise bad_query(f"invalid timespan: {count} {unit}: here only one {unit}")
    return Timeframe(int(count), unit)


def _adjusted(asked: Asked) -> bool:
    return asked.words.get("adjusted", "true").lower() != "false"


def _close_ns(bar: Bar) -> int:
    session = calendar.hours(calendar.day_of(bar.t_ns))
    return session.close_ns if session is not None else bar.t_ns


def _next(asked: Asked, request: web.Request, mark: Mark | None) -> dict[str, str]:
    return {"next_url": asked.next_url(request, mark=mark)} if mark is not None else {}
