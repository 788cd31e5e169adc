"""The course of a simulated day: every symbol's minutes, drawn before any tick.

A minute is fixed here (its prices, its volume, how many trades and quotes it will have); `ticks` fills it in,
and hits it exactly. So history costs nothing and a session may start at any minute.

What makes a day believable, and where it is drawn:
  volume      high at the open and the close, thin outside regular hours         _activity
  movement    a common market, trends that last an hour, swings around them      _wander
  news        some small names gap and run on many times their volume, some at
              the open and some during the day; part of it is given back         _stories
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from liu_tui.market.universe import Listing
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS

Floats = npt.NDArray[np.float64]
Grid = npt.NDArray[np.int32]

PRE_MINUTES: Final = 90  # from 08:00
POST_MINUTES: Final = 60
MOST_TRADES: Final = 600  # round lots a minute; the ticks' integer arithmetic relies on it

DAILY_MOVE: Final = {"etf": 0.008, "large": 0.016, "small": 0.028}
"""Standard deviation of a day's return, by kind of name."""

_BETA: Final = {"etf": 1.0, "large": 1.1, "small": 0.7}
_SPREAD_FRAC: Final = {"etf": 0.00005, "large": 0.00015, "small": 0.0012}
_NEWS_FRAC: Final = 0.09  # of all names; see _stories


@dataclass(frozen=True)
class Course:
    """One day of n symbols by m minutes. Grids are (n, m); prices in cents.

    first_ns:   start of minute 0
    opening, closing: the minutes that begin with the opening print and end with the closing print
    rounds:     trades of a round lot or more; 0 means that no bar exists
    lots:       hundreds of shares beyond one a trade
    odds, odd_size: odd-lot prints, and the shares of one on average
    flickers:   quotes beside those that come with trades
    spread:     cents, at least 1
    """

    first_ns: int
    opening: int
    closing: int
    open: Grid
    high: Grid
    low: Grid
    close: Grid
    rounds: Grid
    lots: Grid
    odds: Grid
    odd_size: Grid
    flickers: Grid
    spread: Grid

    @property
    def minutes(self) -> int:
        """How many minutes the day has."""
        return int(self.open.shape[1])

    @cached_property
    def volume(self) -> npt.NDArray[np.int64]:
        """Shares of each minute."""
        return 100 * (self.rounds.astype(np.int64) + self.lots) + self.odds * self.odd_size

    @property
    def regular(self) -> slice:
        """The minutes of the regular session."""
        return slice(self.opening, self.closing + 1)


def draw(
    names: tuple[Listing, ...],
    hours: SessionHours,
    seed: list[int],
    *,
    after: Floats | None = None,
    until: Floats | None = None,
) -> Course:
    """Draw a day that follows the closes `after`, or one that ends at the closes `until`.

    after, until: (n,) dollars
    """
    rng = np.random.default_rng(seed)
    session = (hours.close_ns - hours.open_ns) // MINUTE_NS
    minutes = PRE_MINUTES + session + POST_MINUTES
    opening, closing = PRE_MINUTES, PRE_MINUTES + session - 1
    interest, story = _stories(names, rng, opening, closing, minutes)
    activity = _activity(opening, closing, minutes)
    sigma = _sigma(names, rng, opening, closing, minutes)
    path = _wander(names, rng, sigma, opening) + story
    if after is not None:
        path += np.log(after)[:, None]
    elif until is not None:
        path += (np.log(until) - path[:, closing])[:, None]
    cents = np.maximum(np.rint(100 * np.exp(path)), 50.0)
    rounds = _rounds(names, rng, interest * activity, opening, closing)
    spread = _spread(names, cents, interest, activity)
    open_, high, low, close = _bars(rng, cents, sigma * np.sqrt(interest), spread, rounds)
    lots = _lots(names, rng, rounds, opening, closing)
    odds = np.minimum(rounds, np.floor(rounds * np.clip(cents / 30_000, 0.1, 0.5) + rng.random(cents.shape)))
    return Course(
        first_ns=hours.open_ns - PRE_MINUTES * MINUTE_NS,
        opening=opening,
        closing=closing,
        open=_grid(open_),
        high=_grid(high),
        low=_grid(low),
        close=_grid(close),
        rounds=_grid(rounds),
        lots=_grid(lots),
        odds=_grid(odds),
        odd_size=_grid(rng.integers(5, 60, cents.shape)),
        flickers=_grid(rounds * 0.7 + 2.5 * np.minimum(activity, 1.0) + rng.random(cents.shape)),
        spread=_grid(spread),
    )


