"""The outlet: what a reader that stalls gets when it wakes, and what the producer pays meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.engine.links import Link, pack, pair
from liu_tui.engine.messages import GapBegin, Marks, OnMarketLink
from liu_tui.engine.outlet import FRAME_EVENTS, Outlet
from liu_tui.market.marks import Mark
from liu_tui.market.streaming import Halt
from liu_tui.model.market import Bar, Quote, Step, Trade
from tests.kit.engine import T0, a_bar, a_quote, a_trade, any_decoder, eventually, market_decoder, nothing

SYMBOLS = [f"S{n:03d}" for n in range(50)]


class Reader:
    """A reader that stalls until it is told to read."""

    def __init__(self, *, merging: bool = True) -> None:
        ours, self._theirs = pair()
        self.link: Link[object] = Link(ours, any_decoder(), nothing)
        self.outlet = Outlet(self.link, merging=merging)
        self.came: list[OnMarketLink] = []

    def send(self, events: Iterable[OnMarketLink]) -> None:
        """Put events and flush them, as the producer does with a frame of the vendor's."""
        for event in events:
            self.outlet.put(event)
        self.outlet.flush()

    def stall(self) -> int:
        """Send old quotes until the link is full; returns how many."""
        filler = [a_quote("FILL", n) for n in range(FRAME_EVENTS)]
        sent = 0
        while not self.outlet.behind:
            self.send(filler)
            sent += FRAME_EVENTS
        return sent

    async def wake(self) -> list[OnMarketLink]:
        """Read all there is; returns what came after the filling."""
        end = Halt("END", T0, True)
        self.send([end])
        link = Link(self._theirs, market_decoder(), nothing)
        try:
            while end not in self.came:
                await eventually(lambda: link.inbox)
                self.came += link.take()
        finally:
            link.close()
        assert not self.outlet.behind
        assert self.outlet.waiting == 0
        return [event for event in self.came if getattr(event, "symbol", "") not in ("FILL", "END")]

    def close(self) -> None:
        """Let both ends go."""
        self.outlet.close()
        self._theirs.close()


def newest(events: Iterable[OnMarketLink], kind: type) -> dict[str, OnMarketLink]:
    """Tell the last event of a kind, per symbol."""
    return {event.symbol: event for event in events if type(event) is kind}  # type: ignore[union-attr]


def sizes(events: Iterable[OnMarketLink]) -> Counter[str]:
    """Add up the shares traded, per symbol."""
    total: Counter[str] = Counter()
    for event in events:
        if isinstance(event, Trade):
            total[event.symbol] += int(event.size)
    return total


async def test_a_reader_that_keeps_up_gets_everything_in_order() -> None:
    reader = Reader()
    sent: list[OnMarketLink] = []
    for n in range(100):
        batch: list[OnMarketLink] = [a_trade(SYMBOLS[n % 50], n), a_quote(SYMBOLS[n % 7], n)]
        reader.send(batch)
        sent += batch
    assert not reader.outlet.behind
    assert await reader.wake() == sent
    assert reader.outlet.merged == 0
    reader.close()


async def test_a_batch_leaves_with_the_flush_and_not_before() -> None:
    reader = Reader()
    reader.outlet.put(a_trade())
    reader.outlet.flush()
    reader.outlet.flush()
    assert await reader.wake() == [a_trade()]
    reader.close()


async def test_a_stalled_reader_costs_merged_quotes_and_trades_and_nothing_else() -> None:
    reader = Reader()
    reader.stall()
    sent: list[OnMarketLink] = []
    for n in range(20_000):
        symbol = SYMBOLS[n % 50]
        event: OnMarketLink = a_quote(symbol, n) if n % 3 else a_trade(symbol, n)
        sent.append(event)
        if n % 100 == 0:
            sent += [a_bar(symbol, n), Step(n + 1, T0 + n * 1000), GapBegin(from_ns=n, to_ns=n + 1)]
    reader.send(sent)
    folded = reader.outlet.merged
    assert reader.outlet.waiting <= 2 * len(SYMBOLS) + 3 * 200
    came = await reader.wake()

    assert newest(came, Quote) == newest(sent, Quote)
    assert sizes(came) == sizes(sent)
    assert {s: t.t_ns for s, t in newest(came, Trade).items()} == {  # type: ignore[union-attr]
        s: t.t_ns  # type: ignore[union-attr]
        for s, t in newest(sent, Trade).items()
    }
    for kind in (Bar, Step, GapBegin):
        assert [e for e in came if type(e) is kind] == [e for e in sent if type(e) is kind]
    assert folded == len(sent) - len(came)
    assert sum(reader.outlet.merged_by_symbol.values()) - reader.outlet.merged_by_symbol.get("FILL", 0) == (
        len(sent) - len(came)
    )
    reader.close()


async def test_what_is_kept_does_not_grow_with_the_length_of_a_stall() -> None:
    reader = Reader()
    reader.stall()
    kept = []
    for _ in range(5):
        reader.send(a_quote(symbol, n) for n in range(100) for symbol in SYMBOLS)
        reader.send(a_trade(symbol, n) for n in range(100) for symbol in SYMBOLS)
        kept.append(reader.outlet.waiting)
    assert set(kept) == {2 * len(SYMBOLS)}
    reader.close()


async def test_what_is_kept_does_not_grow_with_a_reader_that_is_slow_for_ever() -> None:
    """What waits for the next frame can still be merged, or a slow reader's backlog would grow with each."""
    many = [f"M{n:04d}" for n in range(FRAME_EVENTS)]
    reader = Reader()
    reader.stall()
    worst = 0
    for n in range(60):
        reader.send(a_quote(symbol, n) for symbol in many)
        reader.send(a_trade(symbol, n) for symbol in many)
        reader._theirs.recv(40_000)
        await asyncio.sleep(0)  # the producer writes what there is room for
        worst = max(worst, reader.outlet.waiting)
    assert worst <= 2 * len(many)
    reader.close()


