"""Alpaca's keys, its clock, the account, and which data it may have. No message ever holds a key."""

from datetime import datetime
from typing import Any

from liu_tui.cli.checkups.asking import TIMEOUT_S, ask, unanswered
from liu_tui.cli.checkups.finding import Finding, Verdict
from liu_tui.errors import UsageError
from liu_tui.model.clock import wall_ns
from liu_tui.settings import Keys, Settings

PAPER_URL = "https://paper-api.alpaca.markets"
LIVE_URL = "https://api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"
SKEW_S = 2.0
"""From here on a clock is called wrong. The session follows the venue's time anyway; log lines do not."""
_TO_TRADE = 'Set feed = "iex" or "sip" in [alpaca] to trade.'
_FEEDS = {
    "iex": (
        Verdict.OK,
        "one exchange's trades and quotes, a few percent of the volume; free, 30 symbols",
        "",
    ),
    "sip": (Verdict.OK, "all exchanges; needs a paid plan", ""),
    "delayed_sip": (Verdict.WARN, "all exchanges, 15 minutes late: to watch, not to trade", _TO_TRADE),
    "test": (Verdict.WARN, "the symbol FAKEPACA, day and night: no market at all", _TO_TRADE),
}
_REST_FEEDS = {"test": "iex"}
"""What a question by REST names instead of a feed that only the stream has."""


_KINDS = {"PK": "paper", "AK": "live"}
"""How the ids of Alpaca's keys begin."""


def keys(settings: Settings, *, needed: bool) -> tuple[Finding, Keys | None]:
    """Look for Alpaca's keys. needed: the plan cannot run without."""
    try:
        found = settings.keys()
    except UsageError as e:
        return Finding("keys", Verdict.FAIL, f"{e.where}: {e.what}", e.mend), None
    if found.alpaca:
        return Finding("keys", Verdict.OK, f"Alpaca's pair, from {found.source}"), found
    mend = (
        f"Export APCA_API_KEY_ID and APCA_API_SECRET_KEY, or put them into {settings.keys_file}, mode 0600."
    )
    if found.alpaca_id or found.alpaca_secret:
        return Finding("keys", Verdict.FAIL, f"half of Alpaca's pair, from {found.source}", mend), found
    verdict = Verdict.FAIL if needed else Verdict.WARN
    words = "none" if needed else "none: only the local market can be traded"
    return Finding("keys", verdict, words, mend), found


def right_pair(keys: Keys, *, live: bool) -> Finding | None:
    """Say that a pair is of the other account, as far as its first letters tell; None if they do not."""
    kind, needed = _KINDS.get(keys.alpaca_id.reveal()[:2]), "live" if live else "paper"
    if kind is None or kind == needed:
        return None
    words = f"the pair from {keys.source} is of a {kind} account, and the plan trades a {needed} one"
    mend = f"Export the pair of the {needed} account, or change environment in the plan."
    return Finding("keys", Verdict.FAIL, words, mend)


async def standing(keys: Keys, url: str, timeout_s: float = TIMEOUT_S) -> Finding:
    """Ask whether the account may trade, and what stands against it; its number is the finding's value."""
    status, body = await ask(f"{url}/v2/account", _headers(keys), timeout_s)
    if status in (401, 403):
        mend = "Paper and live accounts have different keys: check which pair this is."
        return Finding("account", Verdict.FAIL, f"{url} refuses the keys ({status})", mend)
    number = str(body.get("account_number") or "")
    if status != 200 or not number:
        mend = "Check the network, a proxy, or the vendor's status page."
        return Finding("account", Verdict.FAIL, f"{url} {unanswered(status)}", mend)
    words = f"{number}, equity {_dollars(body, 'equity')}, buying power {_dollars(body, 'buying_power')}"
    against = [name for name in ("trading_blocked", "account_blocked") if body.get(name)]
    if body.get("status") != "ACTIVE":
        against.append(f"status {body.get('status')}")
    if against:
        mend = "Ask the broker: it takes no orders of this account."
        return Finding("account", Verdict.FAIL, f"{words}; {', '.join(against)}", mend, number)
    if body.get("trade_suspended_by_user"):
        mend = "A kill has set it, or you have: resume lifts it, and so does the broker's own page."
        return Finding(
            "account", Verdict.WARN, f"{words}; new orders are suspended by its owner", mend, number
        )
    return Finding("account", Verdict.OK, words, value=number)


async def clock(keys: Keys, url: str, timeout_s: float = TIMEOUT_S) -> Finding:
    """Compare this machine's clock with the venue's."""
    sent = wall_ns()
    status, body = await ask(f"{url}/v2/clock", _headers(keys), timeout_s)
    if status in (401, 403):
        mend = "Paper and live accounts have different keys: check which pair this is."
        return Finding("clock", Verdict.FAIL, f"{url} refuses the keys ({status})", mend)
    try:
        venue_s = datetime.fromisoformat(
            str(body["timestamp"])[:26] + str(body["timestamp"])[29:]
        ).timestamp()
    except (KeyError, ValueError, TypeError):
        words = "cannot be reached" if not status else f"gave no time (status {status})"
        return Finding(
            "clock",
            Verdict.WARN,
            f"{url} {words}",
            "Check the network, a proxy, or the vendor's status page.",
        )
    skew_s = (sent + wall_ns()) / 2e9 - venue_s
    if abs(skew_s) > SKEW_S:
        mend = "Let the system keep time: timedatectl set-ntp true."
        return Finding("clock", Verdict.WARN, f"{skew_s:+.1f} s against the venue", mend)
    return Finding("clock", Verdict.OK, f"{skew_s:+.2f} s against the venue")


async def entitlement(keys: Keys, feed: str, url: str, timeout_s: float = TIMEOUT_S) -> Finding:
    """Ask for one trade of the feed: the vendor says whether the account may have it."""
    asked = f"{url}/v2/stocks/trades/latest?symbols=SPY&feed={_REST_FEEDS.get(feed, feed)}"
    status, body = await ask(asked, _headers(keys), timeout_s)
    verdict, words, mend = _FEEDS[feed]
    words = f"{feed}: {words}"
    if status == 200:
        return Finding("data", verdict, words, mend)
    if status in (401, 403, 422):
        said = str(body.get("message", "")) or f"status {status}"
        mend = 'Set feed = "iex" in [alpaca], or take the vendor\'s paid data plan.'
        return Finding("data", Verdict.FAIL, f"{feed}: the vendor refuses ({said})", mend)
    words = f"{words}; {url} {unanswered(status)}"
    return Finding("data", Verdict.WARN, words, "Not verified: ask again later.")


def _dollars(body: dict[str, Any], name: str) -> str:
    try:
        return f"${float(body[name]):,.2f}"
    except (KeyError, TypeError, ValueError):
        return "unknown"


def _headers(keys: Keys) -> dict[str, str]:
    return {
        "APCA-API-KEY-ID": keys.alpaca_id.reveal(),
        "APCA-API-SECRET-KEY": keys.alpaca_secret.reveal(),
    }