def _grid(values: npt.NDArray[Any]) -> Grid:
    return values.astype(np.int32)


def _of_kind(names: tuple[Listing, ...], table: dict[str, float]) -> Floats:
    return np.array([table[listing.kind] for listing in names])


def _activity(opening: int, closing: int, minutes: int) -> Floats:
    """Return trades a minute against the regular session's mean, (m,)."""
    k = np.arange(closing - opening + 1.0)
    left = k[::-1]
    regular = 0.6 + 3.0 * np.exp(-k / 6) + 1.2 * np.exp(-k / 40) + 1.2 * np.exp(-left / 12)
    out = np.empty(minutes)
    out[opening : closing + 1] = regular / regular.mean()
    out[:opening] = 0.01 + 0.12 * (np.arange(opening) / opening) ** 3
    out[closing + 1 :] = 0.15 * np.exp(-np.arange(minutes - closing - 1) / 12) + 0.01
    return out


def _sigma(
    names: tuple[Listing, ...], rng: np.random.Generator, opening: int, closing: int, minutes: int
) -> Floats:
    """Return the standard deviation of each minute's return, (n, m): highest at the open."""
    k = np.arange(closing - opening + 1.0)
    shape = np.full(minutes, 0.35)
    shape[opening : closing + 1] = 0.75 + 1.3 * np.exp(-k / 10) + 0.5 * np.exp(-k / 60)
    daily = _of_kind(names, DAILY_MOVE) * np.exp(0.3 * rng.standard_normal(len(names)))
    sigma: Floats = daily[:, None] / np.sqrt(k.size) * shape
    return sigma


def _wander(names: tuple[Listing, ...], rng: np.random.Generator, sigma: Floats, opening: int) -> Floats:
    """Return log prices from 0 without news, (n, m): market, overnight gap, trends, swings, noise."""
    n, minutes = sigma.shape
    scale = sigma.mean(axis=1, keepdims=True)
    market = rng.standard_normal(minutes) * sigma.mean(axis=0) * 0.4 + _trends(rng, 1, minutes) * 0.00006
    beta = _of_kind(names, _BETA) + 0.2 * rng.standard_normal(n) * (_of_kind(names, _BETA) < 1.2)
    steps = beta[:, None] * market + 0.6 * sigma * rng.standard_normal(sigma.shape)
    steps += _trends(rng, n, minutes) * scale * 0.11
    # The night's news: most of it is known when trading starts at 08:00, the rest at the open.
    gap = 6.0 * scale[:, 0] * rng.standard_normal(n)
    steps[:, 0] += 0.7 * gap
    steps[:, opening] += 0.3 * gap
    return np.cumsum(steps, axis=1) + _swings(rng, sigma)


def _trends(rng: np.random.Generator, n: int, minutes: int) -> Floats:
    """Return a drift of unit size for each minute, (n, m), that changes about once an hour."""
    changes = np.cumsum(rng.random((n, minutes)) < 1 / 60, axis=1, dtype=np.int64)
    return np.take_along_axis(rng.standard_normal((n, int(changes.max()) + 1)), changes, axis=1)


def _swings(rng: np.random.Generator, sigma: Floats) -> Floats:
    """Return a log price that keeps coming back to 0, with a half-life of about a quarter of an hour."""
    shocks = 1.1 * sigma * rng.standard_normal(sigma.shape)
    out = np.empty_like(shocks)
    level = np.zeros(len(sigma))
    for m in range(sigma.shape[1]):
        level = 0.955 * level + shocks[:, m]
        out[:, m] = level
    return out


def _stories(
    names: tuple[Listing, ...], rng: np.random.Generator, opening: int, closing: int, minutes: int
) -> tuple[Floats, Floats]:
    """Return (interest, log price), (n, m) each: how much busier than usual, and what the news does.

    Of the names with news 4 in 9 gap up before the open and run, 2 gap down, 3 hear of it during the day.
    """
    n = len(names)
    interest, story = np.ones((n, minutes)), np.zeros((n, minutes))
    eligible = [i for i, listing in enumerate(names) if listing.kind == "small"]
    eligible += [i for i, listing in enumerate(names) if listing.kind == "large" and i > 20]
    chosen = rng.permutation(eligible)[: max(3, round(_NEWS_FRAC * n))]
    for turn, i in enumerate(chosen.tolist()):
        kind = turn % 9
        up = -1 if kind in (1, 5) or (kind in (2, 7, 8) and rng.random() < 0.3) else 1
        size = (2.0 if names[i].kind == "small" else 0.7) * rng.uniform(0.5, 1.3)
        if kind in (2, 7, 8):
            start, gap = int(rng.integers(opening + 30, closing - 60)), 0.004 * size
        else:
            start, gap = opening, 0.05 * size
        interest[i] += _busier(rng, names[i].activity, start, minutes, from_pre=start == opening)
        story[i] = up * _run(rng, start, minutes, gap, 0.05 * size, from_pre=start == opening)
    return interest, story


