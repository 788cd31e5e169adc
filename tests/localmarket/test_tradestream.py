"""The trade-updates stream."""

from typing import Any

import msgspec
import pytest

from tests.kit.localmarket import KEYS, a_market, rest, trade_socket


@pytest.mark.parametrize(
    "login",
    [
        {"action": "authenticate", "data": {"key_id": "key", "secret_key": "secret"}},
        {"action": "auth", "key": "key", "secret": "secret"},
    ],
)
async def test_both_forms_of_login_are_taken_and_answered_first(login: dict[str, Any]) -> None:
    async with a_market() as server, trade_socket(server) as client:
        await client.send(**login)
        said = {"status": "authorized", "action": "authenticate"}
        assert await client.next() == {"stream": "authorization", "data": said}
        await client.send(action="listen", data={"streams": ["trade_updates", "account_updates"]})
        assert await client.next() == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        await client.send(action="listen", data={"streams": []})
        assert await client.next() == {"stream": "listening", "data": {"streams": []}}


async def test_keys_in_the_headers_are_enough() -> None:
    async with a_market() as server, trade_socket(server, KEYS) as client:
        await client.send(action="listen", data={"streams": ["trade_updates"]})
        assert (await client.next())["stream"] == "listening"


async def test_who_is_not_let_in_hears_so_and_nothing_else() -> None:
    async with a_market(key="key", secret="right") as server, trade_socket(server) as client:
        await client.send(action="listen", data={"streams": ["trade_updates"]})
        assert (await client.next())["data"] == {"status": "unauthorized", "action": "listen"}
        await client.send(action="authenticate", data={"key_id": "key", "secret_key": "wrong"})
        assert (await client.next())["data"]["status"] == "unauthorized"
        await client.send(action="authenticate", data="what")
        assert (await client.next())["data"]["status"] == "unauthorized"


async def test_what_is_no_message_is_answered_and_does_not_end_the_stream() -> None:
    async with a_market() as server, trade_socket(server) as client:
        await client.listen()
        await client.ws.send_str("[]")
        assert (await client.next())["stream"] == "error"
        await client.send(action="sing")
        assert (await client.next())["data"]["error_message"] == "unknown action"


async def test_an_order_is_told_from_new_to_fill_with_the_position_after_it() -> None:
    async with a_market() as server, trade_socket(server) as client, rest(server) as http:
        await client.listen()
        order = await http.buy("AAPL", 10)
        new, fill = await client.next(), await client.next()
        assert (new["data"]["event"], fill["data"]["event"]) == ("new", "fill")
        assert new["data"]["order"]["id"] == fill["data"]["order"]["id"] == order["id"]
        assert "execution_id" not in new["data"]
        told = fill["data"]
        assert (told["qty"], told["position_qty"], told["order"]["status"]) == ("10", "10", "filled")
        assert told["price"] == told["order"]["filled_avg_price"]
        assert told["execution_id"] in (await http.get("/v2/account/activities/FILL"))[0]["id"]


async def test_legs_of_a_bracket_are_told_apart_by_their_group() -> None:
    async with a_market() as server, trade_socket(server) as client, rest(server) as http:
        await client.listen()
        price = (await http.get("/v2/stocks/AAPL/quotes/latest"))["quote"]["ap"]
        legs = {
            "order_class": "bracket",
            "take_profit": {"limit_price": round(price * 1.2, 2)},
            "stop_loss": {"stop_price": round(price * 0.8, 2)},
        }
        entry = await http.buy("AAPL", 3, **legs)
        assert [leg["group_role"] for leg in entry["legs"]] == ["take_profit", "stop_loss"]
        roles: set[str] = set()
        while roles != {"entry", "take_profit", "stop_loss"}:
            told = (await client.next())["data"]["order"]
            assert told["legs"] is None
            assert told["group_id"] == entry["id"]
            roles.add(told["group_role"])


async def test_msgpack_is_spoken_to_who_asks_for_it() -> None:
    async with a_market() as server, trade_socket(server, {"Content-Type": "application/msgpack"}) as client:
        login = {"action": "authenticate", "data": {"key_id": "key", "secret_key": "secret"}}
        await client.ws.send_bytes(msgspec.msgpack.encode(login))
        said = msgspec.msgpack.decode((await client.ws.receive()).data)
        assert said["data"]["status"] == "authorized"
