"""The local market as a process: it listens on loopback, says so, and ends in order."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from liu_tui.errors import Exit, UsageError
from liu_tui.localmarket.market import Market
from liu_tui.localmarket.opening import open_session, temporary_folder
from liu_tui.localmarket.options import MarketOptions
from liu_tui.model.market import SECOND_NS

HOST = "127.0.0.1"
LINE_BYTES = 256 * 1024
"""The longest request line: a query may name every symbol there is."""
_GOODBYE_S = 3.0
"""Wall seconds for answers under way when the end comes."""


async def serve(options: MarketOptions) -> Exit:
    """Run a market until SIGTERM, SIGINT, /admin/shutdown, or nobody was there for `idle_exit_s`.

    Writes one JSON line to standard output when it is ready: {"url": ..., "port": ...}.
    returns: DONE, or INTERRUPTED after SIGINT
    Raises UsageError, FeedError or StoreError if it cannot begin, or cannot go on.
    """
    server = MarketServer(options)
    loop, signals = asyncio.get_running_loop(), [signal.SIGTERM, signal.SIGINT]
    heard: list[signal.Signals] = []

    def hear(number: signal.Signals) -> None:
        heard.append(number)
        server.end()

    for number in signals:
        loop.add_signal_handler(number, hear, number)
    try:
        await server.start()
        sys.stdout.write(msgspec.json.encode({"url": server.url, "port": server.port}).decode() + "\n")
        sys.stdout.flush()
        await server.ended()
    finally:
        await server.stop()
        for number in signals:
            loop.remove_signal_handler(number)
    return Exit.INTERRUPTED if signal.SIGINT in heard else Exit.DONE


class MarketServer:
    """A market that listens: start(), ended(), stop().

    market:    once started
    url, port: where it listens, once started
    """

    market: Market

    def __init__(self, options: MarketOptions) -> None:
        self.options = options
        self.url, self.port = "", 0
        self._end = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._exits = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Open the session, listen, and let the clock run.

        Raises UsageError (options, or a port that is taken), FeedError (the source), StoreError (the ledger).
        """
        async with contextlib.AsyncExitStack() as exits:
            folder = exits.enter_context(temporary_folder())
            self.market = Market(self.options, open_session(self.options, Path(folder)), self.end)
            exits.callback(self.market.close)
            runner = web.AppRunner(
                self.market.application(),
                access_log=None,
                shutdown_timeout=_GOODBYE_S,
                max_line_size=LINE_BYTES,
            )
            await runner.setup()
            exits.push_async_callback(runner.cleanup)
            exits.callback(self.market.hang_up)
            await self._listen(runner)
            exits.push_async_callback(self._cancel)
            for work in self.market.work():
                self._begin(work)
            if self.options.idle_exit_s is not None:
                self._begin(self._watch_idle(self.options.idle_exit_s))
            self._exits = exits.pop_all()

    def end(self) -> None:
        """Ask for the end."""
        self._end.set()

    async def ended(self) -> None:
        """Wait until the end is asked for. Raises what broke the market, if that is why."""
        await self._end.wait()
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def stop(self) -> None:
        """Stand still, hang up on everybody, store the account. May be called twice."""
        await self._exits.aclose()

    async def _listen(self, runner: web.AppRunner) -> None:
        try:
            await web.TCPSite(runner, HOST, self.options.port).start()
        except OSError as e:
            what = f"port {self.options.port} cannot be had: {e.strerror}"
            raise UsageError(what, where=HOST, mend="Take port 0, which finds a free one, or another.") from e
        self.port = int(runner.addresses[0][1])
        self.url = f"http://{HOST}:{self.port}"

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        # A broken part ends the market: ended() raises what it was.
        task.add_done_callback(lambda _: self._end.set())
        self._tasks.append(task)

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch_idle(self, limit_s: float) -> None:
        while True:
            left_s = limit_s - self.market.idle_ns() / SECOND_NS
            if left_s <= 0:
                return
            # Whoever comes meanwhile sets it back: look again when it could have run out.
            await asyncio.sleep(left_s)