def _busier(rng: np.random.Generator, usual: float, start: int, minutes: int, *, from_pre: bool) -> Floats:
    """Return the extra interest, (m,): news makes a quiet name as busy as a big one, and a big one busier."""
    since = np.arange(minutes) - start
    peak = max(1.5, rng.uniform(4_000, 9_000) / usual)
    extra = peak * np.exp(-np.maximum(since, 0) / rng.uniform(40, 150))
    return np.where(since >= 0, extra, peak / 3 if from_pre else 0.0)


def _run(
    rng: np.random.Generator, start: int, minutes: int, gap: float, run: float, *, from_pre: bool
) -> Floats:
    """Return the news' log price, (m,): the gap, the run, and what is given back of the run."""
    since = np.arange(minutes) - start
    length, kept = rng.uniform(20, 70), rng.uniform(0.3, 1.0)
    rise = 1 - np.exp(-np.maximum(since, 0) / (length / 2))
    back = (1 - kept) * (1 - np.exp(-np.maximum(since - length, 0) / 60))
    before = gap * (0.5 + 0.5 * np.arange(minutes) / start) if from_pre else np.zeros(minutes)
    return np.where(since >= 0, gap + run * (rise - back), before)


def _rounds(
    names: tuple[Listing, ...], rng: np.random.Generator, busy: Floats, opening: int, closing: int
) -> Floats:
    usual = np.array([listing.activity for listing in names]) / (closing - opening + 1)
    mean = usual[:, None] * busy * np.exp(0.35 * rng.standard_normal(busy.shape))
    rounds = np.minimum(np.floor(mean + rng.random(busy.shape)), MOST_TRADES)
    rounds[:, (opening, closing)] = np.maximum(rounds[:, (opening, closing)], 2)  # both auctions print
    return rounds


def _spread(names: tuple[Listing, ...], cents: Floats, interest: Floats, activity: Floats) -> Floats:
    """Return the usual spread in whole cents, (n, m): wider in thin hours and while news is fresh."""
    wide = np.where(activity > 1.5, 1.6, np.where(activity < 0.3, 2.5, 1.0))
    frac = _of_kind(names, _SPREAD_FRAC)[:, None] / np.sqrt(np.sqrt(interest))
    return np.maximum(1.0, np.rint(cents * frac * wide))


def _bars(
    rng: np.random.Generator, cents: Floats, sigma: Floats, spread: Floats, rounds: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return open, high, low, close that so many trades can really print: two trades have no third price."""
    close = cents
    last = np.concatenate((cents[:, :1], cents[:, :-1]), axis=1)
    open_ = np.maximum(last + np.rint(0.5 * spread * rng.standard_normal(cents.shape)), 50.0)
    open_ = np.where(rounds <= 1, close, open_)
    reach = np.floor(np.abs(rng.standard_normal((2, *cents.shape))) * 0.6 * sigma * cents)
    above = np.where((rounds >= 4) | ((rounds == 3) & (reach[0] > reach[1])), reach[0], 0.0)
    below = np.where((rounds >= 4) | ((rounds == 3) & (reach[0] <= reach[1])), reach[1], 0.0)
    high = np.maximum(open_, close) + above
    low = np.maximum(np.minimum(open_, close) - below, 50.0)
    return open_, high, low, close


def _lots(
    names: tuple[Listing, ...], rng: np.random.Generator, rounds: Floats, opening: int, closing: int
) -> Floats:
    """Return hundreds of shares beyond one a trade: cheap and known names print bigger, auctions biggest."""
    mean = np.array([(6.0 if x.kind != "small" else 2.0) * (60.0 / x.price) ** 0.5 for x in names])
    lots = rounds * mean[:, None] * np.exp(0.4 * rng.standard_normal(rounds.shape))
    usual = np.array([x.activity for x in names]) * mean
    lots[:, opening] += 0.01 * usual
    lots[:, closing] += 0.05 * usual
    return np.where(rounds > 0, np.minimum(np.floor(lots), 1_000_000), 0.0)
