"""AlpacaStream where the vendor gives less than is wanted: a full allowance, a feed without a channel."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from liu_tui.adapters.alpaca.channels import EXTRAS, NAMES
from liu_tui.adapters.alpaca.stream import AlpacaStream
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState
from liu_tui.model.market import Event, Trade
from tests.kit.alpaca import Peer, a_trade, for_ever, scripted_stream
from tests.kit.alpacastream import QUICK, Listener, listening

EVENTS = ("trades", "quotes", "bars")
Count = Callable[[dict[str, set[str]]], int]


def pairs(channels: dict[str, set[str]]) -> int:
    """What the local market counts, and by an older page Alpaca: trades and quotes."""
    return len(channels["trades"]) + len(channels["quotes"])


def names(channels: dict[str, set[str]]) -> int:
    """What Alpaca's price list counts: symbols."""
    return len(channels["trades"] | channels["quotes"] | channels["bars"])


def everything(channels: dict[str, set[str]]) -> int:
    return sum(map(len, channels.values()))


class Vendor:
    """A server that counts what is subscribed, and knows what its feed has. `asked`: every request."""

    def __init__(self, limit: int = 10**9, count: Count = pairs, *, lacks: Iterable[str] = ()) -> None:
        self.limit, self.count, self.lacks = limit, count, frozenset(lacks)
        self.asked: list[dict[str, Any]] = []
        self.have: dict[str, set[str]] = {}

    async def serve(self, peer: Peer) -> None:
        await peer.shake_hands()
        self.have = {name: set() for name in NAMES}
        while True:
            asked = await peer.hear()
            self.asked.append(asked)
            action = asked.pop("action")
            if self.lacks & asked.keys():
                await peer.refuse(410, "invalid subscribe action for this feed")
                continue
            after = {
                name: (have | set(asked.get(name, ())))
                if action == "subscribe"
                else (have - set(asked.get(name, ())))
                for name, have in self.have.items()
            }
            if self.count(after) > self.limit:
                await peer.refuse(405, "symbol limit exceeded")
                continue
            self.have = after
            await peer.say({"T": "subscription"} | {name: sorted(symbols) for name, symbols in after.items()})
            if action == "subscribe":
                await peer.say(a_trade())


def many(number: int) -> set[str]:
    return {f"S{n:03d}" for n in range(number)}


async def test_what_has_no_room_is_left_out_by_symbol_and_what_is_subscribed_stays() -> None:
    vendor = Vendor(3)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        stream = listener.stream
        assert await stream.subscribe({Event.TRADE: {"MSFT", "TSLA"}}) == frozenset()
        left = await stream.subscribe({Event.TRADE: {"MSFT", "TSLA", "SPY", "AAPL", "QQQ"}})
        assert left == stream.left_out == {"QQQ", "SPY"}
        assert vendor.have["trades"] == {"MSFT", "TSLA", "AAPL"}
        # Room was made: the next call finds it.
        assert await stream.subscribe({Event.TRADE: {"MSFT", "SPY", "AAPL", "QQQ"}}) == {"SPY"}
        assert await stream.subscribe({Event.TRADE: {"SPY"}}) == stream.left_out == frozenset()


@pytest.mark.parametrize("limit", [0, 1, 2, 29, 30, 127, 199, 200])
async def test_the_allowance_is_found_in_a_few_requests(limit: int) -> None:
    vendor = Vendor(limit, names)
    wanted = many(200)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        left = await listener.stream.subscribe({Event.TRADE: wanted, Event.QUOTE: wanted})
        assert left == set(sorted(wanted)[limit:])
        assert vendor.have["trades"] == vendor.have["statuses"] == set(sorted(wanted)[:limit])
    assert len(vendor.asked) <= 12


async def test_a_symbol_is_taken_with_all_its_events_or_not_at_all() -> None:
    vendor = Vendor(5)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        left = await listener.stream.subscribe({Event.TRADE: many(4), Event.QUOTE: many(4)})
        assert left == {"S002", "S003"}
        assert vendor.have["quotes"] == vendor.have["trades"] == {"S000", "S001"}


async def test_bars_may_have_room_where_trades_have_none() -> None:
    vendor = Vendor(2)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        left = await listener.stream.subscribe({Event.TRADE: many(4), Event.MINUTE: {"SPY", "TSLA"}})
        assert left == {"S002", "S003"}
        assert vendor.have["bars"] == {"SPY", "TSLA"}


async def test_extras_take_nobodys_place(caplog: pytest.LogCaptureFixture) -> None:
    vendor = Vendor(4, everything)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        assert await listener.stream.subscribe({Event.TRADE: many(2)}) == frozenset()
        assert vendor.have["trades"] == vendor.have["statuses"] == many(2)
        assert await listener.stream.subscribe({Event.TRADE: many(4)}) == {"S002", "S003"}
    assert "no room to hear of halts" not in caplog.text

    vendor = Vendor(3, everything)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        assert await listener.stream.subscribe({Event.TRADE: many(2)}) == frozenset()
        assert vendor.have["trades"] == many(2)
        assert not vendor.have["statuses"]
    assert "no room to hear of halts" in caplog.text


async def test_at_the_connect_the_line_stays_up_with_what_fits(caplog: pytest.LogCaptureFixture) -> None:
    vendor = Vendor(3)
    async with scripted_stream(vendor.serve) as (server, url):
        stream = AlpacaStream(url, "key", "secret", pace=QUICK)
        assert await stream.subscribe({Event.TRADE: many(5)}) == frozenset()
        listener = Listener(stream)
        await listener.until(Trade)
        await listener.until_state(FeedState.LIVE)
        assert stream.left_out == {"S003", "S004"}
        await stream.close()
        await listener.task
        assert server.connections == 1
    assert caplog.text.count("no room for 2 symbols: S003, S004") == 1


