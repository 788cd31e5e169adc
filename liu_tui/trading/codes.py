"""Every code that a refusal may carry, and its sentence. The table in docs/limits.md is made of this one."""

import re

import msgspec

_FIELD = re.compile(r"\{(\w+)[^}]*\}")

CODES = {
    "NOT_READY": "nothing is opened: books and broker do not agree yet, or only scanners are tested",
    "UNRECONCILED": "the books and the broker do not agree on {symbol}: {difference}",
    "HALTED": "trading is halted by {by}: {reason}",
    "PAUSED": "entries are paused by {by}: {reason}",
    "DAILY_LOSS_REACHED": "today's loss of {loss:,.2f} dollars has reached max_daily_loss of {limit:,.2f}",
    "DRAWDOWN_REACHED": "{fall:,.2f} dollars under the day's best, {peak:,.2f}; max_drawdown is {limit:,.2f}",
    "SYMBOL_COOLDOWN": "{symbol} lost {loss:,.2f} dollars, and rests for {minutes:.1f} of {limit:g} minutes",
    "STRATEGY_COOLDOWN": "{strategy} lost {count} trades in a row (max_losses_in_row is {limit}), and rests"
    " for {minutes:.1f} minutes",
    "VETOED": "{symbol} is rejected by {by}: {reason}",
    "CLOSING_SOON": "day trades are liquidated {minutes:g} minutes before the close: nothing is opened now",
    "FLATTENING": "{symbol} is being closed ({reason})",
    "BAD_QUANTITY": "a quantity of {qty!r} shares cannot be ordered: {why}",
    "BAD_PRICES": "{why}",
    "NOT_POSSIBLE": "{why}",
    "NOT_TRADABLE": "{symbol} cannot be traded at {broker}",
    "ACCOUNT_BLOCKED": "{broker} has blocked trading in the account",
    "SHORTING_DISABLED": "nothing can be sold short: {why}",
    "NOT_SHORTABLE": "{symbol} cannot be sold short",
    "HARD_TO_BORROW": "{symbol} is hard to borrow, and there is no way to locate shares",
    "NOT_FRACTIONABLE": "no fraction of a share of {symbol}, and no amount in dollars: {why}",
    "FRACTION_FORM": "an order for a fraction of a share, or in dollars, must be plain: {why}",
    "NOTIONAL_TOO_SMALL": "an order for {dollars:,.2f} dollars is under the least, {least:,.2f}",
    "EXTENDED_HOURS_LIMIT_ONLY": "extended hours take plain limit orders, day or gtc: {why}",
    "AUCTION_FORM": "an {tif} order must be market or limit, and it was a {kind} order",
    "AUCTION_OVER": "{tif} orders are not taken at this time of the day",
    "TRIGGER_PASSED": "the price {price:g} is past the trigger {trigger:g} already",
    "WASH_TRADE": "it might trade with an order of this account in {symbol}: the {other}",
    "NOTHING_TO_REPLACE": "no entry order of {strategy} works in {symbol}",
    "CANNOT_REPLACE": "the entry order for {symbol} cannot be given other terms: {why}",
    "PROTECTION_BUSY": "the stop and target of {symbol} cannot be moved now: {why}",
    "NOTHING_TO_PROTECT": "{strategy} holds no {symbol}: there is nothing to protect",
    "EXIT_PENDING": "an exit of {symbol} is on its way: wait until it is done",
    "ENTRY_PENDING": "an entry order for {qty:g} {symbol} is already working ({state})",
    "OPPOSITE_POSITION": "{holder} holds {held:+g} {symbol}: an account cannot be long and short at once",
    "MAX_ORDER_VALUE": "an order of {value:,.2f} dollars is over max_order_value of {limit:,.2f}",
    "MAX_POSITION_VALUE": "{symbol} would be worth {value:,.2f} dollars, max_position_value is {limit:,.2f}",
    "MAX_OPEN_POSITIONS": "{count} positions are open or being opened, and max_open_positions is {limit}",
    "ORDER_RATE": "{count} orders were sent in the last minute, and max_orders_per_minute is {limit}",
    "MAX_GROSS_VALUE": "all positions would be worth {value:,.2f} dollars, max_gross_value is {limit:,.2f}",
    "MAX_ORDERS_PER_DAY": "{count} orders were sent today, and max_orders_per_day is {limit}",
    "DUPLICATE_ORDER": "the same order for {symbol} went {seconds:g} s ago; duplicate_window_s is {limit:g}",
    "PRICE_STALE": "the last word on {symbol} is {seconds:.0f} s old, and max_price_age_s is {limit:g}",
    "PRICE_COLLAR": "{price:g} for {symbol} is {percent:.2f} % on the dear side of {market:g}, and"
    " price_collar_percent is {limit:g}",
    "BUYING_POWER_USED": "an order of {value:,.2f} dollars, and the account may spend {left:,.2f} yet",
    "ALLOCATION_USED": "{strategy} would have {value:,.2f} dollars at work, its portfolio has {limit:,.2f}",
    "NOTHING_TO_CLOSE": "{strategy} holds {held:+g} {symbol}: there is nothing to {operation}",
    "ALREADY_CLOSING": "{symbol} is already being closed by {other}",
}


def table() -> str:
    """Write the codes as a table in Markdown, with the names of the numbers in place of the numbers."""
    rows = (f"| `{code}` | {_FIELD.sub(_named, words)} |" for code, words in CODES.items())
    return "\n".join(("| code | the sentence |", "| --- | --- |", *rows))


def _named(found: re.Match[str]) -> str:
    return f"*{found[1]}*"


class Refusal(msgspec.Struct, frozen=True):
    """A no: its code from the table, the sentence, and the rule's numbers as a JSON object."""

    code: str
    words: str
    numbers: str = "{}"


def refusal(code: str, **numbers: str | float) -> Refusal:
    """Fill the code's sentence in, and keep the numbers beside it."""
    return Refusal(code, CODES[code].format(**numbers), msgspec.json.encode(numbers).decode())
