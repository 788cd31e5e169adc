"""Chaos: a whole session that trades hard while its processes are killed and its broker misbehaves.

What is done, and when, comes from a seed; how the processes take it is theirs. Each deed waits for its
condition with a deadline, and the number of deeds bounds the whole. In the end everything is called off,
closed and compared: the broker's ledger, the journal, the positions, and what the strategies summed up
themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.error import HTTPError

from liu_tui.engine.client import Client
from liu_tui.engine.snapshot import Picture
from liu_tui.errors import LiuError
from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import OrderState
from liu_tui.trading.lifecycle import AMENDED, ASKED
from tests.kit.drill import ask_market, time_of
from tests.kit.house import House

PLAN = """
portfolio_value = 100_000
risk = 0.002
max_symbols = 24
consumers = 2
market_liquidation_end_time_minutes = 0

[market]
source = "simulated"
symbols = 24
start = "09:30"
speed = {speed}
seed = {seed}
partial_fills = 0.3
cash = 1_000_000

[limits]
max_orders_per_minute = 100_000

[scanners.MostActive]
filename = "scanners/most_active.py"
recurrence = 1
top = 24

[strategies.Brackets]
filename = "strategies/churn.py"

[strategies.Limits]
filename = "strategies/churn.py"

[strategies.Shorts]
filename = "strategies/churn.py"

