"""What each booked fill cost beside its price, and who bears an order's own fee.

Where the venue says what it took, that counts; else the plan's [fees] are reckoned as the local market does.
"""

from liu_tui.model.orders import Execution, Fill, Side
from liu_tui.plan.schema import FeesTable
from liu_tui.trading.amending import heir_of
from liu_tui.trading.fees import fee_of


class Costs:
    """The costs of one batch's own fills. What is taken back gives its cost back."""

    def __init__(self, table: FeesTable) -> None:
        self._table = table
        self._fees: dict[str, float] = {}  # execution id -> dollars
        self._bears: dict[str, str] = {}  # client order id -> the execution that bears the order's own fee

    def add(self, cid: str, execution: Execution, side: Side) -> float:
        """Reckon a fill of the order; returns dollars.

        The venue counts the order's own fee with the fill that it saw first. Where another was heard of first
        the two must not both bear it, nor neither.
        """
        name, fee = execution.execution_id, execution.fee
        bears = not fee or self._with_own(fee, side, execution.qty, execution.price)
        first = bears and self._bears.setdefault(cid, name) == name
        if not fee or (bears and not first):
            fee = fee_of(self._table, side, execution.qty, execution.price, first=first)
        self._fees[name] = fee
        return fee

    def give_back(self, cid: str, execution_id: str, heir: str = "") -> float:
        """Forget a fill that did not happen; returns the dollars that it had cost. heir: takes its place."""
        if heir and self._bears.get(cid) == execution_id:
            self._bears[cid] = heir
        return self._fees.pop(execution_id, 0.0)

    def restore(self, fill: Fill) -> None:
        """Take a row of the books; in the order in which they were booked."""
        cid = fill.client_order_id
        if fill.amends:
            self.give_back(cid, fill.amends, heir_of(fill.execution_id, fill.amends))
            return
        if self._with_own(fill.fee, fill.operation.side, abs(fill.qty), fill.price):
            self._bears.setdefault(cid, fill.execution_id)
        self._fees[fill.execution_id] = fill.fee

    def _with_own(self, fee: float, side: Side, qty: float, price: float) -> bool:
        # Whether the order's own fee may be in it: it is not what the shares alone cost.
        return not self._table.per_order or fee != fee_of(self._table, side, qty, price, first=False)
