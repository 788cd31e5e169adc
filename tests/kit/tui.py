"""A scripted session behind a real unix socket: seeded pictures that move, commands that are answered.

By hand: `python -m tests.kit.tui` opens the console on it; `--scene NAME` sets it (calm, early, empty, rough,
ending, and those of `tuiscenes`), `--serve SOCKET` only serves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from liu_tui.engine.client import Command, Farewell, Reply
from liu_tui.engine.frontdoor import FrontDoor, Guest
from liu_tui.engine.snapshot import (
    BrokerRow,
    CommandRow,
    ConsumerRow,
    Detail,
    DetailBar,
    FeedRow,
    HitRow,
    LogLine,
    MoneyRow,
    OrderRow,
    Picture,
    PositionRow,
    ProcessRow,
    ScannerRow,
    StrategyRow,
    StreamRow,
    VetoRow,
)
from liu_tui.model.clock import Anchor, SessionClock, SessionHours, monotonic_ns, wall_ns
from tests.kit.tuiscenes import staged

SECOND, MINUTE = 1_000_000_000, 60_000_000_000
OPEN_NS = int(datetime(2026, 3, 2, 14, 30, tzinfo=UTC).timestamp()) * SECOND
HOURS = SessionHours(
    "2026-03-02", OPEN_NS - 330 * MINUTE, OPEN_NS, OPEN_NS + 390 * MINUTE, OPEN_NS + 630 * MINUTE
)
NAMES = [
    "NVDA",
    "SMCI",
    "PLTR",
    "SOUN",
    "RIVN",
    "MARA",
    "IONQ",
    "ACHR",
    "LCID",
    "BBAI",
    "QUBT",
    "RGTI",
    "TSLA",
    "AMD",
    "COIN",
    "HOOD",
    "UPST",
    "AFRM",
    "DKNG",
    "CVNA",
    "RKLB",
    "ASTS",
    "JOBY",
    "OKLO",
    "SERV",
    "KULR",
    "LUNR",
    "RCAT",
    "HIMS",
    "TEM",
    "SOFI",
    "BRK.B",
    "GOOGL",
    "F",
    "T",
    "NIO",
    "PLUG",
    "WOLF",
    "CHPT",
    "ENPH",
]
replace = msgspec.structs.replace


class Market:
    """Forty prices that walk, the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.previous = {name: self.dice.uniform(4, 400) for name in NAMES}
        self.price = {name: close * self.dice.uniform(0.93, 1.12) for name, close in self.previous.items()}
        self.volume = {name: self.dice.randint(20_000, 9_000_000) for name in NAMES}

    def step(self) -> list[str]:
        """Some prices move."""
        moved = self.dice.sample(NAMES, 12)
        for name in moved:
            self.price[name] *= 1 + self.dice.gauss(0, 0.0008)
            self.volume[name] += self.dice.randint(100, 5_000)
        return moved


