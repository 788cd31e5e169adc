"""PolygonData against small servers, and against whatever bytes may come."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.adapters.polygon import parse_history, parse_reference, parse_snapshots
from liu_tui.adapters.polygon.history import PolygonData
from liu_tui.adapters.polygon.spelling import read_time
from liu_tui.errors import FeedError
from liu_tui.market.calendar import midnight_ns
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Adjustment,
    Asset,
    Bar,
    CorporateAction,
    Quote,
    Trade,
)
from tests.kit.alpaca import http_server
from tests.kit.polygon import PAYLOADS, recorded

Answer = Callable[[web.Request], Awaitable[web.Response]]
NOW = "2022-04-28T16:48:08-04:00"
NOW_NS = read_time(NOW)
NINE_NS = read_time("2022-04-28T09:00:00-04:00")
needs_payloads = pytest.mark.skipif(not PAYLOADS.exists(), reason="the recorded payloads are not at hand")


async def the_time(_: web.Request) -> web.Response:
    return web.json_response({"serverTime": NOW})


def says(body: Any) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    return answer


@contextlib.asynccontextmanager
async def serving(answers: Mapping[str, Answer]) -> AsyncIterator[PolygonData]:
    """A PolygonData that asks a server of these answers."""
    every = {"/v1/marketstatus/now": the_time} | dict(answers)
    async with http_server([web.get(path, answer) for path, answer in every.items()]) as url:
        data = PolygonData(url, "key", first_wait_s=0.0, rate_wait_s=0.0)
        try:
            yield data
        finally:
            await data.close()
            await data.close()


def a_row(t_ns: int, close: float = 100.5) -> dict[str, Any]:
    return {"o": 100, "h": 101, "l": 99, "c": close, "v": 10, "vw": 100.1, "t": t_ns // 1_000_000, "n": 3}


async def test_bars_are_asked_for_raw_in_milliseconds_and_in_one_order() -> None:
    asked: list[web.Request] = []

    async def bars(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response({"results": [a_row(NINE_NS), a_row(NINE_NS + MINUTE_NS)]})

    async with serving({"/v2/aggs/ticker/{t}/range/{n}/{unit}/{a}/{b}": bars}) as data:
        found = await data.bars(["brk.b"], NINE_NS, NINE_NS + 2 * MINUTE_NS)
    (request,) = asked
    span = f"{NINE_NS // 1_000_000}/{(NINE_NS + 2 * MINUTE_NS) // 1_000_000 - 1}"
    assert request.path == f"/v2/aggs/ticker/BRK.B/range/1/minute/{span}"
    assert dict(request.query) == {"adjusted": "false", "sort": "asc", "limit": "50000"}
    assert request.headers["Authorization"] == "Bearer key"
    first = Bar("BRK.B", NINE_NS, 100, 101, 99, 100.5, 10, 100.1, 3)
    assert found["BRK.B"][0] == first
    assert [bar.t_ns for bar in found["BRK.B"]] == [NINE_NS, NINE_NS + MINUTE_NS]


async def test_bars_outside_of_the_span_or_not_ended_by_the_venues_now_are_left_out() -> None:
    last = NOW_NS - NOW_NS % MINUTE_NS
    rows = [a_row(NINE_NS - MINUTE_NS), a_row(last - MINUTE_NS), a_row(last)]
    answer = says({"results": rows})
    async with serving({"/v2/aggs/ticker/{t}/range/{n}/{unit}/{a}/{b}": answer}) as data:
        found = await data.bars(["AAPL"], NINE_NS, NOW_NS + DAY_NS)
        assert await data.bars(["AAPL"], NOW_NS + DAY_NS, NOW_NS + 2 * DAY_NS) == {"AAPL": []}
    assert [bar.t_ns for bar in found["AAPL"]] == [last - MINUTE_NS]


async def test_pages_are_followed_on_our_own_host_with_the_cursor_as_it_was() -> None:
    asked: list[str] = []

    async def bars(request: web.Request) -> web.Response:
        asked.append(request.rel_url.raw_query_string)
        if "cursor" in request.query:
            return web.json_response({"results": [a_row(NINE_NS + MINUTE_NS)]})
        following = f"https://elsewhere.example{request.path}?cursor=YQ%3D%3D&limit=2"
        return web.json_response({"results": [a_row(NINE_NS)], "next_url": following})

    async with serving({"/v2/aggs/ticker/{t}/range/{n}/{unit}/{a}/{b}": bars}) as data:
        found = await data.bars(["AAPL"], NINE_NS, NINE_NS + 5 * MINUTE_NS)
    assert len(found["AAPL"]) == 2
    assert asked[1] == "cursor=YQ%3D%3D&limit=2"


async def test_a_page_that_leads_back_to_itself_is_no_endless_loop() -> None:
    async def bars(request: web.Request) -> web.Response:
        return web.json_response({"results": [], "next_url": f"http://x{request.path}?cursor=a"})

    async with serving({"/v2/aggs/ticker/{t}/range/{n}/{unit}/{a}/{b}": bars}) as data:
        with pytest.raises(FeedError, match="names itself"):
            await data.bars(["AAPL"], NINE_NS, NINE_NS + 5 * MINUTE_NS)


@pytest.mark.parametrize(
    ("span_ns", "words"),
    [(SECOND_NS, "1/second"), (5 * MINUTE_NS, "5/minute"), (60 * MINUTE_NS, "1/hour"), (DAY_NS, "1/day")],
)
async def test_spans_are_spelled_in_polygons_units(span_ns: int, words: str) -> None:
    asked: list[str] = []

    async def bars(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({})

    async with serving({"/v2/aggs/ticker/{t}/range/{n}/{unit}/{a}/{b}": bars}) as data:
        await data.bars(["AAPL"], 0, NOW_NS, span_ns=span_ns, adjustment=Adjustment.SPLIT)
    assert f"/range/{words}/" in asked[0]


async def test_what_polygon_does_not_have_is_refused_before_it_is_asked() -> None:
    data = PolygonData("http://127.0.0.1:1", "key")
    with pytest.raises(FeedError, match=r"no bars of 0\.5 s"):
        await data.bars(["AAPL"], 0, NOW_NS, span_ns=SECOND_NS // 2)
    with pytest.raises(FeedError, match="adjusted for 'all'"):
        await data.bars(["AAPL"], 0, NOW_NS, adjustment=Adjustment.ALL)
    await data.close()


async def test_a_daily_bar_begins_at_new_yorks_midnight_however_it_is_stamped() -> None:
    midnight = midnight_ns(date(2022, 4, 26))
    closing = says({"results": [a_row(midnight + 16 * 60 * MINUTE_NS) | {"T": "BACpK"}]})
    async with serving({"/v2/aggs/grouped/locale/us/market/stocks/{day}": closing}) as data:
        found = await data.grouped(date(2022, 4, 26))
    assert found["BAC.PRK"].t_ns == midnight
    assert found["BAC.PRK"].span_ns == DAY_NS


async def test_too_many_requests_are_waited_for_as_told_but_not_for_ever() -> None:
    answers = iter([429, 500, 200])
    tries = 0

    async def moody(_: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        status = next(answers, 429)
        return web.json_response({"results": []}, status=status, headers={"Retry-After": "0"})

    async with serving({"/v2/aggs/grouped/locale/us/market/stocks/{day}": moody}) as data:
        assert await data.grouped(date(2022, 4, 26)) == {}
        assert tries == 3
        with pytest.raises(FeedError, match="too many requests") as caught:
            await data.grouped(date(2022, 4, 26))
        assert "5 calls a minute" in caught.value.mend


@pytest.mark.parametrize(
    ("status", "body", "words", "mend"),
    [
        (401, {"status": "ERROR", "error": "Unknown API Key"}, "Unknown API Key (401)", "POLYGON_API_KEY"),
        (403, {"status": "NOT_AUTHORIZED", "message": "You are not entitled"}, "not entitled", "plan"),
        (404, {"status": "NOT_FOUND"}, "not found (404)", "symbol"),
        (400, "<html>", "<html>", ""),
    ],
)
async def test_a_no_is_told_in_the_vendors_words(status: int, body: Any, words: str, mend: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(body=body if isinstance(body, str) else json.dumps(body), status=status)

    async with serving({"/v2/aggs/grouped/locale/us/market/stocks/{day}": refuse}) as data:
        with pytest.raises(FeedError) as caught:
            await data.grouped(date(2022, 4, 26))
    assert words in caught.value.what
    assert mend in caught.value.mend


async def test_the_last_of_a_symbol_that_nobody_knows_is_absent() -> None:
    async def last(request: web.Request) -> web.Response:
        if request.match_info["t"] == "NOPE":
            return web.json_response({"status": "NOT_FOUND"}, status=404)
        return web.json_response({"results": {"p": 166.25, "s": 2, "t": 5, "i": "237688", "x": 4, "z": 3}})

    async with serving({"/v2/last/trade/{t}": last}) as data:
        found = await data.latest_trades(["aapl", "NOPE"])
    assert found == {"AAPL": Trade("AAPL", 5, 166.25, 2, 237_688, "4", (), "C")}


async def test_corporate_actions_are_sifted_and_sorted() -> None:
    splits = {
        "results": [{"ticker": "META", "execution_date": "2022-06-10", "split_from": 10, "split_to": 1}]
    }
    dividend = {"ticker": "META", "ex_dividend_date": "2022-06-09", "cash_amount": 0.5}
    renames = [
        {"ticker_change": {"ticker": "META"}, "type": "ticker_change", "date": "2022-06-11"},
        {"ticker_change": {"ticker": "FB"}, "type": "ticker_change", "date": "2012-05-18"},
    ]
    answers = {
        "/v3/reference/splits": says(splits),
        "/v3/reference/dividends": says({"results": [dividend, dividend]}),
        "/vX/reference/tickers/{t}/events": says({"results": {"events": renames}}),
    }
    async with serving(answers) as data:
        found = await data.corporate_actions(["META"], date(2022, 6, 1), date(2022, 6, 30))
        assert await data.corporate_actions(["META"], date(2021, 6, 1), date(2021, 6, 30)) == []
        many = [f"X{n}" for n in range(30)]
        assert await data.corporate_actions(many, date(2022, 6, 1), date(2022, 6, 30)) == []
    assert found == [
        CorporateAction(kind="dividend", symbol="META", day="2022-06-09", cash=0.5),
        CorporateAction(kind="split", symbol="META", day="2022-06-10", ratio=0.1),
        CorporateAction(kind="rename", symbol="FB", day="2022-06-11", new_symbol="META"),
    ]


async def test_the_calendar_is_the_houses_corrected_by_the_vendors_coming_days() -> None:
    coming = [
        {"exchange": "NYSE", "date": "2022-05-03", "status": "closed", "name": "Mourning"},
        {
            "exchange": "NYSE",
            "date": "2022-05-04",
            "status": "early-close",
            "close": "2022-05-04T17:00:00.000Z",
        },
        {"exchange": "OTC", "date": "2022-05-02", "status": "closed"},
    ]
    async with serving({"/v1/marketstatus/upcoming": says(coming)}) as data:
        found = await data.sessions(date(2022, 5, 2), date(2022, 5, 5))
        assert (await data.hours()).day == "2022-04-28"
    assert [hours.day for hours in found] == ["2022-05-02", "2022-05-04", "2022-05-05"]
    assert found[1].close_ns == read_time("2022-05-04T13:00:00-04:00")
    assert found[1].post_ns == read_time("2022-05-04T17:00:00-04:00")


async def test_the_vendors_whole_seconds_are_refined_by_a_clock_that_agrees() -> None:
    body = json.dumps({"serverTime": NOW}).encode()
    near = parse_reference.read_clock(body, 7, NOW_NS + 400_000_000, where="")
    far = parse_reference.read_clock(body, 7, NOW_NS + 60 * SECOND_NS, where="")
    assert (near.venue_ns, near.monotonic_ns) == (NOW_NS + 400_000_000, 7)
    assert far.venue_ns == NOW_NS + SECOND_NS // 2


async def test_many_symbols_are_asked_a_few_at_a_time() -> None:
    at_once = most = 0

    async def bars(_: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return web.json_response({})

    names = [f"X{n}" for n in range(40)]
    async with serving({"/v2/aggs/ticker/{t}/range/{n}/{unit}/{a}/{b}": bars}) as data:
        assert await data.bars(names, NINE_NS, NOW_NS) == {name: [] for name in names}
    assert most <= 8


@needs_payloads
async def test_the_recorded_screeners_and_snapshots_are_read() -> None:
    gainers = recorded("stocks/gainers")
    answers = {
        "/v2/snapshot/locale/us/markets/stocks/tickers": says(gainers),
        "/v2/snapshot/locale/us/markets/stocks/gainers": says(gainers),
        "/v2/snapshot/locale/us/markets/stocks/losers": says({"tickers": None}),
    }
    async with serving(answers) as data:
        assert await data.movers() == [("NVCN", 2113.793), ("BIOL", 2056.477)]
        assert await data.most_active() == [("BIOL", 453_199.0), ("NVCN", 115_782.0)]
        found = await data.snapshots(["NVCN", "BIOL", "NOPE"])
    assert set(found) == {"NVCN", "BIOL"}
    nvcn = found["NVCN"]
    assert nvcn.latest_quote == Quote("NVCN", 1_651_251_738_312_628_478, 6.4, 100, 6.43, 100)
    assert nvcn.latest_trade is not None
    assert nvcn.latest_trade.conditions == ("F", "#41")
    assert nvcn.daily_bar is not None
    assert nvcn.previous_daily_bar is not None
    assert nvcn.minute_bar is not None
    assert (nvcn.price, nvcn.daily_bar.volume, nvcn.previous_daily_bar.close) == (6.42, 115_782, 0.29)
    assert nvcn.daily_bar.t_ns == midnight_ns(date(2022, 4, 29))
    assert nvcn.previous_daily_bar.t_ns == midnight_ns(date(2022, 4, 28))
    assert (nvcn.minute_bar.count, nvcn.minute_bar.volume) == (5, 2671)


@needs_payloads
def test_every_recorded_answer_with_market_data_is_read() -> None:
    def raw(part: str) -> bytes:
        return json.dumps(recorded(part)).encode()

    bars = parse_history.read_bars(raw("range/1/day/2005-04-01"), "AAPL", DAY_NS, where="")
    assert [(bar.t_ns, bar.close) for bar in bars] == [
        (midnight_ns(date(2005, 4, 1)), 1.4604),
        (midnight_ns(date(2005, 4, 4)), 1.4675),
    ]
    assert parse_history.read_bars(raw("range/1/day/2005-04-02"), "AAPL", DAY_NS, where="")
    (before,) = parse_history.read_bars(raw("ticker/AAPL/prev"), "AAPL", DAY_NS, where="")
    assert (before.t_ns, before.count) == (midnight_ns(date(2022, 4, 26)), 899_965)
    assert parse_history.read_grouped(raw("aggs/grouped"), where="")["GIK"].vwap == 9.9979
    trade = parse_history.read_last_trade(raw("last/trade/AAPL"), "AAPL", where="")
    when = 1_651_179_319_310_617_300
    assert trade == Trade("AAPL", when, 166.25, 2, 237_688, "4", ("T", "I"), "C")
    quote = parse_history.read_last_quote(raw("last/nbbo/AAPL"), "AAPL", where="")
    assert quote == Quote("AAPL", 1_652_192_754_171_838_500, 155.65, 100, 155.66, 1400)
    assert parse_reference.read_clock(raw("marketstatus/now"), 0, 0, where="").venue_ns > NOW_NS
    holidays = parse_reference.read_holidays(raw("marketstatus/upcoming"), where="")
    assert holidays["2022-05-30"] is None
    assert holidays["2022-11-25"] == read_time("2022-11-25T13:00:00-05:00")
    splits = parse_reference.read_splits(raw("reference/splits"), where="")
    assert splits[0] == CorporateAction(kind="split", symbol="GOOGL", day="2022-07-18", ratio=20.0)
    dividends = parse_reference.read_dividends(raw("reference/dividends"), where="")
    assert dividends[0].cash == 0.59375
    (rename,) = parse_reference.read_renames(raw("META/events"), where="")
    assert (rename.symbol, rename.day, rename.new_symbol) == ("FB", "2022-06-11", "META")
    assets = parse_reference.read_assets(raw("reference/tickers.json"), where="")
    assert assets[0] == Asset(symbol="A", name="Agilent Technologies Inc.", exchange="NYSE")
    assert parse_reference.read_assets(raw("reference/tickers&cursor"), where="")


_READERS: list[Callable[[bytes], Any]] = [
    lambda body: parse_history.read_bars(body, "A", MINUTE_NS, where=""),
    lambda body: parse_history.read_grouped(body, where=""),
    lambda body: parse_history.read_trades(body, "A", where=""),
    lambda body: parse_history.read_quotes(body, "A", where=""),
    lambda body: parse_history.read_last_trade(body, "A", where=""),
    lambda body: parse_history.read_last_quote(body, "A", where=""),
    lambda body: [said.ours(NOW_NS) for said in parse_snapshots.read_tickers(body, where="")],
    lambda body: parse_reference.read_clock(body, 0, 0, where=""),
    lambda body: parse_reference.read_holidays(body, where=""),
    lambda body: parse_reference.read_assets(body, where=""),
    lambda body: parse_reference.read_splits(body, where=""),
    lambda body: parse_reference.read_dividends(body, where=""),
    lambda body: parse_reference.read_renames(body, where=""),
]
_WORDS = [
    "t",
    "o",
    "h",
    "l",
    "c",
    "v",
    "n",
    "vw",
    "T",
    "p",
    "s",
    "P",
    "S",
    "i",
    "x",
    "z",
    "price",
    "size",
    "id",
]
_WORDS += ["sip_timestamp", "bid_price", "ticker", "day", "min", "updated", "lastTrade", "execution_date"]
_WORDS += [
    "split_from",
    "split_to",
    "ex_dividend_date",
    "cash_amount",
    "date",
    "events",
    "serverTime",
    "clock",
]
_NUMBERS = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from(["nan", "1e999", "5", "2022-04-28"])
_LEAVES = st.none() | st.booleans() | _NUMBERS | st.text(max_size=6)
_THINGS = st.dictionaries(
    st.sampled_from(_WORDS), _LEAVES | st.dictionaries(st.sampled_from(_WORDS), _LEAVES)
)
_BODIES = st.builds(
    lambda key, rows: {key: rows},
    st.sampled_from(["results", "tickers"]),
    st.lists(_THINGS) | _THINGS | _LEAVES,
)


@given(_BODIES | _THINGS | st.lists(_THINGS, max_size=2))
def test_any_answer_gives_values_or_a_feed_error(body: Any) -> None:
    assert_values_or_feed_error(json.dumps(body).encode())


@given(st.binary(max_size=100))
def test_any_bytes_give_values_or_a_feed_error(body: bytes) -> None:
    assert_values_or_feed_error(body)


def assert_values_or_feed_error(body: bytes) -> None:
    for read in _READERS:
        with contextlib.suppress(FeedError):
            read(body)
