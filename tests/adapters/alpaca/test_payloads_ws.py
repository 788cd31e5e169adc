"""Every message of Alpaca's documentation that a stocks stream may send gives the right item or answer.

The documentation shows JSON; on the wire of a msgpack client the times are timestamps.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.adapters.alpaca.times import read_time
from liu_tui.adapters.alpaca.wire import Refusal, Subscribed, Success
from liu_tui.market.streaming import Halt, StreamItem
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, PriceBand, Quote, Trade, TradeCancel, TradeCorrection
from tests.kit.alpaca import frame, stamp

EXAMPLES = Path(__file__).parents[3] / "../shared/data/api/alpaca_ws_doc_examples.jsonl"
CONTROL = ("success", "error", "subscription")


def messages(*, ours: bool = True) -> list[dict[str, Any]]:
    """All messages that carry a type: of the stocks stream, or of others."""
    if not EXAMPLES.exists():
        pytest.skip("the recorded documentation examples are not on this machine")
    found: list[dict[str, Any]] = []
    for line in EXAMPLES.read_text().splitlines():
        example = json.loads(line)
        payload = example["payload"]
        stocks = "stock" in example["path"]
        if stocks == ours:
            said = payload if isinstance(payload, list) else [payload]
            found += [message for message in said if isinstance(message, dict) and "T" in message]
    return found


def wired(message: dict[str, Any]) -> dict[str, Any]:
    """Spell the time as msgpack does; T comes first on the wire."""
    time = {"t": stamp(read_time(message["t"]))} if "t" in message else {}
    return {"T": message["T"]} | message | time


def expected(m: dict[str, Any]) -> StreamItem:
    """What a data message means, said here once more in the plainest way."""
    symbol, at = m["S"], read_time(m["t"])
    match m["T"]:
        case "t":
            return Trade(symbol, at, m["p"], m["s"], m["i"], m["x"], tuple(m["c"]), m["z"])
        case "q":
            return Quote(symbol, at, m["bp"], m["bs"], m["ap"], m["as"])
        case "b" | "d":
            more = (m["v"], m.get("vw", 0.0), m.get("n", 0))
            span_ns = DAY_NS if m["T"] == "d" else MINUTE_NS
            return Bar(symbol, at, m["o"], m["h"], m["l"], m["c"], *more, span_ns)
        case "s":
            return Halt(symbol, at, m["sc"] == "H", f"{m['sm']} {m['rm']}")
        case "l":
            return PriceBand(symbol, at, m["d"], m["u"], m["i"])
        case "x":
            return TradeCancel(symbol, at, m["x"], m["i"], m["p"], m["s"], error=m["a"] == "E")
        case "c":
            was, now = (m["oi"], m["op"], m["os"]), (m["ci"], m["cp"], m["cs"])
            return TradeCorrection(symbol, at, m["x"], *was, *now, tuple(m["cc"]), m["z"])
    raise AssertionError(m)


def test_every_documented_data_message_becomes_its_item() -> None:
    kinds: Counter[str] = Counter()
    for message in messages():
        if message["T"] not in (*CONTROL, "i"):
            reader = FrameReader()
            assert reader.read(frame(wired(message))) == ([expected(message)], [])
            assert (reader.refused, reader.ignored) == (0, 0)
            kinds[message["T"]] += 1
    assert set(kinds) == {"t", "q", "b", "d", "s", "l", "x", "c"}


def test_every_documented_answer_is_heard() -> None:
    kinds: Counter[str] = Counter()
    for message in messages():
        if message["T"] in CONTROL:
            items, (said,) = FrameReader().read(frame(wired(message)))
            assert items == []
            match said:
                case Success(msg):
                    assert msg == message["msg"]
                case Refusal(code, msg):
                    assert (code, msg) == (message["code"], message["msg"])
                case Subscribed():
                    for name in ("trades", "quotes", "bars"):
                        assert getattr(said, name) == set(message.get(name) or ())
            kinds[message["T"]] += 1
    assert set(kinds) == set(CONTROL)


def test_imbalances_and_news_are_ignored_and_refuse_nothing() -> None:
    reader = FrameReader()
    foreign = [m for m in messages() if m["T"] == "i"] + [m for m in messages(ours=False) if m["T"] == "n"]
    assert len(foreign) >= 2
    for message in foreign:
        assert reader.read(frame(wired(message))) == ([], [])
    assert (reader.refused, reader.ignored) == (0, len(foreign))


def test_all_of_them_in_one_frame_are_the_same_in_order() -> None:
    every = messages()
    items, control = FrameReader().read(frame(*map(wired, every)))
    assert items == [expected(m) for m in every if m["T"] not in (*CONTROL, "i")]
    assert len(control) == sum(m["T"] in CONTROL for m in every)
