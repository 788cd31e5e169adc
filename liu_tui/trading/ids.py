"""Names for orders: deterministic, readable, and short enough for any broker.

`{batch}-{strategy}-{symbol}-{event time}-{ordinal}` for what a strategy asked; a letter and a counter instead
of time and ordinal for what the desk itself places. What takes an order's place has its name with `-r1`,
`-r2`, ... behind it, counted along the whole chain. The same intent always has the same name, after a restart
too.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from liu_tui.model.orders import Intent

MAX_LENGTH = 128  # source: Alpaca, POST /v2/orders, client_order_id

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FOREIGN = re.compile(r"[^A-Za-z0-9._]+")
_COUNTED = re.compile(r"^(.*-[pxr])(\d+)$")
_REPLACED = re.compile(r"-r\d+$")


def base36(n: int) -> str:
    """Write a number of at least 0 in digits and lower-case letters."""
    said = ""
    while True:
        n, digit = divmod(n, 36)
        said = _DIGITS[digit] + said
        if not n:
            return said


def short(name: str, length: int) -> str:
    """Cut a name down; what is cut off is kept as a hash, so that two names never become one."""
    clean = _FOREIGN.sub("_", name)
    if clean == name and len(name) <= length:
        return name
    digest = hashlib.blake2s(name.encode(), digest_size=4).hexdigest()
    return f"{clean[: length - 9]}.{digest}" if length > 9 else digest


class Ids:
    """Gives every order of one batch its client order id."""

    def __init__(self, batch_id: str) -> None:
        self._batch = short(batch_id, 8)
        self._counts: Counter[str] = Counter()

    def of(self, intent: Intent) -> str:
        """Name the order of an intent."""
        return f"{self._stem(intent.strategy, intent.symbol)}-{base36(intent.event_ns)}-{intent.ordinal}"

    def protection(self, strategy: str, symbol: str) -> str:
        """Name the next protective order that stands by itself."""
        return self._next(f"{self._stem(strategy, symbol)}-p")

    def liquidation(self, strategy: str, symbol: str) -> str:
        """Name the desk's next closing order."""
        return self._next(f"{self._stem(strategy, symbol)}-x")

    def replacement(self, client_order_id: str) -> str:
        """Name the next order of the chain that this one belongs to."""
        return self._next(f"{_REPLACED.sub('', client_order_id)}-r")

    def seen(self, client_order_ids: Iterable[str]) -> None:
        """After a restart: go on counting where the journal ends."""
        for cid in client_order_ids:
            if found := _COUNTED.match(cid):
                self._counts[found[1]] = max(self._counts[found[1]], int(found[2]))

    def _stem(self, strategy: str, symbol: str) -> str:
        return f"{self._batch}-{short(strategy, 48)}-{short(symbol, 24)}"

    def _next(self, prefix: str) -> str:
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]}"
