"""The ticks inside the minutes of a simulated day: any symbols, any minutes, in any order, always the same.

Every draw is looked up by symbol, minute and number (see noise), and all arithmetic is in whole numbers:
cents, shares, nanoseconds. So the prints of a minute hit its open, high, low, close and volume exactly, and
the same minute comes out alike whether it is asked for alone or among others.

A print is at the bid, at the ask or between them: each round-lot trade follows a quote made for it; an odd
lot follows its trade at the same price; what flickers in between keeps the last price inside.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from liu_tui.market.course import Course
from liu_tui.market.noise import Ints, Words, bits, words
from liu_tui.model.market import MINUTE_NS

Flags = npt.NDArray[np.bool_]

REGULAR, ODD, OPENING, CLOSING = range(4)
"""What kind of print a trade is; its sale condition comes from it."""

_TAIL, _ODDS, _FLICKER = 1 << 20, 2 << 20, 3 << 20  # places in a minute's noise, far from the trades'
_AUCTION_WEIGHT: Final = 8_000_000
_AUCTION_WITHIN: Final = 1_000_000  # of the open or the close, in nanoseconds
_LONGEST_LEAD: Final = 20_000_000  # a quote precedes its trade by at most so many nanoseconds
_LONGEST_SPLIT: Final = 400_000  # an odd lot is the rest of the order that traded just before


@dataclass(frozen=True)
class Trades:
    """Prints as columns. cell: which of the minutes asked for; offset: ns since its start; price: cents."""

    cell: Ints
    offset: Ints
    price: Ints
    size: Ints
    number: Ints
    kind: Ints
    chance: Words


@dataclass(frozen=True)
class Quotes:
    """Quotes as columns. Sizes in round lots."""

    cell: Ints
    offset: Ints
    bid: Ints
    bid_lots: Ints
    ask: Ints
    ask_lots: Ints


@dataclass(frozen=True)
class Minutes:
    """The minutes asked for: (symbol, minute) pairs, with their noise and their row of every grid."""

    course: Course
    symbol: Ints
    minute: Ints
    noise: Words

    def of(self, name: str) -> Ints:
        """Return one of the course's grids, a value for each minute asked for."""
        grid = getattr(self.course, name)
        return grid[self.symbol, self.minute].astype(np.int64)  # type: ignore[no-any-return]  # looked up by name


def minutes(course: Course, keys: Words, symbol: Ints, minute: Ints) -> Minutes:
    """Name the minutes to fill. keys: 64 bits for each symbol of the day; symbol, minute: same length."""
    return Minutes(course, symbol, minute, words(keys[symbol], minute))


def fill(cells: Minutes) -> tuple[Trades, Quotes]:
    """Return all prints and quotes of these minutes, not in time order."""
    rounds = cells.of("rounds")
    cell = np.repeat(np.arange(rounds.size), rounds)
    first = np.cumsum(rounds) - rounds
    i = np.arange(cell.size) - first[cell]
    chance = words(cells.noise[cell], i)
    start, gap = _times(cells, cell, i, chance)
    price = _prices(cells, cell, i, chance)
    size = _sizes(cells, cell, i, chance)
    kind = np.where(
        _is_opening(cells, cell, i), OPENING, np.where(_is_closing(cells, cell, i), CLOSING, REGULAR)
    )
    trades = Trades(cell, start, price, size, 2 * i, kind, chance)
    odd = _odd_lots(cells, trades, i, gap)
    quotes = _with_trades(cells, trades, i, gap)
    return _join(trades, odd), _join_quotes(quotes, _flickers(cells, trades, first, gap))


def _is_opening(cells: Minutes, cell: Ints, i: Ints) -> Flags:
    first: Flags = (i == 0) & (cells.minute[cell] == cells.course.opening)
    return first


def _is_closing(cells: Minutes, cell: Ints, i: Ints) -> Flags:
    last: Flags = (i == cells.of("rounds")[cell] - 1) & (cells.minute[cell] == cells.course.closing)
    return last


def _within(cell: Ints, values: Ints, count: int) -> tuple[Ints, Ints]:
    """Return the running sum of `values` within each cell, and each cell's total."""
    running = np.cumsum(values)
    total = np.zeros(count, np.int64)
    np.add.at(total, cell, values)
    before = np.cumsum(total) - total
    return running - before[cell], total


