"""Row 1, never covered: whose money, what time at the venue, feed, broker, result, and who is in force."""

from __future__ import annotations

from liu_tui.engine.snapshot import FeedRow, Picture
from liu_tui.model.clock import monotonic_ns
from liu_tui.tui.format import (
    SECOND_NS,
    Span,
    age,
    clean,
    clock,
    compact,
    countdown,
    millis,
    money,
    tone_of,
)
from liu_tui.tui.signs import Signs
from liu_tui.tui.spoken import counted
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Board, Line, Look
from liu_tui.tui.widgets.gauges import HEED, tone_of_use, used
from liu_tui.tui.widgets.parts import Part, Spans, fit_parts


class StatusBar(Board):
    """The line of truth. silent: the bell is; limits: no other line shows the limits."""

    def __init__(self, view: View, look: Look) -> None:
        super().__init__(look, id="status")
        self.view = view
        self.silent = False
        self.limits = True

    def draw(self, width: int, height: int) -> list[Line]:
        """One line."""
        parts = status_parts(self.view, self.look.signs, silent=self.silent, limits=self.limits)
        sep: Span = (f" {self.look.signs.sep} ", "faint")
        spans: list[Span] = []
        for index, form in enumerate(form for form in fit_parts(parts, width, 3) if form):
            spans += [sep, *form] if index > 1 else [(" ", "text"), *form] if index else form
        return [Line(tuple(spans), "bar")]


def status_parts(view: View, signs: Signs, *, silent: bool, limits: bool) -> list[Part]:
    """What the bar says now, part by part in its order. limits: those near their end too."""
    picture = view.picture
    if picture is None:
        return [
            Part(((_badge("LIU"),),), 0),
            Part((((f"{view.link.state} {clean(view.link.words)}", "warn"),),), 1),
        ]
    parts = [
        Part(((_badge(picture.environment),),), 0),
        _time(picture, view.now_ns()),
        _link(view) or _feed(picture),
        _broker(picture),
        _books(picture, view.now_ns()),
        _result(picture, signs),
        _force(picture),
        _limits(picture) if limits else Part(((),), 9),
        _house(picture),
        Part((((picture.batch_id, "dim"),), ()), 9),
    ]
    return [*parts, Part((((" bell off", "dim"),), ()), 5)] if silent else parts


def _badge(environment: str) -> Span:
    return (" LIVE ", "live") if environment == "PROD" else (f" {clean(environment)} ", "paper")


def _time(picture: Picture, now_ns: int) -> Part:
    now = clock(now_ns)
    long, short, tone = market_words(picture, now_ns)
    speed = f" x{picture.anchor.speed:g}" if picture.anchor.speed != 1 else ""
    paused = " PAUSED" if picture.anchor.paused else ""
    return Part(
        (
            ((f"{now} NY{speed}{paused} ", "bold"), (long, tone)),
            ((f"{now} ", "bold"), (long, tone)),
            ((f"{now} ", "bold"), (short, tone)),
        ),
        4,
    )


def market_words(picture: Picture, now_ns: int) -> tuple[str, str, str]:
    """Tell the market's phase: in full, in short, and in which tone."""
    hours = picture.hours
    if hours is None:
        return "venue not known yet", picture.phase, "dim"
    if picture.phase in ("ended",):
        return "session ended", "ended", "warn"
    to_open, to_close = (hours.open_ns - now_ns) / SECOND_NS, (hours.close_ns - now_ns) / SECOND_NS
    match hours.phase(now_ns):
        case "before":
            return f"opens in {countdown(to_open)}", f"in {countdown(to_open)}", "accent"
        case "pre":
            return f"pre-market, opens in {countdown(to_open)}", f"opens {countdown(to_open)}", "accent"
        case "open":
            return f"open, closes in {countdown(to_close)}", "open", "good"
        case "post":
            return "closed, after hours", "closed", "warn"
    return "closed", "closed", "warn"


def _link(view: View) -> Part | None:
    """The connection to the session, when it is not well."""
    if view.farewell is not None:
        return Part((((" ENDED ", "caution"),),), 0)
    if not view.stale:
        return None
    said = f" STALE {age(view.stale_s)} "
    if view.link.state == "refused":
        return Part((((said, "alarm"), (f" {clean(view.link.words)}", "warn")), ((said, "alarm"),)), 0)
    if view.link.state == "lost":
        wait = max(0.0, (view.link.retry_ns - monotonic_ns()) / SECOND_NS)
        tried = f" no session, try {view.link.attempts + 1} in {wait:.0f}s"
        return Part((((said, "alarm"), (tried, "warn")), ((said, "alarm"),)), 0)
    return Part((((said, "alarm"),),), 0)


def _feed(picture: Picture) -> Part:
    feed = picture.feed
    tone = {"live": "good", "silent": "alarm", "lost": "alarm", "refused": "alarm"}.get(feed.state, "warn")
    state = feed.state.upper() if tone == "alarm" else feed.state
    if feed.state != "live":
        return Part(
            (((f"feed {state} ", tone), (clean(feed.words)[:40], "dim")), ((f"feed {state}", tone),)), 3
        )
    old, bad = age(feed.age_s), _bad_data(feed)
    recording: Spans = ((" REC", "accent"),) if feed.recording else ()
    wrong = feed.stale + len(feed.left_out)
    brief: Spans = ((f" !{wrong}", "warn"),) if wrong else ()
    said = f"{old} {compact(feed.rate)}/s"
    return Part(
        (
            (("feed live ", tone), (f"{said} {feed.symbols} symbols", "text"), *bad, *recording),
            (("feed live ", tone), (said, "text"), *bad, *recording),
            (("feed ", tone), (said, "text"), *bad),
            (("feed ", tone), (old, "text"), *brief),
        ),
        4,
    )


