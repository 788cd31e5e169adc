"""Every recorded REST answer is read by the reader that it is for, and gives the right values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from liu_tui.adapters.alpaca import parse_orders, parse_venue
from liu_tui.adapters.alpaca.parse_actions import read_actions
from liu_tui.adapters.alpaca.parse_history import LOT, SHARES_SINCE_NS, HistoryReader
from liu_tui.adapters.alpaca.rest import said_in
from liu_tui.adapters.alpaca.times import read_time
from liu_tui.model.market import DAY_NS, CorporateAction

FOLDER = Path(__file__).parents[3] / "../shared/data/api"
FILES = ("alpaca_rest_alpaca-py.jsonl", "alpaca_rest_legacy-python.jsonl")
READER = HistoryReader()
Row = dict[str, Any]

# What no reader of ours is for: part of the URL -> why.
NOT_OURS = {
    "/crypto/": "crypto is not traded here",
    "/options/": "options are not traded here",
    "/news": "news is not read",
    "/watchlists": "watchlists of the broker are not used: the house has its own",
    "/account/configurations": "the account's switches are not read",
    "/corporate_actions/announcements": "the older list of corporate actions; /v1/corporate-actions is asked",
    "/bars/latest": "a snapshot has the minute bar",
    "/stocks/AAPL/": "one symbol alone: all questions are asked for many",
    "/v1/assets/{}": "one asset alone: the whole list is asked for",
    "/v2/assets/{symbol}": "one asset alone: the whole list is asked for",
}


def payloads() -> list[tuple[str, str, Any]]:
    """(where it is recorded, URL, payload) of all."""
    found = []
    for file in FILES:
        path = FOLDER / file
        lines = path.read_text().splitlines() if path.exists() else []
        for n, line in enumerate(lines, 1):
            row = json.loads(line)
            found.append((f"{file}:{n} {row['test']}", row["url"], row["payload"]))
    return found


PAYLOADS = payloads()


def same_bar(bar: Any, raw: Row) -> None:
    assert bar.t_ns == read_time(raw["t"])
    ours = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.count)
    assert ours == tuple(raw.get(key, 0) for key in ("o", "h", "l", "c", "v", "vw", "n"))


def same_trade(trade: Any, raw: Row) -> None:
    ours = (trade.t_ns, trade.price, trade.size, trade.id, trade.exchange, list(trade.conditions), trade.tape)
    assert ours == (read_time(raw["t"]), *(raw[key] for key in ("p", "s", "i", "x", "c", "z")))


def same_quote(quote: Any, raw: Row) -> None:
    t_ns = read_time(raw["t"])
    lot = LOT if t_ns < SHARES_SINCE_NS else 1
    ours = (quote.t_ns, quote.bid, quote.bid_size, quote.ask, quote.ask_size)
    assert ours == (t_ns, raw["bp"], raw["bs"] * lot, raw["ap"], raw["as"] * lot)


def a_page(kind: str, read: Callable[[bytes], Any], same: Callable[[Any, Row], None]) -> Callable[..., None]:
    def check(body: bytes, payload: Any) -> None:
        rows, token = read(body)
        assert token == (payload["next_page_token"] or "")
        assert set(rows) == set(payload[kind])
        for symbol, raws in payload[kind].items():
            assert len(rows[symbol]) == len(raws)
            for row, raw in zip(rows[symbol], raws, strict=True):
                assert row.symbol == symbol
                same(row, raw)

    return check


def latest(kind: str, read: Callable[[bytes], Any], same: Callable[[Any, Row], None]) -> Callable[..., None]:
    def check(body: bytes, payload: Any) -> None:
        found = read(body)
        assert set(found) == set(payload[kind])
        for symbol, raw in payload[kind].items():
            same(found[symbol], raw)

    return check


def check_snapshots(body: bytes, payload: Any) -> None:
    found = READER.snapshots(body, where="")
    assert set(found) == {symbol for symbol, said in payload.items() if said is not None}
    parts = {
        "latestTrade": ("latest_trade", same_trade),
        "latestQuote": ("latest_quote", same_quote),
        "minuteBar": ("minute_bar", same_bar),
        "dailyBar": ("daily_bar", same_bar),
        "prevDailyBar": ("previous_daily_bar", same_bar),
    }
    for symbol, snapshot in found.items():
        for theirs, (ours, same) in parts.items():
            raw, part = payload[symbol][theirs], getattr(snapshot, ours)
            assert (raw is None) == (part is None)
            if raw is not None:
                same(part, raw)


def check_actions(body: bytes, payload: Any) -> None:
    found, token = read_actions(body, where="")
    assert token == (payload["next_page_token"] or "")
    if "forward_splits" not in payload["corporate_actions"]:
        dividend = CorporateAction(kind="dividend", symbol="ZMTBY", day="2024-08-07", cash=0.086928)
        assert found == [dividend]
        return
    assert found == [
        CorporateAction(kind="split", symbol="SRE", day="2023-08-22", ratio=2.0),
        CorporateAction(kind="split", symbol="MNTS", day="2023-08-24", ratio=0.02),
        CorporateAction(kind="split", symbol="MSBC", day="2023-05-19", ratio=1.05),
        CorporateAction(kind="dividend", symbol="FCF", day="2023-05-04", cash=0.125),
        CorporateAction(kind="rename", symbol="BSAQ", day="2023-08-15", new_symbol="VFS"),
        CorporateAction(kind="rename", symbol="TPBAU", day="2023-03-01", new_symbol="LVRO"),
    ]


def check_assets(body: bytes, payload: Any) -> None:
    found = parse_venue.read_assets(body, where="")
    assert [asset.symbol for asset in found] == sorted(raw["symbol"] for raw in payload if raw["tradable"])
    assert [asset.exchange for asset in found] == ["NASDAQ"]


def check_clock(body: bytes, payload: Any) -> None:
    assert parse_venue.read_clock(body, where="")[0] == read_time(payload["timestamp"])


def check_calendar(body: bytes, payload: Any) -> None:
    (hours,) = parse_venue.read_calendar(body, where="")
    assert hours.day == payload[0]["date"]
    assert (hours.open_ns, hours.close_ns) == tuple(
        read_time(f"{hours.day}T{hour}:00Z") for hour in ("14:30", "21:00")
    )


def check_actives(body: bytes, payload: Any) -> None:
    found = parse_venue.read_most_active(body, where="")
    assert found == [(raw["symbol"], raw["volume"]) for raw in payload["most_actives"]]


def check_movers(body: bytes, payload: Any) -> None:
    rows = payload["gainers"] + payload["losers"]
    assert parse_venue.read_movers(body, where="") == [(raw["symbol"], raw["percent_change"]) for raw in rows]


def check_orders(body: bytes, payload: Any) -> None:
    """An order, several of them, or the body of a refusal."""
    if isinstance(payload, dict) and "message" in payload:
        said = said_in(body)
        assert (said.code, said.message) == (payload["code"], payload["message"])
        return
    raws = payload if isinstance(payload, list) else [payload]
    if any("symbol" not in raw for raw in raws):  # what was canceled, by its id alone
        return
    for raw in raws:
        order = parse_orders.read_order(raw)
        assert (order.id, order.symbol, order.qty) == (
            raw["id"],
            raw["symbol"],
            float(raw["qty"] or 0),
        )
    assert len(parse_orders.read_orders(raws)) == len(raws)


def check_positions(_: bytes, payload: Any) -> None:
    if not (isinstance(payload, list) and "avg_entry_price" in payload[0]):
        return  # the answer to a closing: an order
    found = parse_orders.read_positions(payload)
    assert [p.symbol for p in found] == [raw["symbol"] for raw in payload]


def check_account(_: bytes, payload: Any) -> None:
    assert parse_orders.read_account(payload).cash == float(payload["cash"])


def whole(kind: str, read: Callable[..., Any], **more: Any) -> Callable[[bytes], Any]:
    return lambda body: read(body, where=kind, **more)


READERS: dict[str, Callable[[bytes, Any], None]] = {
    "/stocks/bars?": a_page("bars", whole("bars", READER.bars, span_ns=DAY_NS), same_bar),
    "/stocks/trades?": a_page("trades", whole("trades", READER.trades), same_trade),
    "/stocks/quotes?": a_page("quotes", whole("quotes", READER.quotes), same_quote),
    "/trades/latest": latest("trades", whole("trades", READER.latest_trades), same_trade),
    "/quotes/latest": latest("quotes", whole("quotes", READER.latest_quotes), same_quote),
    "/snapshots": check_snapshots,
    "/corporate-actions": check_actions,
    "most-actives": check_actives,
    "/stocks/movers": check_movers,
    "/assets": check_assets,
    "/clock": check_clock,
    "/calendar": check_calendar,
    "/orders": check_orders,
    "/positions": check_positions,
    "/account": check_account,
}


@pytest.mark.skipif(not PAYLOADS, reason="the recorded REST answers are not on this machine")
def test_every_recorded_answer_is_read_or_is_for_nobody_here() -> None:
    read: set[str] = set()
    refused: set[str] = set()
    for where, url, payload in PAYLOADS:
        reason = next((part for part in NOT_OURS if part in url), None)
        if reason is not None:
            refused.add(reason)
            continue
        part = next((part for part in READERS if part in url), None)
        assert part is not None, f"nobody reads {where}: {url}"
        try:
            READERS[part](json.dumps(payload).encode(), payload)
        except Exception as e:
            e.add_note(f"{where}: {url}")
            raise
        read.add(part)
    assert read == set(READERS)
    assert refused == set(NOT_OURS)
