"""What happens to orders once they are taken: they wait, work, fill, wake their legs, and end.

    advance(time)     the day's boundaries: waiting orders begin, day orders end; requests arrive at the book
    see(event)        a market event: the symbol's working orders try to trade
    arrive            a new order with its legs
    cancel, replace   requests for an order; with latency they are on their way for a while
    correct           a fill that is taken back or repriced

Every change is told by the `teller`, in order. Nothing here refuses: that was done before.
"""

from decimal import ROUND_DOWN, Decimal

from liu_tui.model.market import Bar, Quote, Trade
from liu_tui.model.orders import Execution, OrderClass, OrderState, Side, TimeInForce
from liu_tui.trading.matching import credit, deals
from liu_tui.trading.matching.bands import Bands
from liu_tui.trading.matching.book import Book, Slot
from liu_tui.trading.matching.draw import first_slice
from liu_tui.trading.matching.errands import Errand
from liu_tui.trading.matching.exact import SHARE, ZERO
from liu_tui.trading.matching.groups import hand_over
from liu_tui.trading.matching.hours import OPEN
from liu_tui.trading.matching.mark import is_present, reached
from liu_tui.trading.matching.order import AT_ONCE, AUCTIONS, Order
from liu_tui.trading.matching.state import Core
from liu_tui.trading.matching.teller import Teller
from liu_tui.trading.matching.trailing import follow