async def test_after_a_break_those_that_had_a_place_have_it_again() -> None:
    vendor = Vendor(2)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        stream = listener.stream
        await stream.subscribe({Event.TRADE: {"TSLA", "ZM"}})
        assert await stream.subscribe({Event.TRADE: {"AAPL", "TSLA", "ZM"}}) == {"AAPL"}
        stream.reconnect("quiet")
        await listener.until_state(FeedState.LIVE, 2)
        assert vendor.have["trades"] == {"TSLA", "ZM"}
        assert stream.left_out == {"AAPL"}


async def test_channels_that_the_feed_lacks_are_dropped_once_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    vendor = Vendor(lacks={"lulds", "updatedBars"})
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        assert await listener.stream.subscribe({Event.TRADE: {"AAPL", "SPY"}}) == frozenset()
        assert vendor.have["trades"] == vendor.have["statuses"] == vendor.have["dailyBars"] == {"AAPL", "SPY"}
        before = len(vendor.asked)
        assert before <= 9
        await listener.stream.subscribe({Event.TRADE: {"AAPL", "SPY", "TSLA"}})
        assert len(vendor.asked) == before + 1
        assert not {"lulds", "updatedBars"} & vendor.asked[-1].keys()
    assert caplog.text.count("this feed has no updatedBars, lulds") == 1


async def test_events_that_the_feed_lacks_are_refused_by_name_and_the_rest_is_subscribed() -> None:
    vendor = Vendor(lacks={"quotes"})
    async with scripted_stream(vendor.serve) as (server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        stream = listener.stream
        for _ in range(2):
            with pytest.raises(FeedError, match=r"no quotes \(410\): AAPL") as caught:
                await stream.subscribe({Event.TRADE: {"SPY"}, Event.QUOTE: {"AAPL"}})
            assert caught.value.mend
        assert vendor.have["trades"] == {"SPY"}
        stream.reconnect("quiet")
        await listener.until_state(FeedState.LIVE, 2)
        assert vendor.have["trades"] == {"SPY"}
        assert server.connections == 2


async def test_a_feed_that_lacks_events_from_the_start_still_goes_live_and_says_who_is_left_out() -> None:
    vendor = Vendor(lacks={"quotes"})
    async with scripted_stream(vendor.serve) as (_server, url):
        stream = AlpacaStream(url, "key", "secret", pace=QUICK)
        await stream.subscribe({Event.TRADE: {"SPY"}, Event.QUOTE: {"AAPL"}})
        listener = Listener(stream)
        await listener.until(Trade)
        assert stream.left_out == {"AAPL"}
        await stream.close()
        await listener.task


async def test_a_feed_that_says_410_to_everything_is_asked_a_bounded_number_of_times() -> None:
    vendor = Vendor(lacks=NAMES)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        with pytest.raises(FeedError, match="410"):
            await listener.stream.subscribe({Event.TRADE: many(50), Event.QUOTE: many(50)})
    assert len(vendor.asked) <= 8


async def test_a_410_whose_cause_cannot_be_found_is_a_refusal() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        while True:
            asked = await peer.hear()
            if len(asked) > 2:
                await peer.refuse(410, "no")
            else:
                await peer.say({"T": "subscription"} | {name: asked.get(name, []) for name in EVENTS})

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        with pytest.raises(FeedError, match=r"channel that this feed does not have \(410\)"):
            await listener.stream.subscribe({Event.TRADE: {"AAPL"}})


@pytest.mark.parametrize("code", [400, 413])
async def test_another_refusal_is_said_by_name_and_the_old_set_stays(code: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.grant()
        await peer.hear()
        await peer.refuse(code, "no such thing")
        asked = await peer.grant()
        assert asked["trades"] == ["TSLA"]
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        await listener.stream.subscribe({Event.TRADE: {"AAPL"}})
        with pytest.raises(FeedError, match=rf"\({code}\): MSFT") as caught:
            await listener.stream.subscribe({Event.TRADE: {"AAPL", "MSFT"}})
        assert caught.value.mend
        await listener.stream.subscribe({Event.TRADE: {"AAPL", "TSLA"}})


async def test_what_the_vendor_does_not_name_as_subscribed_is_left_out_and_asked_again() -> None:
    heard: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        for said in (["AAPL"], ["AAPL", "MSFT"]):
            heard.append(await peer.hear())
            await peer.say({"T": "subscription", "trades": said, "quotes": None})
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        assert await listener.stream.subscribe({Event.TRADE: {"AAPL", "MSFT"}}) == {"MSFT"}
        assert await listener.stream.subscribe({Event.TRADE: {"AAPL", "MSFT"}}) == frozenset()
    assert heard[1] == {"action": "subscribe", "trades": ["MSFT"]}


async def test_two_changes_at_once_are_made_one_after_the_other() -> None:
    vendor = Vendor(5)
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        stream = listener.stream
        first, second = await asyncio.gather(
            stream.subscribe({Event.TRADE: many(9)}), stream.subscribe({Event.TRADE: {"TSLA"}})
        )
        assert len(first) == 4
        assert second == frozenset()
        assert vendor.have["trades"] == {"TSLA"}
        assert all(vendor.have[name] == {"TSLA"} for name in EXTRAS)


async def test_what_is_no_symbol_is_refused_before_anything_is_asked() -> None:
    vendor = Vendor()
    async with scripted_stream(vendor.serve) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        await listener.stream.subscribe({Event.TRADE: {"AAPL"}})
        with pytest.raises(FeedError, match="'A B' is not spelled"):
            await listener.stream.subscribe({Event.TRADE: {"A B", "SPY"}})
        assert vendor.have["trades"] == {"AAPL"}
        assert len(vendor.asked) == 1
