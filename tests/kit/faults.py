"""A paused market that does wrong on demand, and a client that hears every moment of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from liu_tui.localmarket.faultform import read_fault
from liu_tui.localmarket.server import MarketServer
from tests.kit.localmarket import DataSocket, Minute, Rest, a_market, data_socket, flat, rest, write_day

EVERYTHING: dict[str, Any] = {
    channel: ["*"] for channel in ("trades", "quotes", "bars", "updatedBars", "statuses", "lulds")
}
TWO_NAMES = {"AAA": flat(10.0, 6), "BBB": flat(20.0, 6)}


class Rehearsal:
    """A market that stands at the open until it is told to step, and one client of everything in it."""

    def __init__(self, server: MarketServer, http: Rest, client: DataSocket) -> None:
        self.server, self.http, self.client = server, http, client

    async def fault(self, **table: Any) -> dict[str, Any]:
        """Ask for a fault; `for` is written `lasts`."""
        if "lasts" in table:
            table["for"] = table.pop("lasts")
        told: dict[str, Any] = await self.http.post("/admin/faults", **table)
        return told

    async def look(self, fault: Mapping[str, Any]) -> dict[str, Any]:
        """How a fault goes."""
        told: dict[str, Any] = await self.http.get(f"/admin/faults/{fault['id']}")
        return told

    async def step(self, **how: Any) -> None:
        """Play `seconds` or `events`."""
        await self.http.post("/admin/step", **how)

    async def heard(self) -> list[dict[str, Any]]:
        """All that came up to now: an answer to a question of ours marks the end."""
        await self.client.send(action="unsubscribe")
        return (await self.client.until("subscription"))[:-1]

    async def hear(self, **how: Any) -> list[dict[str, Any]]:
        """Step, and return what was told of it."""
        await self.step(**how)
        return await self.heard()


@asynccontextmanager
async def a_rehearsal(
    folder: Path,
    minutes: Mapping[str, Sequence[Minute]] = TWO_NAMES,
    *,
    faults: Sequence[Mapping[str, Any]] = (),
    binary: bool = True,
    **what: Any,
) -> AsyncIterator[Rehearsal]:
    """A recorded day, paused at its open. faults: as a plan has them."""
    first = what.pop("first", "14:30")
    source = write_day(folder / "day", minutes, first=first)
    said = {"source": str(source), "date": "", "speed": 0.001, "faults": tuple(map(read_fault, faults))}
    async with (
        a_market(**said | what) as server,
        rest(server) as http,
        data_socket(server, binary=binary) as client,
    ):
        await http.post("/admin/pause")
        await client.log_in()
        await client.send(action="subscribe", **EVERYTHING)
        await client.next("subscription")
        yield Rehearsal(server, http, client)


def kinds(messages: Sequence[Mapping[str, Any]]) -> str:
    """The kinds of messages in their order, as "qtqt"."""
    return "".join(m["T"] for m in messages)
