"""The symbol detail: chart, quote, tape, fills, what is held and working, and why it may not be traded."""

from __future__ import annotations

from liu_tui.engine.snapshot import Detail
from liu_tui.tui.format import Span, age, clean, clock, fit, price, r_units, shares
from liu_tui.tui.panes.cells import change, gain, until_words, word
from liu_tui.tui.panes.columns import Scene
from liu_tui.tui.panes.orders import order_type, state_words
from liu_tui.tui.spoken import order_price
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Board, Line, Look
from liu_tui.tui.widgets.chart import chart
from liu_tui.tui.widgets.titles import title_line

SIDE_WIDTH = 44
TAPE_KEPT = 40
LEAST_CHART = (40, 9)


class DetailBoard(Board):
    """One symbol, as large as the body."""

    def __init__(self, view: View, look: Look) -> None:
        super().__init__(look, id="detail")
        self.view = view
        self.symbol = ""
        self._tape: list[tuple[int, float, float]] = []

    def open(self, symbol: str) -> None:
        """Show a symbol from now on."""
        self.symbol, self._tape = symbol, []

    @property
    def detail(self) -> Detail | None:
        """What was last heard of the symbol."""
        return self.view.details.get(self.symbol)

    def draw(self, width: int, height: int) -> list[Line]:
        """Title, quote line, chart, and beside or below it the facts."""
        detail = self.detail
        lines = [self._title(width), self._quote(detail)]
        room = height - len(lines)
        facts = self._facts(detail)
        if width >= LEAST_CHART[0] + SIDE_WIDTH + 20:
            left = self._chart(detail, width - SIDE_WIDTH - 1, room)
            return lines + _beside(left, facts, width - SIDE_WIDTH - 1, room)
        below = min(len(facts), max(4, room - LEAST_CHART[1] - 3))
        return lines + self._chart(detail, width, room - below) + facts[:below]

    # ── parts ──

    def _title(self, width: int) -> Line:
        hit = self.view.hit(self.symbol)
        left: list[Span] = [(f" {clean(self.symbol)} ", "bold")]
        if self.view.rejected(self.symbol):
            left.append((" REJECTED ", "caution"))
        elif hit is not None and hit.state != "watched":
            left.append((f" {hit.state} ", "caution"))
        if hit is not None:
            left.append((f" {clean(hit.scanner)}: {clean(hit.values)}", "text"))
        return title_line(
            left, [("j/k other symbol  esc back", "text")], width, focused=True, live=self.look.live
        )

    def _quote(self, detail: Detail | None) -> Line:
        if detail is None or detail.words:
            return Line(((f" {clean(detail.words) if detail else 'asking for ' + self.symbol}", "warn"),))
        spans: list[Span] = [(f" {price(detail.last)} ", "bold")]
        if detail.previous_close:
            moved = (detail.last / detail.previous_close - 1) * 100
            spans.append((change(moved, self._scene())[0] + "  ", change(moved, self._scene())[1]))
        if detail.bid or detail.ask:
            spans += [
                ("bid ", "dim"), (f"{price(detail.bid)} x {shares(detail.bid_size)}  ", "text"),
                ("ask ", "dim"), (f"{price(detail.ask)} x {shares(detail.ask_size)}  ", "text"),
                ("spread ", "dim"), (f"{detail.ask - detail.bid:.2f}  ", "text"),
            ]  # fmt: skip
        spans += [("vwap ", "dim"), (price(detail.vwap), "vwap")]
        return Line(tuple(spans))

    def _chart(self, detail: Detail | None, width: int, height: int) -> list[Line]:
        if detail is None or not detail.bars:
            words = "" if detail is None or detail.words else " no minute has closed yet"
            return [Line(((words, "dim"),)), *[Line()] * (height - 1)]
        if width < LEAST_CHART[0] or height < LEAST_CHART[1]:
            return [Line(((" too little room for the chart", "dim"),)), *[Line()] * (height - 1)]
        return [Line((*row,)) for row in chart(detail, width, height, self.look.signs)]

    def _facts(self, detail: Detail | None) -> list[Line]:
        positions, orders = self.view.holdings(self.symbol)
        scene = self._scene()
        lines = [_head("position")]
        for row in positions:
            text, tone = gain(row.unrealized, scene)
            lines.append(_fact((f"{shares(row.qty)} at {price(row.avg_price)}  ", "text"), (text, tone),
                               (f"  {r_units(row.r)}R  {clean(row.strategy)}", "dim")))  # fmt: skip
            lines.append(_fact((f"stop {price(row.stop)}  target {price(row.target)}", "text")))
        lines += [] if positions else [_fact(("flat", "dim"))]
        lines.append(_head("working orders"))
        for order in orders:
            left = shares(order.qty - order.filled_qty)
            said = f"{state_words(order)} {order.role}, {order_type(order)}"
            asked = f"{word(order.operation)[0]} {left} at {order_price(order)}  "
            lines.append(_fact((asked, "text"), (said, "dim")))
        lines += [] if orders else [_fact(("none", "dim"))]
        lines += _data(detail)
        lines += self._vetoes()
        lines += self._fills(detail)
        return lines + self._trades(detail)

    def _vetoes(self) -> list[Line]:
        picture = self.view.picture
        rows = [row for row in picture.vetoes if row.symbol == self.symbol] if picture else []
        if not rows:
            return []
        hours = picture.hours if picture else None
        said = []
        for row in rows:
            whom = f"{clean(row.strategy) or 'all strategies'} {until_words(row, hours)}"
            said.append(_fact((f"{whom} by {clean(row.by)} {clean(row.reason)}", "warn")))
        return [_head("rejected for"), *said]

    def _fills(self, detail: Detail | None) -> list[Line]:
        if detail is None or not detail.fills:
            return []
        signs = self.look.signs
        rows = [
            _fact((f"{clock(t_ns)}  ", "dim"),
                  (f"{signs.bought if qty > 0 else signs.sold} {shares(qty):>7} at {price(at)}",
                   "good" if qty > 0 else "warn"))
            for t_ns, qty, at in reversed(detail.fills[-8:])
        ]  # fmt: skip
        return [_head("fills, newest first"), *rows]

    def _trades(self, detail: Detail | None) -> list[Line]:
        """The tape. The session tells the last trades; what came before is kept here."""
        if detail is None:
            return []
        known = set(self._tape)
        self._tape = [*(trade for trade in detail.tape if trade not in known), *self._tape][:TAPE_KEPT]
        rows = []
        for at, (t_ns, value, size) in enumerate(self._tape):
            before = self._tape[at + 1][1] if at + 1 < len(self._tape) else value
            tone = "up" if value > before else "down" if value < before else "text"
            rows.append(_fact((f"{clock(t_ns)}  ", "dim"), (f"{price(value):>9} {shares(size):>7}", tone)))
        return [_head("tape, newest first"), *rows] if rows else []

    def _scene(self) -> Scene:
        return Scene(self.view.now_ns(), self.look.signs)


