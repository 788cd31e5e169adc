"""When an event of a replay is acted on, in lock-step and in a backtest alike."""

from liu_tui.model.market import DAY_NS, Bar, MarketEvent


def acted_on_ns(event: MarketEvent, now_ns: int) -> int:
    """Say at which moment strategies see an event: trades and quotes at their own time, bars at their end.

    now_ns: how far the replay is. A bar of the day so far, and a later word on a minute, are news of now
    """
    if not isinstance(event, Bar):
        return event.t_ns
    return now_ns if event.span_ns == DAY_NS or event.revised else event.end_ns
