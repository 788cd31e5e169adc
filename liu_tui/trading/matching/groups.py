"""Orders that come together: the legs of a bracket, an OCO, an OTO.

    bracket  entry + take-profit + stop      exits held until the entry is completely filled
    oto      entry + one exit                the same
    oco      take-profit (the parent) + stop exits of a position that is there, live at once

What happens to them afterwards is in `floor`: an exit that fills takes its shares from its partner, and any
cancel cancels the group.
"""

from collections.abc import Callable

import msgspec

from liu_tui.model.orders import OrderClass, OrderRequest, OrderState, OrderType
from liu_tui.trading.matching.exact import ZERO
from liu_tui.trading.matching.order import Order


def make_legs(parent: Order, request: OrderRequest, name: Callable[[str], tuple[str, str]]) -> list[Order]:
    """Make the parent's legs, held, take-profit before stop; the parent learns their ids.

    name: a role ("take_profit", "stop_loss") -> the leg's id and client order id
    """
    legs = []
    if request.take_profit is not None and request.order_class is not OrderClass.OCO:
        legs.append(_leg(parent, OrderType.LIMIT, name("take_profit"), limit=request.take_profit))
    if request.stop_loss is not None:
        kind = OrderType.STOP if request.stop_loss_limit is None else OrderType.STOP_LIMIT
        legs.append(
            _leg(parent, kind, name("stop_loss"), limit=request.stop_loss_limit, stop=request.stop_loss)
        )
    parent.leg_ids = [leg.id for leg in legs]
    return legs


def hand_over(old: Order, new: Order, family: list[Order]) -> None:
    """Put `new` in the place of `old` in its group. family: the group, the parent first."""
    new.parent_id = old.parent_id
    if old.parent_id:
        family[0].leg_ids.append(new.id)
        return
    new.leg_ids, old.leg_ids = old.leg_ids, []
    for leg in family[1:]:
        leg.parent_id = new.id


def _leg(
    parent: Order,
    kind: OrderType,
    ids: tuple[str, str],
    *,
    limit: float | None = None,
    stop: float | None = None,
) -> Order:
    exits_with = parent.side if parent.order_class is OrderClass.OCO else parent.side.opposite
    return msgspec.structs.replace(
        parent,
        id=ids[0],
        client_order_id=ids[1],
        side=exits_with,
        order_type=kind,
        limit_price=None if limit is None else round(limit, 4),
        stop_price=None if stop is None else round(stop, 4),
        status=OrderState.HELD,
        opens=False,
        reserve=ZERO,
        parent_id=parent.id,
        leg_ids=[],
    )
