"""A session's summary: the JSON object of `--headless --json`, `ctl status` and the end of a session."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from liu_tui.engine.feeds import COUNTS
from liu_tui.engine.fold import Fold
from liu_tui.engine.kids import Kid
from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.engine.snapshot import FeedRow


def summary_of(
    *, batch_id: str, environment: str, fold: Fold, feed: FeedRow, producers: list[Kid],
    consumers: list[Kid], kids: list[Kid], market: MarketKeeper | None, symbols: list[str], end_reason: str,
) -> dict[str, Any]:  # fmt: skip
    """What happened, in numbers. Dollars are rounded to a hundredth of a cent."""
    facts = fold.desk
    positions: dict[str, float] = {}
    for position in facts.positions if facts else ():
        positions[position.symbol] = positions.get(position.symbol, 0.0) + position.qty
    summary: dict[str, Any] = {
        "batch_id": batch_id,
        "environment": environment,
        "end_reason": end_reason,
        "events": {
            "received": feed.received,
            "dispatched": sum(kid.total("dispatched") for kid in consumers),
            "discarded_late": sum(kid.total("discarded") for kid in consumers),
            "merged": sum(producer.total("merged") for producer in producers),
            "refused": feed.refused,
        },
        "data": {name: getattr(feed, name) for name in COUNTS}
        | {
            "stale": feed.stale,
            "left_out": list(feed.left_out),
        },
        "lag_ms": {
            kid.name: {"p50": round(kid.alive.lag_p50_ms, 3), "p99": round(kid.alive.lag_p99_ms, 3)}
            for kid in consumers
        },
        "scanner_hits": fold.hit_count,
        "fills": len(fold.fills),
        "restarts": sum(kid.restarts for kid in kids) + (market.restarts if market else 0),
        "symbols": sorted(symbols),
        "orders": dict(sorted(Counter(news.state.value for news in fold.orders.values()).items())),
        "positions": {symbol: qty for symbol, qty in sorted(positions.items()) if qty},
        "realized_pnl": round(facts.realized, 4) if facts else 0.0,
        "unrealized_pnl": round(facts.unrealized, 4) if facts else 0.0,
        "fees": round(facts.fees, 4) if facts else 0.0,
        "discarded_by_symbol": _by_symbol(consumers, 1),
        "merged_by_symbol": _by_symbol(producers, 2),
    }
    if feed.recording:
        path = Path(feed.recording)
        summary["recording"] = {
            "path": feed.recording,
            "events": sum(producer.total("recorded") for producer in producers),
            "dropped": sum(producer.total("unrecorded") for producer in producers),
            "bytes": path.stat().st_size if path.exists() else 0,
        }
    if market is not None:
        account = facts.account if facts else None
        summary["market"] = {
            "url": market.url,
            "ledger": str(market.ledger),
            "equity": round(account.equity, 4) if account else 0.0,
        }
    return summary


def _by_symbol(kids: list[Kid], place: int) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for kid in kids:
        for row in kid.alive.by_symbol:
            counts[row[0]] += int(row[place])
    return {symbol: count for symbol, count in sorted(counts.items()) if count}