def _times(cells: Minutes, cell: Ints, i: Ints, chance: Words) -> tuple[Ints, Ints]:
    """Return (offset, time to the next print or the minute's end) in ns. Prints come in bursts."""
    weight = (bits(chance, 0, 8) * bits(chance, 8, 8) >> 4) + 1
    tail = bits(words(cells.noise, np.full(cells.noise.size, _TAIL)), 0, 12) + 1
    running, total = _within(cell, weight, cells.noise.size)
    offset = running * MINUTE_NS // (total + tail)[cell]
    offset = np.where(_is_opening(cells, cell, i), np.minimum(offset, _AUCTION_WITHIN), offset)
    closing = np.maximum(offset, MINUTE_NS - _AUCTION_WITHIN)
    offset = np.where(_is_closing(cells, cell, i), closing, offset)
    after = np.append(offset[1:], MINUTE_NS)
    after = np.where(i == cells.of("rounds")[cell] - 1, MINUTE_NS, after)
    return offset, after - offset


def _prices(cells: Minutes, cell: Ints, i: Ints, chance: Words) -> Ints:
    """Walk from the open over the two extremes to the close, with noise in between that never leaves them."""
    o, h, low, c = (cells.of(name)[cell] for name in ("open", "high", "low", "close"))
    n = cells.of("rounds")[cell]
    last = n - 1
    first_turn, second_turn = (turn[cell] for turn in _turns(cells))
    rose = c >= o
    x1, x2 = np.where(rose, low, h), np.where(rose, h, low)
    only = np.where(h > np.maximum(o, c), h, low)  # three prints have room for one extreme
    x1, x2 = np.where(n == 3, only, x1), np.where(n == 3, only, x2)
    x1, x2 = np.where(n < 3, c, x1), np.where(n < 3, c, x2)
    price = np.where(
        i <= first_turn,
        o + (x1 - o) * i // np.maximum(first_turn, 1),
        np.where(
            i <= second_turn,
            x1 + (x2 - x1) * (i - first_turn) // np.maximum(second_turn - first_turn, 1),
            x2 + (c - x2) * (i - second_turn) // np.maximum(last - second_turn, 1),
        ),
    )
    shake = (bits(chance, 16, 8) + bits(chance, 24, 8) - 255) * (h - low + 2) >> 10
    fixed = (i == 0) | (i == last) | (i == first_turn) | (i == second_turn)
    return np.clip(np.where(fixed, price, price + shake), low, h)


def _turns(cells: Minutes) -> tuple[Ints, Ints]:
    """Return which prints are the minute's first and second extreme."""
    n = cells.of("rounds")
    inner = np.maximum(n - 2, 1)
    a = bits(cells.noise, 0, 16) % inner
    b = (a + 1 + bits(cells.noise, 16, 16) % np.maximum(inner - 1, 1)) % inner
    first, second = np.minimum(a, b) + 1, np.maximum(a, b) + 1
    few = np.minimum(n - 1, 1)
    return np.where(n >= 4, first, few), np.where(n >= 4, second, few)


def _sizes(cells: Minutes, cell: Ints, i: Ints, chance: Words) -> Ints:
    """Share out the minute's round lots: most prints are small, few are big, the auctions biggest."""
    weight = (bits(chance, 32, 12) ** 4 >> 32) + 1
    auction = _is_opening(cells, cell, i) | _is_closing(cells, cell, i)
    running, total = _within(cell, weight + auction * _AUCTION_WEIGHT, cells.noise.size)
    lots = running * cells.of("lots")[cell] // total[cell]
    before = np.append(0, lots[:-1])
    return 100 * (1 + lots - np.where(i == 0, 0, before))


