"""Builders of recordings for tests: small files of known blocks, and events of every kind."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from liu_tui.market.recording import About, Frame, Prior, RecordingWriter, read
from liu_tui.market.source import Source
from liu_tui.market.streaming import FeedState, FeedStatus, StreamItem, Unreadable
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Bar,
    Halt,
    PriceBand,
    Quote,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from tests.kit.market import MONDAY, at

ABOUT = About(venue="test", feed="sip", day=MONDAY, build="0")
T = at("09:30")

EVERY_KIND: tuple[StreamItem, ...] = (
    FeedStatus(FeedState.LIVE, "connected"),
    Trade("AAPL", T, 100.0, 50.0, 7, "Q", ("@", "I"), "C"),
    Quote("AAPL", T, 99.99, 200.0, 0.0, 0.0),
    Bar("BRK.B", T - MINUTE_NS, 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3),
    Bar("AAPL", T - 2 * MINUTE_NS, 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3, revised=True),
    Bar("AAPL", at("00:00"), 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3, DAY_NS),
    Bar("AAPL", T - SECOND_NS, 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3, SECOND_NS),
    Halt("AAPL", T, halted=True, words="news pending"),
    PriceBand("AAPL", T, 95.0, 105.0, "B"),
    TradeCorrection("AAPL", T, "Q", 7, 100.0, 50.0, 8, 101.0, 50.0, ("@",), "C"),
    TradeCancel("AAPL", T, "Q", 8, 101.0, 50.0, error=True),
    Unreadable(2, "a price was text"),
    FeedStatus(FeedState.LOST, "the line is quiet"),
)


def written(
    path: Path,
    *frames: tuple[int, Sequence[StreamItem]],
    about: About = ABOUT,
    prior: Mapping[str, Sequence[Bar]] | None = None,
) -> Path:
    """Write frames (session time, items), after the history of symbols, and close the file."""
    writer = RecordingWriter(path, about=about)
    for symbol, bars in (prior or {}).items():
        writer.prior(symbol, bars)
    for at_ns, items in frames:
        writer.add(items, at_ns)
    writer.finish()
    assert (writer.fault, writer.dropped) == ("", 0)
    return path


def in_blocks(path: Path, blocks: Iterable[Sequence[tuple[int, Sequence[StreamItem]]]]) -> Path:
    """Write each group of frames as a block of its own, an About before each."""
    for frames in blocks:
        written(path, *frames)
    return path


def kept(source: Source, day: str, path: Path) -> Path:
    """Record a source's day as a session that has every symbol from the start would."""
    midnight = at(f"{day} 00:00")
    prior = {
        asset.symbol: [
            *source.bars(asset.symbol, DAY_NS, 0, midnight),
            *source.bars(asset.symbol, MINUTE_NS, 0, midnight),
        ]
        for asset in source.assets()
    }
    return written(path, *source.steps(day), prior=prior)


def frames_of(path: Path) -> list[tuple[int, list[object]]]:
    """Read all frames: (session time, items)."""
    return [(record.at_ns, list(record.items)) for record in read(path) if isinstance(record, Frame)]


def priors_of(path: Path) -> dict[str, list[Bar]]:
    """Read the history in it."""
    return {record.symbol: record.bars for record in read(path) if isinstance(record, Prior)}
