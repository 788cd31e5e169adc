"""Other terms for a working order: the broker makes a new order in its place, chained to the old one.

Both are written down in one transaction before anything leaves: the old one as PENDING_REPLACE, the new one
as an INTENT under an id of its own. From then on each has its own life. The new one is answered, or lost and
asked for, like any order, and never sent twice; the old one ends as replaced, or filled, or works on. What no
answer says the broker is asked, until it is clear which of the two lives. Legs follow whoever took the place.
"""

import msgspec

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import OrderState, ReplaceRequest
from liu_tui.trading.asking import Asker, Cancels
from liu_tui.trading.book import Book
from liu_tui.trading.ids import Ids
from liu_tui.trading.orders import PROTECTIVE, OrderRecord

# The update of the old order comes with the answer; one that does not is asked for.
_PATIENCE_S = 5

S = OrderState
_UNANSWERED = (S.INTENT, S.SUBMITTED, S.UNKNOWN)
_CAME_TO_NOTHING = (S.FAILED, S.REJECTED)


class Replacer:
    """Puts new orders in the place of working ones, and sees to it that one of the two ends."""

    def __init__(self, book: Book, ids: Ids, asker: Asker, cancels: Cancels) -> None:
        self._book, self._ids, self._asker, self._cancels = book, ids, asker, cancels
        self._heirs: dict[str, str] = {}  # an order's id -> that of the one that shall take its place
        self._asked_ns: dict[str, int] = {}

    def send(self, old: OrderRecord, new: OrderRecord, now_ns: int) -> OrderRecord:
        """Ask for `new` in the place of `old`; it gets its id here.

        new: a copy of `old` with other terms; its qty is the shares that are still to be filled
        """
        filled = max(old.filled_qty, old.broker_filled)
        new = msgspec.structs.replace(
            new,
            client_order_id=self._ids.replacement(old.client_order_id),
            order_id="",
            filled_qty=0.0,
            avg_price=0.0,
            broker_filled=0.0,
            created_ns=now_ns,
            replaces=old.client_order_id,
            code="",
            numbers="{}",
        )
        self._heirs[old.client_order_id] = new.client_order_id
        terms = ReplaceRequest(
            order_id=old.order_id,
            client_order_id=new.client_order_id,
            symbol=old.symbol,
            qty=new.qty + filled if new.qty != old.remaining else None,
            limit_price=_other(old.limit_price, new.limit_price),
            stop_price=_other(old.stop_price, new.stop_price),
            trail=_other(old.trail_price, new.trail_price) or _other(old.trail_percent, new.trail_percent),
            tif=new.tif if new.tif is not old.tif else None,
        )
        return self._book.replace(old, new, terms, now_ns)

    def under_way(self, cid: str) -> bool:
        """Whether another order is about to take the place of this one."""
        return cid in self._heirs

    def after(self, record: OrderRecord, now_ns: int) -> None:
        """See either of the two change."""
        for cid in (record.client_order_id, record.replaces):
            if cid in self._heirs:
                self._settle(cid, now_ns)

    def on_time(self, now_ns: int) -> None:
        """Ask for what the answers did not say."""
        for cid in list(self._heirs):
            self._settle(cid, now_ns)

    def restore(self) -> None:
        """After a restart: know who takes whose place."""
        orders = self._book.orders
        self._heirs = {r.replaces: cid for cid, r in orders.items() if r.replaces in orders}

    def _settle(self, cid: str, now_ns: int) -> None:
        old, new = self._book.orders[cid], self._book.orders[self._heirs[cid]]
        if not old.live:
            if old.state is S.REPLACED:
                self._hand_over(old, new, now_ns)
            self._forget(cid)
        elif new.state in _CAME_TO_NOTHING:
            self._came_to_nothing(old, now_ns)
        elif new.state not in _UNANSWERED and now_ns - new.updated_ns >= _PATIENCE_S * SECOND_NS:
            self._look(old, now_ns)

    def _came_to_nothing(self, old: OrderRecord, now_ns: int) -> None:
        if old.role in PROTECTIVE and not self._cancels.wanted(old.client_order_id):
            # It rests where it should not any more: it is taken away, and what is held protected anew.
            self._cancels.withdraw([old], "it could not be moved: it is placed anew", now_ns)
            self._forget(old.client_order_id)
        elif old.state is S.PENDING_REPLACE:
            self._look(old, now_ns)
        else:
            self._forget(old.client_order_id)

    def _look(self, old: OrderRecord, now_ns: int) -> None:
        cid = old.client_order_id
        if now_ns - self._asked_ns.get(cid, -_PATIENCE_S * SECOND_NS) >= _PATIENCE_S * SECOND_NS:
            self._asked_ns[cid] = now_ns
            self._asker.look(old, now_ns)

    def _hand_over(self, old: OrderRecord, new: OrderRecord, now_ns: int) -> None:
        for leg in self._book.legs(old.client_order_id):
            if leg.parent == old.client_order_id:
                self._book.put(msgspec.structs.replace(leg, parent=new.client_order_id), "leg", now_ns)

    def _forget(self, cid: str) -> None:
        self._heirs.pop(cid, None)
        self._asked_ns.pop(cid, None)


def _other(old: float | None, new: float | None) -> float | None:
    return new if new != old else None