def _odd_lots(cells: Minutes, trades: Trades, i: Ints, gap: Ints) -> Trades:
    """Return the odd-lot prints: evenly among the trades, each at its trade's price and just after it."""
    rounds, odds = cells.of("rounds")[trades.cell], cells.of("odds")[trades.cell]
    number = (i + 1) * odds // np.maximum(rounds, 1)
    has = np.flatnonzero(number > i * odds // np.maximum(rounds, 1))
    cell, k, of = trades.cell[has], number[has] - 1, odds[has]
    usual = cells.of("odd_size")[cell]
    # Pairs lie as far above as below the usual size: the minute's sum stays what the course says.
    chance = words(cells.noise[cell], _ODDS + k // 2)
    aside = bits(chance, 0, 8) % np.maximum(np.minimum(usual, 100 - usual), 1)
    aside = np.where((of % 2 == 1) & (k == of - 1), 0, np.where(k % 2 == 0, aside, -aside))
    wait = np.minimum(gap[has] // 4, 1 + bits(trades.chance[has], 44, 8) * _LONGEST_SPLIT // 256)
    kind = np.full(has.size, ODD)
    return Trades(
        cell,
        trades.offset[has] + wait,
        trades.price[has],
        usual + aside,
        trades.number[has] + 1,
        kind,
        trades.chance[has],
    )


def _with_trades(cells: Minutes, trades: Trades, i: Ints, gap: Ints) -> Quotes:
    """Return the quote that each round-lot trade meets: it lifts the ask, hits the bid or trades inside."""
    cell, price, chance = trades.cell, trades.price, trades.chance
    spread = cells.of("spread")[cell]
    spread = spread + np.where(spread > 2, bits(chance, 44, 8) % 3 - 1, 0)
    rose = cells.of("close") >= cells.of("open")
    side = bits(chance, 52, 4) + np.where(rose, 1, -1)[cell]  # buyers prevail in a rising minute
    inside = (spread >= 2) & (bits(chance, 56, 3) == 0)
    bid = np.where(inside, price - spread // 2, np.where(side > 7, price - spread, price))
    bid = np.maximum(bid, 1)
    waited = np.where(i == 0, trades.offset, np.append(0, gap[:-1]))
    lead = np.minimum(waited // 2, 1 + bits(chance, 36, 8) * _LONGEST_LEAD // 256)
    return Quotes(
        cell,
        trades.offset - lead,
        bid,
        _lots(chance, 20),
        np.maximum(bid + spread, price),
        _lots(chance, 28),
    )


def _flickers(cells: Minutes, trades: Trades, first: Ints, gap: Ints) -> Quotes:
    """Return quotes between the trades, with the last print (before any, the open) between bid and ask."""
    count = cells.of("flickers")
    cell = np.repeat(np.arange(count.size), count)
    k = np.arange(cell.size) - (np.cumsum(count) - count)[cell]
    chance = words(cells.noise[cell], _FLICKER + k)
    rounds = cells.of("rounds")[cell]
    behind = bits(chance, 0, 12) % (rounds + 1) - 1  # the trade it comes after; -1: before the first
    at = first[cell] + np.maximum(behind, 0)
    # One row more, for minutes without trades at the very end.
    printed, waits, prices = (np.append(column, 0) for column in (trades.offset, gap, trades.price))
    offset = np.where(behind >= 0, printed[at], 0)
    room = np.where(behind >= 0, waits[at], printed[at])
    # Past the odd lot's quarter of the gap, before the half that the next trade's own quote may use.
    offset = offset + room // 4 + room // 4 * bits(chance, 12, 10) // 1024
    offset = np.where(rounds > 0, offset, MINUTE_NS * bits(chance, 12, 20) >> 20)
    before_any = np.where(rounds > 0, cells.of("open")[cell], cells.of("close")[cell])
    price = np.where(behind >= 0, prices[at], before_any)
    spread = cells.of("spread")[cell]
    bid = np.maximum(price - bits(chance, 32, 8) % (spread + 1), 1)
    return Quotes(cell, offset, bid, _lots(chance, 40), np.maximum(bid + spread, price), _lots(chance, 48))


def _lots(chance: Words, first: int) -> Ints:
    return 1 + (bits(chance, first, 4) * bits(chance, first + 4, 4) >> 3)


def _join(a: Trades, b: Trades) -> Trades:
    return Trades(*(np.concatenate((getattr(a, f), getattr(b, f))) for f in Trades.__dataclass_fields__))


def _join_quotes(a: Quotes, b: Quotes) -> Quotes:
    return Quotes(*(np.concatenate((getattr(a, f), getattr(b, f))) for f in Quotes.__dataclass_fields__))
