"""Guards that look at how things stand: the desk's state, the day, vetoes, closing, and what was lost."""

from liu_tui.plan.schema import Limits
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.risk import Ask, Facts, entries_only


def day_lost(limits: Limits, result: float, peak: float) -> Refusal | None:
    """Say that the account's day has lost what it may, or has fallen too far from its best. Dollars."""
    if limits.max_daily_loss is not None and result <= -limits.max_daily_loss:
        return refusal("DAILY_LOSS_REACHED", loss=-result, limit=limits.max_daily_loss)
    if limits.max_drawdown is not None and peak - result >= limits.max_drawdown:
        return refusal("DRAWDOWN_REACHED", fall=peak - result, peak=peak, limit=limits.max_drawdown)
    return None


@entries_only
def ready(ask: Ask, facts: Facts) -> Refusal | None:
    """Nothing is opened before the books and the broker agree."""
    return None if facts.ready else refusal("NOT_READY")


@entries_only
def unreconciled(ask: Ask, facts: Facts) -> Refusal | None:
    """Nothing is opened in a symbol on which the books and the broker differ, ignored or not."""
    if not facts.unreconciled:
        return None
    return refusal("UNRECONCILED", symbol=ask.symbol, difference=facts.unreconciled)


@entries_only
def daily_loss(ask: Ask, facts: Facts) -> Refusal | None:
    """The account's day has lost what it may."""
    no = day_lost(facts.limits, facts.result, facts.peak)
    return no if no is not None and no.code == "DAILY_LOSS_REACHED" else None


@entries_only
def drawdown(ask: Ask, facts: Facts) -> Refusal | None:
    """The account's day has given back what it may."""
    no = day_lost(facts.limits, facts.result, facts.peak)
    return no if no is not None and no.code == "DRAWDOWN_REACHED" else None


@entries_only
def state(ask: Ask, facts: Facts) -> Refusal | None:
    """REDUCING and HALTED open nothing."""
    if facts.state == "ACTIVE":
        return None
    code = "HALTED" if facts.state == "HALTED" else "PAUSED"
    return refusal(code, by=facts.state_by or "the desk", reason=facts.state_reason or "no reason given")


@entries_only
def vetoed(ask: Ask, facts: Facts) -> Refusal | None:
    """Somebody has rejected the symbol."""
    if facts.veto is None:
        return None
    by, reason = facts.veto
    return refusal("VETOED", symbol=ask.symbol, by=by, reason=reason or "no reason given")


@entries_only
def closing_soon(ask: Ask, facts: Facts) -> Refusal | None:
    """Day trades are being liquidated."""
    return refusal("CLOSING_SOON", minutes=facts.liquidate_min) if facts.closing_soon else None


@entries_only
def flattening(ask: Ask, facts: Facts) -> Refusal | None:
    """The symbol is being closed."""
    return refusal("FLATTENING", symbol=ask.symbol, reason=facts.closing) if facts.closing else None


@entries_only
def symbol_resting(ask: Ask, facts: Facts) -> Refusal | None:
    """A trade has lost in the symbol a short time ago."""
    limit = facts.limits.symbol_cooldown_min
    if limit is None or facts.symbol_rest_min <= 0:
        return None
    left = facts.symbol_rest_min
    return refusal("SYMBOL_COOLDOWN", symbol=ask.symbol, loss=facts.symbol_loss, minutes=left, limit=limit)


@entries_only
def strategy_resting(ask: Ask, facts: Facts) -> Refusal | None:
    """The strategy has lost too many trades one after another."""
    limit = facts.limits.max_losses_in_row
    if limit is None or facts.strategy_rest_min <= 0:
        return None
    return refusal(
        "STRATEGY_COOLDOWN",
        strategy=ask.strategy,
        count=facts.losses_in_row,
        limit=limit,
        minutes=facts.strategy_rest_min,
    )
