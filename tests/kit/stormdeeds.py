"""What is done to a storm: strategies ask, persons decide, the market moves, and things fail."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import AskKind, Intent, Operation, OrderRequest, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exchange import ExchangeRefusal
from tests.kit.desk import an_intent
from tests.kit.storm import STRATEGIES, SYMBOLS, Storm

Deed = Callable[[Storm], None]


def run(storm: Storm, deeds: int) -> None:
    """Do so many deeds, one after another, as the seed has it."""
    for symbol in SYMBOLS:
        storm.quote(symbol, 100.0)
    storm.pass_time(2.0)
    names = [name for name, (weight, _) in DEEDS.items() for _ in range(weight)]
    names += ["stranger"] * (2 if storm.draw.random() < 0.25 else 0)
    for _ in range(deeds):
        name = storm.draw.choice(names)
        storm.log.append(f"{storm.now_ns} -- {name}")
        storm.guarded(partial(stranger if name == "stranger" else DEEDS[name][1], storm))
        storm.pass_time(storm.draw.choice((0.0, 0.1, 0.5, 1.0)))


# strategies


def enter(storm: Storm) -> None:
    """Buy or sell short: in every kind of order, with every kind of protection."""
    draw, symbol = storm.draw, storm.draw.choice(SYMBOLS)
    operation = draw.choice((Operation.BUY, Operation.BUY, Operation.SHORT))
    sign, price = operation.side.sign, storm.prices[symbol]
    words: dict[str, Any] = draw.choice(
        (
            {}, {}, {"limit": price - 0.3 * sign}, {"limit": price + 0.5 * sign}, {"notional": 2500.0},
            {"trigger": price + 0.4 * sign}, {"trigger": price + 0.4 * sign, "limit": price + 0.6 * sign},
            {"trail": 0.5}, {"trail_percent": 0.6},
        )
    )  # fmt: skip
    words = dict(words)
    if draw.random() < 0.7 and "notional" not in words and "trail" not in words:
        stop, target = price - draw.choice((0.5, 2.0)) * sign, price + draw.choice((0.7, 3.0)) * sign
        more = draw.choice(({"stop": stop, "target": target}, {"stop": stop}, {"target": target}))
        words |= more
        if "stop" in more and draw.random() < 0.3:
            words["stop_limit"] = stop - 0.3 * sign
    dollars, plain = "notional" in words, "stop" not in words and "target" not in words
    if dollars:
        operation = Operation.BUY
    else:
        times = (TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
        words["tif"] = draw.choice(times if plain else times[:3])
    fraction = 2.5 if plain and operation is Operation.BUY and words.get("tif") is TimeInForce.DAY else 20
    _ask(storm, operation, 0.0 if dollars else draw.choice((10, 30, 100, fraction)), symbol, **words)


def leave(storm: Storm) -> None:
    """Close what is held, whole or in part, at once or at a price."""
    held = {key: holding for key, holding in storm.holdings.items() if holding.qty}
    if not held:
        return
    draw = storm.draw
    (strategy, symbol), holding = draw.choice([*held.items()])
    operation = Operation.SELL if holding.qty > 0 else Operation.COVER
    sign, price = operation.side.sign, storm.prices[symbol]
    words = draw.choice(
        (
            {}, {}, {"limit": price - 0.4 * sign}, {"limit": price + 0.2 * sign},
            {"trigger": price + 0.4 * sign}, {"trigger": price + 0.4 * sign, "limit": price + 0.8 * sign},
            {"trail": 0.4}, {"trail_percent": 0.5},
        )
    )  # fmt: skip
    qty = draw.choice((0.0, 0.0, 5.0, abs(holding.qty) / 2, abs(holding.qty) + 50))
    _ask(storm, operation, round(qty, 2), symbol, strategy=strategy, **words)


def change(storm: Storm) -> None:
    """Give a working entry other terms."""
    draw = storm.draw
    working = [key for key, holding in storm.holdings.items() if holding.entering]
    if not working:
        return
    strategy, symbol = draw.choice(working)
    price = storm.prices[symbol]
    terms = draw.choice(({"qty": 50.0}, {"qty": 7.0}, {"limit": price - 0.1}, {"limit": price + 0.1}))
    qty, limit = terms.get("qty", 0.0), terms.get("limit")
    _ask(storm, Operation.BUY, qty, symbol, strategy=strategy, kind=AskKind.REPLACE, limit=limit)


def protect(storm: Storm) -> None:
    """Move the stop, the target, or both."""
    held = {key: holding for key, holding in storm.holdings.items() if holding.qty}
    if not held:
        return
    draw = storm.draw
    (strategy, symbol), holding = draw.choice([*held.items()])
    sign, price = (1 if holding.qty > 0 else -1), storm.prices[symbol]
    stop, target = price - draw.choice((-0.2, 0.4, 1.5)) * sign, price + draw.choice((0.4, 2.0)) * sign
    words = draw.choice(({"stop": stop}, {"target": target}, {"stop": stop, "target": target}))
    _ask(storm, Operation.BUY, 0.0, symbol, strategy=strategy, kind=AskKind.PROTECT, **words)


def withdraw(storm: Storm) -> None:
    """Take entries back."""
    _ask(storm, Operation.BUY, 0.0, storm.draw.choice(SYMBOLS), kind=AskKind.CANCEL)


def again(storm: Storm) -> None:
    """Say an intent a second time, as a consumer does that starts again."""
    orders = [one for one in storm.asked.values() if one.kind is not AskKind.CANCEL]
    if orders:
        storm.intents.append(storm.draw.choice(orders))


def _ask(storm: Storm, operation: Operation, qty: float, symbol: str, **words: Any) -> None:
    strategy = words.pop("strategy", None) or storm.draw.choice(STRATEGIES)
    n = len(storm.asked) + 1
    intent: Intent = an_intent(
        operation, qty, symbol, n=n, strategy=strategy, price=storm.prices[symbol],
        **{name: round(value, 2) if isinstance(value, float) else value for name, value in words.items()},
    )  # fmt: skip
    intent = replace(intent, event_ns=storm.now_ns, ordinal=n)
    storm.asked[intent.id] = intent
    if intent.kind is not AskKind.CANCEL:
        storm.unanswered[intent.id] = intent
    if intent.kind is AskKind.PROTECT or intent.operation.enters:
        storm.holdings[strategy, symbol].asked(intent)
    storm.intents.append(intent)


# the market


def move(storm: Storm) -> None:
    """Move one price a little, or much."""
    symbol = storm.draw.choice(SYMBOLS)
    step = storm.draw.choice((-1.2, -0.4, -0.1, 0.0, 0.1, 0.4, 1.2))
    storm.quote(symbol, max(storm.prices[symbol] + step, 5.0), storm.draw.choice((20, 100, 1000)))


def wait(storm: Storm) -> None:
    """Let some seconds pass."""
    storm.pass_time(storm.draw.choice((2.0, 6.0, 12.0)))


def halt(storm: Storm) -> None:
    """Halt a symbol, or let it trade again."""
    symbol = storm.draw.choice(SYMBOLS)
    halted = symbol not in storm.door.halted
    (storm.door.halted.add if halted else storm.door.halted.discard)(symbol)
    storm.desk.on_halt(symbol, halted=halted)


def amend(storm: Storm) -> None:
    """Take a fill back, or give it another price."""
    standing = [done for done in storm.exchange.standing() if not done.corrects]
    if not standing:
        return
    done = storm.draw.choice(standing[-4:])
    if storm.draw.random() < 0.5:
        storm.faults["bust"] += 1
        storm.exchange.bust(done.execution_id)
    else:
        storm.faults["reprice"] += 1
        storm.exchange.reprice(done.execution_id, round(done.price * 1.001, 4))
    storm.hear()


def borrow(storm: Storm) -> None:
    """Lend a symbol no more, or again."""
    symbol = storm.draw.choice(SYMBOLS)
    lent = storm.exchange.borrowable(symbol)
    (storm.exchange.stop_borrow if lent else storm.exchange.resume_borrow)(symbol)


def stranger(storm: Storm) -> None:
    """Trade on the account from elsewhere: a little of anything."""
    draw, symbol = storm.draw, storm.draw.choice((*SYMBOLS, "GME"))
    storm.strangers += 1
    request = OrderRequest(
        client_order_id=f"elsewhere-{storm.strangers}",
        symbol=symbol,
        side=draw.choice((Side.BUY, Side.SELL)),
        qty=float(draw.choice((5, 40))),
        order_type=draw.choice((OrderType.MARKET, OrderType.LIMIT)),
        limit_price=99.0,
    )
    if request.order_type is OrderType.MARKET:
        request = replace(request, limit_price=None)
    with contextlib.suppress(ExchangeRefusal):
        storm.exchange.submit(request, storm.now_ns)
    storm.hear()


# persons


def person(storm: Storm) -> None:
    """Say one of the words that a person has."""
    draw, desk, now_ns = storm.draw, storm.desk, storm.now_ns
    symbol = draw.choice(("", *SYMBOLS))
    live = [r.client_order_id for r in desk.orders.values() if r.live]
    one = draw.choice(live) if live else ""
    verb = draw.choice(
        (
            "pause",
            "resume",
            "resume",
            "resume",
            "cancel",
            "cancel one",
            "flatten",
            "release",
            "kill",
            "veto",
            "allow",
            "resolve",
        )
    )
    storm.log.append(f"{now_ns} person: {verb} {symbol}")
    match verb:
        case "pause":
            effects = desk.pause("a person", "", now_ns)
        case "resume":
            effects = desk.resume("a person", "", now_ns)
        case "cancel":
            effects = desk.cancel(now_ns, symbol=symbol, by="a person")
        case "cancel one":
            effects = desk.cancel(now_ns, client_order_id=one or "none", by="a person")
        case "flatten":
            effects = desk.flatten(now_ns, symbol=symbol, by="a person")
        case "release":
            effects = desk.release(now_ns, symbol=symbol, by="a person")
        case "kill":
            effects = desk.kill(now_ns, by="a person", reason="enough") if draw.random() < 0.2 else []
        case "veto":
            effects = _veto(storm, symbol or "TSLA", now_ns)
        case "allow":
            storm.rows.vetoes = {key: veto for key, veto in storm.rows.vetoes.items() if key[0] != symbol}
            effects = desk.allow(symbol, "")
        case _:
            effects = _resolve(storm)
    storm.carry(effects)


def _veto(storm: Storm, symbol: str, now_ns: int) -> list[Any]:
    until_ns = now_ns + 20 * SECOND_NS
    storm.rows.vetoes[symbol, ""] = ("a person", "", until_ns)
    return storm.desk.veto(symbol, "", "a person", "", until_ns)


def _resolve(storm: Storm) -> list[Any]:
    desk, effects = storm.desk, []
    for symbol, difference in list(desk.differences.items()):
        if storm.now_ns - difference.since_ns < 20 * SECOND_NS:
            continue  # a person takes a look first; most are gone by then
        choice = storm.draw.choice(("adopt", "ignore", "flatten"))
        if not desk.resolve_refused(symbol, choice):
            effects += desk.resolve(symbol, choice, "a person", storm.now_ns)
    return effects


# what fails


def kill(storm: Storm) -> None:
    """Kill the desk, now or at one of its next steps."""
    if storm.draw.random() < 0.3:
        storm.kill("at rest")
    else:
        storm.fuse = storm.draw.randint(1, 12)


def cut(storm: Storm) -> None:
    """Cut the stream of updates."""
    storm.cut()


DEEDS: dict[str, tuple[int, Deed]] = {
    "enter": (12, enter),
    "leave": (8, leave),
    "change": (4, change),
    "protect": (4, protect),
    "withdraw": (2, withdraw),
    "again": (2, again),
    "move": (14, move),
    "wait": (3, wait),
    "halt": (1, halt),
    "amend": (1, amend),
    "borrow": (1, borrow),
    "person": (4, person),
    "kill": (4, kill),
    "cut": (1, cut),
}
