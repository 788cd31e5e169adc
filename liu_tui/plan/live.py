"""What a plan needs before it may trade real money: asked by the command line, the session and the desk."""

from liu_tui.errors import RefusedError
from liu_tui.plan.schema import Environment, Limits, TradePlan

NEEDED = (
    "max_daily_loss",
    "max_order_value",
    "max_position_value",
    "max_gross_value",
    "max_open_positions",
    "max_orders_per_minute",
)
"""The limits without which one mistake could cost the whole account."""


def missing_limits(limits: Limits) -> tuple[str, ...]:
    """Name the limits that are not set."""
    return tuple(name for name in NEEDED if getattr(limits, name) is None)


def refuse_unearned(plan: TradePlan, account: str) -> None:
    """Raise RefusedError, naming all that is missing, if real money may not be traded yet.

    account: the number of the account that a person has allowed, "" if nobody has
    """
    if plan.environment is not Environment.PROD:
        return
    missing = []
    if plan.market is not None:
        missing.append("the plan has a [market] table, and real money is not traded on the local market")
    if names := missing_limits(plan.limits):
        missing.append(f"[limits] lacks {', '.join(names)}")
    if not account:
        missing.append("nobody has allowed an account: start it at a terminal, or with --live ACCOUNT_NUMBER")
    if missing:
        raise RefusedError(
            f"this plan may not trade real money yet: {'; '.join(missing)}",
            where='environment = "PROD"',
            mend="See docs/live.md.",
        )