class Floor:
    """The orders of one account, and the market they meet."""

    def __init__(self, core: Core, book: Book, teller: Teller) -> None:
        self.core, self.book, self.teller = core, book, teller
        self.bands = Bands(core.bands, core.hours)
        # Sizes and bands are kept only for those whose manners need them: most events are of no order.
        self._deep = core.options.displayed or core.options.queue or core.options.luld

    def advance(self, now_ns: int) -> None:
        """Let time pass, through every boundary of the day on the way. Time never goes back."""
        core = self.core
        while (due := self._due_ns()) is not None and due <= now_ns:
            core.now_ns = max(core.now_ns, due)
            if core.errands and core.errands[0].due_ns <= due:
                self._deliver(core.errands.pop(0))
            elif core.hours.phase < OPEN:
                core.hours.phase += 1
                self._begin_waiting()
            else:
                self._end_of_time()
                core.hours.phase += 1
        core.now_ns = max(core.now_ns, now_ns)
        self.bands.pass_time(core.now_ns)

    def see(self, event: Trade | Quote | Bar) -> None:
        """Take a market event in; match the symbol's orders against it."""
        if isinstance(event, Bar) and not is_present(event):
            return
        slot = self.book.slot(event.symbol)
        if self._deep:
            self._see_deep(slot, event)
        if not slot.open:
            slot.mark.see(event)
            return
        self.advance(event.end_ns if isinstance(event, Bar) else event.t_ns)
        slot.mark.see(event)
        for order in [order for order in slot.open.values() if order.live]:
            self._try(order, slot, event)

    def arrive(self, order: Order, legs: list[Order]) -> None:
        """Send a new order, with its legs, to the book."""
        for member in (order, *legs):
            self.book.add(member)
        begun = self._begun(order)
        if not self.core.options.latency_ns:
            for member in begun:
                self._begin(member)
            return
        for member in begun:
            self.teller.tell(member, OrderState.PENDING_NEW, "pending_new")
        self._send("new", order)

    def work(self, order: Order) -> None:
        """Let an order that has begun, with its legs, try what the market offers now."""
        for member in self._begun(order):
            self._try(member, self.book.slot(member.symbol), None)

    def cancel(self, order: Order) -> list[Order]:
        """Cancel an order, and with it its whole group; return what is or will be canceled."""
        if self.core.options.latency_ns:
            order.asked = "cancel"
            self.teller.tell(order, order.status, "pending_cancel")
            self._send("cancel", order)
            return [order]
        return self._cancel(order)

    def replace(self, old: Order, new: Order) -> None:
        """Put `new` in the place of `old`, whose state it takes."""
        if not self.core.options.latency_ns:
            self._swap(old, new)
            return
        old.asked, new.stands_in, new.base = "replace", old.group_id, old.done
        self.book.add(new)
        self.teller.tell(old, old.status, "pending_replace")
        self.teller.tell(new, OrderState.PENDING_NEW, "pending_new")
        self._send("replace", new)

    def correct(self, old: Execution, price: Decimal | None) -> Execution:
        """Take a fill back (price None), or give it another price; returns the row that stands for it now."""
        stands = self.teller.correct(old, price)
        self._trim_exits(old.symbol)
        return stands

    # ---- time and requests

    def _due_ns(self) -> int | None:
        due, errands = self.core.hours.due_ns, self.core.errands
        if not errands:
            return due
        return errands[0].due_ns if due is None else min(due, errands[0].due_ns)

    def _send(self, what: str, order: Order) -> None:
        self.core.errands.append(Errand(self.core.now_ns + self.core.options.latency_ns, what, order.id))

    def _deliver(self, errand: Errand) -> None:
        order = self.book.orders[errand.order_id]
        if errand.what == "replace":
            self._deliver_replacement(order)
        elif errand.what == "cancel" and order.open:
            self._cancel(order)
        elif errand.what == "new":
            begun = [member for member in self._begun(order) if member.status is OrderState.PENDING_NEW]
            for member in begun:
                self._begin(member)
            for member in begun:
                self._try(member, self.book.slot(member.symbol), None)

    def _deliver_replacement(self, new: Order) -> None:
        old = self.book.orders[new.replaces]
        new.qty -= old.done - new.base
        new.stands_in, old.asked = "", ""
        if not new.open:
            self.book.touch(old)
            return
        if old.open and new.leaves > 0 and not (old.triggered and old.limit_price is None):
            self._swap(old, new)
            self.work(new)
            return
        new.qty = max(new.qty, ZERO)
        if new.parent_id:
            parent = self.book.orders[new.parent_id]
            parent.leg_ids.append(new.id)
            self.book.touch(parent)
        self.teller.tell(new, OrderState.REJECTED, "rejected")
        self.teller.tell(old, old.status, "order_replace_rejected")

    def _begun(self, order: Order) -> list[Order]:
        """The orders that go to the book together: a pair of exits does, an entry goes before its legs."""
        pair = order.order_class is OrderClass.OCO and not order.parent_id and not order.replaces
        return [order, *self.book.legs(order)] if pair else [order]

    def _begin(self, order: Order) -> None:
        # On the book at once, or it waits for its part of the day.
        if self.core.hours.begins(order) and order.tif is not TimeInForce.OPG:
            self.teller.tell(order, OrderState.NEW, "new")
        else:
            self.teller.tell(order, OrderState.ACCEPTED, "accepted")

    def _begin_waiting(self) -> None:
        hours = self.core.hours
        for order in list(self.book.open.values()):
            if order.status is OrderState.ACCEPTED and hours.begins(order):
                self.teller.tell(order, OrderState.NEW, "new")
                self._try(order, self.book.slot(order.symbol), None)

    def _end_of_time(self) -> None:
        core = self.core
        for order in list(self.book.open.values()):
            if order.open and (core.hours.ends(order) or 0 < order.expires_ns <= core.now_ns):
                if order.tif is TimeInForce.CLS and not order.live:
                    self.teller.tell(order, OrderState.NEW, "new")
                    self._try(order, self.book.slot(order.symbol), None)
                if order.open:
                    self._end(order, OrderState.EXPIRED, "expired")
        if core.hours.phase == OPEN:
            core.last_equity = credit.equity(self.book, core.funds)

    def _cancel(self, order: Order) -> list[Order]:
        members = [member for member in self.book.family(order) if member.open]
        for member in members:
            self.teller.tell(member, OrderState.CANCELED, "canceled")
        return members

    def _swap(self, old: Order, new: Order) -> None:
        hand_over(old, new, self.book.family(old))
        old.replaced_by = new.id
        self.book.add(new)
        for leg in self.book.legs(new):
            self.book.touch(leg)
        self.book.touch(self.book.orders[new.group_id])  # it knows its legs by their ids
        status = OrderState.HELD if old.status is OrderState.HELD else OrderState.NEW
        self.teller.tell(old, OrderState.REPLACED, "replaced")
        self.teller.tell(new, status, "new")

    def _end(self, order: Order, status: OrderState, event: str) -> None:
        self.teller.tell(order, status, event)
        for leg in self.book.legs(order):
            if leg.status is OrderState.HELD:
                self.teller.tell(leg, OrderState.CANCELED, "canceled")

    # ---- trading

    def _see_deep(self, slot: Slot, event: Trade | Quote | Bar) -> None:
        slot.mark.see_sizes(event)
        if self.core.options.luld:
            self.bands.see(event)

    def _try(self, order: Order, slot: Slot, event: deals.Event) -> None:
        if not order.live or not self.core.hours.admits(order):
            return
        if order.sleeping and not self._wakes(order, slot, event):
            return
        self._trade(order, slot, event)
        if order.open and order.tif in AT_ONCE and slot.mark.known:
            late = order.tif in AUCTIONS
            status, event_word = (
                (OrderState.EXPIRED, "expired") if late else (OrderState.CANCELED, "canceled")
            )
            self._end(order, status, event_word)

    def _wakes(self, order: Order, slot: Slot, event: deals.Event) -> bool:
        price = slot.mark.watched(event, order.side)
        if order.trails and not reached(order, price):
            if follow(order, price):
                self.book.touch(order)
            return False
        if not reached(order, price):
            return False
        order.triggered = True
        self.book.touch(order)
        return True

    def _trade(self, order: Order, slot: Slot, event: deals.Event) -> None:
        core, waited = self.core, order.ahead
        deal = deals.find(order, slot.mark, event, core.options)
        if deal is not None and self._allows(order, deal):
            self._size(order, deal.price)
            qty = deal.cut(self._slice(order))
            if qty > 0 and (order.tif is not TimeInForce.FOK or qty == order.leaves):
                slot.mark.take(order.side, float(qty), printed=deal.printed)
                self.teller.fill(order, qty, deal.price)
                self._follow(order, qty)
        if order.open and not order.rested and order.limit_price is not None:
            order.rested = True
            if core.options.queue:
                deals.stand(order, slot.mark)
        if order.open and order.ahead != waited:
            self.book.touch(order)

    def _allows(self, order: Order, deal: deals.Deal) -> bool:
        core = self.core
        if not core.options.luld:
            return True
        return self.bands.allow(order.symbol, float(deal.price), core.now_ns)

    def _size(self, order: Order, price: Decimal) -> None:
        """Turn an amount in dollars into shares, at its first fill."""
        if order.notional is None or order.done:
            return
        order.qty = (order.notional / price).quantize(SHARE, ROUND_DOWN)
        if not order.opens:
            # Not more than is held: the price may have fallen since it was asked for.
            free = credit.available(self.book, self.core.funds, order.symbol, order.side, without=order)
            order.qty = min(order.qty, free)

    def _slice(self, order: Order) -> Decimal:
        if order.sliced or order.tif is TimeInForce.FOK or order.notional is not None:
            return order.leaves
        order.sliced = True
        core = self.core
        return first_slice(core.seed, order.content, order.leaves, core.partial_fills)

    # ---- groups

    def _follow(self, order: Order, qty: Decimal) -> None:
        if order.enters:
            if not order.leaves:
                self._release(order)
            return
        for partner in self.book.partners(order):
            self._shrink(partner, partner.leaves - qty)

    def _release(self, entry: Order) -> None:
        # What the entry bought may have been sold since by another order: exits never open a position.
        legs = [leg for leg in self.book.legs(entry) if leg.status is OrderState.HELD]
        free = credit.available(self.book, self.core.funds, entry.symbol, entry.side.opposite)
        for leg in legs:
            leg.qty = min(leg.qty, free)
            if leg.qty:
                self.teller.tell(leg, OrderState.NEW, "new")
            else:
                self.teller.tell(leg, OrderState.CANCELED, "canceled")
        for leg in legs:
            self._try(leg, self.book.slot(leg.symbol), None)

    def _trim_exits(self, symbol: str) -> None:
        # A bust may have taken away what exits were to close: exits never open a position.
        held = self.core.funds.qty(symbol)
        free = {Side.SELL: max(ZERO, held), Side.BUY: max(ZERO, -held)}
        spent: dict[str, Decimal] = {}
        for order in list(self.book.slot(symbol).open.values()):
            if order.opens or order.status is OrderState.HELD:
                continue
            had = spent.get(order.reserve_id, ZERO)
            self._shrink(order, max(ZERO, free[order.side] + had))
            spent[order.reserve_id] = max(had, order.leaves if order.open else ZERO)
            free[order.side] += had - spent[order.reserve_id]

    def _shrink(self, order: Order, most: Decimal) -> None:
        """Leave the order no more than `most` shares to do."""
        if order.leaves <= most:
            return
        if most <= 0:
            self.teller.tell(order, OrderState.CANCELED, "canceled")
            return
        order.qty -= order.leaves - most
        self.teller.tell(order, order.status, "restated")