[strategies.Exits]
filename = "strategies/churn.py"
"""

CHURN = '''
from zlib import crc32

from liu_tui import Buy, Cancel, Cover, Protect, Replace, Sell, Short, Strategy

EVERY_NS = 10 * 1_000_000_000


class Churn(Strategy):
    """Trades for the sake of trading; sums its fills up by itself."""

    events = {"quote", "minute"}
    initial_state = {"sum": 0.0, "fills": 0}

    async def run(self, symbol, now, bars, position, ctx):
        slot = ctx.now_ns // EVERY_NS
        if ctx.state.get("slot") == slot or bars.price <= 0:
            return None
        ctx.state["slot"] = slot
        return self.act(crc32(f"{self.name}:{symbol}:{slot}".encode()) % 12, bars.price, position)

    async def on_fill(self, fill, ctx):
        ctx.state["sum"] = round(ctx.state["sum"] + fill.qty, 9)
        ctx.state["fills"] += 1

    def act(self, n, price, position):
        raise NotImplementedError


class Brackets(Churn):
    def act(self, n, price, position):
        if position.flat:
            return Buy(qty=10, stop=price * 0.996, target=price * 1.006, reason="chaos") if n < 5 else None
        if n == 0:
            return Sell(reason="chaos")
        if n == 1:
            return Protect(stop=price * 0.998, reason="chaos")
        return None


class Limits(Churn):
    def act(self, n, price, position):
        if position.qty:
            return Sell(limit=price * 1.0005, reason="chaos") if n < 3 else Sell() if n == 3 else None
        if position.pending:
            return Cancel() if n < 2 else Replace(limit=price, reason="chaos") if n < 5 else None
        return Buy(qty=15, limit=price * 0.9992, reason="chaos") if n < 7 else None


class Shorts(Churn):
    def act(self, n, price, position):
        if position.flat:
            return Short(qty=12, stop=price * 1.004, reason="chaos") if n < 4 else None
        if n < 2:
            return Cover(reason="chaos")
        return None


class Exits(Churn):
    def act(self, n, price, position):
        if position.flat:
            return Buy(qty=9, stop=price * 0.995, reason="chaos") if n < 4 else None
        if n == 0:
            return Sell(qty=4, reason="chaos")
        if n == 1:
            return Sell(trail_percent=0.2, reason="chaos")
        return Sell() if n == 2 else None
'''

READY_S = 60.0
Deed = Callable[["Chaos"], Awaitable[None]]


class Chaos:
    """One session in a storm.

    kills:  role -> how often one of its processes was killed
    faults: kind -> how often it struck, as the market counted
    orders: client order ids that the broker has seen
    """

    def __init__(self, root: Path, *, seed: int, speed: float = 20.0) -> None:
        self.house = House(root, PLAN.format(seed=seed, speed=speed))
        (root / "strategies" / "churn.py").write_text(CHURN)
        self.random = Random(f"chaos {seed}")
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.commands: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()
        self.orders = self.fills = 0
        self.picture: Picture | None = None
        self.batch_id = ""
        self._url = ""
        self._client: Client | None = None
        self._watching: asyncio.Task[None] | None = None

    async def survived(self) -> int:
        """How many kills and faults so far."""
        return self.kills.total() + (await self._struck()).total()

    async def run(
        self, deeds: int = 0, *, survive: int = 0, tell: Callable[[str], object] = str
    ) -> list[str]:
        """Do so many deeds, or go on until so much is survived; return every difference at the end."""
        await self.begin()
        try:
            done = 0
            while done < deeds or await self.survived() < survive:
                await self._pass_time(self.random.uniform(2, 12))
                name = self._draw()
                await DEEDS[name](self)
                done += 1
                if not done % 20:
                    tell(f"{done} deeds, {self.kills.total()} kills, {await self.survived()} survived")
            return await self.end()
        finally:
            await self.leave()

    async def begin(self) -> None:
        """Start, and wait until it has traded."""
        await asyncio.to_thread(self.house.start)
        await self._attach()
        self.batch_id = self._seen().batch_id
        assert {row.state for row in self._seen().strategies} == {"running"}, self._seen().strategies
        await self._until("something is filled", lambda: bool(self._seen().positions))

    async def end(self) -> list[str]:
        """Call everything off, close everything, stop, and compare."""
        self.faults, self._counted = await self._struck(), Counter()
        await self._pass_time(3)  # a market that was just killed is back
        await self._market("/admin/faults", "DELETE")
        await self._until("the house is whole", self._whole)
        await self._command("pause")
        await self._command("flatten")
        await self._until("it is flat", self._flat)
        summary = await asyncio.to_thread(self.house.stop)
        return list(self._differences(summary))

    # ── deeds ──

    async def kill(self, role: str) -> None:
        """Kill one process of a role with no warning, and wait until another runs in its place."""
        mine = [row for row in self._seen().processes if row.role == role and row.state == "running"]
        if not mine:
            return
        row = self.random.choice(mine)
        if role == "market":
            await self._struck()  # what it has counted dies with it
        self.kills[role] += 1
        os.kill(row.pid, signal.SIGKILL)

        def back() -> bool:
            rows = [r for r in self._seen().processes if (r.role, r.name) == (row.role, row.name)]
            return any(r.state == "running" and r.pid != row.pid for r in rows)

        await self._until(f"the {role} runs again", back)

    async def kill_supervisor(self) -> None:
        """Kill the supervisor; start the plan again, which goes on with the batch."""
        assert self.house.session is not None
        self.kills["supervisor"] += 1
        self.house.session.kill()
        await asyncio.to_thread(self.house.session.wait)
        await self.leave()
        await asyncio.to_thread(self.house.start)
        await self._attach()
        assert self._seen().batch_id == self.batch_id, "another batch was begun"

    async def kill_two(self) -> None:
        """Kill the desk, and a moment later somebody else."""
        await self.kill("desk")
        await self.kill(self.random.choice(["consumer", "producer", "market"]))

    async def fault(self, kind: str, **words: Any) -> None:
        """Let the market misbehave from now on, for a while."""
        for_s = round(self.random.uniform(5, 60), 1)
        body = {"kind": kind, "for": for_s, "share": round(self.random.uniform(0.2, 0.9), 2), **words}
        if kind in ("bust", "reprice", "updates_cut", "drop"):
            body.pop("share")
        if kind in ("updates_silent", "updates_cut", "drop"):
            body = {"kind": kind, "for": body["for"]}
        try:
            await self._market("/admin/faults", "POST", body)
        except HTTPError as e:  # a fault that is no fault would prove nothing
            raise AssertionError(f"the market takes no {body}: {e}") from e
        except OSError:
            pass  # it was killed a moment ago: what it would have done wrong, it does not do at all

    async def command(self, verb: str) -> None:
        """Do what a person might do meanwhile."""
        rows = self._seen().positions
        symbol = self.random.choice(rows).symbol if rows else ""
        await self._command(verb, symbol if verb != "pause" else "")
        if verb == "pause":
            await self._pass_time(5)
            await self._command("resume")

    # ── inside ──

    def _draw(self) -> str:
        names = list(WEIGHTS)
        return self.random.choices(names, [WEIGHTS[name] for name in names])[0]

    async def _command(self, verb: str, symbol: str = "") -> None:
        self.commands[verb] += 1
        client = self._client
        assert client is not None
        # A desk that is being started refuses; a supervisor that goes away answers nobody.
        with contextlib.suppress(TimeoutError, LiuError):
            reply = await client.ask(verb, symbol=symbol, by="chaos", reason="chaos")
            if not reply.ok and verb in ("pause", "flatten") and not symbol:
                await self._pass_time(5)
                await client.ask(verb, by="chaos", reason="chaos")

    async def _attach(self) -> None:
        files = list((self.house.root / ".liu" / "sessions").glob("*.session.json"))
        (record,) = [json.loads(file.read_text()) for file in files]
        self._url = record["market_url"]
        self.picture = None
        self._client = await Client.connect(Path(record["socket"]), watch=10.0)
        self._watching = asyncio.create_task(self._watch(self._client))
        await self._until("the session trades", lambda: self.picture is not None and self._whole())

    async def _watch(self, client: Client) -> None:
        async for message in client.messages():
            if isinstance(message, Picture):
                self.picture = message

    async def leave(self) -> None:
        """Look no more. May be called twice."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError, LiuError):
                await self._watching
            self._watching = None
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _seen(self) -> Picture:
        assert self.picture is not None
        return self.picture

    def _whole(self) -> bool:
        seen = self._seen()
        running = all(row.state == "running" for row in seen.processes)
        return seen.phase == "trading" and running and seen.broker.state == "ready"

    def _flat(self) -> bool:
        seen = self._seen()
        held = any(row.qty for row in seen.positions)
        return not held and not any(row.live for row in seen.orders) and not seen.differences

    async def _until(self, what: str, true: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_S
        while not true():
            if loop.time() > deadline:
                raise AssertionError(f"it did not come about that {what}\n{self._log()}")
            await asyncio.sleep(0.02)

    def _log(self) -> str:
        seen = self._seen()
        live = [row for row in seen.orders if row.live]
        held = [row for row in seen.positions if row.qty]
        said = (self.house.root / "session.err").read_text()[-5000:]
        how = f"{seen.state} {seen.state_reason} {seen.broker} {seen.differences} {seen.flattens}"
        return f"{how}\n{live}\n{held}\n{said}"

    async def _pass_time(self, seconds: float) -> None:
        """Wait until so many session seconds have passed; a market that is away is waited for."""
        begun: int | None = None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_S
        while True:
            with contextlib.suppress(OSError, ValueError):
                now = time_of(await self._market("/admin/status"))
                begun = now if begun is None else begun
                if now - begun >= seconds * SECOND_NS:
                    return
            assert loop.time() < deadline, "the market's time stands still"
            await asyncio.sleep(0.02)

    async def _struck(self) -> Counter[str]:
        """How often each kind of fault struck so far; a market that was killed begins to count anew."""
        with contextlib.suppress(OSError):
            totals = await self._market("/admin/faults/totals")
            now = Counter({kind: row["hits"] for kind, row in totals.items()})
            if now.total() < self._counted.total():
                self.faults += self._counted
            self._counted = now
        return self.faults + self._counted

    async def _market(self, path: str, method: str = "GET", body: object = None) -> Any:
        return await asyncio.to_thread(ask_market, f"{self._url}{path}", method, body)

    # ── the end ──

    def _differences(self, summary: dict[str, Any]) -> Iterator[str]:
        house, batch = self.house, self.batch_id
        yield from self._fills_differ()
        yield from self._orders_differ()
        yield from self._strategies_differ()
        yield from self._lives_differ()
        ours = summary["realized_pnl"] + summary["unrealized_pnl"]
        theirs = summary["market"]["equity"] - 1_000_000
        if abs(ours - theirs) > 0.005:
            yield f"profit: books {ours:+.2f}, ledger {theirs:+.2f}"
        if summary["positions"]:
            yield f"still held: {summary['positions']}"
        sent = house.ledger(batch, "SELECT client_order_id, times FROM requests WHERE times > 1")
        for cid, times in sent:
            yield f"{cid} was sent {times} times"

    def _fills_differ(self) -> Iterator[str]:
        told = self.house.ledger(
            self.batch_id,
            "SELECT execution_id, corrects, symbol, CASE side WHEN 'buy' THEN qty ELSE -qty END, price "
            "FROM executions",
        )
        ledger = _standing(told)
        rows = self.house.books(
            "SELECT execution_id, amends, symbol, qty, price FROM new_trades WHERE batch_id = ?",
            self.batch_id,
        )
        self.fills = len(rows)
        # A row that takes an execution back stands for nothing itself.
        books = {name: row for name, row in _standing(rows).items() if not name.count(":")}
        for name in sorted(books.keys() | ledger.keys()):
            if books.get(name) != ledger.get(name):
                yield f"fill {name}: books {books.get(name)}, ledger {ledger.get(name)}"

    def _orders_differ(self) -> Iterator[str]:
        theirs = dict(self.house.ledger(self.batch_id, "SELECT client_order_id, status FROM orders"))
        rows = self.house.books(
            "SELECT client_order_id, state, intent_id, role, replaces FROM orders WHERE batch_id = ?",
            self.batch_id,
        )
        ours = {row[0]: row[1] for row in rows if row[1] not in ("refused", "failed")}
        self.orders = len(theirs)
        for cid in sorted(ours.keys() | theirs.keys()):
            # What was withdrawn before it was sent is canceled here and unknown there.
            if ours.get(cid) != theirs.get(cid) and not (ours.get(cid) == "canceled" and cid not in theirs):
                yield f"order {cid}: books {ours.get(cid)}, ledger {theirs.get(cid)}"
        for cid, state, *_ in rows:
            if not OrderState(state).final:
                yield f"order {cid} has no outcome: {state}"
        asked = Counter(row[2] for row in rows if row[2] and row[3] in ("entry", "exit"))
        for intent, times in asked.items():
            if times > 1:
                yield f"intent {intent} has {times} orders"

    def _strategies_differ(self) -> Iterator[str]:
        books = {
            (strategy, symbol): (round(qty, 9) + 0.0, count)
            for strategy, symbol, qty, count in self.house.books(
                "SELECT strategy, symbol, sum(qty), count(*) FROM new_trades WHERE batch_id = ? "
                "AND strategy <> 'EXTERNAL' GROUP BY strategy, symbol",
                self.batch_id,
            )
        }
        rows = self.house.books(
            "SELECT strategy, symbol, state FROM strategy_state WHERE batch_id = ?", self.batch_id
        )
        said = {(row[0], row[1]): json.loads(row[2]) for row in rows}
        for key, mine in books.items():
            state = said.get(key, {})
            if (state.get("sum", 0.0), state.get("fills", 0)) != mine:
                heard = f"{state.get('sum')} in {state.get('fills')} fills"
                yield f"{key}: the strategy heard {heard}, books {mine}"

    def _lives_differ(self) -> Iterator[str]:
        """Every transition that is stored must be one of the table's."""
        last: dict[str, OrderState] = {}
        for cid, said in self.house.books(
            "SELECT client_order_id, state FROM order_events WHERE batch_id = ? ORDER BY event_id",
            self.batch_id,
        ):
            state = OrderState(said)
            before = last.get(cid, state)
            if state is not before and state not in ASKED[before] | AMENDED[before]:
                yield f"{cid} went from {before} to {state}"
            last[cid] = state


Rows = list[tuple[Any, ...]]


def _standing(rows: Rows) -> dict[str, tuple[Any, ...]]:
    """Rows of (id, whose place it takes, what) that no other row has taken back; none of no shares."""
    gone = {row[1] for row in rows if row[1]}
    return {row[0]: row[2:] for row in rows if row[0] not in gone and row[3]}


def _kill(role: str) -> Deed:
    return lambda chaos: chaos.kill(role)


def _fault(kind: str, **words: Any) -> Deed:
    return lambda chaos: chaos.fault(kind, **words)


def _command(verb: str) -> Deed:
    return lambda chaos: chaos.command(verb)


DEEDS: dict[str, Deed] = {
    **{f"kill {role}": _kill(role) for role in ("consumer", "producer", "desk", "scanners", "market")},
    "kill supervisor": lambda chaos: chaos.kill_supervisor(),
    "kill two": lambda chaos: chaos.kill_two(),
    "lost answers": _fault("lost_answer"),
    "500": _fault("http_error", code=500),
    "504": _fault("http_error", code=504),
    "429": _fault("http_error", code=429),
    "updates lost": _fault("updates_lost"),
    "updates twice": _fault("updates_twice"),
    "updates late": _fault("updates_late", seconds=8.0),
    "updates disordered": _fault("updates_disordered"),
    "updates silent": _fault("updates_silent"),
    "updates cut": _fault("updates_cut"),
    "data cut": _fault("drop"),
    "bust": _fault("bust"),
    "reprice": _fault("reprice", percent=0.1),
    "pause": _command("pause"),
    "cancel": _command("cancel"),
    "flatten": _command("flatten"),
}
WEIGHTS: dict[str, float] = dict.fromkeys(DEEDS, 1.0) | {
    "kill desk": 5.0,
    "kill consumer": 3.0,
    "kill market": 2.0,
    "kill supervisor": 0.5,
    "kill scanners": 0.5,
    "lost answers": 2.0,
    "bust": 0.5,
}
