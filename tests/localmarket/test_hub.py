"""A hub: who takes what, and that nothing is made that nobody takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from liu_tui.localmarket.hub import Client, Hub
from liu_tui.localmarket.outbox import Outbox
from liu_tui.localmarket.wire import Codec, JsonCodec
from liu_tui.model.market import (
    DAY_NS,
    SECOND_NS,
    Bar,
    Halt,
    PriceBand,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from tests.kit.faults import a_rehearsal, kinds

CODEC = JsonCodec({})


class Taker:
    """A client that keeps what it is given."""

    def __init__(self, wants: Mapping[str, set[str]], codec: Codec = CODEC) -> None:
        self.codec, self.wants = codec, dict(wants)
        self.outbox = cast(Outbox, None)
        self.parts: list[bytes] = []
        self.flushed = 0

    def flush(self) -> None:
        self.flushed += 1

    def say(self, message: Any) -> None:
        raise NotImplementedError

    def say_clock(self) -> None:
        raise NotImplementedError

    def say_end(self) -> None:
        raise NotImplementedError

    @property
    def kinds(self) -> str:
        return "".join(msgspec.json.decode(part)["T"] for part in self.parts)


def a_hub(*clients: Taker) -> Hub:
    hub = Hub("iex")
    hub.clients += cast(list[Client], clients)
    return hub


def test_each_kind_goes_to_its_channel_and_corrections_to_who_has_the_trades() -> None:
    bar = Bar("A", 0, 1.0, 1.0, 1.0, 1.0, 1.0)
    events: list[TapeEvent] = [
        Trade("A", 0, 1.0, 1.0),
        Quote("A", 0, 1.0, 1.0, 1.0, 1.0),
        bar,
        msgspec.structs.replace(bar, revised=True),
        msgspec.structs.replace(bar, span_ns=DAY_NS),
        msgspec.structs.replace(bar, span_ns=SECOND_NS),
        Halt("A", 0, True),
        PriceBand("A", 0, 1.0, 2.0),
        TradeCorrection("A", 0, "V", 1, 1.0, 1.0, 2, 1.0, 1.0),
        TradeCancel("A", 0, "V", 1, 1.0, 1.0),
    ]
    channels = {
        "trades": "t", "quotes": "q", "bars": "b", "updatedBars": "u", "dailyBars": "d", "statuses": "s",
        "lulds": "l", "corrections": "c", "cancelErrors": "x",
    }  # fmt: skip
    takers = {told: Taker({channel: {"A"}}) for channel, told in channels.items()}
    other = Taker({channel: {"B"} for channel in channels})
    everything = Taker({channel: {"*"} for channel in channels})
    hub = a_hub(*takers.values(), other, everything)
    hub.publish(events, 0)
    assert {told: taker.kinds for told, taker in takers.items()} == {told: told for told in takers}
    assert (other.kinds, everything.kinds) == ("", "tqbudslcx")


def test_an_event_is_encoded_once_for_all_clients_of_a_codec() -> None:
    encoded = []

    class Counting(JsonCodec):
        def event(self, event: Any) -> bytes:
            encoded.append(event)
            return super().event(event)

    codec = Counting({})
    a_hub(*(Taker({"trades": {"*"}}, codec) for _ in range(5))).publish([Trade("A", 0, 1.0, 1.0)], 0)
    assert len(encoded) == 1


def test_it_knows_which_channels_anybody_takes() -> None:
    taker = Taker({"dailyBars": set(), "trades": {"A"}})
    hub = a_hub(taker)
    assert (hub.takes("trades"), hub.takes("dailyBars"), hub.takes("lulds")) == (True, False, False)
    taker.wants["dailyBars"] = {"A"}
    hub.forget_routes()
    assert hub.takes("dailyBars")


def test_a_mangler_sees_each_client_before_its_flush() -> None:
    one, two = Taker({}), Taker({})
    hub, seen = a_hub(one, two), []
    hub.mangle = lambda client: seen.append((client, cast(Taker, client).flushed))
    hub.flush()
    assert seen == [(one, 0), (two, 0)]
    hub.mangle = None
    hub.flush()
    assert (one.flushed, len(seen)) == (2, 2)


async def test_the_day_so_far_follows_each_minute_to_those_who_asked(tmp_path: Path) -> None:
    async with a_rehearsal(tmp_path) as day:
        assert "d" not in kinds(await day.hear(seconds=65))
        await day.client.send(action="subscribe", dailyBars=["AAA"])
        await day.client.next("subscription")
        heard = await day.hear(seconds=60)
        assert kinds(heard).count("d") == 1
        so_far = next(m for m in heard if m["T"] == "d")
        assert (so_far["S"], so_far["v"], so_far["c"]) == ("AAA", 8000, 10.0)