async def test_the_order_of_arrival_survives_a_stall() -> None:
    """A step closes what came before it, even what happened in the very same nanosecond."""
    reader = Reader()
    reader.stall()
    sent: list[OnMarketLink] = [
        a_trade("A", 5),
        a_quote("A", 5),
        a_bar("A", 0),
        Step(1, T0 + 5000),
        a_trade("B", 5),
    ]
    reader.send(sent)
    assert await reader.wake() == sent
    reader.close()


async def test_trades_are_folded_with_their_like_only() -> None:
    """An odd lot sets no price: folded over a round lot it would take the round lot's price away."""
    reader = Reader()
    reader.stall()
    reader.send(
        [a_trade("A", 1, 100), a_trade("A", 2, 7, "I"), a_trade("A", 3, 200), a_trade("A", 4, 5, "I")]
    )
    assert await reader.wake() == [a_trade("A", 3, 300), a_trade("A", 4, 12, "I")]
    assert reader.outlet.merged_by_symbol["A"] == 2
    reader.close()


async def test_prices_for_the_desk_are_merged_to_the_newest_of_each_symbol() -> None:
    reader = Reader()
    reader.stall()
    for n in range(100):
        reader.send([Marks(prices=(Mark("A", float(n), t_ns=n), Mark(SYMBOLS[n % 50], 1.0)))])
    assert reader.outlet.waiting == 1
    came = await reader.wake()
    assert len(came) == 1
    assert isinstance(came[0], Marks)
    prices = {mark.symbol: mark.price for mark in came[0].prices}
    assert prices == {"A": 99.0, **dict.fromkeys(SYMBOLS, 1.0)}
    reader.close()


async def test_in_lock_step_nothing_is_merged() -> None:
    reader = Reader(merging=False)
    reader.stall()
    sent: list[OnMarketLink] = [a_quote("A", n) for n in range(3_000)]
    sent += [Marks(prices=(Mark("A", 1.0),)), Step(1, T0), Marks(prices=(Mark("A", 2.0),)), Step(2, T0 + 1)]
    reader.send(sent)
    assert await reader.wake() == sent
    assert reader.outlet.merged == 0
    reader.close()


async def test_nothing_is_kept_for_a_reader_that_is_dead() -> None:
    reader = Reader()
    reader.stall()
    reader._theirs.close()
    await eventually(lambda: reader.link.closed)
    reader.send(a_bar("A", n) for n in range(100))
    assert reader.outlet.waiting == 0
    assert not reader.outlet.behind
    reader.close()


EVENT = st.tuples(st.sampled_from("qtb"), st.sampled_from("ABC"), st.sampled_from(["", "I"]))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.lists(EVENT, max_size=30), st.integers(1, 300_000)), max_size=12))
def test_whenever_the_reader_stalls_its_newest_quote_and_trade_of_each_symbol_are_the_senders(
    script: list[list[tuple[str, str, str]] | int],
) -> None:
    """A list is a batch of events; a number is how many bytes the reader takes then."""

    async def play() -> None:
        reader = Reader()
        reader.stall()
        sent: list[OnMarketLink] = []
        taken = bytearray()
        n = 0
        for part in script:
            if isinstance(part, int):
                taken += read(reader, part)
                await asyncio.sleep(0)
                continue
            batch: list[OnMarketLink] = []
            for kind, symbol, word in part:
                n += 1
                batch.append(made(kind, symbol, n, word))
            reader.send(batch)
            sent += batch
        while reader.outlet.behind:
            taken += read(reader, 1 << 20)
            await asyncio.sleep(0)
        taken += read(reader, 1 << 24)
        came = [e for e in unpacked(taken) if getattr(e, "symbol", "") != "FILL"]
        assert newest(came, Quote) == newest(sent, Quote)
        assert sizes(came) == sizes(sent)
        assert [e for e in came if type(e) is Bar] == [e for e in sent if type(e) is Bar]
        last = {s: t.id for s, t in newest(came, Trade).items()}  # type: ignore[union-attr]
        assert last == {s: t.id for s, t in newest(sent, Trade).items()}  # type: ignore[union-attr]
        filled = reader.outlet.merged_by_symbol.get("FILL", 0)
        assert reader.outlet.merged - filled == len(sent) - len(came)
        reader.close()

    asyncio.run(play())


def made(kind: str, symbol: str, n: int, word: str) -> OnMarketLink:
    """Make one event of a script."""
    if kind == "t":
        return a_trade(symbol, n, 1.0, *word)
    return a_quote(symbol, n) if kind == "q" else a_bar(symbol, n)


def read(reader: Reader, most: int) -> bytes:
    """Take at most so many bytes from the reader's socket, without waiting."""
    taken = bytearray()
    while len(taken) < most:
        try:
            chunk = reader._theirs.recv(min(65_536, most - len(taken)))
        except BlockingIOError:
            break
        taken += chunk
    return bytes(taken)


def unpacked(stream: bytes | bytearray) -> list[OnMarketLink]:
    """Read a whole stream of frames."""
    decoder = market_decoder()
    events: list[OnMarketLink] = []
    at = 0
    while at < len(stream):
        size = int.from_bytes(stream[at : at + 4], "big")
        events += decoder.decode(stream[at + 4 : at + 4 + size])
        at += 4 + size
    return events


def test_a_frame_of_events_is_about_what_one_receive_takes() -> None:
    frame = pack([a_trade("GOOGL", n) for n in range(FRAME_EVENTS)])
    assert 20_000 < len(frame) < 65_536
