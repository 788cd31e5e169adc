"""Where the microseconds go: each stage of the path by itself, in one process, over frames of 100 trades.

The sum is less than what the whole path costs: there the processes share caches and cores, and wake each
other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from benchmarks.kit import tape
from benchmarks.kit.venue import hours
from liu_tui.adapters.alpaca.parse import FrameReader
from liu_tui.adapters.alpaca.wire import decode_frame
from liu_tui.engine.links import pack
from liu_tui.engine.messages import OnMarketLink
from liu_tui.engine.meter import CallMeter, Face
from liu_tui.market.freshness import Pulse
from liu_tui.market.series import Series
from liu_tui.market.sieve import Sieve
from liu_tui.model.market import MINUTE_NS, Trade
from liu_tui.strategy import Context, PositionView, Strategy
from liu_tui.trading.session import Session, Slot

FRAME, EVENTS, SYMBOLS, CHUNK, ROUNDS = 100, 30_000, 300, 32, 7
_decode = msgspec.msgpack.Decoder(list[OnMarketLink]).decode


class _Vwap(Strategy):
    events = {"trade"}  # noqa: RUF012 - as users write it

    async def run(self, symbol: str, now: Any, bars: Series, position: PositionView, ctx: Context) -> None:
        """Read the VWAP."""
        self.vwap = bars.session_vwap


Stage = Callable[[], Callable[[], object]]
"""Makes all anew, which is not timed, and returns what is."""


def stages() -> dict[str, float]:
    """Nanoseconds an event of each stage, the quickest of some rounds; those with a space first are parts."""
    frames, symbols = _frames(), tape.names(SYMBOLS)
    reader = FrameReader()
    trades = [item for frame in frames for item in reader.read(frame)[0] if isinstance(item, Trade)]
    batches = [trades[n : n + FRAME // 2] for n in range(0, len(trades), FRAME // 2)]
    bodies = [pack(batch)[4:] for batch in batches]
    taken: dict[str, Stage] = {
        "producer: frame to events": lambda: lambda: [reader.read(frame) for frame in frames],
        "  of this msgspec": lambda: lambda: [decode_frame(frame) for frame in frames],
        "producer: the sieve": lambda: _sift(trades, symbols),
        "producer: freshness": lambda: _beat(trades, symbols),
        "producer: events to a link": lambda: lambda: [pack(batch) for batch in batches],
        "consumer: events from a link": lambda: lambda: [_decode(body) for body in bodies],
        "consumer: session and strategy": lambda: _call(trades, symbols),
        "  of this the series": lambda: _update(trades, symbols),
        "  of this its VWAP": lambda: _read(trades, symbols),
    }
    return {name: _quickest(stage) for name, stage in taken.items()}


def _sift(trades: Sequence[Trade], symbols: Sequence[str]) -> Callable[[], object]:
    sieves = {symbol: Sieve(symbol) for symbol in symbols}
    return lambda: [sieves[trade.symbol].admit(trade) for trade in trades]


def _beat(trades: Sequence[Trade], symbols: Sequence[str]) -> Callable[[], object]:
    pulses = {symbol: Pulse(1) for symbol in symbols}

    def work() -> None:
        for trade in trades:
            pulses[trade.symbol].beat(trade.t_ns)

    return work


def _update(trades: Sequence[Trade], symbols: Sequence[str]) -> Callable[[], object]:
    series = {symbol: Series(symbol) for symbol in symbols}

    def work() -> None:
        for trade in trades:
            series[trade.symbol].on_trade(trade)

    return work


def _read(trades: Sequence[Trade], symbols: Sequence[str]) -> Callable[[], object]:
    series = {symbol: Series(symbol) for symbol in symbols}
    for trade in trades[: 2 * len(symbols)]:
        series[trade.symbol].on_trade(trade)
    return lambda: [series[trade.symbol].session_vwap for trade in trades]


def _call(trades: Sequence[Trade], symbols: Sequence[str]) -> Callable[[], object]:
    slot = Slot("vwap", _Vwap("vwap"))
    folder = TemporaryDirectory()
    meter = CallMeter(Face(Path(folder.name) / "face"), {"vwap": 50.0})
    session = Session([slot], batch_id="b", hours=hours(), portfolio_value=1e5, risk=0.01, meter=meter)
    for symbol in symbols:
        session.add_symbol(symbol)

    async def run() -> None:
        for start in range(0, len(trades), CHUNK):
            chunk = trades[start : start + CHUNK]
            await session.on_events(chunk, chunk[-1].t_ns)

    def work() -> None:
        asyncio.run(run())
        folder.cleanup()

    return work


def _frames() -> list[bytes]:
    slabs = tape.slabs(tape.names(SYMBOLS), frame=FRAME, frames=1, quotes=False)
    at_ns = hours().open_ns + 10 * MINUTE_NS
    return [
        bytes(slabs[n % len(slabs)].stamped(at_ns + n * 100_000, tape.FIRST_ID + n * FRAME))[4:]
        for n in range(EVENTS // FRAME)
    ]


def _quickest(stage: Stage) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        work = stage()
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best / EVENTS * 1e9