def _bad_data(feed: FeedRow) -> Spans:
    """What is wrong with the data now; what was wrong is counted in the data pane."""
    stale: Spans = ((f" {feed.stale} stale", "warn"),) if feed.stale else ()
    left_out: Spans = ((f" {len(feed.left_out)} left out", "warn"),) if feed.left_out else ()
    return (*stale, *left_out)


def _broker(picture: Picture) -> Part:
    """How the broker stands, what it is being asked, and whether the account is locked."""
    broker = picture.broker
    asking: Spans = (
        (" ", "text"),
        (f" asking the broker about {counted(broker.asking, 'order')} ", "caution"),
    )
    brief: Spans = ((" ", "text"), (f" ?{broker.asking} ", "caution"))
    if not broker.asking:
        asking = brief = ()
    long: Spans = (*asking, *(((" ", "text"), (" ACCOUNT LOCKED ", "alarm")) if broker.suspended else ()))
    short: Spans = (*brief, *(((" ", "text"), (" LOCKED ", "alarm")) if broker.suspended else ()))
    if broker.state != "ready":
        state = f"broker {clean(broker.state)}"
        words: Span = (f" {clean(broker.words)[:30]}", "dim")
        return Part((((state, "warn"), words, *long), ((f" {state} ", "alarm"), *short)), 3)
    return Part(((("broker ready", "good"), *long), (("broker ok", "good"), *long),
                 (("broker ok", "good"), *short)), 2 if long else 6)  # fmt: skip


def _books(picture: Picture, now_ns: int) -> Part:
    """When the books last agreed with the broker; or that they do not, and that entries wait for it."""
    if differ := len(picture.differences):
        short, long = f" {differ} differ ", f" {differ} differ, entries wait "
        return Part((((long, "caution"),), ((short, "caution"),)), 2)
    agreed_ns = picture.broker.compared_ns
    if not agreed_ns:
        return Part(((),), 9)
    old = age(max(now_ns - agreed_ns, 0) / SECOND_NS)
    return Part(((("books agree ", "text"), (f"{old} ago", "text")), ((f"books {old}", "text"),), ()), 3)


def _result(picture: Picture, signs: Signs) -> Part:
    """The day's result: realised and open together, then each."""
    cash = picture.money
    total = cash.realized + cash.unrealized
    tone, real, opened = tone_of(total), tone_of(cash.realized), tone_of(cash.unrealized)
    arrow = {"up": signs.up, "down": signs.down}.get(tone, signs.flat)
    split: Spans = ((f" (real {money(cash.realized)}", real), (f" open {money(cash.unrealized)})", opened))
    brief: Spans = ((f" R{cash.realized:+,.0f}", real), (f" O{cash.unrealized:+,.0f}", opened))
    return Part(
        (
            (("P&L ", "dim"), (f"{arrow} {money(total)}", tone), *split),
            (("P&L ", "dim"), (f"{arrow} {money(total)}", tone), *brief),
            ((f"{arrow} {money(total)}", tone), *brief),
            ((f"{arrow}{total:+,.0f}", tone), *brief),
            ((f"{arrow}{total:+,.0f}", tone),),
        ),
        3,
    )


def _force(picture: Picture) -> Part:
    """Which state is in force, who set it, and why."""
    tone = {"ACTIVE": "good", "REDUCING": "caution"}.get(picture.state, "alarm")
    state = picture.state if picture.state == "ACTIVE" else f" {picture.state} "
    who = f" by {clean(picture.state_by)}" if picture.state_by and picture.state != "ACTIVE" else ""
    why = f": {clean(picture.state_reason)[:40]}" if who and picture.state_reason else ""
    return Part((((state, tone), (who + why, "warn")), ((state, tone), (who, "warn")), ((state, tone),)), 3)


def _house(picture: Picture) -> Part:
    """The consumers' lag, and what went wrong in the house."""
    rows = picture.consumers
    if not rows:
        return Part(((),), 9)
    worst = max(row.lag_p99_ms for row in rows)
    late = sum(row.discarded for row in rows)
    down = sum(row.state not in ("running", "starting", "ready") for row in picture.processes)
    lag: Span = (f"lag p99 {millis(worst)}", "warn" if worst >= 500 else "text")
    bad: Spans = (
        *(((f" {late} late", "error"),) if late else ()),
        *(((f" {down} down", "error"),) if down else ()),
    )
    return Part(((lag, *bad), bad, ()), 7)


def _limits(picture: Picture) -> Part:
    """How much of the day's loss limits is used up, once that is worth a look."""
    row = picture.money
    shares = {
        "loss": used(-row.result, row.max_daily_loss),
        "drawdown": used(row.peak - row.result, row.max_drawdown),
    }
    near = {name: share for name, share in shares.items() if share is not None and share >= HEED}
    if not near:
        return Part(((),), 9)
    name = max(near, key=lambda one: near[one])
    share = near[name]
    tone = tone_of_use(share)
    return Part((((f"{name} {share * 100:.0f}% of max", tone),), ((f"{share * 100:.0f}%max", tone),), ()), 2)
