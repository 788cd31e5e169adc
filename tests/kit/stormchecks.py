"""What must be true after a storm, said as differences: an empty list is what is wanted."""

from __future__ import annotations

from collections import Counter, defaultdict

from liu_tui.model.orders import AskKind, OrderState
from liu_tui.trading.ids import Ids
from liu_tui.trading.orders import ENTRY, EXIT, PROTECTIVE
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.reconcile import every
from tests.kit import stormdeeds
from tests.kit.storm import Storm

_OF_AN_EXIT = {"NOTHING_TO_CLOSE", "ALREADY_CLOSING"}
_UNSURE = {OrderState.UNKNOWN, OrderState.SUBMITTED, OrderState.INTENT}


def end(storm: Storm) -> list[str]:
    """Let it become calm, compare; close everything, compare again. Returns what differs."""
    for symbol in sorted(storm.door.halted):
        storm.door.halted.discard(symbol)
        storm.desk.on_halt(symbol, halted=False)
    storm.calm(90)
    _decide(storm)
    found = [f"calm: {words}" for words in [*orders(storm), *fills(storm), *shares(storm), *outcomes(storm)]]
    found += [] if _opposed(storm) else unprotected(storm)
    for _ in range(3):
        storm.carry(storm.desk.flatten(storm.now_ns, by="the end"))
        storm.calm(60)
        _decide(storm)
        if not storm.desk.latches and not storm.exchange.positions():
            break
    found += [*orders(storm), *fills(storm), *shares(storm), *outcomes(storm)]
    if _opposed(storm):
        return [*found, *exits_refused(storm)]
    found += [*flat(storm), *money(storm)]
    return [*found, *oversold(storm), *exits_refused(storm), *reborn(storm)]


def survived(seed: int, deeds: int) -> tuple[Storm, list[str]]:
    """Make one storm, and say what differs after it; a broken promise on the way is a difference too."""
    storm = Storm(seed)
    try:
        stormdeeds.run(storm, deeds)
        return storm, end(storm)
    except AssertionError as e:
        return storm, [str(e)]


def _opposed(storm: Storm) -> bool:
    """Whether a bust has left one strategy long and another short: the exchange then closes neither whole."""
    sides = {(symbol, p.qty > 0) for (_, symbol), p in storm.desk.positions.items() if p.qty}
    return bool(storm.faults["bust"]) and any((symbol, not long) in sides for symbol, long in sides)


def _decide(storm: Storm) -> None:
    for symbol in list(storm.desk.differences):
        if not storm.desk.resolve_refused(symbol, "adopt"):
            storm.carry(storm.desk.resolve(symbol, "adopt", "the end", storm.now_ns))
    storm.calm(35)


def orders(storm: Storm) -> list[str]:
    """Every order of the exchange is in the journal as it is there, and the other way round."""
    theirs = {order.id: order for order in every(storm.exchange.orders())}
    ours = {record.order_id: record for record in storm.rows.orders.values() if record.order_id}
    found = []
    for order in theirs.values():
        record = ours.get(order.id)
        if record is None and storm.strangers:
            continue
        if record is None:
            found.append(f"{order.client_order_id} is not in the journal: {order.status}")
        elif (record.state, record.filled_qty) != (order.status, order.filled_qty):
            found.append(
                f"{record.client_order_id}: {record.state} {record.filled_qty:g} in the journal, "
                f"{order.status} {order.filled_qty:g} at the exchange"
            )
    for record in storm.rows.orders.values():
        if record.state in _UNSURE:
            found.append(f"{record.client_order_id} has no outcome: {record.state}, {record.words}")
        never = (OrderState.REFUSED, OrderState.FAILED, OrderState.CANCELED)
        if not record.order_id and record.state not in never:
            found.append(f"{record.client_order_id} is {record.state} and the exchange has not got it")
    kept = {cid: record.state for cid, record in storm.rows.orders.items()}
    held = {cid: record.state for cid, record in storm.desk.orders.items()}
    if kept != held:
        found.append(f"rows and desk: {sorted(set(kept.items()) ^ set(held.items()))}")
    return found


def fills(storm: Storm) -> list[str]:
    """Fills and executions stand one to one, and positions are their sums."""
    theirs = {one.execution_id: (one.qty, one.price) for one in storm.exchange.standing()}
    back = {fill.amends for fill in storm.rows.fills.values() if fill.amends}
    ours = {
        fill.execution_id: (abs(fill.qty), fill.price)
        for fill in storm.rows.fills.values()
        if not fill.amends and fill.execution_id not in back
    }
    found = []
    if not storm.strangers:  # what they did a person adopts by its effect
        found += [f"execution {name} is not booked: {theirs[name]}" for name in theirs.keys() - ours.keys()]
        found += [f"fill {name} has no execution: {ours[name]}" for name in ours.keys() - theirs.keys()]
    found += [f"fill {n}: {ours[n]}, there {theirs[n]}" for n in theirs if n in ours and ours[n] != theirs[n]]
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for fill in storm.rows.fills.values():
        sums[fill.strategy, fill.symbol] = round(sums[fill.strategy, fill.symbol] + fill.qty, 9)
    for key, position in storm.desk.positions.items():
        if abs(position.qty - sums[key]) > 1e-6:
            found.append(f"{key}: {position.qty:g} held, the fills sum to {sums[key]:g}")
        if key in storm.holdings and storm.holdings[key].qty != position.qty:
            found.append(f"{key}: {position.qty:g} held, the strategy believes {storm.holdings[key].qty:g}")
    if storm.heard_fills != len(storm.rows.fills):
        found.append(f"{len(storm.rows.fills)} fills, {storm.heard_fills} told")
    return sorted(found)


