"""What a scene adds to the scripted picture: a flatten at work, differences, real money, lost answers."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from liu_tui.engine.snapshot import DifferenceRow, FlattenRow, OrderRow, Picture, VetoRow

SECOND = 1_000_000_000
replace = msgspec.structs.replace


def staged(picture: Picture, scene: str, now_ns: int, began_ns: int) -> Picture:
    """The picture as a scene has it."""
    stage = _STAGES.get(scene)
    return stage(picture, now_ns, began_ns) if stage else picture


def _flatten(picture: Picture, now_ns: int, began_ns: int) -> Picture:
    """Thirty positions, one closed every half second; two are halted. MARA by itself, and the desk halted."""
    closed = min(int((now_ns - began_ns) / SECOND * 2) + 20, 28)
    stuck = (("MSFT", 100.0, "halted"), ("TSLA", -50.0, "halted"))
    return replace(
        picture,
        state="HALTED",
        state_by="ann",
        state_reason="the kill key",
        flattens=(
            FlattenRow(symbol="", by="ann", reason="the kill key", since_ns=began_ns - 40 * SECOND, begun=30,
                       left=30 - closed, working=30 - closed, stuck=stuck),
            FlattenRow(symbol="MARA", by="console", reason="asked for", since_ns=began_ns, begun=1, left=1,
                       working=1),
        ),
    )  # fmt: skip


def _differences(picture: Picture, now_ns: int, began_ns: int) -> Picture:
    rows = (
        DifferenceRow(symbol="AAPL", ours=100, theirs=0, since_ns=began_ns,
                      words="no order of ours explains it"),
        DifferenceRow(symbol="BRK.B", ours=0, theirs=-25, since_ns=began_ns, choice="adopt",
                      words="traded elsewhere"),
    )  # fmt: skip
    broker = replace(picture.broker, state="reconciling", words="2 differences wait for you")
    return replace(picture, differences=rows, broker=broker)


def _live(picture: Picture, now_ns: int, began_ns: int) -> Picture:
    money = replace(
        picture.money, result=-1_240.5, peak=310.0, max_drawdown=2_500.0, fees=18.42, multiplier=4.0
    )
    return replace(picture, environment="PROD", venue="Alpaca", money=money)


def _unknown(picture: Picture, now_ns: int, began_ns: int) -> Picture:
    """Answers were lost: two orders are asked for, a chain was replaced, a trailing stop follows."""
    asked = min(2 + (now_ns - began_ns) // (4 * SECOND), 5)
    first = picture.orders[0]
    base = replace(first, live=True, filled_qty=0, avg_price=0.0, words="", code="")
    lost = replace(base, client_order_id="u1", symbol="PLTR", state="unknown",
                   words=f"asking the broker ({asked}/5)")  # fmt: skip
    other = replace(lost, client_order_id="u2", symbol="COIN", words="asking the broker (1/5)")
    trail = replace(base, client_order_id="t1", symbol="NVDA", operation="sell", role="stop", state="new",
                    order_type="trailing_stop", limit_price=None, stop_price=62.71, trail_percent=1.5,
                    tif="gtc")  # fmt: skip
    old = replace(base, client_order_id="r0", symbol="HOOD", state="replaced", live=False)
    newer = replace(base, client_order_id="r1", symbol="HOOD", state="new", replaces="r0", tif="ioc")
    late = replace(base, client_order_id="x1", symbol="SOFI", state="accepted", extended_hours=True)
    no = replace(base, client_order_id="n1", symbol="TSLA", state="refused", live=False,
                 code="MAX_ORDER_VALUE",
                 words="MAX_ORDER_VALUE an order of 12,500.00 dollars is over 10,000.00")  # fmt: skip
    orders: tuple[OrderRow, ...] = (lost, other, trail, newer, late, *picture.orders, old, no)
    vetoes = (
        VetoRow(symbol="SMCI", strategy="", by="ann", reason="spread too wide", since_ns=began_ns,
                until_ns=began_ns + 1800 * SECOND),
        VetoRow(symbol="PLTR", strategy="VwapReversion", by="VwapReversion", reason="no liquidity",
                since_ns=began_ns),
    )  # fmt: skip
    broker = replace(picture.broker, asking=2)
    return replace(picture, orders=orders, vetoes=(*picture.vetoes, *vetoes), broker=broker)


_STAGES: dict[str, Callable[[Picture, int, int], Picture]] = {
    "flatten": _flatten, "differences": _differences, "live": _live, "unknown": _unknown,
}  # fmt: skip
SCENES = tuple(_STAGES)
