"""The data endpoints: refusals in Alpaca's words, splits, pages over all symbols, class shares."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from liu_tui.localmarket.adjusting import Splits
from liu_tui.localmarket.rfc3339 import read_time
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, CorporateAction
from tests.kit.localmarket import KEYS, a_market, flat, rest, write_day

MONDAY = "2026-11-23"
REQUIRED = "Invalid format for parameter {0}: query parameter '{0}' is required"
NO_TIME = "Invalid format for parameter {}: error parsing '{}' as RFC3339 or 2006-01-02 time"
BARS = "/v2/stocks/bars?symbols=AAPL&timeframe=1Min"
TRADES = "/v2/stocks/trades?symbols=AAPL"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v2/stocks/snapshots", REQUIRED.format("symbols")),
        ("/v2/stocks/bars?symbols=AAPL", REQUIRED.format("timeframe")),
        ("/v2/stocks/bars?symbols=AAPL&timeframe=banana", "invalid timeframe: banana"),
        (f"{BARS}&start=not-a-date", NO_TIME.format("start", "not-a-date")),
        (f"{BARS}&end=2026-11-20T10:00:00", NO_TIME.format("end", "2026-11-20T10:00:00")),
        (f"{BARS}&start=2026-11-24&end=2026-11-20", "end should not be before start"),
        (f"{BARS}&limit=10001", "invalid limit: a number from 1 to 10000, was '10001'"),
        (f"{BARS}&limit=0", "invalid limit: a number from 1 to 10000, was '0'"),
        (f"{BARS}&adjustment=split,what", "invalid adjustment: split,what"),
        (f"{BARS}&feed=delayed_sip", "invalid feed: delayed_sip"),
        (f"{BARS}&sort=up", "invalid sort: up"),
        (f"{TRADES}&page_token=x", "invalid page_token"),
        ("/v2/stocks/trades/latest?symbols=AAPL&feed=other", "invalid feed: other"),
        ("/v1/corporate-actions?types=party", "invalid type: party"),
        ("/v1/corporate-actions?start=2026-11-24&end=2026-11-20", "end should not be before start"),
        ("/v1/corporate-actions?limit=1001", "invalid limit: a number from 1 to 1000, was '1001'"),
        ("/v1/corporate-actions?page_token=%C3%A9", "invalid page_token"),
    ],
)
async def test_what_cannot_be_read_is_refused_in_alpacas_words_without_a_code(path: str, words: str) -> None:
    async with a_market() as server, rest(server) as http:
        assert await http.ask("GET", path) == (400, {"message": words})


@pytest.mark.parametrize(
    "more", ["asof=2026-11-20", "feed=IEX", "feed=boats", "currency=USD", "adjustment=dividend,spin-off"]
)
async def test_what_alpaca_takes_is_taken(more: str) -> None:
    async with a_market(start="10:00") as server, rest(server) as http:
        status, body = await http.ask("GET", f"{BARS}&{more}")
        assert status == 200
        assert len(body["bars"]["AAPL"]) > 10


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/v2/clock", KEYS),
        ("GET", "/v2/clock", {}),
        ("GET", "/v2/nowhere", KEYS),
        ("PUT", "/v2/orders", KEYS),
        ("GET", "/v2/stocks/bars", KEYS),
        ("GET", "/v1/corporate-actions", KEYS),
        ("DELETE", "/v2/orders/none", KEYS),
    ],
)
async def test_every_answer_bears_the_count(method: str, path: str, headers: dict[str, str]) -> None:
    async with (
        a_market(rate_limit=200) as server,
        rest(server, headers) as http,
        http.http.request(method, server.url + path) as answer,
    ):
        assert answer.headers["X-RateLimit-Limit"] == "200"
        assert 0 < int(answer.headers["X-RateLimit-Remaining"]) < 200
        assert int(answer.headers["X-RateLimit-Reset"]) > 0


async def test_a_request_that_is_too_large_is_refused_like_any_other() -> None:
    async with (
        a_market() as server,
        rest(server) as http,
        http.http.post(f"{server.url}/v2/orders", data=BytesIO(b"x" * 1_500_000)) as answer,
    ):
        assert (answer.status, "message" in await answer.json()) == (413, True)
        assert answer.headers["X-RateLimit-Remaining"]


@pytest.mark.parametrize("sort", ["asc", "desc"])
async def test_pages_are_cut_over_all_symbols_by_symbol_and_then_by_time(sort: str) -> None:
    async with a_market(start="10:00") as server, rest(server) as http:
        asked = {
            "symbols": "SPY,AAPL,NVDA",
            "timeframe": "5Min",
            "start": f"{MONDAY}T14:30:00Z",
            "sort": sort,
        }
        rows: list[tuple[str, str]] = []
        token = None
        while True:
            page = await http.get(
                "/v2/stocks/bars", limit="4", **asked, **({"page_token": token} if token else {})
            )
            some = [(symbol, bar["t"]) for symbol, bars in page["bars"].items() for bar in bars]
            assert 0 < len(some) <= 4
            rows += some
            token = page["next_page_token"]
            if token is None:
                break
        whole = await http.get("/v2/stocks/bars", limit="10000", **asked)
        assert rows == [(symbol, bar["t"]) for symbol, bars in whole["bars"].items() for bar in bars]
        assert [symbol for symbol, _ in rows] == sorted(symbol for symbol, _ in rows)
        times = [t for symbol, t in rows if symbol == "SPY"]
        assert times == sorted(times, reverse=sort == "desc")


async def test_a_split_is_told_and_days_of_before_it_are_adjusted_on_request() -> None:
    split = CorporateAction(kind="split", symbol="AAPL", day=MONDAY, ratio=4.0)
    async with a_market(start="10:00") as server, rest(server) as http:
        asked = {"symbols": "AAPL", "timeframe": "1Day", "start": "2026-11-19"}
        before = (await http.get("/v2/stocks/bars", **asked))["bars"]["AAPL"]
        server.market.venue.actions.append(split)
        told = (await http.get("/v1/corporate-actions", symbols="aapl"))["corporate_actions"]
        raw = (await http.get("/v2/stocks/bars", adjustment="raw", **asked))["bars"]["AAPL"]
        after = (await http.get("/v2/stocks/bars", adjustment="split", **asked))["bars"]["AAPL"]
    (row,) = told["forward_splits"]
    assert (row["symbol"], row["new_rate"], row["old_rate"], row["ex_date"]) == ("AAPL", 4, 1, MONDAY)
    assert raw == before
    assert after[-1] == before[-1]  # the day itself
    for old, new in zip(before[:-1], after[:-1], strict=True):
        assert new["c"] == pytest.approx(old["c"] / 4, abs=1e-4)
        assert new["v"] == old["v"] * 4


async def test_corporate_actions_are_listed_by_day_page_by_page_and_by_type() -> None:
    async with a_market() as server, rest(server) as http:
        server.market.venue.actions += [
            CorporateAction(kind="split", symbol=symbol, day=f"2026-11-{day}", ratio=ratio)
            for symbol, day, ratio in (("A", 20, 2.0), ("B", 18, 0.5), ("A", 19, 1.5), ("C", 30, 3.0))
        ]
        span = {"start": "2026-11-01", "end": "2026-11-25"}
        rows: list[Any] = []
        token = None
        while True:
            more: dict[str, str] = {"page_token": token} if token else {}
            page = await http.get("/v1/corporate-actions", limit="1", **span, **more)
            (group,) = page["corporate_actions"].values()
            rows += group
            token = page["next_page_token"]
            if token is None:
                break
        assert [(row["symbol"], row["new_rate"], row["old_rate"]) for row in rows] == [
            ("B", 1, 2), ("A", 3, 2), ("A", 2, 1)
        ]  # fmt: skip
        one = await http.get("/v1/corporate-actions", ids=rows[1]["id"])
        assert one["corporate_actions"] == {"forward_splits": [rows[1]]}
        some = await http.get("/v1/corporate-actions", types="reverse_split", **span)
        assert set(some["corporate_actions"]) == {"reverse_splits"}
        today = await http.get("/v1/corporate-actions")
        assert today == {"corporate_actions": {}, "next_page_token": None}


async def test_a_class_share_has_a_dot_however_the_source_spells_it(tmp_path: Path) -> None:
    source = str(write_day(tmp_path / "day", {"BRK-B": flat(400.0, 5), "AAA": flat(1.0, 5)}))
    async with a_market(source=source, date="", start="09:33") as server, rest(server) as http:
        for name in ("BRK.B", "BRK-B", "brk/b"):
            bars = await http.get("/v2/stocks/bars", symbols=name, timeframe="1Min")
            assert [(symbol, len(rows)) for symbol, rows in bars["bars"].items()] == [("BRK.B", 3)]
            assert set(await http.get("/v2/stocks/snapshots", symbols=name)) == {"BRK.B"}


def test_splits_of_one_day_after_another_multiply_and_one_to_come_waits() -> None:
    bars = [
        Bar("A", read_time("2026-11-19T15:00:00Z") + n * DAY_NS, 60, 66, 54, 60, 100, 61, 5, MINUTE_NS)
        for n in range(2)
    ]
    actions = [
        CorporateAction(kind="split", symbol="A", day="2026-11-20", ratio=2.0),
        CorporateAction(kind="split", symbol="A", day="2026-11-23", ratio=3.0),
        CorporateAction(kind="split", symbol="A", day="2026-11-24", ratio=7.0),
        CorporateAction(kind="split", symbol="B", day="2026-11-23", ratio=5.0),
    ]
    told = Splits(actions, "A", MONDAY).adjust(bars)
    assert [(b.open, b.high, b.low, b.close, b.volume) for b in told] == [
        (10, 11, 9, 10, 600),
        (20, 22, 18, 20, 300),
    ]
    assert Splits(actions, "C", MONDAY).adjust(bars) is bars


def test_a_split_is_in_force_from_the_opening_on() -> None:
    split = CorporateAction(kind="split", symbol="A", day=MONDAY, ratio=2.0)
    opening = read_time(f"{MONDAY}T14:30:00Z")
    minutes = [Bar("A", opening + n * MINUTE_NS, 8, 8, 8, 8, 10, 8) for n in (-1, 0)]
    day = Bar("A", read_time(MONDAY), 8, 8, 8, 8, 10, 8, span_ns=DAY_NS)
    told = Splits([split], "A", MONDAY).adjust([*minutes, day])
    assert [bar.close for bar in told] == [4, 8, 8]
