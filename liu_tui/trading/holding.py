"""What one strategy holds in one symbol, as its consumer knows it: shares, entries under way, working orders.

Three streams tell it: intents that were sent, order news, fills. They may overtake each other, so `qty +
pending` is kept true in any order: only fills move shares from pending to qty, and an entry that has ended is
pending until all fills that its last news spoke of have come. Of two entries of which one shall take the
place of the other, the old one is pending until it has ended.
"""

from collections.abc import Iterable

from liu_tui.model.account import Position
from liu_tui.model.orders import AskKind, Fill, Intent, OrderNews, OrderState, Side
from liu_tui.strategy import PositionView
from liu_tui.trading.prices import target_price, trigger_price

_DUST = 1e-9
_FLAT = PositionView()


class _Entry:
    """An entry under way. qty, booked: shares, positive; sign: +1 long, -1 short.

    booked: by fills that came; answered: the desk has spoken of it; ended: no more than qty will be filled
    replaces: client order id of the entry whose place it shall take, "" if none
    """

    __slots__ = ("answered", "booked", "ended", "qty", "replaces", "sign")

    def __init__(self, sign: int, qty: float, booked: float = 0.0) -> None:
        self.sign, self.qty, self.booked = sign, qty, booked
        self.answered = self.ended = False
        self.replaces = ""

    @property
    def open(self) -> float:
        """Shares still to come, positive."""
        left = self.qty - self.booked
        return left if left > _DUST else 0.0


class Holding:
    """One strategy's holding in one symbol.

    view:    what run() is shown; the same object until something changes
    engaged: whether anything is held, asked for, or working: then run() is called outside the windows too
    """

    __slots__ = (
        "_avg_price", "_entries", "_moves", "_qty", "_stop", "_target", "_working", "engaged", "view",
    )  # fmt: skip

    def __init__(self) -> None:
        self._qty = self._avg_price = 0.0
        self._stop: float | None = None
        self._target: float | None = None
        self._entries: dict[str, _Entry] = {}  # by intent until the desk has spoken of it, then by order
        self._moves: dict[str, Intent] = {}  # a PROTECT that the desk has not answered
        self._working: set[str] = set()
        self.view = _FLAT
        self.engaged = False

    @property
    def qty(self) -> float:
        """Signed shares held."""
        return self._qty

    @property
    def entering(self) -> bool:
        """Whether an entry has been asked for and has not come to its end."""
        return bool(self._entries)

    def asked(self, intent: Intent) -> None:
        """Note an intent that leaves for the desk."""
        if intent.kind is AskKind.PROTECT:
            self._moves[intent.id] = intent
        elif intent.operation.enters and intent.kind is AskKind.ORDER:
            dollars, price = intent.notional or 0.0, intent.limit or intent.price
            shares = intent.qty or (dollars / price if price > 0 else 0.0)
            self._entries[intent.id] = _Entry(intent.operation.side.sign, shares)
            self._refresh()

    def on_news(self, news: OrderNews) -> None:
        """Hear of an order; the same news may come twice."""
        if news.state.final:
            self._working.discard(news.client_order_id)
        else:
            self._working.add(news.client_order_id)
        moved = self._moves.pop(news.intent_id, None)
        if moved is not None and news.state is not OrderState.REFUSED and self._qty:
            self._move(moved)
        if news.role == "entry":
            self._follow(news)
        self._refresh()

    def on_fill(self, fill: Fill) -> None:
        """Take a fill; its position is absolute, so hearing it twice changes nothing in qty."""
        self._qty, self._avg_price = fill.position, fill.avg_price
        if not self._qty:
            self._stop = self._target = None
        elif fill.operation.enters:
            self._stop = fill.stop if fill.stop is not None else self._stop
            self._target = fill.target if fill.target is not None else self._target
        if fill.operation.enters:
            self._count(fill)
        self._refresh()

    def restore(self, position: Position | None, live: Iterable[OrderNews]) -> None:
        """Take the desk's word in place of ours; entries that it has not answered yet stay pending."""
        held = position is not None and position.qty
        self._qty, self._avg_price = (position.qty, position.avg_price) if position and held else (0.0, 0.0)
        self._stop, self._target = (position.stop, position.target) if position and held else (None, None)
        self._entries = {id: entry for id, entry in self._entries.items() if not entry.answered}
        self._working = set()
        for news in live:
            if news.role == "entry" and not news.state.final:
                # What it has filled is in the position already.
                sign = news.operation.side.sign
                self._entries[news.client_order_id] = _Entry(sign, news.qty, news.filled_qty)
            self.on_news(news)
        self._refresh()

    def _count(self, fill: Fill) -> None:
        name = fill.client_order_id if fill.client_order_id in self._entries else fill.intent_id
        entry = self._entries.get(name)
        if entry is not None:
            entry.booked += -abs(fill.qty) if fill.amends else abs(fill.qty)
            self._close_if_done(name, entry)

    def _follow(self, news: OrderNews) -> None:
        name = news.client_order_id
        entry = self._entries.get(name) or self._entries.pop(news.intent_id, None)
        if entry is None:
            if news.state.final:
                return
            entry = _Entry(news.operation.side.sign, news.qty, news.filled_qty)  # its fills were told before
        self._entries[name] = entry
        entry.answered, entry.ended, entry.replaces = True, news.state.final, news.replaces
        entry.qty = news.filled_qty if entry.ended else news.qty
        self._close_if_done(name, entry)

    def _close_if_done(self, name: str, entry: _Entry) -> None:
        if entry.ended and not entry.open:
            del self._entries[name]

    def _move(self, intent: Intent) -> None:
        exit_side = Side.SELL if self._qty > 0 else Side.BUY
        if intent.stop is not None:
            self._stop = trigger_price(intent.stop, exit_side)
        if intent.target is not None:
            self._target = target_price(intent.target, exit_side)

    def _refresh(self) -> None:
        self.engaged = bool(self._qty or self._entries or self._working)
        if not self.engaged:
            self.view = _FLAT
            return
        pending = 0.0
        for entry in self._entries.values():
            old = self._entries.get(entry.replaces)
            if old is None or old.ended:
                pending += entry.sign * entry.open
        self.view = PositionView(self._qty, pending, self._avg_price, self._stop, self._target)
