"""Frames of the market data websocket -> what a market says. The vendor's spelling ends here.

One typed decode of a whole msgpack frame (`wire`), then one object of ours each. Alpaca's symbols are spelled
as the house spells them, so nothing is translated.

A frame that does not decode is read again message by message: a bad one costs itself and nothing else, and
what a frame lost stands as one Unreadable where the first of it was.
"""

import logging

from liu_tui.adapters.alpaca import wire
from liu_tui.adapters.alpaca.wire import (
    SECONDS_BITS,
    TIMESTAMP,
    Control,
    QuoteMessage,
    TradeMessage,
    decode_frame,
    time_of,
)
from liu_tui.adapters.foreign import MAX_NS, UNREADABLE
from liu_tui.market.streaming import Halt, SessionEnd, StreamItem, Unreadable
from liu_tui.model.clock import Anchor, monotonic_ns
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Bar,
    PriceBand,
    Quote,
    Step,
    Trade,
    TradeCancel,
    TradeCorrection,
)

log = logging.getLogger(__name__)

_HALTED = frozenset("2HP")  # tapes A, B: 2 halt; tapes C, O: H halt, P volatility pause
_RESUMED = frozenset("3T")  # tapes A, B: 3 resume; tapes C, O: T trading resumption
_from_bytes = int.from_bytes
_WORDS = 200  # of the vendor's bytes, no more of them is repeated


class FrameReader:
    """Reads frames; counts what it could not read (`refused`) and what it did not need (`ignored`)."""

    def __init__(self) -> None:
        self.refused = 0
        self.ignored = 0

    def read(self, frame: bytes) -> tuple[list[StreamItem], list[Control]]:
        """Turn one frame into what it says of the market, in order, and what it says of the connection."""
        try:
            return self._take(decode_frame(frame))
        except UNREADABLE:
            return self._read_pieces(frame)

    def _take(self, messages: list[wire.Message]) -> tuple[list[StreamItem], list[Control]]:
        # The first two branches are nine tenths of a day and paid for every event: spare every call.
        # So the usual form of a time is read in place, though it stands here twice.
        items: list[StreamItem] = []
        control: list[Control] = []
        ignored = 0
        add = items.append
        for m in messages:
            if type(m) is QuoteMessage:
                data: bytes = m.at.data  # type: ignore[assignment] # always bytes when decoded
                bits = _from_bytes(data, "big")
                t_ns = (bits & SECONDS_BITS) * SECOND_NS + (bits >> 34)
                if len(data) != 8 or t_ns > MAX_NS or m.at.code != TIMESTAMP:
                    t_ns = time_of(m)
                add(Quote(m.symbol, t_ns, m.bid, m.bid_size, m.ask, m.ask_size))
            elif type(m) is TradeMessage:
                data = m.at.data  # type: ignore[assignment] # the same
                bits = _from_bytes(data, "big")
                t_ns = (bits & SECONDS_BITS) * SECOND_NS + (bits >> 34)
                if len(data) != 8 or t_ns > MAX_NS or m.at.code != TIMESTAMP:
                    t_ns = time_of(m)
                add(Trade(m.symbol, t_ns, m.price, m.size, m.id, m.exchange, m.conditions or (), m.tape))
            elif isinstance(m, Control):
                control.append(m)
            elif (item := _rare(m)) is not None:
                add(item)
            else:
                ignored += 1
        self.ignored += ignored
        return items, control

    def _read_pieces(self, frame: bytes) -> tuple[list[StreamItem], list[Control]]:
        items: list[StreamItem] = []
        control: list[Control] = []
        faults: list[Exception] = []
        place = 0
        try:
            pieces = wire.split_frame(frame)
        except UNREADABLE as e:
            return [self._refuse([e])], control
        for piece in pieces:
            try:
                some, said = self._take([wire.decode_message(piece)])
            except UNREADABLE as e:
                if wire.is_foreign(piece):
                    self.ignored += 1
                    continue
                place = place if faults else len(items)
                faults.append(e)
            else:
                items += some
                control += said
        if faults:
            items.insert(place, self._refuse(faults))
        return items, control

    def _refuse(self, faults: list[Exception]) -> Unreadable:
        before, self.refused = self.refused, self.refused + len(faults)
        words = str(faults[0])[:_WORDS]
        if before == 0 or before // 1000 != self.refused // 1000:
            log.warning("alpaca stream: %d messages could not be read; one of them: %s", self.refused, words)
        return Unreadable(len(faults), words)


def _rare(m: wire.Message) -> StreamItem | None:
    """Turn a message that is no trade and no quote into an item; None for what nobody needs."""
    match m:
        case wire.BarMessage():
            return _bar(m)
        case wire.UpdatedBarMessage():
            return _bar(m, revised=True)
        case wire.DailyBarMessage():
            return _bar(m, span_ns=DAY_NS)
        case wire.StepMessage():
            return Step(m.n, time_of(m))
        case wire.ClockMessage():
            return Anchor(time_of(m), monotonic_ns(), m.speed, m.paused, m.lockstep)
        case wire.EndMessage():
            return SessionEnd(time_of(m))
        case _:
            return _note(m)


def _note(m: wire.Message) -> StreamItem | None:
    match m:
        case wire.StatusMessage() if m.code in _HALTED or m.code in _RESUMED:
            words = " ".join(part for part in (m.words, m.reason) if part)
            return Halt(m.symbol, time_of(m), m.code in _HALTED, words)
        case wire.BandMessage() if m.lower > 0 and m.upper > 0:
            return _band(m)
        case wire.CorrectionMessage():
            return _correction(m)
        case wire.CancelMessage():
            return TradeCancel(m.symbol, time_of(m), m.exchange, m.id, m.price, m.size, m.action == "E")
        case _:
            return None


def _bar(m: wire.AnyBar, *, span_ns: int = MINUTE_NS, revised: bool = False) -> Bar:
    """Raises ValueError if the prices contradict each other."""
    if not (m.low <= m.open <= m.high and m.low <= m.close <= m.high):
        raise ValueError(f"a bar whose prices contradict each other: {m.open} {m.high} {m.low} {m.close}")
    prices = (m.open, m.high, m.low, m.close)
    return Bar(m.symbol, time_of(m), *prices, m.volume, m.vwap, m.count, span_ns, revised=revised)


def _band(m: wire.BandMessage) -> PriceBand:
    """Raises ValueError if the lower limit is above the upper."""
    if m.lower > m.upper:
        raise ValueError(f"a price band from {m.lower} to {m.upper}")
    return PriceBand(m.symbol, time_of(m), m.lower, m.upper, m.indicator)


def _correction(m: wire.CorrectionMessage) -> TradeCorrection:
    was, now = (m.id, m.price, m.size), (m.new_id, m.new_price, m.new_size)
    return TradeCorrection(m.symbol, time_of(m), m.exchange, *was, *now, m.new_conditions or (), m.tape)
