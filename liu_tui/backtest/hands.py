"""The hands of a backtest's desk: its effects carried out at the exchange's own rules, with no wire between.

As the live carrier does in lock-step, each request is answered before the next effect is looked at. What an
order does at the exchange waits there for the next step, as a broker's updates would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from liu_tui.backtest.record import Record
from liu_tui.model.clock import Clock
from liu_tui.model.market import Asset
from liu_tui.model.orders import Fill, OrderNews, OrderRequest, ReplaceRequest
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import (
    AskBroker,
    Booked,
    CancelAtBroker,
    Changed,
    DayKept,
    Differs,
    Effect,
    Journal,
    Latched,
    Moved,
    News,
    Notice,
    ReplaceAtBroker,
    Send,
    Suspend,
)
from liu_tui.trading.matching.exchange import Exchange, ExchangeRefusal
from liu_tui.trading.matching.listing import check_asset


class Audience(Protocol):
    """Who hears of fills and orders."""

    async def on_fill(self, fill: Fill) -> None:
        """Hear of a fill that is booked."""

    async def on_news(self, news: OrderNews) -> None:
        """Hear that an order has changed."""


class Hands:
    """Carries out effects. assets: symbol -> its listing."""

    def __init__(
        self, desk: Desk, exchange: Exchange, assets: Mapping[str, Asset], record: Record, clock: Clock
    ) -> None:
        self._desk, self._exchange, self._assets = desk, exchange, assets
        self._record, self._clock = record, clock

    async def carry(self, effects: Iterable[Effect], audience: Audience) -> None:
        """Do all of it, in its order."""
        for effect in effects:
            match effect:
                case Journal(order=order, event=event, t_ns=t_ns, words=words):
                    self._record.journal((order, event, t_ns, words))
                case Booked(fill=fill):
                    self._record.fills.append(fill)
                    await audience.on_fill(fill)
                case Moved():
                    self._record.moves.append(effect)
                case News(news=news):
                    await audience.on_news(news)
                case Notice(level=level, words=words, kind=kind, symbol=symbol):
                    self._record.say(level, words, source=symbol or "desk", kind=kind)
                case Changed() | DayKept() | Differs() | Latched() | Suspend():
                    pass  # the Notice beside it says so; a backtest has no state to come back to
                case _:
                    await self.carry(self._ask(effect), audience)

    def _ask(self, effect: Send | ReplaceAtBroker | CancelAtBroker | AskBroker) -> list[Effect]:
        now, desk = self._clock.now_ns(), self._desk
        match effect:
            case Send(request=request):
                return self._submit(request, now)
            case ReplaceAtBroker(request=request):
                return self._replace(request, now)
            case CancelAtBroker(order_id=order_id, client_order_id=cid):
                try:
                    self._exchange.cancel(order_id, now)
                except ExchangeRefusal as e:
                    return desk.on_cancel_failed(cid, _words(e), now)
                return []
            case AskBroker(client_order_id=cid):
                return desk.on_broker_order(cid, self._exchange.order_by_client_id(cid), now)

    def _replace(self, request: ReplaceRequest, now: int) -> list[Effect]:
        cid = request.client_order_id
        try:
            order = self._exchange.replace(
                request.order_id,
                now,
                qty=request.qty,
                limit_price=request.limit_price,
                stop_price=request.stop_price,
                trail=request.trail,
                tif=request.tif,
                client_order_id=cid,
            )
        except ExchangeRefusal as e:
            return self._desk.on_failed(cid, _words(e), unknown=False, now_ns=now, code=e.broker_code)
        return self._desk.on_accepted(cid, order, now)

    def _submit(self, request: OrderRequest, now: int) -> list[Effect]:
        cid = request.client_order_id
        held = next((p.qty for p in self._exchange.positions() if p.symbol == request.symbol), 0.0)
        try:
            check_asset(request, self._assets.get(request.symbol), held, no_shorting=False)
            order = self._exchange.submit(request, now)
        except ExchangeRefusal as e:
            return self._desk.on_failed(cid, _words(e), unknown=False, now_ns=now, code=e.broker_code)
        return self._desk.on_accepted(cid, order, now)


def _words(refusal: ExchangeRefusal) -> str:
    return f"{refusal.what} ({refusal.http})"
