"""The panes about what is traded: hits and positions. Columns, rows, and words for when there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import msgspec

from liu_tui.engine.snapshot import HitRow, Picture, PositionRow, VetoRow
from liu_tui.tui.format import (
    NOTHING,
    SECOND_NS,
    Span,
    age,
    clock,
    compact,
    countdown,
    price,
    r_units,
    shares,
    tone_of,
)
from liu_tui.tui.panes.cells import change, gain, level, until_words, word
from liu_tui.tui.panes.columns import Column, R, Scene
from liu_tui.tui.view import View


@dataclass(frozen=True)
class TablePane(Generic[R]):
    """One table pane. empty: its words when there is no row; info: what the right of its title says.

    timed: its cells change with the time alone
    """

    name: str
    number: int
    title: str
    columns: tuple[Column[R], ...]
    key: Callable[[R], str]
    rows: Callable[[View], tuple[R, ...]]
    empty: Callable[[Picture], str]
    info: Callable[[Picture, Scene], tuple[Span, ...]]
    row_tone: Callable[[R], str] = lambda _row: ""
    symbol: Callable[[R], str] = lambda _row: ""
    timed: bool = False


def of_picture(get: Callable[[Picture], tuple[R, ...]]) -> Callable[[View], tuple[R, ...]]:
    """Rows that stand in the picture; none before the first."""
    return lambda view: get(view.picture) if view.picture else ()


# ── 1 Hits ──

_WHERE = {"rejected": ("REJ", "warn"), "unsubscribed": ("off", "faint"), "over limit": ("MAX", "warn")}


def _where(row: HitRow) -> Span:
    """The consumer that has the symbol, or why none has."""
    return _WHERE.get(row.state.partition(":")[0]) or word(row.consumer or "?", "accent")


def _why(row: HitRow) -> Span:
    """What made it a hit; of a rejected symbol who, until when, and why not."""
    veto = row.state.removeprefix("rejected: ")
    return word(veto, "warn") if veto != row.state else word(row.values, "text")


def _hits(view: View) -> tuple[HitRow, ...]:
    """The hits; those in a vetoed symbol with the veto's words behind their state."""
    picture = view.picture
    if picture is None:
        return ()
    if not picture.vetoes:
        return picture.hits
    vetoes = {row.symbol: row for row in sorted(picture.vetoes, key=lambda row: not row.strategy)}
    return tuple(_vetoed(row, vetoes.get(row.symbol), picture) for row in picture.hits)


def _vetoed(row: HitRow, veto: VetoRow | None, picture: Picture) -> HitRow:
    if veto is None:
        return row
    whom = f"not for {veto.strategy} " if veto.strategy else ""
    why = f": {veto.reason}" if veto.reason else ""
    said = f"{row.state}: {whom}{until_words(veto, picture.hours)} by {veto.by}{why}"
    return msgspec.structs.replace(row, state=said)


HITS = TablePane[HitRow](
    name="hits", number=1, title="Hits",
    columns=(
        Column("symbol", "SYMBOL", 6, lambda r, s: word(r.symbol, "bold"), "symbol", rank=0),
        Column("last", "LAST", 8, lambda r, s: level(r.price), "price", right=True, rank=1),
        Column("chg", "CHG%", 9, lambda r, s: change(r.change_pct, s), "change_pct", right=True, rank=2),
        Column("on", "ON", 3, lambda r, s: _where(r), "consumer", rank=3),
        Column("vol", "VOL", 5, lambda r, s: (compact(r.volume), "text"), "volume", right=True, rank=4),
        Column("age", "AGE", 5, lambda r, s: fresh(r), "age_s", right=True, rank=4),
        Column("scanner", "SCANNER", 10, lambda r, s: word(r.scanner, "dim"), "scanner", rank=6),
        Column("values", "WHY", 17, lambda r, s: _why(r), "values", rank=5, grow=True),
        Column("at", "AT", 8, lambda r, s: (clock(r.last_ns), "dim"), "last_ns", right=True, rank=7),
        Column("n", "N", 3, lambda r, s: (str(r.times), "dim"), "times", right=True, rank=8),
        Column("strategy", "FOR", 16, lambda r, s: word(r.strategy or "all", "dim"), "strategy", rank=9),
        Column("state", "STATE", 24, lambda r, s: word(r.state, "dim"), "state", rank=10),
    ),
    key=lambda r: f"{r.symbol}/{r.scanner}",
    rows=_hits,
    empty=lambda p: _no_hits(p),
    info=lambda p, s: _scanner_info(p, s),
    row_tone=lambda r: "" if r.state.startswith("watched") else "faint",
    symbol=lambda r: r.symbol,
)  # fmt: skip


def fresh(row: HitRow) -> Span:
    """How old a symbol's last event is; marked if that is more than its own usual gap explains."""
    if row.halted:
        return "HALT", "caution"
    if row.age_s < 0:
        return NOTHING, "faint"
    return (f"!{age(row.age_s)}", "error") if row.stale else (age(row.age_s), "dim")


def _no_hits(picture: Picture) -> str:
    if not picture.scanners:
        return "this plan has no scanner; the strategies name their own symbols"
    if picture.phase in ("starting", "waiting"):
        return "no hits yet: the scanners look once the market is open"
    failed = [row.name for row in picture.scanners if row.state == "failed"]
    return f"no hits: {', '.join(failed)} failed, see the log" if failed else "no hits yet: scanning"


def _scanner_info(picture: Picture, scene: Scene) -> tuple[Span, ...]:
    due = [row.next_ns for row in picture.scanners if row.next_ns > scene.now_ns]
    if not due:
        return ()
    return ((f"next scan {countdown((min(due) - scene.now_ns) / SECOND_NS)}", "dim"),)


# ── 2 Positions ──

POSITIONS = TablePane[PositionRow](
    name="positions", number=2, title="Positions",
    columns=(
        Column("symbol", "SYMBOL", 6, lambda r, s: word(r.symbol, "bold"), "symbol", rank=0),
        Column("qty", "QTY", 6, lambda r, s: (shares(r.qty), "text" if r.qty > 0 else "warn"), "qty",
               right=True, rank=1),
        Column("avg", "AVG", 8, lambda r, s: level(r.avg_price), "avg_price", right=True, rank=4),
        Column("last", "LAST", 8, lambda r, s: level(r.price), "price", right=True, rank=3),
        Column("open", "OPEN P&L", 11, lambda r, s: gain(r.unrealized, s) if r.price else level(None),
               "unrealized", right=True, rank=2),
        Column("r", "R", 5, lambda r, s: (r_units(r.r), tone_of(r.r or 0.0) if r.r else "faint"), "r",
               right=True, rank=5),
        Column("stop", "STOP", 8, lambda r, s: _stop(r), "stop", right=True, rank=6),
        Column("target", "TARGET", 8, lambda r, s: level(r.target), "target", right=True, rank=8),
        Column("strategy", "STRATEGY", 10, lambda r, s: word(r.strategy, "dim"), "strategy", rank=7,
               grow=True),
        Column("since", "SINCE", 8, lambda r, s: (clock(r.opened_ns), "dim"), "opened_ns", right=True,
               rank=9),
    ),
    key=lambda r: f"{r.strategy}/{r.symbol}",
    rows=of_picture(lambda p: p.positions),
    empty=lambda p: "flat: no position is open",
    info=lambda p, s: (gain(p.money.unrealized, s),) if p.positions else (),
    symbol=lambda r: r.symbol,
)  # fmt: skip


def _stop(row: PositionRow) -> Span:
    return (price(row.stop), "text") if row.stop else ("none", "warn")
