"""A report as plain text, and as CSV of its trips. Both it and the HTML page draw the same sections."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from liu_tui.analysis.report import Report
from liu_tui.analysis.stats import Stats
from liu_tui.market.calendar import to_datetime
from liu_tui.model.books import Trip
from liu_tui.model.market import SECOND_NS


class Section(msgspec.Struct, frozen=True):
    """A table of the report, ready to print. left: how many columns are words; the rest are numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1


def sections(report: Report) -> list[Section]:
    """Return the report's tables, in the order of reading; those with nothing to say are left out."""
    found = [
        Section("Session", (), _facts(report), 2),
        Section("Result", (), _numbers(report), 1),
        _portfolios(report),
        _breakdown("By strategy", "strategy", report.by_strategy),
        _breakdown("By symbol", "symbol", report.by_symbol),
        _breakdown("By hour of entry", "New York", report.by_hour),
        _trips(report),
        _open(report),
        _refusals(report),
        _restarts(report),
    ]
    return [section for section in found if section.rows]


def text(report: Report) -> str:
    """Return the report as plain text, for a terminal or a mail."""
    return "\n\n".join(_text(section) for section in sections(report)) + "\n"


def trips_csv(report: Report) -> str:
    """Return the trips as CSV, one row each, with every field; times are New York's, ISO 8601."""
    out = io.StringIO()
    fields = Trip.__struct_fields__
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(name.removesuffix("_ns") for name in fields), "net", "gain_percentage"])
    for trip in report.trips:
        values = {name: getattr(trip, name) for name in fields}
        values |= {"start_ns": _iso(trip.start_ns), "end_ns": _iso(trip.end_ns)}
        writer.writerow([*values.values(), trip.net, trip.gain_percentage])
    return out.getvalue()


def dollars(value: float | None) -> str:
    """Write signed dollars and cents; a dash where there is nothing."""
    return "-" if value is None else f"{value:+,.2f}"


def _number(value: float | None, places: int = 2) -> str:
    return "-" if value is None else f"{value:,.{places}f}"


def _price(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4f}".removesuffix("00")


def _clock(t_ns: int) -> str:
    return f"{to_datetime(t_ns):%H:%M:%S}"


def _iso(t_ns: int) -> str:
    return to_datetime(t_ns).isoformat()


def _span(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _facts(report: Report) -> tuple[tuple[str, ...], ...]:
    batch = report.batch
    end = "still running" if batch.end_ns is None else f"{to_datetime(batch.end_ns):%Y-%m-%d %H:%M:%S}"
    facts = [
        ("batch", batch.batch_id),
        ("plan", batch.plan),
        ("environment", batch.environment),
        ("venue", f"{batch.venue} {batch.account_id}".strip()),
        ("day", batch.day),
        ("started", f"{to_datetime(batch.start_ns):%Y-%m-%d %H:%M:%S}"),
        ("ended", f"{end} ({batch.end_reason})" if batch.end_reason else end),
        ("trading", f"{batch.state} {batch.state_reason}".strip()),
        ("orders", ", ".join(f"{count} {state}" for state, count in report.orders.items()) or "none"),
        ("fills", str(report.fills)),
        ("not ours", f"{report.external_fills} fills" if report.external_fills else ""),
        ("build", batch.code_version),
    ]
    return tuple(fact for fact in facts if fact[1])


def _numbers(report: Report) -> tuple[tuple[str, ...], ...]:
    total = report.total
    return (
        ("realised after fees", dollars(report.realized)),
        ("fees", _number(sum(row.fees for row in report.gain_loss))),
        ("trips", f"{total.trips} ({total.longs} long, {total.shorts} short)"),
        ("win rate %", _number(total.win_rate_pct, 1)),
        ("average win", dollars(total.average_win)),
        ("average loss", dollars(total.average_loss)),
        ("profit factor", _number(total.profit_factor)),
        ("expectancy", dollars(total.expectancy)),
        ("expectancy R", _number(total.expectancy_r)),
        ("best", dollars(total.best)),
        ("worst", dollars(total.worst)),
        ("max drawdown", _number(total.max_drawdown)),
        ("time in the market", _span(total.exposure_s)),
    )


def _portfolios(report: Report) -> Section:
    head = ("portfolio", "size", "balance", "worth", "result")
    rows = tuple(
        (p.portfolio, _number(p.size), _number(p.balance), _number(p.worth), dollars(p.result))
        for p in report.portfolios
    )
    return Section("Portfolios", head, rows)


def _breakdown(title: str, name: str, groups: Mapping[str, Stats]) -> Section:
    head = (name, "trips", "win %", "net", "expectancy", "R", "drawdown", "in market")
    rows = tuple(
        (
            key,
            str(group.trips),
            _number(group.win_rate_pct, 1),
            dollars(group.net),
            dollars(group.expectancy),
            _number(group.expectancy_r),
            _number(group.max_drawdown),
            _span(group.exposure_s),
        )
        for key, group in groups.items()
    )
    return Section(title, head, rows)


def _trips(report: Report) -> Section:
    head = ("in", "symbol", "strategy", "way", "qty", "entry", "exit", "net", "%", "R", "MAE", "MFE", "held")
    return Section("Trips", head, tuple(_trip_row(trip) for trip in report.trips), 4)


def _trip_row(trip: Trip) -> tuple[str, ...]:
    return (
        _clock(trip.start_ns),
        trip.symbol,
        trip.strategy,
        "long" if trip.direction > 0 else "short",
        f"{trip.qty:g}",
        _price(trip.entry_price),
        _price(trip.exit_price),
        dollars(trip.net),
        dollars(trip.gain_percentage),
        _number(trip.r_units),
        _price(trip.mae),
        _price(trip.mfe),
        _span((trip.end_ns - trip.start_ns) / SECOND_NS),
    )


def _open(report: Report) -> Section:
    head = ("since", "symbol", "strategy", "qty", "entry", "stop", "target", "realised")
    rows = tuple(
        (
            _clock(trip.start_ns),
            trip.symbol,
            trip.strategy,
            f"{trip.qty:+g}",
            _price(trip.avg_price),
            _price(trip.stop),
            _price(trip.target),
            dollars(trip.realized - trip.fees),
        )
        for trip in report.open
    )
    return Section("Still open", head, rows, 3)


def _refusals(report: Report) -> Section:
    # One row for all refusals of a kind: a strategy may ask in vain all day long.
    counted = Counter((r.strategy, r.state, r.code or r.words) for r in report.refusals)
    last = {(r.strategy, r.state, r.code or r.words): r for r in report.refusals}
    rows = tuple(
        (_clock(last[key].t_ns), key[0], last[key].symbol, key[1], last[key].words, str(count))
        for key, count in counted.most_common()
    )
    return Section(
        "Refused and failed orders", ("last", "strategy", "symbol", "how", "words", "times"), rows, 5
    )


def _restarts(report: Report) -> Section:
    rows = tuple((_clock(event.t_ns), event.source, event.words) for event in report.restarts)
    return Section("Restarts", ("at", "process", "words"), rows, 3)


def _text(section: Section) -> str:
    rows = [section.head, *section.rows] if section.head else section.rows
    table = [tuple(_printable(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [section.title, "-" * len(section.title)]
    lines += [_line(row, widths, section.left) for row in table]
    return "\n".join(lines)


def _printable(cell: str) -> str:
    # A reason comes from a user's file or a broker: it must not steer the terminal.
    return "".join(sign if sign.isprintable() else " " for sign in cell)


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = (
        cell.ljust(width) if place < left else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()
