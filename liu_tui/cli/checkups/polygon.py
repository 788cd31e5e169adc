"""Polygon's key, whether Polygon answers, and whether the key may have trades. No message holds the key."""

from liu_tui.cli.checkups.asking import TIMEOUT_S, ask, unanswered
from liu_tui.cli.checkups.finding import Finding, Verdict
from liu_tui.settings import Keys, Settings

URL = "https://api.massive.com"
_FEEDS = {
    "realtime": (Verdict.OK, "all exchanges in real time", ""),
    "delayed": (
        Verdict.WARN,
        "all exchanges, 15 minutes late: to watch, not to trade",
        'Set feed = "realtime" in [polygon] to trade.',
    ),
}
_MEND_PLAN = 'Take a plan of Polygon\'s that has trades and its websocket, or write data = "alpaca".'


def key(keys: Keys, settings: Settings) -> Finding:
    """Look for Polygon's key, which the plan's data need."""
    if keys.polygon:
        return Finding("polygon", Verdict.OK, f"its key, from {keys.source}")
    mend = f"Export POLYGON_API_KEY, or put it into {settings.keys_file}, mode 0600."
    return Finding("polygon", Verdict.FAIL, "no key", mend)


async def data(keys: Keys, feed: str, url: str, timeout_s: float = TIMEOUT_S) -> Finding:
    """Ask for the market's status, which any key may have, then for one trade, which shows the plan.

    Whether the plan has the websocket, and in real time, only its login tells.
    """
    headers = {"Authorization": f"Bearer {keys.polygon.reveal()}"}
    status, body = await ask(f"{url}/v1/marketstatus/now", headers, timeout_s)
    if status in (401, 403):
        return Finding(
            "data", Verdict.FAIL, f"Polygon refuses the key ({_said(body, status)})", _mend(status)
        )
    if status != 200:
        return _unverified(feed, url, status)
    market = str(body.get("market", "")) or "in a state that it does not say"
    status, body = await ask(f"{url}/v2/last/trade/SPY", headers, timeout_s)
    if status in (401, 403):
        words = f"Polygon answers, but the plan has no trades ({_said(body, status)})"
        return Finding("data", Verdict.FAIL, words, _MEND_PLAN)
    if status != 200:
        return _unverified(feed, url, status)
    verdict, words, mend = _FEEDS[feed]
    return Finding("data", verdict, f"Polygon {feed}: {words}; the market is {market}", mend)


def _unverified(feed: str, url: str, status: int) -> Finding:
    words = f"Polygon {feed}: {_FEEDS[feed][1]}; {url} {unanswered(status)}"
    return Finding("data", Verdict.WARN, words, "Not verified: ask again later.")


def _said(body: dict[str, object], status: int) -> str:
    return str(body.get("error") or body.get("message") or f"status {status}")


def _mend(status: int) -> str:
    return "Check POLYGON_API_KEY." if status == 401 else _MEND_PLAN
