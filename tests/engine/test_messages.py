"""Messages: whatever may cross a link arrives as it was sent."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from liu_tui.engine import messages
from liu_tui.engine.client import FromClient, ToClient
from liu_tui.engine.messages import FromChild, OnMarketLink, OnOrdersLink, ToChild
from tests.kit.engine import example

UNIONS = {
    "ToChild": ToChild,
    "FromChild": FromChild,
    "OnMarketLink": OnMarketLink,
    "OnOrdersLink": OnOrdersLink,
    "FromClient": FromClient,
    "ToClient": ToClient,
}
CROSSINGS = [
    pytest.param(union, kind, id=f"{name}-{kind.__name__}")
    for name, union in UNIONS.items()
    for kind in get_args(union)
]


@pytest.mark.parametrize(("union", "kind"), CROSSINGS)
def test_a_message_arrives_as_it_was_sent(union: Any, kind: Any) -> None:
    sent = example(kind)
    (came,) = msgspec.msgpack.decode(msgspec.msgpack.encode([sent]), type=list[union])
    assert type(came) is kind
    assert came == sent


@pytest.mark.parametrize("union", UNIONS.values(), ids=UNIONS)
def test_no_two_messages_of_a_link_look_alike(union: Any) -> None:
    tags = [kind.__struct_config__.tag for kind in get_args(union)]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(("union", "kind"), CROSSINGS)
def test_a_message_cannot_be_changed_once_it_was_sent(union: Any, kind: Any) -> None:
    assert kind.__struct_config__.frozen


def test_every_message_may_cross_some_link_or_is_a_part_of_one() -> None:
    crossing = {kind for union in UNIONS.values() for kind in get_args(union)}
    kinds = {
        kind
        for kind in vars(messages).values()
        if isinstance(kind, type) and issubclass(kind, messages.Message) and kind is not messages.Message
    }
    parts = {
        messages.SymbolTask,
        messages.Route,
        messages.HitFound,
        messages.StateRow,
        messages.KeyRow,
        messages.SymbolHealth,
    }
    assert kinds - crossing - parts == {messages.StrategyProfile}
