"""A session whose strategy does what a test tells it, symbol by symbol: for states that must be held open."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.kit.drill import ask_market
from tests.kit.house import House

STRATEGY = '''
import json
from pathlib import Path

from liu_tui import Buy, Protect, Sell, Short, Cover, Strategy

SAID = Path({path!r})


class Puppet(Strategy):
    """Does what the file says of a symbol. Doing it twice comes to the same."""

    events = {{"quote"}}

    def __init__(self, name):
        super().__init__(name)
        self.read_ns, self.said = 0, {{}}

    async def run(self, symbol, now, bars, position, ctx):
        at = SAID.stat().st_mtime_ns
        if at != self.read_ns:
            self.read_ns, self.said = at, json.loads(SAID.read_text())
        verb, how = self.said.get(symbol, ("", {{}}))
        if verb == "open" and position.flat and bars.price > 0:
            long = how["qty"] > 0
            stop, target = (bars.price * (1 + f) for f in ((-0.1, 0.1) if long else (0.1, -0.1)))
            kind = Buy if long else Short
            return kind(qty=abs(how["qty"]), stop=stop, target=target if how.get("both", True) else None)
        if verb == "protect" and position.qty and position.stop != how["stop"]:
            return Protect(stop=how["stop"])
        if verb == "exit" and position.qty:
            return Sell() if position.qty > 0 else Cover()
        return None
'''

PLAN = """
portfolio_value = 1_000_000
max_symbols = {count}
consumers = 2
market_liquidation_end_time_minutes = 0

[market]
source = "simulated"
symbols = {count}
start = "09:45"
speed = {speed}
seed = 5
cash = 100_000_000
partial_fills = {partial_fills}
{market}

[limits]
max_orders_per_minute = 100_000

[scanners.MostActive]
filename = "scanners/most_active.py"
recurrence = 1
top = {count}

[strategies.Puppet]
filename = "strategies/puppet.py"
"""


class Puppet(House):
    """A workspace with that strategy. market: more lines of [market]."""

    def __init__(
        self,
        root: Path,
        *,
        count: int = 12,
        speed: float = 30.0,
        partial_fills: float = 1.0,
        market: str = "",
    ) -> None:
        plan = PLAN.format(count=count, speed=speed, partial_fills=partial_fills, market=market)
        super().__init__(root, plan)
        self._said = root / "said.json"
        self._saying: dict[str, tuple[str, dict[str, Any]]] = {}
        self.tell()
        (root / "strategies" / "puppet.py").write_text(STRATEGY.format(path=str(self._said)))

    def tell(self, *symbols: str, do: str = "", **how: float) -> None:
        """Have the strategy do this in these symbols from now on: open, protect or exit; "" is nothing."""
        self._saying |= dict.fromkeys(symbols, (do, how))
        new = self._said.with_suffix(".new")
        new.write_text(json.dumps(self._saying))
        os.replace(new, self._said)

    def tell_nothing(self) -> None:
        """Have it do nothing from now on."""
        self._saying.clear()
        self.tell()

    def fault(self, kind: str, **how: Any) -> str:
        """Have the market do wrong; returns the fault's name, by which it is ended."""
        return str(self._market("/admin/faults", "POST", {"kind": kind, **how})["id"])

    def end_fault(self, fault: str) -> None:
        """Have it do right again."""
        self._market(f"/admin/faults/{fault}", "DELETE")

    def _market(self, path: str, method: str, body: object = None) -> Any:
        (file,) = (self.root / ".liu" / "sessions").glob("*.session.json")
        return ask_market(json.loads(file.read_text())["market_url"] + path, method, body)
