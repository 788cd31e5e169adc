"""AlpacaData against a scripted REST server."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from aiohttp import web

from liu_tui.adapters.alpaca.history import AlpacaData
from liu_tui.adapters.alpaca.questions import SYMBOLS_A_QUESTION
from liu_tui.adapters.alpaca.times import read_time, write_time
from liu_tui.errors import FeedError
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Asset
from tests.kit.alpaca import http_server

NOW = "2026-01-05T15:00:30.5Z"  # 10:00:30 in New York
NOW_NS = read_time(NOW)
Handler = Callable[[web.Request], Awaitable[web.Response]]


def answering(body: Any, *, status: int = 200, asked: list[Any] | None = None) -> Handler:
    """Answer always the same."""

    async def handler(request: web.Request) -> web.Response:
        if asked is not None:
            asked.append(dict(request.query))
        return web.json_response(body, status=status)

    return handler


def clock(now: str = NOW, **more: Any) -> web.RouteDef:
    return web.get("/v2/clock", answering({"timestamp": now, "is_open": True} | more))


def a_row(t_ns: int, **changes: Any) -> dict[str, Any]:
    at = write_time(t_ns).replace(".000000000", "")
    return {"t": at, "o": 10, "h": 11, "l": 9, "c": 10.5, "v": 100, "n": 3, "vw": 10.2} | changes


def data_at(url: str) -> AlpacaData:
    return AlpacaData(url, url + "/", "key", "secret", feed="sip", first_wait_s=0.001)


async def test_pages_are_followed_and_every_symbol_has_a_list() -> None:
    start = NOW_NS // MINUTE_NS * MINUTE_NS - 10 * MINUTE_NS
    asked: list[Any] = []

    async def bars(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        assert request.headers["APCA-API-KEY-ID"] == "key"
        if "page_token" not in request.query:
            return web.json_response({"bars": {"AAPL": [a_row(start)]}, "next_page_token": "more"})
        last = {"AAPL": [a_row(start + MINUTE_NS)], "MSFT": [a_row(start)], "ALIEN": [a_row(start)]}
        return web.json_response({"bars": last, "next_page_token": None})

    async with http_server([clock(), web.get("/v2/stocks/bars", bars)]) as url:
        data = data_at(url)
        found = await data.bars(["aapl", "MSFT", "SPY"], start, NOW_NS)
        await data.close()
    assert {symbol: [bar.t_ns for bar in bars] for symbol, bars in found.items()} == {
        "AAPL": [start, start + MINUTE_NS],
        "MSFT": [start],
        "SPY": [],
    }
    assert asked[0]["feed"] == "sip"
    assert asked[0]["symbols"] == "AAPL,MSFT,SPY"
    assert asked[0]["timeframe"] == "1Min"
    assert asked[1]["page_token"] == "more"


async def test_a_bar_that_has_not_ended_at_the_venue_is_not_told() -> None:
    minute = NOW_NS // MINUTE_NS * MINUTE_NS
    asked: list[Any] = []
    rows = {"bars": {"AAPL": [a_row(minute - MINUTE_NS), a_row(minute), a_row(minute + MINUTE_NS)]}}
    routes = [clock(paused=True), web.get("/v2/stocks/bars", answering(rows, asked=asked))]
    async with http_server(routes) as url:
        data = data_at(url)
        found = await data.bars(["AAPL"], 0, NOW_NS + DAY_NS)
        await data.close()
    assert [bar.end_ns for bar in found["AAPL"]] == [minute]
    assert read_time(asked[0]["end"]) == NOW_NS - MINUTE_NS


async def test_the_end_is_the_end_of_the_last_bar() -> None:
    base = NOW_NS // MINUTE_NS * MINUTE_NS - 60 * MINUTE_NS
    rows = {"bars": {"AAPL": [a_row(base + n * MINUTE_NS) for n in range(-1, 4)]}}
    async with http_server([clock(), web.get("/v2/stocks/bars", answering(rows))]) as url:
        data = data_at(url)
        found = await data.bars(["AAPL"], base, base + 2 * MINUTE_NS)
        nothing = await data.bars(["AAPL"], base, base + MINUTE_NS - 1)
        await data.close()
    assert [bar.t_ns for bar in found["AAPL"]] == [base, base + MINUTE_NS]
    assert nothing == {"AAPL": []}


async def test_many_symbols_are_asked_for_some_at_a_time() -> None:
    asked: list[Any] = []
    names = [f"S{n}" for n in range(SYMBOLS_A_QUESTION + 1)]
    async with http_server([web.get("/v2/stocks/snapshots", answering({}, asked=asked))]) as url:
        data = data_at(url)
        assert await data.snapshots(names) == {}
        await data.close()
    assert sorted(len(query["symbols"].split(",")) for query in asked) == [1, SYMBOLS_A_QUESTION]


@pytest.mark.parametrize(
    ("span_ns", "frame"), [(MINUTE_NS, "1Min"), (5 * MINUTE_NS, "5Min"), (DAY_NS, "1Day")]
)
async def test_a_span_becomes_a_timeframe(span_ns: int, frame: str) -> None:
    asked: list[Any] = []
    async with http_server(
        [clock(), web.get("/v2/stocks/bars", answering({"bars": None}, asked=asked))]
    ) as url:
        data = data_at(url)
        await data.bars(["AAPL"], 0, NOW_NS, span_ns=span_ns)
        await data.close()
    assert asked[0]["timeframe"] == frame


async def test_a_span_that_alpaca_does_not_have_is_refused_in_words() -> None:
    data = data_at("http://127.0.0.1:1")
    with pytest.raises(FeedError, match="no bars of 1 s"):
        await data.bars(["AAPL"], 0, NOW_NS, span_ns=SECOND_NS)


@pytest.mark.parametrize("status", [429, 500, 502, 504])
async def test_a_server_that_stumbles_is_asked_again(status: int) -> None:
    left = [status, status]

    async def sometimes(_: web.Request) -> web.Response:
        if left:
            return web.Response(status=left.pop(), text="<html>", headers={"X-RateLimit-Reset": "1"})
        return web.json_response({"most_actives": [{"symbol": "AAPL", "volume": 5}]})

    async with http_server([web.get("/v1beta1/screener/stocks/most-actives", sometimes)]) as url:
        data = data_at(url)
        assert await data.most_active(500) == [("AAPL", 5.0)]
        await data.close()


async def test_a_server_that_stays_down_is_given_up_in_words() -> None:
    async with http_server([web.get("/v2/clock", answering({}, status=503))]) as url:
        data = data_at(url)
        with pytest.raises(FeedError, match="503") as caught:
            await data.anchor()
        await data.close()
    assert caught.value.where.endswith("/v2/clock")


async def test_nobody_there_is_a_feed_error() -> None:
    data = data_at("http://127.0.0.1:1")
    with pytest.raises(FeedError, match="no answer"):
        await data.anchor()
    await data.close()
    await data.close()


@pytest.mark.parametrize(
    ("status", "message", "mend"),
    [
        (401, "unauthorized.", "APCA_API_KEY_ID"),
        (403, "subscription does not permit querying recent SIP data", "iex"),
        (422, "invalid start", ""),
    ],
)
async def test_a_refusal_is_told_at_once_with_the_mend(status: int, message: str, mend: str) -> None:
    asked: list[Any] = []
    refusing = answering({"message": message}, status=status, asked=asked)
    async with http_server([web.get("/v2/stocks/snapshots", refusing)]) as url:
        data = data_at(url)
        with pytest.raises(FeedError, match=message) as caught:
            await data.snapshots(["AAPL"])
        await data.close()
    assert mend in caught.value.mend
    assert len(asked) == 1


async def test_the_proxy_of_the_environment_is_not_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with http_server([clock()]) as url:
        data = data_at(url)
        assert (await data.anchor()).venue_ns == NOW_NS
        await data.close()


async def test_the_anchor_knows_the_local_markets_pace() -> None:
    async with http_server([clock(speed=60.0, paused=True, lockstep=True)]) as url:
        data = data_at(url)
        anchor = await data.anchor()
        await data.close()
    assert (anchor.venue_ns, anchor.speed, anchor.paused, anchor.lockstep) == (NOW_NS, 60.0, True, True)


CALENDAR = [
    {
        "date": "2026-01-05",
        "open": "09:30",
        "close": "16:00",
        "session_open": "0400",
        "session_close": "2000",
    },
    {"date": "2026-01-06", "open": "09:30", "close": "13:00"},
]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-01-05T08:00:00Z", "2026-01-05"),
        (NOW, "2026-01-05"),
        ("2026-01-06T00:30:00Z", "2026-01-05"),  # half past seven in the evening, after hours
        ("2026-01-06T01:30:00Z", "2026-01-06"),
    ],
)
async def test_the_hours_are_of_the_session_under_way_or_the_next(now: str, day: str) -> None:
    async with http_server([clock(now), web.get("/v2/calendar", answering(CALENDAR))]) as url:
        data = data_at(url)
        hours = await data.hours()
        await data.close()
    assert hours.day == day
    assert hours.open_ns == read_time(f"{day}T14:30:00Z")
    assert hours.pre_ns == read_time(f"{day}T09:00:00Z")


async def test_assets_are_the_tradable_ones_by_symbol_and_need_no_model() -> None:
    rows = [
        {
            "symbol": "MSFT",
            "tradable": True,
            "shortable": True,
            "easy_to_borrow": False,
            "class": "us_equity",
        },
        {"symbol": "AAPL", "name": "Apple", "exchange": "NASDAQ", "tradable": True, "shortable": True},
        {"symbol": "GONE", "tradable": False, "status": "a new word"},
    ]
    async with http_server([web.get("/v2/assets", answering(rows))]) as url:
        data = data_at(url)
        assets = await data.assets()
        await data.close()
    assert assets == [
        Asset(symbol="AAPL", name="Apple", exchange="NASDAQ", shortable=True, marginable=False),
        Asset(symbol="MSFT", shortable=False, marginable=False),
    ]


async def test_a_snapshot_that_cannot_be_read_does_not_cost_the_others() -> None:
    body = {
        "AAPL": {"latestTrade": {"t": NOW, "p": 10, "s": 5}, "latestQuote": None, "minuteBar": None},
        "BAD": {"latestTrade": {"t": NOW, "p": "?", "s": 5}},
        "NONE": None,
        "LATE": {"latestQuote": {"t": "soon", "bp": 1, "bs": 1, "ap": 1, "as": 1}},
    }
    async with http_server([web.get("/v2/stocks/snapshots", answering(body))]) as url:
        data = data_at(url)
        found = await data.snapshots(["AAPL", "BAD", "NONE", "LATE"])
        await data.close()
    assert list(found) == ["AAPL"]
    assert found["AAPL"].price == 10


async def test_movers_are_the_gainers_and_then_the_losers() -> None:
    body = {
        "gainers": [{"symbol": "UP", "percent_change": 9.5}],
        "losers": [{"symbol": "DOWN", "percent_change": -7}],
    }
    async with http_server([web.get("/v1beta1/screener/stocks/movers", answering(body))]) as url:
        data = data_at(url)
        assert await data.movers(1) == [("UP", 9.5), ("DOWN", -7.0)]
        await data.close()


async def test_prints_come_from_all_pages_by_time_with_both_ends_and_their_nanoseconds() -> None:
    start = NOW_NS - 60 * SECOND_NS
    asked: list[Any] = []

    def row(after_ns: int, **more: Any) -> dict[str, Any]:
        return {"t": write_time(start + after_ns), "p": 10, "s": 1, "i": after_ns % 1000} | more

    async def trades(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        pages = {
            "": {"AAPL": [row(0), row(7)]},
            "2": {"AAPL": [row(9, u="canceled"), row(5)], "MSFT": [row(-1), row(3)]},
            "3": {"MSFT": [row(20 * SECOND_NS), row(20 * SECOND_NS + 1)]},
        }
        token = request.query.get("page_token", "")
        return web.json_response({"trades": pages[token], "next_page_token": {"": "2", "2": "3"}.get(token)})

    async with http_server([clock(paused=True), web.get("/v2/stocks/trades", trades)]) as url:
        data = data_at(url)
        found = await data.trades(["MSFT", "aapl", "SPY"], start, start + 20 * SECOND_NS)
        later = await data.trades(["AAPL"], NOW_NS + 1, NOW_NS + 2)
        await data.close()
    assert {name: [trade.t_ns - start for trade in rows] for name, rows in found.items()} == {
        "AAPL": [0, 5, 7],
        "MSFT": [3, 20 * SECOND_NS],
        "SPY": [],
    }
    assert list(found) == ["AAPL", "MSFT", "SPY"]
    assert (read_time(asked[0]["start"]), read_time(asked[0]["end"])) == (start, start + 20 * SECOND_NS)
    assert [query.get("page_token") for query in asked] == [None, "2", "3"]
    assert later == {"AAPL": []}


async def test_a_page_that_comes_again_and_again_is_given_up() -> None:
    body = {"quotes": {"AAPL": []}, "next_page_token": "same"}
    async with http_server([clock(), web.get("/v2/stocks/quotes", answering(body))]) as url:
        data = data_at(url)
        with pytest.raises(FeedError, match="the same page again"):
            await data.quotes(["AAPL"], 0, NOW_NS)
        await data.close()


@pytest.mark.parametrize(
    ("feed", "past", "present", "delay_ns"),
    [
        ("iex", "iex", "iex", 0),
        ("sip", "sip", "sip", 0),
        ("delayed_sip", "sip", "delayed_sip", 15 * MINUTE_NS),
        ("test", "iex", "iex", 0),
    ],
)
async def test_each_feed_is_asked_for_by_the_name_that_the_past_and_the_present_have(
    feed: str, past: str, present: str, delay_ns: int
) -> None:
    asked: list[Any] = []
    routes = [
        clock(paused=True),
        web.get("/v2/stocks/trades", answering({"trades": {}}, asked=asked)),
        web.get("/v2/stocks/trades/latest", answering({"trades": {}}, asked=asked)),
    ]
    async with http_server(routes) as url:
        data = AlpacaData(url, url, "key", "secret", feed=feed, delay_ns=delay_ns, first_wait_s=0.001)
        await data.trades(["AAPL"], 0, NOW_NS + DAY_NS)
        await data.latest_trades(["AAPL"])
        await data.close()
    assert [query["feed"] for query in asked] == [past, present]
    # The tape is given away up to a quarter of an hour ago: a moment less, and all is refused.
    margin_ns = 2 * SECOND_NS if delay_ns else 0
    assert read_time(asked[0]["end"]) == NOW_NS - delay_ns - margin_ns


async def test_a_class_share_is_asked_for_and_told_with_a_dot_and_what_is_no_symbol_is_left_out() -> None:
    asked: list[Any] = []
    row = {"t": NOW, "p": 10, "s": 5}
    routes = [web.get("/v2/stocks/trades/latest", answering({"trades": {"BRK.B": row}}, asked=asked))]
    async with http_server(routes) as url:
        data = data_at(url)
        found = await data.latest_trades(["brk-b", "NO WAY", "BRK.B"])
        await data.close()
    assert asked[0]["symbols"] == "BRK.B"
    assert {name: trade.symbol for name, trade in found.items()} == {"BRK.B": "BRK.B"}


async def test_corporate_actions_are_found_by_their_own_day_whenever_they_are_paid() -> None:
    asked: list[Any] = []
    rows = [
        {"symbol": "AAPL", "rate": 0.25, "ex_date": day, "process_date": "2026-02-12"}
        for day in ("2026-01-04", "2026-01-05", "2026-01-09", "2026-01-10")
    ]
    body = {"corporate_actions": {"cash_dividends": rows}, "next_page_token": None}
    async with http_server([web.get("/v1/corporate-actions", answering(body, asked=asked))]) as url:
        data = data_at(url)
        found = await data.corporate_actions(["aapl"], date(2026, 1, 5), date(2026, 1, 9))
        assert await data.corporate_actions([], date(2026, 1, 5), date(2026, 1, 9)) == []
        await data.close()
    assert [action.day for action in found] == ["2026-01-05", "2026-01-09"]
    assert (asked[0]["symbols"], len(asked)) == ("AAPL", 1)
    assert asked[0]["start"] < "2026-01-05"
    assert asked[0]["end"] > "2026-02-12"


async def test_sessions_are_the_brokers_own() -> None:
    async with http_server([web.get("/v2/calendar", answering(CALENDAR))]) as url:
        data = data_at(url)
        days = await data.sessions(date(2026, 1, 6), date(2026, 1, 6))
        await data.close()
    assert [(hours.day, hours.close_ns) for hours in days] == [
        ("2026-01-06", read_time("2026-01-06T18:00:00Z"))
    ]
