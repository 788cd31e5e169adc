"""A drill: a session on a recorded day while the market misbehaves, watched as its console would.

At the end the market is paused, and every symbol's minutes are compared with what the market's own history
says, bar for bar. What the screen was shown meanwhile is kept: states of the feed, its counts, and the log.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from liu_tui.engine.client import Client
from liu_tui.engine.feeds import COUNTS
from liu_tui.engine.snapshot import Detail, DetailBar, Picture
from liu_tui.market.calendar import to_datetime, to_ns
from liu_tui.model.market import MINUTE_NS
from tests.kit.house import House

WATCHER = '''
from liu_tui import Strategy


class Watcher(Strategy):
    """Asks for nothing: it notes that it was called."""

    events = {"trade", "quote", "minute"}

    async def run(self, symbol, now, bars, position, ctx):
        return None
'''

PLAN = """
max_symbols = 50
consumers = 2
{head}

[market]
source = "{source}"
date = "{day}"
start = "09:30"
speed = {speed}
seed = 3
{market}

[scanners.FixedList]
filename = "scanners/fixed_list.py"
symbols = {symbols}

[strategies.Watcher]
filename = "strategies/watcher.py"
"""

SETTLE_S = 30.0
Row = tuple[int, float, float, float, float, float]


class Seen:
    """What a screen was shown. states: of the feed; counts: the most of each; words: the log.

    stale, halted: the most symbols at one time; late: events discarded; lag_ms: the worst p99 of a consumer
    left_out: by the vendor's allowance
    """

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.words: list[str] = []
        self.late = self.stale = self.halted = 0
        self.lag_ms = 0.0
        self.now_ns = 0
        self.details: dict[str, Detail] = {}
        self.left_out: tuple[str, ...] = ()

    def take(self, message: object) -> None:
        """Look at what came."""
        if isinstance(message, Detail):
            self.details[message.symbol] = message
        if not isinstance(message, Picture):
            return
        feed = message.feed
        self.states[feed.state] += 1
        self.left_out = feed.left_out
        for name in COUNTS:
            self.counts[name] = max(self.counts[name], getattr(feed, name))
        self.stale = max(self.stale, feed.stale, sum(hit.stale for hit in message.hits))
        self.halted = max(self.halted, sum(hit.halted for hit in message.hits))
        self.late = sum(row.discarded for row in message.consumers)
        self.lag_ms = max(self.lag_ms, *(row.lag_p99_ms for row in message.consumers), 0.0)
        self.words += [line.words for line in message.log]

    def said(self, words: str) -> bool:
        """Whether the log said this."""
        return any(words in line for line in self.words)


class Drill:
    """One session with faults.

    symbols: all that are watched, and compared at the end
    faults:  as the market takes them, but with `at` in session minutes from when all was ready
    until:   the same
    """

    def __init__(
        self,
        root: Path,
        *,
        source: str,
        day: str,
        symbols: Sequence[str],
        faults: Sequence[dict[str, Any]],
        speed: float,
        until: float,
        head: str = "",
        market: str = "",
    ) -> None:
        plan = PLAN.format(
            source=source, day=day, speed=speed, symbols=json.dumps(list(symbols)), head=head, market=market
        )
        self.house = House(root, plan)
        (root / "strategies" / "watcher.py").write_text(WATCHER)
        self.symbols, self._day, self._until, self._faults = list(symbols), day, until, list(faults)
        self._ready_ns = 0
        self.seen = Seen()
        self._url = ""
        self._truth: dict[str, list[Row]] = {}

    async def run(self) -> dict[str, list[str]]:
        """Go to the end; returns the symbols whose series differ from history, and how."""
        await self.begin()
        return await self.end()

    async def begin(self) -> None:
        """Start the session, and look at it from now on."""
        await asyncio.to_thread(self.house.start)
        status = await asyncio.to_thread(self.house.status)
        self._url = status["market"]["url"]
        self._ready_ns = _ns((await self._get("/admin/status"))["time"])
        for fault in self._faults:
            at = to_datetime(self._ready_ns + int(fault["at"] * MINUTE_NS))
            await self._get("/admin/faults", "POST", {**fault, "at": f"{at:%H:%M:%S}"})
        (file,) = (self.house.root / ".liu" / "sessions").glob("*.session.json")
        self._client = await Client.connect(Path(json.loads(file.read_text())["socket"]), watch=20.0)
        self._watching = asyncio.create_task(self._watch(self._client))

    async def end(self) -> dict[str, list[str]]:
        """Go on until it is late enough, and compare; as run()."""
        try:
            await self.reach(self._until)
            await self._get("/admin/pause", "POST")
            return await self._settle(self._client)
        finally:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            await self._client.close()

    async def ctl(self, *words: str) -> None:
        """Give a command as a person would."""
        await asyncio.to_thread(self.house.run, "ctl", *words)

    async def reach(self, minutes: float) -> None:
        """Wait until so many session minutes have passed since all was ready."""
        moment_ns = self._ready_ns + int(minutes * MINUTE_NS)
        async with asyncio.timeout(240):
            while _ns((await self._get("/admin/status"))["time"]) < moment_ns:  # noqa: ASYNC110 - it must be asked
                await asyncio.sleep(0.05)

    async def _watch(self, client: Client) -> None:
        async for message in client.messages():
            self.seen.take(message)

    async def _settle(self, client: Client) -> dict[str, list[str]]:
        """Ask for the series until they are what history says, or until patience ends."""
        self._truth = await self._history()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_S
        while True:
            self.seen.details.clear()
            for symbol in self.symbols:
                client.ask_detail(symbol)
            async with asyncio.timeout(SETTLE_S):
                while len(self.seen.details) < len(self.symbols):  # noqa: ASYNC110 - another task takes them
                    await asyncio.sleep(0.02)
            wrong = {
                symbol: found
                for symbol in self.symbols
                if (found := _differences(self.seen.details[symbol].bars, self._truth.get(symbol, [])))
            }
            if not wrong or loop.time() > deadline:
                return wrong
            await asyncio.sleep(0.2)

    async def _history(self) -> dict[str, list[Row]]:
        names = ",".join(self.symbols)
        start, end = (to_datetime(_moment(self._day, clock)).isoformat() for clock in ("09:30", "16:00"))
        query = f"symbols={names}&timeframe=1Min&limit=10000&start={_quoted(start)}&end={_quoted(end)}"
        bars: dict[str, list[Row]] = {}
        token = ""
        while True:
            page = await self._get(f"/v2/stocks/bars?{query}{token}")
            for symbol, rows in page["bars"].items():
                bars.setdefault(symbol, []).extend(
                    (_ns(row["t"]), row["o"], row["h"], row["l"], row["c"], row["v"]) for row in rows
                )
            if not page["next_page_token"]:
                return bars
            token = f"&page_token={_quoted(page['next_page_token'])}"

    async def _get(self, path: str, method: str = "GET", body: object = None) -> Any:
        return await asyncio.to_thread(ask_market, f"{self._url}{path}", method, body)


def ask_market(url: str, method: str, body: object) -> Any:
    """Ask the local market over REST. Raises OSError."""
    pair = base64.b64encode(b"local:local").decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - our own market
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        return json.loads(answer.read())


def _differences(ours: Sequence[DetailBar], theirs: Sequence[Row]) -> list[str]:
    """What is not equal, bar for bar; the screen is shown the last part of a long day."""
    mine = {b.t_ns: (b.t_ns, b.open, b.high, b.low, b.close, b.volume) for b in ours}
    first = min(mine, default=0)
    wanted = {row[0]: tuple(map(float, row)) for row in theirs if row[0] >= first}
    missing = [f"{to_datetime(t):%H:%M} is missing" for t in sorted(wanted.keys() - mine.keys())]
    extra = [f"{to_datetime(t):%H:%M} is too much" for t in sorted(mine.keys() - wanted.keys())]
    other = [
        f"{to_datetime(t):%H:%M} is {mine[t][1:]} and not {wanted[t][1:]}"
        for t in sorted(mine.keys() & wanted.keys())
        if tuple(map(float, mine[t])) != wanted[t]
    ]
    return missing + extra + other


def _moment(day: str, clock: str) -> int:
    return to_ns(datetime.fromisoformat(f"{day}T{clock}"))


def _ns(text: str) -> int:
    return to_ns(datetime.fromisoformat(text[:19] + "+00:00" if text.endswith("Z") else text))


def time_of(status: dict[str, Any]) -> int:
    """Read the time that the market's status tells."""
    return _ns(status["time"])


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