def _data(detail: Detail | None) -> list[Line]:
    """How old the last event is beside its usual gap; a halt, the bands, and what was wrong with the data."""
    if detail is None or detail.words:
        return []
    lines = [_head("data"), _age_of(detail)]
    if detail.lower and detail.upper:
        lines.append(_fact(("bands ", "dim"), (f"{price(detail.lower)} to {price(detail.upper)}", "text")))
    if detail.held_back:
        lines.append(_fact((f"{detail.held_back} too far from the market, held back", "warn")))
    if detail.backfilled:
        lines.append(_fact((f"{len(detail.backfilled)} minutes back-filled", "warn")))
    return lines


def _age_of(detail: Detail) -> Line:
    if detail.halted:
        return _fact((" HALTED ", "caution"))
    if detail.age_s < 0:
        return _fact(("no event yet", "dim"))
    usual = f", usually {age(detail.usual_s)}" if detail.usual_s else ""
    tone = "error" if detail.stale else "text"
    return _fact(("last event ", "dim"), (f"{age(detail.age_s)} ago{usual}", tone))


def _head(text: str) -> Line:
    return Line(((f" {text}", "accent"),), "header")


def _fact(*spans: Span) -> Line:
    return Line((("  ", "text"), *spans))


def _beside(left: list[Line], right: list[Line], width: int, height: int) -> list[Line]:
    rows = []
    for y in range(height):
        mine = left[y].spans if y < len(left) else ()
        have = sum(len(text) for text, _ in mine)
        theirs = right[y].spans if y < len(right) else ()
        rows.append(Line((*mine, (fit("", max(width - have, 0)) + " ", "text"), *theirs)))
    return rows
