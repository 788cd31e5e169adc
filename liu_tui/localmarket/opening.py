"""How a session begins: which day, from when, with which account; it goes on where the ledger stopped.

source ─▶ day (asked for, or after the ledger's last) ─▶ ledger ─▶ tape, wound on to where the ledger stopped
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
from liu_tui.market import calendar
from liu_tui.market.source import Source
from liu_tui.market.sources import SIMULATED, open_source
from liu_tui.market.tape import Tape
from liu_tui.model.clock import SessionHours, wall_ns
from liu_tui.model.market import Asset

WHERE = "local market"


class Opening(msgspec.Struct):
    """A session ready to run.

    now_ns: where its clock starts
    steps:  how many steps of this session have been taken before
    """

    assets: Sequence[Asset]
    hours: SessionHours
    tape: Tape
    ledger: Ledger
    now_ns: int
    steps: int


def open_session(options: MarketOptions, folder: Path) -> Opening:
    """Open all that a session needs. folder: where a ledger lies that nobody named.

    Raises UsageError for what the options ask, FeedError for the source, StoreError for the ledger.
    """
    path = options.ledger if options.ledger is not None else folder / "ledger.db"
    ledger = Ledger.open(
        path,
        cash=options.cash,
        seed=options.seed,
        partial_fills=options.partial_fills,
        account_id=_account_id(path),
    )
    try:
        return _open(options, ledger)
    except BaseException:
        ledger.close(ledger.saved_ns)
        raise


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


def _open(options: MarketOptions, ledger: Ledger) -> Opening:
    source, day = _source(options, ledger.saved_ns)
    hours = _hours(day)
    start_ns = _start(options.start, hours)
    now_ns = max(start_ns, ledger.saved_ns)
    goes_on = ledger.saved_ns >= start_ns
    # Only lock-step numbers its steps, so only there the whole way must be played again.
    again = goes_on and options.speed == "max"
    tape = Tape(source, day, hours, start_ns if again or not goes_on else now_ns + 1)
    steps = _wind(tape, now_ns) if again else 0
    assets = source.assets()
    ledger.exchange.set_hours(hours)
    _show_quotes(ledger, tape, assets, skip=ledger.exchange.open_symbols() if goes_on else set())
    ledger.exchange.on_time(now_ns)
    return Opening(assets, hours, tape, ledger, now_ns, steps)


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


def _show_quotes(ledger: Ledger, tape: Tape, assets: Sequence[Asset], skip: set[str]) -> None:
    """Tell the exchange the prices as they stand. skip: symbols whose quotes the ledger brought along."""
    for asset in assets:
        if asset.symbol in skip:
            continue
        for event in (tape.quote(asset.symbol), tape.trade(asset.symbol)):
            if event is not None:
                ledger.exchange.on_event(event)


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


def _account_id(path: Path) -> str:
    """The id in the ledger, or one made of a new ledger's place: two markets are two accounts."""
    if path.exists():
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            try:
                row = db.execute("SELECT id FROM account").fetchone()
            except sqlite3.DatabaseError:
                row = None  # Ledger.open says what is wrong with the file
        if row is not None:
            return str(row[0])
    return f"LOCAL{blake2b(str(path.resolve()).encode(), digest_size=4).hexdigest().upper()}"


def temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """A place for a ledger that nobody wants to keep."""
    return tempfile.TemporaryDirectory(prefix="liu-market-")
