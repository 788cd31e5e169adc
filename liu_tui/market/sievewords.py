"""What a Sieve says of what it held back or let go: lines for the log and the console."""

from liu_tui.market.calendar import to_datetime
from liu_tui.model.market import Quote, Trade


def _distance(price: float, reference: float) -> str:
    """Say how far a price lies from the reference; from itself if there is none."""
    reference = reference or price
    return f"{100 * abs(price / reference - 1):.1f} % from {reference:,.2f}"


def moved(level: float, reference: float, t_ns: int, held: int) -> str:
    """Say that a new level was confirmed, and how many held events that released."""
    where = f"moved {_distance(level, reference)} to {level:,.2f} at {_clock(t_ns)}"
    return f"{where}: confirmed, {held} held events passed on"


def held_back(event: Trade | Quote, reference: float) -> str:
    """Say what is left out as too far from the market."""
    if isinstance(event, Trade):
        what, price = f"print of {event.price:,.2f}", event.price
    else:
        what, price = f"quote of {event.bid:,.2f} to {event.ask:,.2f}", event.mid
    return f"{what} at {_clock(event.t_ns)} is {_distance(price, reference)}: held back"


def withdrawn(trade: Trade) -> str:
    """Say that the tape itself took back what was held."""
    return f"print of {trade.price:,.2f} at {_clock(trade.t_ns)} was withdrawn: held back"


def wick_cut(t_ns: int, what: str) -> str:
    """Say what of a bar was amended. what: in words, from wicks.changes."""
    return f"bar of {_clock(t_ns)}: {what}, for no print reached it"


def _clock(t_ns: int) -> str:
    """Tell the New York time of a moment."""
    return f"{to_datetime(t_ns):%H:%M:%S}"
