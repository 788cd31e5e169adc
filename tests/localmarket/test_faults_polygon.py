"""The same faults on the other face: what a client of Polygon's protocol meets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from liu_tui.localmarket.server import MarketServer
from tests.kit.faults import Rehearsal, a_rehearsal
from tests.kit.localmarket import PATIENCE_S

ALL = "T.*,Q.*,AM.*"


class Face:
    """A client of the stream, frame by frame."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def send(self, action: str, params: str) -> None:
        await self.ws.send_str(msgspec.json.encode({"action": action, "params": params}).decode())

    async def frame(self) -> str:
        message = await self.ws.receive(timeout=PATIENCE_S)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        text: str = message.data
        return text

    async def next(self) -> list[dict[str, Any]]:
        return msgspec.json.decode(await self.frame(), type=list[dict[str, Any]])

    async def log_in(self) -> list[dict[str, Any]]:
        await self.next()
        await self.send("auth", "key")
        return await self.next()

    async def heard(self) -> list[dict[str, Any]]:
        """All that came up to now: a refused topic marks the end."""
        await self.send("subscribe", "nothing")
        messages: list[dict[str, Any]] = []
        while not messages or messages[-1]["ev"] != "status":
            messages += await self.next()
        return messages[:-1]


@asynccontextmanager
async def a_face(server: MarketServer) -> AsyncIterator[Face]:
    url = server.url.replace("http", "ws") + "/stocks"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as ws:
        yield Face(ws)


@asynccontextmanager
async def two_faces(folder: Path) -> AsyncIterator[tuple[Rehearsal, Face]]:
    async with a_rehearsal(folder) as day, a_face(day.server) as face:
        assert (await face.log_in())[0]["status"] == "auth_success"
        await face.send("subscribe", ALL)
        assert {m["status"] for m in await face.next()} == {"success"}
        yield day, face


async def test_faults_of_events_are_met_alike(tmp_path: Path) -> None:
    async with two_faces(tmp_path) as (day, face):
        await day.step(events=1)
        assert [m["ev"] for m in await face.heard()] == ["Q", "T", "Q", "T"]
        fault = await day.fault(kind="duplicate")
        await day.step(events=1)
        assert [m["ev"] for m in await face.heard()] == ["Q", "Q", "T", "T"] * 2
        await day.http.ask("DELETE", f"/admin/faults/{fault['id']}")
        await day.fault(kind="bad_print", symbols=["AAA"], percent=50)
        assert [(m["ev"], m["sym"], m["p"]) for m in await face.heard()] == [("T", "AAA", 15.0)]
        await day.fault(kind="silence")
        await day.step(seconds=60)
        assert await face.heard() == []


async def test_a_frame_is_broken_whole_and_statuses_are_not(tmp_path: Path) -> None:
    async with two_faces(tmp_path) as (day, face):
        await day.fault(kind="corrupt")
        for _ in range(3):
            await day.step(events=1)
            with pytest.raises(msgspec.MsgspecError):
                msgspec.json.decode(await face.frame(), type=list[dict[str, Any]])
        assert await face.heard() == []


async def test_wrong_types_strike_the_symbols_that_are_named(tmp_path: Path) -> None:
    async with two_faces(tmp_path) as (day, face):
        await day.step(events=1)
        right = await face.heard()
        await day.fault(kind="wrong_types", symbols=["AAA"])
        await day.step(events=1)
        for before, after in zip(right, await face.heard(), strict=True):
            assert after["ev"] == before["ev"]
            changed = [key for key in before if type(before[key]) is not type(after[key])]
            assert len(changed) == (before["sym"] == "AAA")


async def test_drop_and_407_reach_it_too(tmp_path: Path) -> None:
    async with two_faces(tmp_path) as (day, face):
        fault = await day.fault(kind="refuse", code=407)
        assert fault["hits"] == 2
        assert [m["status"] for m in await face.next()] == ["slow_consumer"]
    async with two_faces(tmp_path / "again") as (day, face):
        assert (await day.fault(kind="drop"))["hits"] == 2
        assert (await face.ws.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@pytest.mark.parametrize(
    ("code", "status"), [(402, "auth_failed"), (404, "auth_timeout"), (406, "max_connections")]
)
async def test_a_login_is_refused_in_polygons_words(tmp_path: Path, code: int, status: str) -> None:
    async with a_rehearsal(tmp_path) as day, a_face(day.server) as face:
        await day.fault(kind="refuse", code=code)
        assert [m["status"] for m in await face.log_in()] == [status]
        assert (await face.ws.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_subscription_is_refused(tmp_path: Path) -> None:
    async with two_faces(tmp_path) as (day, face):
        await day.fault(kind="refuse", code=405)
        await face.send("subscribe", "A.*")
        assert [m["status"] for m in await face.next()] == ["error"]
