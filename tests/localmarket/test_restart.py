"""A market that comes back with its ledger goes on where it stopped."""

from pathlib import Path
from typing import Any

import pytest

from liu_tui.errors import LiuError, UsageError
from liu_tui.localmarket.opening import pick_day
from liu_tui.localmarket.options import MarketOptions
from liu_tui.localmarket.rfc3339 import read_time
from tests.kit.localmarket import a_market, data_socket, flat, rest, write_day

ALL: dict[str, Any] = {"trades": ["*"], "quotes": ["*"], "bars": ["*"]}


async def test_orders_positions_and_the_clock_survive(tmp_path: Path) -> None:
    options = {"ledger": tmp_path / "ledger.db", "start": "10:00", "speed": 50.0}
    async with a_market(**options) as server, rest(server) as http:
        port = server.port
        filled = await http.buy("AAPL", 10)
        resting = await http.buy("SPY", 1, type="limit", limit_price="1")
        account = await http.get("/v2/account")
        fills = await http.get("/v2/account/activities/FILL")
        await http.post("/admin/pause")
        stopped = read_time((await http.get("/v2/clock"))["timestamp"])
    async with a_market(**options, port=port) as server, rest(server) as http:
        await http.post("/admin/pause")
        clock = read_time((await http.get("/v2/clock"))["timestamp"])
        assert stopped - 2_000_000_000 <= clock <= stopped + 50 * 20_000_000_000
        assert server.port == port
        assert (await http.get(f"/v2/orders/{filled['id']}"))["status"] == "filled"
        assert [o["id"] for o in await http.get("/v2/orders")] == [resting["id"]]
        assert (await http.get("/v2/positions/AAPL"))["qty"] == "10"
        again = await http.get("/v2/account")
        assert (again["account_number"], again["cash"]) == (account["account_number"], account["cash"])
        assert await http.get("/v2/account/activities/FILL") == fills
        status, body = await http.ask(
            "POST", "/v2/orders", json=sale(10, client_order_id=filled["client_order_id"])
        )
        assert (status, body["message"]) == (422, "client_order_id must be unique")
        assert (await http.ask("POST", "/v2/orders", json=sale(10)))[0] == 200
        assert await http.get("/v2/positions") == [], "quotes were rebuilt: the sale fills at once"


def list_folder(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def sale(qty: float, **more: Any) -> dict[str, Any]:
    order = {"symbol": "AAPL", "qty": qty, "side": "sell", "type": "market", "time_in_force": "day"}
    return order | more


async def test_a_lock_step_day_goes_on_with_the_next_step(tmp_path: Path) -> None:
    source = str(write_day(tmp_path / "day", {"AAA": flat(10.0, 3)}))
    options = {"source": source, "date": "", "speed": "max", "ledger": tmp_path / "ledger.db"}

    async def some(first: int, last: int) -> list[dict[str, Any]]:
        heard = []
        async with a_market(**options) as server, data_socket(server, binary=False) as client:
            await client.join(**ALL)
            for n in range(first, last):
                await client.ack(n)
                heard += await client.until("step")
        return heard

    whole = await some(0, 12)
    (tmp_path / "ledger.db").unlink()
    parts = await some(0, 5) + await some(5, 12)
    assert [m["n"] for m in whole if m["T"] == "step"] == list(range(1, 13))
    assert parts == whole


async def test_two_markets_with_ledgers_of_their_own_are_two_accounts(tmp_path: Path) -> None:
    numbers = set()
    for name in ("a.db", "b.db", "a.db"):
        async with a_market(ledger=tmp_path / name) as server, rest(server) as http:
            numbers.add((await http.get("/v2/account"))["account_number"])
    assert len(numbers) == 2


MONDAY = read_time("2026-11-23T12:00:00-05:00")
EVENING = read_time("2026-11-23T18:00:00-05:00")
SUNDAY = read_time("2026-11-22T12:00:00-05:00")
TUESDAY = read_time("2026-11-24T12:00:00-05:00")
RECORDED = ("2026-11-20", "2026-11-23", "2026-11-24")


@pytest.mark.parametrize(
    ("date", "recorded", "saved_ns", "now_ns", "day"),
    [
        ("2026-11-20", (), 0, MONDAY, "2026-11-20"),
        ("", (), 0, MONDAY, "2026-11-23"),
        ("", (), 0, SUNDAY, "2026-11-23"),
        ("", (), MONDAY, TUESDAY, "2026-11-23"),
        ("", (), EVENING, EVENING, "2026-11-24"),
        ("", (), EVENING, TUESDAY, "2026-11-24"),
        ("", RECORDED, 0, SUNDAY, "2026-11-24"),
        ("", RECORDED, MONDAY, SUNDAY, "2026-11-23"),
        ("", RECORDED, EVENING, SUNDAY, "2026-11-24"),
        ("2026-11-23", RECORDED, EVENING, SUNDAY, "2026-11-23"),
    ],
)
def test_the_day_is_the_one_asked_for_or_the_one_that_comes_next(
    date: str, recorded: tuple[str, ...], saved_ns: int, now_ns: int, day: str
) -> None:
    assert pick_day(MarketOptions(date=date), recorded, saved_ns, now_ns) == day


def test_an_account_does_not_go_back_in_time() -> None:
    with pytest.raises(UsageError, match="the ledger has been on 2026-11-23, after 2026-11-20"):
        pick_day(MarketOptions(date="2026-11-20"), RECORDED, MONDAY, MONDAY)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"start": "noon"}, "'noon' is no time of day"),
        ({"start": "03:00"}, "03:00 lies outside the session"),
        ({"date": "tomorrow"}, "tomorrow"),
        ({"source": "nowhere"}, "nowhere"),
        ({"speed": 0.0}, "a speed of 0.0"),
        ({"speed": "fast"}, "a speed of 'fast'"),
        ({"partial_fills": 2.0}, "partial_fills of 2.0"),
        ({"cash": 0.0}, "cash of 0.0"),
    ],
)
async def test_what_cannot_be_opened_is_said_in_words_and_leaves_no_ledger(
    what: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(LiuError, match=words):
        async with a_market(ledger=tmp_path / "ledger.db", **what):
            pass
    assert not list_folder(tmp_path)