class ScriptedSession:
    """What a supervisor would be to a console. The scene says what state things are in."""

    def __init__(self, socket: Path, *, scene: str = "calm", seed: int = 1, answer_s: float = 0.0) -> None:
        self.market = Market(seed)
        self.scene = scene
        self.answer_s = answer_s
        self.commands: list[Command] = []
        self.asked_details: list[str] = []
        self.door = FrontDoor(socket, self._command, self._detail)
        self.vetoes: dict[str, VetoRow] = {}
        self.dropped: set[str] = set()
        self.state, self.state_by, self.state_reason = "ACTIVE", "", ""
        self.rows: dict[str, CommandRow] = {}
        self.lines: deque[LogLine] = deque(maxlen=3000)
        self.count = 0
        self.refuse: dict[str, str] = {}
        self.positions = self._first_positions()
        self.orders = self._first_orders()
        self.fills: dict[str, list[tuple[int, float, float]]] = {"NVDA": [(OPEN_NS + 20 * MINUTE, 200, 0.0)]}
        start = OPEN_NS - 12 * MINUTE if scene == "early" else OPEN_NS + 62 * MINUTE
        self.clock = SessionClock(Anchor(start, monotonic_ns(), 1.0))
        self.began_ns = start
        self._seq = 0
        self.ended = asyncio.Event()
        self.say("info", "ready: batch 20260302-7F2, 2 consumers", source="session")

    # ── serving ──

    async def __aenter__(self) -> ScriptedSession:
        await self.door.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self.ended.is_set():
            await self.door.close(Farewell("the test is over"))

    def show(self) -> None:
        """Send whoever is due a picture."""
        if self.door.watched():
            self.door.show(self.picture(), self._after)

    async def play(self) -> None:
        """Move and show until ended."""
        while not self.ended.is_set():
            if self.scene not in ("early", "empty"):
                self.step()
            self.show()
            await asyncio.sleep(0.1)

    def step(self) -> None:
        """One moment of the day."""
        for name in self.market.step()[:2]:
            rvol = self.market.dice.uniform(1, 9)
            words = f"hit {name} gap_and_go {self.market.price[name]:.2f} rvol {rvol:.1f}"
            if self.market.dice.random() < 0.06:
                self.say("info", words, source="Momentum")
        if self.market.dice.random() < 0.02:
            name = self.market.dice.choice(list(self.positions))
            self.say("good", f"{name} filled 100 @ {self.market.price[name]:.2f}", source="desk", kind="fill")
        if self.scene == "rough" and self.market.dice.random() < 0.05:
            self.say("warn", "consumer A TSLA out of sync w 0:00:07.214", source="A")

    async def end(self, words: str = "market close") -> None:
        """Say farewell."""
        self.ended.set()
        await self.door.close(Farewell(words, json.dumps(SUMMARY)))

    # ── what it knows ──

    def say(self, level: str, words: str, *, source: str = "session", kind: str = "") -> None:
        """Log a line."""
        self.count += 1
        now = self.clock.now_ns() if hasattr(self, "clock") else OPEN_NS
        self.lines.append(
            LogLine(
                n=self.count, t_ns=now, wall_ns=wall_ns(), level=level, source=source, words=words, kind=kind
            )
        )

    def _after(self, n: int) -> tuple[LogLine, ...]:
        wanted = 300 if n <= 0 else self.count - n
        return tuple(self.lines)[-wanted:] if wanted > 0 else ()

    def picture(self) -> Picture:
        """All of it, as it stands."""
        self._seq += 1
        now = self.clock.now_ns()
        early, empty, rough = self.scene == "early", self.scene == "empty", self.scene == "rough"
        quiet = early or empty
        positions = () if quiet else self._positions()
        opened = sum(row.unrealized for row in positions)
        picture = Picture(
            seq=self._seq,
            batch_id="20260302-7F2",
            plan="plans/today.toml",
            environment="PAPER",
            venue="local market",
            build="0.1.0",
            anchor=self.clock.anchor,
            hours=HOURS,
            phase="waiting" if early else "trading",
            state=self.state,
            state_by=self.state_by,
            state_reason=self.state_reason,
            feed=FeedRow(
                state="lost" if rough else "live",
                words="reconnecting, try 3" if rough else "",
                age_s=4.2 if rough else 0.1,
                rate=0.0 if quiet else 4210.0,
                received=182_000,
                symbols=40,
                stale=0 if quiet else 2,
                gaps=3 if rough else 0,
                held_back=1,
                duplicates=12 if rough else 0,
                left_out=("ZZZ", "ZZZZ") if rough else (),
                streams=(
                    StreamRow(
                        name="producer",
                        state="lost" if rough else "live",
                        words="reconnecting, try 3" if rough else "",
                        age_s=4.2 if rough else 0.1,
                        rate=0.0 if quiet else 4210.0,
                        symbols=40,
                    ),
                ),
            ),
            broker=BrokerRow(state="ready", compared_ns=max(self.began_ns, now - 12 * SECOND)),
            money=MoneyRow(
                realized=0.0 if quiet else 612.4,
                unrealized=opened,
                equity=100_612 + opened,
                cash=48_200,
                buying_power=96_400,
                exposure=31_200,
                max_daily_loss=2000,
                max_drawdown=1500,
                fees=0.0 if quiet else 12.3,
                result=0.0 if quiet else 600.1 + opened,
                peak=0.0 if quiet else max(820.0, 600.1 + opened),
                multiplier=4.0,
            ),
            hits=() if quiet else self._hits(now),
            consumers=self._consumers(rough),
            positions=positions,
            orders=() if quiet else tuple(self.orders.values()),
            vetoes=tuple(self.vetoes.values()),
            strategies=self._strategies(rough, quiet),
            scanners=self._scanners(now, early),
            processes=self._processes(rough),
            commands=tuple(self.rows.values()),
        )
        return staged(picture, self.scene, now, self.began_ns)

    def _hits(self, now: int) -> tuple[HitRow, ...]:
        rows = []
        for at, name in enumerate(NAMES):
            price, first = self.market.price[name], now - at * 47 * SECOND
            state = (
                "rejected"
                if f"{name}/" in self.vetoes
                else "unsubscribed"
                if name in self.dropped
                else "watched"
            )
            if name == "ENPH" and state == "watched":
                state = "over limit"
            rows.append(
                HitRow(
                    symbol=name,
                    scanner="Momentum" if at % 3 else "MostActive",
                    strategy="" if at % 2 else "MomentumBreakout",
                    consumer="AB"[at % 2],
                    first_ns=first,
                    last_ns=first - first % SECOND,
                    times=1 + at % 4,
                    values=f"gap {1 + at % 7}.{at % 10}  rvol {9 - at % 8}.2",
                    price=price,
                    state=state,
                    change_pct=(price / self.market.previous[name] - 1) * 100,
                    volume=float(self.market.volume[name]),
                    age_s=40.0 + at if at in (4, 9) else 0.3 * (at % 7),
                    usual_s=0.4,
                    stale=at in (4, 9),
                    halted=at == 6,
                )
            )
        return tuple(rows)

    def _positions(self) -> tuple[PositionRow, ...]:
        rows = []
        for name, (qty, avg, stop, target, strategy) in self.positions.items():
            price = self.market.price[name]
            risk = abs(avg - stop) if stop else None
            rows.append(
                PositionRow(
                    strategy=strategy,
                    symbol=name,
                    qty=qty,
                    avg_price=avg,
                    price=price,
                    unrealized=(price - avg) * qty,
                    realized=0.0,
                    stop=stop,
                    target=target,
                    opened_ns=OPEN_NS + 20 * MINUTE,
                    r=(price - avg) * (1 if qty > 0 else -1) / risk if risk else None,
                )
            )
        return tuple(sorted(rows, key=lambda row: row.unrealized))

    def _first_positions(self) -> dict[str, tuple[float, float, float | None, float | None, str]]:
        price = self.market.price
        return {
            "NVDA": (
                200,
                price["NVDA"] * 0.994,
                price["NVDA"] * 0.98,
                price["NVDA"] * 1.03,
                "MomentumBreakout",
            ),
            "SOUN": (-1500, price["SOUN"] * 0.992, price["SOUN"] * 1.02, None, "VwapReversion"),
            "MARA": (800, price["MARA"] * 0.99, None, None, "RelativeStrength"),
        }

    def _first_orders(self) -> dict[str, OrderRow]:
        rows: dict[str, OrderRow] = {}
        for at, (symbol, operation, role, state, live) in enumerate(
            (
                ("RIVN", "buy", "entry", "partially_filled", True),
                ("NVDA", "sell", "stop", "new", True),
                ("NVDA", "sell", "target", "held", True),
                ("MARA", "buy", "entry", "filled", False),
                ("SOUN", "sell_short", "entry", "filled", False),
                ("TSLA", "buy", "entry", "refused", False),
                ("AMD", "buy", "entry", "canceled", False),
            )
        ):
            price = self.market.price[symbol]
            rows[f"o{at}"] = OrderRow(
                client_order_id=f"o{at}",
                strategy="MomentumBreakout",
                symbol=symbol,
                operation=operation,
                role=role,
                order_type="limit",
                qty=500,
                filled_qty=200 if state == "partially_filled" else 500 * (state == "filled"),
                limit_price=price if role != "stop" else None,
                stop_price=price * 0.98 if role == "stop" else None,
                avg_price=price if state == "filled" else 0.0,
                state=state,
                live=live,
                created_ns=OPEN_NS,
                t_ns=OPEN_NS + (60 - at) * MINUTE,
                words="max_open_positions 12 are open" if state == "refused" else "",
            )
        return rows

    def _consumers(self, rough: bool) -> tuple[ConsumerRow, ...]:
        if self.scene == "empty":
            return ()
        return tuple(
            ConsumerRow(
                name=name,
                state="running",
                pid=4000 + at,
                symbols=20,
                queue=12 + at,
                dispatched=91_000,
                lag_p50_ms=0.4,
                lag_p99_ms=6400.0 if rough and not at else 3.1,
                discarded=17 if rough else 0,
                merged=210 if rough else 0,
                rate=2105.0,
                slowest="VwapReversion",
                slowest_ms=2.4,
                restarts=at,
            )
            for at, name in enumerate("AB")
        )

    def _strategies(self, rough: bool, quiet: bool) -> tuple[StrategyRow, ...]:
        names = ("MomentumBreakout", "VwapReversion", "RelativeStrength")
        return tuple(
            StrategyRow(
                name=name,
                file=f"strategies/{name}.py",
                realized=0.0 if quiet else 204.1,
                calls=1800,
                state="quarantined" if rough and not at else "running",
                unrealized=0.0 if quiet else 46.5,
                words="hung on NVDA: quarantined until its file is saved" if rough and not at else "",
                positions=0 if quiet else 1,
                trips=0 if quiet else 3,
                slow_calls=at,
            )
            for at, name in enumerate(names)
        )

    def _scanners(self, now: int, early: bool) -> tuple[ScannerRow, ...]:
        due = HOURS.open_ns + 5 * MINUTE if early else now - now % (5 * MINUTE) + 5 * MINUTE
        return tuple(
            ScannerRow(
                name=name,
                state="waiting" if early else "running",
                words="",
                runs=0 if early else 12,
                hits=0 if early else 38,
                next_ns=due,
            )
            for name in ("Momentum", "MostActive")
        )

    def _processes(self, rough: bool) -> tuple[ProcessRow, ...]:
        roles = ("supervisor", "producer", "consumer", "consumer", "scanners", "desk", "market")
        names = ("supervisor", "producer", "A", "B", "scanners", "desk", "market")
        return tuple(
            ProcessRow(
                role=role,
                name=name,
                pid=4000 + at,
                restarts=int(name == "B"),
                state="dead" if rough and name == "scanners" else "running",
            )
            for at, (role, name) in enumerate(zip(roles, names, strict=True))
        )

    # ── what it is asked ──

    async def _command(self, command: Command, guest: Guest) -> None:
        self.commands.append(command)
        self._row(command, "pending", "")
        if self.answer_s:
            asyncio.get_running_loop().call_later(self.answer_s, self.answer, command, guest)
        else:
            self.answer(command, guest)

    def answer(self, command: Command, guest: Guest) -> None:
        """Do it, and say so."""
        ok, words = (
            (False, self.refuse[command.verb]) if command.verb in self.refuse else (True, self._do(command))
        )
        self._row(command, "done" if ok else "refused", words)
        self.say(
            "info" if ok else "warn",
            f"{command.verb} {command.symbol}: {words}",
            source=command.by,
            kind="" if ok else "refusal",
        )
        self.door.tell(guest, Reply(command.id, ok, words))

    def _do(self, command: Command) -> str:
        doings: dict[str, Callable[[Command], object]] = {
            "reject": self._reject,
            "allow": lambda c: self.vetoes.pop(f"{c.symbol}/{c.strategy}", None),
            "resolve": lambda _c: None,
            "release": lambda _c: None,
            "unsubscribe": lambda c: self.dropped.add(c.symbol),
            "subscribe": lambda c: self.dropped.discard(c.symbol),
            "pause": lambda c: self._set("REDUCING", c),
            "resume": lambda c: self._set("ACTIVE", c),
            "kill": self._kill,
            "cancel": self._cancel,
            "flatten": lambda c: self._close(c.symbol),
            "stop": lambda _c: asyncio.get_running_loop().call_later(0.3, self._end_soon),
        }
        doings[command.verb](command)
        return f"{command.verb} is done"

    def _kill(self, command: Command) -> None:
        self._set("HALTED", command)
        self._close("")

    def _end_soon(self) -> None:
        self._ending = asyncio.ensure_future(self.end("asked for"))

    def _set(self, state: str, command: Command) -> None:
        self.state, self.state_by, self.state_reason = state, command.by, command.reason or "asked for"

    def _reject(self, command: Command) -> None:
        self.vetoes[f"{command.symbol}/{command.strategy}"] = VetoRow(
            symbol=command.symbol, strategy=command.strategy, by="console", reason=command.reason,
            since_ns=self.clock.now_ns(), until_ns=0 if command.until == "good" else HOURS.close_ns,
        )  # fmt: skip
        if command.choice == "flatten":
            self._close(command.symbol)

    def _cancel(self, command: Command) -> None:
        for key, row in self.orders.items():
            if (
                row.live
                and row.role == "entry"
                and command.order in ("", key)
                and command.symbol in ("", row.symbol)
            ):
                self.orders[key] = replace(row, state="canceled", live=False)

    def _close(self, symbol: str) -> None:
        for name in [name for name in self.positions if symbol in ("", name)]:
            del self.positions[name]
        for key, row in self.orders.items():
            if row.live and symbol in ("", row.symbol):
                self.orders[key] = replace(row, state="canceled", live=False)

    def _row(self, command: Command, state: str, words: str) -> None:
        self.rows[command.id] = CommandRow(
            id=command.id,
            verb=command.verb,
            symbol=command.symbol,
            by=command.by,
            state=state,
            words=words,
            wall_ns=wall_ns(),
        )

    def _detail(self, symbol: str, guest: Guest) -> None:
        self.asked_details.append(symbol)
        self.door.tell(guest, self.detail(symbol))

    def detail(self, symbol: str) -> Detail:
        """A made-up day of a symbol that ends at its price now."""
        if symbol not in self.market.price or self.scene in ("early", "empty"):
            return Detail(symbol=symbol, words=f"{symbol} is not subscribed")
        last, dice = self.market.price[symbol], random.Random(symbol)
        minutes = int((self.clock.now_ns() - OPEN_NS) // MINUTE)
        closes = [last]
        for _ in range(minutes):
            closes.append(closes[-1] * (1 + dice.gauss(0, 0.0025)))
        closes.reverse()
        bars = tuple(
            DetailBar(
                t_ns=OPEN_NS + at * MINUTE,
                open=close,
                high=close * (1 + dice.random() * 0.002),
                low=close * (1 - dice.random() * 0.002),
                close=close,
                volume=float(dice.randint(2_000, 90_000)),
            )
            for at, close in enumerate(closes)
        )
        fills = tuple(
            (t_ns, qty, closes[int((t_ns - OPEN_NS) // MINUTE)])
            for t_ns, qty, _ in self.fills.get(symbol, ())
        )
        return Detail(
            symbol=symbol,
            bars=bars,
            bid=last - 0.01,
            ask=last + 0.02,
            bid_size=3,
            ask_size=5,
            last=last,
            previous_close=self.market.previous[symbol],
            vwap=sum(closes) / len(closes),
            fills=fills,
            tape=((self.clock.now_ns(), last, 100.0),),
            age_s=0.4,
            usual_s=0.3,
            lower=round(last * 0.9, 2),
            upper=round(last * 1.1, 2),
            backfilled=(OPEN_NS,),
        )


SUMMARY: dict[str, Any] = {
    "batch_id": "20260302-7F2",
    "environment": "PAPER",
    "end_reason": "market close",
    "fills": 14,
    "restarts": 1,
    "events": {"received": 182_000, "dispatched": 181_990, "discarded_late": 0, "merged": 10},
    "lag_ms": {"A": {"p50": 0.4, "p99": 3.1}, "B": {"p50": 0.4, "p99": 2.8}},
    "scanner_hits": 38,
    "symbols": NAMES,
    "orders": {"filled": 14, "canceled": 3},
    "positions": {"MARA": 800.0},
    "realized_pnl": 612.4,
    "unrealized_pnl": -31.5,
}


async def serve(socket: Path, scene: str) -> None:
    """Serve a scene until ended by a signal or by `stop`."""
    async with ScriptedSession(socket, scene=scene, answer_s=0.15) as session:
        if scene == "ending":
            asyncio.get_running_loop().call_later(3, session._end_soon)
        await session.play()


def main() -> None:
    """Serve, or serve and show."""
    words = argparse.ArgumentParser()
    words.add_argument("--serve", type=Path)
    words.add_argument("--scene", default="calm")
    words.add_argument("--fps", type=float, default=5.0)
    said = words.parse_args()
    if said.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(said.serve, said.scene))
        return
    from liu_tui.tui.app import run

    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "s.sock"
        arguments = [sys.executable, "-m", "tests.kit.tui", "--serve", str(socket), "--scene", said.scene]
        with subprocess.Popen(arguments) as server:
            run(socket, batch_id="20260302-7F2", plan="plans/today.toml", fps=said.fps)
            server.terminate()


if __name__ == "__main__":
    main()
