"""Raw bars, splits and dividends -> adjusted bars.

The rule, for a bar of a day before the ex-date (the first session that trades on the action):
  split of r new shares for one:     price / r, volume * r
  dividend of c dollars a share:     price * (1 - c / p), volume as it was; p is the raw close of the last
                                     session before the ex-date, in the shares of the ex-date
Several actions multiply. Prices are not rounded. Source: the method of CRSP (Center for Research in Security
Prices), by which Yahoo's adjusted close is made too; vendors differ from it in rounding only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import accumulate
from operator import mul
from typing import Final

import msgspec

from liu_tui.errors import FeedError
from liu_tui.market.calendar import midnight_ns
from liu_tui.model.market import Adjustment, Bar, CorporateAction

WITH_SPLITS: Final = frozenset({Adjustment.SPLIT, Adjustment.ALL})
WITH_DIVIDENDS: Final = frozenset({Adjustment.DIVIDEND, Adjustment.ALL})


class Step(msgspec.Struct, frozen=True):
    """What bars that start before a moment are multiplied by. shares: volumes, and by its inverse prices."""

    before_ns: int
    shares: float = 1.0
    cash: float = 1.0


def steps_of(
    actions: Iterable[CorporateAction],
    adjustment: Adjustment,
    today: date,
    closes: Mapping[str, float],
) -> list[Step]:
    """Return what the actions of one symbol do to its bars, by day.

    today:  actions of later days are announced, not yet done
    closes: ISO ex-date of a dividend -> raw close of the last session before it, dollars

    Raises FeedError for a dividend without a close before it, or one that is no smaller than that close.
    """
    done = [action for action in actions if action.day <= today.isoformat()]
    splits = [action for action in done if action.kind == "split"]
    steps: list[Step] = []
    if adjustment in WITH_SPLITS:
        steps += [Step(_moment(split), shares=_ratio(split)) for split in splits]
    if adjustment in WITH_DIVIDENDS:
        for dividend in (action for action in done if action.kind == "dividend"):
            same_day = [_ratio(split) for split in splits if split.day == dividend.day]
            close = closes.get(dividend.day, 0.0)
            for ratio in same_day:
                close /= ratio
            steps.append(Step(_moment(dividend), cash=_kept(dividend, close)))
    return sorted(steps, key=lambda step: step.before_ns)


def adjusted(bars: Sequence[Bar], steps: Sequence[Step]) -> list[Bar]:
    """Return the bars in the shares and dollars of today. Bars after all steps are the same objects."""
    if not steps:
        return list(bars)
    moments = [step.before_ns for step in steps]
    # What stands at i holds for bars before the i-th step: the product of it and of all that follow.
    shares = [*accumulate((step.shares for step in reversed(steps)), mul)][::-1]
    cash = [*accumulate((step.cash for step in reversed(steps)), mul)][::-1]
    out = []
    for bar in bars:
        at = bisect_right(moments, bar.t_ns)
        out.append(_scaled(bar, shares[at], cash[at]) if at < len(moments) else bar)
    return out


def _scaled(bar: Bar, shares: float, cash: float) -> Bar:
    return msgspec.structs.replace(
        bar,
        open=bar.open * cash / shares,
        high=bar.high * cash / shares,
        low=bar.low * cash / shares,
        close=bar.close * cash / shares,
        volume=bar.volume * shares,
        vwap=bar.vwap * cash / shares,
    )


def _moment(action: CorporateAction) -> int:
    return midnight_ns(date.fromisoformat(action.day))


def _ratio(split: CorporateAction) -> float:
    if not split.ratio > 0:
        raise FeedError(f"a split of {split.ratio:g} for one cannot be", where=f"{split.symbol} {split.day}")
    return split.ratio


def _kept(dividend: CorporateAction, close: float) -> float:
    if not 0 <= dividend.cash < close:
        raise FeedError(
            f"a dividend of {dividend.cash:g} on a close of {close:g} before it cannot be adjusted for",
            where=f"{dividend.symbol} {dividend.day}",
            mend="Take raw prices, or adjust for splits only.",
        )
    return 1 - dividend.cash / close
