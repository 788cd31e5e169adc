"""How a session begins: which day, from when, with which account; it goes on where the ledger stopped.

ledger's last moment ─▶ day ─▶ source ─▶ tape, wound on to that moment ─▶ ledger, its exchange
"""

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from pathlib import Path

import msgspec

from liu_tui.errors import UsageError
from liu_tui.localmarket.ledger import Ledger
from liu_tui.localmarket.options import MarketOptions
from liu_tui.localmarket.splits import SplitSource, splits_of
from liu_tui.market import calendar
from liu_tui.market.source import Source
from liu_tui.market.sources import SIMULATED, open_source
from liu_tui.market.tape import Tape
from liu_tui.model.clock import SessionHours, wall_ns
from liu_tui.trading.matching.exchange import Exchange
from liu_tui.trading.matching.options import exchange_options

WHERE = "local market"
MOST_SPEED = 1_000_000


class Opening(msgspec.Struct):
    """A session ready to run.

    now_ns: where its clock starts
    steps:  how many steps of this session have been taken before
    start_ns: where it was asked to start; before now_ns if the ledger has been further
    splits: the tape's source, whose names can be made to split
    """

    hours: SessionHours
    tape: Tape
    ledger: Ledger
    now_ns: int
    steps: int
    start_ns: int
    splits: SplitSource


def open_session(options: MarketOptions, folder: Path) -> Opening:
    """Open all that a session needs; the ledger last, so that what cannot be opened leaves none behind.

    folder: where a ledger lies that nobody named
    Raises UsageError for what the options ask, FeedError for the source, StoreError for the ledger.
    """
    _check(options)
    path = options.ledger if options.ledger is not None else folder / "ledger.db"
    account_id, saved_ns = _peek(path)
    source, day = _source(options, saved_ns)
    hours = _hours(day)
    start_ns = _start(options.start, hours)
    now_ns, goes_on = max(start_ns, saved_ns), saved_ns >= start_ns
    # Only lock-step numbers its steps, so only there the whole way must be played again.
    again = goes_on and options.speed == "max"
    splits = SplitSource(source, hours)
    for table in splits_of(options.faults, hours, start_ns):
        splits.split(table)
    tape = Tape(splits, day, hours, start_ns if again or not goes_on else now_ns + 1)
    steps = _wind(tape, now_ns) if again else 0
    ledger = Ledger.open(
        path,
        cash=options.cash,
        seed=options.seed,
        partial_fills=options.partial_fills,
        account_id=account_id,
        options=exchange_options(options.exchange, options.fees),
    )
    exchange = ledger.exchange
    exchange.set_hours(hours)
    _show_quotes(exchange, tape, skip=exchange.open_symbols() if goes_on else set())
    exchange.on_time(now_ns)
    return Opening(hours, tape, ledger, now_ns, steps, start_ns, splits)


def pick_day(options: MarketOptions, recorded: Sequence[str], saved_ns: int, now_ns: int) -> str:
    """The New York date to play, ISO.

    recorded: days of a recording, in order; empty for the simulation, which can play any
    saved_ns: where the ledger stopped, 0 if it is new
    now_ns:   by this machine's clock
    Raises UsageError if the ledger has been further than the day asked for.
    """
    saved = calendar.day_of(saved_ns) if saved_ns else None
    if options.date:
        if saved is not None and options.date < saved.isoformat():
            raise UsageError(
                f"the ledger has been on {saved}, after {options.date}",
                where=WHERE,
                mend="Name another ledger: an account does not go back in time.",
            )
        return options.date
    if saved is not None and not _over(saved, saved_ns):
        return saved.isoformat()
    if recorded:
        later = [day for day in recorded if saved is not None and day > saved.isoformat()]
        return later[0] if later else recorded[-1]
    today = calendar.session_of(now_ns)
    if saved is None or today.day > saved.isoformat():
        return today.day
    return calendar.first_session(saved + timedelta(days=1)).day