def shares(storm: Storm) -> list[str]:
    """The account holds what the books say."""
    theirs = {position.symbol: position.qty for position in storm.exchange.positions()}
    symbols = theirs.keys() | {symbol for _, symbol in storm.desk.positions}
    ours = {symbol: storm.desk.net(symbol) for symbol in symbols}
    return [
        f"{symbol}: {ours[symbol]:g} in the books, {theirs.get(symbol, 0.0):g} at the exchange"
        for symbol in sorted(symbols)
        if abs(ours[symbol] - theirs.get(symbol, 0.0)) > 1e-6
    ]


def outcomes(storm: Storm) -> list[str]:
    """Every intent has one answer, and one order at most."""
    found = [f"intent {name} was never answered" for name in storm.unanswered]
    named: Counter[str] = Counter()
    for record in storm.rows.orders.values():
        if record.role in (ENTRY, EXIT) and record.strategy != EXTERNAL:
            named[record.intent_id] += 1
    for name, intent in storm.asked.items():
        if intent.kind is AskKind.ORDER:
            cid = Ids("b1").of(intent)
            if cid not in storm.rows.orders:
                found.append(f"intent {name} has no order")
    found += [f"intent {name} has {n} orders" for name, n in named.items() if name and n > 1]
    return found


def unprotected(storm: Storm) -> list[str]:
    """Shares that had a stop, and for which nothing rests though nothing hinders it."""
    desk, found = storm.desk, []
    for key, position in desk.positions.items():
        live = [record for record in desk.orders.values() if record.live and record.symbol == key[1]]
        # Beside a working entry the exchange refuses a stop (it might trade with itself); it is tried again.
        busy = desk.latches or any(record.role not in PROTECTIVE for record in live)
        if position.qty and position.stop is not None and not busy and not storm.strangers:
            groups = {record.group: record.remaining for record in live if record.strategy == key[0]}
            if sum(groups.values()) < abs(position.qty) - 1e-6:
                found.append(f"calm: {key}: {position.qty:g} held with a stop, {groups} rest for it")
    return found


def flat(storm: Storm) -> list[str]:
    """Nothing is held, nothing works, and no flatten is open."""
    desk = storm.desk
    found = [f"{p.symbol}: {p.qty:g} are left at the exchange" for p in storm.exchange.positions()]
    found += [f"{key}: {p.qty:g} are left" for key, p in desk.positions.items() if p.qty]
    found += [f"{r.client_order_id} works on: {r.state}" for r in desk.orders.values() if r.live]
    found += [f"the flatten of {symbol or 'everything'} is not done" for symbol in desk.latches]
    found += [f"difference {one.words}" for one in desk.differences.values()]
    return found


def money(storm: Storm) -> list[str]:
    """The day's result is what the account won; whose own fee a bust gives back only the exchange knows."""
    won = storm.exchange.cash - storm.exchange.starting_cash
    ours, busts = storm.desk.day.result, storm.faults["bust"]
    if storm.strangers or abs(ours - won) <= 0.01 + busts * storm.fees.per_order:
        return []
    return [f"the day: {ours:.4f} in the books, {won:.4f} at the exchange"]


def oversold(storm: Storm) -> list[str]:
    """No exit opened or enlarged a position at the exchange; after a bust nobody could know better."""
    entries = {r.order_id for r in storm.rows.orders.values() if r.role == ENTRY}
    roots: dict[str, str] = {}
    counted: dict[str, float] = {}
    held: dict[str, float] = defaultdict(float)
    busted: set[str] = set()
    found = []
    for done in storm.exchange.executions():
        root = roots[done.execution_id] = roots.get(done.corrects, done.corrects) or done.execution_id
        before, signed = held[done.symbol], done.side.sign * done.qty
        after = held[done.symbol] = round(before + signed - counted.get(root, 0.0), 9)
        counted[root] = signed
        if done.corrects and not done.qty:
            busted.add(done.symbol)
        if done.corrects or done.symbol in busted or storm.strangers:
            continue
        if done.order_id not in entries and abs(after) >= abs(before):
            found.append(f"{done.symbol}: an exit took {before:g} to {after:g} ({done.order_id})")
        elif before * after < 0:
            found.append(f"{done.symbol}: went through zero, {before:g} to {after:g}")
    return found


def reborn(storm: Storm) -> list[str]:
    """Another desk that begins from the rows believes the same."""
    before = _beliefs(storm)
    storm.kill("at the end")
    storm.calm(5)
    after = _beliefs(storm)
    names = sorted(before.keys() | after.keys())
    return [
        f"after a start {n}: {before.get(n)} became {after.get(n)}"
        for n in names
        if before.get(n) != after.get(n)
    ]


def _beliefs(storm: Storm) -> dict[str, object]:
    desk = storm.desk
    said: dict[str, object] = {"day": round(desk.day.result, 4), "sent": desk.day.orders, "state": desk.state}
    for cid, r in desk.orders.items():
        said[cid] = (r.state, r.filled_qty, round(r.avg_price, 6))
    for key, p in desk.positions.items():
        said[f"{key}"] = (p.qty, round(p.realized, 6))
    for key, holding in storm.holdings.items():
        said[f"{key} engaged"] = holding.engaged
    return said


def exits_refused(storm: Storm) -> list[str]:
    """No exit was refused for anything but that there is nothing to close."""
    return [
        f"{r.client_order_id}: an exit was refused: {r.code}"
        for r in storm.rows.orders.values()
        if r.role == EXIT and r.code and r.code not in _OF_AN_EXIT
    ]
