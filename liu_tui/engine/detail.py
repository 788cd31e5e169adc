"""The symbol detail, from a consumer's series."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date

from liu_tui.engine.snapshot import Detail, DetailBar
from liu_tui.market.calendar import day_of, hours, previous_session
from liu_tui.market.series import Series
from liu_tui.trading.session import Session

TODAY_BARS = 960


def detail_of(session: Session, symbol: str) -> Detail:
    """What this consumer knows of a symbol; words instead of numbers if it does not serve it."""
    if symbol not in session.symbols:
        return Detail(symbol=symbol, words=f"{symbol} is not subscribed")
    series = session.series(symbol)
    start = max(series.session_slice().start or 0, len(series) - TODAY_BARS)
    bars = tuple(
        DetailBar(t_ns=int(t), open=o, high=h, low=lo, close=c, volume=v)
        for t, o, h, lo, c, v in zip(
            series.t_ns[start:].tolist(),
            series.open[start:].tolist(),
            series.high[start:].tolist(),
            series.low[start:].tolist(),
            series.close[start:].tolist(),
            series.volume[start:].tolist(),
            strict=True,
        )
    )
    quote = series.quote
    trade = series.last_trade
    return Detail(
        symbol=symbol,
        bars=bars,
        bid=quote.bid if quote else 0.0,
        ask=quote.ask if quote else 0.0,
        bid_size=quote.bid_size if quote else 0.0,
        ask_size=quote.ask_size if quote else 0.0,
        last=series.price,
        previous_close=_previous_close(series),
        vwap=series.session_vwap,
        tape=((trade.t_ns, trade.price, trade.size),) if trade else (),
        backfilled=tuple(series.t_ns[start:][series.backfilled[start:]].tolist()),
        lower=series.limit_down,
        upper=series.limit_up,
    )


def _previous_close(series: Series) -> float:
    """The close of the last regular minute before today; 0 if the series does not reach back so far."""
    if not len(series):
        return 0.0
    today: date = day_of(int(series.t_ns[-1]))
    before = hours(previous_session(today))
    if before is None:
        return 0.0
    stamps = series.t_ns[:].tolist()
    place = bisect_left(stamps, before.close_ns) - 1
    return float(series.close[place]) if place >= 0 and stamps[place] >= before.open_ns else 0.0