def _source(options: MarketOptions, saved_ns: int) -> tuple[Source, str]:
    simulated = options.source == SIMULATED
    wanted = pick_day(options, (), saved_ns, wall_ns()) if simulated else options.date
    source = open_source(
        options.source, base=options.base, symbols=options.symbols, seed=options.seed, day=wanted
    )
    if simulated:
        return source, source.days()[0]
    return source, pick_day(options, source.days(), saved_ns, wall_ns())


def _wind(tape: Tape, to_ns: int) -> int:
    """Play up to a moment without telling anybody; return how many steps that were."""
    steps = 0
    while tape.next_ns is not None and tape.next_ns <= to_ns:
        tape.next_step()
        steps += 1
    tape.advance(to_ns)
    return steps


def _show_quotes(exchange: Exchange, tape: Tape, skip: set[str]) -> None:
    """Tell the exchange the prices as they stand. skip: symbols whose quotes the ledger brought along."""
    for asset in tape.assets:
        if asset.symbol in skip:
            continue
        for event in (tape.quote(asset.symbol), tape.trade(asset.symbol)):
            if event is not None:
                exchange.on_event(event)


def _hours(day: str) -> SessionHours:
    try:
        hours = calendar.hours(date.fromisoformat(day))
    except ValueError as e:
        raise UsageError(f"{day!r} is no date", where=WHERE, mend="Write it as 2026-11-23.") from e
    if hours is None:
        raise UsageError(f"no session on {day}", where=WHERE, mend="Weekends and holidays have none.")
    return hours


def _start(text: str, hours: SessionHours) -> int:
    if not text:
        return hours.open_ns
    try:
        at = time.fromisoformat(text)
    except ValueError as e:
        raise UsageError(
            f"{text!r} is no time of day", where=WHERE, mend="Write New York time as 09:25."
        ) from e
    start_ns = calendar.to_ns(datetime.combine(date.fromisoformat(hours.day), at))
    if not hours.pre_ns <= start_ns < hours.post_ns:
        raise UsageError(
            f"{text} lies outside the session of {hours.day}",
            where=WHERE,
            mend="Start between 04:00 and its end.",
        )
    return start_ns


def _over(day: date, t_ns: int) -> bool:
    hours = calendar.hours(day)
    return hours is None or t_ns >= hours.close_ns


def _check(options: MarketOptions) -> None:
    speed = options.speed
    if speed != "max" and (isinstance(speed, str) or not 0 < speed < MOST_SPEED):
        what, mend = (
            f"a speed of {options.speed!r}",
            f'Give a number above 0 and below {MOST_SPEED:,}, or "max".',
        )
        raise UsageError(what, where=WHERE, mend=mend)
    if not 0 <= options.partial_fills <= 1:
        what = f"partial_fills of {options.partial_fills!r}"
        raise UsageError(what, where=WHERE, mend="It is a fraction, 0 to 1.")
    if not options.cash > 0:
        raise UsageError(f"cash of {options.cash!r}", where=WHERE, mend="Give dollars above 0.")


def _peek(path: Path) -> tuple[str, int]:
    """Read account id and venue time of a ledger; for a new one an id made of its place, and 0.

    Two markets on one machine are two accounts: whoever locks an account locks the right one.
    """
    fresh = f"LOCAL{blake2b(str(path.resolve()).encode(), digest_size=4).hexdigest().upper()}"
    if not path.exists():
        return fresh, 0
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        try:
            row = db.execute("SELECT account.id, venue_ns FROM account, clock").fetchone()
        except sqlite3.DatabaseError:
            row = None  # Ledger.open says what is wrong with the file
    return (str(row[0]), int(row[1])) if row is not None else (fresh, 0)


def temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """A place for a ledger that nobody wants to keep."""
    return tempfile.TemporaryDirectory(prefix="liu-market-")
